/* The half that reads ledger.db. */
#include "tests/accountd/oracle.h"
#include "accountd/ledger/db.h"

#include <stdlib.h>
#include <string.h>

/* F of section 4 of the design: what lies above what is free, by tiers, over one denominator. */
static void exact_price(const struct group *g, u128 *num, u128 *den)
{
    json_t *row = NULL, *tiers;
    u128 q = g->quantity, per = meter_quantities[g->meter].per_unit, free, minimum;
    size_t i;

    json_array_foreach(json_object_get(o.books[g->book], "meters"), i, row)
        if (strcmp(json_text(row, "meter"), meter_quantities[g->meter].name) == 0)
            break;
    tiers = json_object_get(row, "tiers") ? json_incref(json_object_get(row, "tiers")) : json_pack("[O]", row);
    free = number_of(row, "free", "") * per;
    *num = 0;
    *den = per * number_of(json_array_get(tiers, 0), "den", "");
    for (i = 0; i < json_array_size(tiers); i++) {
        u128 from = number_of(json_array_get(tiers, i), "above", "") * per, to = q, part;

        if (i + 1 < json_array_size(tiers) && number_of(json_array_get(tiers, i + 1), "above", "") * per < q)
            to = number_of(json_array_get(tiers, i + 1), "above", "") * per;
        from = from < free ? free : from;
        if (to > from &&
            (__builtin_mul_overflow(to - from, number_of(json_array_get(tiers, i), "num_nano", ""), &part) ||
             __builtin_add_overflow(*num, part, num)))
            exit(99);
    }
    minimum = number_of(row, "minimum_nano", "") * *den;
    if (q && *num < minimum)
        *num = minimum;
    json_decref(tiers);
}

/* Half to even to a cent. */
static int64_t in_cents(u128 num, u128 den)
{
    u128 cent = 10000000, cents = num / (den * cent), rest = num % (den * cent);

    if (2 * rest > den * cent || (2 * rest == den * cent && cents % 2))
        cents++;
    return (int64_t)(cents * cent);
}

static int64_t sum_of(const char *sql, const char *first, const char *second)
{
    int64_t sum = 0;

    if (db_int(o.sim->life.a.ledger->db, &sum, sql, "tt", first, second) != 1)
        exit(99);
    return sum;
}

/* What of an account went to one of the host's, by use and by rounding. */
static int64_t drawn(const char *account, const char *host)
{
    return sum_of(
        "SELECT coalesce(sum(CASE WHEN t.credit = ?2 THEN t.amount_nano ELSE -t.amount_nano END), 0) FROM transfer t"
        " JOIN account a ON a.account_id = CASE WHEN t.credit = ?2 THEN t.debit ELSE t.credit END"
        " WHERE t.code IN ('usage', 'tax', 'rounding') AND (t.credit = ?2 OR t.debit = ?2)"
        " AND (a.account_id = ?1 OR a.owner = ?1)",
        account, host);
}

static void check_amounts(unsigned account)
{
    int64_t all = 0, all_drawn = 0;

    for (int q = 0; q < METER_QUANTITIES; q++) {
        char revenue[64];
        int64_t due = 0, got;

        for (unsigned i = 0; i < o.groups_count; i++)
            if (o.groups[i].account == account && o.groups[i].meter == q) {
                u128 num, den;

                exact_price(&o.groups[i], &num, &den);
                due += in_cents(num, den);
            }
        snprintf(revenue, sizeof(revenue), "revenue:%s", meter_quantities[q].name);
        got = drawn(sim_accounts[account], revenue);
        if (got != due) {
            char what[120];

            snprintf(what, sizeof(what), "%s %s: %jd drawn, %jd due", sim_accounts[account], revenue, (intmax_t)got,
                     (intmax_t)due);
            broken(INV_APART, "a meter was not billed for itself", what);
        }
        all += due;
        all_drawn += got;
    }
    if (all != all_drawn)
        broken(INV_AMOUNTS, "not drawn to the nano", sim_accounts[account]);
}

static int check_invoice(json_t *body, int64_t *tax_sum)
{
    int64_t net = 0, tax = 0;
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(body, "lines"), i, row)
        net += (int64_t)strtoll(json_text(row, "amount_nano"), NULL, 10);
    json_array_foreach(json_object_get(body, "tax"), i, row) {
        tax += (int64_t)number_of(row, "amount_nano", "");
        if ((int64_t)number_of(row, "amount_nano", "") !=
            in_cents(number_of(row, "taxable_nano", "") * (u128)int_of(row, "rate_permyriad"), 10000))
            return -1;
    }
    *tax_sum += tax;
    return strtoll(json_text(body, "net_nano"), NULL, 10) == net &&
                   strtoll(json_text(body, "total_nano"), NULL, 10) == net + tax
               ? 0
               : -1;
}

