#include "accountd/ledger/usage_sum.h"
#include "accountd/ledger/db.h"

#include <stdio.h>

int usage_sum(struct ledger *ledger, const char *origin, int64_t after, int64_t upto, int64_t *count, int64_t *nano)
{
    char refers[160];
    sqlite3_stmt *stmt;
    int rc;

    snprintf(refers, sizeof(refers), "leaf %s ", origin);
    stmt = db_query(ledger->db, "SELECT count(*), coalesce(sum(amount_nano), 0) FROM transfer WHERE seq > ?1 AND seq <= ?2"
                    " AND code = 'usage' AND substr(refers, 1, length(?3)) = ?3", "iit", after, upto, refers);
    rc = db_next(stmt);
    if (rc == 1) {
        *count = sqlite3_column_int64(stmt, 0);
        *nano = sqlite3_column_int64(stmt, 1);
    }
    db_end(stmt);
    return rc == 1 ? 0 : -1;
}
