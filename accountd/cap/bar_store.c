/* Operators' suspensions in ledger.db. */
#include "accountd/cap/store.h"
#include "accountd/ledger/db.h"

int bar_put_locked(struct ledger *ledger, const struct cap_bar *bar)
{
    return db_run(ledger->db, "INSERT INTO bar (subject, account_id, operator, reason, at_ms)"
                  " VALUES (?1, ?2, ?3, ?4, ?5)", "tttti", bar->subject, bar->account, bar->operator_id,
                  bar->reason, bar->at_ms);
}

int bar_drop_locked(struct ledger *ledger, const char *subject)
{
    return db_run(ledger->db, "DELETE FROM bar WHERE subject = ?1", "t", subject);
}

int bar_each(struct ledger *ledger, void (*fn)(struct cap *cap, const struct cap_bar *bar), struct cap *cap)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT subject, account_id, operator, reason, at_ms FROM bar"
                                  " ORDER BY subject", "");
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct cap_bar bar = { .at_ms = sqlite3_column_int64(stmt, 4) };

        db_copy_text(bar.subject, sizeof(bar.subject), stmt, 0);
        db_copy_text(bar.account, sizeof(bar.account), stmt, 1);
        db_copy_text(bar.operator_id, sizeof(bar.operator_id), stmt, 2);
        db_copy_text(bar.reason, sizeof(bar.reason), stmt, 3);
        fn(cap, &bar);
    }
    db_end(stmt);
    return rc;
}