static void check_invoices(void)
{
    sqlite3_stmt *stmt = db_query(o.sim->life.a.ledger->db, "SELECT number, body FROM invoice ORDER BY number", "");
    int64_t tax = 0, next = 1;

    while (db_next(stmt) == 1) {
        json_t *body = json_loads((const char *)sqlite3_column_text(stmt, 1), 0, NULL);

        if (sqlite3_column_int64(stmt, 0) != next++ || check_invoice(body, &tax))
            broken(INV_AMOUNTS, "an invoice does not add up, or a number is missing", json_text(body, "number_text"));
        json_decref(body);
    }
    db_end(stmt);
    if (sum_of("SELECT coalesce(sum(posted_nano), 0) FROM balance WHERE account_id GLOB 'tax:*' AND ?1 = ?2", "", "") !=
        tax)
        broken(INV_AMOUNTS, "tax that was drawn is not the invoices'", "tax");
}

/* Every entry in its order, from nothing. */
static void check_balances(void)
{
    sqlite3 *db = o.sim->life.a.ledger->db;
    static const char *const wrong[] = {
        "SELECT count(*) FROM balance b WHERE posted_nano <> (SELECT coalesce(sum(CASE WHEN credit = b.account_id THEN "
        "amount_nano"
        " ELSE -amount_nano END), 0) FROM transfer WHERE kind IN ('posted', 'post') AND b.account_id IN (debit, "
        "credit))",
        "SELECT count(*) FROM (SELECT abs(sum(posted_nano)) AS s FROM balance) WHERE s <> 0",
        "SELECT count(*) FROM balance b WHERE held_nano <> (SELECT coalesce(sum(amount_nano), 0) FROM transfer p WHERE"
        " kind = 'pending' AND debit = b.account_id AND NOT EXISTS (SELECT 1 FROM transfer e WHERE e.pending_id = "
        "p.transfer_id))",
        "WITH move AS (SELECT seq, debit AS id, CASE kind WHEN 'void' THEN 0 ELSE -amount_nano END + CASE WHEN kind IN "
        "('post', 'void')"
        " THEN (SELECT amount_nano FROM transfer p WHERE p.transfer_id = t.pending_id) ELSE 0 END AS n FROM transfer t "
        "UNION ALL"
        " SELECT seq, credit, amount_nano FROM transfer WHERE kind IN ('posted', 'post')),"
        " run AS (SELECT id, sum(n) OVER (PARTITION BY id ORDER BY seq) AS available FROM move)"
        " SELECT count(*) FROM run JOIN account ON account_id = id WHERE overdraft = 0 AND available < 0",
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t count = -1;

        if (db_int(db, &count, wrong[i], "") != 1 || count != 0)
            broken(INV_BALANCED, "balances are not the entries, or ran below zero", wrong[i]);
    }
}

static void check_deeds(void)
{
    for (unsigned i = 0; i < o.sim->done; i++) {
        const struct sim_deed *d = &o.sim->deeds[i];
        bool card = strcmp(d->kind, "card") == 0;
        char nano[24];
        int64_t found;

        snprintf(nano, sizeof(nano), "%jd", (intmax_t)d->nano);
        found = card ? sum_of("SELECT count(*) FROM payment_event JOIN receipt USING (receipt_id) JOIN transfer t USING"
                              " (transfer_id) WHERE event_id = 'evt_' || substr(?1, 4) AND t.amount_nano = ?2",
                              d->id, nano)
                     : sum_of("SELECT count(*) FROM transfer WHERE transfer_id = ?1 AND amount_nano = ?2", d->id, nano);
        if (d->acknowledged && found != 1)
            broken(INV_ONCE, "acknowledged, and not there once", d->id);
    }
    if (sum_of("SELECT count(*) FROM (SELECT refers, credit FROM transfer WHERE code IN ('usage', 'tax') GROUP BY "
               "refers, credit"
               " HAVING count(*) > 1) WHERE ?1 = ?2",
               "", ""))
        broken(INV_ONCE, "a leaf was charged twice", "transfer");
}

static void check_effects(void)
{
    if (sum_of("SELECT charged_to = ?1 AND head_size = ?1 FROM log WHERE origin = ?2 ",
               json_string_value(json_decimal((int64_t)o.leaves_count)), o.sim->life.a.head.origin) != 1)
        broken(INV_KEY_AND_EFFECT, "the cursor is not at the signed head", "log");
    for (unsigned i = 0; i < o.chains_count; i++)
        if (account_of(o.chains[i].account) < SIM_ACCOUNTS &&
            sum_of("SELECT count(*) FROM registration WHERE incarnation = ?1 AND last_leaf = ?2",
                   o.chains[i].incarnation, o.chains[i].leaf) != 1)
            broken(INV_KEY_AND_EFFECT, "the newest leaf is not the newest charged", o.chains[i].incarnation);
}

void oracle_ledger(void)
{
    for (unsigned i = 0; i < SIM_ACCOUNTS; i++)
        check_amounts(i);
    check_invoices();
    check_balances();
    check_deeds();
    check_effects();
}
