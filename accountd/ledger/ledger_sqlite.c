/* The verbs of ledger.h on SQLite: accounts and transfers. The triggers of
 * schema/ledger keep the balances and refuse what the code here should never
 * ask for. Walks and the audit are in ledger_sqlite_walk.c. */
#include "accountd/ledger/chart.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/price_books.h"
#include "common/log.h"
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

static bool books_close(struct ledger *ledger, const char *path)
{
    char account[LEDGER_ACCOUNT_BYTES];
    enum ledger_result result = ledger_audit(ledger, account);

    if (result == LEDGER_CONFLICT)
        log_warnx("%s: account %s: its balance is not the sum of its entries: the file was changed by something else;"
                  " restore it from a backup", path, account);
    return result == LEDGER_OK;
}

struct ledger *ledger_open(const char *path)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return NULL;
    ledger->db = db_open(path, ledger_migrations, sizeof(ledger_migrations) / sizeof(ledger_migrations[0]));
    if (ledger->db && chart_open(ledger) == LEDGER_OK && books_close(ledger, path))
        return ledger;
    ledger_close(ledger);
    return NULL;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    price_books_free(ledger);
    db_close(ledger->db);
    free(ledger);
}

void db_copy_text(char *to, size_t bytes, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    snprintf(to, bytes, "%s", text ? text : "");
}

bool db_column_is(sqlite3_stmt *stmt, int column, const char *text)
{
    const char *value = (const char *)sqlite3_column_text(stmt, column);

    return value && text ? strcmp(value, text) == 0 : value == text;
}

bool db_column_u128(sqlite3_stmt *stmt, int column, unsigned __int128 *value)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return text && json_u128_parse(text, value);
}

static enum ledger_result account_compare(struct ledger *ledger, const struct ledger_account *account)
{
    struct ledger_account old;
    enum ledger_result result = ledger_account_get(ledger, account->id, &old);

    if (result != LEDGER_OK)
        return result;
    return strcmp(old.owner, account->owner) == 0 && strcmp(old.name, account->name) == 0 &&
           strcmp(old.currency, account->currency) == 0 && old.overdraft == account->overdraft
        ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
}

enum ledger_result ledger_account_put_locked(struct ledger *ledger, const struct ledger_account *account, int64_t at_ms)
{
    enum ledger_result result = account_compare(ledger, account);
    const char *owner = account->owner[0] ? account->owner : NULL;
    struct ledger_account unused;

    if (result != LEDGER_NOT_FOUND)
        return result;
    if (strcmp(account->currency, LEDGER_CURRENCY) != 0)
        return LEDGER_CONFLICT;
    if (owner && (result = ledger_account_get(ledger, owner, &unused)) != LEDGER_OK)
        return result;
    return db_run(ledger->db, "INSERT INTO account (account_id, name, currency, overdraft, opened_ms, owner)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "tttiit", account->id, account->name, account->currency,
                  (int64_t)account->overdraft, at_ms, owner) ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result ledger_account_open(struct ledger *ledger, const char *id, const char *name, const char *currency,
                                       int64_t at_ms)
{
    struct ledger_account account = { .overdraft = false };

    snprintf(account.id, sizeof(account.id), "%s", id);
    snprintf(account.name, sizeof(account.name), "%s", name);
    snprintf(account.currency, sizeof(account.currency), "%s", currency);
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, ledger_account_put_locked(ledger, &account, at_ms));
}

enum ledger_result ledger_account(struct ledger *ledger, const char *account, struct ledger_balance *balance,
                                  char name[static LEDGER_NAME_BYTES], char currency[static 4])
{
    struct ledger_account row;
    enum ledger_result result = ledger_account_get(ledger, account, &row);

    if (result != LEDGER_OK)
        return result;
    *balance = row.balance;
    memcpy(name, row.name, sizeof(row.name));
    memcpy(currency, row.currency, sizeof(row.currency));
    return LEDGER_OK;
}

