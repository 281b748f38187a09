#include "provisioner/job.h"
#include "common/id.h"
#include "common/log.h"
#include "provisioner/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIT(state) (1u << STATE_##state)
/* What may take long, or need room, comes before anybody pays; what is dom0's and gone with
 * it (bridges, nodes) after the domain, which tells whether it still stands. */
#define BOOT_STEPS &step_admit, &step_volumes, &step_seed, &step_domain, &step_register, &step_memory, &step_build, \
                   &step_xenstore, &step_network, &step_devices, &step_start
#define HALT_STEPS &step_destroy, &step_unplug, &step_clean
/* Of a guest that has come to its own end. */
#define BURY_STEPS &step_hear_out, HALT_STEPS

static const struct job_type types[] = {
    { .name = "create", .from = BIT(PENDING),
      .during = STATE_BUILDING, .after = STATE_RUNNING, .failed = STATE_FAILED, .reason = "",
      .steps = { BOOT_STEPS } },
    { .name = "start", .from = BIT(STOPPED) | BIT(FAILED),
      .during = STATE_BUILDING, .after = STATE_RUNNING, .failed = STATE_STOPPED, .reason = "",
      .steps = { BOOT_STEPS } },
    { .name = "shutdown", .from = BIT(RUNNING),
      .during = STATE_STOPPING, .after = STATE_STOPPED, .failed = STATE_RUNNING, .reason = "shut down on request",
      .steps = { &step_ask_poweroff, &step_wait, BURY_STEPS } },
    { .name = "power_off", .overrides = true, .from = BIT(RUNNING) | BIT(SUSPENDED) | BIT(STOPPING) | BIT(BUILDING),
      .during = STATE_STOPPING, .after = STATE_STOPPED, .failed = STATE_FAILED, .reason = "powered off on request",
      .steps = { HALT_STEPS } },
    { .name = "reboot", .from = BIT(RUNNING),
      .during = STATE_BUILDING, .after = STATE_RUNNING, .failed = STATE_FAILED, .reason = "",
      .steps = { &step_ask_reboot, &step_wait, BURY_STEPS, BOOT_STEPS } },
    { .name = "suspend", .from = BIT(RUNNING),
      .during = STATE_SUSPENDING, .after = STATE_SUSPENDED, .failed = STATE_RUNNING, .reason = "suspended on request",
      .steps = { &step_pause } },
    { .name = "resume", .from = BIT(SUSPENDED),
      .during = STATE_SUSPENDING, .after = STATE_RUNNING, .failed = STATE_SUSPENDED, .reason = "",
      .steps = { &step_unpause } },
    { .name = "delete", .overrides = true, .from = ~BIT(DELETED),
      .during = STATE_STOPPING, .after = STATE_DELETED, .failed = STATE_FAILED, .reason = "deleted on request",
      .steps = { HALT_STEPS, &step_close, &step_disks, &step_forget } },
    { .name = "unpaid_stop", .internal = true, .overrides = true,
      .from = BIT(RUNNING) | BIT(SUSPENDED) | BIT(STOPPING) | BIT(BUILDING),
      .during = STATE_STOPPING, .after = STATE_STOPPED, .failed = STATE_FAILED,
      .reason = "powered off: the money was gone for longer than the grace",
      .steps = { HALT_STEPS } },
    { .name = "unpaid_delete", .internal = true, .overrides = true, .from = ~BIT(DELETED),
      .during = STATE_STOPPING, .after = STATE_DELETED, .failed = STATE_FAILED,
      .reason = "deleted: the money was gone for longer than instances are kept",
      .steps = { HALT_STEPS, &step_close, &step_disks, &step_forget } },
    { .name = "attach", .keeps = true, .from = BIT(RUNNING) | BIT(STOPPED) | BIT(FAILED),
      .steps = { &step_claim, &step_volumes, &step_plug } },
    { .name = "detach", .keeps = true, .from = BIT(RUNNING) | BIT(STOPPED) | BIT(FAILED),
      .steps = { &step_let_go, &step_unplug_one } },
    { .name = "resize", .keeps = true, .from = BIT(STOPPED) | BIT(FAILED), .steps = { &step_fit } },
    { .name = "rebuild", .keeps = true, .from = BIT(STOPPED) | BIT(FAILED), .steps = { &step_renew, &step_volumes } },
    { .name = "grown", .internal = true, .keeps = true, .from = ~BIT(DELETED),
      .steps = { &step_resize } },
    { .name = "ports", .internal = true, .keeps = true, .from = ~BIT(DELETED),
      .steps = { &step_network } },
    { .name = "ended", .internal = true, .from = BIT(RUNNING) | BIT(SUSPENDED),
      .during = STATE_STOPPING, .after = STATE_STOPPED, .failed = STATE_FAILED, .reason = "the guest powered itself off",
      .steps = { BURY_STEPS } },
    { .name = "crashed", .internal = true, .from = BIT(RUNNING) | BIT(SUSPENDED),
      .during = STATE_STOPPING, .after = STATE_FAILED, .failed = STATE_FAILED, .reason = "the guest crashed",
      .steps = { BURY_STEPS } },
    { .name = "looping", .internal = true, .from = BIT(RUNNING) | BIT(SUSPENDED),
      .during = STATE_STOPPING, .after = STATE_FAILED, .failed = STATE_FAILED,
      .reason = "the guest rebooted itself again and again at once",
      .steps = { BURY_STEPS } },
    { .name = "restart", .internal = true, .from = BIT(RUNNING) | BIT(SUSPENDED),
      .during = STATE_BUILDING, .after = STATE_RUNNING, .failed = STATE_FAILED, .reason = "",
      .steps = { BURY_STEPS, BOOT_STEPS } },
};

