/* The usage verbs: the records, and what each instance has used so far, the
 * running second included. `usage` shows what is charged and a little
 * more, namely what runs at this instant at the price of its next record. */
#include "accountd/control/args.h"
#include "accountd/ledger/day_sums.h"
#include "accountd/ledger/sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES_MAX 200
#define RECORDS_MAX 1000
#define PROOFS_MAX  100                 /* a proof has up to 64 hashes: so many fit a line of rpc.h */

/* The sums over all incarnations of one instance. */
struct totals {
    unsigned __int128 at[METER_COUNTERS];
    int64_t amount_nano;
    unsigned incarnations;
    bool live;
    bool unpaid;                        /* it is paused for want of money or by an operator: nothing is billed */
};

/* As charge.c will, after what the account's month has come to. */
static int add_running(struct totals *t, const struct record *last, const struct meter_usage *usage)
{
    const struct rate_book *book = price_book_get(control_self->ledger, last->price_book);
    char period[STATEMENT_PERIOD_BYTES];
    struct meter_usage before;
    int64_t nano;

    statement_period(last->t1_ms, period);
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (sums_quantity(control_self->ledger, last->account, control_self->head.origin, period, last->price_book, q,
                          &before.of[q]))
            return -1;
    if (!book || rate_total(book, &before, usage, &nano))
        return -1;
    return __builtin_add_overflow(t->amount_nano, nano, &t->amount_nano) ? -1 : 0;
}

/* The newest sample's point, with what is running and not charged by hv yet. */
static struct meter_point live_point(const struct journal_entry *e)
{
    struct meter_point point = e->point;
    struct meter_point floor = e->last.to;

    point.at[METER_GUEST_NS] += meter_running_ns(&e->slot, e->now_ns);
    return point.t_ns < floor.t_ns ? floor : point;
}

static int add_incarnation(void *arg, const struct store_incarnation *row, const char *last_leaf)
{
    struct totals *t = arg;
    const struct journal_entry *e = journal_find(&control_self->journal, row->incarnation);
    char type[CHAIN_TYPE_BYTES];
    struct record last;
    struct meter_point to;
    struct meter_usage usage;
    struct json_why why;
    const char *fell;
    json_t *fields = chain_leaf_parse(last_leaf, strlen(last_leaf), type, &why);
    int rc = fields ? record_parse(type, fields, &last, &why) : -1;

    json_decref(fields);
    if (rc)
        return -1;
    to = last.to;
    if (e && e->started && !e->ended && e->seen) {
        to = live_point(e);
        t->live |= e->slot.state == XS_SLOT_LIVE;
        t->unpaid |= e->unpaid;
        if (last.price_book && !e->unpaid && meter_between(&last.to, &to, &last.reserved, &usage, &fell) == 0)
            rc = add_running(t, &last, &usage);
    }
    for (int c = 0; c < METER_COUNTERS; c++)
        t->at[c] += to.at[c];
    return rc;
}

static int count_registration(void *arg, const struct ledger_registration *registration)
{
    struct totals *t = arg;
    const struct journal_entry *e = journal_find(&control_self->journal, registration->incarnation);

    t->incarnations++;
    /* Registered a moment ago and not in the log yet: it lives already. */
    if (e && !e->started && e->slot.state == XS_SLOT_LIVE)
        t->live = true;
    return 0;
}

static json_t *meters_running(const struct totals *t)
{
    json_t *list = json_array();

    for (int q = 0; t->live && !t->unpaid && q <= METER_MEMORY_USED; q++)
        json_array_append_new(list, json_string(meter_quantities[q].name));
    return list;
}

