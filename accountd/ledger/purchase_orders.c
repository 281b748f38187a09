/* Purchase orders. A row says what the customer asked for; the money is in the
 * purse, moved there and back by transfers with code "po". */
#include "accountd/ledger/purchase_orders.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                                        \
    "SELECT po_id, purchase_order.account_id, name, amount_nano, end_ms, created_ms, closed_ms, funded_nano,"          \
    " posted_nano, held_nano, number FROM purchase_order JOIN balance ON balance.account_id = 'po:' || po_id "

static void read_order(sqlite3_stmt *stmt, struct purchase_order *order)
{
    int64_t posted_nano = sqlite3_column_int64(stmt, 8);

    db_copy_text(order->id, sizeof(order->id), stmt, 0);
    db_copy_text(order->account, sizeof(order->account), stmt, 1);
    db_copy_text(order->name, sizeof(order->name), stmt, 2);
    order->amount_nano = sqlite3_column_int64(stmt, 3);
    order->end_ms = sqlite3_column_int64(stmt, 4);
    order->created_ms = sqlite3_column_int64(stmt, 5);
    order->closed_ms = sqlite3_column_int64(stmt, 6);
    order->funded_nano = sqlite3_column_int64(stmt, 7);
    order->held_nano = sqlite3_column_int64(stmt, 9);
    order->number = sqlite3_column_int64(stmt, 10);
    /* What the host carried came in and went out again: it is nobody's spending. */
    order->spent_nano = order->funded_nano - posted_nano;
    order->free_nano = posted_nano - order->held_nano;
}

enum ledger_result purchase_order_get(struct ledger *ledger, const char *id, struct purchase_order *order)
{
    sqlite3_stmt *stmt = db_query(ledger->db, COLUMNS "WHERE po_id = ?1", "t", id);
    int rc = db_next(stmt);

    if (rc == 1)
        read_order(stmt, order);
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static int walk(sqlite3_stmt *stmt, int (*fn)(void *arg, const struct purchase_order *order), void *arg)
{
    struct purchase_order order;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        read_order(stmt, &order);
        rc = fn(arg, &order);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int purchase_order_each(struct ledger *ledger, const char *account, int64_t before, int64_t limit,
                        int (*fn)(void *arg, const struct purchase_order *order), void *arg)
{
    return walk(db_query(ledger->db,
                         COLUMNS "WHERE purchase_order.account_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3",
                         "tii", account, before ? before : INT64_MAX, limit), fn, arg);
}

bool purchase_order_takes_launches(const struct purchase_order *order, int64_t now_ms)
{
    return !order->closed_ms && (!order->end_ms || now_ms < order->end_ms);
}

static char *purse_of(char purse[static LEDGER_ACCOUNT_BYTES], const char *id)
{
    snprintf(purse, LEDGER_ACCOUNT_BYTES, LEDGER_PURSE "%s", id);
    return purse;
}

/* Wallet to purse; INSUFFICIENT says what there is. */
static enum ledger_result put_in(struct ledger *ledger, const char *transfer_id, const struct purchase_order *order,
                                 int64_t amount_nano, int64_t at_ms, int64_t *available_nano)
{
    char purse[LEDGER_ACCOUNT_BYTES];
    struct ledger_transfer t = { .id = transfer_id, .kind = "posted", .debit = order->account,
                                 .credit = purse_of(purse, order->id), .amount_nano = amount_nano, .code = "po",
                                 .reason = order->name, .refers = order->id, .at_ms = at_ms };
    enum ledger_result result = ledger_apply_locked(ledger, &t);

    if (result == LEDGER_INSUFFICIENT)
        *available_nano = ledger_available(ledger, order->account);
    if (result != LEDGER_OK)
        return result;
    return db_run(ledger->db, "UPDATE purchase_order SET funded_nano = funded_nano + ?2 WHERE po_id = ?1", "ti",
                  order->id, amount_nano)
               ? LEDGER_FAILED
               : LEDGER_OK;
}

static enum ledger_result create_locked(struct ledger *ledger, const struct purchase_order *order, int64_t at_ms,
                                        int64_t *available_nano)
{
    struct ledger_account purse = { .currency = LEDGER_CURRENCY };
    char transfer_id[LEDGER_ID_BYTES];
    enum ledger_result result;

    purse_of(purse.id, order->id);
    snprintf(purse.owner, sizeof(purse.owner), "%s", order->account);
    snprintf(purse.name, sizeof(purse.name), "%s", order->name);
    result = ledger_account_put_locked(ledger, &purse, at_ms);
    if (result != LEDGER_OK)
        return result;
    if (db_run(ledger->db, "INSERT INTO purchase_order VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), ?6, 0, 0, NULL,"
               " (SELECT coalesce(max(number), 0) + 1 FROM purchase_order WHERE account_id = ?2))",
               "tttiii", order->id, order->account, order->name, order->amount_nano, order->end_ms, at_ms))
        return LEDGER_FAILED;
    ledger_derive_id(transfer_id, "purchase order %s", order->id);
    return put_in(ledger, transfer_id, order, order->amount_nano, at_ms, available_nano);
}

enum ledger_result purchase_order_create(struct ledger *ledger, const struct purchase_order *order, int64_t at_ms,
                                         int64_t *available_nano)
{
    struct purchase_order old;
    enum ledger_result result = purchase_order_get(ledger, order->id, &old);

    if (result == LEDGER_OK)
        return strcmp(old.account, order->account) == 0 && strcmp(old.name, order->name) == 0 &&
               old.amount_nano == order->amount_nano && old.end_ms == order->end_ms ? LEDGER_EXISTS
                                                                                    : LEDGER_EXISTS_DIFFERENT;
    if (result != LEDGER_NOT_FOUND)
        return result;
    if (order->end_ms && order->end_ms <= at_ms)
        return LEDGER_CONFLICT;
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, create_locked(ledger, order, at_ms, available_nano));
}

enum ledger_result purchase_order_own(struct ledger *ledger, const char *id, const char *account,
                                      struct purchase_order *order)
{
    enum ledger_result result = purchase_order_get(ledger, id, order);

