/* The steps that give a guest its disks and its network, and take them away.
 *
 * An instance's rows say what belongs to it; a step makes that so. The domain is
 * destroyed before its devices are taken away: nobody asks for anything any
 * more, and what a backend has acknowledged is in the file. */
#include "provisioner/job.h"
#include "common/log.h"
#include "provisioner/firewalls.h"
#include "provisioner/network.h"
#include "provisioner/seed.h"
#include "provisioner/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define MIB             (1ll << 20)
#define NIC_DEVICE      0
#define FREE_WARN_MS    10000           /* a file that is in use for longer is worth a line in the log */

int volume_make(const struct tools *tools, const struct volume *v, int *percent)
{
    const struct image *image = *v->image ? catalog_image(tools->catalog, v->image) : NULL;
    int rc;

    *percent = 0;
    if (image && image->disk_path) {
        rc = volumes_image_copy(tools->volumes, image->id, image->disk_path, percent);
        if (rc)
            return rc;
        rc = volumes_image_clone(tools->volumes, image->id, image->disk_path, v->volume_id, v->size_mib);
    } else if (*v->image) {
        rc = -ENOENT;
    } else if (*v->snapshot_id) {
        rc = volumes_clone(tools->volumes, VOLUMES_SNAPSHOT, v->snapshot_id, VOLUMES_VOLUME, v->volume_id, v->size_mib,
                           false);
    } else {
        rc = volumes_make(tools->volumes, v->volume_id, v->size_mib);
    }
    if (rc)
        return rc;
    rc = store_volume_ready(tools->store, v->volume_id);
    if (rc)
        return rc < 0 ? -EIO : 0;
    /* Deleted while it was copied, by whoever asked for it. */
    return volumes_remove(tools->volumes, VOLUMES_VOLUME, v->volume_id);
}

static enum step_end volume_refused(struct run *run, const struct volume *v, int rc)
{
    if (rc == -ENOSPC || rc == -EDQUOT)
        return run_fail(run, "capacity_unavailable", "volume %s: the host's disk is full", v->volume_id);
    return run_fail(run, "internal", "volume %s: its file cannot be made: %s", v->volume_id, strerror(-rc));
}

/* What is in the row's file is what the customer has: nothing is made up in its place. */
static enum step_end volume_check(struct run *run, const struct volume *v)
{
    int64_t bytes, used;
    int rc = volumes_look(run->tools->volumes, VOLUMES_VOLUME, v->volume_id, &bytes, &used);

    if (rc)
        return run_fail(run, "internal", "volume %s: its file is not to be had (%s): restore it, or detach it",
                        v->volume_id, strerror(-rc));
    if (bytes < v->size_mib * MIB)
        return run_fail(run, "internal", "volume %s: its file has %jd bytes, not %jd MiB: restore it, or detach it",
                        v->volume_id, (intmax_t)bytes, (intmax_t)v->size_mib);
    return STEP_DONE;
}

/* How far a long copy is, for whoever watches the instance. */
static void progress_tell(struct run *run, const struct volume *v, int percent)
{
    char text[sizeof(run->instance.state_reason)];

    snprintf(text, sizeof(text), "copying image %s: %d%%", v->image, percent - percent % 5);
    if (!strcmp(text, run->instance.state_reason))
        return;
    snprintf(run->instance.state_reason, sizeof(run->instance.state_reason), "%s", text);
    if (store_instance_save(run->tools->store, &run->instance))
        log_warnx("instance %s: progress is not shown", run->instance.instance_id);
}

static enum step_end volume_have(struct run *run, const struct volume *v)
{
    int percent, rc;

    if (v->state != FILE_CREATING)
        return volume_check(run, v);
    rc = volume_make(run->tools, v, &percent);
    if (rc < 0)
        return volume_refused(run, v, rc);
    if (rc && run_superseded(run))
        return run_fail(run, "conflict", "given up: a later request ends the instance");
    if (rc)
        progress_tell(run, v, percent);
    return rc ? STEP_AGAIN : STEP_DONE;
}

static enum step_end volumes_have(struct run *run)
{
    struct volume v[STORE_DISKS_MAX];
    int count = store_volumes_of(run->tools->store, run->instance.instance_id, v);

