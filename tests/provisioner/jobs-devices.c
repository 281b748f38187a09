/* The promise of job.h where disks and networks are concerned: whatever call (of
 * the hypervisor, xenstored, dom0's network, the folder of disks) is the last before kill -9, and
 * whatever call fails, afterwards each file, device, port and row is there once
 * or gone, and what a customer has written is untouched. */
#include "lives.h"
#include "provisioner/uuid.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define INSTANCE "ins_one"
#define ADDRESS  network_address(1, 2)
#define MIB      (1l << 20)

static unsigned jobs_made;

static struct volume volume_now(const char *volume_id)
{
    struct store *store = store_open(db_path);
    struct volume v = { .state = FILE_DELETED };

    if (!store_volume_find(store, volume_id, &v))
        v.size_mib = -1;
    store_close(store);
    return v;
}

static int byte_at(const char *file, long at)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", volume_dir, file);
    return sample_peek(path, at);
}

/* A customer's volume with something in it. */
static void data_make(const char *volume_id)
{
    struct store *store = store_open(db_path);
    struct volumes *volumes = volumes_open(volume_dir);
    struct volume v = { .size_mib = 8, .created_ms = 1 };
    struct refusal refusal;
    char path[PATH_MAX];

    snprintf(v.volume_id, sizeof(v.volume_id), "%s", volume_id);
    strcpy(v.account_id, "acc_one");
    strcpy(v.name, "data");
    if (store_volume_add(store, &v, volume_id, &plenty, &refusal) != 1 || volumes_make(volumes, volume_id, 8) ||
        store_volume_mark(store, volume_id, FILE_READY))
        errx(1, "no volume");
    volumes_path(volumes, VOLUMES_VOLUME, volume_id, path);
    sample_poke(path, 5 * MIB, 'D');
    volumes_close(volumes);
    store_close(store);
}

/* What the control thread stores; to be applied by whoever comes next. */
static void firewall_put(const char *body)
{
    struct store *store = store_open(db_path);
    json_t *object = json_loads(body, 0, NULL);

    if (store_firewall_put(store, INSTANCE, object))
        errx(1, "no firewall");
    json_decref(object);
    store_close(store);
}

/* As it stands in the job's row: what a resize or a rebuild wants. */
static const char *request_of(const char *type, const char *job_id)
{
    return !strcmp(type, "resize") ? "{\"flavor\":\"xs2\"}" : !strcmp(type, "rebuild") ? "{\"image\":\"disk\"}" : job_id;
}

/* What the control thread does with a request. Returns the job's id. */
static const char *ask(const char *type, const char *volume_id)
{
    static char job_id[32];
    struct store *store = store_open(db_path);
    struct job job = { .status = JOB_QUEUED, .failed_step = -1, .created_ms = 1 };
    struct instance i = { .vcpus = 1, .memory_mib = 128, .weight = 256, .state = STATE_PENDING,
                          .desired_state = STATE_RUNNING, .created_ms = 1, .instance_id = INSTANCE,
                          .account_id = "acc_one", .name = "one", .image = "disk", .flavor = "xs1",
                          .disk_limit = SAMPLE_DISK_LIMIT, .net_limit = SAMPLE_NET_LIMIT };
    struct volume root = { .volume_id = "vol_root", .account_id = "acc_one", .name = "one", .image = "disk",
                           .instance_id = INSTANCE, .size_mib = 40, .device = STORE_DEVICE_FIRST, .root = true };
    const char *const volume_ids[] = { "vol_data" };
    const struct forward forward = { .forward_id = "fwd_one", .guest_port = 22 };
    struct order create = { .limits = &plenty, .instance = &i, .root = &root, .volume_ids = volume_ids, .nr_volumes = 1,
                            .network = true, .forwards = &forward, .nr_forwards = 1, .ssh_keys = "[]", .user_data = "" };
    const struct order attach = { .attach = true };
    struct refusal refusal = { .code = "" };

    snprintf(job_id, sizeof(job_id), "job_%u", ++jobs_made);
    strcpy(job.job_id, job_id);
    strcpy(job.type, type);
    strcpy(job.instance_id, INSTANCE);
    snprintf(job.volume_id, sizeof(job.volume_id), "%s", volume_id);
    uuid_make(i.domain_uuid);
    if (store_job_add(store, &job, request_of(type, job_id), !strcmp(type, "create") ? &create : !strcmp(type, "attach") ? &attach : NULL,
                      &refusal) != 1)
        errx(1, "%s: %s", type, refusal.detail);
    store_close(store);
    if (!strcmp(type, "create")) {
        firewall_put("{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\"}]}");
        w->guarded = ADDRESS;
    }
    return job_id;
}

