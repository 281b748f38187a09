/* What came from outside, in ledger.db. */
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ledger_result written(int rc)
{
    return rc ? LEDGER_FAILED : LEDGER_OK;
}

int store_references_fill(struct ledger *ledger)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT account_id FROM account a WHERE overdraft = 0"
                                  " AND instr(account_id, ':') = 0 AND NOT EXISTS"
                                  " (SELECT 1 FROM payment_reference r WHERE r.account_id = a.account_id)", "");
    char account[RECORD_NAME_BYTES], reference[REFERENCE_BYTES];
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        db_copy_text(account, sizeof(account), stmt, 0);
        rc = db_run(ledger->db, "INSERT INTO payment_reference VALUES (?1, ?2)", "tt", account,
                    reference_of_account(account, reference));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int store_reference_account(struct ledger *ledger, const char *reference, char account[static RECORD_NAME_BYTES])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT min(account_id) FROM payment_reference WHERE reference = ?1"
                                  " HAVING count(*) = 1", "t", reference);
    int rc = db_next(stmt);

    if (rc == 1)
        db_copy_text(account, RECORD_NAME_BYTES, stmt, 0);
    db_end(stmt);
    return rc;
}

int store_import(struct ledger *ledger, const char *import_id, char sha256[static 65], char **report)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT sha256, report FROM bank_import WHERE import_id = ?1", "t",
                                  import_id);
    int rc = db_next(stmt);

    if (rc == 1) {
        db_copy_text(sha256, 65, stmt, 0);
        *report = strdup((const char *)sqlite3_column_text(stmt, 1));
        rc = *report ? 1 : -1;
    }
    db_end(stmt);
    return rc;
}

enum ledger_result store_import_put(struct ledger *ledger, const char *import_id, const char *sha256,
                                    const char *operator_id, const char *report, int64_t at_ms)
{
    return written(db_run(ledger->db, "INSERT INTO bank_import VALUES (?1, ?2, ?3, ?4, ?5)", "tttti", import_id, sha256,
                          operator_id, report, at_ms));
}

enum ledger_result store_receipt_put(struct ledger *ledger, const struct receipt_row *r)
{
    return written(db_run(ledger->db, "INSERT INTO receipt VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                          " ?12, ?13, ?14, ?15, ?16, ?17)", "tttttttitttttttti", r->id, r->source, r->origin,
                          r->statement, r->servicer_ref, r->twin, r->booked_on, r->nano, r->currency, r->payer,
                          r->payer_iban, r->text, r->state, r->why, r->account, r->transfer_id, r->at_ms));
}

int store_receipt(struct ledger *ledger, const char *receipt_id, struct receipt *receipt)
{
    sqlite3_stmt *stmt = db_query(ledger->db,
                                  "SELECT source, coalesce(e.kind, state), coalesce(e.account_id, r.account_id),"
                                  " amount_nano, (SELECT coalesce(sum(taken_nano), 0) FROM payment_taking t"
                                  " WHERE t.receipt_id = r.receipt_id), e.transfer_id FROM receipt r"
                                  " LEFT JOIN receipt_end e ON e.receipt_id = r.receipt_id WHERE r.receipt_id = ?1",
                                  "t", receipt_id);
    int rc = db_next(stmt);

    if (rc == 1) {
        db_copy_text(receipt->source, sizeof(receipt->source), stmt, 0);
        db_copy_text(receipt->state, sizeof(receipt->state), stmt, 1);
        db_copy_text(receipt->account, sizeof(receipt->account), stmt, 2);
        receipt->nano = sqlite3_column_int64(stmt, 3);
        receipt->taken_nano = sqlite3_column_int64(stmt, 4);
        db_copy_text(receipt->end_transfer, sizeof(receipt->end_transfer), stmt, 5);
    }
    db_end(stmt);
    return rc;
}

int store_receipt_twin(struct ledger *ledger, const char *twin, const char *statement, const char *servicer_ref,
                       char receipt_id[static LEDGER_ID_BYTES])
{
    sqlite3_stmt *stmt =
        db_query(ledger->db,
                 "SELECT receipt_id FROM receipt WHERE twin = ?1 AND (statement < ?2 OR statement > ?2)"
                 " AND state <> 'ignored' AND (servicer_ref = '' OR ?3 = '') ORDER BY number LIMIT 1",
                 "ttt", twin, statement, servicer_ref);
    int rc = db_next(stmt);

    if (rc == 1)
        db_copy_text(receipt_id, LEDGER_ID_BYTES, stmt, 0);
    db_end(stmt);
    return rc;
}

enum ledger_result store_receipt_end(struct ledger *ledger, const char *receipt_id, const char *kind,
                                     const char *account, const char *transfer_id, const char *operator_id,
                                     const char *reason, int64_t at_ms)
{
    return written(db_run(ledger->db, "INSERT INTO receipt_end VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "tttttti",
                          receipt_id, kind, account, transfer_id, operator_id, reason, at_ms));
}

/* In the order of the query below. */
static json_t *receipt_json(sqlite3_stmt *stmt)
{
    static const char *const names[] = { "entry_id",  "source",     "state",       "statement",  "servicer_ref",
                                        "booked_on", "currency",   "payer",       "payer_iban", "text",
                                        "why",       "account_id", "transfer_id", "operator",   "reason" };
    json_t *object = json_pack("{s:I, s:o, s:I}", "number", (json_int_t)sqlite3_column_int64(stmt, 0), "amount_nano",
                               json_decimal(sqlite3_column_int64(stmt, 1)), "at_ms",
                               (json_int_t)sqlite3_column_int64(stmt, 2));

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, (int)i + 3);

        if (text && *text)
            json_object_set_new(object, names[i], json_string(text));
    }
    return object;
}

