#include "tests/accountd/world.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static struct world *played;            /* whose provisioner runs: rpc handlers carry no pointer */

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(99);
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

static char *path_in(const struct world *w, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", w->dir, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        give_up(path);
}

static void make_page(struct world *w)
{
    struct xs_stats_header *h;
    char path[128];
    int fd = open(path_in(w, "stats", path), O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0 || ftruncate(fd, XS_STATS_FRAMES * 4096) != 0)
        give_up(path);
    w->page = mmap(NULL, XS_STATS_FRAMES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (w->page == MAP_FAILED)
        give_up(path);
    h = (struct xs_stats_header *)w->page;
    *h = (struct xs_stats_header){ .magic = XS_STATS_MAGIC, .version = XS_STATS_VERSION, .header_size = sizeof(*h),
                                   .cpu_offset = XS_STATS_CPU_OFFSET, .cpu_size = sizeof(struct xs_stats_cpu),
                                   .nr_cpus = 2, .slot_offset = XS_STATS_SLOT_OFFSET,
                                   .slot_size = sizeof(struct xs_stats_slot), .nr_slots = XS_STATS_SLOTS,
                                   .tsc_base = __rdtsc(), .tsc_mul = 0x80000000u };
    memset(h->boot_id, 0xb0, sizeof(h->boot_id));
    world_cpu(w, 0, 1000000000000, 0, 0);
    world_cpu(w, 1, 0, 0, 0);
}

static int tombstone_ack(struct rpc_call *call, json_t *args, json_t **result)
{
    unsigned slot = (unsigned)json_integer_value(json_object_get(args, "slot"));
    const char *incarnation = json_string_value(json_object_get(args, "incarnation"));
    struct xs_stats_slot *at = (struct xs_stats_slot *)(played->page + XS_STATS_SLOT_OFFSET) + slot;
    struct xs_stats_slot empty = { .state = XS_SLOT_EMPTY };

    if (__atomic_load_n(&played->refuse_acks, __ATOMIC_SEQ_CST))
        return rpc_fail(call, "unavailable", "not now");
    /* As hv: only a FINAL slot that still holds this incarnation. */
    if (at->state == XS_SLOT_FINAL && incarnation && strcmp(world_hex(at->incarnation[0]), incarnation) == 0) {
        world_slot(played, slot, &empty);
        __atomic_add_fetch(&played->acks, 1, __ATOMIC_SEQ_CST);
    }
    *result = json_object();
    return 0;
}

static int billing_want(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *want = json_string_value(json_object_get(args, "want"));
    json_t *answers = json_array(), *id;
    size_t n;

    (void)call;
    json_array_foreach(json_object_get(args, "instance_ids"), n, id) {
        if (want && strcmp(want, "suspend") == 0)
            __atomic_add_fetch(&played->suspends, 1, __ATOMIC_SEQ_CST);
        json_array_append_new(answers, json_pack("{s:O, s:b}", "instance_id", id, "done", 1));
    }
    *result = json_pack("{s:o}", "instances", answers);
    return 0;
}

static const struct rpc_verb provisioner_verbs[] = {
    { "billing_want", billing_want, RPC_ACCOUNTD | RPC_ROOT },
    { "tombstone_ack", tombstone_ack, RPC_ACCOUNTD | RPC_ROOT },
    { NULL, NULL, 0 },
};

static void *play_provisioner(void *arg)
{
    struct world *w = arg;
    struct pollfd on[] = { { .fd = rpc_server_fd(w->server), .events = POLLIN }, { .fd = w->stop[0], .events = POLLIN } };

    while (poll(on, 2, -1) > 0 && !on[1].revents)
        rpc_server_run(w->server);
    return NULL;
}

void world_begin(struct world *w)
{
    char path[128];

    memset(w, 0, sizeof(*w));
    strcpy(w->dir, "/tmp/xs-world-XXXXXX");
    if (sodium_init() < 0 || !mkdtemp(w->dir) || pipe(w->stop) != 0)
        give_up("world_begin");
    path_in(w, "log", w->log);
    make_page(w);
    write_text(path_in(w, "conf", path), "{\"host\":\"test.host\",\"interval_s\":1}");
    w->client = rpc_client_new(path_in(w, "run/accountd.sock", path));
    w->server = rpc_server_new(path_in(w, "provisioner.sock", path), 0600, provisioner_verbs);
    played = w;
    if (!w->client || !w->server || pthread_create(&w->provisioner, NULL, play_provisioner, w) != 0)
        give_up("world_begin");
}

void world_end(struct world *w)
{
    char command[128];

    if (w->accountd)
        world_kill(w, SIGKILL);
    close(w->stop[1]);
    pthread_join(w->provisioner, NULL);
    close(w->stop[0]);
    rpc_server_free(w->server);
    rpc_client_free(w->client);
    json_decref(w->error);
    munmap(w->page, XS_STATS_FRAMES * 4096);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    if (system(command) != 0)
        exit(99);
}

static _Noreturn void exec_accountd(const struct world *w)
{
    char config[128], state[128], run[128], stats[128], provisioner[128], witnesses[128];
    const char *source = getenv("srcdir");
    char prices[512], seller[512];
    int fd = open(w->log, O_WRONLY | O_CREAT | O_APPEND, 0644);

    dup2(fd, STDERR_FILENO);
    if (w->prices)
        snprintf(prices, sizeof(prices), "%s", w->prices);
    else
        snprintf(prices, sizeof(prices), "%s/accountd/pricebook.json", source ? source : "..");
    if (w->seller)
        snprintf(seller, sizeof(seller), "%s", w->seller);
    else
        snprintf(seller, sizeof(seller), "%s/accountd/seller.json", source ? source : "..");
    execl("tests/accountd/accountd-sanitized", "xs-accountd", "--config", path_in(w, "conf", config), "--price-book",
          prices, "--seller", seller, "--state-dir", path_in(w, "state", state), "--run-dir", path_in(w, "run", run), "--stats-file",
          path_in(w, "stats", stats), "--provisioner-socket", path_in(w, "provisioner.sock", provisioner),
          "--witnesses", path_in(w, "witnesses.json", witnesses), NULL);
    give_up("tests/accountd/accountd-sanitized");
}

static int notify_socket(const struct world *w)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", w->dir);
    unlink(at.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        give_up("notify socket");
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    return fd;
}

static int wait_end(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid)
        give_up("waitpid");
    return status;
}

