/* Which domains there are: ids, references, the list. What a domain consists of is built and taken apart in domctl/;
 * pausing and stopping one is the scheduler's (sched/pause.c). */
#include "hv/domain/domain.h"
#include "hv/arch/percpu.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"
#include <xen/sched.h>

struct list domain_list = { &domain_list, &domain_list };
struct spinlock domlist_lock;           /* outermost but for domctl_lock: hv/LOCKING.md */
struct domain *dom0;

static struct domain *by_id[DOMID_LIMIT];       /* written under domlist_lock, read without for frames' owners */
static struct domain *unused;                   /* stack of domains to reap, by next_unused; atomic */

void domain_ref(struct domain *d)
{
    uint32_t before = __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);

    BUG_ON(before == 0 || before == UINT32_MAX);
}

/* A domain without references stays in the list until it is reaped; nobody may find it there. */
static bool ref_if_used(struct domain *d)
{
    uint32_t refs = READ_ONCE(d->refs);

    do {
        if (refs == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return true;
}

struct domain *domain_get(domid_t id)
{
    struct domain *d;

    if (id >= DOMID_LIMIT)
        return NULL;
    spin_lock(&domlist_lock);
    d = by_id[index_nospec(id, DOMID_LIMIT)];
    if (d && !ref_if_used(d))
        d = NULL;
    spin_unlock(&domlist_lock);
    return d;
}

struct domain *domain_get_from(domid_t first)
{
    struct domain *found = NULL;

    spin_lock(&domlist_lock);
    LIST_FOR_EACH(p, &domain_list) {
        found = LIST_ITEM(p, struct domain, link);
        if (found->id >= first && ref_if_used(found))
            break;
        found = NULL;
    }
    spin_unlock(&domlist_lock);
    return found;
}

int domain_get_target(domid_t id, struct domain **out)
{
    struct domain *own = current_vcpu()->domain, *d;

    if (id == DOMID_SELF || id == own->id) {
        domain_ref(own);
        *out = own;
        return 0;
    }
    if (!own->privileged)
        return -EPERM;
    d = domain_get(id);
    if (!d)
        return -ESRCH;
    *out = d;
    return 0;
}

struct domain *domain_of_owner(uint16_t owner)
{
    return owner < DOMID_LIMIT ? READ_ONCE(by_id[index_nospec(owner, DOMID_LIMIT)]) : NULL;
}

/* A put may come under any lock (a frame's last reference goes inside a grant unmap, say), and taking a domain apart
 * needs several: so it waits on a stack for domain_reap. */
void domain_put(struct domain *d)
{
    uint32_t left = __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL);

    BUG_ON(left == UINT32_MAX);
    if (left)
        return;
    d->next_unused = READ_ONCE(unused);
    while (!__atomic_compare_exchange_n(&unused, &d->next_unused, d, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void domain_reap(void)
{
    struct domain *d, *next;

    if (likely(!READ_ONCE(unused)))
        return;
    /* The whole stack at once: pairs with the release in domain_put. */
    for (d = __atomic_exchange_n(&unused, NULL, __ATOMIC_ACQUIRE); d; d = next) {
        next = d->next_unused;
        spin_lock(&domlist_lock);
        if (!list_empty(&d->link)) {
            list_del(&d->link);
            by_id[d->id] = NULL;
        }
        spin_unlock(&domlist_lock);
        domain_free(d);
    }
}

int domain_list_room(domid_t id)
{
    unsigned count = 0;
    int rc = 0;

    if (id >= DOMID_LIMIT)
        return -EINVAL;
    spin_lock(&domlist_lock);
    LIST_FOR_EACH(p, &domain_list)
        count++;
    if (by_id[id])
        rc = -EEXIST;
    else if (count >= DOMAINS_MAX)
        rc = -ENOSPC;
    spin_unlock(&domlist_lock);
    return rc;
}

void domain_list_add(struct domain *d)
{
    struct list *at;

    spin_lock(&domlist_lock);
    BUG_ON(by_id[d->id]);
    at = domain_list.next;
    while (at != &domain_list && LIST_ITEM(at, struct domain, link)->id < d->id)
        at = at->next;
    list_add_before(&d->link, at);
    /* Pairs with the read in domain_of_owner: d is whole before it can own a frame. */
    __atomic_store_n(&by_id[d->id], d, __ATOMIC_RELEASE);
    spin_unlock(&domlist_lock);
}

/* DOMAINS_MAX is far below DOMID_LIMIT: a free id is always found. */
domid_t domain_id_next(void)
{
    static domid_t last;

    spin_lock(&domlist_lock);
    do
        last = last + 1u < DOMID_LIMIT ? last + 1 : 1;
    while (by_id[last]);
    spin_unlock(&domlist_lock);
    return last;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    bool first;
    va_list ap;
    char why[160];

    /* A wild guest may crash on several vCPUs, and again before it is stopped: one line is enough. */
    spin_lock(&d->lock);
    first = !d->crashed;
    d->crashed = true;
    spin_unlock(&d->lock);
    if (first) {
        va_start(ap, fmt);
        vsnprintk(why, sizeof(why), fmt, ap);
        va_end(ap);
        printk("domain %u: crashed: %s%s", d->id, why, strchr(why, '\n') ? "" : "\n");
    }
    domain_shutdown(d, SHUTDOWN_crash);
}
