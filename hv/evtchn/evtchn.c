/* Event channels, 2-level. A port is 16 bytes in a run of pages made with the domain; the guest sees only
 * bits: pending and mask in shared_info, a selector word and the upcall byte in each vcpu_info, all of them hints from
 * its side that nothing here depends on.
 *
 * Both ends of an interdomain channel change only under both domains' locks, so that holding either one keeps the
 * pair as it is: a send takes the sender's lock alone. Deliberately out: FIFO queues and physical interrupts. */
#include "hv/evtchn/evtchn.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/bitmap.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"

#define PORTS_MAX 4096u                 /* one bit each in shared_info */

struct port {
    uint8_t state;                      /* EVTCHNSTAT_*, the ABI's numbers */
    uint8_t virq;
    uint16_t vcpu;                      /* whom it notifies; read by senders without this domain's lock */
    domid_t remote_id;                  /* unbound: who may bind */
    uint16_t remote_port;               /* interdomain: the other end ... */
    struct domain *remote;              /* ... alive as long as this end is open */
};

struct evtchn_domain {
    struct spinlock lock;               /* order 4 in LOCKING.md; everything below, and the ports */
    bool closed;                        /* evtchn_destroy began: nothing opens any more */
    unsigned nr_ports;                  /* they are 1 to nr_ports - 1 */
    uint64_t used[BITS_TO_WORDS(PORTS_MAX)];
    uint16_t virq_port[VCPUS_MAX][NR_VIRQS];    /* 0: not bound */
    unsigned order;                     /* of the run that holds the ports */
    struct port *port;
};

_Static_assert(sizeof(struct port) == 16, "256 ports a page");
_Static_assert(sizeof(struct evtchn_domain) <= PAGE_SIZE, "one page for each domain");
_Static_assert(sizeof(((struct shared_info *)0)->evtchn_pending) * 8 == PORTS_MAX, "the 2-level ABI");
_Static_assert(sizeof(xen_ulong_t) == sizeof(uint64_t), "the guest's words are ours");

/* NULL: no such port. The guest may have chosen the number. */
static struct port *port_at(struct evtchn_domain *e, evtchn_port_t port)
{
    if (port == 0 || port >= e->nr_ports)
        return NULL;
    return &e->port[index_nospec(port, e->nr_ports)];
}

/* NULL: no such vCPU. */
static struct vcpu *vcpu_at(struct domain *d, uint32_t id)
{
    return id < d->nr_vcpus ? d->vcpu[index_nospec(id, d->nr_vcpus)] : NULL;
}

static bool virq_is_per_vcpu(unsigned virq)
{
    return virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF || virq == VIRQ_XENPMU;
}

/* The port of a VIRQ. One of the whole domain is kept with vCPU 0, whichever vCPU it notifies. */
static uint16_t *virq_slot(struct evtchn_domain *e, unsigned vcpu_id, unsigned virq)
{
    return &e->virq_port[virq_is_per_vcpu(virq) ? vcpu_id : 0][virq];
}

/* The guest looks at the selector after it cleared the byte, so the byte goes last (a locked exchange). */
static void notify(struct vcpu *v, unsigned port)
{
    struct vcpu_info *info = READ_ONCE(v->info);

    if (bit_test_and_set_atomic(&info->evtchn_pending_sel, port / 64))
        return;
    if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
        vcpu_kick(v);
}

/* A poller sets poll_active before it looks at the pending bits, we set the bit before we look at poll_active. */
static void wake_pollers(struct domain *d, unsigned port)
{
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v && READ_ONCE(v->poll_active) && (v->poll_port == 0 || v->poll_port == port))
            sched_wake(v);
    }
}

/* Sets the port pending and says so to its vCPU. No lock of d is needed: v->info moves at most once and its old place
 * stays alive; whoever sees the old one here has set the pending bit before evtchn_info_moved sets every selector. */
