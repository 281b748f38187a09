/* Reading the records as they come, a few at a tick; adding up and writing when it is due. */
#include "accountd/hostbooks.h"
#include "accountd/accountd.h"
#include "accountd/ledger/usage_sum.h"
#include "accountd/statement.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_NS       3600000000000ull
#define READ_AT_ONCE  4000              /* leaves a tick: the cap must not wait for us */
#define UNSETTLED_MAX 3

static const char *const owner_names[BOOKS_OWNERS] = { "customers", "dom0", "unregistered", "hv" };

static enum hostbooks_owner owner_of(const struct record *r)
{
    if (strcmp(r->account, RECORD_HOST_ACCOUNT) != 0)
        return BOOKS_CUSTOMERS;
    return strcmp(r->instance, "hv") == 0     ? BOOKS_HV
           : strcmp(r->instance, "dom0") == 0 ? BOOKS_DOM0
                                              : BOOKS_UNREGISTERED;
}

static int64_t cpu_ns(const struct meter_point *point)
{
    return (int64_t)(point->at[METER_GUEST_NS] + point->at[METER_HV_NS]);
}

static struct hostbooks_tally *tally_of(struct hostbooks *b, const struct record *r, const char *period)
{
    struct hostbooks_tally *t;

    for (size_t i = 0, at = b->tally_last; i < b->tallies_count; i++, at = (at + 1) % b->tallies_count) {
        t = &b->tallies[at];
        if (t->version == r->price_book && strcmp(t->period, period) == 0 && strcmp(t->account, r->account) == 0) {
            b->tally_last = at;
            return t;
        }
    }
    t = reallocarray(b->tallies, b->tallies_count + 1, sizeof(*t));
    if (!t)
        return NULL;
    b->tallies = t;
    t += b->tallies_count++;
    *t = (struct hostbooks_tally){ .version = r->price_book };
    snprintf(t->account, sizeof(t->account), "%s", r->account);
    snprintf(t->period, sizeof(t->period), "%s", period);
    return t;
}

static int read_usage(struct hostbooks *b, const struct record *r)
{
    char period[STATEMENT_PERIOD_BYTES];
    struct hostbooks_tally *tally;
    struct meter_usage usage;
    struct json_why why;

    if (strcmp(r->account, RECORD_HOST_ACCOUNT) == 0)
        return 0;
    tally = tally_of(b, r, statement_period(r->t0_ms, period));
    b->records++;
    return tally && record_usage(r, &usage, &why) == 0 ? meter_add(&tally->used, &usage) : -1;
}

/* More than its vCPUs can have had between the two points; hv's and dom0's are the CPUs. */
static void suspect(struct accountd *a, const struct record *r, const struct meter_point *to, uint64_t idx)
{
    struct hostbooks *b = &a->books;
    int64_t vcpus = owner_of(r) == BOOKS_CUSTOMERS ? r->reserved.vcpus : a->sample.cpus;
    int64_t excess_ns = cpu_ns(to) - cpu_ns(&r->from) -
                        vcpus * (int64_t)(to->t_ns - r->from.t_ns + HOSTBOOKS_SKEW_NS + METER_SETTLE_NS);

    if (excess_ns <= b->worst_ns)
        return;
    b->worst_ns = excess_ns;
    b->worst_idx = idx;
    strcpy(b->worst, r->incarnation);
}

static void read_cpu(struct accountd *a, uint64_t idx, const struct record *r)
{
    struct hostbooks *b = &a->books;

    if (idx < b->recorded_from || strcmp(r->boot, b->boot) != 0)
        return;
    /* Chains telescope from 0; one that goes on in this log began before it. */
    b->recorded_ns[owner_of(r)] += cpu_ns(&r->to) - (strcmp(r->type, "succ") == 0 ? 0 : cpu_ns(&r->from));
    suspect(a, r, &r->to, idx);
    if (strcmp(r->type, "gap") == 0)
        strcpy(b->lost, r->incarnation);
}

