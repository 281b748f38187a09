/* One rule for every daemon's answer, by the unit in the field's name: a new
 * amount in accountd is a new amount in the API without a line here. Points in
 * time are listed, since a name in _ms may also be a duration. */
#include "api/present.h"
#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANO INT64_C(1000000000)
#define DEPTH_MAX 12

char *money_print(int64_t nano, char out[static MONEY_BYTES])
{
    /* -(INT64_MIN) does not exist as int64_t: go unsigned before negating. */
    uint64_t size = nano < 0 ? -(uint64_t)nano : (uint64_t)nano;
    int len = snprintf(out, MONEY_BYTES, "%s%" PRIu64 ".%09" PRIu64, nano < 0 ? "-" : "", size / NANO, size % NANO);
    int point = len - 10;

    while (out[len - 1] == '0' && len - point > 3)
        out[--len] = 0;
    return out;
}

bool money_parse(const char *text, int64_t *nano)
{
    const char *point = strchr(text, '.');
    size_t whole_len = point ? (size_t)(point - text) : strlen(text);
    size_t part_len = point ? strlen(point + 1) : 0;
    int64_t value = 0;

    if (whole_len < 1 || whole_len > 10 || strspn(text, "0123456789") != whole_len)
        return false;
    if (whole_len > 1 && text[0] == '0')
        return false;
    if (point && (part_len < 1 || part_len > 9 || strspn(point + 1, "0123456789") != part_len))
        return false;
    for (size_t i = 0; i < whole_len; i++)
        value = value * 10 + (text[i] - '0');
    for (size_t i = 0; i < 9; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, i < part_len ? point[1 + i] - '0' : 0, &value))
            return false;
    *nano = value;
    return true;
}

char *time_print(int64_t unix_ms, char out[static TIME_BYTES])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;

    if (unix_ms < 0 || !gmtime_r(&seconds, &utc) || utc.tm_year > 8099) {
        out[0] = 0;
        return out;
    }
    strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + strlen(out), 6, ".%03uZ", (unsigned)(unix_ms % 1000));
    return out;
}

/* Digits exactly where the pattern has a 0, and its own characters everywhere else. */
static bool shape_is(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return *text == 0;
}

/* UTC parts to seconds; false for what the calendar does not have. */
static bool moment_find(const char *text, struct tm *utc, time_t *seconds)
{
    struct tm asked, back;

    memset(utc, 0, sizeof(*utc));
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &utc->tm_year, &utc->tm_mon, &utc->tm_mday, &utc->tm_hour, &utc->tm_min,
               &utc->tm_sec) < 3)
        return false;
    utc->tm_year -= 1900;
    utc->tm_mon -= 1;
    asked = *utc;
    *seconds = timegm(utc);
    return *seconds >= 0 && gmtime_r(seconds, &back) && back.tm_mon == asked.tm_mon && back.tm_mday == asked.tm_mday &&
           back.tm_hour == asked.tm_hour && back.tm_min == asked.tm_min && back.tm_sec == asked.tm_sec;
}

bool time_parse(const char *text, int64_t *unix_ms)
{
    bool fraction = shape_is(text, "0000-00-00T00:00:00.000Z");
    struct tm utc;
    time_t seconds;

    if ((!fraction && !shape_is(text, "0000-00-00T00:00:00Z")) || !moment_find(text, &utc, &seconds))
        return false;
    *unix_ms = (int64_t)seconds * 1000 + (fraction ? strtol(text + 20, NULL, 10) : 0);
    return true;
}

bool day_valid(const char *text)
{
    struct tm utc;
    time_t seconds;

    return shape_is(text, "0000-00-00") && moment_find(text, &utc, &seconds);
}

bool month_valid(const char *text)
{
    char day[16];

    snprintf(day, sizeof(day), "%.7s-01", text);
    return shape_is(text, "0000-00") && day_valid(day);
}

json_t *time_json(int64_t unix_ms)
{
    char text[TIME_BYTES];

    return unix_ms > 0 ? json_string(time_print(unix_ms, text)) : json_null();
}

