#include "provisioner/worker.h"
#include "common/log.h"
#include "provisioner/firewalls.h"
#include "provisioner/network.h"
#include "provisioner/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/sched.h>

/* A guest that reboots this many times in a row, each within the time after
 * its start, would do so for ever, at the cost of dom0 and its owner. */
#define QUICK_REBOOTS_MAX   5
#define QUICK_REBOOT_MS     20000

struct pass {
    const struct tools *tools;
    struct xen_domain *domains;
    unsigned count;
    char boot_id[33];
};

static const struct xen_domain *domain_of(const struct pass *pass, const uint8_t uuid[16])
{
    for (unsigned i = 0; i < pass->count; i++)
        if (!pass->domains[i].dying && !memcmp(pass->domains[i].uuid, uuid, 16))
            return &pass->domains[i];
    return NULL;
}

/* One of our own domains that nothing knows about. If it cannot be destroyed, the next look tries again. */
static void stranger_remove(const struct pass *pass, const struct xen_domain *d)
{
    char uuid[UUID_TEXT_BYTES];
    int rc;

    uuid_text(d->uuid, uuid);
    rc = xen_domain_destroy(pass->tools->xen, d->domid);
    if (!rc)
        rc = xenstore_retract(pass->tools->xenstore, d->domid, uuid);
    if (!rc)
        log_warnx("domain %u (%s): not in host.db, destroyed", d->domid, uuid);
    else
        log_warnx("domain %u (%s): not in host.db, cannot be destroyed: %s", d->domid, uuid, strerror(-rc));
}

/* The hypervisor gives a domain's memory back in pieces, at our calls. Who made them may have been killed in between;
 * for a domain that is through, and only kept by someone who maps it, one more call does nothing. */
static void destroy_finish(const struct pass *pass, const struct xen_domain *d)
{
    int rc = xen_domain_destroy(pass->tools->xen, d->domid);

    if (rc)
        log_warnx("domain %u: its end cannot be finished: %s", d->domid, strerror(-rc));
}

static int strangers_check(const struct pass *pass)
{
    for (unsigned i = 0; i < pass->count; i++) {
        const struct xen_domain *d = &pass->domains[i];
        struct instance instance;
        int rc;

        if (!uuid_ours(d->uuid))
            continue;
        if (d->dying) {
            destroy_finish(pass, d);
            continue;
        }
        rc = store_instance_by_uuid(pass->tools->store, d->uuid, &instance);
        if (rc < 0)
            return -EIO;
        if (!rc || instance.state == STATE_DELETED)
            stranger_remove(pass, d);
    }
    return 0;
}

static const char *answer_to(struct instance *i, unsigned reason)
{
    if (reason == SHUTDOWN_poweroff)
        return "ended";
    if (reason != SHUTDOWN_reboot && reason != SHUTDOWN_soft_reset)
        return "crashed";
    i->quick_reboots = clock_unix_ms() - i->started_ms < QUICK_REBOOT_MS ? i->quick_reboots + 1 : 0;
    return i->quick_reboots > QUICK_REBOOTS_MAX ? "looping" : "restart";
}

static int shutdown_answer(const struct pass *pass, struct instance *i, unsigned reason)
{
    const char *type = answer_to(i, reason);

    log_info("instance %s: the guest shut down (reason %u): %s", i->instance_id, reason, type);
    if (store_instance_save(pass->tools->store, i) || job_add_internal(pass->tools->store, type, i->instance_id, ""))
        return -EIO;
    return 0;
}

static int vanished(const struct pass *pass, struct instance *i)
{
    bool restarted = strcmp(i->boot_id, pass->boot_id);
    char uuid[UUID_TEXT_BYTES];

    uuid_text(i->domain_uuid, uuid);
    if (devices_remove(pass->tools, i) || xenstore_retract(pass->tools->xenstore, (uint32_t)i->domid, uuid))
        return -EIO;
    i->state = restarted ? STATE_STOPPED : STATE_FAILED;
    i->domid = 0;
    snprintf(i->state_reason, sizeof(i->state_reason), "%s",
             restarted ? "the host was restarted" : "the domain was destroyed by someone else");
    log_warnx("instance %s: its domain is gone (%s), now %s", i->instance_id, i->state_reason, state_names[i->state]);
    return store_instance_save(pass->tools->store, i) ? -EIO : 0;
}

/* What the control thread has stored and a job has not heard of any more. */
static int pause_settle(const struct pass *pass, const struct instance *i, const struct xen_domain *d)
{
    struct job job;
    int rc;

    if (i->state != STATE_RUNNING || d->paused == i->unpaid)
        return 0;
    rc = store_job_last(pass->tools->store, i->instance_id, INT64_MAX, &job);
    if (rc)
        return rc < 0 ? -EIO : 0;
    log_info("instance %s: %s", i->instance_id, i->unpaid ? "unpaid, paused" : "paid again, goes on");
    rc = i->unpaid ? xen_domain_pause(pass->tools->xen, d->domid)
                   : guest_let_run(pass->tools, i->instance_id, d->domid);
    return rc == -ESRCH ? 0 : rc;
}

