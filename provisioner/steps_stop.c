/* The steps that end a guest, and those that hold it. */
#include "provisioner/job.h"
#include "common/log.h"
#include "provisioner/console.h"
#include "provisioner/layout.h"
#include "provisioner/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long a guest may take to obey. */
#define OBEY_MS 60000
/* How long xenconsoled may take to read what a guest wrote at its end. */
#define HEAR_OUT_MS 20000

int domain_find(const struct run *run, struct xen_domain *domain)
{
    struct xen_domain *list;
    unsigned count;
    int rc = xen_domain_list(run->tools->xen, &list, &count);

    if (rc)
        return rc;
    rc = -ESRCH;
    for (unsigned i = 0; i < count; i++)
        if (!list[i].dying && !memcmp(list[i].uuid, run->instance.domain_uuid, sizeof(list[i].uuid))) {
            *domain = list[i];
            rc = 0;
        }
    free(list);
    return rc;
}

static enum step_end ask(struct run *run, const char *what)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (rc == -ESRCH || (!rc && d.shutdown))
        return STEP_DONE;
    if (!rc)
        rc = xenstore_ask(run->tools->xenstore, d.domid, what);
    return rc ? run_fail(run, "internal", "asking the guest to %s: %s", what, strerror(-rc)) : STEP_DONE;
}

static enum step_end ask_poweroff(struct run *run)
{
    return ask(run, "poweroff");
}

static enum step_end ask_reboot(struct run *run)
{
    return ask(run, "reboot");
}

const struct step step_ask_poweroff = { "ask", ask_poweroff, NULL, NULL };
const struct step step_ask_reboot = { "ask", ask_reboot, NULL, NULL };

static enum step_end wait_for_guest(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (rc == -ESRCH || (!rc && d.shutdown))
        return STEP_DONE;
    if (rc)
        return STEP_RETRY;
    if (run_superseded(run))
        return run_fail(run, "conflict", "given up: a later request ends the instance");
    if (run->waited_ms >= OBEY_MS)
        return run_fail(run, "guest_timeout", "the guest did not obey within %d s: use power_off", OBEY_MS / 1000);
    run->wait_ms = OBEY_MS - run->waited_ms;
    return STEP_WAIT;
}

const struct step step_wait = { "wait", wait_for_guest, NULL, NULL };

/* The last words of a guest are what its owner wants most to read, and are gone with its console ring if xenconsoled
 * has not come to them (it may not even have met a guest that ended at once). */
static enum step_end hear_out(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (rc && rc != -ESRCH)
        return STEP_RETRY;
    if (rc || !d.shutdown || run_superseded(run) ||
        xen_console_unread(run->tools->xen, d.domid, LAYOUT_CONSOLE_PFN) <= 0)
        return STEP_DONE;
    if (run->waited_ms < HEAR_OUT_MS)
        return STEP_RETRY;
    log_warnx("instance %s: xenconsoled does not read the guest's last words within %d s: lost",
              run->instance.instance_id, HEAR_OUT_MS / 1000);
    return STEP_DONE;
}

const struct step step_hear_out = { "hear_out", hear_out, NULL, NULL };

static enum step_end destroy(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (rc == -ESRCH)
        return STEP_DONE;
    if (!rc) {
        run->instance.domid = d.domid;
        rc = xen_domain_destroy(run->tools->xen, d.domid);
    }
    if (!rc)
        return STEP_DONE;
    log_warnx("instance %s: domain cannot be destroyed: %s; tried again", run->instance.instance_id, strerror(-rc));
    return STEP_RETRY;
}

const struct step step_destroy = { "destroy", destroy, NULL, NULL };

static enum step_end clean(struct run *run)
{
    char uuid[UUID_TEXT_BYTES];

    uuid_text(run->instance.domain_uuid, uuid);
    if (xenstore_retract(run->tools->xenstore, (uint32_t)run->instance.domid, uuid))
        return STEP_RETRY;
    run->instance.domid = 0;
    return STEP_DONE;
}

const struct step step_clean = { "clean", clean, NULL, NULL };

enum step_end domain_remove(struct run *run)
{
    enum step_end end = destroy(run);

    if (end == STEP_DONE)
        end = step_unplug.act(run);
    return end == STEP_DONE ? clean(run) : end;
}

int domain_lives(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    return rc == -ESRCH ? 0 : rc ? rc : !d.shutdown;
}

/* The customer's hold is kept until this succeeds, so it is tried for as long as it takes. */
static enum step_end billing_finish(struct run *run)
{
    struct billing_fault fault;

    if (!billing_end(run->tools->billing, &run->instance, &fault) || !strcmp(fault.code, "not_found"))
        return STEP_DONE;
    log_warnx("instance %s: accountd does not close it: %s (%s); tried again", run->instance.instance_id, fault.detail,
              fault.code);
    return STEP_RETRY;
}

const struct step step_close = { "close", billing_finish, NULL, NULL };

static enum step_end forget(struct run *run)
{
    console_remove(run->tools->console_dir, run->instance.instance_id);
    return STEP_DONE;
}

const struct step step_forget = { "forget", forget, NULL, NULL };

/* accountd's word may come at any time to the other thread, which stores it before its last pause:
 * whatever was missed before the guest was let loose is seen afterwards. */
int guest_let_run(const struct tools *tools, const char *instance_id, uint32_t domid)
{
    int unpaid = store_unpaid(tools->store, instance_id), rc;

    if (unpaid)
        return unpaid < 0 ? -EIO : 0;
    rc = xen_domain_unpause(tools->xen, domid);
    if (rc)
        return rc;
    unpaid = store_unpaid(tools->store, instance_id);
    return unpaid ? xen_domain_pause(tools->xen, domid) : 0;
}

static enum step_end hold_end(struct run *run, int rc)
{
    if (!rc)
        return STEP_DONE;
    if (rc == -ESRCH)
        return run_fail(run, "conflict", "the guest has ended");
    return run_fail(run, "internal", "the hypervisor answers %s", strerror(-rc));
}

static enum step_end pause_guest(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (!rc && !d.paused)
        rc = xen_domain_pause(run->tools->xen, d.domid);
    return hold_end(run, rc);
}

static enum step_end unpause_guest(struct run *run)
{
    struct xen_domain d;
    int rc = domain_find(run, &d);

    if (!rc && d.paused)
        rc = guest_let_run(run->tools, run->instance.instance_id, d.domid);
    return hold_end(run, rc);
}

const struct step step_pause = { "pause", pause_guest, NULL, NULL };
const struct step step_unpause = { "unpause", unpause_guest, NULL, NULL };
