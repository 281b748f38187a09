/* Death of a domain, in stages that can stop between any two steps and go on in the next call: domctl 2 answers -EAGAIN
 * until it is through. What other domains still hold (frames mapped by grant or by dom0) keeps the struct; the last
 * reference to go frees it (domain_reap). */
#include "hv/domctl/create.h"
#include "hv/arch/tsc.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/sched/preempt.h"
#include "hv/stats/channel.h"
#include "hv/stats/stats.h"

#define BUDGET 512u                     /* entries between two looks at the clock: about 2 MiB to scrub */

/* From here on nothing new: no vCPU runs, no memory comes in, no map is made. The order of `dying` and the pause does
 * not matter to those who look at it under d->lock; those running now are waited for. */
static bool stop(struct domain *d, unsigned budget)
{
    (void)budget;
    spin_lock(&d->lock);
    WRITE_ONCE(d->dying, true);
    spin_unlock(&d->lock);
    domain_pause(d);
    meter_quiesce(d);                   /* before the counters are final */
    for (unsigned i = 0; i < d->nr_vcpus; i++)
        stats_publish(this_cpu(), d->vcpu[i]);
    stats_domain_dying(d, now_ns());
    return true;
}

static void area_put(mfn_t *mfn)
{
    if (mfn->n != MFN_INVALID.n)
        page_put(*mfn);
    *mfn = MFN_INVALID;
}

/* Events are closed and no vCPU runs: nobody looks at the areas any more, but v->info must stay an address. */
static bool release_areas(struct domain *d, unsigned budget)
{
    (void)budget;
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        v->info = (struct vcpu_info *)&d->shared_info->vcpu_info[v->id];
        v->runstate.at[0] = v->runstate.at[1] = NULL;
        area_put(&v->info_mfn);
        area_put(&v->runstate.mfn[0]);
        area_put(&v->runstate.mfn[1]);
    }
    return true;
}

static bool bury(struct domain *d, unsigned budget)
{
    (void)budget;
    spin_lock(&d->lock);
    d->dead = true;
    spin_unlock(&d->lock);
    stats_domain_final(d, now_ns());
    evtchn_send_virq(dom0, 0, VIRQ_DOM_EXC);
    domain_put(d);                      /* the reference for being alive; the caller has its own */
    return true;
}

/* Each does a bounded piece of work; true: it is through. */
static bool (*const stages[])(struct domain *d, unsigned budget) = {
    stop, evtchn_destroy, gnttab_release_maps, release_areas, p2m_teardown, bury,
};

long domain_destroy(struct domain *d)
{
    if (d->privileged)
        return -EINVAL;
    while (d->destroy_stage < ARRAY_SIZE(stages)) {
        if (stages[d->destroy_stage](d, BUDGET))
            d->destroy_stage++;
        if (d->destroy_stage < ARRAY_SIZE(stages) && hypercall_preempt())
            return HYPERCALL_RESTART;
    }
    return 0;
}