bool world_start(struct world *w, int *status)
{
    int notify = notify_socket(w), child;
    struct pollfd on[2] = { { .fd = notify, .events = POLLIN } };

    fflush(stdout);
    w->accountd = fork();
    if (w->accountd == 0)
        exec_accountd(w);
    child = (int)syscall(SYS_pidfd_open, w->accountd, 0);
    on[1] = (struct pollfd){ .fd = child, .events = POLLIN };
    if (poll(on, 2, WORLD_DEADLINE_S * 1000) <= 0)
        give_up("accountd is neither ready nor ended");
    close(notify);
    close(child);
    if (on[0].revents & POLLIN)
        return true;
    *status = wait_end(w->accountd);
    w->accountd = 0;
    return false;
}

int world_kill(struct world *w, int signal)
{
    pid_t pid = w->accountd;

    kill(pid, signal);
    w->accountd = 0;
    return wait_end(pid);
}

int world_run(struct world *w)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        exec_accountd(w);
    return wait_end(pid);
}

bool world_logged(const struct world *w, const char *text)
{
    char bytes[65536];
    FILE *in = fopen(w->log, "re");
    size_t len = in ? fread(bytes, 1, sizeof(bytes) - 1, in) : 0;

    bytes[len] = 0;
    if (in)
        fclose(in);
    return strstr(bytes, text) != NULL;
}

