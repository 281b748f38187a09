/* Event channels: each operation, each refusal, delivery; then a million random operations of four domains against a
 * small model that predicts every answer, every state and every pending bit. */
#include "hv/evtchn/evtchn.h"
#include "hv/lib/string.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"
#include "tests/hv/harness.h"
#include "tests/hv/machine.h"

#include <pthread.h>

#define ARG 64u                         /* guest-virtual address of the argument */

static uint64_t counted[5];

void stats_count(struct domain *d, enum stats_counter which, uint64_t n)
{
    (void)d;
    __atomic_fetch_add(&counted[which], n, __ATOMIC_RELAXED);
}

static long call(struct domain *d, unsigned cmd, void *arg, size_t bytes)
{
    uint64_t va = ARG * (1 + cpu_id());
    long rc;

    machine_run(d);
    memcpy(guest_bytes + va, arg, bytes);
    rc = do_event_channel_op(cmd, va);
    memcpy(arg, guest_bytes + va, bytes);
    return rc;
}

static long alloc_unbound(struct domain *d, domid_t dom, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound op = { .dom = dom, .remote_dom = remote };
    long rc = call(d, EVTCHNOP_alloc_unbound, &op, sizeof(op));

    *port = op.port;
    return rc;
}

static long bind_interdomain(struct domain *d, domid_t remote, evtchn_port_t remote_port, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = remote_port };
    long rc = call(d, EVTCHNOP_bind_interdomain, &op, sizeof(op));

    *port = op.local_port;
    return rc;
}

static long bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
    long rc = call(d, EVTCHNOP_bind_virq, &op, sizeof(op));

    *port = op.port;
    return rc;
}

static long bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_ipi op = { .vcpu = vcpu };
    long rc = call(d, EVTCHNOP_bind_ipi, &op, sizeof(op));

    *port = op.port;
    return rc;
}

static long close_port(struct domain *d, evtchn_port_t port)
{
    struct evtchn_close op = { port };

    return call(d, EVTCHNOP_close, &op, sizeof(op));
}

static long send(struct domain *d, evtchn_port_t port)
{
    struct evtchn_send op = { port };

    return call(d, EVTCHNOP_send, &op, sizeof(op));
}

static long unmask(struct domain *d, evtchn_port_t port)
{
    struct evtchn_unmask op = { port };

    return call(d, EVTCHNOP_unmask, &op, sizeof(op));
}

static long bind_vcpu(struct domain *d, evtchn_port_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = { port, vcpu };

    return call(d, EVTCHNOP_bind_vcpu, &op, sizeof(op));
}

static long status(struct domain *d, domid_t dom, evtchn_port_t port, struct evtchn_status *op)
{
    *op = (struct evtchn_status){ .dom = dom, .port = port };
    return call(d, EVTCHNOP_status, op, sizeof(*op));
}

static uint32_t state_of(struct domain *d, evtchn_port_t port)
{
    struct evtchn_status s;

    return status(d, DOMID_SELF, port, &s) ? ~0u : s.status;
}

static bool pending(struct domain *d, evtchn_port_t port)
{
    return d->shared_info->evtchn_pending[port / 64] >> port % 64 & 1;
}

static void mask(struct domain *d, evtchn_port_t port)
{
    d->shared_info->evtchn_mask[port / 64] |= 1ul << port % 64;
}

/* As a guest does in its handler. */
static void take_events(struct domain *d)
{
    memset(d->shared_info->evtchn_pending, 0, sizeof(d->shared_info->evtchn_pending));
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        d->vcpu[i]->info->evtchn_upcall_pending = 0;
        d->vcpu[i]->info->evtchn_pending_sel = 0;
    }
}

static struct domain *make(domid_t id, unsigned nr_vcpus, uint32_t max_port)
{
    struct domain *d = machine_domain(id, nr_vcpus);

    d->max_evtchn_port = max_port;
    if (evtchn_init(d))
        abort();
    return d;
}

static void free_modules(struct domain *d)
{
    if (d->evtchn)
        evtchn_free(d);
}

static void end(struct domain *d)
{
    while (!evtchn_destroy(d, 5))
        ;
    machine_kill(d);
    machine_reap(free_modules);
}

