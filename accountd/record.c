/* Records to JSON and back. */
#include "accountd/record.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

bool record_is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < RECORD_NAME_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static void counter_key(char key[40], int counter, int end)
{
    /* 48 of them a record: printf would be a twentieth of what a record costs. */
    char *at = stpcpy(key, meter_counter_names[counter]);

    memcpy(at, end ? "_1" : "_0", 3);
}

/* How many of the counters this record names. */
static int counters_of(const struct record *r)
{
    return r->before_replays ? METER_COUNTERS_FIRST : METER_COUNTERS;
}

/* The fields of a record, to be put into the object in the order of their keys: what is in order is written
 * without being sorted (common/json). */
#define FIELDS_MAX (20 + 2 * METER_COUNTERS)
struct field {
    char key[40];
    json_t *value;
};
struct fields {
    struct field at[FIELDS_MAX];
    unsigned count;
};

static void put(struct fields *f, const char *key, json_t *value)
{
    strcpy(f->at[f->count].key, key);
    f->at[f->count++].value = value;
}

static void put_point(struct fields *f, const struct record *r, int end)
{
    const struct meter_point *point = end ? &r->to : &r->from;

    put(f, end ? "t1_ns" : "t0_ns", json_decimal_u64(point->t_ns));
    for (int c = 0; c < counters_of(r); c++) {
        counter_key(f->at[f->count].key, c, end);
        f->at[f->count++].value = json_decimal_u128(point->at[c]);
    }
}

static int by_key(const void *left, const void *right, void *arg)
{
    const struct fields *f = arg;

    return strcmp(f->at[*(const unsigned char *)left].key, f->at[*(const unsigned char *)right].key);
}

/* Keys are the same in every record of its age, and so is their order: it is found once for each of the two, by the one
 * thread that makes records. */
static const unsigned char *order_of(struct fields *f, bool before_replays)
{
    static unsigned char order[2][FIELDS_MAX];
    static bool known[2];

    if (!known[before_replays]) {
        for (unsigned i = 0; i < f->count; i++)
            order[before_replays][i] = (unsigned char)i;
        qsort_r(order[before_replays], f->count, 1, by_key, f);
        known[before_replays] = true;
    }
    return order[before_replays];
}

json_t *record_fields(const struct record *r)
{
    struct fields f;
    const unsigned char *order;
    json_t *fields = json_object();

    f.count = 0;
    put(&f, "host", json_string(r->host));
    put(&f, "account", json_string(r->account));
    put(&f, "instance", json_string(r->instance));
    put(&f, "boot", json_string(r->boot));
    put(&f, "domain_uuid", json_string(r->domain_uuid));
    put(&f, "incarnation", json_string(r->incarnation));
    put(&f, "flags", json_string(r->flags));
    put(&f, "number", json_integer(r->number));
    put(&f, "prev", json_hex(r->prev.bytes, CHAIN_HASH_BYTES));
    put(&f, "vcpus", json_integer(r->reserved.vcpus));
    put(&f, "memory_mib", json_integer(r->reserved.memory_mib));
    put(&f, "price_book", json_integer(r->price_book));
    put(&f, "t0_ms", json_integer(r->t0_ms));
    put(&f, "t1_ms", json_integer(r->t1_ms));
    put(&f, "utc_error_ms", json_integer(r->utc_error_ms));
    put(&f, "samples", json_integer(r->samples));
    put(&f, "misses", json_integer(r->misses));
    put(&f, "salt", json_hex(r->salt, sizeof(r->salt)));
    put_point(&f, r, 0);
    put_point(&f, r, 1);
    order = order_of(&f, r->before_replays);
    for (unsigned i = 0; i < f.count; i++)
        json_object_set_new_nocheck(fields, f.at[order[i]].key, f.at[order[i]].value);
    return fields;
}

static int take_u128(const json_t *fields, const char *key, unsigned __int128 max, unsigned __int128 *out,
                     struct json_why *why)
{
    const char *text = json_string_value(json_object_get(fields, key));

    if (text && json_u128_parse(text, out) && *out <= max)
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: missing or not a counter", key);
    return -1;
}

static int take_point(const json_t *fields, struct record *r, int end, struct json_why *why)
{
    struct meter_point *point = end ? &r->to : &r->from;
    unsigned __int128 value;
    char key[40];

    if (take_u128(fields, end ? "t1_ns" : "t0_ns", UINT64_MAX, &value, why))
        return -1;
    point->t_ns = (uint64_t)value;
    for (int c = 0; c < counters_of(r); c++) {
        counter_key(key, c, end);
        if (take_u128(fields, key, c == METER_PAGE_NS ? ~(unsigned __int128)0 : UINT64_MAX, &point->at[c], why))
            return -1;
    }
    return 0;
}

/* A string field into an array of `bytes`. */
static int take_text(const json_t *fields, const char *key, char *out, size_t bytes, struct json_why *why)
{
    const char *text = json_string_value(json_object_get(fields, key));

    if (!text || strlen(text) >= bytes) {
        snprintf(why->text, sizeof(why->text), "%s: missing, not a string or too long", key);
        return -1;
    }
    strcpy(out, text);
    return 0;
}

static int take_hex(const json_t *fields, const char *key, char out[RECORD_HEX_BYTES], struct json_why *why)
{
    uint8_t bytes[16];

    if (json_arg_hex(fields, key, bytes, sizeof(bytes), why))
        return -1;
    sodium_bin2hex(out, RECORD_HEX_BYTES, bytes, sizeof(bytes));
    return 0;
}