json_t *world_ask(struct world *w, const char *verb, const char *args_format, ...)
{
    json_t *args, *ok;
    va_list list;

    va_start(list, args_format);
    args = json_vpack_ex(NULL, 0, args_format, list);
    va_end(list);
    json_decref(w->error);
    w->error = NULL;
    ok = rpc_call_sync(w->client, verb, args, WORLD_DEADLINE_S * 1000, &w->error);
    return ok;
}

const char *world_code(const struct world *w)
{
    return json_text(w->error, "code");
}

static void write_record(void *to, const void *from, size_t bytes)
{
    uint32_t *seq = to;
    uint32_t next = __atomic_load_n(seq, __ATOMIC_RELAXED) + 1;

    /* Odd, then the rest, then even: pairs with sample.c's acquires. */
    __atomic_store_n(seq, next, __ATOMIC_SEQ_CST);
    memcpy((uint8_t *)to + sizeof(*seq), (const uint8_t *)from + sizeof(*seq), bytes - sizeof(*seq));
    __atomic_store_n(seq, next + 1, __ATOMIC_SEQ_CST);
}

void world_slot(struct world *w, unsigned index, const struct xs_stats_slot *slot)
{
    write_record(w->page + XS_STATS_SLOT_OFFSET + index * sizeof(*slot), slot, sizeof(*slot));
}

void world_cpu(struct world *w, unsigned index, uint64_t guest_ns, uint64_t hv_ns, uint64_t idle_ns)
{
    struct xs_stats_cpu cpu = { .apic_id = index, .charged_until_ns = guest_ns + hv_ns + idle_ns, .guest_ns = guest_ns,
                                .hv_ns = hv_ns, .idle_ns = idle_ns };

    write_record(w->page + XS_STATS_CPU_OFFSET + index * sizeof(cpu), &cpu, sizeof(cpu));
}

struct xs_stats_slot world_live(uint8_t tag, unsigned domid)
{
    struct xs_stats_slot slot = { .state = XS_SLOT_LIVE, .domid = domid, .born_ns = 1000, .page_since_ns = 1000,
                                  .pages = 4096 };

    memset(slot.incarnation, tag, sizeof(slot.incarnation));
    memset(slot.uuid, tag, sizeof(slot.uuid));
    return slot;
}

const char *world_hex(uint8_t tag)
{
    static _Thread_local char text[33];
    uint8_t bytes[16];

    memset(bytes, tag, sizeof(bytes));
    return sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
}

static json_int_t samples(struct world *w)
{
    json_t *ok = world_ask(w, "status", "{}");
    json_int_t n = json_integer_value(json_object_get(ok, "samples"));

    json_decref(ok);
    return n;
}

bool world_sampled(struct world *w)
{
    int64_t deadline = clock_monotonic_ms() + WORLD_DEADLINE_S * 1000;
    json_int_t from = samples(w);

    while (samples(w) < from + 2) {
        if (clock_monotonic_ms() > deadline)
            return false;
        pause_ms(50);
    }
    return true;
}

bool world_suspended(struct world *w)
{
    int64_t deadline = clock_monotonic_ms() + WORLD_DEADLINE_S * 1000;

    while (__atomic_load_n(&w->suspends, __ATOMIC_SEQ_CST) == 0) {
        if (clock_monotonic_ms() > deadline)
            return false;
        pause_ms(20);
    }
    return true;
}

bool world_freed(struct world *w, unsigned index)
{
    int64_t deadline = clock_monotonic_ms() + WORLD_DEADLINE_S * 1000;
    const uint32_t *state = &((struct xs_stats_slot *)(w->page + XS_STATS_SLOT_OFFSET))[index].state;

    while (__atomic_load_n(state, __ATOMIC_SEQ_CST) != XS_SLOT_EMPTY) {
        if (clock_monotonic_ms() > deadline)
            return false;
        pause_ms(20);
    }
    return true;
}
