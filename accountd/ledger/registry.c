/* Instances and their incarnations. */
#include "accountd/ledger/registry.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/holds.h"
#include "accountd/ledger/purchase_orders.h"

#include <string.h>

/* A purse pays only for launches of its own account, before its end. */
static enum ledger_result check_payer(struct ledger *ledger, const struct ledger_registration *r, const char *payer,
                                      int64_t at_ms)
{
    struct purchase_order order;
    enum ledger_result result;

    if (strcmp(payer, r->account) == 0)
        return LEDGER_OK;
    result = purchase_order_get(ledger, payer + strlen(LEDGER_PURSE), &order);
    if (result != LEDGER_OK)
        return result;
    return strcmp(order.account, r->account) == 0 && purchase_order_takes_launches(&order, at_ms) ? LEDGER_OK
                                                                                                  : LEDGER_CONFLICT;
}

static enum ledger_result register_instance(struct ledger *ledger, const struct ledger_registration *r, int64_t at_ms)
{
    const char *payer = r->payer[0] ? r->payer : r->account;
    struct hold hold;
    enum ledger_result result = hold_read(ledger, r->instance, &hold);

    if (result == LEDGER_OK) {
        /* It keeps its payer: asked for another, it is not the instance that is meant. */
        if (strcmp(hold.account, r->account) != 0 || hold.closed || (r->payer[0] && strcmp(hold.payer, r->payer) != 0))
            return LEDGER_CONFLICT;
        return check_payer(ledger, r, hold.payer, at_ms);
    }
    if (result == LEDGER_NOT_FOUND)
        result = check_payer(ledger, r, payer, at_ms);
    if (result != LEDGER_OK)
        return result;
    return db_run(ledger->db, "INSERT INTO instance (instance_id, account_id, hold_seq, closed, payer, number)"
                  " VALUES (?1, ?2, 0, 0, nullif(?3, ?2),"
                  " (SELECT coalesce(max(number), 0) + 1 FROM instance WHERE account_id = ?2))", "ttt", r->instance, r->account, payer) ? LEDGER_FAILED
                                                                                                  : LEDGER_OK;
}

static enum ledger_result top_up(struct ledger *ledger, const struct ledger_registration *r, int64_t hold_nano,
                                 int64_t at_ms, int64_t *held_nano, int64_t *available_nano)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, r->instance, &hold);

    *held_nano = hold.nano;
    if (result != LEDGER_OK || hold.nano >= hold_nano)
        return result;
    *available_nano = ledger_available(ledger, hold.payer) + hold.nano;
    if (*available_nano < hold_nano)
        return LEDGER_INSUFFICIENT;
    result = hold_void_locked(ledger, r->instance, &hold, at_ms);
    if (result == LEDGER_OK)
        result = hold_take_locked(ledger, r->instance, &hold, hold_nano, at_ms);
    *held_nano = hold_nano;
    return result;
}

static enum ledger_result register_new(struct ledger *ledger, const struct ledger_registration *r, int64_t hold_nano,
                                       int64_t at_ms, int64_t *held_nano, int64_t *available_nano)
{
    struct ledger_account account;
    enum ledger_result result = ledger_account_get(ledger, r->account, &account);

    if (result == LEDGER_OK)
        result = register_instance(ledger, r, at_ms);
    if (result == LEDGER_OK)
        result = top_up(ledger, r, hold_nano, at_ms, held_nano, available_nano);
    if (result != LEDGER_OK)
        return result;
    return db_run(ledger->db, "INSERT INTO registration VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, 0)", "tttiiii",
                  r->incarnation, r->instance, r->domain_uuid, (int64_t)r->reserved.vcpus,
                  (int64_t)r->reserved.memory_mib, r->price_book, at_ms)
               ? LEDGER_FAILED
               : LEDGER_OK;
}

int ledger_payer(struct ledger *ledger, const char *instance, char payer[static LEDGER_ACCOUNT_BYTES])
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, instance, &hold);

    if (result != LEDGER_OK)
        return result == LEDGER_NOT_FOUND ? 0 : -1;
    memcpy(payer, hold.payer, sizeof(hold.payer));
    return 1;
}

/* Everything but the price book: a repetition after a price change is still a repetition. `b` may leave the payer open.
 */
static bool same_registration(const struct ledger_registration *a, const struct ledger_registration *b)
{
    return strcmp(a->account, b->account) == 0 && strcmp(a->instance, b->instance) == 0 &&
           strcmp(a->domain_uuid, b->domain_uuid) == 0 && a->reserved.vcpus == b->reserved.vcpus &&
           a->reserved.memory_mib == b->reserved.memory_mib && (!b->payer[0] || strcmp(a->payer, b->payer) == 0);
}

enum ledger_result ledger_register(struct ledger *ledger, const struct ledger_registration *r, int64_t hold_nano,
                                   int64_t at_ms, int64_t *held_nano, int64_t *available_nano)
{
    struct ledger_registration old;
    enum ledger_result result = ledger_registration(ledger, r->incarnation, &old);
    struct hold hold;

    if (result == LEDGER_OK) {
        result = hold_read(ledger, old.instance, &hold);
        *held_nano = hold.nano;
        if (result != LEDGER_OK)
            return result;
        return same_registration(&old, r) ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    }
    if (result != LEDGER_NOT_FOUND || ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, register_new(ledger, r, hold_nano, at_ms, held_nano, available_nano));
}