const struct job_type *job_type_find(const char *name)
{
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

unsigned job_type_steps(const struct job_type *type)
{
    unsigned n = 0;

    while (n < JOB_STEPS_MAX && type->steps[n])
        n++;
    return n;
}

bool job_type_allowed(const struct job_type *type, enum state state)
{
    return type->from & (1u << state);
}

/* Page tables take one page for each 2 MiB when extents are whole. */
#define OVERHEAD_PAGES          64u
#define OVERHEAD_VCPU_PAGES     8u
/* Never given away: a guest that runs may still need a page table of the hypervisor. */
#define RESERVE_PAGES           2048u

uint64_t admission_pages(int64_t guests, int64_t vcpus, int64_t memory_mib)
{
    uint64_t pages = layout_pages((uint64_t)memory_mib << 20);

    return pages + pages / 512 + (uint64_t)guests * OVERHEAD_PAGES + (uint64_t)vcpus * OVERHEAD_VCPU_PAGES +
           RESERVE_PAGES;
}

int job_add_internal(struct store *store, const char *type, const char *instance_id, const char *volume_id)
{
    struct job job = { .status = JOB_QUEUED, .failed_step = -1, .created_ms = clock_unix_ms() };

    id_make("job_", job.job_id);
    snprintf(job.instance_id, sizeof(job.instance_id), "%s", instance_id);
    snprintf(job.type, sizeof(job.type), "%s", type);
    snprintf(job.volume_id, sizeof(job.volume_id), "%s", volume_id);
    return store_job_add(store, &job, type, NULL, NULL) == 1 ? 0 : -1;
}

enum step_end run_fail(struct run *run, const char *code, const char *fmt, ...)
{
    va_list args;

    snprintf(run->job.error_code, sizeof(run->job.error_code), "%s", code);
    va_start(args, fmt);
    vsnprintf(run->job.error_detail, sizeof(run->job.error_detail), fmt, args);
    va_end(args);
    return STEP_FAILED;
}

bool run_superseded(struct run *run)
{
    const struct job_type *type;
    struct job last;

    if (store_job_last(run->tools->store, run->instance.instance_id, INT64_MAX, &last) != 1 ||
        last.number == run->job.number)
        return false;
    type = job_type_find(last.type);
    return type && type->overrides;
}

static void state_settle(struct instance *instance, const struct job_type *type, const struct job *job, bool good)
{
    instance->state = good ? type->after : type->failed;
    /* A reboot that the guest did not obey leaves it as it was. */
    if (instance->state == STATE_FAILED && type->after == STATE_RUNNING && instance->domid)
        instance->state = STATE_RUNNING;
    if (good)
        snprintf(instance->state_reason, sizeof(instance->state_reason), "%s", type->reason);
    else
        snprintf(instance->state_reason, sizeof(instance->state_reason), "%s: %.200s", type->name, job->error_detail);
}

static enum job_turn finish(struct run *run, const struct job_type *type)
{
    struct job *job = &run->job;
    struct instance *instance = &run->instance;
    bool good = !*job->error_code;

    job->status = good ? JOB_SUCCEEDED : JOB_FAILED;
    job->finished_ms = clock_unix_ms();
    if (!type->keeps)
        state_settle(instance, type, job, good);
    if (store_save(run->tools->store, job, instance))
        return TURN_RETRY;
    if (good)
        log_info("instance %s: %s done, now %s", instance->instance_id, type->name, state_names[instance->state]);
    else
        log_warnx("instance %s: %s failed: %s; now %s", instance->instance_id, type->name, job->error_detail,
                  state_names[instance->state]);
    return TURN_END;
}

/* What was taken when the job was asked for is given back by its first step. */
static enum job_turn begin_undoing(struct run *run)
{
    run->job.status = JOB_RUNNING;
    run->job.undoing = true;
    run->job.failed_step = 0;
    return store_job_save(run->tools->store, &run->job) ? TURN_RETRY : TURN_MORE;
}

/* The state may have changed since the job was queued behind others. Nothing
 * to do when they have brought about what it is for. */
static enum job_turn begin(struct run *run, const struct job_type *type)
{
    struct instance *instance = &run->instance;

    run->job.started_ms = clock_unix_ms();
    if (!type->keeps && instance->state == type->after && !job_type_allowed(type, instance->state))
        return finish(run, type);
    if (!job_type_allowed(type, instance->state)) {
        run_fail(run, "conflict", "the instance is %s", state_names[instance->state]);
        if (type->keeps)
            return begin_undoing(run);
        run->job.status = JOB_FAILED;
        run->job.finished_ms = run->job.started_ms;
        return store_job_save(run->tools->store, &run->job) ? TURN_RETRY : TURN_END;
    }
    run->job.status = JOB_RUNNING;
    if (!type->keeps) {
        instance->state = type->during;
        if (!type->internal)
            instance->desired_state = type->after;
        instance->state_reason[0] = 0;
    }
    return store_save(run->tools->store, &run->job, instance) ? TURN_RETRY : TURN_MORE;
}

static enum job_turn undo_one(struct run *run, const struct job_type *type)
{
    const struct step *step = type->steps[run->job.step];
    enum step_end end = step->undo ? step->undo(run) : STEP_DONE;

    if (end != STEP_DONE)
        return end == STEP_WAIT ? TURN_WAIT : TURN_RETRY;
    if (!run->job.step)
        return finish(run, type);
    run->job.step--;
    return store_save(run->tools->store, &run->job, &run->instance) ? TURN_RETRY : TURN_MORE;
}

static enum job_turn act_one(struct run *run, const struct job_type *type)
{
    enum step_end end = type->steps[run->job.step]->act(run);

    switch (end) {
    case STEP_AGAIN:
        return TURN_AGAIN;
    case STEP_WAIT:
        return TURN_WAIT;
    case STEP_RETRY:
        return TURN_RETRY;
    case STEP_DONE:
        if (run->job.step + 1 == job_type_steps(type))
            return finish(run, type);
        run->job.step++;
        break;
    case STEP_FAILED:
        log_warnx("instance %s: %s: step %s: %s; undoing", run->instance.instance_id, type->name,
                  type->steps[run->job.step]->name, run->job.error_detail);
        run->job.undoing = true;
        run->job.failed_step = run->job.step;
        break;
    }
    return store_save(run->tools->store, &run->job, &run->instance) ? TURN_RETRY : TURN_MORE;
}

enum job_turn job_advance(struct run *run)
{
    const struct job_type *type = job_type_find(run->job.type);

    if (!type)
        fatalx("host.db: job %s has the unknown type %s: made by a newer program?", run->job.job_id, run->job.type);
    if (run->job.status == JOB_QUEUED)
        return begin(run, type);
    return run->job.undoing ? undo_one(run, type) : act_one(run, type);
}

int job_recover(struct run *run)
{
    const struct job_type *type = job_type_find(run->job.type);
    int64_t first, at;

    if (!type || run->job.status != JOB_RUNNING || run->job.undoing)
        return 0;
    for (first = 0; first <= run->job.step; first++)
        if (type->steps[first]->stands && !type->steps[first]->stands(run))
            break;
    if (first > run->job.step)
        return 0;
    log_info("instance %s: %s was interrupted, done again from step %s", run->instance.instance_id, type->name,
             type->steps[first]->name);
    for (at = run->job.step; at >= first; at--)
        if (type->steps[at]->undo && type->steps[at]->undo(run) != STEP_DONE)
            return -1;
    run->job.step = first;
    return store_save(run->tools->store, &run->job, &run->instance);
}