static void deliver(struct domain *d, unsigned port, unsigned vcpu_id)
{
    struct vcpu *v = vcpu_at(d, vcpu_id);

    if (bit_test_and_set_atomic(d->shared_info->evtchn_pending, port))
        return;
    stats_count(d, STATS_EVENTS_RECEIVED, 1);
    if (v && !bit_test(d->shared_info->evtchn_mask, port))
        notify(v, port);
    wake_pollers(d, port);
}

/* The lowest free port, open in `state`; its number in *port. -ESRCH the domain is being destroyed; -ENOSPC. */
static int open_locked(struct domain *d, uint8_t state, unsigned vcpu_id, evtchn_port_t *port)
{
    struct evtchn_domain *e = d->evtchn;
    unsigned free;

    ASSERT(spin_is_mine(&e->lock));
    if (e->closed)
        return -ESRCH;
    free = bitmap_first_zero(e->used, e->nr_ports);
    if (free >= e->nr_ports)
        return -ENOSPC;
    bit_set(e->used, free);
    *port_at(e, free) = (struct port){ .state = state, .vcpu = (uint16_t)vcpu_id };
    *port = free;
    return 0;
}

static void free_locked(struct domain *d, unsigned port)
{
    struct evtchn_domain *e = d->evtchn;
    struct port *p = port_at(e, port);

    ASSERT(spin_is_mine(&e->lock));
    if (p->state == EVTCHNSTAT_virq)
        *virq_slot(e, p->vcpu, p->virq) = 0;
    *p = (struct port){ .state = EVTCHNSTAT_closed };
    bit_clear(e->used, port);
    bit_test_and_clear_atomic(d->shared_info->evtchn_pending, port);
}

/* Both ends, under both locks; `remote` is whom the port was bound to when the caller looked. Meanwhile the peer may
 * have closed its end (ours is unbound then), or another vCPU ours, which was what the caller wanted. */
static void close_pair_locked(struct domain *d, unsigned port, struct domain *remote)
{
    struct port *p = port_at(d->evtchn, port);
    unsigned peer_port = p->remote_port;
    struct port *peer;

    if (p->state == EVTCHNSTAT_unbound)
        free_locked(d, port);
    if (p->state != EVTCHNSTAT_interdomain || p->remote != remote)
        return;
    peer = port_at(remote->evtchn, peer_port);
    ASSERT(peer->state == EVTCHNSTAT_interdomain && peer->remote == d && peer->remote_port == port);
    free_locked(d, port);
    *peer = (struct port){ .state = EVTCHNSTAT_unbound, .vcpu = peer->vcpu, .remote_id = d->id };
    deliver(remote, peer_port, peer->vcpu);
}

/* EVTCHNOP_close. 0; -EINVAL no such port, or closed. The peer's end gets an event and is unbound again. */
static long op_close(struct domain *d, void *arg)
{
    evtchn_port_t port = ((struct evtchn_close *)arg)->port;
    struct evtchn_domain *e = d->evtchn;
    struct domain *remote = NULL;
    struct port *p;

    spin_lock(&e->lock);
    p = port_at(e, port);
    if (!p || p->state == EVTCHNSTAT_closed) {
        spin_unlock(&e->lock);
        return -EINVAL;
    }
    if (p->state == EVTCHNSTAT_interdomain) {
        remote = p->remote;
        domain_ref(remote);
    } else {
        free_locked(d, port);
    }
    spin_unlock(&e->lock);
    if (!remote)
        return 0;

    spin_lock_two(&e->lock, &remote->evtchn->lock);
    close_pair_locked(d, port, remote);
    spin_unlock_two(&e->lock, &remote->evtchn->lock);
    domain_put(remote);
    return 0;
}

/* EVTCHNOP_alloc_unbound. 0; -EPERM; -ESRCH; -EINVAL remote_dom cannot be a domain; -ENOSPC. */
static long op_alloc_unbound(struct domain *d, void *arg)
{
    struct evtchn_alloc_unbound *op = arg;
    domid_t remote_id = op->remote_dom == DOMID_SELF ? current_vcpu()->domain->id : op->remote_dom;
    int rc = remote_id >= DOMID_LIMIT ? -EINVAL : open_locked(d, EVTCHNSTAT_unbound, 0, &op->port);

    if (!rc)
        port_at(d->evtchn, op->port)->remote_id = remote_id;
    return rc;
}

