#include "accountd/ledger/deposits.h"
#include "accountd/ledger/db.h"
#include "common/json.h"

/* Where what arrives comes from: few accounts, each with an index of its transfers in order. An index of deposits alone
 * would be looked at by each charge. */
#define FROM(account) "FROM transfer WHERE debit = '" account "' AND kind = 'posted'"                                    \
                      " AND code IN ('fund', 'voucher', 'credit', 'bank', 'card', 'suspense')"
#define AFTER(account) "SELECT seq, transfer_id, nullif(credit, '" LEDGER_SUSPENSE "'),"                                 \
                       " (SELECT currency FROM account WHERE account_id = credit), amount_nano, code, at_ms "             \
                       FROM(account) " AND seq > ?1"
#define NEWEST(account) "coalesce((SELECT seq " FROM(account) " ORDER BY seq DESC LIMIT 1), 0)"

static json_t *deposit_json(sqlite3_stmt *stmt)
{
    return json_pack("{s:I, s:s, s:s?, s:s, s:o, s:s, s:I}", "number", (json_int_t)sqlite3_column_int64(stmt, 0),
                     "transfer_id", (const char *)sqlite3_column_text(stmt, 1), "account_id",
                     (const char *)sqlite3_column_text(stmt, 2), "currency", (const char *)sqlite3_column_text(stmt, 3),
                     "amount_nano", json_decimal(sqlite3_column_int64(stmt, 4)), "code",
                     (const char *)sqlite3_column_text(stmt, 5), "at_ms", (json_int_t)sqlite3_column_int64(stmt, 6));
}

json_t *deposits_list(struct ledger *ledger, int64_t after, int64_t limit)
{
    sqlite3_stmt *stmt = db_query(ledger->db,
                                  AFTER(LEDGER_DEPOSITS_BANK) " UNION ALL " AFTER(LEDGER_DEPOSITS_CARD) " UNION ALL "
                                  AFTER(LEDGER_DEPOSITS_CREDIT) " UNION ALL " AFTER(LEDGER_SUSPENSE) " ORDER BY seq LIMIT ?2",
                                  "ii", after, limit);
    json_t *list = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(list, deposit_json(stmt));
    db_end(stmt);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

int64_t deposits_newest(struct ledger *ledger)
{
    int64_t number = 0;

    return db_int(ledger->db, &number, "SELECT max(" NEWEST(LEDGER_DEPOSITS_BANK) ", " NEWEST(LEDGER_DEPOSITS_CARD) ", "
                  NEWEST(LEDGER_DEPOSITS_CREDIT) ", " NEWEST(LEDGER_SUSPENSE) ")", "") < 0 ? -1 : number;
}