static void test_open(void)
{
    struct domain *d0 = make(0, 2, 4095), *u = make(1, 2, 3);
    struct evtchn_status s;
    evtchn_port_t a, b, c, x;

    is(alloc_unbound(u, DOMID_SELF, 0, &a), 0, "alloc_unbound for dom0");
    is(a, 1, "ports start at 1");
    is(status(u, DOMID_SELF, a, &s), 0, "status of it");
    ok(s.status == EVTCHNSTAT_unbound && s.u.unbound.dom == 0 && s.vcpu == 0, "unbound, waits for dom0, tells vCPU 0");
    is(alloc_unbound(d0, 1, 0, &b), 0, "dom0 opens a port of the guest's on its behalf");
    ok(b == 2 && state_of(u, 2) == EVTCHNSTAT_unbound, "it is the guest's port 2");
    is(alloc_unbound(u, 0, 1, &x), -EPERM, "the guest cannot open one of dom0's");
    is(alloc_unbound(u, 1, DOMID_SELF, &c), 0, "its own id is as good as DOMID_SELF");
    is(alloc_unbound(u, DOMID_SELF, 0, &x), -ENOSPC, "no port above max_evtchn_port");
    is(alloc_unbound(d0, 77, 0, &x), -ESRCH, "no such domain");
    is(alloc_unbound(d0, DOMID_SELF, DOMID_INVALID, &x), -EINVAL, "a remote that cannot be");
    is(evtchn_count(u), 3, "three are open");
    is(status(u, DOMID_SELF, 0, &s), -EINVAL, "status of port 0");
    is(status(u, DOMID_SELF, 4, &s), -EINVAL, "status above the limit");
    is(status(u, DOMID_SELF, ~0u, &s), -EINVAL, "status of port 2^32-1");
    is(status(u, 0, 1, &s), -EPERM, "status of dom0's port");
    is(status(d0, 1, 3, &s), 0, "dom0 may look at the guest's");
    is(close_port(u, 2), 0, "close");
    is(close_port(u, 2), -EINVAL, "close again");
    is(close_port(u, 4), -EINVAL, "close what is no port");
    is(alloc_unbound(u, DOMID_SELF, 0, &x), 0, "the closed one is free again");
    is(x, 2, "the lowest free port is taken");
    end(u);
    end(d0);
}

static void test_interdomain(void)
{
    struct domain *d0 = make(0, 1, 4095), *u = make(1, 2, 1023), *w = make(2, 1, 1023);
    struct evtchn_status s;
    evtchn_port_t a, b, x;

    (void)alloc_unbound(u, DOMID_SELF, 0, &a);
    is(send(u, a), 0, "a send on an unbound port goes nowhere, without error");
    is(bind_interdomain(w, 1, a, &x), -EINVAL, "a third domain cannot bind");
    is(bind_interdomain(d0, 9, a, &x), -ESRCH, "no such domain");
    is(bind_interdomain(d0, 1, 1024, &x), -EINVAL, "no such remote port");
    is(bind_interdomain(d0, 1, a, &b), 0, "dom0 binds");
    ok(pending(d0, b), "the binder gets one event, for what was dropped before");
    is(bind_interdomain(d0, 1, a, &x), -EINVAL, "a port binds once");
    is(status(u, DOMID_SELF, a, &s), 0, "status of the guest's end");
    ok(s.status == EVTCHNSTAT_interdomain && s.u.interdomain.dom == 0 && s.u.interdomain.port == b, "names the other");
    take_events(d0);
    counted[STATS_EVENTS_SENT] = counted[STATS_EVENTS_RECEIVED] = 0;
    is(send(u, a), 0, "send");
    is(send(u, a), 0, "send again");
    ok(pending(d0, b) && !pending(u, a), "it is pending at the other end");
    ok(counted[STATS_EVENTS_SENT] == 2 && counted[STATS_EVENTS_RECEIVED] == 1, "2 sent, 1 received: they merged");
    is(evtchn_port_pending(d0, b), 1, "evtchn_port_pending says so");
    is(evtchn_port_pending(u, a), 0, "and not of the sender's");
    is(evtchn_port_pending(u, 5000), -EINVAL, "nor of what is no port");
    take_events(d0);
    is(close_port(u, a), 0, "one end closes");
    is(status(d0, DOMID_SELF, b, &s), 0, "status of the other");
    ok(s.status == EVTCHNSTAT_unbound && s.u.unbound.dom == 1, "is unbound and waits for the same domain");
    ok(pending(d0, b), "and was told by an event");
    is(send(d0, b), 0, "a send there goes nowhere again");
    is(bind_interdomain(u, 0, b, &a), 0, "the closer may bind anew");
    ok(!evtchn_destroy(u, 0), "destruction stops when its budget is used up");
    is(alloc_unbound(d0, 1, 0, &x), -ESRCH, "nothing opens in a domain that is being destroyed");
    end(u);
    ok(state_of(d0, b) == EVTCHNSTAT_unbound, "a dying domain's ends close");
    is(bind_interdomain(d0, 1, 1, &x), -ESRCH, "and nobody can bind to it");
    end(w);
    end(d0);
}

