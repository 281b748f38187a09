/* Birth of a domain, dom0's included: each module in turn, and all undone in reverse when one fails. The slot of the stats
 * page comes last, since a slot once taken ends as a tombstone, never as if it had not been. */
#include "hv/domctl/create.h"
#include "hv/domctl/domctl.h"
#include "hv/arch/random.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/lib/string.h"
#include "hv/sched/sched.h"
#include "hv/stats/channel.h"
#include "hv/stats/stats.h"

_Static_assert(VCPUS_MAX <= XEN_LEGACY_MAX_VCPUS, "every vCPU has its vcpu_info in shared_info");

/* The struct and its vCPUs share one run of frames: a domain with few vCPUs fits in one. */
static struct domain *struct_alloc(const struct domain_params *params)
{
    size_t bytes = sizeof(struct domain) + params->nr_vcpus * sizeof(struct vcpu);
    struct domain *d;
    uint8_t order = 0;

    while (PAGE_SIZE << order < bytes)
        order++;
    d = page_alloc_hv(order);
    if (d)
        d->order = order;
    return d;
}

static void struct_init(struct domain *d, const struct domain_params *params)
{
    d->id = params->id;
    d->privileged = params->privileged;
    memcpy(d->uuid, params->uuid, sizeof(d->uuid));
    random_bytes(d->incarnation, sizeof(d->incarnation));
    d->born_ns = now_ns();
    d->refs = 1;
    list_init(&d->link);
    d->pages_max = params->pages_max;
    spin_init(&d->lock);
    spin_init(&d->stats_lock);
    d->pause_count = 1;
    d->controller_paused = true;
    d->max_evtchn_port = params->max_evtchn_port;
    d->max_grant_frames = params->max_grant_frames;
    d->max_maptrack = params->max_maptrack;
    d->weight = WEIGHT_DEFAULT;
}

static int shared_info_create(struct domain *d)
{
    d->shared_info = page_alloc_hv(0);
    if (!d->shared_info)
        return -ENOMEM;
    wallclock_update(d);
    return 0;
}

static void vcpus_destroy(struct domain *d)
{
    while (d->nr_vcpus) {
        struct vcpu *v = d->vcpu[--d->nr_vcpus];

        vcpu_arch_destroy(v);
        sched_vcpu_destroy(v);
    }
}

static int vcpus_create(struct domain *d, unsigned nr)
{
    struct vcpu *array = (struct vcpu *)(d + 1);
    int rc = 0;

    for (unsigned id = 0; id < nr && !rc; id++) {
        struct vcpu *v = d->vcpu[id] = &array[id];

        d->nr_vcpus = id + 1;
        v->domain = d;
        v->id = id;
        v->state = VCPU_OFFLINE;
        v->info = (struct vcpu_info *)&d->shared_info->vcpu_info[id];
        v->info_mfn = MFN_INVALID;
        v->runstate = RUNSTATE_AREA_NONE;
        rc = sched_vcpu_init(v);
        if (!rc)
            rc = vcpu_arch_init(v);
    }
    return rc;
}

static int params_check(const struct domain_params *p)
{
    if (p->nr_vcpus == 0 || p->nr_vcpus > VCPUS_MAX || p->max_evtchn_port == 0 || p->max_evtchn_port > EVTCHN_PORT_MAX ||
        p->max_grant_frames == 0 || p->max_grant_frames > GRANT_FRAMES_LIMIT || p->max_maptrack > MAPTRACK_LIMIT)
        return -EINVAL;
    return domain_list_room(p->id);
}

int domain_create(const struct domain_params *params, struct domain **out)
{
    struct domain *d;
    int rc = params_check(params);

    if (rc)
        return rc;
    d = struct_alloc(params);
    if (!d)
        return -ENOMEM;
    struct_init(d, params);
    rc = p2m_init(d);
    if (!rc)
        rc = shared_info_create(d);
    if (!rc)
        rc = evtchn_init(d);
    if (!rc)
        rc = gnttab_init(d);
    if (!rc)
        rc = meter_init(d);
    if (!rc)
        rc = vcpus_create(d, params->nr_vcpus);
    if (!rc)
        rc = stats_domain_create(d, d->born_ns);
    if (rc) {
        d->refs = 0;
        domain_free(d);
        return rc;
    }
    domain_list_add(d);
    *out = d;
    return 0;
}

/* Nothing refers to d and it owns no frame: what domain_create made goes, in reverse, or as much as it had come to. */
void domain_free(struct domain *d)
{
    BUG_ON(d->pages || d->refs);
    vcpus_destroy(d);
    if (d->meter)
        meter_free(d);
    if (d->gnttab)
        gnttab_free(d);
    if (d->evtchn)
        evtchn_free(d);
    if (d->shared_info)
        page_free_hv(d->shared_info, 0);
    if (d->p2m.root)
        p2m_free(d);
    page_free_hv(d, d->order);
}

int domain_control(struct domain *d, bool pause)
{
    bool was;

    spin_lock(&d->lock);
    was = d->controller_paused;
    d->controller_paused = pause;
    spin_unlock(&d->lock);
    if (was == pause)
        return pause ? 0 : -EINVAL;
    (pause ? domain_pause : domain_unpause)(d);
    return 0;
}