static const struct {
    const char *inside;
    const char *outside;
} times[] = {
    {"at_ms", "at"},
    {"as_of_ms", "as_of"},
    {"created_ms", "created_at"},
    {"started_ms", "started_at"},
    {"finished_ms", "finished_at"},
    {"issued_ms", "issued_at"},
    {"period_start_ms", "period_start"},
    {"period_end_ms", "period_end"},
    {"lasts_until_ms", "lasts_until"},
    {"end_ms", "ends_at"},
    {"expires_ms", "expires_at"},
    {"closed_ms", "closed_at"},
    {"opened_ms", "opened_at"},
    {"resolved_ms", "resolved_at"},
    {"raised_ms", "raised_at"},
    {"cleared_ms", "cleared_at"},
    {"booked_ms", "booked_at"},
    {"imported_ms", "imported_at"},
    {"redeemed_ms", "redeemed_at"},
    {"proposed_ms", "proposed_at"},
    {"published_ms", "published_at"},
    {"since_ms", "since"},
    {"from_ms", "from"},
    {"to_ms", "to"},
    {"decided_ms", "decided_at"},
    {"last_stop_ms", "last_stop_at"},
    {"t0_ms", "t0"},
    {"t1_ms", "t1"},
    {"stop_ms", "stops_at"},
    {"delete_ms", "deletes_at"},
};

static json_t *copy(const json_t *value, int depth);

static const char *time_name(const char *name)
{
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (strcmp(times[i].inside, name) == 0)
            return times[i].outside;
    return NULL;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t name_len = strlen(name), ending_len = strlen(ending);

    return name_len > ending_len && strcmp(name + name_len - ending_len, ending) == 0;
}

/* Money, or null where there is none; NULL for what is neither. */
static json_t *money_json(const json_t *value)
{
    char money[MONEY_BYTES];
    int64_t nano;

    if (json_is_null(value))
        return json_null();
    return json_is_string(value) && json_decimal_parse(json_string_value(value), &nano)
        ? json_string(money_print(nano, money)) : NULL;
}

/* `x_nano`, or the rate `x_nano_per_hour`: how long x is; 0 neither. */
static int money_stem(const char *name, const char **rate)
{
    *rate = ends_with(name, "_nano_per_hour") ? "_per_hour" : "";
    if (**rate || ends_with(name, "_nano"))
        return (int)(strlen(name) - strlen(*rate) - strlen("_nano"));
    return 0;
}

/* Sets one field of the copy under its outside name. What counts as `x` and in money as `x_nano` is `x` and `x_amount`.
 */
static void field_copy(json_t *out, const json_t *inside, const char *name, const json_t *value, int depth)
{
    char shown[96];
    const char *rate;
    int stem = money_stem(name, &rate);
    json_t *money = stem ? money_json(value) : NULL;

    if (money) {
        snprintf(shown, sizeof(shown), "%.*s%s", stem, name, rate);
        if (json_object_get(inside, shown))
            snprintf(shown, sizeof(shown), "%.*s_amount", stem, name);
        json_object_set_new(out, shown, money);
    } else if (strcmp(name, "book") == 0) {
        json_object_set(out, name, (json_t *)value);
    } else if (time_name(name) && (json_is_integer(value) || json_is_null(value))) {
        json_object_set_new(out, time_name(name), time_json(json_integer_value(value)));
    } else {
        json_object_set_new(out, name, copy(value, depth));
    }
}

static json_t *copy(const json_t *value, int depth)
{
    json_t *out, *element;
    const char *name;
    size_t i;

    if (depth > DEPTH_MAX)
        return json_null();
    if (json_is_object(value)) {
        out = json_object();
        json_object_foreach((json_t *)value, name, element)
            field_copy(out, value, name, element, depth + 1);
        return out;
    }
    if (json_is_array(value)) {
        out = json_array();
        json_array_foreach(value, i, element)
            json_array_append_new(out, copy(element, depth + 1));
        return out;
    }
    return json_incref((json_t *)value);
}

json_t *present_copy(const json_t *value)
{
    return value ? copy(value, 0) : NULL;
}

json_t *present_thing(const json_t *value, const char *id_name)
{
    json_t *view = present_copy(value);

    json_object_set(view, "id", json_object_get(view, id_name));
    json_object_del(view, id_name);
    json_object_del(view, "account_id");
    return view;
}

json_t *present_page(json_t *list)
{
    return json_pack("{s:o, s:n}", "data", list, "next_cursor");
}
