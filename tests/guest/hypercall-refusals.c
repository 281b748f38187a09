/* hypercall-refusals: unknown numbers answer -ENOSYS, and no pointer a kernel can pass makes hv
 * read or write anything but memory that the caller itself could: -EFAULT, and on it goes. */
#include "tests/guest/lib/guest.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "xs/meter.h"

static void unknown_numbers(void)
{
    static const uint64_t numbers[] = { 43, 47, 50, 53, 56, 63, 64, 127, 128, 255, 4096, 0x7fffffff, 0x80000000,
                                        0xffffffff, 0x100000000, 1ull << 63, ~0ull };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        long rc = hypercall(numbers[i], ~0ull, ~0ull, ~0ull, ~0ull, ~0ull);

        check(rc == -ENOSYS, "hypercall %x: -ENOSYS (got %d)", numbers[i], (int64_t)rc);
    }
}

static void unknown_commands(void)
{
    static const uint8_t families[] = { __HYPERVISOR_xen_version, __HYPERVISOR_memory_op, __HYPERVISOR_sched_op,
                                        __HYPERVISOR_event_channel_op, __HYPERVISOR_grant_table_op,
                                        __HYPERVISOR_hvm_op, __HYPERVISOR_vcpu_op };
    static uint8_t room[4096];

    for (size_t i = 0; i < sizeof(families); i++) {
        long rc = families[i] == __HYPERVISOR_vcpu_op ? HC3(families[i], 0x3f, 0, room) : HC3(families[i], 0x3f, room, 1);

        check(rc == -ENOSYS || rc == -EINVAL || rc == -95, "hypercall %u, command 63: refused (got %d)",
              (uint64_t)families[i], (int64_t)rc);
    }
}

static void bad_pointers(void)
{
    static const uint64_t pointers[] = {
        0x100000000,                    /* first byte that is not mapped */
        0xfffffffc,                     /* the struct crosses the end of what is mapped */
        0x00007ffffffff000, 0x0000800000000000, 0xffff7fffffffffff,     /* last canonical page, and between */
        0xffffffffffffffff, 0xfffffffffffffff8,                         /* wraps */
    };

    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        uint64_t p = pointers[i];

        check(HC2(__HYPERVISOR_xen_version, XENVER_extraversion, p) == -EFAULT, "xen_version writes to %x: -EFAULT", p);
        check(HC2(__HYPERVISOR_xen_version, XENVER_get_features, p) == -EFAULT, "xen_version reads %x: -EFAULT", p);
        check(HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, p) == -EFAULT, "event_channel_op %x: -EFAULT", p);
        check(HC2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, p) == -EFAULT, "sched_op shutdown %x: -EFAULT", p);
        check(HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, p) == -EFAULT, "memory_op %x: -EFAULT", p);
        check(HC2(__HYPERVISOR_hvm_op, HVMOP_get_param, p) == -EFAULT, "hvm_op %x: -EFAULT", p);
        check(HC3(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, p, 1) == -EFAULT, "grant_table_op %x: -EFAULT", p);
        check(HC3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, p) < 0, "vcpu_op %x: refused", p);
    }
}

static void bad_values(void)
{
    struct sched_poll poll = { .nr_ports = 1u << 31 };
    struct xen_add_to_physmap map = { .domid = 1, .space = XENMAPSPACE_shared_info, .gpfn = 0x10 };

    check(HC2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll) == -EINVAL, "sched_op poll: 2^31 ports are too many");
    check(HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map) < 0, "add_to_physmap into another domain: refused");
    map.domid = DOMID_SELF;
    map.gpfn = ~0ull;
    check(HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map) < 0, "add_to_physmap at the last frame number: refused");
    map.gpfn = 1ull << 40;
    check(HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map) < 0, "add_to_physmap at 2^52: refused");
    check(HC3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, ~0u, 0) == -ENOENT || HC3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, ~0u, 0) == -EINVAL,
          "vcpu_op on vCPU 2^32-1: refused");
}

void guest_main(void)
{
    unknown_numbers();
    unknown_commands();
    bad_pointers();
    bad_values();
    for (uint64_t cmd = 0; !guest_is_dom0() && cmd < 8; cmd++)
        check_equal(HC2(XS_HC_METER_OP, cmd, 0), -EPERM, "a guest has no business with the meter");
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17, "hv still answers");
}
