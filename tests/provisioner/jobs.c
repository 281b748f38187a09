/* The promise of job.h: whatever call is the last before kill -9, and whatever
 * call fails, the job is finished or cleanly undone after a restart, and
 * nothing is left over. The daemon's worker runs in a child process on the
 * model (world.h); the database and its files are real. */
#include "provisioner/uuid.h"
#include "lives.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sched.h>

#define INSTANCE "ins_one"
#define PAGES    (32768u + 3)

static unsigned jobs_made;

/* What the control thread does with a request. Returns the job's id. */
static const char *ask(const char *type, const char *instance_id)
{
    static char job_id[32];
    struct store *store = store_open(db_path);
    struct job job = { .status = JOB_QUEUED, .failed_step = -1, .created_ms = 1 };
    struct instance i = { .vcpus = 1, .memory_mib = 128, .weight = 256, .state = STATE_PENDING,
                          .desired_state = STATE_RUNNING, .created_ms = 1 };
    bool create = !strcmp(type, "create");
    struct order order = { .instance = &i, .limits = &plenty };
    struct refusal refusal;

    snprintf(job_id, sizeof(job_id), "job_%u", ++jobs_made);
    strcpy(job.job_id, job_id);
    strcpy(job.type, type);
    snprintf(job.instance_id, sizeof(job.instance_id), "%s", instance_id);
    snprintf(i.instance_id, sizeof(i.instance_id), "%s", instance_id);
    strcpy(i.account_id, "acc_one");
    strcpy(i.name, "one");
    strcpy(i.image, "tiny");
    strcpy(i.flavor, "xs1");
    uuid_make(i.domain_uuid);
    if (store_job_add(store, &job, job_id, create ? &order : NULL, &refusal) != 1)
        errx(1, "store_job_add");
    store_close(store);
    return job_id;
}

/* Nothing is left of any domain but tombstones that accountd will read. */
static bool world_empty(void)
{
    if (world_alive(w) || w->pages_free != WORLD_PAGES || *w->broken)
        return false;
    for (unsigned i = 0; i < WORLD_SLOTS; i++)
        if (w->slot[i].used && !w->slot[i].final)
            return false;
    for (unsigned i = 0; i < WORLD_DOMAINS; i++)
        if (*w->domain[i].store_name)
            return false;
    return true;
}

/* Exactly one domain, whole, running, known to xenstored and to accountd. */
static bool world_runs(const struct instance *i)
{
    const struct world_domain *d = world_find(w, i->domain_uuid);
    unsigned named = 0;

    for (unsigned n = 0; n < WORLD_DOMAINS; n++)
        named += *w->domain[n].store_name != 0;
    return d && world_alive(w) == 1 && d->domid == i->domid && !d->pauses && d->pages == PAGES && named == 1 &&
           d->copied_bytes > 0x4000 && !strcmp(d->store_name, i->instance_id) && !*w->broken &&
           w->pages_free == WORLD_PAGES - PAGES;
}

static bool world_matches(const struct instance *i)
{
    bool good = i->state == STATE_RUNNING ? world_runs(i)
                                          : (i->state == STATE_STOPPED || i->state == STATE_FAILED ||
                                             i->state == STATE_DELETED) && world_empty() && !i->domid;

    if (!good)
        printf("# instance is %s (%s), domid %d, alive %u, free %ju, broken: %s\n", state_names[i->state],
               i->state_reason, (int)i->domid, world_alive(w), (uintmax_t)w->pages_free, w->broken);
    return good;
}

/* Brings a fresh host to where `type` can be asked for. */
static void made_ready(const char *type)
{
    fresh();
    if (!strcmp(type, "create"))
        return;
    ask("create", INSTANCE);
    if (daemon_life())
        errx(1, "cannot prepare");
    if (!strcmp(type, "start")) {
        ask("power_off", INSTANCE);
        daemon_life();
    }
    /* A guest that obeys at once: it has shut down before anybody waits for it. */
    if (!strcmp(type, "reboot") || !strcmp(type, "shutdown"))
        world_find(w, instance_now(INSTANCE).domain_uuid)->shutdown = true;
    w->calls = 0;
}

/* Kills the daemon before and after each call of a job's life in turn. The
 * first life ends by the kill, the second must bring the job to its good end. */
