/* The verbs that read many rows: walks, and the audit. */
#include "accountd/ledger/db.h"

#include <string.h>

#define ACCOUNT_COLUMNS "SELECT account_id, owner, name, currency, account.overdraft, posted_nano, held_nano" \
                        " FROM account JOIN balance USING (account_id) "

static void read_account(sqlite3_stmt *stmt, struct ledger_account *account)
{
    db_copy_text(account->id, sizeof(account->id), stmt, 0);
    db_copy_text(account->owner, sizeof(account->owner), stmt, 1);
    db_copy_text(account->name, sizeof(account->name), stmt, 2);
    db_copy_text(account->currency, sizeof(account->currency), stmt, 3);
    account->overdraft = sqlite3_column_int64(stmt, 4) != 0;
    account->balance = (struct ledger_balance){ sqlite3_column_int64(stmt, 5), sqlite3_column_int64(stmt, 6) };
}

enum ledger_result ledger_account_get(struct ledger *ledger, const char *account, struct ledger_account *out)
{
    sqlite3_stmt *stmt = db_query(ledger->db, ACCOUNT_COLUMNS "WHERE account_id = ?1", "t", account);
    int rc = db_next(stmt);

    if (rc == 1)
        read_account(stmt, out);
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

int ledger_each_account(struct ledger *ledger, const char *owner, const char *after, int limit, ledger_account_fn fn,
                        void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, ACCOUNT_COLUMNS "WHERE account_id > ?2"
                                  " AND (?1 IS NULL OR account_id = ?1 OR owner = ?1) ORDER BY account_id LIMIT ?3",
                                  "tti", owner, after, (int64_t)limit);
    struct ledger_account account;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        read_account(stmt, &account);
        rc = fn(arg, &account);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

#define TRANSFER_COLUMNS                                                                                               \
    "SELECT seq, transfer_id, kind, debit, credit, amount_nano, pending_id, code, reason, refers,"                     \
    " at_ms, expires_ms FROM transfer "

static struct ledger_transfer read_transfer(sqlite3_stmt *stmt)
{
    return (struct ledger_transfer){
        .seq = sqlite3_column_int64(stmt, 0),
        .id = (const char *)sqlite3_column_text(stmt, 1),
        .kind = (const char *)sqlite3_column_text(stmt, 2),
        .debit = (const char *)sqlite3_column_text(stmt, 3),
        .credit = (const char *)sqlite3_column_text(stmt, 4),
        .amount_nano = sqlite3_column_int64(stmt, 5),
        .pending_id = (const char *)sqlite3_column_text(stmt, 6),
        .code = (const char *)sqlite3_column_text(stmt, 7),
        .reason = (const char *)sqlite3_column_text(stmt, 8),
        .refers = (const char *)sqlite3_column_text(stmt, 9),
        .at_ms = sqlite3_column_int64(stmt, 10),
        .expires_ms = sqlite3_column_int64(stmt, 11),
    };
}

enum ledger_result ledger_transfer_get(struct ledger *ledger, const char *id, ledger_transfer_fn fn, void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, TRANSFER_COLUMNS "WHERE transfer_id = ?1", "t", id);
    int rc = db_next(stmt);
    enum ledger_result result = rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;

    if (rc == 1) {
        struct ledger_transfer transfer = read_transfer(stmt);

        if (fn(arg, &transfer))
            result = LEDGER_FAILED;
    }
    db_end(stmt);
    return result;
}

/* Each kind of walk has its own condition, so that SQLite finds its index. An account's entries are those of two
 * indexes merged (a transfer's sides are never the same account): a page reads its rows, not the account's past. */
