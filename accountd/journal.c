/* What to write of whom, and when. */
#include "accountd/journal_write.h"
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

static int load_row(void *arg, const struct store_incarnation *row, const char *last_leaf)
{
    struct journal *j = arg;
    struct journal_entry *e = entry_new(j, row->incarnation);

    e->started = e->resumed = true;
    e->ended = strcmp(row->state, "ended") == 0;
    e->slot_index = row->slot;
    if (journal_read_leaf(last_leaf, &e->last, &e->last_hash))
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

/* The host's own, as a registration that nobody made. */
static struct ledger_registration host_owned(const struct journal_entry *e)
{
    struct ledger_registration reg = { .account = RECORD_HOST_ACCOUNT };
    const char *name = e->slot_index == 0 ? "hv" : e->slot.domid == 0 ? "dom0" : "unregistered";

    snprintf(reg.instance, sizeof(reg.instance), "%s", name);
    return reg;
}

/* Whose it is, once that is known: 1 and *reg, 0 not yet, -1. */
static int find_owner(struct journal *j, const struct journal_entry *e, struct ledger_registration *reg)
{
    enum ledger_result result;

    *reg = host_owned(e);
    if (journal_is_host(e))
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
            rc = journal_write_first(j, e, &reg, clock);
        if (rc || !e->started)
            return rc;
    }
    if (e->slot.state == XS_SLOT_FINAL)
        return journal_write_segment(j, e, "end", clock);
    if (e->slot.state == XS_SLOT_LIVE && e->unpaid != e->unpaid_next)
        return journal_write_turn(j, e, clock);
    due = due || month_ended(e, clock) || (account && strcmp(account, e->last.account) == 0) ||
          journal_is_moved(j, e, clock);
    if (e->slot.state != XS_SLOT_LIVE || !due)
        return 0;
    return journal_write_segment(j, e, "use", clock);
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
            ? journal_write_gap(j, e, strcmp(e->last.boot, j->boot) ? "host_restart" : "slot_lost", clock)
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
