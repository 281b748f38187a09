/* fuzz-hypercalls: arbitrary numbers, commands and arguments, half of them pointers to arbitrary
 * structs; and as dom0 metered copies by the right token, with all else arbitrary. Nothing is expected of the answers; hv must go on, and keep its own promises, after
 * each. Left out: what ends this domain by right (shutdown), and in dom0 what rules the machine. */
#include "tests/guest/lib/toolstack.h"

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

static uint32_t guest;
static struct xs_meter_open channel;

/* A guest of two pages, granted, whose channel is known. */
static void guest_make(void)
{
    long id = domain_create();
    grant_entry_v1_t *grants;

    check(id > 0 && memory_give((uint32_t)id, 2) == 2, "a guest to copy for");
    guest = (uint32_t)id;
    grants = map_grants(guest);
    for (unsigned i = 0; grants && i < 8; i++)
        grants[i] = (grant_entry_v1_t){ .flags = GTF_permit_access, .frame = i % 3 };
    channel = (struct xs_meter_open){ .domid = guest, .class = XS_METER_CLASS_disk };
    check_equal(HC2(XS_HC_METER_OP, XS_METER_open, &channel), 0, "its channel");
}

/* Operations and segments lie over each other, too. */
static long copy(void)
{
    struct xs_meter_copy *c = (void *)room;

    for (int i = 0; i < 16; i++) {
        struct xs_meter_op *op = (void *)(room + 16 + random_next() % 300);
        struct xs_meter_seg *seg = (void *)(room + 16 + random_next() % 300);

        *op = (struct xs_meter_op){ .seq = random_next() % 1000, .kind = (uint8_t)(random_next() % 11),
                                    .nr_segs = (uint8_t)(random_next() % 4), .segs = argument() & ~7ull };
        *seg = (struct xs_meter_seg){ .ref = (uint32_t)(random_next() % 10), .offset = (uint16_t)(random_next() % 2048),
                                      .len = (uint16_t)(random_next() % 2100), .buffer = argument() };
    }
    *c = (struct xs_meter_copy){ .channel = channel.channel, .nr_ops = (uint32_t)(random_next() % 66),
                                 .ops = argument() & ~7ull, .done = random_next() % 8 ? 0 : (uint32_t)(random_next() % 66) };
    __builtin_memcpy(c->token, channel.token, sizeof(c->token));
    return HC2(XS_HC_METER_OP, XS_METER_copy, c);
}

static void fuzz_copies(void)
{
    struct xs_meter_inventory before, now;
    unsigned good = 0;

    before = inventory();
    guest_make();
    for (unsigned round = 0; round < ROUNDS / 4; round++)
        good += copy() == 0;
    check(good > ROUNDS / 40 && good < ROUNDS / 4, "copies: %u of %u are taken", (uint64_t)good, (uint64_t)ROUNDS / 4);
    domctl_on(XEN_DOMCTL_destroydomain, guest);
    now = inventory();
    check(now.pages_owned == before.pages_owned && now.domains == before.domains,
          "nothing of the guest is held when it is gone");
}

void guest_main(void)
{
    uint64_t refused = 0;
    uint64_t done = 0;

    if (guest_is_dom0())
        fuzz_copies();
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
