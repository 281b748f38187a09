/* The records of one incarnation: each goes on where the one before ended. */
#include "accountd/journal_write.h"
#include "accountd/ledger/price_books.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int journal_read_leaf(const char *leaf, struct record *record, struct chain_hash *hash)
{
    char type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), type, &why);
    int rc = fields ? record_parse(type, fields, record, &why) : -1;

    if (rc)
        log_warnx("log: a stored leaf cannot be read: %s", why.text);
    *hash = chain_leaf_hash(leaf, strlen(leaf));
    json_decref(fields);
    return rc;
}

static int64_t utc_of(const struct journal_clock *clock, uint64_t now_ns, uint64_t t_ns)
{
    int64_t ms = clock->utc_ms - (int64_t)(now_ns - t_ns) / 1000000;

    return ms > 0 ? ms : 0;
}

/* The host's own (0) has no price and is never moved. */
static int64_t book_at(const struct journal *j, const struct journal_entry *e, int64_t at_ms)
{
    return e->last.price_book ? price_book_for_running(j->head->ledger, e->last.price_book, at_ms) : 0;
}

bool journal_is_moved(const struct journal *j, const struct journal_entry *e, const struct journal_clock *clock)
{
    return book_at(j, e, utc_of(clock, e->now_ns, e->point.t_ns)) != book_at(j, e, e->last.t1_ms);
}

/* The record after `e->last`, of this type, up to the newest point. */
static struct record next_record(const struct journal *j, const struct journal_entry *e, const char *type,
                                 const struct journal_clock *clock)
{
    struct record r = e->last;

    r.price_book = book_at(j, e, e->last.t1_ms);
    snprintf(r.type, sizeof(r.type), "%s", type);
    r.number = e->last.number + 1;
    r.prev = e->last_hash;
    r.from = e->last.to;
    r.to = e->point;
    r.t0_ms = e->last.t1_ms;
    r.t1_ms = utc_of(clock, e->now_ns, e->point.t_ns);
    r.utc_error_ms = clock->error_ms;
    r.samples = e->samples;
    r.misses = e->misses;
    r.before_replays = false;
    snprintf(r.flags, sizeof(r.flags), "%s", e->unpaid ? RECORD_UNPAID : e->resumed ? "restart" : "");
    randombytes_buf(r.salt, sizeof(r.salt));
    return r;
}

static void set_owner(struct record *r, const struct ledger_registration *reg)
{
    snprintf(r->account, sizeof(r->account), "%s", reg->account);
    snprintf(r->instance, sizeof(r->instance), "%s", reg->instance);
    r->reserved = reg->reserved;
    r->price_book = reg->price_book;
}

static struct record first_record(const struct journal *j, const struct journal_entry *e,
                                  const struct ledger_registration *reg, const struct journal_clock *clock)
{
    struct record r = { .type = "start", .utc_error_ms = clock->error_ms };

    snprintf(r.host, sizeof(r.host), "%s", j->head->host);
    snprintf(r.boot, sizeof(r.boot), "%s", j->boot);
    snprintf(r.incarnation, sizeof(r.incarnation), "%s", e->incarnation);
    sodium_bin2hex(r.domain_uuid, sizeof(r.domain_uuid), e->slot.uuid, sizeof(e->slot.uuid));
    set_owner(&r, reg);
    r.from.t_ns = r.to.t_ns = e->slot.born_ns;
    r.t0_ms = r.t1_ms = utc_of(clock, e->now_ns, e->slot.born_ns);
    randombytes_buf(r.salt, sizeof(r.salt));
    return r;
}

/* A row is written with the first record and when its state changes: the records themselves say the rest. */
static int note_state(struct journal *j, const struct journal_entry *e, const struct record *record)
{
    struct store_incarnation row = {
        .incarnation = e->incarnation, .account = record->account, .instance = record->instance, .slot = e->slot_index,
        .state = strcmp(record->type, "end") == 0 ? "ended" : strcmp(record->type, "gap") == 0 ? "lost" : "open",
    };

    if (!e->started)
        return store_incarnation_add(j->head->store, &row);
    return record_is_last(record) ? store_incarnation_state(j->head->store, row.incarnation, row.state) : 0;
}

