/* The socket's verbs; accountd/control.h is their specification. Arguments are
 * checked here, rules are ledger.c's and invoice.c's. */
#include "accountd/control.h"
#include "accountd/accountd.h"
#include "accountd/control_verbs.h"
#include "accountd/invoice.h"
#include "common/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOLD_SECONDS    3600            /* an instance's hold pays for so much */
#define NAME_MAX_BYTES  128
#define VCPUS_MAX       1024
#define MEMORY_MAX_MIB  (64 << 20)
#define SECONDS_MAX     (10ll * 366 * 86400)
#define COUNT_MAX       (1ll << 53)             /* operations, packets or bytes of one quote */
#define ENTRIES_SHOWN   200
#define RECORDS_MAX     1000

/* The one accountd of this process: rpc's handlers carry no pointer of ours. */
static struct accountd *self;

static int bad(struct rpc_call *call, const struct json_why *why)
{
    return rpc_fail(call, "bad_request", "%s", why->text);
}

static int failed(struct rpc_call *call)
{
    return rpc_fail(call, "internal", "the database could not be read or written (is the disk full?): see accountd's log");
}

/* An account, instance, invoice or transfer id. */
static int arg_name(const json_t *args, const char *key, const char **out, struct json_why *why)
{
    if (json_arg_string(args, key, RECORD_NAME_BYTES - 1, out, why))
        return -1;
    if (record_is_name(*out) && (*out)[0] != '.')
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: 1 to 64 of A-Z, a-z, 0-9, '_', '-', '.', not '.' first", key);
    return -1;
}

static int arg_account(const json_t *args, const char **out, struct json_why *why)
{
    if (arg_name(args, "account_id", out, why))
        return -1;
    if (strcmp(*out, RECORD_HOST_ACCOUNT) != 0)
        return 0;
    snprintf(why->text, sizeof(why->text), "account_id: \"host\" is the host's own");
    return -1;
}

/* What most results mean to a caller; detail names the thing. */
static int refuse(struct rpc_call *call, enum ledger_result result, const char *what)
{
    switch (result) {
    case LEDGER_NOT_FOUND:
        return rpc_fail(call, "not_found", "%s: not known", what);
    case LEDGER_EXISTS_DIFFERENT:
        return rpc_fail(call, "conflict", "%s: used before with other content", what);
    case LEDGER_CONFLICT:
        return rpc_fail(call, "conflict", "%s: closed, or another account's", what);
    default:
        return failed(call);
    }
}

static bool done(enum ledger_result result)
{
    return result == LEDGER_OK || result == LEDGER_EXISTS;
}

static int account_open(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *name, *currency;
    struct json_why why;
    struct rate_book book;
    enum ledger_result rc;
    char *body;

    if (arg_account(args, &account, &why) || json_arg_string(args, "name", NAME_MAX_BYTES, &name, &why) ||
        json_arg_string(args, "currency", 3, &currency, &why))
        return bad(call, &why);
    if (ledger_price_book(self->ledger, 0, &book, &body) != LEDGER_OK)
        return failed(call);
    free(body);
    if (strcmp(currency, book.currency) != 0)
        return rpc_fail(call, "bad_request", "currency: this host bills in %s", book.currency);
    rc = ledger_account_open(self->ledger, account, name, currency, clock_utc_ms());
    if (!done(rc))
        return refuse(call, rc, account);
    *result = json_pack("{s:s}", "account_id", account);
    return 0;
}

static json_t *balance_json(const struct ledger_balance *b)
{
    return json_pack("{s:o, s:o, s:o}", "posted_nano", json_decimal(b->posted_nano), "held_nano",
                     json_decimal(b->held_nano), "available_nano", json_decimal(b->posted_nano - b->held_nano));
}