static void read_registration(sqlite3_stmt *stmt, struct ledger_registration *r)
{
    db_copy_text(r->incarnation, sizeof(r->incarnation), stmt, 0);
    db_copy_text(r->instance, sizeof(r->instance), stmt, 1);
    db_copy_text(r->account, sizeof(r->account), stmt, 2);
    db_copy_text(r->domain_uuid, sizeof(r->domain_uuid), stmt, 3);
    r->reserved.vcpus = (uint32_t)sqlite3_column_int64(stmt, 4);
    r->reserved.memory_mib = (uint32_t)sqlite3_column_int64(stmt, 5);
    r->price_book = sqlite3_column_int64(stmt, 6);
    db_copy_text(r->payer, sizeof(r->payer), stmt, 7);
    r->charged_nano = sqlite3_column_type(stmt, 8) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, 8);
}

#define REGISTRATION_COLUMNS                                                                                           \
    "SELECT incarnation, instance_id, account_id, domain_uuid, vcpus, memory_mib, price_book,"                         \
    " coalesce(payer, account_id), charged_nano FROM registration JOIN instance USING (instance_id) "

enum ledger_result ledger_registration(struct ledger *ledger, const char *incarnation,
                                       struct ledger_registration *registration)
{
    sqlite3_stmt *stmt = db_query(ledger->db, REGISTRATION_COLUMNS "WHERE incarnation = ?1", "t", incarnation);
    int rc = db_next(stmt);

    if (rc == 1)
        read_registration(stmt, registration);
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

int ledger_last_leaf(struct ledger *ledger, const char *incarnation, char **leaf)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT last_leaf FROM registration WHERE incarnation = ?1"
                                  " AND last_leaf IS NOT NULL", "t", incarnation);
    int rc = db_next(stmt);

    if (rc == 1 && !(*leaf = strdup((const char *)sqlite3_column_text(stmt, 0))))
        rc = -1;
    db_end(stmt);
    return rc;
}

int ledger_charged_locked(struct ledger *ledger, const char *incarnation, const char *leaf, int64_t nano)
{
    return db_run(ledger->db, "UPDATE registration SET last_leaf = ?2, charged_nano = charged_nano + ?3 WHERE incarnation = ?1",
                  "tti", incarnation, leaf, nano);
}

int ledger_each_registration(struct ledger *ledger, const char *instance,
                             int (*fn)(void *arg, const struct ledger_registration *registration), void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, REGISTRATION_COLUMNS "WHERE instance_id = ?1 ORDER BY registration.rowid",
                                  "t", instance);
    struct ledger_registration registration;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        read_registration(stmt, &registration);
        rc = fn(arg, &registration);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

enum ledger_result ledger_instance_owner(struct ledger *ledger, const char *instance, const char *account)
{
    int64_t others;

    if (db_int(ledger->db, &others, "SELECT count(*) FROM instance WHERE instance_id = ?1 AND account_id <> ?2", "tt",
               instance, account) != 1)
        return LEDGER_FAILED;
    return others ? LEDGER_NOT_FOUND : LEDGER_OK;
}

enum ledger_result ledger_instance_close(struct ledger *ledger, const char *instance)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, instance, &hold);

    if (result != LEDGER_OK)
        return result;
    if (hold.closed)
        return LEDGER_EXISTS;
    return db_run(ledger->db, "UPDATE instance SET closed = 1 WHERE instance_id = ?1", "t", instance) ? LEDGER_FAILED
                                                                                                      : LEDGER_OK;
}

#define INSTANCES "SELECT instance_id, account_id, closed, number FROM instance "

static void read_instance(sqlite3_stmt *stmt, struct ledger_instance *instance)
{
    db_copy_text(instance->id, sizeof(instance->id), stmt, 0);
    db_copy_text(instance->account, sizeof(instance->account), stmt, 1);
    instance->closed = sqlite3_column_int64(stmt, 2) != 0;
    instance->number = sqlite3_column_int64(stmt, 3);
}

enum ledger_result ledger_instance_get(struct ledger *ledger, const char *account, const char *id,
                                       struct ledger_instance *instance)
{
    sqlite3_stmt *stmt = db_query(ledger->db, INSTANCES "WHERE instance_id = ?1 AND account_id = ?2", "tt", id, account);
    int rc = db_next(stmt);

    if (rc == 1)
        read_instance(stmt, instance);
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static int walk_instances(sqlite3_stmt *stmt, ledger_instance_fn fn, void *arg)
{
    struct ledger_instance instance;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        read_instance(stmt, &instance);
        rc = fn(arg, &instance);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int ledger_each_closed_with_hold(struct ledger *ledger, ledger_instance_fn fn, void *arg)
{
    return walk_instances(db_query(ledger->db, INSTANCES "WHERE closed = 1 AND hold_id IS NOT NULL", ""), fn, arg);
}

int ledger_each_instance(struct ledger *ledger, const char *account, int64_t before, int64_t limit,
                         ledger_instance_fn fn, void *arg)
{
    return walk_instances(db_query(ledger->db, INSTANCES "WHERE account_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3",
                                   "tii", account, before ? before : INT64_MAX, limit), fn, arg);
}

int ledger_each_open_instance(struct ledger *ledger, const char *account, ledger_instance_fn fn, void *arg)
{
    return walk_instances(db_query(ledger->db, INSTANCES "WHERE account_id = ?1 AND closed = 0 ORDER BY number DESC", "t",
                                   account), fn, arg);
}