json_t *store_receipts(struct ledger *ledger, const char *state, int64_t after, int64_t limit)
{
#define LIST(filter)                                                                                                   \
    "SELECT number, amount_nano, r.at_ms, r.receipt_id, source, coalesce(e.kind, state) AS now, statement,"            \
    " servicer_ref, booked_on, currency, payer, payer_iban, text, why, coalesce(e.account_id, r.account_id),"          \
    " coalesce(e.transfer_id, r.transfer_id), e.operator, e.reason FROM receipt r"                                     \
    " LEFT JOIN receipt_end e ON e.receipt_id = r.receipt_id WHERE number > ?2 AND " filter " ORDER BY number LIMIT ?3"
    /* Only what was in suspense has an end. */
    static const char all[] = LIST("?1 IS NULL"), begun[] = LIST("state = ?1"),
                      ended[] = LIST("state = 'suspense' AND now = ?1");
#undef LIST
    bool as_begun = state && (strcmp(state, "credited") == 0 || strcmp(state, "ignored") == 0);
    sqlite3_stmt *stmt = db_query(ledger->db, !state ? all : as_begun ? begun : ended, "tii", state, after, limit);
    json_t *list = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(list, receipt_json(stmt));
    db_end(stmt);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

int store_event_outcome(struct ledger *ledger, const char *provider, const char *event_id, char outcome[static 32])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT outcome FROM payment_event WHERE provider = ?1 AND event_id = ?2",
                                  "tt", provider, event_id);
    int rc = db_next(stmt);

    if (rc == 1)
        db_copy_text(outcome, 32, stmt, 0);
    db_end(stmt);
    return rc;
}

enum ledger_result store_event_put(struct ledger *ledger, const struct event_row *e)
{
    return written(db_run(ledger->db, "INSERT INTO payment_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                          "ttttititti", e->provider, e->event_id, e->type, e->receipt_id, e->refunded_nano, e->dispute,
                          e->disputed_nano, e->outcome, e->body, e->at_ms));
}

int store_due(struct ledger *ledger, const char *receipt_id, int64_t *refunded_nano, int64_t *disputed_nano)
{
    sqlite3_stmt *stmt =
        db_query(ledger->db,
                 "SELECT (SELECT coalesce(max(refunded_nano), 0) FROM payment_event"
                 " WHERE receipt_id = ?1), (SELECT coalesce(sum(nano), 0) FROM (SELECT max(disputed_nano)"
                 " AS nano FROM payment_event WHERE receipt_id = ?1 AND dispute <> '' GROUP BY dispute))",
                 "t", receipt_id);
    int rc = db_next(stmt);

    if (rc == 1) {
        *refunded_nano = sqlite3_column_int64(stmt, 0);
        *disputed_nano = sqlite3_column_int64(stmt, 1);
    }
    db_end(stmt);
    return rc;
}

enum ledger_result store_taking_put(struct ledger *ledger, const char *receipt_id, const char *event_id,
                                    int64_t taken_nano, int64_t carried_nano, int64_t at_ms)
{
    return written(db_run(ledger->db, "INSERT INTO payment_taking VALUES (?1, ?2, ?3, ?4, ?5)", "ttiii", receipt_id,
                          event_id, taken_nano, carried_nano, at_ms));
}

#define VOUCHER_COLUMNS                                                                                                \
    "SELECT v.voucher_id, operator, amount_nano, coalesce(expires_ms, 0), r.account_id, r.transfer_id"                 \
    " FROM voucher v LEFT JOIN voucher_redemption r ON r.voucher_id = v.voucher_id "

static int read_voucher(sqlite3_stmt *stmt, struct voucher *voucher)
{
    int rc = db_next(stmt);

    if (rc == 1) {
        db_copy_text(voucher->id, sizeof(voucher->id), stmt, 0);
        db_copy_text(voucher->operator_id, sizeof(voucher->operator_id), stmt, 1);
        voucher->nano = sqlite3_column_int64(stmt, 2);
        voucher->expires_ms = sqlite3_column_int64(stmt, 3);
        db_copy_text(voucher->account, sizeof(voucher->account), stmt, 4);
        db_copy_text(voucher->transfer_id, sizeof(voucher->transfer_id), stmt, 5);
    }
    db_end(stmt);
    return rc;
}

int store_voucher(struct ledger *ledger, const char *voucher_id, struct voucher *voucher)
{
    return read_voucher(db_query(ledger->db, VOUCHER_COLUMNS "WHERE v.voucher_id = ?1", "t", voucher_id), voucher);
}

int store_voucher_by_hash(struct ledger *ledger, const uint8_t hash[static VOUCHER_HASH_BYTES], struct voucher *voucher)
{
    return read_voucher(
        db_query(ledger->db, VOUCHER_COLUMNS "WHERE code_hash = ?1", "b", hash, (size_t)VOUCHER_HASH_BYTES), voucher);
}

enum ledger_result store_voucher_put(struct ledger *ledger, const struct voucher *v,
                                     const uint8_t hash[static VOUCHER_HASH_BYTES], int64_t at_ms)
{
    return written(db_run(ledger->db, "INSERT INTO voucher VALUES (?1, ?2, ?3, nullif(?4, 0), ?5, ?6)", "tbiiti", v->id,
                          hash, (size_t)VOUCHER_HASH_BYTES, v->nano, v->expires_ms, v->operator_id, at_ms));
}

enum ledger_result store_redemption_put(struct ledger *ledger, const char *voucher_id, const char *account,
                                        const char *transfer_id, int64_t at_ms)
{
    return written(db_run(ledger->db, "INSERT INTO voucher_redemption VALUES (?1, ?2, ?3, ?4)", "ttti", voucher_id,
                          account, transfer_id, at_ms));
}
