#include "tests/api/real.h"
#include "common/rpc.h"
#include "tests/api/tap.h"
#include "xs/stats.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static void hex_take(const char *hex, uint8_t out[16])
{
    for (int i = 0; i < 16; i++)
        sscanf(hex + 2 * i, "%2hhx", &out[i]);
}

/* One CPU, one live guest that has run for a while; time goes by the TSC. */
void real_page_write(const struct rig *rig)
{
    char path[256];
    struct xs_stats_header *header;
    struct xs_stats_slot *slot;
    uint8_t *page;
    int fd;

    snprintf(path, sizeof(path), "%s/stats", rig->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, XS_STATS_BYTES) != 0 ||
        (page = mmap(NULL, XS_STATS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
        tap_bail("%s", path);
    header = (struct xs_stats_header *)page;
    *header = (struct xs_stats_header){.magic = XS_STATS_MAGIC,
                                       .version = XS_STATS_VERSION,
                                       .header_size = sizeof(*header),
                                       .cpu_offset = XS_STATS_CPU_OFFSET,
                                       .cpu_size = sizeof(struct xs_stats_cpu),
                                       .nr_cpus = 1,
                                       .slot_offset = XS_STATS_SLOT_OFFSET,
                                       .slot_size = 512,
                                       .nr_slots = 8,
                                       .boot_id = {1},
                                       .tsc_base = __rdtsc() - 20000000000,
                                       .tsc_mul = 1u << 31,
                                       .boot_wall_ns = (uint64_t)time(NULL) * 1000000000,
                                       .pages_total = 65536};
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
    hex_take(REAL_UUID, slot->uuid);
    hex_take(REAL_INCARNATION, slot->incarnation);
    munmap(page, XS_STATS_BYTES);
    close(fd);
}

void real_page_enrich(const struct rig *rig)
{
    char path[256];
    uint8_t *page;
    struct xs_stats_cpu *cpu;
    struct xs_stats_slot *slot;
    int fd;

    snprintf(path, sizeof(path), "%s/stats", rig->dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || (page = mmap(NULL, XS_STATS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
        tap_bail("%s", path);
    cpu = (struct xs_stats_cpu *)(page + XS_STATS_CPU_OFFSET);
    slot = (struct xs_stats_slot *)(page + XS_STATS_SLOT_OFFSET + 512);
    cpu->guest_ns = slot->guest_ns;
    cpu->hv_ns = slot->hv_ns;
    cpu->charged_until_ns = cpu->guest_ns + cpu->hv_ns;
    slot->net_tx_bytes = UINT64_C(37) << 30;
    slot->net_tx_packets = 31000000;
    slot->net_rx_bytes = UINT64_C(9) << 30;
    slot->net_rx_packets = 17000000;
    slot->disk_read_bytes = UINT64_C(81) << 30;
    slot->disk_read_ops = 20000000;
    slot->disk_write_bytes = UINT64_C(54) << 30;
    slot->disk_write_ops = 310000000;
    munmap(page, XS_STATS_BYTES);
    close(fd);
}

static void text_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, 0600) != 0)
        tap_bail("%s", path);
}

/* accountd's configuration, the seller with a bank account, the provider's secret. */
static void config_write(const struct rig *rig, char config[static 256], char seller[static 256])
{
    char payments[256], text[600];
    json_t *party = json_load_file(TOP_SRCDIR "/accountd/seller.json", 0, NULL);

    snprintf(payments, sizeof(payments), "%s/payments.json", rig->dir);
    text_write(payments, "{\"stripe\":[\"" REAL_SECRET "\"]}\n");
    snprintf(config, 256, "%s/accountd.conf", rig->dir);
    snprintf(text, sizeof(text), "{\"host\":\"test-host\",\"interval_s\":1,\"payments\":\"%s\"}\n", payments);
    text_write(config, text);
    snprintf(seller, 256, "%s/seller.json", rig->dir);
    json_object_set_new(party, "iban", json_string("DE02120300000000202051"));
    if (json_dump_file(party, seller, 0) != 0)
        tap_bail("%s", seller);
    json_decref(party);
}

pid_t real_accountd_start(const struct rig *rig)
{
    char stats[256], state[256], config[256], seller[256], provisioner[256], socket[256];
    pid_t pid;

    snprintf(stats, sizeof(stats), "%s/stats", rig->dir);
    snprintf(state, sizeof(state), "%s/accountd", rig->dir);
    snprintf(provisioner, sizeof(provisioner), "%s/provisioner.sock", rig->dir);
    snprintf(socket, sizeof(socket), "%s/accountd.sock", rig->dir);
    config_write(rig, config, seller);
    unlink(socket);
    pid = fork();
    if (pid < 0)
        tap_bail("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(2, 1);
        execl("accountd/xs-accountd", "xs-accountd", "--config", config, "--stats-file", stats, "--state-dir", state,
              "--run-dir", rig->dir, "--provisioner-socket", provisioner, "--price-book",
              TOP_SRCDIR "/accountd/pricebook.json", "--seller", seller, (char *)NULL);
        _exit(127);
    }
    return pid;
}

bool real_until(struct rig *rig, const char *key, const char *path, bool (*done)(const struct response *),
                struct response *answer)
{
    for (int i = 0; i < 600; i++) {
        struct timespec pause = {.tv_nsec = 100000000};

        *answer = rig_get(rig, key && key[0] ? key : NULL, path);
        if (done(answer))
            return true;
        answer_free(answer);
        nanosleep(&pause, NULL);
    }
    memset(answer, 0, sizeof(*answer));
    return false;
}

bool real_is_ok(const struct response *answer)
{
    return answer->status == 200;
}

bool real_register(struct rig *rig, const char *key, const char *account, char instance[static 40])
{
    struct rpc_client *client;
    json_t *answer, *error;
    char path[256];
    bool good;

    rig_instance(rig, key, "metered", instance);
    snprintf(path, sizeof(path), "%s/accountd.sock", rig->dir);
    client = rpc_client_new(path);
    answer = rpc_call_sync(client, "instance_register",
                           json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "account_id", account, "instance_id", instance,
                                     "domain_uuid", REAL_UUID, "incarnation", REAL_INCARNATION, "vcpus", 1,
                                     "memory_mib", 128),
                           5000, &error);
    good = answer != NULL;
    if (!good)
        printf("# %s\n", json_string_value(json_object_get(error, "detail")));
    json_decref(answer);
    json_decref(error);
    rpc_client_free(client);
    return good;
}

void real_payment(const char *account, char body[static 400], char header[static 256])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char stamp[32], hex[2 * sizeof(mac) + 1];

    snprintf(body, 400,
             "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{"
             "\"id\":\"pi_1\",\"object\":\"payment_intent\",\"amount_received\":700,\"currency\":\"eur\","
             "\"metadata\":{\"account_id\":\"%s\"}}}}",
             account);
    snprintf(stamp, sizeof(stamp), "%jd", (intmax_t)time(NULL));
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)REAL_SECRET, strlen(REAL_SECRET));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, strlen(stamp));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)".", 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    snprintf(header, 256, "Stripe-Signature: t=%s,v1=%s", stamp, sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac)));
}

pid_t real_begin(struct rig *rig)
{
    struct response answer;
    pid_t accountd = real_accountd_start(rig);

    if (!real_until(rig, NULL, "/healthz", real_is_ok, &answer))
        tap_bail("accountd does not come up");
    answer_free(&answer);
    /* Whoever had asked the stand-in before would go on asking it: it lives. */
    rig_api_stop(rig, SIGTERM);
    rig_api_start(rig);
    return accountd;
}
