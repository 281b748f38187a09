/* wild-triple-fault: no IDT, then an exception. The domain dies; nobody else notices. */
#include "tests/guest/lib/guest.h"

void guest_main(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none = { 0, 0 };

    print("wild: triple fault\n");
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}
