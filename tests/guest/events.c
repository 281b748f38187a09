/* events: ports from allocation to close, seen from one domain that talks to itself;
 * pending, mask and selector bits as the 2-level ABI states them. */
#include "tests/guest/lib/guest.h"

#include <xen/event_channel.h>

static long event_op(unsigned command, void *argument)
{
    return HC2(__HYPERVISOR_event_channel_op, command, argument);
}

static bool pending(evtchn_port_t port)
{
    return (__atomic_load_n(&shared_info()->evtchn_pending[port / 64], __ATOMIC_SEQ_CST) >> (port % 64)) & 1;
}

static void clear(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info()->evtchn_pending[port / 64], ~(1ull << (port % 64)), __ATOMIC_SEQ_CST);
    shared_info()->vcpu_info[0].evtchn_pending_sel = 0;
    shared_info()->vcpu_info[0].evtchn_upcall_pending = 0;
}

static void mask(evtchn_port_t port, bool on)
{
    uint64_t bit = 1ull << (port % 64);

    if (on)
        __atomic_fetch_or(&shared_info()->evtchn_mask[port / 64], bit, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&shared_info()->evtchn_mask[port / 64], ~bit, __ATOMIC_SEQ_CST);
}

static long send_to(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    return event_op(EVTCHNOP_send, &send);
}

static long close_port(evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    return event_op(EVTCHNOP_close, &close);
}

static void a_pair(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
    struct evtchn_status status = { .dom = DOMID_SELF };
    struct evtchn_unmask unmask;

    check_equal(event_op(EVTCHNOP_alloc_unbound, &alloc), 0, "alloc_unbound");
    check(alloc.port > 0 && alloc.port < 4096, "alloc_unbound: port %u", (uint64_t)alloc.port);
    status.port = alloc.port;
    check(!event_op(EVTCHNOP_status, &status) && status.status == EVTCHNSTAT_unbound, "status: unbound");
    bind.remote_port = alloc.port;
    check_equal(event_op(EVTCHNOP_bind_interdomain, &bind), 0, "bind_interdomain");
    check(event_op(EVTCHNOP_bind_interdomain, &bind) < 0, "bind_interdomain: a bound port is not bound twice");
    clear(alloc.port);
    clear(bind.local_port);
    mask(alloc.port, false);
    mask(bind.local_port, false);

    check_equal(send_to(bind.local_port), 0, "send");
    check(pending(alloc.port) && !pending(bind.local_port), "send: pending at the other end only");
    check((shared_info()->vcpu_info[0].evtchn_pending_sel >> (alloc.port / 64)) & 1, "send: the selector's bit is set");
    check(shared_info()->vcpu_info[0].evtchn_upcall_pending, "send: the upcall is marked");

    clear(alloc.port);
    mask(alloc.port, true);
    check_equal(send_to(bind.local_port), 0, "send to a masked port");
    check(pending(alloc.port) && !shared_info()->vcpu_info[0].evtchn_upcall_pending, "masked: pending without an upcall");
    unmask.port = alloc.port;
    check_equal(event_op(EVTCHNOP_unmask, &unmask), 0, "unmask");
    check(shared_info()->vcpu_info[0].evtchn_upcall_pending, "unmask: what waited is delivered");
    clear(alloc.port);

    check_equal(close_port(alloc.port), 0, "close one end");
    check(send_to(bind.local_port) != -EINVAL, "send on the half-closed end: the port is still ours");
    check(!pending(alloc.port), "send on the half-closed end reaches nobody");
    check_equal(close_port(bind.local_port), 0, "close the other end");
    check_equal(close_port(bind.local_port), -EINVAL, "close again: -EINVAL");
}

static void refusals(void)
{
    static const uint32_t ports[] = { 0, 4095, 4096, 65536, 0x7fffffff, 0x80000000, 0xffffffff };
    struct evtchn_alloc_unbound alloc = { .dom = 0x7fef, .remote_dom = DOMID_SELF };
    struct evtchn_bind_virq virq = { .virq = 0xffff };
    struct evtchn_bind_ipi ipi = { .vcpu = 0xffffffff };

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        struct evtchn_status status = { .dom = DOMID_SELF, .port = ports[i] };
        struct evtchn_unmask unmask = { .port = ports[i] };
        struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF, .remote_port = ports[i] };
        struct evtchn_bind_vcpu move = { .port = ports[i] };

        check(send_to(ports[i]) < 0, "send on port %x: refused", (uint64_t)ports[i]);
        check(close_port(ports[i]) < 0, "close port %x: refused", (uint64_t)ports[i]);
        check(event_op(EVTCHNOP_bind_interdomain, &bind) < 0, "bind to port %x: refused", (uint64_t)ports[i]);
        check(event_op(EVTCHNOP_bind_vcpu, &move) < 0, "move port %x: refused", (uint64_t)ports[i]);
        if (ports[i] >= 4096) {
            check(event_op(EVTCHNOP_status, &status) < 0, "status of port %x: refused", (uint64_t)ports[i]);
            check(event_op(EVTCHNOP_unmask, &unmask) < 0, "unmask port %x: refused", (uint64_t)ports[i]);
        }
    }
    check(event_op(EVTCHNOP_alloc_unbound, &alloc) < 0, "alloc_unbound for a domain that is not there: refused");
    check(event_op(EVTCHNOP_bind_virq, &virq) < 0, "VIRQ 65535: refused");
    check(event_op(EVTCHNOP_bind_ipi, &ipi) < 0, "IPI to vCPU 2^32-1: refused");
}

/* All ports taken, then given back: the second round gets as many as the first. */
static unsigned fill(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    static evtchn_port_t ports[4096];
    unsigned taken = 0;

    while (taken < 4096 && !event_op(EVTCHNOP_alloc_unbound, &alloc))
        ports[taken++] = alloc.port;
    for (unsigned i = 0; i < taken; i++)
        close_port(ports[i]);
    return taken;
}

void guest_main(void)
{
    unsigned first;
    unsigned second;

    a_pair();
    refusals();
    first = fill();
    second = fill();
    check(first > 16 && first < 4096, "ports end at a limit: %u taken", (uint64_t)first);
    check_equal(second, first, "closed ports can all be taken again");
}