static bool disk_is(const struct instance *i, const char *volume_id, uint32_t id, bool read_only)
{
    const struct world_device *d = world_device(w, (uint32_t)i->domid, XENSTORE_VBD, id);

    return d && d->online && d->read_only == read_only && strstr(d->params, volume_id) && !strcmp(d->limit, SAMPLE_DISK_LIMIT);
}

static bool nic_is(const struct instance *i)
{
    const struct world_device *d = world_device(w, (uint32_t)i->domid, XENSTORE_VIF, 0);

    return d && !strcmp(d->ip, "10.77.1.2") && !strcmp(d->bridge, "xsbr1") && !strncmp(d->mac, "02:", 3) && w->bridge[1] &&
           !strcmp(d->limit, SAMPLE_NET_LIMIT) && w->port[0].host_port == 22000 && w->port[0].guest_port == 22 && w->port[0].ipv4 == ADDRESS;
}

static bool firewall_is(enum firewall_protocol allowed)
{
    const struct world_firewall *f = world_firewall(w, ADDRESS);

    return f && f->rules.enabled && f->rules.inbound_count == 1 && f->rules.inbound[0].protocol == allowed;
}

static bool data_kept(void)
{
    return byte_at("volume-vol_data.raw", 5 * MIB) == 'D' && volume_now("vol_data").state == FILE_READY;
}

static bool root_kept(void)
{
    return byte_at("volume-vol_root.raw", 12 * MIB) == 'b' && volume_now("vol_root").state == FILE_READY;
}

/* `more`: vol_more is attached. */
static bool runs(const struct instance *i, bool more)
{
    return world_alive(w) == 1 && world_find(w, i->domain_uuid) && !world_find(w, i->domain_uuid)->pauses &&
           disk_is(i, "volume-vol_root", STORE_DEVICE_FIRST, false) &&
           disk_is(i, "volume-vol_data", STORE_DEVICE_FIRST + STORE_DEVICE_STEP, false) &&
           disk_is(i, "seed-" INSTANCE, STORE_DEVICE_SEED, true) && nic_is(i) && world_firewall(w, ADDRESS) && world_devices(w) == 5u + more &&
           disk_is(i, "volume-vol_more", STORE_DEVICE_FIRST + 2 * STORE_DEVICE_STEP, false) == more && root_kept() &&
           data_kept();
}

/* The domain is gone: no device, no port, files as they were. */
static bool rests(void)
{
    return !world_alive(w) && !world_devices(w) && data_kept() &&
           (volume_now("vol_root").state == FILE_CREATING || root_kept());
}

static bool deleted(void)
{
    return !world_alive(w) && !world_devices(w) && !w->bridge[1] && !world_firewall(w, ADDRESS) && data_kept() && !*volume_now("vol_data").instance_id &&
           volume_now("vol_root").state == FILE_DELETED && !sample_count(volume_dir, "vol_root|seed");
}

static bool more_is(bool attached)
{
    struct volume v = volume_now("vol_more");

    return v.state == FILE_READY && !strcmp(v.instance_id, attached ? INSTANCE : "") &&
           byte_at("volume-vol_more.raw", 5 * MIB) == 'D';
}

/* Whether everything is as the instance's state says. */
static bool world_matches(const struct instance *i)
{
    bool more = *volume_now("vol_more").instance_id;
    bool good = i->state == STATE_RUNNING ? runs(i, more) : i->state == STATE_DELETED ? deleted() : rests();

    good = good && !sample_count(volume_dir, "[.]new$") && !*w->broken && more_is(more);
    if (!good)
        printf("# %s (%s), devices %u, root %s, broken: %s\n", state_names[i->state], i->state_reason, world_devices(w),
               file_state_names[volume_now("vol_root").state], w->broken);
    return good;
}

static void made_ready(const char *type)
{
    fresh();
    data_make("vol_data");
    data_make("vol_more");
    w->calls = 0;
    if (!strcmp(type, "create"))
        return;
    ask("create", "");
    if (daemon_life())
        errx(1, "cannot prepare");
    if (!strcmp(type, "detach")) {
        ask("attach", "vol_more");
        daemon_life();
    }
    if (!strcmp(type, "resize") || !strcmp(type, "rebuild")) {
        char path[PATH_MAX];

        ask("power_off", "");
        daemon_life();
        snprintf(path, sizeof(path), "%s/volume-vol_root.raw", volume_dir);
        sample_poke(path, 20 * MIB, 'U');
    }
    w->calls = 0;
}