static void test_loopback(void)
{
    struct domain *d0 = make(0, 1, 4095);
    evtchn_port_t a, b;

    is(alloc_unbound(d0, DOMID_SELF, DOMID_SELF, &a), 0, "loopback: dom SELF, remote SELF");
    is(bind_interdomain(d0, DOMID_SELF, a, &b), 0, "bound to itself");
    take_events(d0);
    is(send(d0, a), 0, "send");
    ok(pending(d0, b) && !pending(d0, a), "arrives at the other port");
    is(close_port(d0, b), 0, "close one");
    ok(state_of(d0, a) == EVTCHNSTAT_unbound, "the other is unbound");
    is(bind_interdomain(d0, DOMID_SELF, a, &b), 0, "bound again");
    end(d0);
}

static void test_virq(void)
{
    struct domain *d0 = make(0, 2, 4095);
    struct evtchn_status s;
    evtchn_port_t t0, t1, e, x;

    is(bind_virq(d0, VIRQ_TIMER, 0, &t0), 0, "VIRQ_TIMER of vCPU 0");
    is(bind_virq(d0, VIRQ_TIMER, 1, &t1), 0, "VIRQ_TIMER of vCPU 1, which never ran");
    is(bind_virq(d0, VIRQ_TIMER, 1, &x), -EEXIST, "once each");
    is(bind_virq(d0, VIRQ_TIMER, 2, &x), -ENOENT, "no such vCPU");
    is(bind_virq(d0, VIRQ_TIMER, ~0u, &x), -ENOENT, "nor that");
    is(bind_virq(d0, NR_VIRQS, 0, &x), -EINVAL, "no such VIRQ");
    is(bind_virq(d0, VIRQ_DOM_EXC, 1, &x), -EINVAL, "a VIRQ of the domain is bound at vCPU 0");
    is(bind_virq(d0, VIRQ_DOM_EXC, 0, &e), 0, "VIRQ_DOM_EXC");
    is(bind_virq(d0, VIRQ_DOM_EXC, 0, &x), -EEXIST, "once");
    is(bind_vcpu(d0, e, 1), 0, "it may move to vCPU 1");
    is(bind_vcpu(d0, t1, 0), -EINVAL, "a vCPU's own may not");
    evtchn_send_virq(d0, 0, VIRQ_DOM_EXC);
    ok(pending(d0, e) && d0->vcpu[1]->info->evtchn_upcall_pending && !d0->vcpu[0]->info->evtchn_upcall_pending,
       "raised, it tells vCPU 1");
    evtchn_send_virq(d0, 1, VIRQ_TIMER);
    ok(pending(d0, t1) && !pending(d0, t0), "each vCPU has its own timer");
    (void)status(d0, DOMID_SELF, t1, &s);
    ok(s.status == EVTCHNSTAT_virq && s.u.virq == VIRQ_TIMER && s.vcpu == 1, "status names VIRQ and vCPU");
    is(send(d0, t1), -EINVAL, "one does not send to a VIRQ");
    is(close_port(d0, e), 0, "close");
    ok(!pending(d0, e), "nothing stays pending on a closed port");
    evtchn_send_virq(d0, 0, VIRQ_DOM_EXC);
    ok(!pending(d0, e), "unbound, it is dropped");
    is(bind_virq(d0, VIRQ_DOM_EXC, 0, &x), 0, "bound again after the close, even though it had moved");
    end(d0);
}