static int fund(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id, *account, *reason;
    struct ledger_balance balance;
    char name[129], currency[4];
    struct json_why why;
    enum ledger_result rc;
    int64_t amount_nano;

    if (arg_name(args, "transfer_id", &id, &why) || arg_account(args, &account, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &amount_nano, &why) ||
        json_arg_string(args, "reason", 256, &reason, &why))
        return bad(call, &why);
    rc = ledger_account(self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return refuse(call, rc, account);
    rc = ledger_fund(self->ledger, id, account, amount_nano, reason, clock_utc_ms());
    if (!done(rc))
        return refuse(call, rc, id);
    if (ledger_account(self->ledger, account, &balance, name, currency) != LEDGER_OK)
        return failed(call);
    *result = balance_json(&balance);
    return 0;
}

static int wallet(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_balance balance;
    char name[129], currency[4];
    const char *account;
    struct json_why why;
    enum ledger_result rc;
    json_t *entries;

    if (arg_account(args, &account, &why))
        return bad(call, &why);
    rc = ledger_account(self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return refuse(call, rc, account);
    entries = ledger_entries(self->ledger, account, ENTRIES_SHOWN);
    if (!entries)
        return failed(call);
    *result = balance_json(&balance);
    json_object_set_new(*result, "account_id", json_string(account));
    json_object_set_new(*result, "currency", json_string(currency));
    json_object_set_new(*result, "entries", entries);
    return 0;
}

static int price_book(struct rpc_call *call, json_t *args, json_t **result)
{
    struct rate_book book;
    struct json_why why;
    int64_t version = 0;
    enum ledger_result rc;
    char *body, *signature;

    if (json_has(args, "version") && json_arg_int(args, "version", 1, INT32_MAX, &version, &why))
        return bad(call, &why);
    rc = ledger_price_book(self->ledger, version, &book, &body);
    if (rc != LEDGER_OK)
        return refuse(call, rc, "price book");
    signature = note_minisig(body, strlen(body), "price book", &self->keys.invoice);
    *result = json_loads(body, 0, NULL);
    json_object_set_new(*result, "signature", json_string(signature));
    free(signature);
    free(body);
    return 0;
}

static int arg_reserved(const json_t *args, struct meter_reserved *reserved, struct json_why *why)
{
    int64_t vcpus, memory_mib;

    if (json_arg_int(args, "vcpus", 1, VCPUS_MAX, &vcpus, why) ||
        json_arg_int(args, "memory_mib", 1, MEMORY_MAX_MIB, &memory_mib, why))
        return -1;
    *reserved = (struct meter_reserved){ (uint32_t)vcpus, (uint32_t)memory_mib };
    return 0;
}

static json_t *quote_lines(const struct rate_book *book, const struct meter_usage *usage)
{
    json_t *lines = json_array();

    for (int q = 0; q < METER_QUANTITIES; q++) {
        int64_t amount_nano;

        if (usage->of[q] == 0 || rate_amount(book, q, usage->of[q], &amount_nano))
            continue;
        json_array_append_new(lines, json_pack("{s:s, s:o, s:o, s:s, s:o}", "meter", meter_quantities[q].name, "quantity",
                                               json_decimal_u128(usage->of[q]), "quantity_per_unit",
                                               json_decimal_u128(meter_quantities[q].per_unit), "unit",
                                               meter_quantities[q].unit, "amount_nano", json_decimal(amount_nano)));
    }
    return lines;
}

/* Operations, packets and bytes that are expected in these seconds, and how many of them make an hour. */
static int arg_devices(const json_t *args, int64_t seconds, struct meter_usage *usage, struct meter_usage *hour,
                       struct json_why *why)
{
    int64_t count;

    for (int q = METER_DISK_OPS; q < METER_QUANTITIES; q++) {
        if (!json_has(args, meter_quantities[q].name))
            continue;
        if (json_arg_decimal(args, meter_quantities[q].name, 0, COUNT_MAX, &count, why))
            return -1;
        usage->of[q] = (unsigned __int128)count;
        hour->of[q] = (unsigned __int128)count * 3600 / (uint64_t)seconds;
    }
    return 0;
}

static int quote(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t seconds, cpu_percent = 100, total_nano, per_hour_nano, hold_nano;
    struct meter_reserved reserved;
    struct meter_usage usage, hour, hold;
    struct rate_book book;
    struct json_why why;
    char *body;

    if (arg_reserved(args, &reserved, &why) || json_arg_int(args, "seconds", 1, SECONDS_MAX, &seconds, &why) ||
        (json_has(args, "cpu_percent") && json_arg_int(args, "cpu_percent", 0, 100, &cpu_percent, &why)))
        return bad(call, &why);
    usage = rate_forecast(&reserved, seconds, cpu_percent);
    hour = rate_forecast(&reserved, 3600, cpu_percent);
    hold = rate_forecast(&reserved, HOLD_SECONDS, 100);
    if (arg_devices(args, seconds, &usage, &hour, &why))
        return bad(call, &why);
    if (ledger_price_book(self->ledger, 0, &book, &body) != LEDGER_OK)
        return failed(call);
    free(body);
    if (rate_total(&book, &usage, &total_nano) || rate_total(&book, &hour, &per_hour_nano) ||
        rate_total(&book, &hold, &hold_nano))
        return rpc_fail(call, "bad_request", "seconds: the amount would be too large");
    *result = json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "price_book", (json_int_t)book.version, "currency",
                        book.currency, "seconds", (json_int_t)seconds, "lines", quote_lines(&book, &usage), "total_nano",
                        json_decimal(total_nano), "per_hour_nano", json_decimal(per_hour_nano), "hold_nano",
                        json_decimal(hold_nano));
    return 0;
}

/* "6d2f...": 32 hex digits, with or without the dashes of RFC 9562. */
static int arg_uuid(const json_t *args, const char *key, char out[static RECORD_HEX_BYTES], struct json_why *why)
{
    const char *text;
    size_t len = 0;

    if (json_arg_string(args, key, 36, &text, why))
        return -1;
    for (size_t i = 0; text[i] && len < RECORD_HEX_BYTES - 1; i++)
        if (text[i] != '-' || (i != 8 && i != 13 && i != 18 && i != 23))
            out[len++] = text[i];
    out[len] = 0;
    if ((strlen(text) == 32 || strlen(text) == 36) && len == 32 && strspn(out, "0123456789abcdef") == 32)
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: must be a UUID in lower-case hex", key);
    return -1;
}

static int arg_registration(const json_t *args, struct ledger_registration *r, struct json_why *why)
{
    const char *account, *instance;
    uint8_t bytes[16];

    if (arg_account(args, &account, why) || arg_name(args, "instance_id", &instance, why) ||
        arg_uuid(args, "domain_uuid", r->domain_uuid, why) ||
        json_arg_hex(args, "incarnation", bytes, sizeof(bytes), why) || arg_reserved(args, &r->reserved, why))
        return -1;
    snprintf(r->account, sizeof(r->account), "%s", account);
    snprintf(r->instance, sizeof(r->instance), "%s", instance);
    snprintf(r->incarnation, sizeof(r->incarnation), "%s", json_string_value(json_object_get(args, "incarnation")));
    return 0;
}

static int insufficient(struct rpc_call *call, const char *account, int64_t needed_nano, int64_t available_nano)
{
    json_t *context = json_pack("{s:o, s:o}", "needed_nano", json_decimal(needed_nano), "available_nano",
                                json_decimal(available_nano));

    return rpc_fail_context(call, "insufficient_funds", context,
                            "account %s: a launch sets aside one hour: %jd nano, %jd are available: fund the account",
                            account, (intmax_t)needed_nano, (intmax_t)available_nano);
}

static int instance_register(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_registration r;
    const struct journal_entry *entry;
    struct rate_book book;
    struct meter_usage hour;
    struct json_why why;
    int64_t hold_nano, held_nano = 0, available_nano = 0;
    enum ledger_result rc;
    char *body;

    if (arg_registration(args, &r, &why))
        return bad(call, &why);
    entry = journal_find(&self->journal, r.incarnation);
    if (entry && entry->started && strcmp(entry->last.account, RECORD_HOST_ACCOUNT) == 0)
        return rpc_fail(call, "conflict", "incarnation: ran unregistered and is recorded as the host's own");
    if (ledger_price_book(self->ledger, 0, &book, &body) != LEDGER_OK)
        return failed(call);
    free(body);
    r.price_book = book.version;
    hour = rate_forecast(&r.reserved, HOLD_SECONDS, 100);
    if (rate_total(&book, &hour, &hold_nano))
        return rpc_fail(call, "bad_request", "vcpus, memory_mib: the hold would be too large");
    rc = ledger_register(self->ledger, &r, hold_nano, clock_utc_ms(), &held_nano, &available_nano);
    if (rc == LEDGER_INSUFFICIENT)
        return insufficient(call, r.account, hold_nano, available_nano);
    if (!done(rc))
        return refuse(call, rc, rc == LEDGER_NOT_FOUND ? r.account : rc == LEDGER_CONFLICT ? r.instance : r.incarnation);
    *result = json_pack("{s:o}", "hold_nano", json_decimal(held_nano));
    return 0;
}

static int instance_close(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *instance;
    struct json_why why;
    enum ledger_result rc;

    if (arg_name(args, "instance_id", &instance, &why))
        return bad(call, &why);
    rc = ledger_instance_close(self->ledger, instance);
    if (!done(rc))
        return refuse(call, rc, instance);
    /* The final records may be waiting on the page: take them now, so that
     * the hold is back when the caller is told. */
    accountd_tick(self, 0, NULL);
    *result = json_object();
    return 0;
}

static int put_record(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)type;
    return json_array_append_new(arg, json_pack("{s:I, s:s}", "index", (json_int_t)idx, "leaf", leaf));
}

