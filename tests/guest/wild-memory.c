/* wild-memory: reads and writes every guest-physical range that is not its own, through its own page
 * tables. Each access faults or reads as nothing; what the guest finds there is
 * never another's. Prints how many bytes it found that were neither 0 nor all ones. */
#include "tests/guest/lib/guest.h"

static uint64_t found;

static bool is_ram(uint64_t address)
{
    const struct hvm_memmap_table_entry *map = (const void *)guest_info->memmap_paddr;

    for (uint32_t i = 0; i < guest_info->memmap_entries; i++)
        if (address >= map[i].addr && address < map[i].addr + map[i].size)
            return true;
    return false;
}

static void touch(void *argument)
{
    volatile uint64_t *word = argument;
    uint64_t value = *word;

    if (value && value != ~0ull)
        found++;
    *word = 0x5a5a5a5a5a5a5a5a;
}

void guest_main(void)
{
    uint64_t faults = 0;
    uint64_t touched = 0;

    print("wild: memory\n");
    for (uint64_t address = 1 << 20; address < 0xfee00000; address += 1 << 20) {
        if (is_ram(address))
            continue;
        touched++;
        faults += try(touch, (void *)address) >= 0;
    }
    print("wild: %u addresses outside, %u faulted, %u held data\n", touched, faults, found);
    check(touched > 1000, "addresses outside its memory were tried");
    check(found == 0, "none held anything");
}