static void crash_everywhere(const char *type, enum state after)
{
    unsigned calls, lives = 0, wrong = 0;
    char name[160];

    prepare(made_ready, type);
    const char *job_id = ask(type, INSTANCE);
    if (daemon_life() || job_now(job_id).status != JOB_SUCCEEDED)
        errx(1, "%s does not even succeed undisturbed", type);
    calls = w->calls;
    for (unsigned n = 1; n <= 2 * calls; n++) {
        prepare(made_ready, type);
        job_id = ask(type, INSTANCE);
        w->kill_at = (n + 1) / 2;
        w->kill_after = n % 2;
        int end = daemon_life();
        w->kill_at = 0;
        lives += end == SIGKILL;
        int again = daemon_life();
        struct instance i = instance_now(INSTANCE);
        if (again || job_now(job_id).status != JOB_SUCCEEDED || i.state != after || !world_matches(&i)) {
            wrong++;
            printf("# %s: killed %s call %u: job %s, state %s\n", type, n % 2 ? "after" : "before", (n + 1) / 2,
                   job_status_names[job_now(job_id).status], state_names[i.state]);
        }
    }
    snprintf(name, sizeof(name), "%s: killed before and after each of %u calls, it is finished after the restart", type,
             calls);
    check(lives == 2 * calls && !wrong, name);
}

/* A verb that always fails makes the job fail and be undone; the daemon is
 * killed at every call of that, too. */
static void crash_while_undoing(const char *verb)
{
    unsigned calls, wrong = 0;
    char name[160];

    for (unsigned n = 0, last = 1; n <= last; n++) {
        prepare(made_ready, "create");
        const char *job_id = ask("create", INSTANCE);
        snprintf(w->fail_verb, sizeof(w->fail_verb), "%s", verb);
        w->kill_at = n / 2;
        w->kill_after = n % 2;
        int end = daemon_life();
        if (!n) {
            calls = w->calls;
            last = 2 * calls;
        }
        w->kill_at = 0;
        if (end == SIGKILL)
            end = daemon_life();
        struct instance i = instance_now(INSTANCE);
        struct job j = job_now(job_id);
        if (end || j.status != JOB_FAILED || !*j.error_detail || i.state != STATE_FAILED || !world_matches(&i)) {
            wrong++;
            printf("# %s: call %u: job %s, state %s\n", verb, n / 2, job_status_names[j.status], state_names[i.state]);
        }
    }
    snprintf(name, sizeof(name), "create: %s fails and every call may be the last: undone, nothing left", verb);
    check(!wrong, name);
}

/* Each call fails once. The job may get over it or be undone; both must be whole. */
static void fail_everywhere(const char *type, int fail_errno)
{
    unsigned calls, wrong = 0, succeeded = 0, failed = 0;
    char name[160];

    prepare(made_ready, type);
    ask(type, INSTANCE);
    daemon_life();
    calls = w->calls;
    for (unsigned n = 1; n <= calls; n++) {
        prepare(made_ready, type);
        const char *job_id = ask(type, INSTANCE);
        w->fail_at = n;
        w->fail_errno = fail_errno;
        int end = daemon_life();
        w->fail_at = 0;
        struct instance i = instance_now(INSTANCE);
        struct job j = job_now(job_id);
        succeeded += j.status == JOB_SUCCEEDED;
        failed += j.status == JOB_FAILED;
        if (end || !settled(job_id) || !world_matches(&i) || (j.status == JOB_FAILED && !*j.error_code)) {
            wrong++;
            printf("# %s: call %u fails: job %s (%s), state %s\n", type, n, job_status_names[j.status], j.error_detail,
                   state_names[i.state]);
        }
    }
    snprintf(name, sizeof(name), "%s: each of %u calls fails with %s: %u times done all the same, %u times undone", type,
             calls, strerrorname_np(fail_errno), succeeded, failed);
    check(!wrong && succeeded + failed == calls, name);
}

static void guest_ends(unsigned reason, enum state state, const char *why, const char *name)
{
    prepare(made_ready, "delete");                  /* one runs */
    struct instance before = instance_now(INSTANCE);
    world_find(w, before.domain_uuid)->shutdown = true;
    world_find(w, before.domain_uuid)->reason = reason;
    world_find(w, before.domain_uuid)->unread = 3;
    int end = daemon_life();
    struct instance i = instance_now(INSTANCE);
    check(!w->unheard, "its last words are heard");
    check(!end && i.state == state && strstr(i.state_reason, why) && world_matches(&i), name);
    if (state == STATE_RUNNING)
        check(i.domid != before.domid && strcmp(i.incarnation, before.incarnation) && w->nr_registered == 2,
              "a rebooted guest is a new incarnation, registered as such");
}