static int take_names(const json_t *fields, struct record *r, struct json_why *why)
{
    if (take_text(fields, "host", r->host, sizeof(r->host), why) ||
        take_text(fields, "account", r->account, sizeof(r->account), why) ||
        take_text(fields, "instance", r->instance, sizeof(r->instance), why) ||
        take_text(fields, "flags", r->flags, sizeof(r->flags), why) || take_hex(fields, "boot", r->boot, why) ||
        take_hex(fields, "domain_uuid", r->domain_uuid, why) || take_hex(fields, "incarnation", r->incarnation, why))
        return -1;
    if (record_is_name(r->host) && record_is_name(r->account) && record_is_name(r->instance))
        return 0;
    snprintf(why->text, sizeof(why->text), "host, account or instance: not a name");
    return -1;
}

static int take_numbers(const json_t *fields, struct record *r, struct json_why *why)
{
    int64_t vcpus, memory_mib, big = (1ll << 53) - 1;

    if (json_arg_int(fields, "number", 0, big, &r->number, why) ||
        json_arg_int(fields, "vcpus", 0, UINT32_MAX, &vcpus, why) ||
        json_arg_int(fields, "memory_mib", 0, UINT32_MAX, &memory_mib, why) ||
        json_arg_int(fields, "price_book", 0, INT32_MAX, &r->price_book, why) ||
        json_arg_int(fields, "t0_ms", 0, big, &r->t0_ms, why) || json_arg_int(fields, "t1_ms", 0, big, &r->t1_ms, why) ||
        json_arg_int(fields, "utc_error_ms", 0, big, &r->utc_error_ms, why) ||
        json_arg_int(fields, "samples", 0, big, &r->samples, why) ||
        json_arg_int(fields, "misses", 0, big, &r->misses, why) ||
        json_arg_hex(fields, "prev", r->prev.bytes, CHAIN_HASH_BYTES, why) ||
        json_arg_hex(fields, "salt", r->salt, sizeof(r->salt), why))
        return -1;
    r->reserved = (struct meter_reserved){ (uint32_t)vcpus, (uint32_t)memory_mib };
    return 0;
}

static bool is_record_type(const char *type)
{
    static const char *const types[] = { "start", "succ", "use", "end", "gap", "anomaly" };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

int record_parse(const char *type, const json_t *fields, struct record *record, struct json_why *why)
{
    struct record r = { 0 };
    json_t *again;
    bool same;

    if (!is_record_type(type)) {
        snprintf(why->text, sizeof(why->text), "%.16s: not a record's type", type);
        return -1;
    }
    strcpy(r.type, type);
    r.before_replays = !json_has(fields, "io_replays_0");
    if (take_names(fields, &r, why) || take_numbers(fields, &r, why) || take_point(fields, &r, 0, why) ||
        take_point(fields, &r, 1, why))
        return -1;
    again = record_fields(&r);
    same = json_equal(again, fields);
    json_decref(again);
    if (!same) {
        snprintf(why->text, sizeof(why->text), "a field that records do not have");
        return -1;
    }
    *record = r;
    return 0;
}

bool record_is_unpaid(const struct record *record)
{
    return strcmp(record->flags, RECORD_UNPAID) == 0;
}

int record_usage(const struct record *record, struct meter_usage *usage, struct json_why *why)
{
    const char *fell;

    *usage = (struct meter_usage){ { 0 } };
    if ((strcmp(record->type, "use") != 0 && strcmp(record->type, "end") != 0) || record_is_unpaid(record))
        return 0;
    if (meter_between(&record->from, &record->to, &record->reserved, usage, &fell) == 0)
        return 0;
    snprintf(why->text, sizeof(why->text), "%s falls within the record", fell);
    return -1;
}

static bool point_equal(const struct meter_point *a, const struct meter_point *b)
{
    for (int c = 0; c < METER_COUNTERS; c++)
        if (a->at[c] != b->at[c])
            return false;
    return a->t_ns == b->t_ns;
}

static bool refuse(struct json_why *why, const struct record *r, const char *text)
{
    snprintf(why->text, sizeof(why->text), "incarnation %s, record %jd: %s", r->incarnation, (intmax_t)r->number, text);
    return false;
}

bool record_follows(const struct record *record, const struct chain_hash *hash, const struct record *next,
                    struct json_why *why)
{
    if (record_is_last(record))
        return refuse(why, next, "follows the end");
    if (next->number != record->number + 1)
        return refuse(why, next, "its number does not follow the one before");
    if (!chain_hash_equal(&next->prev, hash))
        return refuse(why, next, "prev is not the hash of the record before");
    if (strcmp(next->type, "start") == 0 || strcmp(next->type, "succ") == 0)
        return refuse(why, next, "a second start");
    if (!point_equal(&record->to, &next->from))
        return refuse(why, next, "does not start where the record before ended");
    if (strcmp(record->account, next->account) != 0 || strcmp(record->instance, next->instance) != 0 ||
        strcmp(record->boot, next->boot) != 0 || strcmp(record->domain_uuid, next->domain_uuid) != 0)
        return refuse(why, next, "another owner, boot or domain than the record before");
    return true;
}

bool record_is_first(const struct record *record, struct json_why *why)
{
    static const struct chain_hash zero;
    struct meter_point birth = { .t_ns = record->from.t_ns };

    if (strcmp(record->type, "succ") == 0 && record->number > 0)
        return true;
    if (strcmp(record->type, "start") != 0 || record->number != 0 || !chain_hash_equal(&record->prev, &zero))
        return refuse(why, record, "a chain begins with start, number 0 and no record before");
    if (!point_equal(&record->from, &birth) || !point_equal(&record->to, &birth))
        return refuse(why, record, "a start has all counters at 0");
    return true;
}

bool record_is_last(const struct record *record)
{
    return strcmp(record->type, "end") == 0 || strcmp(record->type, "gap") == 0;
}