static int read_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct accountd *a = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why = { "" };
    struct record record;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int rc = fields ? 0 : -1;

    (void)type;
    if (json_has(fields, "account")) {
        rc = record_parse(leaf_type, fields, &record, &why) ? -1 : read_usage(&a->books, &record);
        if (rc == 0)
            read_cpu(a, idx, &record);
    }
    if (rc)
        log_warnx("books: leaf %ju cannot be read: %s", (uintmax_t)idx, why.text);
    json_decref(fields);
    a->books.read_to = idx + 1;
    return rc;
}

static void begin_boot(struct accountd *a)
{
    struct hostbooks *b = &a->books;

    if (strcmp(b->boot, a->journal.boot) == 0)
        return;
    strcpy(b->boot, a->journal.boot);
    b->last = (struct hostbooks_sums){ 0 };
    b->last_ns = 0;
    b->last_ms = 0;
    b->worst_ns = 0;
    b->lost[0] = 0;
    memset(b->recorded_ns, 0, sizeof(b->recorded_ns));
    b->due_ns = a->sample.now_ns - a->sample.now_ns % HOUR_NS + HOUR_NS;
}

/* False if something could not be read this time. */
static bool add_cpus(const struct sample *s, struct hostbooks_sums *sums)
{
    for (uint32_t i = 0; i < s->cpus; i++) {
        if (!s->cpu_read[i])
            return false;
        sums->wall_ns += (int64_t)(s->cpu[i].charged_until_ns - s->cpu[i].online_ns);
        sums->guest_ns += (int64_t)s->cpu[i].guest_ns;
        sums->hv_ns += (int64_t)s->cpu[i].hv_ns;
        sums->idle_ns += (int64_t)s->cpu[i].idle_ns;
    }
    return true;
}

/* Records of what was, and what followed them of what lives. */
static bool add_slots(struct accountd *a, struct hostbooks_sums *sums)
{
    for (uint32_t i = 0; i < a->sample.slots; i++)
        if (a->sample.slot_read[i] == SAMPLE_TORN)
            return false;
    memcpy(sums->owner_ns, a->books.recorded_ns, sizeof(sums->owner_ns));
    for (const struct journal_entry *e = a->journal.entries; e; e = e->next) {
        struct record tail = e->last;

        if (!e->seen || e->ended)
            continue;
        if (!e->started) {
            sums->owner_ns[BOOKS_UNREGISTERED] += cpu_ns(&e->point);
            continue;
        }
        tail.from = e->last.to;
        sums->owner_ns[owner_of(&tail)] += cpu_ns(&e->point) - cpu_ns(&tail.from);
        suspect(a, &tail, &e->point, a->books.read_to);
    }
    return true;
}

static int64_t skew_of(const struct hostbooks_sums *sums)
{
    int64_t skew = sums->guest_ns + sums->hv_ns;

    for (int o = 0; o < BOOKS_OWNERS; o++)
        skew -= sums->owner_ns[o];
    return skew;
}

static void put_ns(json_t *fields, const char *prefix, const char *name, int64_t ns)
{
    char key[64];

    snprintf(key, sizeof(key), "%s%s_ns", prefix, name);
    json_object_set_new(fields, key, json_decimal(ns));
}

static void put_sums(json_t *fields, const char *prefix, const struct hostbooks_sums *now,
                     const struct hostbooks_sums *then)
{
    put_ns(fields, prefix, "wall", now->wall_ns - then->wall_ns);
    put_ns(fields, prefix, "cpu_guest", now->guest_ns - then->guest_ns);
    put_ns(fields, prefix, "cpu_hv", now->hv_ns - then->hv_ns);
    put_ns(fields, prefix, "idle", now->idle_ns - then->idle_ns);
    for (int o = 0; o < BOOKS_OWNERS; o++)
        put_ns(fields, prefix, owner_names[o], now->owner_ns[o] - then->owner_ns[o]);
}

/* A statement that is being made. */
struct closing {
    struct hostbooks_sums sums;
    int64_t skew_ns, skew_max_ns;
    int64_t to_seq, charges, charged_nano, recomputed_nano;
    char drift[32];
    bool ledger_closes;
};