static int bind_locked(struct domain *self, struct domain *remote, struct evtchn_bind_interdomain *op)
{
    struct port *peer = port_at(remote->evtchn, op->remote_port), *p;
    int rc;

    if (!peer || peer->state != EVTCHNSTAT_unbound || peer->remote_id != self->id)
        return -EINVAL;
    rc = open_locked(self, EVTCHNSTAT_interdomain, 0, &op->local_port);
    if (rc)
        return rc;
    p = port_at(self->evtchn, op->local_port);
    p->remote = remote;
    p->remote_port = (uint16_t)op->remote_port;
    *peer = (struct port){ .state = EVTCHNSTAT_interdomain, .vcpu = peer->vcpu, .remote = self,
                           .remote_port = (uint16_t)op->local_port };
    /* What the peer sent while it was unbound was dropped; one event now makes the binder look. */
    deliver(self, op->local_port, 0);
    return 0;
}

/* EVTCHNOP_bind_interdomain. 0; -ESRCH; -EINVAL the remote port does not wait for the caller; -ENOSPC. */
static long op_bind_interdomain(struct domain *self, void *arg)
{
    struct evtchn_bind_interdomain *op = arg;
    struct domain *remote = domain_get(op->remote_dom == DOMID_SELF ? self->id : op->remote_dom);
    int rc;

    if (!remote)
        return -ESRCH;
    spin_lock_two(&self->evtchn->lock, &remote->evtchn->lock);
    rc = bind_locked(self, remote, op);
    spin_unlock_two(&self->evtchn->lock, &remote->evtchn->lock);
    domain_put(remote);
    return rc;
}

/* EVTCHNOP_bind_virq. 0; -EINVAL no such VIRQ, or one of the domain asked for at another vCPU than 0; -ENOENT no such
 * vCPU; -EEXIST bound already; -ENOSPC. */
static long op_bind_virq(struct domain *self, void *arg)
{
    struct evtchn_bind_virq *op = arg;
    struct evtchn_domain *e = self->evtchn;
    uint16_t *slot;
    int rc;

    if (op->virq >= NR_VIRQS || (!virq_is_per_vcpu(op->virq) && op->vcpu != 0))
        return -EINVAL;
    if (!vcpu_at(self, op->vcpu))
        return -ENOENT;
    slot = virq_slot(e, (unsigned)index_nospec(op->vcpu, VCPUS_MAX), (unsigned)index_nospec(op->virq, NR_VIRQS));
    if (*slot)
        return -EEXIST;
    rc = open_locked(self, EVTCHNSTAT_virq, op->vcpu, &op->port);
    if (rc)
        return rc;
    port_at(e, op->port)->virq = (uint8_t)op->virq;
    *slot = (uint16_t)op->port;
    return 0;
}

/* EVTCHNOP_bind_ipi. 0; -ENOENT no such vCPU; -ENOSPC. */
static long op_bind_ipi(struct domain *self, void *arg)
{
    struct evtchn_bind_ipi *op = arg;

    return vcpu_at(self, op->vcpu) ? open_locked(self, EVTCHNSTAT_ipi, op->vcpu, &op->port) : -ENOENT;
}

/* EVTCHNOP_send. 0, also when the port is unbound and the event goes nowhere: a frontend may send before its backend
 * binds. -EINVAL the port is closed or nothing that one sends to. */
static long op_send(struct domain *self, void *arg)
{
    evtchn_port_t port = ((struct evtchn_send *)arg)->port;
    const struct port *p = port_at(self->evtchn, port);

    if (p && p->state == EVTCHNSTAT_unbound)
        return 0;
    if (p && p->state == EVTCHNSTAT_interdomain)
        deliver(p->remote, p->remote_port, READ_ONCE(port_at(p->remote->evtchn, p->remote_port)->vcpu));
    else if (p && p->state == EVTCHNSTAT_ipi)
        deliver(self, port, p->vcpu);
    else
        return -EINVAL;
    stats_count(self, STATS_EVENTS_SENT, 1);
    return 0;
}