static json_t *totals_json(const struct totals *t, const char *instance, bool closed)
{
    json_t *o = json_pack("{s:s, s:s, s:I, s:o, s:I}", "instance_id", instance, "state",
                          t->live ? "running" : closed ? "closed" : "stopped", "incarnations",
                          (json_int_t)t->incarnations, "meters_running", meters_running(t), "as_of_ms",
                          (json_int_t)control_self->clock.utc_ms);

    for (int c = 0; c < METER_COUNTERS; c++)
        if (c != METER_PAGE_NS)
            json_object_set_new(o, meter_counter_names[c], json_decimal_u128(t->at[c]));
    json_object_set_new(o, "page_seconds", json_decimal_u128(t->at[METER_PAGE_NS] / 1000000000u));
    json_object_set_new(o, "events", json_decimal_u128(t->at[METER_EVENTS_SENT] + t->at[METER_EVENTS_RECEIVED]));
    json_object_set_new(o, "amount_nano", json_decimal(t->amount_nano));
    return o;
}

static int add_instance(void *arg, const struct ledger_instance *instance)
{
    struct totals totals = { .incarnations = 0 };
    struct control_list *l = arg;

    if (day_sums_charged(control_self->ledger, instance->account, instance->id, &totals.amount_nano) ||
        store_each_of_account(control_self->store, instance->account, instance->id, add_incarnation, &totals) ||
        ledger_each_registration(control_self->ledger, instance->id, count_registration, &totals))
        return -1;
    l->last = instance->number;
    return json_array_append_new(l->list, totals_json(&totals, instance->id, instance->closed));
}

static int add_one(const char *account, const char *id, struct control_list *l)
{
    struct ledger_instance instance;
    enum ledger_result result = ledger_instance_get(control_self->ledger, account, id, &instance);

    if (result == LEDGER_OK)
        return add_instance(l, &instance);
    return result == LEDGER_NOT_FOUND ? 0 : -1;
}

static int usage(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance = NULL;
    struct control_list l = { .last = 0 };
    int64_t before, limit;
    struct json_why why;
    bool open = false;
    int rc;

    if (json_arg_string(args, "account_id", RECORD_NAME_BYTES - 1, &account, &why) ||
        (json_has(args, "instance_id") && json_arg_string(args, "instance_id", RECORD_NAME_BYTES - 1, &instance, &why)) ||
        (json_has(args, "open") && json_arg_bool(args, "open", &open, &why)) ||
        control_arg_page(args, INSTANCES_MAX, &before, &limit, &why))
        return control_bad(call, &why);
    l.list = json_array();
    if (instance)
        rc = add_one(account, instance, &l);
    else if (open)
        rc = ledger_each_open_instance(control_self->ledger, account, add_instance, &l);
    else
        rc = ledger_each_instance(control_self->ledger, account, before, limit, add_instance, &l);
    if (rc == 0 && instance && json_array_size(l.list) == 0) {
        json_decref(l.list);
        return rpc_fail(call, "not_found", "%s: not known", instance);
    }
    return control_answer_list(call, rc, &l, "instances", open ? INT64_MAX : limit, result);
}

