/* xs-blkback: one frontend's connection to one disk. How it lives: provisioner/backend/worker.h. */
#include "provisioner/backend/worker.h"
#include "provisioner/blkback/serve.h"
#include "common/log.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct config {
    int domid, device, port, uid, gid;
    const char *state, *file;
    struct meter meter;
    struct request_limits limits;
    enum request_abi abi;
    uint32_t refs[RING_PAGES_MAX];
    unsigned nr_refs;
};

static struct {
    struct config config;
    struct disk *disk;
    struct serve *serve;
    const volatile struct blkif_sring *ring;    /* for words about it */
    const struct ring_state *state;
    int port;
    bool stopping;
} worker;

static void config_refs(const json_t *refs, struct config *config)
{
    config->nr_refs = (unsigned)json_array_size(refs);
    if (config->nr_refs == 0 || config->nr_refs > RING_PAGES_MAX)
        worker_failed("config: refs: one to %u ring pages", RING_PAGES_MAX);
    for (unsigned i = 0; i < config->nr_refs; i++)
        config->refs[i] = (uint32_t)json_integer_value(json_array_get(refs, i));
}

static void config_read(struct config *config)
{
    json_t *root = worker_config(), *refs;      /* lives as long as we: strings in it are used */
    const char *abi;
    int readonly, discard, indirect;
    json_error_t error;

    if (json_unpack_ex(root, &error, 0, "{s:i,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:b,s:b,s:b,s:o}", "domid", &config->domid,
                       "device", &config->device, "port", &config->port, "uid", &config->uid,
                       "gid", &config->gid, "state", &config->state, "file", &config->file, "abi", &abi, "readonly",
                       &readonly, "discard", &discard, "indirect", &indirect, "refs", &refs) != 0)
        worker_failed("config: %s", error.text);
    worker_meter(root, &config->meter);
    config->abi = strcmp(abi, "x86_32") == 0 ? ABI_X86_32 : ABI_X86_64;
    config->limits = (struct request_limits){ .readonly = readonly, .discard = discard, .indirect = indirect };
    config_refs(refs, config);
}

/* Resident once touched, so that an idle disk costs little and hv finds every page. */
static void *memory_make(void)
{
    void *memory = mmap(NULL, serve_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || mlock2(memory, serve_bytes(), MLOCK_ONFAULT) != 0)
        worker_failed("no memory for the buffers: %s", strerror(errno));
    /* Huge pages would make it resident at the first touch. */
    madvise(memory, serve_bytes(), MADV_NOHUGEPAGE);
    return memory;
}

static void open_all(void)
{
    struct config *config = &worker.config;
    struct ring_state *state = worker_state(config->state, sizeof(*state));
    void *pages;

    if (!state)
        worker_failed("%s: %s", config->state, strerror(errno));
    worker.disk = disk_open(config->file, config->limits.readonly);
    config->limits.sectors = disk_sectors(worker.disk);
    pages = worker_map((uint32_t)config->domid, config->refs, config->nr_refs);
    if (!pages)
        worker_broken("the ring's pages cannot be mapped: %s", strerror(errno));
    worker.port = worker_bind((uint32_t)config->domid, (uint32_t)config->port);
    if (worker.port < 0)
        worker_broken("port %d cannot be bound: %s", config->port, strerror(-worker.port));
    worker.serve = serve_begin(memory_make(), &config->meter, worker.disk, pages, config->nr_refs, config->abi, state,
                               &config->limits);
    if (!worker.serve)
        worker_broken("the ring's answers are not where they were left");
    worker.ring = pages;
    worker.state = state;
}

static void hear(void)
{
    json_t *message;

    while ((message = worker_heard())) {
        json_int_t sectors = json_integer_value(json_object_get(message, "resize"));

        if (sectors > 0) {
            serve_resize(worker.serve, (uint64_t)sectors);
            worker_say(json_pack("{s:I}", "resized", sectors));
        }
        if (json_is_true(json_object_get(message, "stop"))) {
            worker.stopping = true;
            serve_stop(worker.serve);
        }
        json_decref(message);
    }
}

static void events_take(void)
{
    struct disk_event event;

    while ((event = disk_next(worker.disk)).kind != DISK_NOTHING) {
        if (event.kind == DISK_DONE)
            serve_done(worker.serve, event.tag, event.result);
        else if (event.kind == DISK_TIMER)
            serve_retry(worker.serve);
        else if (event.fd == WORKER_SOCKET_FD)
            hear();
        else
            while (worker_event_next() >= 0)
                ;                       /* one port: serve_run looks at its ring */
    }
}

/* Ends the process when the other side did. */
static void run(bool notify)
{
    uint64_t limited_ns = serve_limited_ns(worker.serve);
    int rc = serve_run(worker.serve, &notify);

    if (notify)
        worker_notify(worker.port);
    if (rc == -EPROTO)
        worker_broken("the ring's producer is past its end: at %u with %u taken, %u answered and %u published",
                      worker.ring->req_prod, (unsigned)worker.state->req_next, worker.state->rsp_next,
                      worker.ring->rsp_prod);
    if (rc == -ESRCH)
        _exit(WORKER_STOPPED);          /* the guest is dying */
    if (rc)
        worker_failed("metered copy: %s", strerror(-rc));
    if (!limited_ns && serve_limited_ns(worker.serve))
        disk_timer(worker.disk, serve_limited_ns(worker.serve));
    if (worker.stopping && serve_idle(worker.serve))
        _exit(WORKER_STOPPED);
}

int main(void)
{
    static const char *const allowed[] = { "io_uring_enter", NULL };

    log_init("xs-blkback");
    config_read(&worker.config);
    open_all();
    worker_confine((uid_t)worker.config.uid, (gid_t)worker.config.gid, allowed);
    disk_watch(worker.disk, WORKER_SOCKET_FD);
    disk_watch(worker.disk, worker_event_fd());
    worker_say(json_pack("{s:b,s:I,s:i}", "ready", 1, "sectors", (json_int_t)worker.config.limits.sectors,
                         "sector_size", (int)SECTOR_BYTES));
    run(true);          /* a worker before us may have answered and not told */
    for (;;) {
        disk_wait(worker.disk);
        events_take();
        run(false);
    }
}