    return result == LEDGER_OK && strcmp(order->account, account) != 0 ? LEDGER_NOT_FOUND : result;
}

enum ledger_result purchase_order_add(struct ledger *ledger, const char *transfer_id, const char *id,
                                      const char *account, int64_t amount_nano, int64_t at_ms, int64_t *available_nano)
{
    struct purchase_order order;
    enum ledger_result result = purchase_order_own(ledger, id, account, &order);

    if (result != LEDGER_OK)
        return result;
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    result = put_in(ledger, transfer_id, &order, amount_nano, at_ms, available_nano);
    /* After the transfer: a repetition is one even when the order has ended since. */
    if (result == LEDGER_OK && !purchase_order_takes_launches(&order, at_ms))
        result = LEDGER_CONFLICT;
    return ledger_finish(ledger, result);
}

/* What is free, back into the wallet. */
static enum ledger_result give_back(struct ledger *ledger, const struct purchase_order *order, int64_t at_ms)
{
    char purse[LEDGER_ACCOUNT_BYTES], id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .id = id, .kind = "posted", .debit = purse_of(purse, order->id),
                                 .credit = order->account, .amount_nano = order->free_nano, .code = "po",
                                 .reason = "the rest goes back", .refers = order->id, .at_ms = at_ms };
    int64_t returns;

    if (order->free_nano == 0)
        return LEDGER_OK;
    if (db_int(ledger->db, &returns, "UPDATE purchase_order SET returns = returns + 1, funded_nano = funded_nano - ?2"
               " WHERE po_id = ?1 RETURNING returns", "ti", order->id, order->free_nano) != 1)
        return LEDGER_FAILED;
    ledger_derive_id(id, "purchase order %s returns %jd", order->id, (intmax_t)returns);
    return ledger_apply_locked(ledger, &t);
}

/* 1 while an instance is open or a hold waits for its last records, 0, -1. */
static int is_paying(struct ledger *ledger, const char *id)
{
    int64_t one;

    return db_int(ledger->db, &one, "SELECT 1 FROM instance WHERE payer = 'po:' || ?1"
                  " AND (closed = 0 OR hold_id IS NOT NULL) LIMIT 1", "t", id);
}

static enum ledger_result close_locked(struct ledger *ledger, const struct purchase_order *order, int64_t at_ms)
{
    enum ledger_result result = give_back(ledger, order, at_ms);

    if (result != LEDGER_OK)
        return result;
    return db_run(ledger->db, "UPDATE purchase_order SET closed_ms = ?2 WHERE po_id = ?1", "ti", order->id, at_ms)
        ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result purchase_order_close(struct ledger *ledger, const char *id, const char *account, int64_t at_ms)
{
    struct purchase_order order;
    enum ledger_result result = purchase_order_own(ledger, id, account, &order);
    int paying = result == LEDGER_OK ? is_paying(ledger, id) : 0;

    if (result != LEDGER_OK)
        return result;
    if (order.closed_ms)
        return LEDGER_EXISTS;
    if (paying)
        return paying < 0 ? LEDGER_FAILED : LEDGER_CONFLICT;
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, close_locked(ledger, &order, at_ms));
}

/* A walk must not write: it only finds the next order that there is something to do for. */
struct due {
    struct ledger *ledger;
    struct purchase_order order;
    bool paying;
};

static int find_due(void *arg, const struct purchase_order *order)
{
    struct due *due = arg;
    int paying = is_paying(due->ledger, order->id);

    if (paying < 0)
        return -1;
    if (paying && order->free_nano == 0)
        return 0;
    due->order = *order;
    due->paying = paying;
    return 1;
}

int purchase_order_expire(struct ledger *ledger, int64_t now_ms)
{
    struct due due = { .ledger = ledger };
    int rc;

    while ((rc = walk(
                db_query(ledger->db, COLUMNS "WHERE end_ms <= ?1 AND closed_ms IS NULL ORDER BY end_ms", "i", now_ms),
                find_due, &due)) == 1) {
        enum ledger_result result;

        if (ledger_begin(ledger))
            return -1;
        result = due.paying ? give_back(ledger, &due.order, now_ms) : close_locked(ledger, &due.order, now_ms);
        if (ledger_finish(ledger, result) != LEDGER_OK)
            return -1;
    }
    return rc;
}
