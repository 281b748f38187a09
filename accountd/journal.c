/* What to write of whom, and when. */
#include "accountd/journal.h"
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/registry.h"
#include "accountd/statement.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct journal_entry *entry_new(struct journal *j, const char *incarnation)
{
    struct journal_entry *e = calloc(1, sizeof(*e));

    if (!e)
        fatal("journal");
    snprintf(e->incarnation, sizeof(e->incarnation), "%s", incarnation);
    e->next = j->entries;
    j->entries = e;
    return e;
}

static void entry_drop(struct journal *j, struct journal_entry *e)
{
    struct journal_entry **at = &j->entries;

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    free(e);
}

const struct journal_entry *journal_find(const struct journal *j, const char *incarnation)
{
    for (const struct journal_entry *e = j->entries; e; e = e->next)
        if (strcmp(e->incarnation, incarnation) == 0)
            return e;
    return NULL;
}

static int leaf_to_record(const char *leaf, struct record *record, struct chain_hash *hash)
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

static int load_row(void *arg, const struct store_incarnation *row, const char *last_leaf)
{
    struct journal *j = arg;
    struct journal_entry *e = entry_new(j, row->incarnation);

    e->started = e->resumed = true;
    e->ended = strcmp(row->state, "ended") == 0;
    e->slot_index = row->slot;
    if (leaf_to_record(last_leaf, &e->last, &e->last_hash))
        return -1;
    e->unpaid = e->unpaid_next = record_is_unpaid(&e->last);
    return 0;
}

int journal_open(struct journal *j, struct head *head, uint64_t interval_ns)
{
    char *boot = NULL;

    *j = (struct journal){ .head = head, .interval_ns = interval_ns };
    if (store_meta(head->store, "boot", &boot) == 1)
        snprintf(j->boot, sizeof(j->boot), "%s", boot);
    free(boot);
    return store_each_unfinished(head->store, load_row, j);
}

