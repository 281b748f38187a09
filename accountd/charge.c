/* From the log to the ledger. The cursor moves in the transaction that
 * charges, and each transfer's id is made from the leaf's place in the log:
 * charging again after a crash changes nothing. */
#include "accountd/accountd.h"
#include "accountd/ledger/chart.h"
#include "accountd/ledger/day_sums.h"
#include "accountd/ledger/details.h"
#include "accountd/ledger/sums.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_LEAVES 1000

/* One transaction: leaves from next_idx on. */
struct batch {
    struct accountd *a;
    uint64_t next_idx;
};

/* One record on its way into the ledger. */
struct drawing {
    struct accountd *a;
    uint64_t idx;
    const struct record *record;
    const struct rate_book *book;
    char period[STATEMENT_PERIOD_BYTES];
    char payer[LEDGER_ACCOUNT_BYTES];
    char key[160], refers[176];         /* what the ids are made of, what entries refer to */
    struct sums_open open;
    int64_t total_nano, carried_nano, net_nano;
};

/* Whose tax it is, as the customer's details say when the first record after an invoice comes. */
int charge_tax(struct accountd *a, const char *account, struct tax *tax)
{
    json_t *buyer = ledger_details(a->ledger, account);

    if (!buyer)
        return -1;
    tax_decide(json_text(a->seller.party, "country"), json_text(a->seller.party, "vat_id"), a->seller.vat_rates,
               json_text(buyer, "country"), json_text(buyer, "vat_id"), tax);
    json_decref(buyer);
    return 0;
}

static int open_use(struct drawing *d)
{
    const struct record *r = d->record;
    enum ledger_result result = sums_open(d->a->ledger, r->account, d->a->head.origin, &d->open);

    if (result == LEDGER_NOT_FOUND) {
        d->open = (struct sums_open){ .from_idx = (int64_t)d->idx, .t0_ms = r->t0_ms };
        strcpy(d->open.period, d->period);
        if (charge_tax(d->a, r->account, &d->open.tax))
            return -1;
    } else if (result != LEDGER_OK) {
        return -1;
    }
    if (strcmp(d->period, d->open.period) < 0)
        strcpy(d->open.period, d->period);
    d->open.t0_ms = r->t0_ms < d->open.t0_ms ? r->t0_ms : d->open.t0_ms;
    d->open.t1_ms = r->t1_ms > d->open.t1_ms ? r->t1_ms : d->open.t1_ms;
    d->open.records++;
    return 0;
}

/* The cursor moves with the charge, so each leaf comes here once: one that is
 * known already would be counted twice in the sums. */
static int draw(struct drawing *d, const char *credit, const char *code, const char *what, int64_t amount_nano)
{
    char id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .kind = "posted", .debit = d->payer, .credit = credit, .amount_nano = amount_nano,
                                 .code = code, .reason = what, .refers = d->refers, .at_ms = d->record->t1_ms };
    enum ledger_result result;

    if (amount_nano == 0)
        return 0;
    t.id = ledger_derive_id(id, "%s %s %s", code, d->key, what);
    result = ledger_draw_locked(d->a->ledger, d->record->instance, &t, &d->carried_nano);
    d->total_nano += amount_nano;
    if (result == LEDGER_OK)
        return 0;
    log_warnx("leaf %ju: %s: the ledger refuses (%d)", (uintmax_t)d->idx, what, result);
    return -1;
}

/* What the price of all that the account has used of it in this period grows by. */
static int draw_meter(struct drawing *d, enum meter_quantity meter, unsigned __int128 quantity)
{
    const char *origin = d->a->head.origin;
    unsigned __int128 before;
    char revenue[64];
    int64_t more;

    if (quantity == 0)
        return 0;
    if (sums_quantity(d->a->ledger, d->record->account, origin, d->period, d->record->price_book, meter, &before) ||
        rate_charge(d->book, meter, before, quantity, &more) ||
        __builtin_add_overflow(d->open.net_nano, more, &d->open.net_nano))
        return -1;
    d->net_nano += more;
    snprintf(revenue, sizeof(revenue), LEDGER_REVENUE "%s", meter_quantities[meter].name);
    return draw(d, revenue, "usage", meter_quantities[meter].name, more) ||
           sums_add_locked(d->a->ledger, origin, d->record, d->period, meter, quantity, more) ||
           day_sums_add_locked(d->a->ledger, d->record, meter, quantity, more) ? -1 : 0;
}