/* EVTCHNOP_status. 0, also for a closed port; -EPERM; -ESRCH; -EINVAL no such port. */
static long op_status(struct domain *d, void *arg)
{
    struct evtchn_status *op = arg;
    const struct port *p = port_at(d->evtchn, op->port);

    if (!p)
        return -EINVAL;
    op->status = p->state;
    op->vcpu = p->vcpu;
    memset(&op->u, 0, sizeof(op->u));
    if (p->state == EVTCHNSTAT_unbound)
        op->u.unbound.dom = p->remote_id;
    if (p->state == EVTCHNSTAT_virq)
        op->u.virq = p->virq;
    if (p->state == EVTCHNSTAT_interdomain) {
        op->u.interdomain.dom = p->remote->id;
        op->u.interdomain.port = p->remote_port;
    }
    return 0;
}

/* EVTCHNOP_bind_vcpu. 0; -ENOENT no such vCPU; -EINVAL the port is closed or belongs to one vCPU. */
static long op_bind_vcpu(struct domain *self, void *arg)
{
    struct evtchn_bind_vcpu *op = arg;
    struct port *p = port_at(self->evtchn, op->port);

    if (!vcpu_at(self, op->vcpu))
        return -ENOENT;
    if (!p || p->state == EVTCHNSTAT_closed || p->state == EVTCHNSTAT_ipi ||
        (p->state == EVTCHNSTAT_virq && virq_is_per_vcpu(p->virq)))
        return -EINVAL;
    WRITE_ONCE(p->vcpu, (uint16_t)op->vcpu);
    return 0;
}

/* EVTCHNOP_unmask: an event that came while the port was masked is delivered now. 0; -EINVAL no such port. */
static long op_unmask(struct domain *self, void *arg)
{
    evtchn_port_t port = ((struct evtchn_unmask *)arg)->port;
    const struct port *p = port_at(self->evtchn, port);
    struct vcpu *v = p ? vcpu_at(self, p->vcpu) : NULL;

    if (v && bit_test_and_clear_atomic(self->shared_info->evtchn_mask, port) &&
        bit_test(self->shared_info->evtchn_pending, port))
        notify(v, port);
    return p ? 0 : -EINVAL;
}

union evtchn_arg {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_status status;
};

enum {
    ANSWERS = 1,                        /* the struct goes back to the guest */
    LOCKED = 2,                         /* run holds the domain's lock */
    TARGET = 4,                         /* not on the caller: on the domain that the struct names first */
};
_Static_assert(!offsetof(struct evtchn_status, dom) && !offsetof(struct evtchn_alloc_unbound, dom), "named first");

static const struct evtchn_op_entry {
    long (*run)(struct domain *d, void *arg);
    uint8_t bytes, how;
} ops[] = {
    [EVTCHNOP_bind_interdomain] = { op_bind_interdomain, sizeof(struct evtchn_bind_interdomain), ANSWERS },
    [EVTCHNOP_bind_virq] = { op_bind_virq, sizeof(struct evtchn_bind_virq), ANSWERS | LOCKED },
    [EVTCHNOP_close] = { op_close, sizeof(struct evtchn_close), 0 },
    [EVTCHNOP_send] = { op_send, sizeof(struct evtchn_send), LOCKED },
    [EVTCHNOP_status] = { op_status, sizeof(struct evtchn_status), ANSWERS | LOCKED | TARGET },
    [EVTCHNOP_alloc_unbound] = { op_alloc_unbound, sizeof(struct evtchn_alloc_unbound), ANSWERS | LOCKED | TARGET },
    [EVTCHNOP_bind_ipi] = { op_bind_ipi, sizeof(struct evtchn_bind_ipi), ANSWERS | LOCKED },
    [EVTCHNOP_bind_vcpu] = { op_bind_vcpu, sizeof(struct evtchn_bind_vcpu), LOCKED },
    [EVTCHNOP_unmask] = { op_unmask, sizeof(struct evtchn_unmask), LOCKED },
};

