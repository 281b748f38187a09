/* Holds of instances, and charging, which draws on them. */
#include "accountd/ledger/holds.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <string.h>

enum ledger_result hold_read(struct ledger *ledger, const char *instance, struct hold *hold)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT i.account_id, i.hold_id, i.hold_seq, coalesce(t.amount_nano, 0),"
                                  " i.closed, coalesce(i.payer, i.account_id) FROM instance i"
                                  " LEFT JOIN transfer t ON t.transfer_id = i.hold_id"
                                  " WHERE i.instance_id = ?1", "t", instance);
    int rc = db_next(stmt);

    if (rc == 1) {
        db_copy_text(hold->account, sizeof(hold->account), stmt, 0);
        db_copy_text(hold->id, sizeof(hold->id), stmt, 1);
        hold->seq = sqlite3_column_int64(stmt, 2);
        hold->nano = sqlite3_column_int64(stmt, 3);
        hold->closed = sqlite3_column_int64(stmt, 4) != 0;
        db_copy_text(hold->payer, sizeof(hold->payer), stmt, 5);
    }
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static enum ledger_result hold_write(struct ledger *ledger, const char *instance, const struct hold *hold)
{
    return db_run(ledger->db, "UPDATE instance SET hold_id = ?2, hold_seq = ?3 WHERE instance_id = ?1", "tti", instance,
                  hold->id[0] ? hold->id : NULL, hold->seq) ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result hold_void_locked(struct ledger *ledger, const char *instance, struct hold *hold, int64_t at_ms)
{
    char id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .kind = "void", .debit = hold->payer, .credit = LEDGER_HOLDS,
                                 .amount_nano = hold->nano, .pending_id = hold->id, .code = "hold",
                                 .reason = "released", .refers = instance, .at_ms = at_ms };
    enum ledger_result result;

    if (!hold->id[0])
        return LEDGER_OK;
    t.id = ledger_derive_id(id, "void %s", hold->id);
    result = ledger_apply_locked(ledger, &t);
    hold->id[0] = 0;
    hold->nano = 0;
    return result == LEDGER_OK ? hold_write(ledger, instance, hold) : result;
}

enum ledger_result hold_take_locked(struct ledger *ledger, const char *instance, struct hold *hold, int64_t nano,
                                    int64_t at_ms)
{
    struct ledger_transfer t = { .kind = "pending", .debit = hold->payer, .credit = LEDGER_HOLDS, .amount_nano = nano,
                                 .code = "hold", .reason = "set aside for a launch", .refers = instance, .at_ms = at_ms };
    enum ledger_result result;

    if (nano == 0)
        return LEDGER_OK;
    hold->seq++;
    t.id = ledger_derive_id(hold->id, "hold %s %jd", instance, (intmax_t)hold->seq);
    result = ledger_apply_locked(ledger, &t);
    hold->nano = nano;
    return result == LEDGER_OK ? hold_write(ledger, instance, hold) : result;
}

enum ledger_result ledger_release_hold(struct ledger *ledger, const char *instance, int64_t at_ms)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, instance, &hold);

    if (result != LEDGER_OK || ledger_begin(ledger))
        return result == LEDGER_OK ? LEDGER_FAILED : result;
    return ledger_finish(ledger, hold_void_locked(ledger, instance, &hold, at_ms));
}

int ledger_each_hold(struct ledger *ledger, const char *account, int (*fn)(void *arg, const struct ledger_hold *hold),
                     void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT instance_id, debit, amount_nano, at_ms, hold_id FROM instance"
                                  " JOIN transfer ON transfer_id = hold_id WHERE account_id = ?1 ORDER BY instance_id",
                                  "t", account);
    struct ledger_hold hold;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        db_copy_text(hold.instance, sizeof(hold.instance), stmt, 0);
        db_copy_text(hold.payer, sizeof(hold.payer), stmt, 1);
        hold.nano = sqlite3_column_int64(stmt, 2);
        hold.at_ms = sqlite3_column_int64(stmt, 3);
        db_copy_text(hold.id, sizeof(hold.id), stmt, 4);
        rc = fn(arg, &hold);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