enum ledger_result ledger_compare(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT kind, debit, credit, amount_nano, pending_id, code, reason, refers,"
                                  " expires_ms FROM transfer WHERE transfer_id = ?1", "t", t->id);
    int rc = db_next(stmt);
    bool same = rc == 1 && db_column_is(stmt, 0, t->kind) && db_column_is(stmt, 1, t->debit) &&
                db_column_is(stmt, 2, t->credit) && sqlite3_column_int64(stmt, 3) == t->amount_nano &&
                db_column_is(stmt, 4, t->pending_id) && db_column_is(stmt, 5, t->code) &&
                db_column_is(stmt, 6, t->reason) && db_column_is(stmt, 7, t->refers) &&
                sqlite3_column_int64(stmt, 8) == t->expires_ms;

    db_end(stmt);
    if (rc == 1)
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    return rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

struct side {
    struct ledger_balance balance;
    bool overdraft;
};

static enum ledger_result side_read(struct ledger *ledger, const char *account, struct side *side)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT posted_nano, held_nano, overdraft FROM balance"
                                  " WHERE account_id = ?1", "t", account);
    int rc = db_next(stmt);

    if (rc == 1)
        *side = (struct side){ { sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1) },
                               sqlite3_column_int64(stmt, 2) != 0 };
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static int64_t side_available(const struct side *side)
{
    return side->overdraft ? INT64_MAX : side->balance.posted_nano - side->balance.held_nano;
}

bool ledger_account_exists(struct ledger *ledger, const char *account)
{
    struct side side;

    return side_read(ledger, account, &side) == LEDGER_OK;
}

int64_t ledger_available(struct ledger *ledger, const char *account)
{
    struct side side;

    return side_read(ledger, account, &side) == LEDGER_OK ? side_available(&side) : -1;
}

static enum ledger_result side_read_or_open(struct ledger *ledger, const char *account, int64_t at_ms,
                                            struct side *side)
{
    enum ledger_result result = side_read(ledger, account, side);

    if (result != LEDGER_NOT_FOUND)
        return result;
    result = chart_open_one_locked(ledger, account, at_ms);
    return result == LEDGER_OK ? side_read(ledger, account, side) : result;
}

static bool can_be(const struct ledger_transfer *t)
{
    bool ends = strcmp(t->kind, "post") == 0 || strcmp(t->kind, "void") == 0;
    bool pending = strcmp(t->kind, "pending") == 0;

    return (ends || pending || strcmp(t->kind, "posted") == 0) && ends == (t->pending_id != NULL) &&
           strlen(t->id) < LEDGER_ACCOUNT_BYTES && t->amount_nano >= 1 && t->amount_nano <= LEDGER_AMOUNT_MAX &&
           strcmp(t->debit, t->credit) != 0 && t->expires_ms >= 0 && (pending || t->expires_ms == 0);
}

/* Why a post or void may not be, or OK. A hold ends once. */
static enum ledger_result check_pending(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT amount_nano, debit, credit, EXISTS (SELECT 1 FROM transfer e"
                                  " WHERE e.pending_id = p.transfer_id), expires_ms FROM transfer p"
                                  " WHERE transfer_id = ?1 AND kind = 'pending'", "t", t->pending_id);
    enum ledger_result result = LEDGER_OK;
    int rc = db_next(stmt);
    bool post = strcmp(t->kind, "post") == 0;

    if (rc != 1) {
        result = rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
    } else {
        int64_t held = sqlite3_column_int64(stmt, 0), expires_ms = sqlite3_column_int64(stmt, 4);

        if (sqlite3_column_int64(stmt, 3) || !db_column_is(stmt, 1, t->debit) || !db_column_is(stmt, 2, t->credit) ||
            (post ? t->amount_nano > held : t->amount_nano != held) || (post && expires_ms && t->at_ms >= expires_ms))
            result = LEDGER_CONFLICT;
    }
    db_end(stmt);
    return result;
}

