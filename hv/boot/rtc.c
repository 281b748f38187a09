/* The CMOS clock, read when no update is under way (MC146818 data sheet; century by the FADT is left out: 20xx). */
#include "hv/boot/boot.h"
#include "hv/arch/io.h"

static uint8_t cmos(uint8_t reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

static unsigned decode(uint8_t v, bool binary)
{
    return binary ? v : (v & 15u) + (v >> 4) * 10u;
}

/* Days since 1970-01-01 of a Gregorian date. */
static uint64_t days(unsigned y, unsigned m, unsigned d)
{
    unsigned era_year = m <= 2 ? y - 1 : y, month = (m + 9) % 12;

    return 365ull * era_year + era_year / 4 - era_year / 100 + era_year / 400 + (153 * month + 2) / 5 + d - 1 - 719468;
}

uint64_t rtc_read_ns(void)
{
    uint8_t raw[6], status;
    static const uint8_t regs[6] = { 0, 2, 4, 7, 8, 9 };        /* s min h day month year */
    bool binary, same;

    do {
        while (cmos(0x0A) & 0x80)
            ;
        for (unsigned i = 0; i < 6; i++)
            raw[i] = cmos(regs[i]);
        same = true;
        for (unsigned i = 0; i < 6; i++)
            same &= cmos(regs[i]) == raw[i];
    } while (!same);
    status = cmos(0x0B);
    binary = status & 4;
    unsigned hour = decode(raw[2] & 0x7F, binary);

    if (!(status & 2)) {                /* 12-hour mode, bit 7: afternoon */
        hour %= 12;
        if (raw[2] & 0x80)
            hour += 12;
    }
    return (days(2000 + decode(raw[5], binary), decode(raw[4], binary), decode(raw[3], binary)) * 86400 + hour * 3600 +
            decode(raw[1], binary) * 60 + decode(raw[0], binary)) * NS_PER_SEC;
}
