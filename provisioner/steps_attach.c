/* The steps of attach, detach and resize: one volume (the job's) of an instance
 * that may run or not. The volume was made the instance's when attach was asked
 * for; what a guest does with a disk that comes or goes is its own affair,
 * within a time. */
#include "provisioner/job.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/xenbus.h>

#define CONNECT_MS  15000
#define LET_GO_MS   30000

/* The job's volume, if it is the instance's: 1, 0 it is not, -1. */
static int volume_of(struct run *run, struct volume *v)
{
    int rc = store_volume_find(run->tools->store, run->job.volume_id, v);

    return rc == 1 ? !strcmp(v->instance_id, run->instance.instance_id) : rc;
}

/* The job's volume, and a guest that may have it: 1, 0 there is nothing to do with nodes, < 0. */
static int disk_in_guest(struct run *run, struct volume *v)
{
    int rc = volume_of(run, v);

    return rc == 1 ? domain_lives(run) : rc;
}

static enum step_end claimed(struct run *run)
{
    struct volume v;
    int rc = volume_of(run, &v);

    if (rc < 0)
        return STEP_RETRY;
    return rc ? STEP_DONE : run_fail(run, "conflict", "volume %s is not the instance's any more", run->job.volume_id);
}

static enum step_end claim_release(struct run *run)
{
    return store_volume_release(run->tools->store, run->job.volume_id, run->instance.instance_id) ? STEP_RETRY : STEP_DONE;
}

const struct step step_claim = { "claim", claimed, claim_release, NULL };

/* Nodes away, then the file free: 0, or what the step should end with. */
static enum step_end take_away(struct run *run, const struct volume *v)
{
    struct xenstore_place at = device_place(&run->instance, XENSTORE_VBD, v->device);
    int rc = run->instance.domid ? xenstore_device_remove(run->tools->xenstore, &at) : 0;

    if (rc) {
        log_warnx("instance %s: volume %s cannot be taken away: %s; tried again", run->instance.instance_id,
                  v->volume_id, strerror(-rc));
        return STEP_RETRY;
    }
    return volumes_busy(run->tools->volumes, VOLUMES_VOLUME, v->volume_id) ? STEP_RETRY : STEP_DONE;
}

/* Published, or published now. */
static enum step_end publish(struct run *run, const struct volume *v, unsigned *state, char error[128])
{
    char path[PATH_MAX];
    struct xenstore_device d = disk_of(run->tools, &run->instance, v, path);
    int rc = xenstore_device_look(run->tools->xenstore, &d.at, state, error);

    if (rc != -ENOENT)
        return rc ? STEP_RETRY : STEP_DONE;
    /* A guest may not begin with what another's backend is still writing. */
    if (volumes_busy(run->tools->volumes, VOLUMES_VOLUME, v->volume_id))
        return STEP_RETRY;
    rc = xenstore_device_publish(run->tools->xenstore, &d);
    if (rc)
        return run_fail(run, "internal", "telling the guest of a disk: xenstored answers %s", strerror(-rc));
    *state = XenbusStateInitialising;
    error[0] = 0;
    return STEP_DONE;
}

static enum step_end plug(struct run *run)
{
    char error[128];
    struct volume v;
    unsigned state;
    enum step_end end;
    int rc = volume_of(run, &v);

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : run_fail(run, "conflict", "volume %s is not the instance's any more",
                                              run->job.volume_id);
    rc = domain_lives(run);
    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    end = publish(run, &v, &state, error);
    if (end != STEP_DONE)
        return end;
    if (*error)
        return run_fail(run, "internal", "the disk cannot be served: %s", error);
    /* A guest that does not look for disks now may do so later. */
    if (state == XenbusStateConnected || run->waited_ms >= CONNECT_MS || run_superseded(run))
        return STEP_DONE;
    run->wait_ms = CONNECT_MS - run->waited_ms;
    return STEP_WAIT;
}

static enum step_end unplug_again(struct run *run)
{
    struct volume v;
    int rc = volume_of(run, &v);

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    return take_away(run, &v);
}

const struct step step_plug = { "plug", plug, unplug_again, NULL };

/* 1 the guest has let go, or has nothing to let go of; 0 not yet; -errno. */
static int let_go_look(struct run *run, const struct volume *v)
{
    struct xenstore_place at = device_place(&run->instance, XENSTORE_VBD, v->device);
    unsigned state;
    char error[128];
    int rc = xenstore_device_look(run->tools->xenstore, &at, &state, error);

    if (rc == -ENOENT || (!rc && (state == XenbusStateClosed || *error)))
        return 1;
    if (!rc && state != XenbusStateClosing)
        rc = xenstore_device_close(run->tools->xenstore, &at);
    return rc;
}

static enum step_end let_go(struct run *run)
{
    struct volume v;
    int rc = disk_in_guest(run, &v);

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    rc = let_go_look(run, &v);
    if (rc)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    if (run_superseded(run))
        return run_fail(run, "conflict", "given up: a later request ends the instance");
    if (run->waited_ms >= LET_GO_MS)
        return run_fail(run, "conflict", "the guest did not let go of the disk within %d s: unmount it there, or stop the "
                        "instance first", LET_GO_MS / 1000);
    run->wait_ms = LET_GO_MS - run->waited_ms;
    return STEP_WAIT;
}

static enum step_end hold_on(struct run *run)
{
    struct xenstore_place at;
    struct volume v;
    int rc = disk_in_guest(run, &v);

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    at = device_place(&run->instance, XENSTORE_VBD, v.device);
    return xenstore_device_reopen(run->tools->xenstore, &at) ? STEP_RETRY : STEP_DONE;
}

const struct step step_let_go = { "let-go", let_go, hold_on, NULL };

static enum step_end unplug_one(struct run *run)
{
    struct volume v;
    int rc = volume_of(run, &v);
    enum step_end end;

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    end = take_away(run, &v);
    return end == STEP_DONE ? claim_release(run) : end;
}

const struct step step_unplug_one = { "unplug", unplug_one, NULL, NULL };

/* The file has grown; whoever serves it now is told to look. */
static enum step_end resize(struct run *run)
{
    char path[PATH_MAX];
    struct xenstore_device d;
    struct volume v;
    int rc = disk_in_guest(run, &v);

    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    d = disk_of(run->tools, &run->instance, &v, path);
    rc = xenstore_device_resize(run->tools->xenstore, &d.at, path);
    return rc && rc != -ENOENT ? STEP_RETRY : STEP_DONE;
}

const struct step step_resize = { "resize", resize, NULL, NULL };