static json_t *fields_of(struct accountd *a, const struct closing *c)
{
    const struct hostbooks *b = &a->books;
    json_t *fields = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:s}", "host",
        a->head.host, "boot", b->boot, "cpus", (json_int_t)a->sample.cpus, "from_ms", (json_int_t)b->last_ms, "to_ms",
        (json_int_t)a->clock.utc_ms, "t0_ns", json_decimal_u64(b->last_ns), "t1_ns", json_decimal_u64(a->sample.now_ns),
        "skew_ns", json_decimal(c->skew_ns), "skew_max_ns", json_decimal(c->skew_max_ns), "from_index",
        (json_int_t)b->from_idx, "to_index", (json_int_t)b->read_to, "records", (json_int_t)b->records, "from_seq",
        (json_int_t)b->from_seq, "to_seq", (json_int_t)c->to_seq, "charges", (json_int_t)c->charges, "charged_nano",
        json_decimal(c->charged_nano), "recomputed_nano", json_decimal(c->recomputed_nano), "drift", c->drift);

    put_sums(fields, "", &c->sums, &b->last);
    put_sums(fields, "boot_", &c->sums, &(struct hostbooks_sums){ 0 });
    for (int o = 0; o < BOOKS_OWNERS; o++)
        put_ns(fields, "recorded_", owner_names[o], b->recorded_ns[o]);
    return fields;
}

/* What is checked once and closed is not looked at again; what is not, is. */
static void move_on(struct accountd *a, const struct closing *c)
{
    struct hostbooks *b = &a->books;

    b->last = c->sums;
    b->last_ns = a->sample.now_ns;
    b->last_ms = a->clock.utc_ms;
    b->due_ns = a->sample.now_ns - a->sample.now_ns % HOUR_NS + HOUR_NS;
    b->unsettled = 0;
    if (!strstr(c->drift, "slots"))
        b->worst_ns = 0;
    if (!c->ledger_closes)
        return;
    b->from_idx = b->read_to;
    b->from_seq = c->to_seq;
    b->records = 0;
    b->tallies_count = b->tally_last = 0;
}

static int check(struct accountd *a, struct closing *c)
{
    int cpus, slots, ledger;

    c->to_seq = ledger_last_seq(a->ledger);
    if (c->to_seq < 0 || hostbooks_recompute(a, &c->recomputed_nano) ||
        usage_sum(a->ledger, a->head.origin, a->books.from_seq, c->to_seq, &c->charges, &c->charged_nano))
        return -1;
    cpus = hostbooks_check_cpus(a);
    slots = hostbooks_check_slots(a, c->skew_ns, c->skew_max_ns);
    ledger = hostbooks_check_ledger(a, c->charged_nano, c->recomputed_nano);
    if (cpus < 0 || slots < 0 || ledger < 0)
        return -1;
    c->ledger_closes = ledger;
    snprintf(c->drift, sizeof(c->drift), "%s%s%s", cpus ? "" : "cpu ", slots ? "" : "slots ", ledger ? "" : "ledger ");
    if (c->drift[0])
        c->drift[strlen(c->drift) - 1] = 0;
    return 0;
}

static int close_books(struct accountd *a)
{
    struct hostbooks *b = &a->books;
    struct closing c = { .skew_max_ns = (int64_t)(a->sample.cpus * HOSTBOOKS_SKEW_NS) };
    bool settled = add_cpus(&a->sample, &c.sums) && add_slots(a, &c.sums);

    c.skew_ns = skew_of(&c.sums);
    /* Our reading may have been held up between the two: only what stays so is a drift. */
    if (!settled || ((c.skew_ns > c.skew_max_ns || c.skew_ns < -c.skew_max_ns) && ++b->unsettled < UNSETTLED_MAX))
        return 0;
    if (check(a, &c) || head_append(&a->head, "books", fields_of(a, &c)))
        return -1;
    move_on(a, &c);
    return 1;
}