/* Writes the record and moves the entry on. The caller undoes a batch that fails. */
static int write_record(struct journal *j, struct journal_entry *e, const struct record *record)
{
    struct store_subject subject = { record->account, record->instance, record->incarnation, record->number };
    struct meter_usage usage;
    struct json_why why;
    json_t *fields = record_fields(record);
    char *leaf = chain_leaf(record->type, fields, &why);
    int rc = leaf ? record_usage(record, &usage, &why) : -1;
    uint64_t idx;

    if (rc)
        log_warnx("incarnation %s: no %s record: %s", e->incarnation, record->type, why.text);
    else if (store_append(j->head->store, record->type, &subject, leaf, &idx, &e->last_hash) ||
             note_state(j, e, record))
        rc = -1;
    e->last = *record;
    e->started = true;
    e->ended = record_is_last(record);
    e->resumed = false;
    e->samples = e->misses = 0;
    json_decref(fields);
    free(leaf);
    return rc;
}

/* Nothing after the last record can be known: what was used since is not billed. */
int journal_write_gap(struct journal *j, struct journal_entry *e, const char *reason, const struct journal_clock *clock)
{
    struct record r;

    e->point = e->last.to;
    e->now_ns = e->point.t_ns;
    r = next_record(j, e, "gap", clock);
    snprintf(r.flags, sizeof(r.flags), "%s", reason);
    log_warnx("instance %s: incarnation %s lost (%s): its use since record %jd is not billed", e->last.instance,
              e->incarnation, reason, (intmax_t)e->last.number);
    return write_record(j, e, &r);
}

int journal_write_segment(struct journal *j, struct journal_entry *e, const char *type,
                          const struct journal_clock *clock)
{
    struct record r = next_record(j, e, type, clock), a;
    struct meter_usage usage;
    const char *fell;

    if (meter_between(&r.from, &r.to, &r.reserved, &usage, &fell) == 0)
        return write_record(j, e, &r);
    log_warnx("instance %s: incarnation %s: counter %s fell: the segment is not billed", r.instance, e->incarnation,
              fell);
    a = next_record(j, e, "anomaly", clock);
    snprintf(a.flags, sizeof(a.flags), "%s", fell);
    if (write_record(j, e, &a))
        return -1;
    /* The flag of an anomaly is its counter, so what follows has to say for itself that it is unpaid. */
    if (strcmp(type, "end") != 0 && !e->unpaid)
        return 0;
    r = next_record(j, e, type, clock);
    return write_record(j, e, &r);
}

/* Closes the segment, and says with a record of no length what the next one is. */
int journal_write_turn(struct journal *j, struct journal_entry *e, const struct journal_clock *clock)
{
    struct record r;

    if (journal_write_segment(j, e, "use", clock))
        return -1;
    e->unpaid = e->unpaid_next;
    log_info("instance %s: incarnation %s: %s from record %jd on", e->last.instance, e->incarnation,
             e->unpaid ? "paused without money, not billed" : "runs again, billed", (intmax_t)e->last.number + 1);
    r = next_record(j, e, "use", clock);
    return write_record(j, e, &r);
}

bool journal_is_host(const struct journal_entry *e)
{
    return e->slot_index == 0 || e->slot.domid == 0;
}

/* The first record in this log. If the ledger has charged this incarnation
 * before, an older log had it: go on where that was charged to. */
int journal_write_first(struct journal *j, struct journal_entry *e, const struct ledger_registration *reg,
                        const struct journal_clock *clock)
{
    struct record r = first_record(j, e, reg, clock);
    char *leaf = NULL;
    int known = journal_is_host(e) ? 0 : ledger_last_leaf(j->head->ledger, e->incarnation, &leaf);

    if (known == 1 && journal_read_leaf(leaf, &e->last, &e->last_hash) == 0) {
        struct meter_point newest = e->point;

        e->point = e->last.to;
        e->unpaid = record_is_unpaid(&e->last);
        r = next_record(j, e, "succ", clock);
        e->point = newest;
        log_warnx("instance %s: incarnation %s goes on in this log from record %jd", r.instance, e->incarnation,
                  (intmax_t)r.number);
    }
    free(leaf);
    return known < 0 ? -1 : write_record(j, e, &r);
}
