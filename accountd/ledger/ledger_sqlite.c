/* The verbs of ledger.h on SQLite. */
#include "accountd/ledger/ledger.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/price_books.h"
#include "accountd/meter.h"
#include "schema/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ledger_begin(struct ledger *ledger)
{
    return db_begin(ledger->db);
}

int ledger_commit(struct ledger *ledger)
{
    return db_commit(ledger->db);
}

void ledger_rollback(struct ledger *ledger)
{
    db_rollback(ledger->db);
}

enum ledger_result ledger_finish(struct ledger *ledger, enum ledger_result result)
{
    if (result == LEDGER_OK)
        return ledger_commit(ledger) ? LEDGER_FAILED : LEDGER_OK;
    ledger_rollback(ledger);
    return result;
}

static enum ledger_result account_put(struct ledger *ledger, const char *account, const char *name,
                                      const char *currency, bool overdraft, int64_t at_ms)
{
    return db_run(ledger->db, "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5)", "tttii", account, name, currency,
                  (int64_t)overdraft, at_ms) ? LEDGER_FAILED : LEDGER_OK;
}

bool ledger_account_exists(struct ledger *ledger, const char *account)
{
    int64_t one;

    return db_int(ledger->db, &one, "SELECT 1 FROM account WHERE account_id = ?1", "t", account) == 1;
}

/* The host's own side of every transfer: opened once, may run below zero. */
static int open_host_accounts(struct ledger *ledger)
{
    static const char *const names[] = { LEDGER_DEPOSITS, LEDGER_DEPOSITS_BANK, LEDGER_DEPOSITS_CARD, LEDGER_DEPOSITS_CREDIT,
                                         LEDGER_SUSPENSE, LEDGER_CARRIED, LEDGER_HOLDS };
    char revenue[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!ledger_account_exists(ledger, names[i]) && account_put(ledger, names[i], names[i], "EUR", true, 0) != LEDGER_OK)
            return -1;
    for (int q = 0; q < METER_QUANTITIES; q++) {
        snprintf(revenue, sizeof(revenue), LEDGER_REVENUE "%s", meter_quantities[q].name);
        if (!ledger_account_exists(ledger, revenue) && account_put(ledger, revenue, revenue, "EUR", true, 0) != LEDGER_OK)
            return -1;
    }
    return 0;
}

struct ledger *ledger_open(const char *path)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return NULL;
    ledger->db = db_open(path, ledger_migrations, sizeof(ledger_migrations) / sizeof(ledger_migrations[0]));
    if (ledger->db && open_host_accounts(ledger) == 0)
        return ledger;
    ledger_close(ledger);
    return NULL;
}

void ledger_close(struct ledger *ledger)
{
    price_shelf_free(ledger->prices);
    db_close(ledger->db);
    free(ledger);
}

void db_copy_text(char *to, size_t bytes, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    snprintf(to, bytes, "%s", text ? text : "");
}