static long run_on(struct domain *d, const struct evtchn_op_entry *op, void *arg)
{
    long rc;

    if (!(op->how & LOCKED))
        return op->run(d, arg);
    spin_lock(&d->evtchn->lock);
    rc = op->run(d, arg);
    spin_unlock(&d->evtchn->lock);
    return rc;
}

long do_event_channel_op(unsigned cmd, uint64_t arg_va)
{
    const struct evtchn_op_entry *op = &ops[index_nospec(cmd, ARRAY_SIZE(ops))];
    union evtchn_arg arg;
    struct domain *d;
    long rc;

    if (cmd >= ARRAY_SIZE(ops) || !op->run)
        return -ENOSYS;
    if (copy_from_guest(&arg, arg_va, op->bytes))
        return -EFAULT;
    if (op->how & TARGET) {
        rc = domain_get_target(arg.status.dom, &d);
        if (rc)
            return rc;
        rc = run_on(d, op, &arg);
        domain_put(d);
    } else {
        rc = run_on(current_vcpu()->domain, op, &arg);
    }
    if (!rc && op->how & ANSWERS && copy_to_guest(arg_va, &arg, op->bytes))
        return -EFAULT;                         /* the port stays open: the guest finds it by status */
    return rc;
}

void evtchn_send_virq(struct domain *d, unsigned vcpu_id, unsigned virq)
{
    struct evtchn_domain *e = d->evtchn;
    unsigned port;

    ASSERT(virq < NR_VIRQS);
    spin_lock(&e->lock);
    port = *virq_slot(e, vcpu_id, virq);
    if (port)
        deliver(d, port, port_at(e, port)->vcpu);
    spin_unlock(&e->lock);
}

int evtchn_port_pending(struct domain *d, evtchn_port_t port)
{
    if (!port_at(d->evtchn, port))
        return -EINVAL;
    return bit_test(d->shared_info->evtchn_pending, (unsigned)index_nospec(port, PORTS_MAX));
}

void evtchn_info_moved(struct vcpu *v)
{
    __atomic_store_n(&v->info->evtchn_pending_sel, ~0ul, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    vcpu_kick(v);
}

unsigned evtchn_count(struct domain *d)
{
    unsigned count = 0;

    spin_lock(&d->evtchn->lock);
    for (unsigned i = 0; i < ARRAY_SIZE(d->evtchn->used); i++) {
        for (uint64_t ports = d->evtchn->used[i]; ports; ports &= ports - 1)
            count++;
    }
    spin_unlock(&d->evtchn->lock);
    return count - 1;                           /* port 0 is taken and none */
}

int evtchn_init(struct domain *d)
{
    struct evtchn_domain *e = page_alloc_hv(0);

    if (!e)
        return -ENOMEM;
    spin_init(&e->lock);
    d->evtchn = e;
    e->nr_ports = MIN(d->max_evtchn_port, PORTS_MAX - 1) + 1;
    bit_set(e->used, 0);
    while (PAGE_SIZE << e->order < e->nr_ports * sizeof(struct port))
        e->order++;
    e->port = page_alloc_hv(e->order);
    if (e->port)
        return 0;
    evtchn_free(d);
    return -ENOMEM;
}

bool evtchn_destroy(struct domain *d, unsigned budget)
{
    spin_lock(&d->evtchn->lock);
    d->evtchn->closed = true;
    spin_unlock(&d->evtchn->lock);
    for (unsigned port = 1; port < d->evtchn->nr_ports; port++) {
        if (!bit_test(d->evtchn->used, port))
            continue;
        if (budget-- == 0)
            return false;
        (void)op_close(d, &(struct evtchn_close){ port });      /* -EINVAL: someone else closed it just now */
    }
    return true;
}

void evtchn_free(struct domain *d)
{
    if (d->evtchn->port)
        page_free_hv(d->evtchn->port, d->evtchn->order);
    page_free_hv(d->evtchn, 0);
    d->evtchn = NULL;
}