static void guest_reboots_forever(void)
{
    struct instance i;
    unsigned rounds = 0;

    made_ready("delete");            /* started just now */
    for (i = instance_now(INSTANCE); i.state == STATE_RUNNING && rounds < 20; rounds++) {
        struct world_domain *d = world_find(w, i.domain_uuid);

        d->shutdown = true;
        d->reason = SHUTDOWN_reboot;
        daemon_life();
        i = instance_now(INSTANCE);
    }
    check(i.state == STATE_FAILED && rounds == 6 && world_matches(&i), "a guest that reboots without end is stopped");
}

static void reconcile_cases(void)
{
    uint8_t uuid[16];
    struct xen_domain_spec spec = { .vcpus = 1, .pages_max = 100 };
    uint32_t domid;
    struct xen *xen;

    fresh();
    xen = xen_open();
    uuid_make(spec.uuid);
    xen_domain_create(xen, &spec, &domid);
    memset(uuid, 0x42, sizeof(uuid));
    memcpy(spec.uuid, uuid, 16);
    xen_domain_create(xen, &spec, &domid);
    xen_close(xen);
    check(!daemon_life() && world_alive(w) == 1 && world_find(w, uuid),
          "a domain of ours that the database does not know is destroyed, a stranger's is left alone");

    prepare(made_ready, "delete");
    world_find(w, instance_now(INSTANCE).domain_uuid)->used = false;
    w->pages_free = WORLD_PAGES;
    daemon_life();
    struct instance i = instance_now(INSTANCE);
    check(i.state == STATE_FAILED && strstr(i.state_reason, "destroyed") && !i.domid,
          "an instance whose domain someone destroyed has failed, and says why");

    prepare(made_ready, "delete");
    world_reset(w);
    w->boot_id[0] = 1;
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_STOPPED && strstr(i.state_reason, "restarted"),
          "after a restart of the host an instance is stopped, and says why");
    ask("start", INSTANCE);
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_RUNNING && world_matches(&i), "and can be started");
}

/* The machine goes down in the middle of a job: all domains are gone afterwards. */
static void host_restarts_during(const char *type)
{
    unsigned calls, wrong = 0;
    char name[128];

    prepare(made_ready, type);
    ask(type, INSTANCE);
    daemon_life();
    calls = w->calls;
    for (unsigned n = 1; n <= calls; n++) {
        prepare(made_ready, type);
        const char *job_id = ask(type, INSTANCE);
        w->kill_at = n;
        daemon_life();
        world_reset(w);
        w->boot_id[0] = 7;
        w->next_incarnation = 1000;
        int end = daemon_life();
        struct instance i = instance_now(INSTANCE);
        wrong += end || !settled(job_id) || !world_matches(&i);
    }
    snprintf(name, sizeof(name), "%s: the host restarts at each of %u calls: finished or undone", type, calls);
    check(!wrong, name);
}

static void refusals(void)
{
    struct instance i;
    struct job j;

    fresh();
    w->pages_free = PAGES - 1;
    const char *job_id = ask("create", INSTANCE);
    daemon_life();
    i = instance_now(INSTANCE);
    j = job_now(job_id);
    check(j.status == JOB_FAILED && !strcmp(j.error_code, "capacity_unavailable") && strstr(j.error_detail, "137 MiB of memory are needed, 128 are free") &&
          i.state == STATE_FAILED && !world_alive(w), "a guest that does not fit is refused with the figures");

    fresh();
    strcpy(w->billing_code, "insufficient_funds");
    job_id = ask("create", INSTANCE);
    daemon_life();
    i = instance_now(INSTANCE);
    j = job_now(job_id);
    check(j.status == JOB_FAILED && !strcmp(j.error_code, "insufficient_funds") && world_matches(&i),
          "a customer without funds gets no domain");
    w->billing_code[0] = 0;
    ask("start", INSTANCE);
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_RUNNING && world_matches(&i), "with funds it can be started");
    ask("delete", INSTANCE);
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_DELETED && world_matches(&i) && w->nr_closed == 1, "and deleted, which closes it at accountd");
}