static int records(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance;
    int64_t after = -1, limit = 100;
    json_t *list, *next;
    struct json_why why;

    if (arg_account(args, &account, &why) || arg_name(args, "instance_id", &instance, &why) ||
        (json_has(args, "after") && json_arg_int(args, "after", -1, INT64_MAX - 1, &after, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, RECORDS_MAX, &limit, &why)))
        return bad(call, &why);
    list = json_array();
    if (store_each_leaf(self->store, account, instance, (uint64_t)(after + 1), store_size(self->store), limit, put_record,
                        list)) {
        json_decref(list);
        return failed(call);
    }
    next = json_array_size(list) == (size_t)limit
        ? json_object_get(json_array_get(list, (size_t)limit - 1), "index") : json_null();
    *result = json_pack("{s:o, s:O}", "records", list, "next", next);
    return 0;
}

static int invoice_create_verb(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_balance balance;
    const char *invoice_id, *account;
    char name[129], currency[4];
    struct json_why why = { "" };
    enum ledger_result rc;
    json_t *body = NULL;

    if (arg_name(args, "invoice_id", &invoice_id, &why) || arg_account(args, &account, &why))
        return bad(call, &why);
    rc = ledger_account(self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return refuse(call, rc, account);
    if (accountd_tick(self, 0, account))
        return failed(call);
    rc = invoice_create(self, invoice_id, account, &body, &why);
    if (rc == LEDGER_CONFLICT || rc == LEDGER_EXISTS_DIFFERENT)
        return rpc_fail(call, "conflict", "%s", why.text);
    if (!done(rc))
        return rpc_fail(call, "internal", "invoice %s: %s", invoice_id, why.text[0] ? why.text : "the database failed");
    *result = json_pack("{s:o}", "invoice", body);
    return 0;
}

static int put_invoice(void *arg, const struct ledger_invoice *invoice)
{
    json_t *body = json_loads(invoice->body, 0, NULL);

    /* A list shows what was billed; its details are one invoice_get away. */
    json_object_del(body, "chains");
    json_object_del(body, "lines");
    return json_array_append_new(arg, body);
}

static int invoice_list(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct json_why why;
    json_t *list;

    if (arg_account(args, &account, &why))
        return bad(call, &why);
    list = json_array();
    if (ledger_each_invoice(self->ledger, account, put_invoice, list)) {
        json_decref(list);
        return failed(call);
    }
    *result = json_pack("{s:o}", "invoices", list);
    return 0;
}

struct got {
    json_t *body;
    char path[512];
    struct json_why why;
};

static int get_invoice(void *arg, const struct ledger_invoice *invoice)
{
    struct got *got = arg;

    if (invoice_bundle(self, invoice, got->path, sizeof(got->path), &got->why))
        return -1;
    got->body = json_loads(invoice->body, 0, NULL);
    return got->body ? 0 : -1;
}

static int invoice_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *invoice_id;
    struct got got = { .why = { "" } };
    struct json_why why;
    enum ledger_result rc;

    if (arg_account(args, &account, &why) || arg_name(args, "invoice_id", &invoice_id, &why))
        return bad(call, &why);
    rc = ledger_invoice_get(self->ledger, account, invoice_id, get_invoice, &got);
    if (rc == LEDGER_FAILED && got.why.text[0])
        return rpc_fail(call, "internal", "%s", got.why.text);
    if (rc != LEDGER_OK)
        return refuse(call, rc, invoice_id);
    *result = json_pack("{s:o, s:s}", "invoice", got.body, "bundle_path", got.path);
    return 0;
}