/* Whether both balances stay within int64. */
static bool fits(const struct ledger_transfer *t, const struct side *debit, const struct side *credit)
{
    int64_t sum;

    if (strcmp(t->kind, "void") == 0)
        return true;
    if (strcmp(t->kind, "pending") == 0)
        return !__builtin_add_overflow(debit->balance.held_nano, t->amount_nano, &sum);
    return !__builtin_sub_overflow(debit->balance.posted_nano, t->amount_nano, &sum) &&
           !__builtin_add_overflow(credit->balance.posted_nano, t->amount_nano, &sum);
}

static enum ledger_result check(struct ledger *ledger, const struct ledger_transfer *t)
{
    struct side debit, credit;
    enum ledger_result result;

    if (!can_be(t))
        return LEDGER_CONFLICT;
    result = side_read_or_open(ledger, t->debit, t->at_ms, &debit);
    if (result == LEDGER_OK)
        result = side_read_or_open(ledger, t->credit, t->at_ms, &credit);
    if (result == LEDGER_OK && t->pending_id)
        result = check_pending(ledger, t);
    if (result != LEDGER_OK)
        return result;
    if (!t->pending_id && side_available(&debit) < t->amount_nano)
        return LEDGER_INSUFFICIENT;
    return fits(t, &debit, &credit) ? LEDGER_OK : LEDGER_CONFLICT;
}

static enum ledger_result insert(struct ledger *ledger, const struct ledger_transfer *t)
{
    return db_run(ledger->db, "INSERT INTO transfer (transfer_id, kind, debit, credit, amount_nano, pending_id, code,"
                  " reason, refers, at_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                  " nullif(?11, 0))", "ttttittttii", t->id, t->kind, t->debit, t->credit, t->amount_nano,
                  t->pending_id, t->code, t->reason, t->refers, t->at_ms, t->expires_ms) ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *t)
{
    enum ledger_result result = ledger_compare(ledger, t);

    if (result == LEDGER_NOT_FOUND)
        result = check(ledger, t);
    else
        return result;
    return result == LEDGER_OK ? insert(ledger, t) : result;
}

enum ledger_result ledger_apply(struct ledger *ledger, const struct ledger_transfer *t)
{
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, ledger_apply_locked(ledger, t));
}

/* The next hold that is due: 1 and its id, 0 none, -1. */
static int next_due(struct ledger *ledger, int64_t now_ms, char id[static LEDGER_ACCOUNT_BYTES])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT transfer_id FROM expiring WHERE expires_ms <= ?1"
                                  " ORDER BY expires_ms LIMIT 1", "i", now_ms);
    int rc = db_next(stmt);

    if (rc == 1)
        db_copy_text(id, LEDGER_ACCOUNT_BYTES, stmt, 0);
    db_end(stmt);
    return rc;
}

struct expiry {
    struct ledger *ledger;
    int64_t now_ms;
};

static int expire_one(void *arg, const struct ledger_transfer *hold)
{
    struct expiry *expiry = arg;
    char id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .id = id, .kind = "void", .debit = hold->debit, .credit = hold->credit,
                                 .amount_nano = hold->amount_nano, .pending_id = hold->id, .code = hold->code,
                                 .reason = "expired", .refers = hold->refers, .at_ms = expiry->now_ms };

    ledger_derive_id(id, "expire %s", hold->id);
    return ledger_apply_locked(expiry->ledger, &t) == LEDGER_OK ? 0 : -1;
}

int ledger_expire(struct ledger *ledger, int64_t now_ms)
{
    struct expiry expiry = { ledger, now_ms };
    char id[LEDGER_ACCOUNT_BYTES];
    int expired = 0, rc = next_due(ledger, now_ms, id);

    if (rc != 1)
        return rc;
    if (ledger_begin(ledger))
        return -1;
    for (; rc == 1; expired++) {
        if (ledger_transfer_get(ledger, id, expire_one, &expiry) != LEDGER_OK) {
            ledger_rollback(ledger);
            return -1;
        }
        rc = next_due(ledger, now_ms, id);
    }
    if (rc == 0)
        return ledger_commit(ledger) ? -1 : expired;
    ledger_rollback(ledger);
    return -1;
}