static void test_ipi_and_delivery(void)
{
    struct domain *d = make(0, 3, 4095);
    struct pretend *p = pretend_of(d);
    struct vcpu_info moved = { .evtchn_upcall_pending = 0 };
    evtchn_port_t a, b, x;

    is(bind_ipi(d, 3, &x), -ENOENT, "no such vCPU");
    is(bind_ipi(d, 2, &a), 0, "bind_ipi");
    is(bind_ipi(d, 2, &b), 0, "another");
    is(bind_vcpu(d, a, 0), -EINVAL, "an IPI stays with its vCPU");
    is(send(d, a), 0, "send");
    ok(d->vcpu[2]->info->evtchn_upcall_pending == 1 && d->vcpu[2]->info->evtchn_pending_sel == 1 && p->kicks[2] == 1,
       "selector, upcall byte and kick of vCPU 2");
    (void)send(d, b);
    is(p->kicks[2], 1, "a second port needs no second kick");
    take_events(d);
    mask(d, a);
    (void)send(d, a);
    ok(pending(d, a) && !d->vcpu[2]->info->evtchn_upcall_pending && p->kicks[2] == 1, "masked: pending only");
    is(unmask(d, a), 0, "unmask");
    ok(d->vcpu[2]->info->evtchn_upcall_pending && p->kicks[2] == 2, "delivers what waited");
    is(unmask(d, 0), -EINVAL, "unmask of no port");
    d->vcpu[1]->poll_active = 1;
    d->vcpu[1]->poll_port = b;
    d->vcpu[0]->poll_active = 1;
    take_events(d);
    mask(d, b);
    (void)send(d, b);
    ok(p->wakes[1] == 1 && p->wakes[0] == 1 && p->wakes[2] == 0, "pollers of the port and of several wake, also masked");
    take_events(d);
    (void)send(d, a);
    ok(p->wakes[1] == 1 && p->wakes[0] == 2, "another port does not wake who polls one");
    d->vcpu[2]->info = &moved;
    evtchn_info_moved(d->vcpu[2]);
    ok(moved.evtchn_upcall_pending && moved.evtchn_pending_sel == ~0ul && evtchn_upcall_pending(d->vcpu[2]) &&
       p->kicks[2] == 4, "vcpu_info moved: everything may be pending");
    end(d);
}

static void test_bad_calls(void)
{
    struct domain *d0 = make(0, 1, 4095);
    static const unsigned unknown[] = { EVTCHNOP_bind_pirq, EVTCHNOP_init_control, EVTCHNOP_expand_array,
                                        EVTCHNOP_set_priority, EVTCHNOP_reset, 14, 99, ~0u };
    bool all = true;

    machine_run(d0);
    for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++)
        all &= do_event_channel_op(unknown[i], ARG) == -ENOSYS;
    ok(all, "operations that are not offered answer -ENOSYS");
    for (unsigned cmd = 0; cmd <= EVTCHNOP_unmask; cmd++)
        all &= cmd == EVTCHNOP_bind_pirq || do_event_channel_op(cmd, GUEST_BYTES - 1) == -EFAULT;
    ok(all, "an argument that cannot be read: -EFAULT of each");
    is(evtchn_count(d0), 0, "and nothing was opened");
    memset(guest_bytes + ARG, 0, sizeof(struct evtchn_bind_ipi));
    guest_unwritable = true;
    is(do_event_channel_op(EVTCHNOP_bind_ipi, ARG), -EFAULT, "a result that cannot be written");
    guest_unwritable = false;
    is(evtchn_count(d0), 1, "the port is open and can be found by status");
    end(d0);
}

static void test_no_memory(void)
{
    unsigned before = machine_frames_used(), fails = 0;

    for (unsigned n = 0; n < 20; n++) {
        struct domain *d = machine_domain(3, 1);
        int rc;

        d->max_evtchn_port = ~0u;
        machine_fail_after(n);
        rc = evtchn_init(d);
        machine_fail_after(~0u);
        fails += rc == -ENOMEM;
        if (!rc && !evtchn_destroy(d, 0))
            abort();
        if (rc && d->evtchn)
            abort();
        machine_kill(d);
        machine_reap(free_modules);
    }
    is(fails, 2, "each of the 2 allocations failed in turn: -ENOMEM");
    is(machine_frames_used(), before, "and nothing leaked");
}

/* The model: what each port should be. Four domains, few ports, so that all collisions happen. */
#define DOMS   4u
#define PORTS  24u
#define VCPUS  3u

struct model_port {
    uint32_t state;
    unsigned vcpu, virq, peer_dom, peer_port;
    bool pending, masked;
};

static struct domain *doms[DOMS];
static struct model_port model[DOMS][PORTS];
static uint64_t seed = 0x5eed0002;

static unsigned pick(unsigned n)
{
    return random_below(&seed, n);
}