    if (count < 0)
        return STEP_RETRY;
    for (int i = 0; i < count; i++) {
        enum step_end end = volume_have(run, &v[i]);

        if (end != STEP_DONE)
            return end;
    }
    return STEP_DONE;
}

const struct step step_volumes = { "volumes", volumes_have, NULL, NULL };

/* Written at each start: a seed is small, and what it says follows the rows. */
static enum step_end seed_write(struct run *run)
{
    const struct instance *i = &run->instance;
    struct seed seed = { .instance_id = i->instance_id, .name = i->name };
    char *ssh_keys, *user_data;
    struct nic nic;
    uint8_t *disk;
    size_t bytes;
    int rc = store_seed_find(run->tools->store, i->instance_id, &ssh_keys, &user_data);

    if (rc != 1)
        return rc ? STEP_RETRY : STEP_DONE;
    seed.user_data = user_data;
    seed.ssh_keys = json_loads(ssh_keys, 0, NULL);
    rc = store_nic_find(run->tools->store, i->instance_id, &nic);
    seed.mac = rc == 1 ? nic.mac : NULL;
    disk = seed.ssh_keys && rc >= 0 ? seed_make(&seed, &bytes) : NULL;
    rc = disk ? volumes_write(run->tools->volumes, VOLUMES_SEED, i->instance_id, disk, bytes) : -ENOMEM;
    free(disk);
    json_decref(seed.ssh_keys);
    free(ssh_keys);
    free(user_data);
    if (!rc)
        return STEP_DONE;
    return run_fail(run, rc == -ENOSPC ? "capacity_unavailable" : "internal", "writing the seed disk: %s", strerror(-rc));
}

const struct step step_seed = { "seed", seed_write, NULL, NULL };

/* Of the host's ports, those that lead to one address. */
struct ports {
    uint32_t ipv4;
    struct network_forward wanted[NETWORK_FORWARDS_MAX];
    unsigned count;
};

static int port_want(void *context, const struct forward *f)
{
    struct ports *p = context;

    if (p->count < NETWORK_FORWARDS_MAX)
        p->wanted[p->count++] = (struct network_forward){ .host_port = (uint16_t)f->port,
                                                          .guest_port = (uint16_t)f->guest_port, .ipv4 = p->ipv4 };
    return 0;
}

static bool port_wanted(const struct ports *p, uint16_t host_port)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->wanted[i].host_port == host_port)
            return true;
    return false;
}

static int ports_set(const struct ports *p)
{
    static struct network_forward present[NETWORK_FORWARDS_MAX];
    int count = network_forwards(present, NETWORK_FORWARDS_MAX);

    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (present[i].ipv4 == p->ipv4 && !port_wanted(p, present[i].host_port) &&
            network_forward_remove(present[i].host_port))
            return -1;
    for (unsigned i = 0; i < p->count; i++)
        if (network_forward_set(&p->wanted[i]))
            return -1;
    return 0;
}

/* 1 and ports->ipv4 set, 0 no NIC, -1. */
static int ports_of(const struct tools *tools, const struct instance *i, struct nic *nic, struct ports *ports)
{
    int rc = store_nic_find(tools->store, i->instance_id, nic);

    ports->count = 0;
    if (rc == 1)
        ports->ipv4 = network_address((unsigned)nic->number, (unsigned)nic->host);
    return rc;
}

static enum step_end network_connect(struct run *run)
{
    static struct ports ports;
    struct nic nic;
    int rc = ports_of(run->tools, &run->instance, &nic, &ports);

    if (rc == 1)
        rc = domain_lives(run);
    if (rc != 1)
        return rc < 0 ? STEP_RETRY : STEP_DONE;
    if (store_forwards(run->tools->store, run->instance.instance_id, port_want, &ports))
        return STEP_RETRY;
    /* Nothing leads to the guest before its firewall is there. */
    if (firewall_apply(run->tools->store, run->instance.instance_id) || network_up((unsigned)nic.number) || ports_set(&ports))
        return run_fail(run, "internal", "the host's network cannot be set up: see the provisioner's log");
    return STEP_DONE;
}

const struct step step_network = { "network", network_connect, NULL, NULL };