/* What each of these was charged so far. What is not known, or not this account's, is left out. */
static int charged(struct rpc_call *call, json_t *args, json_t **result)
{
    const json_t *list = json_object_get(args, "incarnations"), *each;
    struct ledger_registration r;
    const char *account;
    struct json_why why;
    json_t *amounts;
    size_t n;

    if (json_arg_only(args, "account_id incarnations", &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (!json_is_array(list) || json_array_size(list) > INSTANCES_MAX)
        return rpc_fail(call, "bad_request", "incarnations: must be an array of at most %d", INSTANCES_MAX);
    amounts = json_object();
    json_array_foreach(list, n, each) {
        const char *incarnation = json_string_value(each);
        enum ledger_result rc = incarnation ? ledger_registration(control_self->ledger, incarnation, &r) : LEDGER_NOT_FOUND;

        if (rc == LEDGER_OK && strcmp(r.account, account) == 0 && r.charged_nano >= 0)
            json_object_set_new(amounts, incarnation, json_decimal(r.charged_nano));
    }
    *result = json_pack("{s:o}", "charged_nano", amounts);
    return 0;
}

static int put_record(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)type;
    return json_array_append_new(arg, json_pack("{s:I, s:s}", "index", (json_int_t)idx, "leaf", leaf));
}

/* The proof under today's head; null for the leaves that no head has yet. */
static json_t *proof_json(uint64_t idx)
{
    struct chain_hash proof[CHAIN_PROOF_MAX];
    const struct head *head = &control_self->head;
    json_t *text;
    char *file;
    int len;

    if (idx >= head->size)
        return json_null();
    len = store_proof(control_self->store, idx, head->size, proof);
    file = len < 0 ? NULL : note_proof(idx, proof, (unsigned)len, head->note);
    text = file ? json_string(file) : NULL;
    free(file);
    return text;
}

static int put_proven(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct chain_hash hash = chain_leaf_hash(leaf, strlen(leaf));
    json_t *record;

    if (put_record(arg, idx, type, leaf))
        return -1;
    record = json_array_get(arg, json_array_size(arg) - 1);
    json_object_set_new(record, "leaf_hash", json_hex(hash.bytes, sizeof(hash.bytes)));
    return json_object_set_new(record, "proof", proof_json(idx));
}

static int records(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance;
    int64_t after = -1, limit = 100;
    bool proofs = false;
    json_t *list, *next;
    struct json_why why;

    if (control_arg_account(args, &account, &why) || control_arg_name(args, "instance_id", &instance, &why) ||
        (json_has(args, "after") && json_arg_int(args, "after", -1, INT64_MAX - 1, &after, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, RECORDS_MAX, &limit, &why)) ||
        (json_has(args, "proofs") && json_arg_bool(args, "proofs", &proofs, &why)))
        return control_bad(call, &why);
    if (proofs && limit > PROOFS_MAX)
        limit = PROOFS_MAX;
    list = json_array();
    if (store_each_leaf(control_self->store, account, instance, (uint64_t)(after + 1), store_size(control_self->store), limit,
                        proofs ? put_proven : put_record, list)) {
        json_decref(list);
        return control_failed(call);
    }
    next = json_array_size(list) == (size_t)limit
        ? json_object_get(json_array_get(list, (size_t)limit - 1), "index") : json_null();
    *result = json_pack("{s:o, s:O}", "records", list, "next", next);
    return 0;
}

/* Whose it is, as the leaf itself says; null in those about the host. */
static json_t *leaf_owned(json_t *record)
{
    const char *text = json_text(record, "leaf");
    char type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(text, strlen(text), type, &why), *owned;

    if (!fields)
        return NULL;
    owned = json_pack("{s:s, s:s, s:O?, s:O?, s:O?}", "origin", control_self->head.origin, "type", type, "account_id",
                      json_object_get(fields, "account"), "instance_id", json_object_get(fields, "instance"),
                      "incarnation", json_object_get(fields, "incarnation"));
    json_object_update(owned, record);
    json_decref(fields);
    return owned;
}

/* A log that was lost goes on under another origin, with other leaves at the same places. */
static int leaf(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *origin = control_self->head.origin;
    struct json_why why;
    int64_t index;
    json_t *list;

    if (json_arg_only(args, "index origin", &why) || json_arg_int(args, "index", 0, INT64_MAX - 1, &index, &why) ||
        (json_has(args, "origin") && json_arg_string(args, "origin", sizeof(control_self->head.origin) - 1, &origin, &why)))
        return control_bad(call, &why);
    if (strcmp(origin, control_self->head.origin) != 0 || (uint64_t)index >= store_size(control_self->store))
        return rpc_fail(call, "not_found", "%s %jd: the log is %s, of %ju leaves", origin, (intmax_t)index,
                        control_self->head.origin, (uintmax_t)store_size(control_self->store));
    list = json_array();
    if (store_each_leaf(control_self->store, NULL, NULL, (uint64_t)index, (uint64_t)index + 1, 1, put_proven, list) == 0)
        *result = leaf_owned(json_array_get(list, 0));
    json_decref(list);
    return *result ? 0 : control_failed(call);
}

const struct rpc_verb control_usage_verbs[] = {
    { "usage", usage, RPC_API },
    { "charged", charged, RPC_API },
    { "records", records, RPC_API },
    { "leaf", leaf, RPC_API },
    { NULL, NULL, 0 },
};