int hostbooks_run(struct accountd *a)
{
    struct hostbooks *b = &a->books;
    bool due;

    begin_boot(a);
    due = a->sample.now_ns >= b->due_ns;
    if (store_each_leaf(a->store, NULL, NULL, b->read_to, a->head.size, b->due_ns ? READ_AT_ONCE : -1, read_leaf, a))
        return -1;
    return due && b->read_to == a->head.size ? close_books(a) : 0;
}

int hostbooks_now(struct accountd *a)
{
    a->books.due_ns = 0;
    for (unsigned i = 0; i < UNSETTLED_MAX && a->books.due_ns == 0; i++)
        if (accountd_tick(a, 0, NULL))
            return -1;
    return a->books.due_ns ? 0 : -1;
}

static int take_sums(const json_t *fields, struct hostbooks *b, struct json_why *why)
{
    struct hostbooks_sums *s = &b->last;
    char key[64];

    if (json_arg_decimal(fields, "boot_wall_ns", 0, INT64_MAX, &s->wall_ns, why) ||
        json_arg_decimal(fields, "boot_cpu_guest_ns", 0, INT64_MAX, &s->guest_ns, why) ||
        json_arg_decimal(fields, "boot_cpu_hv_ns", 0, INT64_MAX, &s->hv_ns, why) ||
        json_arg_decimal(fields, "boot_idle_ns", 0, INT64_MAX, &s->idle_ns, why))
        return -1;
    for (int o = 0; o < BOOKS_OWNERS; o++) {
        snprintf(key, sizeof(key), "boot_%s_ns", owner_names[o]);
        if (json_arg_decimal(fields, key, INT64_MIN, INT64_MAX, &s->owner_ns[o], why))
            return -1;
        snprintf(key, sizeof(key), "recorded_%s_ns", owner_names[o]);
        if (json_arg_decimal(fields, key, INT64_MIN, INT64_MAX, &b->recorded_ns[o], why))
            return -1;
    }
    return 0;
}

static int take_statement(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct hostbooks *b = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int64_t t1_ns, from, to, seq, to_seq;
    const char *boot;
    int rc = -1;

    (void)type;
    if (fields && take_sums(fields, b, &why) == 0 &&
        json_arg_string(fields, "boot", RECORD_HEX_BYTES - 1, &boot, &why) == 0 &&
        json_arg_decimal(fields, "t1_ns", 0, INT64_MAX, &t1_ns, &why) == 0 &&
        json_arg_int(fields, "to_ms", 0, INT64_MAX, &b->last_ms, &why) == 0 &&
        json_arg_int(fields, "from_index", 0, INT64_MAX, &from, &why) == 0 &&
        json_arg_int(fields, "to_index", from, INT64_MAX, &to, &why) == 0 &&
        json_arg_int(fields, "from_seq", 0, INT64_MAX, &seq, &why) == 0 &&
        json_arg_int(fields, "to_seq", seq, INT64_MAX, &to_seq, &why) == 0) {
        bool closed = !strstr(json_string_value(json_object_get(fields, "drift")), "ledger");

        strcpy(b->boot, boot);
        b->last_ns = (uint64_t)t1_ns;
        b->due_ns = b->last_ns - b->last_ns % HOUR_NS + HOUR_NS;
        b->recorded_from = (uint64_t)to;
        b->from_idx = b->read_to = (uint64_t)(closed ? to : from);
        b->from_seq = closed ? to_seq : seq;
        rc = 0;
    }
    if (rc)
        log_warnx("books: leaf %ju cannot be read: %s", (uintmax_t)idx, why.text);
    json_decref(fields);
    return rc;
}

int hostbooks_open(struct accountd *a)
{
    a->books = (struct hostbooks){ .due_ns = HOUR_NS };
    return store_newest_host_leaves(a->store, "books", UINT32_MAX, 1, take_statement, &a->books);
}

void hostbooks_close(struct accountd *a)
{
    free(a->books.tallies);
    a->books.tallies = NULL;
}