struct xenstore_place device_place(const struct instance *i, enum xenstore_kind kind, int64_t device)
{
    struct xenstore_place at = { .domid = (uint32_t)i->domid, .kind = kind, .id = (uint32_t)device };

    uuid_text(i->domain_uuid, at.uuid);
    return at;
}

struct xenstore_device disk_of(const struct tools *tools, const struct instance *i, const struct volume *v,
                               char path[PATH_MAX])
{
    volumes_path(tools->volumes, VOLUMES_VOLUME, v->volume_id, path);
    return (struct xenstore_device){ .at = device_place(i, XENSTORE_VBD, v->device), .params = path,
                                     .read_only = v->read_only, .limit = i->disk_limit };
}

/* Until the process that had the file before is gone. */
static enum step_end file_free(struct run *run, enum volumes_kind kind, const char *id)
{
    int busy = volumes_busy(run->tools->volumes, kind, id);

    if (!busy)
        return STEP_DONE;
    if (run->waited_ms > FREE_WARN_MS)
        log_warnx("instance %s: disk %s: %s; tried again", run->instance.instance_id, id,
                  busy == 1 ? "a backend still holds its file" : strerror(-busy));
    return STEP_RETRY;
}

#define OFFER_MS 30000                  /* as long as a busy xs-devd may take */

/* Of two ends the one that there is more left to do about. */
static enum step_end worse(enum step_end a, enum step_end b)
{
    return a > b ? a : b;
}

/* Publishes it and waits until xs-devd offers it: PVH GRUB, which looks once, takes any other state than InitWait for
 * a disk that is connected already. */
static enum step_end offer(struct run *run, const struct xenstore_device *d)
{
    int rc = xenstore_device_publish(run->tools->xenstore, d);
    char error[128];
    unsigned state;

    if (rc)
        return run_fail(run, "internal", "telling the guest of a device: xenstored answers %s", strerror(-rc));
    if (xenstore_device_look(run->tools->xenstore, &d->at, &state, error))
        return STEP_RETRY;
    if (*error)
        return run_fail(run, "internal", "a device cannot be served: %s", error);
    if (state >= XenbusStateInitWait || run->waited_ms >= OFFER_MS || run_superseded(run))
        return STEP_DONE;
    run->wait_ms = OFFER_MS - run->waited_ms;
    return STEP_WAIT;
}

static enum step_end disks_publish(struct run *run)
{
    struct volume v[STORE_DISKS_MAX];
    int count = store_volumes_of(run->tools->store, run->instance.instance_id, v);
    enum step_end end = count < 0 ? STEP_RETRY : STEP_DONE;
    char path[PATH_MAX];

    for (int i = 0; i < count; i++) {
        struct xenstore_device d = disk_of(run->tools, &run->instance, &v[i], path);

        end = worse(end, offer(run, &d));
    }
    return end;
}

static enum step_end seed_publish(struct run *run)
{
    struct xenstore_device d = { .at = device_place(&run->instance, XENSTORE_VBD, STORE_DEVICE_SEED), .read_only = true,
                                 .limit = run->instance.disk_limit };
    char *ssh_keys, *user_data, path[PATH_MAX];
    int rc = store_seed_find(run->tools->store, run->instance.instance_id, &ssh_keys, &user_data);

    if (rc != 1)
        return rc ? STEP_RETRY : STEP_DONE;
    free(ssh_keys);
    free(user_data);
    volumes_path(run->tools->volumes, VOLUMES_SEED, run->instance.instance_id, path);
    d.params = path;
    return offer(run, &d);
}

static enum step_end nic_publish(struct run *run)
{
    struct xenstore_device d = { .at = device_place(&run->instance, XENSTORE_VIF, NIC_DEVICE),
                                 .limit = run->instance.net_limit };
    char bridge[NETWORK_NAME_BYTES], tap[NETWORK_NAME_BYTES], ip[16];
    struct nic nic;
    int rc = store_nic_find(run->tools->store, run->instance.instance_id, &nic);

    if (rc != 1)
        return rc ? STEP_RETRY : STEP_DONE;
    network_bridge_name(bridge, (unsigned)nic.number);
    network_tap_name(tap, d.at.domid, NIC_DEVICE);
    network_address_text(ip, (unsigned)nic.number, (unsigned)nic.host);
    d.mac = nic.mac;
    d.ip = ip;
    d.bridge = bridge;
    d.tap = tap;
    return offer(run, &d);
}