static int instance_check(const struct pass *pass, struct instance *i)
{
    const struct xen_domain *d = domain_of(pass, i->domain_uuid);
    struct job job;
    int rc;

    if (i->state != STATE_RUNNING && i->state != STATE_SUSPENDED)
        return 0;
    if (d && !d->shutdown)
        return pause_settle(pass, i, d);
    rc = store_job_last(pass->tools->store, i->instance_id, INT64_MAX, &job);
    if (rc)
        return rc < 0 ? -EIO : 0;           /* its job will see to it */
    return d ? shutdown_answer(pass, i, d->reason) : vanished(pass, i);
}

/* The rows are collected first: changing a table while reading it may show a row twice. */
struct collection {
    struct instance *instances;
    size_t count, room;
};

static int collect(void *context, const struct instance *instance)
{
    struct collection *c = context;

    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 64;
        struct instance *more = reallocarray(c->instances, room, sizeof(*more));

        if (!more)
            return -ENOMEM;
        c->instances = more;
        c->room = room;
    }
    c->instances[c->count++] = *instance;
    return 0;
}

static int instances_check(const struct pass *pass)
{
    struct collection c = { 0 };
    int rc = store_instances(pass->tools->store, NULL, collect, &c);

    for (size_t i = 0; !rc && i < c.count; i++)
        rc = instance_check(pass, &c.instances[i]);
    free(c.instances);
    return rc;
}

static int pass_begin(struct pass *pass, const struct tools *tools)
{
    struct xen_host host;
    int rc = xen_host_read(tools->xen, &host);

    *pass = (struct pass){ .tools = tools };
    if (!rc)
        rc = xen_domain_list(tools->xen, &pass->domains, &pass->count);
    if (!rc)
        hex_text(host.boot_id, sizeof(host.boot_id), pass->boot_id);
    return rc;
}

int reconcile(const struct tools *tools)
{
    struct pass pass;
    int rc = pass_begin(&pass, tools);

    if (rc)
        return rc;
    rc = strangers_check(&pass);
    if (!rc)
        rc = instances_check(&pass);
    free(pass.domains);
    return rc;
}

/* Whether a device's domain is one of today, and an instance's. 1, 0, -1. */
static int device_wanted(const struct pass *pass, const struct xenstore_place *at)
{
    uint8_t uuid[16];
    struct instance i;
    int rc;

    if (!uuid_parse(at->uuid, uuid))
        return 0;
    rc = store_instance_by_uuid(pass->tools->store, uuid, &i);
    return rc == 1 ? i.domid == at->domid && domain_of(pass, uuid) : rc;
}

static int devices_check(const struct pass *pass)
{
    struct xenstore_place *places;
    unsigned count;
    int rc = xenstore_device_list(pass->tools->xenstore, &places, &count);

    if (rc)
        return rc;
    for (unsigned n = 0; n < count && !rc; n++) {
        int wanted = device_wanted(pass, &places[n]);

        if (wanted < 0)
            rc = -EIO;
        if (wanted)
            continue;
        log_warnx("domain %u: device %u is nobody's any more, removed", places[n].domid, places[n].id);
        rc = xenstore_device_remove(pass->tools->xenstore, &places[n]);
    }
    free(places);
    return rc;
}

static int bridges_check(const struct pass *pass)
{
    unsigned numbers[NETWORKS_MAX];
    int count = network_list(numbers, NETWORKS_MAX);

    for (int n = 0; n < count; n++) {
        int busy = store_network_busy(pass->tools->store, numbers[n]);

        if (busy < 0 || (!busy && network_down(numbers[n])))
            return -EIO;
    }
    return count < 0 ? -EIO : 0;
}

struct port_look {
    const struct tools *tools;
    const struct network_forward *forward;
    bool wanted;
};

static int port_look(void *context, const struct forward *f)
{
    struct port_look *look = context;
    struct nic nic;
    int rc;

    if (f->port != look->forward->host_port || f->guest_port != look->forward->guest_port)
        return 0;
    rc = store_nic_find(look->tools->store, f->instance_id, &nic);
    look->wanted = rc == 1 && network_address((unsigned)nic.number, (unsigned)nic.host) == look->forward->ipv4;
    return rc < 0 ? -EIO : 0;
}

static int ports_check(const struct pass *pass)
{
    static struct network_forward present[NETWORK_FORWARDS_MAX];
    int count = network_forwards(present, NETWORK_FORWARDS_MAX), rc = count < 0 ? -EIO : 0;

    for (int n = 0; n < count && !rc; n++) {
        struct port_look look = { .tools = pass->tools, .forward = &present[n] };

        rc = store_forwards(pass->tools->store, NULL, port_look, &look);
        if (!rc && !look.wanted)
            rc = network_forward_remove(present[n].host_port) ? -EIO : 0;
    }
    return rc;
}

int reconcile_leftovers(const struct tools *tools)
{
    struct pass pass;
    int rc = pass_begin(&pass, tools);

    if (rc)
        return rc;
    rc = devices_check(&pass);
    if (!rc)
        rc = ports_check(&pass);
    if (!rc)
        rc = firewalls_settle(tools->store) ? -EIO : 0;
    if (!rc)
        rc = bridges_check(&pass);
    free(pass.domains);
    return rc;
}
