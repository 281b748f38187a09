/* The steps that bring a guest to life. */
#include "provisioner/job.h"
#include "common/log.h"
#include "provisioner/build.h"
#include "provisioner/console.h"
#include "provisioner/layout.h"
#include "provisioner/uuid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DYING_WAIT_MS           10000
#define BILLING_WAIT_MS         60000

static uint64_t pages_of(const struct instance *i)
{
    return layout_pages((uint64_t)i->memory_mib << 20);
}

static enum step_end hypervisor_refused(struct run *run, const char *what, int rc)
{
    /* ENOSPC: no meter slot, or no domain more. */
    return run_fail(run, rc == -ENOMEM || rc == -ENOSPC ? "capacity_unavailable" : "internal",
                    "%s: the hypervisor answers %s", what, strerror(-rc));
}

static bool some_dying(struct xen *xen)
{
    struct xen_domain *list;
    unsigned count;
    bool dying = false;

    if (xen_domain_list(xen, &list, &count))
        return false;
    for (unsigned i = 0; i < count; i++)
        dying |= list[i].dying;
    free(list);
    return dying;
}

/* Whether the guest's memory can be had and the host keep what it needs for
 * the guests that run. A figure rounded up against one rounded down: what is
 * refused never looks as if it had fitted. */
static enum step_end room_check(struct run *run)
{
    const struct instance *i = &run->instance;
    uint64_t need = admission_pages(1, i->vcpus, i->memory_mib);
    struct xen_host host;
    int rc = xen_host_read(run->tools->xen, &host);

    if (rc)
        return hypervisor_refused(run, "reading the host's capacity", rc);
    if (host.pages_free >= need)
        return STEP_DONE;
    /* Memory of a domain that has just ended may still be on its way back. */
    if (run->waited_ms < DYING_WAIT_MS && some_dying(run->tools->xen))
        return STEP_RETRY;
    return run_fail(run, "capacity_unavailable", "%" PRIu64 " MiB of memory are needed, %" PRIu64 " are free",
                    (need + 255) / 256, host.pages_free / 256);
}

static enum step_end admit(struct run *run)
{
    struct xen_host host;
    int rc = xen_host_read(run->tools->xen, &host);

    if (rc)
        return hypervisor_refused(run, "reading the host's capacity", rc);
    if (!host.slots_free)
        return run_fail(run, "capacity_unavailable", "no meter slot is free until accountd has read those of past guests");
    return room_check(run);
}

const struct step step_admit = { "admit", admit, NULL, NULL };

/* A domain that an interrupted try left behind is not reused: nobody knows how far it got. */
static enum step_end domain_make(struct run *run)
{
    struct instance *i = &run->instance;
    struct xen_domain_spec spec = { .vcpus = (uint32_t)i->vcpus, .pages_max = pages_of(i),
                                    .weight = (uint32_t)i->weight, .cap_percent = (uint32_t)i->cap_percent };
    struct xen_host host;
    uint32_t domid;
    int rc;

    if (domain_remove(run) != STEP_DONE)
        return STEP_RETRY;
    memcpy(spec.uuid, i->domain_uuid, sizeof(spec.uuid));
    rc = xen_host_read(run->tools->xen, &host);
    if (!rc)
        rc = xen_domain_create(run->tools->xen, &spec, &domid);
    if (rc)
        return hypervisor_refused(run, "creating the domain", rc);
    i->domid = domid;
    hex_text(host.boot_id, sizeof(host.boot_id), i->boot_id);
    return STEP_DONE;
}

/* Whether the domain is there with this much memory, or already let loose:
 * then what it makes of its memory is its own business. */
static bool domain_has(struct run *run, uint64_t pages_or_none, bool none_too)
{
    struct xen_domain d;

    if (domain_find(run, &d))
        return false;
    return !d.paused || d.pages == pages_or_none || (none_too && !d.pages);
}

/* Memory that was populated or written in part cannot be continued: where the
 * kernel file has zeros, memory must still be as it was given, and the file
 * may be another by now. The domain is made anew. */
static bool domain_stands(struct run *run)
{
    const struct job_type *type = job_type_find(run->job.type);
    bool written_in_part = type->steps[run->job.step] == &step_build;

    return !written_in_part && domain_has(run, pages_of(&run->instance), true);
}

const struct step step_domain = { "domain", domain_make, domain_remove, domain_stands };

/* Before memory is moved: whoever cannot pay is refused early. */
static enum step_end billing_announce(struct run *run)
{
    struct instance *i = &run->instance;
    struct billing_fault fault;
    uint8_t incarnation[16];
    int rc = xen_incarnation(run->tools->xen, (uint32_t)i->domid, i->domain_uuid, incarnation);

