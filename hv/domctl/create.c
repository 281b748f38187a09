/* Birth of a domain, dom0's included: each module in turn, and all undone in reverse when one fails. The slot of the stats
 * page comes last, since a slot once taken ends as a tombstone, never as if it had not been. */
#include "hv/domctl/create.h"
#include "hv/domctl/wallclock.h"
#include "hv/arch/percpu.h"
#include "hv/arch/random.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/include/xs/stats.h"
#include "hv/lib/string.h"
#include "hv/mm/page.h"
#include "hv/sched/sched.h"
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

static int vcpu_create(struct domain *d, struct vcpu *v, unsigned id)
{
    int rc;

    v->domain = d;
    v->id = id;
    v->state = VCPU_OFFLINE;
    v->info = (struct vcpu_info *)&d->shared_info->vcpu_info[id];
    v->info_mfn = MFN_INVALID;
    v->runstate = RUNSTATE_AREA_NONE;
    rc = sched_vcpu_init(v);
    if (rc)
        return rc;
    rc = vcpu_arch_init(v);
    if (rc)
        sched_vcpu_destroy(v);
    return rc;
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

    for (unsigned id = 0; id < nr; id++) {
        int rc = vcpu_create(d, &array[id], id);

        if (rc) {
            vcpus_destroy(d);
            return rc;
        }
        d->vcpu[id] = &array[id];
        d->nr_vcpus = id + 1;
    }
    return 0;
}

static int params_check(const struct domain_params *params)
{
    if (params->nr_vcpus == 0 || params->nr_vcpus > VCPUS_MAX)
        return -EINVAL;
    if (params->max_evtchn_port == 0 || params->max_evtchn_port > EVTCHN_PORT_MAX)
        return -EINVAL;
    if (params->max_grant_frames == 0 || params->max_grant_frames > GRANT_FRAMES_LIMIT)
        return -EINVAL;
    if (params->max_maptrack > MAPTRACK_LIMIT)
        return -EINVAL;
    return domain_list_room(params->id);
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
    if (rc)
        goto free_struct;
    rc = shared_info_create(d);
    if (rc)
        goto free_p2m;
    rc = evtchn_init(d);
    if (rc)
        goto free_shared_info;
    rc = gnttab_init(d);
    if (rc)
        goto free_evtchn;
    rc = vcpus_create(d, params->nr_vcpus);
    if (rc)
        goto free_gnttab;
    rc = stats_domain_create(d, d->born_ns);
    if (rc)
        goto free_vcpus;
    domain_list_add(d);
    *out = d;
    return 0;

free_vcpus:
    vcpus_destroy(d);
free_gnttab:
    gnttab_free(d);
free_evtchn:
    evtchn_free(d);
free_shared_info:
    page_free_hv(d->shared_info, 0);
free_p2m:
    p2m_free(d);
free_struct:
    page_free_hv(d, d->order);
    return rc;
}

/* Nothing refers to d and it owns no frame: what domain_create made goes, in reverse. */
void domain_free(struct domain *d)
{
    BUG_ON(d->pages || d->refs);
    vcpus_destroy(d);
    gnttab_free(d);
    evtchn_free(d);
    page_free_hv(d->shared_info, 0);
    p2m_free(d);
    page_free_hv(d, d->order);
}

int domain_control_pause(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->controller_paused) {
        spin_unlock(&d->lock);
        return 0;
    }
    d->controller_paused = true;
    spin_unlock(&d->lock);
    domain_pause(d);
    return 0;
}

int domain_control_unpause(struct domain *d)
{
    bool was;

    spin_lock(&d->lock);
    was = d->controller_paused;
    d->controller_paused = false;
    spin_unlock(&d->lock);
    if (!was)
        return -EINVAL;
    domain_unpause(d);
    return 0;
}
