/* fuzz-hypercalls: arbitrary numbers, commands and arguments, half of them pointers to arbitrary
 * structs. Nothing is expected of the answers; hv must go on, and keep its own promises, after
 * each. Left out: what ends this domain by right (shutdown), and in dom0 what rules the machine. */
#include "tests/guest/lib/guest.h"

#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define ROUNDS 40000

/* Memory that hv may write to: from here to the end of RAM nothing is ours, so a long list that hv fills
 * runs into what it has not got. */
static uint64_t *const room = (uint64_t *)0x1400000;

static uint64_t argument(void)
{
    switch (random_next() % 8) {
    case 0:
        return random_next();
    case 1:
        return random_next() % 64;              /* as a pointer: page 0, which is not ours either */
    case 2:
        return (uint64_t)1 << (25 + random_next() % 39);
    case 3:
        return ~(random_next() % 4096);
    case 4:
        return 0x7ff0 + random_next() % 16;     /* the reserved domain ids */
    default:
        return (uint64_t)room + random_next() % 3072;
    }
}

static bool is_legitimate_end(uint64_t number, uint64_t command)
{
    if (guest_is_dom0() && (number == __HYPERVISOR_platform_op || number == __HYPERVISOR_domctl ||
                            number == __HYPERVISOR_sysctl || number == __HYPERVISOR_console_io ||
                            number == __HYPERVISOR_physdev_op))
        return true;
    if (number == __HYPERVISOR_sched_op)        /* shutdown ends it, block and poll wait for ever */
        return (uint32_t)command != SCHEDOP_yield;
    if (number == __HYPERVISOR_vcpu_op)
        return (uint32_t)command == VCPUOP_send_nmi || (uint32_t)command == VCPUOP_register_runstate_memory_area ||
               (uint32_t)command == VCPUOP_register_vcpu_time_memory_area || (uint32_t)command == VCPUOP_register_vcpu_info;
    if (number == __HYPERVISOR_memory_op)       /* would move or write what this program stands on */
        return true;
    return false;
}

void guest_main(void)
{
    uint64_t refused = 0;
    uint64_t done = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t number = random_next() % 64;
        uint64_t command = random_next() % 4 ? random_next() % 40 : argument();

        if (is_legitimate_end(number, command))
            continue;
        for (int i = 0; i < 8; i++)
            room[random_next() % 512] = random_next() % 2 ? argument() : random_next() % 8;
        uint64_t second = argument();

        /* A list of billions is legal and only takes its time: hv lets others run meanwhile. Not what is tested here. */
        if (number == __HYPERVISOR_grant_table_op)
            second = random_next() % 64;
        refused += number == __HYPERVISOR_grant_table_op
                       ? hypercall(number, command, argument(), second, argument(), argument()) < 0
                       : hypercall(number, command, second, argument(), argument(), argument()) < 0;
        done++;
    }
    check(done > ROUNDS / 2, "%u calls made", done);
    check(refused > done / 2, "%u of them refused", refused);
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17, "hv still answers");
}