static unsigned model_free(unsigned d)
{
    for (unsigned p = 1; p < PORTS; p++) {
        if (model[d][p].state == EVTCHNSTAT_closed)
            return p;
    }
    return 0;
}

static long model_open(unsigned d, struct model_port with, evtchn_port_t got, long rc)
{
    unsigned p = model_free(d);

    if (!p)
        return rc == -ENOSPC;
    with.masked = model[d][p].masked;
    model[d][p] = with;
    return rc == 0 && got == p;
}

static void model_close(unsigned d, unsigned p)
{
    struct model_port *m = &model[d][p], was = *m;

    *m = (struct model_port){ .masked = was.masked };
    if (was.state == EVTCHNSTAT_interdomain) {
        struct model_port *peer = &model[was.peer_dom][was.peer_port];

        peer->state = EVTCHNSTAT_unbound;
        peer->peer_dom = d;
        peer->pending = true;
    }
}

static bool step_alloc(unsigned d)
{
    unsigned remote = pick(DOMS), target = pick(3) ? d : pick(DOMS);
    evtchn_port_t port;
    long rc = alloc_unbound(doms[d], (domid_t)target, (domid_t)remote, &port);

    if (target != d && d != 0)
        return rc == -EPERM;
    return model_open(target, (struct model_port){ .state = EVTCHNSTAT_unbound, .peer_dom = remote }, port, rc);
}

static bool step_bind(unsigned d)
{
    unsigned remote = pick(DOMS), rp = pick(PORTS + 1);
    evtchn_port_t port;
    long rc = bind_interdomain(doms[d], (domid_t)remote, rp, &port);
    struct model_port *peer = &model[remote][rp % PORTS];
    unsigned p;

    if (rp == 0 || rp == PORTS || peer->state != EVTCHNSTAT_unbound || peer->peer_dom != d)
        return rc == -EINVAL;
    p = model_free(d);
    if (!p)
        return rc == -ENOSPC;
    (void)model_open(d, (struct model_port){ .state = EVTCHNSTAT_interdomain, .peer_dom = remote, .peer_port = rp,
                                             .pending = true }, port, rc);
    peer->state = EVTCHNSTAT_interdomain;
    peer->peer_dom = d;
    peer->peer_port = p;
    return rc == 0 && port == p;
}

static bool virq_bound(unsigned d, unsigned virq, unsigned vcpu)
{
    for (unsigned p = 1; p < PORTS; p++) {
        struct model_port *m = &model[d][p];

        if (m->state == EVTCHNSTAT_virq && m->virq == virq && (virq > VIRQ_DEBUG || m->vcpu == vcpu))
            return true;
    }
    return false;
}

static bool step_virq(unsigned d)
{
    static const unsigned virqs[] = { VIRQ_TIMER, VIRQ_DEBUG, VIRQ_CONSOLE, VIRQ_DOM_EXC, 30 };
    unsigned virq = virqs[pick(5)], vcpu = pick(VCPUS + 1);
    evtchn_port_t port;
    long rc = bind_virq(doms[d], virq, vcpu, &port);

    if (virq == 30 || (virq > VIRQ_DEBUG && vcpu))
        return rc == -EINVAL;
    if (vcpu == VCPUS)
        return rc == -ENOENT;
    if (virq_bound(d, virq, vcpu))
        return rc == -EEXIST;
    return model_open(d, (struct model_port){ .state = EVTCHNSTAT_virq, .virq = virq, .vcpu = vcpu }, port, rc);
}

static bool step_ipi(unsigned d)
{
    unsigned vcpu = pick(VCPUS);
    evtchn_port_t port;
    long rc = bind_ipi(doms[d], vcpu, &port);

    return model_open(d, (struct model_port){ .state = EVTCHNSTAT_ipi, .vcpu = vcpu }, port, rc);
}

static bool step_close(unsigned d)
{
    unsigned p = pick(PORTS + 2);
    long rc = close_port(doms[d], p);

    if (p == 0 || p >= PORTS || model[d][p].state == EVTCHNSTAT_closed)
        return rc == -EINVAL;
    model_close(d, p);
    return rc == 0;
}

