/* Words and numbers of invoices. */
#include "accountd/paper/words.h"
#include "accountd/paper/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NANO 1000000000

/* Digits with a comma before each third, from the right. */
static char *group(const char *digits, char text[static WORDS_BYTES])
{
    size_t len = strlen(digits), out = 0;

    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = digits[i];
    }
    text[out] = 0;
    return text;
}

static char *digits_of(unsigned __int128 value, char text[static WORDS_BYTES])
{
    char *at = text + WORDS_BYTES - 1;

    *at = 0;
    do
        *--at = (char)('0' + (int)(value % 10));
    while ((value /= 10) != 0);
    return at;
}

char *words_ratio(unsigned __int128 quantity, unsigned __int128 per_unit, unsigned decimals, bool grouped,
                  char text[static WORDS_BYTES])
{
    unsigned __int128 whole = quantity / per_unit, rest = quantity % per_unit, part, left;
    char digits[WORDS_BYTES], *start;
    unsigned long scale = 1;
    size_t len;

    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    part = rest * scale / per_unit;
    left = rest * scale % per_unit;
    if (left > per_unit - left || (left == per_unit - left && part & 1))
        part++;
    if (part == scale) {
        whole++;
        part = 0;
    }
    start = digits_of(whole, digits);
    if (grouped)
        group(start, text);
    else
        strcpy(text, start);
    len = strlen(text);
    if (decimals)
        snprintf(text + len, WORDS_BYTES - len, ".%0*ju", (int)decimals, (uintmax_t)part);
    return text;
}

char *words_cents(int64_t nano, char text[static WORDS_BYTES])
{
    return words_ratio((unsigned __int128)nano, NANO, 2, false, text);
}

char *words_money(int64_t nano, char text[static WORDS_BYTES])
{
    return words_ratio((unsigned __int128)nano, NANO, 2, true, text);
}

char *words_nano(int64_t nano, char text[static WORDS_BYTES])
{
    uint64_t magnitude = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;

    snprintf(text, WORDS_BYTES, "%s%" PRIu64 ".%09" PRIu64, nano < 0 ? "-" : "", magnitude / NANO, magnitude % NANO);
    return text;
}

char *words_time(int64_t at_ms, const char *format, char text[static WORDS_BYTES])
{
    time_t at_s = (time_t)(at_ms / 1000);
    struct tm tm;

    gmtime_r(&at_s, &tm);
    strftime(text, WORDS_BYTES, format, &tm);
    return text;
}

void words_month(const char *period, int64_t *start_ms, int64_t *end_ms)
{
    struct tm tm = { .tm_mday = 1 };

    sscanf(period, "%4d-%2d", &tm.tm_year, &tm.tm_mon);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *start_ms = (int64_t)timegm(&tm) * 1000;
    tm = (struct tm){ .tm_mday = 1, .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1 };
    *end_ms = (int64_t)timegm(&tm) * 1000;
}

static const struct words_meter meters[] = {
    { "vcpu_reserved", "vCPU, reserved", "Compute" },
    { "memory_reserved", "Memory, reserved", "Compute" },
    { "cpu_used", "CPU time, used", "Compute" },
    { "memory_used", "Memory, used", "Compute" },
    { "disk_ops", "Disk operations", "Storage" },
    { "disk_bytes", "Disk bytes, read and written", "Storage" },
    { "net_packets", "Network packets", "Networking" },
    { "net_bytes_out", "Network bytes, sent", "Networking" },
    { "net_bytes_in", "Network bytes, received", "Networking" },
};

struct words_meter words_meter(const char *name)
{
    for (size_t i = 0; i < sizeof(meters) / sizeof(meters[0]); i++)
        if (strcmp(meters[i].name, name) == 0)
            return meters[i];
    return (struct words_meter){ name, name, "Other" };
}

const char *words_unit_code(const char *unit)
{
    if (strcmp(unit, "vCPU-second") == 0 || strcmp(unit, "CPU-second") == 0)
        return "SEC";
    if (strcmp(unit, "hour") == 0)
        return "HUR";
    return strcmp(unit, "GiB") == 0 ? "E62" : "C62";
}

/* The European Union and who lives next to it. */
static const char countries[][2][20] = {
    { "AT", "Austria" }, { "BE", "Belgium" }, { "BG", "Bulgaria" }, { "CH", "Switzerland" }, { "CY", "Cyprus" },
    { "CZ", "Czechia" }, { "DE", "Germany" }, { "DK", "Denmark" }, { "EE", "Estonia" }, { "ES", "Spain" },
    { "FI", "Finland" }, { "FR", "France" }, { "GB", "United Kingdom" }, { "GR", "Greece" }, { "HR", "Croatia" },
    { "HU", "Hungary" }, { "IE", "Ireland" }, { "IS", "Iceland" }, { "IT", "Italy" }, { "LI", "Liechtenstein" },
    { "LT", "Lithuania" }, { "LU", "Luxembourg" }, { "LV", "Latvia" }, { "MT", "Malta" }, { "NL", "Netherlands" },
    { "NO", "Norway" }, { "PL", "Poland" }, { "PT", "Portugal" }, { "RO", "Romania" }, { "SE", "Sweden" },
    { "SI", "Slovenia" }, { "SK", "Slovakia" }, { "US", "United States" },
};

const char *words_country(const char *code)
{
    for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++)
        if (strcmp(countries[i][0], code) == 0)
            return countries[i][1];
    return code;
}