void journal_close(struct journal *j)
{
    while (j->entries)
        entry_drop(j, j->entries);
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

/* A newer price book takes running guests over at this point, and the next record would begin before it: what was
 * used until here is billed by the old one. */
static bool is_moved(const struct journal *j, const struct journal_entry *e, const struct journal_clock *clock)
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
static int write_gap(struct journal *j, struct journal_entry *e, const char *reason, const struct journal_clock *clock)
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

static int write_segment(struct journal *j, struct journal_entry *e, const char *type, const struct journal_clock *clock)
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
static int write_turn(struct journal *j, struct journal_entry *e, const struct journal_clock *clock)
{
    struct record r;

    if (write_segment(j, e, "use", clock))
        return -1;
    e->unpaid = e->unpaid_next;
    log_info("instance %s: incarnation %s: %s from record %jd on", e->last.instance, e->incarnation,
             e->unpaid ? "paused without money, not billed" : "runs again, billed", (intmax_t)e->last.number + 1);
    r = next_record(j, e, "use", clock);
    return write_record(j, e, &r);
}

/* The host's own, as a registration that nobody made. */
static struct ledger_registration host_owned(const struct journal_entry *e)
{
    struct ledger_registration reg = { .account = RECORD_HOST_ACCOUNT };
    const char *name = e->slot_index == 0 ? "hv" : e->slot.domid == 0 ? "dom0" : "unregistered";

    snprintf(reg.instance, sizeof(reg.instance), "%s", name);
    return reg;
}

static bool is_host(const struct journal_entry *e)
{
    return e->slot_index == 0 || e->slot.domid == 0;
}

/* The first record in this log. If the ledger has charged this incarnation
 * before, an older log had it: go on where that was charged to. */
static int write_first(struct journal *j, struct journal_entry *e, const struct ledger_registration *reg,
                       const struct journal_clock *clock)
{
    struct record r = first_record(j, e, reg, clock);
    char *leaf = NULL;
    int known = is_host(e) ? 0 : ledger_last_leaf(j->head->ledger, e->incarnation, &leaf);

    if (known == 1 && leaf_to_record(leaf, &e->last, &e->last_hash) == 0) {
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

/* Whose it is, once that is known: 1 and *reg, 0 not yet, -1. */
static int find_owner(struct journal *j, const struct journal_entry *e, struct ledger_registration *reg)
{
    enum ledger_result result;

    *reg = host_owned(e);
    if (is_host(e))
        return 1;
    result = ledger_registration(j->head->ledger, e->incarnation, reg);
    if (result == LEDGER_OK)
        return 1;
    if (result != LEDGER_NOT_FOUND)
        return -1;
    *reg = host_owned(e);
    return e->slot.state == XS_SLOT_FINAL || e->now_ns - e->slot.born_ns > JOURNAL_UNCLAIMED_NS;
}

/* Prices are of months: a segment ends with the month it began in. */
static bool month_ended(const struct journal_entry *e, const struct journal_clock *clock)
{
    char last[STATEMENT_PERIOD_BYTES], now[STATEMENT_PERIOD_BYTES];

    return strcmp(statement_period(e->last.t1_ms, last), statement_period(clock->utc_ms, now)) != 0;
}

static int write_due(struct journal *j, struct journal_entry *e, bool due, const char *account,
                     const struct journal_clock *clock)
{
    struct ledger_registration reg;
    int rc;

    if (e->ended || !e->seen)
        return 0;
    if (!e->started) {
        rc = find_owner(j, e, &reg);
        if (rc == 1)
            rc = write_first(j, e, &reg, clock);
        if (rc || !e->started)
            return rc;
    }
    if (e->slot.state == XS_SLOT_FINAL)
        return write_segment(j, e, "end", clock);
    if (e->slot.state == XS_SLOT_LIVE && e->unpaid != e->unpaid_next)
        return write_turn(j, e, clock);
    due = due || month_ended(e, clock) || (account && strcmp(account, e->last.account) == 0) || is_moved(j, e, clock);
    if (e->slot.state != XS_SLOT_LIVE || !due)
        return 0;
    return write_segment(j, e, "use", clock);
}

static bool wants_gap(const struct journal *j, const struct journal_entry *e, const struct sample *sample)
{
    if (!e->started || e->ended)
        return false;
    if (strcmp(e->last.boot, j->boot) != 0)
        return true;
    /* Still in its slot, or the slot could not be read this time: no verdict. */
    return !e->seen && e->slot_index < sample->slots && sample->slot_read[e->slot_index] != SAMPLE_TORN;
}

static int write_batch(struct journal *j, const struct sample *sample, bool due, const char *account,
                       const struct journal_clock *clock)
{
    for (struct journal_entry *e = j->entries; e; e = e->next) {
        int rc = wants_gap(j, e, sample)
            ? write_gap(j, e, strcmp(e->last.boot, j->boot) ? "host_restart" : "slot_lost", clock)
            : write_due(j, e, due, account, clock);

        if (rc)
            return rc;
    }
    return 0;
}

static void take_slot(struct journal *j, const struct sample *sample, unsigned index, int64_t misses)
{
    const struct xs_stats_slot *slot = &sample->slot[index];
    char incarnation[RECORD_HEX_BYTES];
    struct journal_entry *e;

    sodium_bin2hex(incarnation, sizeof(incarnation), slot->incarnation, sizeof(slot->incarnation));
    e = (struct journal_entry *)journal_find(j, incarnation);
    if (!e) {
        char state[8];

        /* Finished in this log before: its slot is only waiting to be seen empty. */
        if (store_incarnation_get_state(j->head->store, incarnation, state) != 0)
            return;
        e = entry_new(j, incarnation);
    }
    e->seen = true;
    e->slot_index = index;
    e->slot = *slot;
    e->now_ns = sample->now_ns;
    e->point = meter_point_of(slot, sample->now_ns);
    e->samples++;
    e->misses += misses;
}

/* Leaf and fact in one transaction: a boot is in the log once. */
static int write_boot(struct journal *j, const struct sample *sample, const struct journal_clock *clock, const char *boot)
{
    json_t *fields = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "host", j->head->host, "boot", boot, "boot_before",
                               j->boot, "t_ns", json_decimal_u64(sample->now_ns), "t_ms", (json_int_t)clock->utc_ms,
                               "utc_error_ms", (json_int_t)clock->error_ms, "cpus", (json_int_t)sample->cpus);

    if (store_begin(j->head->store)) {
        json_decref(fields);
        return -1;
    }
    if (head_append_locked(j->head, "boot", fields) || store_meta_put(j->head->store, "boot", boot)) {
        store_rollback(j->head->store);
        return -1;
    }
    return store_commit(j->head->store);
}

static int take_boot(struct journal *j, const struct sample *sample, const struct journal_clock *clock)
{
    char boot[RECORD_HEX_BYTES];
    const struct xs_stats_header *h = &sample->header;

    sodium_bin2hex(boot, sizeof(boot), h->boot_id, sizeof(h->boot_id));
    if (strcmp(boot, j->boot) == 0)
        return 0;
    log_info("host %s: boot %s", j->head->host, boot);
    if (write_boot(j, sample, clock, boot))
        return -1;
    strcpy(j->boot, boot);
    j->next_due_ns = 0;                 /* hv's clock began again */
    return 0;
}

/* What the batch changes in an entry, to be put back if it fails. */
struct undo {
    struct journal_entry *entry, copy;
};

static struct undo *undo_prepare(const struct journal *j, size_t *count)
{
    struct undo *undo;

    *count = 0;
    for (struct journal_entry *e = j->entries; e; e = e->next)
        (*count)++;
    undo = calloc(*count + 1, sizeof(*undo));
    if (!undo)
        fatal("journal");
    *count = 0;
    for (struct journal_entry *e = j->entries; e; e = e->next)
        undo[(*count)++] = (struct undo){ e, *e };
    return undo;
}

static int run_batch(struct journal *j, const struct sample *sample, bool due, const char *account,
                     const struct journal_clock *clock)
{
    size_t count;
    struct undo *undo = undo_prepare(j, &count);
    int rc = store_begin(j->head->store);

    if (rc == 0) {
        rc = write_batch(j, sample, due, account, clock);
        if (rc == 0)
            rc = store_commit(j->head->store);
        if (rc)
            store_rollback(j->head->store);
    }
    for (size_t i = 0; rc && i < count; i++)
        *undo[i].entry = undo[i].copy;
    free(undo);
    return rc;
}

/* Entries that need no more watching: lost, or never written and gone. */
static void sweep(struct journal *j)
{
    for (struct journal_entry *e = j->entries, *next; e; e = next) {
        next = e->next;
        if ((e->ended && strcmp(e->last.type, "gap") == 0) || (!e->started && !e->seen))
            entry_drop(j, e);
    }
}

int journal_take(struct journal *j, const struct sample *sample, const struct journal_clock *clock, int64_t misses,
                 const char *account)
{
    bool due;
    int rc;

    if (take_boot(j, sample, clock))
        return -1;
    for (struct journal_entry *e = j->entries; e; e = e->next)
        e->seen = false;
    for (uint32_t i = 0; i < sample->slots; i++)
        if (sample->slot_read[i] == SAMPLE_READ)
            take_slot(j, sample, i, misses);
    due = sample->now_ns >= j->next_due_ns;
    rc = run_batch(j, sample, due, account, clock);
    if (rc == 0 && due)
        j->next_due_ns = sample->now_ns - sample->now_ns % j->interval_ns + j->interval_ns;
    if (rc == 0)
        sweep(j);
    return rc;
}

int journal_freed(struct journal *j, const char *incarnation)
{
    struct journal_entry *e = (struct journal_entry *)journal_find(j, incarnation);

    if (!e || store_incarnation_state(j->head->store, incarnation, "freed"))
        return -1;
    entry_drop(j, e);
    return 0;
}