    if (rc)
        return hypervisor_refused(run, "finding the domain's meter", rc);
    hex_text(incarnation, sizeof(incarnation), i->incarnation);
    memcpy(run->job.incarnation, i->incarnation, sizeof(run->job.incarnation));
    if (!billing_register(run->tools->billing, i, &fault))
        return STEP_DONE;
    if (!strcmp(fault.code, "unavailable") && run->waited_ms < BILLING_WAIT_MS && !run_superseded(run))
        return STEP_RETRY;
    return run_fail(run, fault.code, "%s", fault.detail);
}

const struct step step_register = { "register", billing_announce, NULL, NULL };

/* Fills *b from the catalogue; the command lines are joined in `cmdline`. */
static enum step_end build_prepare(struct run *run, struct build *b, char cmdline[LAYOUT_CMDLINE_MAX + 1])
{
    const struct instance *i = &run->instance;
    const struct image *image = catalog_image(run->tools->catalog, i->image);

    if (!image)
        return run_fail(run, "not_found", "image %s is no longer in the catalogue", i->image);
    snprintf(cmdline, LAYOUT_CMDLINE_MAX + 1, "%s%s%s", image->cmdline, *i->cmdline ? " " : "", i->cmdline);
    *b = (struct build){ .kernel_path = image->kernel_path, .initrd_path = image->initrd_path, .cmdline = cmdline,
                         .vcpus = (uint64_t)i->vcpus, .memory_mib = (uint64_t)i->memory_mib };
    return STEP_DONE;
}

static enum step_end build_failed(struct run *run, const struct build_fault *fault)
{
    return run_fail(run, fault->errno_value == ENOMEM ? "capacity_unavailable" : "internal", "%s", fault->text);
}

static enum step_end memory_give(struct run *run)
{
    char cmdline[LAYOUT_CMDLINE_MAX + 1];
    struct build_fault fault;
    struct build b;

    if (domain_has(run, pages_of(&run->instance), false))
        return STEP_DONE;
    /* Time may have passed since it was admitted: accountd was waited for. */
    enum step_end room = room_check(run);
    if (room != STEP_DONE)
        return room;
    if (build_prepare(run, &b, cmdline))
        return STEP_FAILED;
    if (build_populate(&b, run->tools->xen, (uint32_t)run->instance.domid, &fault))
        return build_failed(run, &fault);
    return STEP_DONE;
}

static bool memory_stands(struct run *run)
{
    return domain_has(run, pages_of(&run->instance), false);
}

const struct step step_memory = { "memory", memory_give, NULL, memory_stands };

static bool let_loose(struct run *run)
{
    struct xen_domain d;

    return !domain_find(run, &d) && !d.paused;
}

static enum step_end kernel_write(struct run *run)
{
    char cmdline[LAYOUT_CMDLINE_MAX + 1];
    struct build_fault fault;
    struct build b;

    if (build_prepare(run, &b, cmdline))
        return STEP_FAILED;
    if (build_write(&b, run->tools->xen, (uint32_t)run->instance.domid, &fault))
        return build_failed(run, &fault);
    return STEP_DONE;
}

const struct step step_build = { "build", kernel_write, NULL, NULL };

static enum step_end xenstore_connect(struct run *run)
{
    const struct instance *i = &run->instance;
    struct xenstore_guest guest = { .domid = (uint32_t)i->domid, .vcpus = (uint32_t)i->vcpus, .name = i->instance_id,
                                    .memory_kib = (uint64_t)i->memory_mib << 10,
                                    .rings = { .console_pfn = LAYOUT_CONSOLE_PFN, .store_pfn = LAYOUT_STORE_PFN } };
    char uuid[UUID_TEXT_BYTES];
    int rc = xen_rings_make(run->tools->xen, guest.domid, &guest.rings);

    if (rc)
        return hypervisor_refused(run, "making the console and xenstore rings", rc);
    uuid_text(i->domain_uuid, uuid);
    guest.uuid = uuid;
    rc = xenstore_publish(run->tools->xenstore, &guest);
    return rc ? run_fail(run, "internal", "xenstored answers %s", strerror(-rc)) : STEP_DONE;
}

const struct step step_xenstore = { "xenstore", xenstore_connect, NULL, NULL };

static enum step_end guest_start(struct run *run)
{
    struct instance *i = &run->instance;
    int rc;

    if (let_loose(run))
        return STEP_DONE;
    /* Stored before the first instruction: what comes after it in the log is this incarnation's. */
    i->console_start = console_size(run->tools->console_dir, i->instance_id);
    i->started_ms = clock_unix_ms();
    if (store_instance_save(run->tools->store, i))
        return STEP_RETRY;
    rc = guest_let_run(run->tools, i->instance_id, (uint32_t)i->domid);
    return rc ? hypervisor_refused(run, "starting the domain", rc) : STEP_DONE;
}

const struct step step_start = { "start", guest_start, NULL, NULL };
