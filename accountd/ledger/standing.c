#include "accountd/ledger/standing.h"
#include "accountd/ledger/db.h"

/* Accounts from which money comes in, and to which it goes back. */
#define OUTSIDE "('" LEDGER_DEPOSITS_BANK "', '" LEDGER_DEPOSITS_CARD "', '" LEDGER_DEPOSITS_CREDIT "', '" LEDGER_SUSPENSE "')"
/* By who got it: little comes to a customer beside what is charged to them, and little of all deposits goes back. */
#define MOVED(from, to) \
    "(SELECT coalesce(sum(amount_nano), 0) FROM transfer INDEXED BY transfer_credit WHERE kind IN ('posted', 'post')" \
    " AND debit " from " AND credit " to ")"
#define OWN    "IN (SELECT id FROM own)"
#define TAKEN  " FROM payment_taking JOIN taken_from USING (receipt_id)"
#define STOPS  " FROM cap_event WHERE payer " OWN

static const char columns[] =
    "WITH own AS (SELECT ?1 AS id UNION ALL SELECT 'po:' || po_id FROM purchase_order WHERE account_id = ?1),"
    " taken_from AS (SELECT receipt_id FROM receipt LEFT JOIN receipt_end USING (receipt_id)"
    "  WHERE coalesce(receipt.account_id, receipt_end.account_id) = ?1)"
    " SELECT " MOVED("IN " OUTSIDE, OWN) " - " MOVED(OWN, "IN " OUTSIDE) ","
    " (SELECT sum(posted_nano) FROM balance WHERE account_id " OWN "),"
    " (SELECT sum(held_nano) FROM balance WHERE account_id " OWN "),"
    " (SELECT coalesce(sum(net_nano + tax_nano), 0) FROM open_use WHERE account_id = ?1),"
    " " MOVED("= '" LEDGER_CARRIED "'", OWN) " - " MOVED(OWN, "= '" LEDGER_CARRIED "'") ","
    " (SELECT count(DISTINCT receipt_id)" TAKEN "),"
    " (SELECT coalesce(sum(taken_nano), 0)" TAKEN "), (SELECT coalesce(sum(carried_nano), 0)" TAKEN "),"
    " (SELECT count(*) FROM dispute WHERE account_id = ?1),"
    " (SELECT count(*) FROM dispute LEFT JOIN dispute_end USING (dispute_id) WHERE account_id = ?1 AND outcome IS NULL),"
    " (SELECT count(*)" STOPS "), (SELECT coalesce(max(at_ms), 0)" STOPS ")";

enum ledger_result standing_read(struct ledger *ledger, const char *account, struct standing *s)
{
    sqlite3_stmt *stmt;
    int rc;

    if (!ledger_account_exists(ledger, account))
        return LEDGER_NOT_FOUND;
    stmt = db_query(ledger->db, columns, "t", account);
    rc = db_next(stmt);
    if (rc == 1)
        *s = (struct standing){ .funded_nano = sqlite3_column_int64(stmt, 0),
                                .spent_nano = sqlite3_column_int64(stmt, 0) - sqlite3_column_int64(stmt, 1),
                                .posted_nano = sqlite3_column_int64(stmt, 1),
                                .held_nano = sqlite3_column_int64(stmt, 2),
                                .uninvoiced_nano = sqlite3_column_int64(stmt, 3),
                                .carried_nano = sqlite3_column_int64(stmt, 4),
                                .payments_taken_back = sqlite3_column_int64(stmt, 5),
                                .taken_back_nano = sqlite3_column_int64(stmt, 6),
                                .taken_unpaid_nano = sqlite3_column_int64(stmt, 7),
                                .disputes = sqlite3_column_int64(stmt, 8),
                                .disputes_open = sqlite3_column_int64(stmt, 9),
                                .stops = sqlite3_column_int64(stmt, 10),
                                .last_stop_ms = sqlite3_column_int64(stmt, 11) };
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : LEDGER_FAILED;
}