/* Resized it keeps its disk, with what was written to it since; rebuilt it has what the image has. */
static bool changed(const char *type, const struct instance *i)
{
    bool used = byte_at("volume-vol_root.raw", 20 * MIB) == 'U';

    if (!strcmp(type, "resize"))
        return used && !strcmp(i->flavor, "xs2") && i->vcpus == 2 && i->memory_mib == 256 && i->weight == 512 &&
               i->cap_percent == 150 && !*i->disk_limit;
    return strcmp(type, "rebuild") || (!used && !strcmp(i->image, "disk"));
}

static const char *about(const char *type)
{
    return strcmp(type, "attach") && strcmp(type, "detach") ? "" : "vol_more";
}

static void crash_everywhere(const char *type, enum state after)
{
    unsigned calls, lives = 0, wrong = 0;
    char name[160];

    prepare(made_ready, type);
    const char *job_id = ask(type, about(type));
    if (daemon_life() || job_now(job_id).status != JOB_SUCCEEDED)
        errx(1, "%s does not even succeed undisturbed: %s", type, job_now(job_id).error_detail);
    calls = w->calls;
    for (unsigned n = 1; n <= calls; n++) {
        prepare(made_ready, type);
        job_id = ask(type, about(type));
        w->kill_at = n;
        lives += daemon_life() == SIGKILL;
        w->kill_at = 0;
        int again = daemon_life();
        struct instance i = instance_now(INSTANCE);
        if (again || job_now(job_id).status != JOB_SUCCEEDED || i.state != after || !world_matches(&i) ||
            !changed(type, &i)) {
            wrong++;
            printf("# %s: killed before call %u: job %s (%s)\n", type, n, job_status_names[job_now(job_id).status],
                   job_now(job_id).error_detail);
        }
    }
    snprintf(name, sizeof(name), "%s: killed before each of %u calls, it is finished after the restart", type, calls);
    check(lives == calls && !wrong, name);
}

/* Each call fails once. The job may get over it or be undone; both must be whole. */
static void fail_everywhere(const char *type, int fail_errno)
{
    unsigned calls, wrong = 0, good = 0, undone = 0;
    char name[160];

    prepare(made_ready, type);
    ask(type, about(type));
    daemon_life();
    calls = w->calls;
    for (unsigned n = 1; n <= calls; n++) {
        prepare(made_ready, type);
        const char *job_id = ask(type, about(type));
        w->fail_at = n;
        w->fail_errno = fail_errno;
        int end = daemon_life();
        w->fail_at = 0;
        if (sample_count(volume_dir, "[.]new$"))           /* what could not be removed then is at the next start */
            daemon_life();
        struct instance i = instance_now(INSTANCE);
        struct job j = job_now(job_id);
        good += j.status == JOB_SUCCEEDED;
        undone += j.status == JOB_FAILED;
        if (end || !settled(job_id) || !world_matches(&i) || (j.status == JOB_FAILED && !*j.error_code)) {
            wrong++;
            printf("# %s: call %u fails: job %s (%s)\n", type, n, job_status_names[j.status], j.error_detail);
        }
    }
    snprintf(name, sizeof(name), "%s: each of %u calls fails with %s: %u times done all the same, %u times undone", type,
             calls, strerrorname_np(fail_errno), good, undone);
    check(!wrong && good + undone == calls, name);
}

static void always_failing(const char *verb, const char *type)
{
    struct instance i;
    char name[128];

    prepare(made_ready, type);
    const char *job_id = ask(type, about(type));
    strcpy(w->fail_verb, verb);
    daemon_life();
    w->fail_verb[0] = 0;
    i = instance_now(INSTANCE);
    snprintf(name, sizeof(name), "%s: %s fails for good: undone, nothing left, the volumes free or whole", type, verb);
    check(job_now(job_id).status == JOB_FAILED && *job_now(job_id).error_detail && world_matches(&i), name);
}