static void corrupt_kernel(void)
{
    static uint8_t kernel[SAMPLE_KERNEL_BYTES];
    struct job j;

    fresh();
    const char *job_id = ask("create", INSTANCE);
    /* The catalogue is checked at start; what is broken later shows when it is used. */
    sample_kernel(kernel);
    struct catalog catalog;
    struct catalog_fault fault;
    struct worker worker = { 0 };
    if (catalog_load(&catalog, catalog_path, &fault))
        errx(1, "%s", fault.text);
    sample_write(dir, "kernel", kernel, 0x2000);
    worker.tools = (struct tools){ .store = store_open(db_path), .xen = xen_open(), .xenstore = xenstore_open(),
                                   .billing = billing_open(""), .volumes = volumes_open(volume_dir),
                                   .catalog = &catalog, .console_dir = console_dir };
    worker.wake_fd = worker.news_fd = eventfd(0, EFD_NONBLOCK);
    worker_run(&worker, true);
    j = job_now(job_id);
    struct instance i = instance_now(INSTANCE);
    check(j.status == JOB_FAILED && strstr(j.error_detail, "/kernel") && strstr(j.error_detail, "outside the file") &&
          world_matches(&i), "a kernel cut short after the start fails the job, named and undone");
    sample_write(dir, "kernel", kernel, sizeof(kernel));
    close(worker.wake_fd);
    volumes_close(worker.tools.volumes);
    billing_close(worker.tools.billing);
    xenstore_close(worker.tools.xenstore);
    xen_close(worker.tools.xen);
    store_close(worker.tools.store);
    catalog_free(&catalog);
}

/* Every byte of the kernel is where its headers say, and where the file has none there is zero. */
static void kernel_arrives(bool sparse)
{
    static uint8_t kernel[SAMPLE_KERNEL_BYTES], none[0x6000];
    char path[160];
    struct instance i;

    sample_kernel(kernel);
    memset(kernel + 0x2000, 0, 0x1000);
    sample_write(dir, "kernel", kernel, sizeof(kernel));
    snprintf(path, sizeof(path), "fallocate --punch-hole -o 8192 -l 4096 %s/kernel", dir);
    if (sparse && system(path))
        errx(1, "%s", path);
    made_ready("delete");
    i = instance_now(INSTANCE);
    const struct world_domain *d = world_find(w, i.domain_uuid);
    bool good = !memcmp(d->low[0], kernel + 0x1000, 0x3000) && !memcmp(d->low[0] + 0x3000, none, 0x3000) &&
                !memcmp(d->low[1], kernel + 0x4000, 0x1000) && !memcmp(d->low[1] + 0x1000, none, 0x5000);
    check(good, sparse ? "a kernel file with a hole arrives the same" : "a kernel's segments arrive where they belong");
    static uint64_t whole_bytes;
    if (!sparse)
        whole_bytes = d->copied_bytes;
    else
        check(d->copied_bytes == whole_bytes - 0x1000, "and the hole is not copied");
    sample_kernel(kernel);
    sample_write(dir, "kernel", kernel, sizeof(kernel));
}

/* One guest runs, and nothing else does: its steps are called by hand. */
static void tools_open(struct tools *tools, struct run *run)
{
    prepare(made_ready, "delete");
    tools->store = store_open(db_path);
    tools->xen = xen_open();
    tools->xenstore = xenstore_open();
    run->instance = instance_now(INSTANCE);
}

static void tools_close(const struct tools *tools)
{
    xenstore_close(tools->xenstore);
    xen_close(tools->xen);
    store_close(tools->store);
}

static void waiting(void)
{
    struct tools tools = { .store = NULL };
    struct run run = { .tools = &tools };

    tools_open(&tools, &run);
    ask("shutdown", INSTANCE);
    store_job_last(tools.store, INSTANCE, INT64_MAX, &run.job);
    check(step_ask_poweroff.act(&run) == STEP_DONE &&
          !strcmp(world_find(w, run.instance.domain_uuid)->asked, "poweroff"), "a guest is asked to power off");
    check(step_wait.act(&run) == STEP_WAIT && run.wait_ms == 60000, "and waited for");
    run.waited_ms = 60000;
    check(step_wait.act(&run) == STEP_FAILED && !strcmp(run.job.error_code, "guest_timeout") &&
          strstr(run.job.error_detail, "power_off"), "for a minute: then the job says what to do instead");
    run.waited_ms = 10;
    ask("delete", INSTANCE);
    check(step_wait.act(&run) == STEP_FAILED && !strcmp(run.job.error_code, "conflict"),
          "a request to delete ends the wait");
    tools_close(&tools);
}

