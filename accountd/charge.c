/* From the log to the ledger. The cursor moves in the transaction that
 * charges, and each transfer's id is made from the leaf's place in the log:
 * charging again after a crash changes nothing. */
#include "accountd/accountd.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_LEAVES 1000

struct batch {
    struct accountd *a;
    uint64_t next_idx;
};

static int charge_meters(struct accountd *a, uint64_t idx, const struct record *record, const struct rate_book *book)
{
    char key[160], refers[176];
    struct meter_usage usage;
    struct json_why why = { "the amount does not fit" };
    int64_t amount_nano, total_nano = 0, carried_nano = 0;

    snprintf(key, sizeof(key), "%s %ju", a->head.origin, (uintmax_t)idx);
    snprintf(refers, sizeof(refers), "leaf %s", key);
    if (record_usage(record, &usage, &why))
        goto fail;
    for (int q = 0; q < METER_QUANTITIES; q++) {
        enum ledger_result result;

        if (rate_amount_floor(book, q, usage.of[q], &amount_nano))
            goto fail;
        result = ledger_charge_locked(a->ledger, record, q, amount_nano, key, "usage", refers, record->t1_ms,
                                      &carried_nano);
        if (result != LEDGER_OK && result != LEDGER_EXISTS) {
            snprintf(why.text, sizeof(why.text), "the ledger refuses (%d)", result);
            goto fail;
        }
        total_nano += amount_nano;
    }
    /* Said once: from the next record on the host carries all. */
    if (carried_nano && carried_nano < total_nano)
        log_warnx("account %s: out of money: the host carries instance %s from now on", record->account,
                  record->instance);
    /* Before the daemon's loop runs nobody can be asked; the next record comes then. */
    if (carried_nano && a->acker && strcmp(record->type, "use") == 0)
        acker_suspend(a->acker, record->instance);
    return 0;
fail:
    log_warnx("leaf %ju: not charged: %s", (uintmax_t)idx, why.text);
    return -1;
}

static int charge_record(struct accountd *a, uint64_t idx, const struct record *record, const char *leaf)
{
    struct rate_book book;
    char *body;
    int rc;

    if (strcmp(record->account, RECORD_HOST_ACCOUNT) == 0)
        return 0;
    if (ledger_price_book(a->ledger, record->price_book, &book, &body) != LEDGER_OK) {
        log_warnx("leaf %ju: price book %jd is not there: not charged", (uintmax_t)idx, (intmax_t)record->price_book);
        return -1;
    }
    rc = charge_meters(a, idx, record, &book);
    free(body);
    return rc ? rc : ledger_last_leaf_put_locked(a->ledger, record->incarnation, leaf);
}

static int charge_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct batch *batch = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct record record;
    struct json_why why;
    json_t *fields;
    int rc = 0;

    (void)type;
    fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    /* Leaves about the host have no account. */
    if (json_has(fields, "account")) {
        rc = record_parse(leaf_type, fields, &record, &why);
        if (rc)
            log_warnx("leaf %ju: %s", (uintmax_t)idx, why.text);
        else
            rc = charge_record(batch->a, idx, &record, leaf);
    }
    json_decref(fields);
    batch->next_idx = idx + 1;
    return rc;
}

static int charge_batch(struct accountd *a, uint64_t *charged_to)
{
    struct batch batch = { a, *charged_to };

    if (ledger_begin(a->ledger))
        return -1;
    if (store_each_leaf(a->store, NULL, NULL, *charged_to, a->head.size, BATCH_LEAVES, charge_leaf, &batch) ||
        ledger_log_put_locked(a->ledger, a->head.origin, batch.next_idx, a->head.size, a->head.note)) {
        ledger_rollback(a->ledger);
        return -1;
    }
    *charged_to = batch.next_idx;
    return ledger_commit(a->ledger);
}

int charge_run(struct accountd *a)
{
    uint64_t charged_to = 0, head_size = 0;
    char *note = NULL;

    if (ledger_log(a->ledger, a->head.origin, &charged_to, &head_size, &note) < 0)
        return -1;
    free(note);
    if (charged_to == a->head.size && head_size == a->head.size)
        return 0;
    while (charged_to < a->head.size)
        if (charge_batch(a, &charged_to))
            return -1;
    return 0;
}

static int still_open(void *arg, const struct ledger_registration *registration)
{
    struct accountd *a = arg;
    const struct journal_entry *entry = journal_find(&a->journal, registration->incarnation);

    return entry && !entry->ended;
}

struct release {
    struct accountd *a;
    char instance[RECORD_NAME_BYTES];
};

/* Finds the first instance that may be released; a walk must not write. */
static int find_released(void *arg, const char *instance, const char *account, bool closed)
{
    struct release *release = arg;

    (void)account;
    (void)closed;
    if (ledger_each_registration(release->a->ledger, instance, still_open, release->a))
        return 0;
    snprintf(release->instance, sizeof(release->instance), "%s", instance);
    return 1;
}

int charge_release(struct accountd *a)
{
    struct release release = { .a = a };
    int rc;

    while ((rc = ledger_each_closed_with_hold(a->ledger, find_released, &release)) == 1) {
        enum ledger_result result = ledger_release_hold(a->ledger, release.instance, clock_utc_ms());

        if (result != LEDGER_OK) {
            log_warnx("instance %s: its hold could not be released (%d)", release.instance, result);
            return -1;
        }
    }
    return rc;
}