/* A guest without eyes for new disks has it all the same; one that lets go of nothing keeps it. */
static void guests_of_their_own_mind(void)
{
    struct tools tools = { .store = NULL };
    struct run run = { .tools = &tools };
    struct catalog catalog;
    struct catalog_fault fault;

    prepare(made_ready, "detach");
    if (catalog_load(&catalog, catalog_path, &fault))
        errx(1, "%s", fault.text);
    tools = (struct tools){ .store = store_open(db_path), .xen = xen_open(), .xenstore = xenstore_open(),
                            .volumes = volumes_open(volume_dir), .catalog = &catalog };
    run.instance = instance_now(INSTANCE);
    w->stubborn = true;
    ask("detach", "vol_more");
    store_job_last(tools.store, INSTANCE, INT64_MAX, &run.job);
    check(step_let_go.act(&run) == STEP_WAIT && run.wait_ms == 30000, "a guest is asked to let go, and waited for");
    run.waited_ms = 30000;
    check(step_let_go.act(&run) == STEP_FAILED && !strcmp(run.job.error_code, "conflict") &&
          strstr(run.job.error_detail, "unmount"), "for half a minute: then the job says what to do");
    check(step_let_go.undo(&run) == STEP_DONE && disk_is(&run.instance, "volume-vol_more",
          STORE_DEVICE_FIRST + 2 * STORE_DEVICE_STEP, false) && more_is(true), "and the guest keeps its disk");
    run.waited_ms = 10;
    ask("delete", "");
    check(step_let_go.act(&run) == STEP_FAILED && !strcmp(run.job.error_code, "conflict"),
          "a request to delete ends the wait");

    prepare(made_ready, "attach");
    run.instance = instance_now(INSTANCE);
    w->deaf = true;
    ask("attach", "vol_more");
    store_close(tools.store);
    tools.store = store_open(db_path);
    store_job_last(tools.store, INSTANCE, INT64_MAX, &run.job);
    run.waited_ms = 0;
    check(step_plug.act(&run) == STEP_WAIT && run.wait_ms == 15000, "a guest is given time to take a disk");
    run.waited_ms = 15000;
    check(step_plug.act(&run) == STEP_DONE, "when it does not, the disk is there for later");
    volumes_close(tools.volumes);
    xenstore_close(tools.xenstore);
    xen_close(tools.xen);
    store_close(tools.store);
    catalog_free(&catalog);
}

static void broken_disks(void)
{
    char path[256];

    prepare(made_ready, "attach");
    strcpy(w->device_error, "the file cannot be opened");
    const char *job_id = ask("attach", "vol_more");
    daemon_life();
    struct instance i = instance_now(INSTANCE);
    check(job_now(job_id).status == JOB_FAILED && strstr(job_now(job_id).error_detail, "cannot be opened") && more_is(false) &&
          world_matches(&i), "a disk that cannot be served is not attached, and the job says why");

    prepare(made_ready, "create");
    strcpy(w->device_error, "the file cannot be opened");
    job_id = ask("create", "");
    daemon_life();
    i = instance_now(INSTANCE);
    check(job_now(job_id).status == JOB_FAILED && strstr(job_now(job_id).error_detail, "cannot be opened") &&
          world_matches(&i), "a guest does not start without a device that it should have, and the job says why");

    prepare(made_ready, "attach");
    ask("power_off", "");
    daemon_life();
    snprintf(path, sizeof(path), "%s/volume-vol_root.raw", volume_dir);
    if (truncate(path, 5))
        err(1, "%s", path);
    ask("start", "");
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_STOPPED && strstr(i.state_reason, "vol_root: its file has 5 bytes, not 40 MiB") &&
          !world_alive(w), "a short file is not made longer behind the customer's back");
    if (unlink(path))
        err(1, "%s", path);
    ask("start", "");
    daemon_life();
    i = instance_now(INSTANCE);
    check(i.state == STATE_STOPPED && strstr(i.state_reason, "volume vol_root: its file is not to be had") && !world_alive(w),
          "a missing file stops the start, and is named");
}