/* Gives `nano` of the instance's hold back to its payer, or all there is;
 * *given_nano says how much. */
static enum ledger_result give_way(struct ledger *ledger, const char *instance, int64_t nano, int64_t at_ms,
                                   int64_t *given_nano)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, instance, &hold);
    int64_t back;

    *given_nano = 0;
    if (result != LEDGER_OK || !hold.id[0])
        return result;
    *given_nano = hold.nano < nano ? hold.nano : nano;
    back = hold.nano - *given_nano;
    result = hold_void_locked(ledger, instance, &hold, at_ms);
    return result == LEDGER_OK ? hold_take_locked(ledger, instance, &hold, back, at_ms) : result;
}

/* An instance with a hold on this account: OK, NOT_FOUND. */
static enum ledger_result any_holder(struct ledger *ledger, const char *payer, char instance[static RECORD_NAME_BYTES])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT instance_id FROM instance JOIN transfer ON transfer_id = hold_id"
                                  " WHERE coalesce(payer, account_id) = ?1 ORDER BY instance_id LIMIT 1", "t", payer);
    int rc = db_next(stmt);

    if (rc == 1)
        db_copy_text(instance, RECORD_NAME_BYTES, stmt, 0);
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

/* First the instance's own hold, then those of its payer's others: the money is one, and ends for all of them at once. */
static enum ledger_result all_give_way(struct ledger *ledger, const char *instance, const char *payer, int64_t nano,
                                       int64_t at_ms, int64_t *given_nano)
{
    char other[RECORD_NAME_BYTES];
    enum ledger_result result = give_way(ledger, instance, nano, at_ms, given_nano);

    while (result == LEDGER_OK && *given_nano < nano && (result = any_holder(ledger, payer, other)) == LEDGER_OK) {
        int64_t more_nano;

        result = give_way(ledger, other, nano - *given_nano, at_ms, &more_nano);
        *given_nano += more_nano;
    }
    return result == LEDGER_NOT_FOUND ? LEDGER_OK : result;
}

/* Makes the transfer's amount available: from the holds as far as they go, then from the host. */
static enum ledger_result make_room(struct ledger *ledger, const char *instance, const struct ledger_transfer *drawn,
                                    int64_t *carried_nano)
{
    int64_t missing_nano = drawn->amount_nano - ledger_available(ledger, drawn->debit), given_nano = 0;
    struct ledger_transfer t = { .kind = "posted", .debit = LEDGER_CARRIED, .credit = drawn->debit, .code = "carried",
                                 .reason = "the money was spent", .refers = drawn->refers, .at_ms = drawn->at_ms };
    enum ledger_result result = LEDGER_OK;
    char id[LEDGER_ID_BYTES];

    if (missing_nano <= 0)
        return LEDGER_OK;
    if (instance)
        result = all_give_way(ledger, instance, drawn->debit, missing_nano, drawn->at_ms, &given_nano);
    if (result != LEDGER_OK || given_nano == missing_nano)
        return result;
    t.id = ledger_derive_id(id, "carried %s", drawn->id);
    t.amount_nano = missing_nano - given_nano;
    *carried_nano += t.amount_nano;
    return ledger_apply_locked(ledger, &t);
}

enum ledger_result ledger_draw_locked(struct ledger *ledger, const char *instance, const struct ledger_transfer *t,
                                      int64_t *carried_nano)
{
    enum ledger_result result = ledger_compare(ledger, t);

    if (result != LEDGER_NOT_FOUND)
        return result;
    result = make_room(ledger, instance, t, carried_nano);
    return result == LEDGER_OK ? ledger_apply_locked(ledger, t) : result;
}