static bool step_send(unsigned d)
{
    unsigned p = pick(PORTS + 2);
    long rc = send(doms[d], p);
    struct model_port *m = &model[d][p % PORTS];

    if (p == 0 || p >= PORTS || m->state == EVTCHNSTAT_closed || m->state == EVTCHNSTAT_virq)
        return rc == -EINVAL;
    if (m->state == EVTCHNSTAT_interdomain)
        model[m->peer_dom][m->peer_port].pending = true;
    if (m->state == EVTCHNSTAT_ipi)
        m->pending = true;
    return rc == 0;
}

static bool step_vcpu(unsigned d)
{
    unsigned p = pick(PORTS), vcpu = pick(VCPUS + 1);
    struct model_port *m = &model[d][p];
    long rc = bind_vcpu(doms[d], p, vcpu);

    if (vcpu == VCPUS)
        return rc == -ENOENT;
    if (m->state == EVTCHNSTAT_closed || m->state == EVTCHNSTAT_ipi ||
        (m->state == EVTCHNSTAT_virq && m->virq <= VIRQ_DEBUG))
        return rc == -EINVAL;
    m->vcpu = vcpu;
    return rc == 0;
}

static bool step_raise(unsigned d)
{
    unsigned virq = pick(4), vcpu = virq <= VIRQ_DEBUG ? pick(VCPUS) : 0;

    evtchn_send_virq(doms[d], vcpu, virq);
    for (unsigned p = 1; p < PORTS; p++) {
        struct model_port *m = &model[d][p];

        if (m->state == EVTCHNSTAT_virq && m->virq == virq && (virq > VIRQ_DEBUG || m->vcpu == vcpu))
            m->pending = true;
    }
    return true;
}

/* What the guest does on its own: takes an event, masks; and, by hypercall, unmasks. */
static bool step_guest(unsigned d)
{
    unsigned p = 1 + pick(PORTS - 1);
    struct model_port *m = &model[d][p];

    switch (pick(3)) {
    case 0:
        doms[d]->shared_info->evtchn_pending[0] &= ~(1ul << p);
        m->pending = false;
        return true;
    case 1:
        mask(doms[d], p);
        m->masked = true;
        return true;
    default:
        m->masked = false;
        return unmask(doms[d], p) == 0;
    }
}

/* The whole domain goes and a new one with its id comes. */
static bool step_rebirth(unsigned d)
{
    if (d == 0 || pick(200))
        return true;
    end(doms[d]);
    for (unsigned p = 1; p < PORTS; p++) {
        if (model[d][p].state != EVTCHNSTAT_closed)
            model_close(d, p);
        model[d][p] = (struct model_port){ .state = EVTCHNSTAT_closed };
    }
    doms[d] = make((domid_t)d, VCPUS, PORTS - 1);
    return true;
}

/* Every event that is pending and not masked has its selector bit and the byte set, or the guest would sleep on it. */
static bool port_right(unsigned d, unsigned p)
{
    const struct model_port *m = &model[d][p];
    const struct vcpu_info *info = doms[d]->vcpu[m->vcpu]->info;
    struct evtchn_status s;

    if (pending(doms[d], p) != m->pending || status(doms[d], DOMID_SELF, p, &s) || s.status != m->state)
        return false;
    if (m->state != EVTCHNSTAT_closed && s.vcpu != m->vcpu)
        return false;
    if (m->state == EVTCHNSTAT_interdomain)
        return s.u.interdomain.dom == m->peer_dom && s.u.interdomain.port == m->peer_port;
    if (m->state == EVTCHNSTAT_unbound)
        return s.u.unbound.dom == m->peer_dom;
    if (m->state == EVTCHNSTAT_ipi && m->pending && !m->masked && !(info->evtchn_pending_sel & 1))
        return false;
    return m->state != EVTCHNSTAT_virq || s.u.virq == m->virq;
}

static void test_model(void)
{
    static bool (*const steps[])(unsigned) = { step_alloc, step_bind, step_virq, step_ipi, step_close, step_send,
                                               step_send, step_vcpu, step_raise, step_guest, step_rebirth };
    unsigned step, kind = 0, before = machine_frames_used();
    bool good = true;

    for (unsigned d = 0; d < DOMS; d++)
        doms[d] = make((domid_t)d, VCPUS, PORTS - 1);
    for (step = 0; step < 1000000 && good; step++) {
        unsigned d = pick(DOMS);

        kind = pick(ARRAY_SIZE(steps));
        good = steps[kind](d) && port_right(pick(DOMS), 1 + pick(PORTS - 1));
        if (step % 1024 == 0) {
            for (unsigned i = 0; i < DOMS * PORTS; i++)
                good &= i % PORTS == 0 || port_right(i / PORTS, i % PORTS);
        }
    }
    ok(good, "a million random operations of four domains agree with the model");
    if (!good)
        printf("# at step %u, kind %u\n", step, kind);
    for (unsigned d = DOMS; d-- > 0;)
        end(doms[d]);
    is(machine_frames_used(), before, "and leave nothing behind");
}

