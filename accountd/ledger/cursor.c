/* How far each log has been charged. */
#include "accountd/ledger/cursor.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <string.h>

int ledger_log(struct ledger *ledger, const char *origin, uint64_t *charged_to, uint64_t *head_size, char **head_note)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT charged_to, head_size, head_note FROM log WHERE origin = ?1", "t",
                                  origin);
    int rc = db_next(stmt);

    if (rc == 1) {
        *charged_to = (uint64_t)sqlite3_column_int64(stmt, 0);
        *head_size = (uint64_t)sqlite3_column_int64(stmt, 1);
        *head_note = strdup((const char *)sqlite3_column_text(stmt, 2));
    }
    db_end(stmt);
    return rc;
}

int ledger_log_put_locked(struct ledger *ledger, const char *origin, uint64_t charged_to, uint64_t head_size,
                          const char *head_note)
{
    return db_run(ledger->db, "INSERT INTO log VALUES (?1, ?2, ?3, ?4) ON CONFLICT (origin) DO UPDATE"
                  " SET charged_to = ?2, head_size = ?3, head_note = ?4", "tiit", origin, (int64_t)charged_to,
                  (int64_t)head_size, head_note);
}

int ledger_log_epoch(struct ledger *ledger, const char *host)
{
    char prefix[128];
    int64_t epoch;

    snprintf(prefix, sizeof(prefix), "%s/usage/e", host);
    if (db_int(ledger->db, &epoch, "SELECT coalesce(max(CAST(substr(origin, length(?1) + 1) AS INTEGER)), 0) FROM log"
               " WHERE substr(origin, 1, length(?1)) = ?1", "t", prefix) != 1)
        return -1;
    return (int)epoch;
}
