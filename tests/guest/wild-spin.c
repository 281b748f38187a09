/* wild-spin: interrupts off, an endless loop. It may burn what it pays for and nothing else. */
#include "tests/guest/lib/guest.h"

void guest_main(void)
{
    print("wild: spinning\n");
    for (;;)
        __asm__ volatile("cli");
}