static void three_make(void)
{
    for (unsigned d = 0; d < 3; d++)
        doms[d] = make((domid_t)d, VCPUS, 40);
}

static void three_end(void)
{
    for (unsigned d = 3; d-- > 0;)
        end(doms[d]);
}

static void test_hostile_arguments(void)
{
    unsigned before = machine_frames_used(), done = 0;
    bool good = true;

    three_make();
    for (unsigned i = 0; i < 500000; i++) {
        long rc;

        if (i % 10000 == 9999) {        /* by now nearly all ports are taken */
            three_end();
            three_make();
        }
        machine_run(doms[pick(3)]);
        random_hostile(&seed, guest_bytes + ARG, 32);
        rc = do_event_channel_op(pick(12), pick(50) ? ARG : GUEST_BYTES - pick(20));
        good &= rc <= 0 && rc >= -ENOTCONN;
        done += rc == 0;
    }
    ok(good && done > 5000, "half a million calls with hostile arguments: an error each or success (%u)", done);
    three_end();
    is(machine_frames_used(), before, "and nothing leaks");
}

/* Four CPUs at once on three domains, mostly closing and binding the same few ports. */
#define RACERS 4u
#define RACES  100000u

static void race_step(uint64_t *state)
{
    struct domain *d = doms[random_below(state, 3)];
    unsigned port = 1 + random_below(state, 6);
    evtchn_port_t got;

    switch (random_below(state, 6)) {
    case 0:
        (void)alloc_unbound(d, DOMID_SELF, (domid_t)random_below(state, 3), &got);
        break;
    case 1:
    case 2:
        (void)bind_interdomain(d, (domid_t)random_below(state, 3), port, &got);
        break;
    case 3:
        (void)close_port(d, port);
        break;
    case 4:
        (void)send(d, port);
        break;
    case 5:
        (void)bind_vcpu(d, port, random_below(state, VCPUS));
        break;
    }
}

static void *racer(void *arg)
{
    uint64_t state = 0x5eed0100 + (uintptr_t)arg;

    machine_be_cpu((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < RACES; i++)
        race_step(&state);
    return NULL;
}

/* Each end names an end that names it back. */
static bool pairs_match(unsigned d, unsigned p)
{
    struct evtchn_status mine, peer;

    if (status(doms[d], DOMID_SELF, p, &mine) || mine.status != EVTCHNSTAT_interdomain)
        return true;
    return status(doms[mine.u.interdomain.dom], DOMID_SELF, mine.u.interdomain.port, &peer) == 0 &&
           peer.status == EVTCHNSTAT_interdomain && peer.u.interdomain.dom == d && peer.u.interdomain.port == p;
}

static void test_races(void)
{
    unsigned before = machine_frames_used();
    pthread_t threads[RACERS];
    bool good = true;

    for (unsigned d = 0; d < 3; d++)
        doms[d] = make((domid_t)d, VCPUS, 12);
    for (unsigned i = 0; i < RACERS; i++)
        good &= pthread_create(&threads[i], NULL, racer, (void *)(uintptr_t)(i + 1)) == 0;
    for (unsigned i = 0; i < RACERS; i++)
        good &= pthread_join(threads[i], NULL) == 0;
    for (unsigned i = 0; i < 3 * 13; i++)
        good &= pairs_match(i / 13, i % 13);
    ok(good, "four CPUs, %u operations each on the same ports: every pair matches afterwards", RACES);
    for (unsigned d = 0; d < 3; d++)
        good &= doms[d]->refs == 2;
    ok(good, "and no reference is left over");
    for (unsigned d = 3; d-- > 0;)
        end(doms[d]);
    is(machine_frames_used(), before, "nor any memory");
}

int main(void)
{
    machine_init();
    test_open();
    test_interdomain();
    test_loopback();
    test_virq();
    test_ipi_and_delivery();
    test_bad_calls();
    test_no_memory();
    test_model();
    test_hostile_arguments();
    test_races();
    return tap_end();
}
