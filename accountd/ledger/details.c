#include "accountd/ledger/details.h"
#include "accountd/ledger/db.h"
#include "accountd/party.h"

#include <stdlib.h>

json_t *ledger_details(struct ledger *ledger, const char *account)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT body FROM account_detail WHERE account_id = ?1"
                                  " ORDER BY version DESC LIMIT 1", "t", account);
    int rc = db_next(stmt);
    json_t *party = rc == 1 ? json_loads((const char *)sqlite3_column_text(stmt, 0), 0, NULL) : NULL;
    char name[129], currency[4];
    struct ledger_balance balance;
    struct json_why why;

    db_end(stmt);
    if (rc == 0 && ledger_account(ledger, account, &balance, name, currency) == LEDGER_OK) {
        json_t *said = json_pack("{s:s}", "name", name);

        party = party_read(said, PARTY_BUYER_KEYS, "", &why);
        json_decref(said);
    }
    return party;
}

enum ledger_result ledger_details_put(struct ledger *ledger, const char *account, const json_t *party, int64_t at_ms)
{
    json_t *before = ledger_details(ledger, account);
    bool same = before && json_equal(before, party);
    char *body = json_canonical(party);
    int rc = -1;

    if (before && body && !same)
        rc = db_run(ledger->db, "INSERT INTO account_detail SELECT ?1, 1 + coalesce(max(version), 0), ?2, ?3"
                    " FROM account_detail WHERE account_id = ?1", "tti", account, body, at_ms);
    json_decref(before);
    free(body);
    return same ? LEDGER_EXISTS : rc ? LEDGER_FAILED : LEDGER_OK;
}
