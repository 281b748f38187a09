/* The api with the real accountd: what one says, the other understands, and
 * what customers see of it holds to the contract. hv's stats page is a file
 * in which one guest runs. */
#include "common/id.h"
#include "common/rpc.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"
#include "xs/stats.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define UUID        "00112233445566778899aabbccddeeff"
#define INCARNATION "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

static struct rig rig;
static char key[64], account[40], instance[40];
static pid_t accountd;

static void hex_take(const char *hex, uint8_t out[16])
{
    for (int i = 0; i < 16; i++)
        sscanf(hex + 2 * i, "%2hhx", &out[i]);
}

/* One CPU, one live guest that has run for a while; time goes by the TSC. */
static void page_write(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct xs_stats_header *header;
    struct xs_stats_slot *slot;
    uint8_t *page;

    if (fd < 0 || ftruncate(fd, XS_STATS_BYTES) != 0 ||
        (page = mmap(NULL, XS_STATS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
        tap_bail("%s", path);
    header = (struct xs_stats_header *)page;
    *header = (struct xs_stats_header){ .magic = XS_STATS_MAGIC, .version = XS_STATS_VERSION,
                                        .header_size = sizeof(*header), .cpu_offset = XS_STATS_CPU_OFFSET,
                                        .cpu_size = sizeof(struct xs_stats_cpu), .nr_cpus = 1,
                                        .slot_offset = XS_STATS_SLOT_OFFSET, .slot_size = 512, .nr_slots = 8,
                                        .boot_id = { 1 }, .tsc_base = __rdtsc() - 20000000000, .tsc_mul = 1u << 31,
                                        .boot_wall_ns = (uint64_t)time(NULL) * 1000000000, .pages_total = 65536 };
    slot = (struct xs_stats_slot *)(page + XS_STATS_SLOT_OFFSET + 512);
    slot->state = XS_SLOT_LIVE;
    slot->domid = 1;
    slot->born_ns = 1000000000;
    slot->updated_ns = 5000000000;
    slot->guest_ns = 3000000000;
    slot->hv_ns = 70000000;
    slot->pages = slot->pages_peak = 32768;
    slot->page_ns_lo = UINT64_C(32768) * 4000000000;
    slot->page_since_ns = 5000000000;
    slot->exits = 12345;
    hex_take(UUID, slot->uuid);
    hex_take(INCARNATION, slot->incarnation);
    munmap(page, XS_STATS_BYTES);
    close(fd);
}

static void config_write(const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file || fputs("{\"host\":\"test-host\",\"interval_s\":1}\n", file) < 0 || fclose(file) != 0)
        tap_bail("%s", path);
}

/* Takes the stand-in's place: the api finds the socket where it was. */
static void accountd_start(void)
{
    char stats[256], state[256], config[256], provisioner[256], socket[256];

    snprintf(stats, sizeof(stats), "%s/stats", rig.dir);
    snprintf(state, sizeof(state), "%s/accountd", rig.dir);
    snprintf(config, sizeof(config), "%s/accountd.conf", rig.dir);
    snprintf(provisioner, sizeof(provisioner), "%s/provisioner.sock", rig.dir);
    snprintf(socket, sizeof(socket), "%s/accountd.sock", rig.dir);
    config_write(config);
    unlink(socket);
    accountd = fork();
    if (accountd < 0)
        tap_bail("fork");
    if (accountd == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(2, 1);
        execl("accountd/xs-accountd", "xs-accountd", "--config", config, "--stats-file", stats, "--state-dir", state,
              "--run-dir", rig.dir, "--provisioner-socket", provisioner, "--price-book",
              TOP_SRCDIR "/accountd/pricebook.json", "--seller", TOP_SRCDIR "/accountd/seller.json", (char *)NULL);
        _exit(127);
    }
}

/* Asks again until `done` likes the answer; a minute at most. */
static bool until(const char *path, bool (*done)(const struct response *), struct response *answer)
{
    for (int i = 0; i < 600; i++) {
        struct timespec pause = { .tv_nsec = 100000000 };

        *answer = rig_get(&rig, key[0] ? key : NULL, path);
        if (done(answer))
            return true;
        answer_free(answer);
        nanosleep(&pause, NULL);
    }
    memset(answer, 0, sizeof(*answer));
    return false;
}

static bool is_ok(const struct response *answer)
{
    return answer->status == 200;
}

static bool is_running(const struct response *answer)
{
    return answer->status == 200 && strcmp(answer_text_of(answer, "state"), "running") == 0 &&
           strcmp(answer_text_of(answer, "exits"), "0") != 0;
}

static bool has_use(const struct response *answer)
{
    return answer->text && strstr(answer->text, "xs-usage/v1 use");
}

static void registered(void)
{
    struct rpc_client *client;
    json_t *answer, *error;
    char path[256];

    rig_instance(&rig, key, "metered", instance);
    snprintf(path, sizeof(path), "%s/accountd.sock", rig.dir);
    client = rpc_client_new(path);
    answer = rpc_call_sync(client, "instance_register",
                           json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "account_id", account, "instance_id", instance,
                                     "domain_uuid", UUID, "incarnation", INCARNATION, "vcpus", 1, "memory_mib", 128),
                           5000, &error);
    if (!answer)
        printf("# %s\n", json_string_value(json_object_get(error, "detail")));
    ok(answer != NULL, "the instance is registered under the api's ids");
    json_decref(answer);
    json_decref(error);
    rpc_client_free(client);
}

static void money(void)
{
    struct response answer = rig_get(&rig, key, "/v1/wallet");

    ok_text(answer_text_of(&answer, "balance"), "10.00", "the credit is in the wallet");
    ok(strcmp(answer_text_of(&answer, "held"), "0.00") != 0, "a launch holds money (%s)", answer_text_of(&answer, "held"));
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/quotes", NULL, "{\"vcpus\":2,\"memory_mib\":256,\"seconds\":60}");
    ok(answer.status == 200 && json_array_size(json_object_get(answer.json, "lines")) > 0, "a quote has lines");
    answer_free(&answer);
    answer = rig_post(&rig, rig.operator_key, "/v1/admin/customers", "usd", "{\"name\":\"n\",\"currency\":\"USD\"}");
    ok_int(answer.status, 422, "another currency is refused");
    ok_has(answer.text, "\"field\":\"currency\"", "by its field");
    answer_free(&answer);
}

static void usage(void)
{
    struct response answer;
    char path[128];

    snprintf(path, sizeof(path), "/v1/instances/%s/usage", instance);
    ok(until(path, is_running, &answer), "usage says that it runs");
    ok_text(answer_text_of(&answer, "exits"), "12345", "and what hv counted");
    ok(json_array_size(json_object_get(answer.json, "meters_running")) > 0, "and which meters run");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s", instance);
    answer = rig_get(&rig, key, path);
    ok(json_array_size(json_object_get(answer.json, "meters_running")) > 0, "the instance says it too");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s/records", instance);
    ok(until(path, has_use, &answer), "records of its use come");
    answer_free(&answer);
}

static void invoices(void)
{
    struct response invoice = rig_post(&rig, key, "/v1/invoices", "inv", NULL), answer;
    char path[128];

    ok_int(invoice.status, 201, "an invoice is made");
    ok(strcmp(answer_text_of(&invoice, "total"), "") != 0, "with a total (%s)", answer_text_of(&invoice, "total"));
    ok(json_array_size(json_object_get(invoice.json, "lines")) > 0, "and lines");
    answer = rig_get(&rig, key, "/v1/invoices");
    ok_has(answer.text, answer_text_of(&invoice, "id"), "it is in the list");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/bundle", answer_text_of(&invoice, "id"));
    answer = rig_get(&rig, key, path);
    ok(answer.status == 200 && answer.size > 1024 && memcmp(answer.text + 257, "ustar", 5) == 0, "its bundle is a tar");
    answer_free(&answer);
    answer_free(&invoice);
    answer = rig_get(&rig, NULL, "/log/checkpoint");
    ok_has(answer.text, "test-host/usage/e1\n", "the log's head is there for all");
    answer_free(&answer);
}

static void host(void)
{
    struct response answer = rig_get(&rig, rig.operator_key, "/v1/admin/host");

    ok(json_integer_value(json_object_get(json_object_get(answer.json, "meter"), "samples")) > 0,
       "the operator sees the meter");
    answer_free(&answer);
}

/* kill -9 in between: the api waits for it, and nothing is doubled. */
static void restarted(void)
{
    struct response answer;

    kill(accountd, SIGKILL);
    waitpid(accountd, NULL, 0);
    answer = rig_get(&rig, key, "/v1/wallet");
    ok(answer.status == 503 && json_is_true(json_object_get(answer.json, "retryable")), "without accountd: 503, retryable");
    answer_free(&answer);
    accountd_start();
    ok(until("/v1/wallet", is_ok, &answer), "it comes back");
    ok_int((long long)json_array_size(json_object_get(answer.json, "entries")) > 0, 1, "with its entries");
    answer_free(&answer);
}

int main(void)
{
    struct response answer;
    char path[256];

    rig_start(&rig);
    snprintf(path, sizeof(path), "%s/stats", rig.dir);
    page_write(path);
    accountd_start();
    ok(until("/healthz", is_ok, &answer), "both answer");
    answer_free(&answer);
    ok(until("/log/checkpoint", is_ok, &answer), "accountd is up");
    answer_free(&answer);
    rig_customer(&rig, "main", key, account);
    registered();
    money();
    usage();
    invoices();
    host();
    restarted();
    kill(accountd, SIGTERM);
    waitpid(accountd, NULL, 0);
    rig_end(&rig);
    return tap_end();
}
