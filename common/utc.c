/* Text is read by writing what it seems to say and comparing: so "2026-02-30" and
 * every second spelling is refused. */
#include "common/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAST_MS 253402300799999ll       /* 9999-12-31T23:59:59.999Z */

static struct tm broken_down(int64_t at_ms)
{
    time_t at_s = (time_t)((at_ms < 0 ? 0 : at_ms > LAST_MS ? LAST_MS : at_ms) / 1000);
    struct tm tm;

    gmtime_r(&at_s, &tm);
    return tm;
}

static void show(int64_t at_ms, const char *format, char *text, size_t bytes)
{
    struct tm tm = broken_down(at_ms);

    strftime(text, bytes, format, &tm);
}

char *utc_text(int64_t at_ms, char text[static UTC_TEXT_BYTES])
{
    show(at_ms, "%Y-%m-%dT%H:%M:%SZ", text, UTC_TEXT_BYTES);
    return text;
}

char *utc_day_text(int64_t at_ms, char text[static UTC_DAY_BYTES])
{
    show(at_ms, "%Y-%m-%d", text, UTC_DAY_BYTES);
    return text;
}

char *utc_month_text(int64_t at_ms, char text[static UTC_MONTH_BYTES])
{
    show(at_ms, "%Y-%m", text, UTC_MONTH_BYTES);
    return text;
}

bool utc_parse(const char *text, int64_t *at_ms)
{
    struct tm tm = { 0 };
    char again[UTC_TEXT_BYTES];
    int64_t ms;

    if (strlen(text) != UTC_TEXT_BYTES - 1 || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon,
                                                     &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    ms = (int64_t)timegm(&tm) * 1000;
    if (strcmp(utc_text(ms, again), text) != 0)
        return false;
    *at_ms = ms;
    return true;
}

bool utc_day_parse(const char *text, int64_t *from_ms)
{
    char whole[UTC_TEXT_BYTES + 1];

    return strlen(text) == UTC_DAY_BYTES - 1 && snprintf(whole, sizeof(whole), "%sT00:00:00Z", text) > 0 &&
           utc_parse(whole, from_ms);
}

bool utc_month_parse(const char *text, int64_t *from_ms, int64_t *to_ms)
{
    char first[UTC_DAY_BYTES + 1];
    struct tm tm;
    int64_t ms;

    if (strlen(text) != UTC_MONTH_BYTES - 1 || snprintf(first, sizeof(first), "%s-01", text) < 0 ||
        !utc_day_parse(first, &ms))
        return false;
    tm = broken_down(ms);
    tm.tm_mon++;
    *from_ms = ms;
    *to_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}