static int checkpoint(struct rpc_call *call, json_t *args, json_t **result)
{
    char *keys = keys_text(&self->keys, self->head.host, self->head.origin);

    (void)call;
    (void)args;
    *result = json_pack("{s:s, s:s}", "text", self->head.note, "keys", keys);
    free(keys);
    return 0;
}

static json_t *cpus_json(const struct sample *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < s->cpus; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "guest_ns", json_decimal_u64(s->cpu[i].guest_ns),
                                              "hv_ns", json_decimal_u64(s->cpu[i].hv_ns), "idle_ns",
                                              json_decimal_u64(s->cpu[i].idle_ns)));
    return list;
}

static int status(struct rpc_call *call, json_t *args, json_t **result)
{
    struct timespec now;
    uint64_t now_ms;

    (void)call;
    (void)args;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    *result = json_pack("{s:I, s:I, s:I, s:b, s:o, s:I, s:s, s:s}", "samples", (json_int_t)self->samples, "misses",
                        (json_int_t)self->misses, "last_sample_age_ms", (json_int_t)(now_ms - self->sampled_ms),
                        "conservation_ok", self->conservation_ok, "cpus", cpus_json(&self->sample), "log_size",
                        (json_int_t)self->head.size, "origin", self->head.origin, "version", PACKAGE_VERSION);
    return 0;
}

static const struct rpc_verb verbs[] = {
    { "account_open", account_open, RPC_API },
    { "fund", fund, RPC_API },
    { "wallet", wallet, RPC_API },
    { "price_book", price_book, RPC_API },
    { "quote", quote, RPC_API },
    { "instance_register", instance_register, RPC_PROVISIONER },
    { "instance_close", instance_close, RPC_PROVISIONER },
    { "usage", control_usage, RPC_API },
    { "records", records, RPC_API },
    { "invoice_create", invoice_create_verb, RPC_API },
    { "invoice_list", invoice_list, RPC_API },
    { "invoice_get", invoice_get, RPC_API },
    { "checkpoint", checkpoint, RPC_API },
    { "status", status, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};

struct rpc_server *control_listen(struct accountd *a, const char *path)
{
    self = a;
    control_usage_of(a);
    return rpc_server_new(path, 0666, verbs);
}