static int draw_tax(struct drawing *d)
{
    char account[16];
    int64_t due, more;

    if (d->open.tax.rate_permyriad == 0)
        return 0;
    if (tax_floor(&d->open.tax, d->open.net_nano, &due))
        return -1;
    more = due - d->open.tax_nano;
    d->open.tax_nano = due;
    snprintf(account, sizeof(account), "tax:%s", d->open.tax.country);
    return chart_open_one_locked(d->a->ledger, account, d->record->t1_ms) != LEDGER_OK ||
        draw(d, account, "tax", account, more) ? -1 : 0;
}

static int draw_record(struct drawing *d)
{
    const char *origin = d->a->head.origin;
    struct meter_usage usage;
    struct json_why why;

    if (open_use(d) || record_usage(d->record, &usage, &why))
        return -1;
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (draw_meter(d, q, usage.of[q]))
            return -1;
    if (draw_tax(d))
        return -1;
    d->open.carried_nano += d->carried_nano;
    return sums_record_locked(d->a->ledger, origin, d->record, d->period, d->idx) ||
           sums_open_put_locked(d->a->ledger, d->record->account, origin, &d->open) ? -1 : 0;
}

static void say_empty(const struct drawing *d)
{
    /* Said once: from the next record on the host carries all. */
    if (d->carried_nano && d->carried_nano < d->total_nano)
        log_warnx("account %s: out of money: the host carries instance %s from now on", d->record->account,
                  d->record->instance);
}

static int charge_record(struct batch *batch, uint64_t idx, const struct record *record, const char *leaf)
{
    struct drawing d = { .a = batch->a, .idx = idx, .record = record };

    if (strcmp(record->account, RECORD_HOST_ACCOUNT) == 0)
        return 0;
    snprintf(d.key, sizeof(d.key), "%s %ju", d.a->head.origin, (uintmax_t)idx);
    snprintf(d.refers, sizeof(d.refers), "leaf %s", d.key);
    statement_period(record->t0_ms, d.period);
    d.book = price_book_get(d.a->ledger, record->price_book);
    if (!d.book || ledger_payer(d.a->ledger, record->instance, d.payer) != 1 || draw_record(&d)) {
        log_warnx("leaf %ju: not charged", (uintmax_t)idx);
        return -1;
    }
    say_empty(&d);
    return ledger_charged_locked(d.a->ledger, record->incarnation, leaf, d.net_nano);
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
            rc = charge_record(batch, idx, &record, leaf);
    }
    json_decref(fields);
    batch->next_idx = idx + 1;
    return rc;
}

static int charge_batch(struct accountd *a, uint64_t *charged_to)
{
    struct batch batch = { .a = a, .next_idx = *charged_to };

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
static int find_released(void *arg, const struct ledger_instance *instance)
{
    struct release *release = arg;

    if (ledger_each_registration(release->a->ledger, instance->id, still_open, release->a))
        return 0;
    snprintf(release->instance, sizeof(release->instance), "%s", instance->id);
    return 1;
}

int charge_release(struct accountd *a)
{
    struct release release = { .a = a };
    int rc;

    while ((rc = ledger_each_closed_with_hold(a->ledger, find_released, &release)) == 1) {
        enum ledger_result result = ledger_release_hold(a->ledger, release.instance, clock_unix_ms());

        if (result != LEDGER_OK) {
            log_warnx("instance %s: its hold could not be released (%d)", release.instance, result);
            return -1;
        }
    }
    return rc;
}