enum ledger_result ledger_account(struct ledger *ledger, const char *account, struct ledger_balance *balance,
                                  char name[static 129], char currency[static 4])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT posted_nano, held_nano, name, currency FROM account"
                                  " JOIN balance USING (account_id) WHERE account_id = ?1", "t", account);
    int rc = db_next(stmt);

    if (rc == 1) {
        *balance = (struct ledger_balance){ sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1) };
        db_copy_text(name, 129, stmt, 2);
        db_copy_text(currency, 4, stmt, 3);
    }
    sqlite3_finalize(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

enum ledger_result ledger_account_open(struct ledger *ledger, const char *account, const char *name,
                                       const char *currency, int64_t at_ms)
{
    struct ledger_balance balance;
    char old_name[129], old_currency[4];
    enum ledger_result result = ledger_account(ledger, account, &balance, old_name, old_currency);

    if (result == LEDGER_OK)
        return strcmp(name, old_name) == 0 && strcmp(currency, old_currency) == 0 ? LEDGER_EXISTS
                                                                                  : LEDGER_EXISTS_DIFFERENT;
    if (result != LEDGER_NOT_FOUND || ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, account_put(ledger, account, name, currency, false, at_ms));
}

static bool column_is(sqlite3_stmt *stmt, int column, const char *text)
{
    const char *value = (const char *)sqlite3_column_text(stmt, column);

    return value && text ? strcmp(value, text) == 0 : value == text;
}

enum ledger_result ledger_compare(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT kind, debit, credit, amount_nano, pending_id, code, reason, refers"
                                  " FROM transfer WHERE transfer_id = ?1", "t", t->id);
    int rc = db_next(stmt);
    bool same = rc == 1 && column_is(stmt, 0, t->kind) && column_is(stmt, 1, t->debit) &&
                column_is(stmt, 2, t->credit) && sqlite3_column_int64(stmt, 3) == t->amount_nano &&
                column_is(stmt, 4, t->pending_id) && column_is(stmt, 5, t->code) && column_is(stmt, 6, t->reason) &&
                column_is(stmt, 7, t->refers);

    sqlite3_finalize(stmt);
    if (rc == 1)
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    return rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

int64_t ledger_available(struct ledger *ledger, const char *account)
{
    int64_t nano;

    if (db_int(ledger->db, &nano, "SELECT CASE overdraft WHEN 1 THEN 9223372036854775807"
               " ELSE posted_nano - held_nano END FROM balance WHERE account_id = ?1", "t", account) != 1)
        return -1;
    return nano;
}

/* Why a post or void may not be, or OK. A hold ends once. */
static enum ledger_result check_pending(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT amount_nano, debit, credit, EXISTS (SELECT 1 FROM transfer e"
                                  " WHERE e.pending_id = p.transfer_id) FROM transfer p"
                                  " WHERE transfer_id = ?1 AND kind = 'pending'", "t", t->pending_id);
    enum ledger_result result = LEDGER_OK;
    int rc = db_next(stmt);

    if (rc != 1)
        result = rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
    else if (sqlite3_column_int64(stmt, 3) || !column_is(stmt, 1, t->debit) || !column_is(stmt, 2, t->credit) ||
             t->amount_nano > sqlite3_column_int64(stmt, 0))
        result = LEDGER_CONFLICT;
    sqlite3_finalize(stmt);
    return result;
}

enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *t)
{
    enum ledger_result result = ledger_compare(ledger, t);

    if (result != LEDGER_NOT_FOUND)
        return result;
    if (!ledger_account_exists(ledger, t->debit) || !ledger_account_exists(ledger, t->credit))
        return LEDGER_NOT_FOUND;
    if (t->pending_id) {
        result = check_pending(ledger, t);
        if (result != LEDGER_OK)
            return result;
    } else if (ledger_available(ledger, t->debit) < t->amount_nano) {
        return LEDGER_INSUFFICIENT;
    }
    return db_run(ledger->db, "INSERT INTO transfer (transfer_id, kind, debit, credit, amount_nano, pending_id, code,"
                  " reason, refers, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", "ttttitttti", t->id,
                  t->kind, t->debit, t->credit, t->amount_nano, t->pending_id, t->code, t->reason, t->refers, t->at_ms)
        ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *reason, int64_t at_ms)
{
    struct ledger_transfer t = { .id = id, .kind = "posted", .debit = LEDGER_DEPOSITS, .credit = account,
                                 .amount_nano = amount_nano, .code = "fund", .reason = reason, .refers = "",
                                 .at_ms = at_ms };

    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, ledger_apply_locked(ledger, &t));
}

json_t *ledger_entries(struct ledger *ledger, const char *account, int limit)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT transfer_id, at_ms, CASE WHEN credit = ?1 THEN amount_nano"
                                  " ELSE -amount_nano END, code, reason FROM transfer WHERE kind IN ('posted', 'post')"
                                  " AND (debit = ?1 OR credit = ?1) ORDER BY seq DESC LIMIT ?2", "ti", account,
                                  (int64_t)limit);
    json_t *entries = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(entries, json_pack("{s:s, s:I, s:o, s:s, s:s}", "transfer_id",
                                                 sqlite3_column_text(stmt, 0), "at_ms",
                                                 (json_int_t)sqlite3_column_int64(stmt, 1), "amount_nano",
                                                 json_decimal(sqlite3_column_int64(stmt, 2)), "code",
                                                 sqlite3_column_text(stmt, 3), "reason", sqlite3_column_text(stmt, 4)));
    sqlite3_finalize(stmt);
    if (rc == 0)
        return entries;
    json_decref(entries);
    return NULL;
}
