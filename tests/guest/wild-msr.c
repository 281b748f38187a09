/* wild-msr: writes arbitrary values to arbitrary MSRs and ports, and reads them all. An access ends
 * in #GP or is harmless. */
#include "tests/guest/lib/guest.h"

#include <xen/version.h>

static uint32_t msr;
static uint64_t value;

static void read_msr(void *argument)
{
    uint32_t low, high;

    (void)argument;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
}

static void write_msr(void *argument)
{
    (void)argument;
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* MSRs by which a kernel rules its own CPU: a wild value there ends this program by right. */
static bool own_affair(uint32_t index)
{
    return index == 0xc0000080 || (index >= 0xc0000100 && index <= 0xc0000102) || index == 0x1b ||
           (index >= 0x800 && index < 0x900) || index == 0xc0000103;
}

static void ports(void)
{
    for (uint32_t port = 0; port < 0x10000; port++) {
        uint8_t byte;

        __asm__ volatile("inb %w1, %0" : "=a"(byte) : "Nd"(port));
        __asm__ volatile("outb %0, %w1" : : "a"((uint8_t)random_next()), "Nd"(port));
    }
}

void guest_main(void)
{
    static const uint32_t starts[] = { 0, 0x40000000, 0xc0000080, 0xc0010000, 0xc0011000 };
    uint64_t refused = 0;

    print("wild: MSRs and ports\n");
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        for (msr = starts[i]; msr < starts[i] + 0x1000; msr++) {
            refused += try(read_msr, NULL) >= 0;
            if (own_affair(msr))
                continue;
            value = random_next();
            refused += try(write_msr, NULL) >= 0;
        }
    check(refused > 1000, "%u accesses to MSRs refused", refused);
    if (!guest_is_dom0()) {             /* dom0's ports are the machine's */
        ports();
        check(true, "65,536 ports read and written");
    }
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17, "hv still answers");
}