static enum step_end devices_publish(struct run *run)
{
    return worse(worse(disks_publish(run), seed_publish(run)), nic_publish(run));
}

const struct step step_devices = { "devices", devices_publish, NULL, NULL };

int devices_remove(const struct tools *tools, const struct instance *i)
{
    static struct ports ports;
    struct xenstore_place at;
    struct volume v[STORE_DISKS_MAX];
    struct nic nic;
    int count = store_volumes_of(tools->store, i->instance_id, v), rc = 0;

    for (int n = 0; n < count && !rc && i->domid; n++) {
        at = device_place(i, XENSTORE_VBD, v[n].device);
        rc = xenstore_device_remove(tools->xenstore, &at);
    }
    if (count < 0 || rc || !i->domid)
        return count < 0 ? -EIO : rc;
    at = device_place(i, XENSTORE_VBD, STORE_DEVICE_SEED);
    rc = xenstore_device_remove(tools->xenstore, &at);
    if (rc)
        return rc;
    rc = ports_of(tools, i, &nic, &ports);
    if (rc != 1)
        return rc ? -EIO : 0;
    at = device_place(i, XENSTORE_VIF, NIC_DEVICE);
    rc = xenstore_device_remove(tools->xenstore, &at);
    return rc ? rc : ports_set(&ports) ? -EIO : 0;
}

/* A file is another instance's to use, or to be deleted, when its backend has let go of it. */
static enum step_end unplug(struct run *run)
{
    const struct instance *i = &run->instance;
    struct volume v[STORE_DISKS_MAX];
    int count = store_volumes_of(run->tools->store, i->instance_id, v);
    enum step_end end;
    int rc;

    if (count < 0)
        return STEP_RETRY;
    rc = devices_remove(run->tools, i);
    if (rc) {
        log_warnx("instance %s: its devices cannot be taken away: %s; tried again", i->instance_id, strerror(-rc));
        return STEP_RETRY;
    }
    end = file_free(run, VOLUMES_SEED, i->instance_id);
    for (int n = 0; n < count && end == STEP_DONE; n++)
        end = file_free(run, VOLUMES_VOLUME, v[n].volume_id);
    return end;
}

const struct step step_unplug = { "unplug", unplug, NULL, NULL };

static int root_delete(const struct tools *tools, const struct volume *v)
{
    int rc;

    if (store_volume_mark(tools->store, v->volume_id, FILE_DELETING))
        return -EIO;
    rc = volumes_remove(tools->volumes, VOLUMES_VOLUME, v->volume_id);
    return rc ? rc : store_volume_mark(tools->store, v->volume_id, FILE_DELETED) ? -EIO : 0;
}

static int network_leave(const struct tools *tools, const char *instance_id)
{
    struct nic nic;
    int rc = store_nic_find(tools->store, instance_id, &nic);

    if (rc < 0 || firewall_release(tools->store, instance_id))
        return -EIO;
    if (rc == 1 && !store_network_busy(tools->store, nic.number))
        rc = network_down((unsigned)nic.number);
    return rc < 0 ? -EIO : 0;
}

/* The root volume goes with its instance; others are the customer's to keep. */
static enum step_end disks_release(struct run *run)
{
    const struct tools *tools = run->tools;
    const char *id = run->instance.instance_id;
    struct volume v[STORE_DISKS_MAX];
    int count = store_volumes_of(tools->store, id, v), rc = count < 0 ? -EIO : 0;

    for (int i = 0; i < count && !rc; i++)
        if (v[i].root)
            rc = root_delete(tools, &v[i]);
    if (!rc)
        rc = volumes_remove(tools->volumes, VOLUMES_SEED, id);
    if (!rc)
        rc = network_leave(tools, id);
    if (!rc && store_volumes_release(tools->store, id))
        rc = -EIO;
    if (!rc)
        return STEP_DONE;
    log_warnx("instance %s: its disks cannot be released: %s; tried again", id, strerror(-rc));
    return STEP_RETRY;
}

const struct step step_disks = { "disks", disks_release, NULL, NULL };