/* A backend that takes its time: nothing is done to its file meanwhile. */
static void slow_backend(void)
{
    char path[256];
    int fd;

    prepare(made_ready, "detach");
    snprintf(path, sizeof(path), "%s/volume-vol_more.raw", volume_dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    flock(fd, LOCK_SH);
    const char *job_id = ask("detach", "vol_more");
    pid_t holder = fork();
    if (!holder) {
        usleep(300000);
        _exit(0);
    }
    close(fd);                          /* the child holds the lock now */
    int end = daemon_life();
    check(!end && job_now(job_id).status == JOB_SUCCEEDED && more_is(false), "detach waits for the backend's end");
    kill(holder, SIGKILL);
}

static void volumes_claimed(void)
{
    struct store *store;
    struct job job = { .status = JOB_QUEUED, .failed_step = -1, .job_id = "job_claim", .type = "attach",
                       .instance_id = INSTANCE, .volume_id = "vol_data" };
    const struct order attach = { .attach = true };
    struct refusal refusal;

    prepare(made_ready, "attach");
    store = store_open(db_path);
    check(store_job_add(store, &job, "x", &attach, &refusal) == -2 && !strcmp(refusal.code, "conflict") &&
          strstr(refusal.detail, INSTANCE), "a volume is attached once");
    strcpy(job.volume_id, "vol_none");
    check(store_job_add(store, &job, "x", &attach, &refusal) == -2 && !strcmp(refusal.code, "not_found"),
          "one that is not there is not attached");
    check(store_volume_retire(store, "vol_data", &refusal) == -2 && !strcmp(refusal.code, "conflict"),
          "and an attached one is not deleted");
    store_close(store);
}

/* The one thread copies while the other deletes. */
static void deleted_while_made(void)
{
    struct tools tools = { .store = NULL };
    struct volume v;
    int percent;

    prepare(made_ready, "create");
    tools = (struct tools){ .store = store_open(db_path), .volumes = volumes_open(volume_dir) };
    store_volume_find(tools.store, "vol_more", &v);
    store_volume_mark(tools.store, "vol_more", FILE_DELETED);
    volumes_remove(tools.volumes, VOLUMES_VOLUME, "vol_more");
    v.state = FILE_CREATING;            /* as the worker saw it */
    check(!volume_make(&tools, &v, &percent) && volume_now("vol_more").state == FILE_DELETED && !sample_count(volume_dir, "vol_more"),
          "a volume deleted while it was made stays deleted, without a file");
    volumes_close(tools.volumes);
    store_close(tools.store);
}

/* What is nobody's any more when the daemon starts. */
static void leftovers(void)
{
    struct network_forward stray = { 22003, 80, network_address(9, 9) };
    char path[512];

    prepare(made_ready, "attach");
    w->device[60] = (struct world_device){ .used = true, .at = { .domid = 77, .id = 51712, .uuid = "unknown" } };
    w->port[9] = stray;
    w->bridge[9] = true;
    world_firewall(w, 0)[0] = (struct world_firewall){ .ipv4 = network_address(9, 9) };
    firewall_put("{\"enabled\":true,\"inbound\":[{\"protocol\":\"udp\"}]}");
    snprintf(path, sizeof(path), "touch %s/volume-vol_x.raw %s/volume-y.raw.new %s/seed-ins_x.raw", volume_dir, volume_dir,
             volume_dir);
    if (system(path))
        errx(1, "%s", path);
    daemon_life();
    struct instance i = instance_now(INSTANCE);
    check(world_matches(&i) && !w->bridge[9] && !sample_count(volume_dir, "vol_x|ins_x|y.raw"),
          "at the start: devices, ports, bridges and files that are nobody's go, all others stay");
    check(!world_firewall(w, network_address(9, 9)) && firewall_is(FIREWALL_UDP),
          "and firewalls, of which one that was stored and not set is set");
    world_firewall(w, ADDRESS)->rules.inbound_count = 0;
    ask("power_off", "");
    ask("start", "");
    daemon_life();
    check(firewall_is(FIREWALL_UDP), "the next start sets it again");
}

int main(void)
{
    lives_begin("jobs-devices");
    crash_everywhere("create", STATE_RUNNING);
    crash_everywhere("delete", STATE_DELETED);
    crash_everywhere("attach", STATE_RUNNING);
    crash_everywhere("detach", STATE_RUNNING);
    crash_everywhere("resize", STATE_STOPPED);
    crash_everywhere("rebuild", STATE_STOPPED);
    fail_everywhere("create", EIO);
    fail_everywhere("delete", EIO);
    fail_everywhere("attach", ENOSPC);
    fail_everywhere("detach", EIO);
    fail_everywhere("rebuild", ENOSPC);
    always_failing("device_publish", "create");
    always_failing("network_up", "create");
    always_failing("firewall_set", "create");
    always_failing("renameat", "create");
    always_failing("device_publish", "attach");
    guests_of_their_own_mind();
    broken_disks();
    slow_backend();
    volumes_claimed();
    deleted_while_made();
    leftovers();
    return tap_end();
}
