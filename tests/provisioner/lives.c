#include "lives.h"
#include "common/log.h"
#include "sample.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct world *w;
char *dir, db_path[128], console_dir[128], catalog_path[128], volume_dir[128];
const struct limits plenty = { 100, 100, 1 << 20, 100, 100, 1 << 20, 22000, 22003 };

/* What ASan keeps of freed memory is copied by every fork and searched at every end, and lives are many and short. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1";
}

static void serve_once(void)
{
    struct catalog catalog;
    struct catalog_fault fault;
    struct worker worker = { 0 };

    if (catalog_load(&catalog, catalog_path, &fault))
        errx(1, "%s", fault.text);
    worker.tools = (struct tools){ .store = store_open(db_path), .xen = xen_open(), .xenstore = xenstore_open(),
                                   .billing = billing_open(""), .volumes = volumes_open(volume_dir),
                                   .catalog = &catalog, .console_dir = console_dir };
    worker.wake_fd = eventfd(0, EFD_NONBLOCK);
    worker.news_fd = eventfd(0, EFD_NONBLOCK);
    reconcile_files(worker.tools.store, worker.tools.volumes, &catalog);
    worker_run(&worker, true);
    volumes_close(worker.tools.volumes);
    close(worker.wake_fd);
    close(worker.news_fd);
    billing_close(worker.tools.billing);
    xenstore_close(worker.tools.xenstore);
    xen_close(worker.tools.xen);
    store_close(worker.tools.store);
    catalog_free(&catalog);
}

int daemon_life(void)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (!child) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        alarm(60);
        serve_once();
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        err(1, "fork");
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) ? -1 : 0;
}

void fresh(void)
{
    char command[512];

    snprintf(command, sizeof(command), "rm -f %s* %s/* %s/*", db_path, console_dir, volume_dir);
    if (system(command))
        errx(1, "%s", command);
    world_reset(w);
}

void prepare(void (*made_ready)(const char *type), const char *type)
{
    static struct {
        char type[16];
        struct world *world;
    } made[8];
    char copy[192], command[1024];
    unsigned i = 0;

    while (*made[i].type && strcmp(made[i].type, type))
        i++;
    snprintf(copy, sizeof(copy), "%s/prepared-%s", dir, type);
    if (made[i].world) {
        fresh();
        memcpy(w, made[i].world, sizeof(*w));
        snprintf(command, sizeof(command), "cp -a %s/state %s/volumes %s", copy, copy, dir);
    } else {
        made_ready(type);
        strcpy(made[i].type, type);
        made[i].world = malloc(sizeof(*w));
        memcpy(made[i].world, w, sizeof(*w));
        snprintf(command, sizeof(command), "mkdir %s && cp -a %s/state %s/volumes %s", copy, dir, dir, copy);
    }
    if (system(command))
        errx(1, "%s", command);
}

struct instance instance_now(const char *instance_id)
{
    struct store *store = store_open(db_path);
    struct instance i = { .state = STATES };

    store_instance_find(store, instance_id, &i);
    store_close(store);
    return i;
}

struct job job_now(const char *job_id)
{
    struct store *store = store_open(db_path);
    struct job j = { .status = JOB_QUEUED };

    store_job_find(store, job_id, &j);
    store_close(store);
    return j;
}

bool settled(const char *job_id)
{
    enum job_status s = job_now(job_id).status;

    return s == JOB_SUCCEEDED || s == JOB_FAILED;
}

void lives_begin(const char *name)
{
    log_init(name);
    dir = sample_dir();
    w = world_new(dir);
    sample_files(dir);
    snprintf(db_path, sizeof(db_path), "%s/state/host.db", dir);
    snprintf(console_dir, sizeof(console_dir), "%s/console", dir);
    snprintf(volume_dir, sizeof(volume_dir), "%s/volumes", dir);
    snprintf(catalog_path, sizeof(catalog_path), "%s/catalog.json", dir);
}
