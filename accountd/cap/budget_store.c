/* The rows of budgets. */
#include "accountd/cap/store.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void steps_text(const struct budget *b, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = 0;
    for (unsigned s = 0; s < b->steps_count && used < bytes; s++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%jd", s ? " " : "", (intmax_t)b->steps[s]);
}

static void steps_read(const char *text, struct budget *b)
{
    const size_t room = sizeof(b->steps) / sizeof(b->steps[0]);
    char *end;

    for (b->steps_count = 0; *text && b->steps_count < room; text = *end ? end + 1 : end)
        b->steps[b->steps_count++] = strtoll(text, &end, 10);
}

enum ledger_result budget_put(struct ledger *ledger, const struct budget *b)
{
    char steps[8 * 21];
    int64_t mine, others;
    int rc =
        db_int(ledger->db, &mine, "SELECT account_id = ?2 FROM budget WHERE budget_id = ?1", "tt", b->id, b->account);

    if (rc < 0 || (rc == 1 && !mine))
        return rc < 0 ? LEDGER_FAILED : LEDGER_CONFLICT;
    if (b->amount_nano && db_int(ledger->db, &others, "SELECT count(*) FROM budget WHERE account_id = ?1 AND budget_id <> ?2",
                                 "tt", b->account, b->id) != 1)
        return LEDGER_FAILED;
    if (b->amount_nano && others >= BUDGETS_MAX)
        return LEDGER_INSUFFICIENT;
    steps_text(b, steps, sizeof(steps));
    if (b->amount_nano == 0)
        rc = db_run(ledger->db, "DELETE FROM budget WHERE budget_id = ?1", "t", b->id);
    else
        rc = db_run(ledger->db, "INSERT OR REPLACE INTO budget VALUES (?1, ?2, ?3, ?4)", "ttit", b->id, b->account,
                    b->amount_nano, steps);
    return rc ? LEDGER_FAILED : LEDGER_OK;
}

int budget_each(struct ledger *ledger, int (*fn)(void *arg, const struct budget *budget), void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT budget_id, account_id, amount_nano, steps FROM budget"
                                  " ORDER BY budget_id", "");
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct budget b = { .amount_nano = sqlite3_column_int64(stmt, 2) };

        db_copy_text(b.id, sizeof(b.id), stmt, 0);
        db_copy_text(b.account, sizeof(b.account), stmt, 1);
        steps_read((const char *)sqlite3_column_text(stmt, 3), &b);
        rc = fn(arg, &b);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int budget_spent(struct ledger *ledger, const char *account, int64_t from_ms, int64_t to_ms, int64_t *seq,
                 int64_t *nano)
{
    sqlite3_stmt *stmt =
        db_query(ledger->db,
                 "WITH payer AS (SELECT DISTINCT coalesce(payer, account_id) AS id FROM instance"
                 " WHERE account_id = ?1) SELECT"
                 " (SELECT coalesce(sum(amount_nano), 0) FROM transfer WHERE debit IN (SELECT id FROM payer)"
                 "  AND seq > ?2 AND code IN ('usage', 'tax') AND at_ms >= ?3 AND at_ms < ?4)"
                 " - (SELECT coalesce(sum(amount_nano), 0) FROM transfer WHERE credit IN (SELECT id FROM payer)"
                 "  AND seq > ?2 AND code = 'carried' AND at_ms >= ?3 AND at_ms < ?4),"
                 " (SELECT coalesce(max(seq), 0) FROM transfer)",
                 "tiii", account, *seq, from_ms, to_ms);
    int rc = db_next(stmt);

    if (rc == 1) {
        *nano += sqlite3_column_int64(stmt, 0);
        *seq = sqlite3_column_int64(stmt, 1);
    }
    db_end(stmt);
    return rc == 1 ? 0 : -1;
}