static const char *walk_sql(const struct ledger_walk *walk)
{
#define RANGE         " AND seq > ?2 AND seq <= ?3 AND (?4 = 0 OR kind IN ('posted', 'post')) "
#define END(order)    " ORDER BY seq " order " LIMIT ?5"
#define BOTH(rows)    { rows END("ASC"), rows END("DESC") }
#define PURSES        "(SELECT account_id FROM account WHERE account_id = ?1 OR owner = ?1)"
    static const char *const sql[3][2] = {
        BOTH(TRANSFER_COLUMNS "WHERE ?1 IS NULL" RANGE),
        BOTH(TRANSFER_COLUMNS "WHERE debit = ?1" RANGE "UNION ALL " TRANSFER_COLUMNS "WHERE credit = ?1" RANGE),
        BOTH(TRANSFER_COLUMNS "WHERE (debit IN " PURSES " OR credit IN " PURSES ")" RANGE),
    };

    return sql[!walk->account ? 0 : walk->purses ? 2 : 1][walk->newest_first];
}

int ledger_each_transfer(struct ledger *ledger, const struct ledger_walk *walk, ledger_transfer_fn fn, void *arg)
{
    int64_t from = walk->newest_first ? 0 : walk->after, upto = walk->upto ? walk->upto : INT64_MAX;
    sqlite3_stmt *stmt;
    int rc;

    if (walk->newest_first && walk->after && walk->after <= upto)
        upto = walk->after - 1;
    stmt = db_query(ledger->db, walk_sql(walk), "tiiii", walk->account, from, upto, (int64_t)walk->moves,
                    (int64_t)walk->limit);
    while ((rc = db_next(stmt)) == 1) {
        struct ledger_transfer transfer = read_transfer(stmt);

        rc = fn(arg, &transfer);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int64_t ledger_last_seq(struct ledger *ledger)
{
    int64_t seq;

    return db_int(ledger->db, &seq, "SELECT coalesce(max(seq), 0) FROM transfer", "") == 1 ? seq : -1;
}

/* In billions and the rest: the sum of one side may pass int64 where the balance does not. */
static const char audit_sql[] =
    "WITH side (account_id, nano, held) AS ("
    " SELECT credit, amount_nano, 0 FROM transfer WHERE kind IN ('posted', 'post')"
    " UNION ALL SELECT debit, -amount_nano, 0 FROM transfer WHERE kind IN ('posted', 'post')"
    " UNION ALL SELECT debit, 0, amount_nano FROM transfer p WHERE kind = 'pending'"
    " AND NOT EXISTS (SELECT 1 FROM transfer e WHERE e.pending_id = p.transfer_id)),"
    " total AS (SELECT account_id, sum(nano / 1000000000) AS a, sum(nano % 1000000000) AS b,"
    " sum(held / 1000000000) AS c, sum(held % 1000000000) AS d FROM side GROUP BY account_id)"
    " SELECT account_id, posted_nano, held_nano, coalesce(a, 0), coalesce(b, 0), coalesce(c, 0), coalesce(d, 0),"
    " account.overdraft = balance.overdraft"
    " FROM account LEFT JOIN balance USING (account_id) LEFT JOIN total USING (account_id) ORDER BY account_id";

static bool column_is_sum(sqlite3_stmt *stmt, int balance, int high)
{
    __int128 sum = (__int128)sqlite3_column_int64(stmt, high) * 1000000000 + sqlite3_column_int64(stmt, high + 1);

    return sqlite3_column_type(stmt, balance) == SQLITE_INTEGER && sum == sqlite3_column_int64(stmt, balance);
}

enum ledger_result ledger_audit(struct ledger *ledger, char account[static LEDGER_ACCOUNT_BYTES])
{
    sqlite3_stmt *stmt = db_query(ledger->db, audit_sql, "");
    int rc;

    while ((rc = db_next(stmt)) == 1)
        if (!column_is_sum(stmt, 1, 3) || !column_is_sum(stmt, 2, 5) || !sqlite3_column_int64(stmt, 7)) {
            db_copy_text(account, LEDGER_ACCOUNT_BYTES, stmt, 0);
            break;
        }
    db_end(stmt);
    return rc == 1 ? LEDGER_CONFLICT : rc == 0 ? LEDGER_OK : LEDGER_FAILED;
}