/* xenconsoled may hang: the guest's end does not hang on it. */
static void unheard(void)
{
    struct tools tools = { .store = NULL };
    struct run run = { .tools = &tools };
    struct world_domain *d;

    tools_open(&tools, &run);
    d = world_find(w, run.instance.domain_uuid);
    d->unread = 100;
    check(step_hear_out.act(&run) == STEP_DONE && d->unread == 100, "who has not ended is not listened to for longer");
    d->shutdown = true;
    check(step_hear_out.act(&run) == STEP_RETRY && d->unread == 99, "the last words of one who has are waited for");
    run.waited_ms = 20000;
    check(step_hear_out.act(&run) == STEP_DONE && d->unread == 98, "for twenty seconds");
    run.waited_ms = 0;
    ask("delete", INSTANCE);
    check(step_hear_out.act(&run) == STEP_DONE && d->unread == 98, "not when the instance is to be deleted");
    tools_close(&tools);
}

static void full_disk(void)
{
    struct rlimit before, tiny;
    struct instance i;
    struct store *store;
    struct job job = { .status = JOB_QUEUED, .failed_step = -1 };
    struct order order = { .instance = &i, .limits = &plenty };
    struct refusal refusal;

    prepare(made_ready, "delete");
    i = instance_now(INSTANCE);
    strcpy(i.instance_id, "ins_two");
    uuid_make(i.domain_uuid);
    strcpy(job.job_id, "job_full");
    strcpy(job.instance_id, "ins_two");
    strcpy(job.type, "create");
    getrlimit(RLIMIT_FSIZE, &before);
    tiny = (struct rlimit){ 4096, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    store = store_open(db_path);
    setrlimit(RLIMIT_FSIZE, &tiny);
    int refused = store_job_add(store, &job, "request", &order, &refusal);
    setrlimit(RLIMIT_FSIZE, &before);
    check(refused == -1 && !store_job_find(store, "job_full", &job) && !store_instance_find(store, "ins_two", &i),
          "no room for the database: refused, nothing half made");
    i = instance_now(INSTANCE);
    strcpy(i.instance_id, "ins_two");
    uuid_make(i.domain_uuid);
    strcpy(job.job_id, "job_full");
    strcpy(job.instance_id, "ins_two");
    strcpy(job.type, "create");
    check(store_job_add(store, &job, "request", &order, &refusal) == 1, "with room again the same request is taken");
    check(store_job_add(store, &job, "request", &order, &refusal) == 0, "the same request twice is one job");
    check(store_job_add(store, &job, "other", &order, &refusal) == -2, "the same id for another request is a conflict");
    store_close(store);
}

int main(void)
{
    lives_begin("jobs");
    crash_everywhere("create", STATE_RUNNING);
    crash_everywhere("delete", STATE_DELETED);
    crash_everywhere("start", STATE_RUNNING);
    crash_everywhere("reboot", STATE_RUNNING);
    crash_everywhere("shutdown", STATE_STOPPED);
    crash_everywhere("power_off", STATE_STOPPED);
    crash_while_undoing("domain_unpause");
    crash_while_undoing("memory_populate");
    crash_while_undoing("publish");
    fail_everywhere("create", EIO);
    fail_everywhere("create", ENOMEM);
    fail_everywhere("delete", EIO);
    fail_everywhere("reboot", EIO);
    host_restarts_during("create");
    host_restarts_during("delete");
    guest_ends(SHUTDOWN_poweroff, STATE_STOPPED, "powered itself off", "a guest that powers off is stopped");
    guest_ends(SHUTDOWN_crash, STATE_FAILED, "crashed", "a guest that crashes has failed");
    guest_ends(SHUTDOWN_watchdog, STATE_FAILED, "crashed", "so has one whose watchdog fired");
    guest_ends(SHUTDOWN_reboot, STATE_RUNNING, "", "a guest that reboots runs again");
    guest_reboots_forever();
    reconcile_cases();
    refusals();
    corrupt_kernel();
    kernel_arrives(false);
    kernel_arrives(true);
    waiting();
    unheard();
    full_disk();
    return tap_end();
}
