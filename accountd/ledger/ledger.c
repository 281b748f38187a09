/* The money half of ledger.db: accounts, transfers, holds, registrations.
 * Its SQL is here and nowhere else; prices, cursors and invoices are in
 * papers.c. */
#include "accountd/ledger/ledger.h"
#include "accountd/ledger/db.h"
#include "common/log.h"
#include "schema/ledger.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_DEPOSITS "host:deposits"
#define HOST_CARRIED  "host:carried"
#define HOST_HOLDS    "host:holds"
#define REVENUE       "revenue:"

int ledger_begin(struct ledger *ledger)
{
    return db_begin(ledger->db);
}

int ledger_commit(struct ledger *ledger)
{
    return db_commit(ledger->db);
}

void ledger_rollback(struct ledger *ledger)
{
    db_rollback(ledger->db);
}

/* Commits what went well and rolls back what did not. */
static enum ledger_result finish(struct ledger *ledger, enum ledger_result result)
{
    if (result == LEDGER_OK)
        return ledger_commit(ledger) ? LEDGER_FAILED : LEDGER_OK;
    ledger_rollback(ledger);
    return result;
}

static enum ledger_result account_put(struct ledger *ledger, const char *account, const char *name,
                                      const char *currency, bool overdraft, int64_t at_ms)
{
    return db_run(ledger->db, "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5)", "tttii", account, name, currency,
                  (int64_t)overdraft, at_ms) ? LEDGER_FAILED : LEDGER_OK;
}

static bool account_exists(struct ledger *ledger, const char *account)
{
    int64_t one;

    return db_int(ledger->db, &one, "SELECT 1 FROM account WHERE account_id = ?1", "t", account) == 1;
}

/* The host's own side of every transfer: opened once, may run below zero. */
static int open_host_accounts(struct ledger *ledger)
{
    static const char *const names[] = { HOST_DEPOSITS, HOST_CARRIED, HOST_HOLDS };
    char revenue[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!account_exists(ledger, names[i]) && account_put(ledger, names[i], names[i], "EUR", true, 0) != LEDGER_OK)
            return -1;
    for (int q = 0; q < METER_QUANTITIES; q++) {
        snprintf(revenue, sizeof(revenue), REVENUE "%s", meter_quantities[q].name);
        if (!account_exists(ledger, revenue) && account_put(ledger, revenue, revenue, "EUR", true, 0) != LEDGER_OK)
            return -1;
    }
    return 0;
}

struct ledger *ledger_open(const char *path)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return NULL;
    ledger->db = db_open(path, ledger_migrations, sizeof(ledger_migrations) / sizeof(ledger_migrations[0]));
    if (ledger->db && open_host_accounts(ledger) == 0)
        return ledger;
    ledger_close(ledger);
    return NULL;
}

void ledger_close(struct ledger *ledger)
{
    db_close(ledger->db);
    free(ledger);
}

static void copy_text(char *to, size_t bytes, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    snprintf(to, bytes, "%s", text ? text : "");
}

enum ledger_result ledger_account(struct ledger *ledger, const char *account, struct ledger_balance *balance,
                                  char name[static 129], char currency[static 4])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT posted_nano, held_nano, name, currency FROM account"
                                  " JOIN balance USING (account_id) WHERE account_id = ?1", "t", account);
    int rc = db_next(stmt);

    if (rc == 1) {
        *balance = (struct ledger_balance){ sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1) };
        copy_text(name, 129, stmt, 2);
        copy_text(currency, 4, stmt, 3);
    }
    sqlite3_finalize(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

enum ledger_result ledger_account_open(struct ledger *ledger, const char *account, const char *name,
                                       const char *currency, int64_t at_ms)
{
    struct ledger_balance balance;
    char old_name[129], old_currency[4];
    enum ledger_result result = ledger_account(ledger, account, &balance, old_name, old_currency);

    if (result == LEDGER_OK)
        return strcmp(name, old_name) == 0 && strcmp(currency, old_currency) == 0 ? LEDGER_EXISTS
                                                                                  : LEDGER_EXISTS_DIFFERENT;
    if (result != LEDGER_NOT_FOUND || ledger_begin(ledger))
        return LEDGER_FAILED;
    return finish(ledger, account_put(ledger, account, name, currency, false, at_ms));
}

static bool column_is(sqlite3_stmt *stmt, int column, const char *text)
{
    const char *value = (const char *)sqlite3_column_text(stmt, column);

    return value && text ? strcmp(value, text) == 0 : value == text;
}

/* NOT_FOUND, or whether the transfer of this id is this one. */
static enum ledger_result compare(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT kind, debit, credit, amount_nano, pending_id, code, reason, refers"
                                  " FROM transfer WHERE transfer_id = ?1", "t", t->id);
    int rc = db_next(stmt);
    bool same = rc == 1 && column_is(stmt, 0, t->kind) && column_is(stmt, 1, t->debit) &&
                column_is(stmt, 2, t->credit) && sqlite3_column_int64(stmt, 3) == t->amount_nano &&
                column_is(stmt, 4, t->pending_id) && column_is(stmt, 5, t->code) && column_is(stmt, 6, t->reason) &&
                column_is(stmt, 7, t->refers);

    sqlite3_finalize(stmt);
    if (rc == 1)
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    return rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static int64_t available(struct ledger *ledger, const char *account)
{
    int64_t nano;

    if (db_int(ledger->db, &nano, "SELECT CASE overdraft WHEN 1 THEN 9223372036854775807"
               " ELSE posted_nano - held_nano END FROM balance WHERE account_id = ?1", "t", account) != 1)
        return -1;
    return nano;
}

/* Why a post or void may not be, or OK. A hold ends once. */
static enum ledger_result check_pending(struct ledger *ledger, const struct ledger_transfer *t)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT amount_nano, debit, credit, EXISTS (SELECT 1 FROM transfer e"
                                  " WHERE e.pending_id = p.transfer_id) FROM transfer p"
                                  " WHERE transfer_id = ?1 AND kind = 'pending'", "t", t->pending_id);
    enum ledger_result result = LEDGER_OK;
    int rc = db_next(stmt);

    if (rc != 1)
        result = rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
    else if (sqlite3_column_int64(stmt, 3) || !column_is(stmt, 1, t->debit) || !column_is(stmt, 2, t->credit) ||
             t->amount_nano > sqlite3_column_int64(stmt, 0))
        result = LEDGER_CONFLICT;
    sqlite3_finalize(stmt);
    return result;
}

enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *t)
{
    enum ledger_result result = compare(ledger, t);

    if (result != LEDGER_NOT_FOUND)
        return result;
    if (!account_exists(ledger, t->debit) || !account_exists(ledger, t->credit))
        return LEDGER_NOT_FOUND;
    if (t->pending_id) {
        result = check_pending(ledger, t);
        if (result != LEDGER_OK)
            return result;
    } else if (available(ledger, t->debit) < t->amount_nano) {
        return LEDGER_INSUFFICIENT;
    }
    return db_run(ledger->db, "INSERT INTO transfer (transfer_id, kind, debit, credit, amount_nano, pending_id, code,"
                  " reason, refers, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", "ttttitttti", t->id,
                  t->kind, t->debit, t->credit, t->amount_nano, t->pending_id, t->code, t->reason, t->refers, t->at_ms)
        ? LEDGER_FAILED : LEDGER_OK;
}

enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *reason, int64_t at_ms)
{
    struct ledger_transfer t = { .id = id, .kind = "posted", .debit = HOST_DEPOSITS, .credit = account,
                                 .amount_nano = amount_nano, .code = "fund", .reason = reason, .refers = "",
                                 .at_ms = at_ms };

    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return finish(ledger, ledger_apply_locked(ledger, &t));
}

/* An id from what the transfer is for: 128 bits of a hash, so that two
 * purposes never share one. */
static char *derive_id(char id[static LEDGER_ID_BYTES], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static char *derive_id(char id[static LEDGER_ID_BYTES], const char *fmt, ...)
{
    uint8_t hash[32];
    char text[512];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    crypto_hash_sha256(hash, (const uint8_t *)text, (size_t)len);
    return sodium_bin2hex(id, LEDGER_ID_BYTES, hash, 16);
}

struct hold {
    char account[RECORD_NAME_BYTES];
    char id[LEDGER_ID_BYTES];           /* "" if none is in force */
    int64_t seq, nano;
    bool closed;
};

static enum ledger_result hold_read(struct ledger *ledger, const char *instance, struct hold *hold)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT i.account_id, i.hold_id, i.hold_seq, coalesce(t.amount_nano, 0),"
                                  " i.closed FROM instance i LEFT JOIN transfer t ON t.transfer_id = i.hold_id"
                                  " WHERE i.instance_id = ?1", "t", instance);
    int rc = db_next(stmt);

    if (rc == 1) {
        copy_text(hold->account, sizeof(hold->account), stmt, 0);
        copy_text(hold->id, sizeof(hold->id), stmt, 1);
        hold->seq = sqlite3_column_int64(stmt, 2);
        hold->nano = sqlite3_column_int64(stmt, 3);
        hold->closed = sqlite3_column_int64(stmt, 4) != 0;
    }
    sqlite3_finalize(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

static enum ledger_result hold_write(struct ledger *ledger, const char *instance, const struct hold *hold)
{
    return db_run(ledger->db, "UPDATE instance SET hold_id = ?2, hold_seq = ?3 WHERE instance_id = ?1", "tti", instance,
                  hold->id[0] ? hold->id : NULL, hold->seq) ? LEDGER_FAILED : LEDGER_OK;
}

static enum ledger_result hold_void(struct ledger *ledger, const char *instance, struct hold *hold, int64_t at_ms)
{
    char id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .kind = "void", .debit = hold->account, .credit = HOST_HOLDS,
                                 .amount_nano = hold->nano, .pending_id = hold->id, .code = "hold",
                                 .reason = "released", .refers = instance, .at_ms = at_ms };
    enum ledger_result result;

    if (!hold->id[0])
        return LEDGER_OK;
    t.id = derive_id(id, "void %s", hold->id);
    result = ledger_apply_locked(ledger, &t);
    hold->id[0] = 0;
    hold->nano = 0;
    return result == LEDGER_OK ? hold_write(ledger, instance, hold) : result;
}

static enum ledger_result hold_take(struct ledger *ledger, const char *instance, struct hold *hold, int64_t nano,
                                    int64_t at_ms)
{
    struct ledger_transfer t = { .kind = "pending", .debit = hold->account, .credit = HOST_HOLDS, .amount_nano = nano,
                                 .code = "hold", .reason = "one hour ahead", .refers = instance, .at_ms = at_ms };
    enum ledger_result result;

    if (nano == 0)
        return LEDGER_OK;
    hold->seq++;
    t.id = derive_id(hold->id, "hold %s %jd", instance, (intmax_t)hold->seq);
    result = ledger_apply_locked(ledger, &t);
    hold->nano = nano;
    return result == LEDGER_OK ? hold_write(ledger, instance, hold) : result;
}

static enum ledger_result register_instance(struct ledger *ledger, const struct ledger_registration *r)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, r->instance, &hold);

    if (result == LEDGER_OK)
        return strcmp(hold.account, r->account) == 0 && !hold.closed ? LEDGER_OK : LEDGER_CONFLICT;
    if (result == LEDGER_NOT_FOUND)
        return db_run(ledger->db, "INSERT INTO instance VALUES (?1, ?2, NULL, 0, 0)", "tt", r->instance, r->account)
            ? LEDGER_FAILED : LEDGER_OK;
    return result;
}

static enum ledger_result top_up(struct ledger *ledger, const struct ledger_registration *r, int64_t hold_nano,
                                 int64_t at_ms, int64_t *held_nano, int64_t *available_nano)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, r->instance, &hold);

    *held_nano = hold.nano;
    if (result != LEDGER_OK || hold.nano >= hold_nano)
        return result;
    *available_nano = available(ledger, r->account) + hold.nano;
    if (*available_nano < hold_nano)
        return LEDGER_INSUFFICIENT;
    result = hold_void(ledger, r->instance, &hold, at_ms);
    if (result == LEDGER_OK)
        result = hold_take(ledger, r->instance, &hold, hold_nano, at_ms);
    *held_nano = hold_nano;
    return result;
}

static enum ledger_result register_new(struct ledger *ledger, const struct ledger_registration *r, int64_t hold_nano,
                                       int64_t at_ms, int64_t *held_nano, int64_t *available_nano)
{
    enum ledger_result result = account_exists(ledger, r->account) ? register_instance(ledger, r) : LEDGER_NOT_FOUND;

    if (result == LEDGER_OK)
        result = top_up(ledger, r, hold_nano, at_ms, held_nano, available_nano);
    if (result != LEDGER_OK)
        return result;
    return db_run(ledger->db, "INSERT INTO registration VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)", "tttiiii", r->incarnation,
                  r->instance, r->domain_uuid, (int64_t)r->reserved.vcpus, (int64_t)r->reserved.memory_mib,
                  r->price_book, at_ms) ? LEDGER_FAILED : LEDGER_OK;
}

/* Everything but the price book: a repetition after a price change is still a repetition. */
static bool same_registration(const struct ledger_registration *a, const struct ledger_registration *b)
{
    return strcmp(a->account, b->account) == 0 && strcmp(a->instance, b->instance) == 0 &&
           strcmp(a->domain_uuid, b->domain_uuid) == 0 && a->reserved.vcpus == b->reserved.vcpus &&
           a->reserved.memory_mib == b->reserved.memory_mib;
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
    return finish(ledger, register_new(ledger, r, hold_nano, at_ms, held_nano, available_nano));
}

static void read_registration(sqlite3_stmt *stmt, struct ledger_registration *r)
{
    copy_text(r->incarnation, sizeof(r->incarnation), stmt, 0);
    copy_text(r->instance, sizeof(r->instance), stmt, 1);
    copy_text(r->account, sizeof(r->account), stmt, 2);
    copy_text(r->domain_uuid, sizeof(r->domain_uuid), stmt, 3);
    r->reserved.vcpus = (uint32_t)sqlite3_column_int64(stmt, 4);
    r->reserved.memory_mib = (uint32_t)sqlite3_column_int64(stmt, 5);
    r->price_book = sqlite3_column_int64(stmt, 6);
}

#define REGISTRATION_COLUMNS "SELECT incarnation, instance_id, account_id, domain_uuid, vcpus, memory_mib, price_book" \
                             " FROM registration JOIN instance USING (instance_id) "

enum ledger_result ledger_registration(struct ledger *ledger, const char *incarnation,
                                       struct ledger_registration *registration)
{
    sqlite3_stmt *stmt = db_query(ledger->db, REGISTRATION_COLUMNS "WHERE incarnation = ?1", "t", incarnation);
    int rc = db_next(stmt);

    if (rc == 1)
        read_registration(stmt, registration);
    sqlite3_finalize(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

int ledger_last_leaf(struct ledger *ledger, const char *incarnation, char **leaf)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT last_leaf FROM registration WHERE incarnation = ?1"
                                  " AND last_leaf IS NOT NULL", "t", incarnation);
    int rc = db_next(stmt);

    if (rc == 1 && !(*leaf = strdup((const char *)sqlite3_column_text(stmt, 0))))
        rc = -1;
    sqlite3_finalize(stmt);
    return rc;
}

int ledger_last_leaf_put_locked(struct ledger *ledger, const char *incarnation, const char *leaf)
{
    return db_run(ledger->db, "UPDATE registration SET last_leaf = ?2 WHERE incarnation = ?1", "tt", incarnation, leaf);
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
    sqlite3_finalize(stmt);
    return rc;
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

static int walk_instances(sqlite3_stmt *stmt, ledger_instance_fn fn, void *arg)
{
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = fn(arg, (const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
                sqlite3_column_int64(stmt, 2) != 0);
        if (rc)
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ledger_each_closed_with_hold(struct ledger *ledger, ledger_instance_fn fn, void *arg)
{
    return walk_instances(db_query(ledger->db, "SELECT instance_id, account_id, closed FROM instance"
                                   " WHERE closed = 1 AND hold_id IS NOT NULL", ""), fn, arg);
}

int ledger_each_instance(struct ledger *ledger, const char *account, const char *instance, ledger_instance_fn fn,
                         void *arg)
{
    return walk_instances(db_query(ledger->db, "SELECT instance_id, account_id, closed FROM instance"
                                   " WHERE account_id = ?1 AND (?2 IS NULL OR instance_id = ?2) ORDER BY instance_id",
                                   "tt", account, instance), fn, arg);
}

enum ledger_result ledger_release_hold(struct ledger *ledger, const char *instance, int64_t at_ms)
{
    struct hold hold;
    enum ledger_result result = hold_read(ledger, instance, &hold);

    if (result != LEDGER_OK || ledger_begin(ledger))
        return result == LEDGER_OK ? LEDGER_FAILED : result;
    return finish(ledger, hold_void(ledger, instance, &hold, at_ms));
}

/* Makes `amount` available in the wallet: from the instance's hold as far as
 * it goes, then from the host. */
static enum ledger_result make_room(struct ledger *ledger, const struct record *record, int64_t amount_nano,
                                    const char *key, const char *refers, int64_t at_ms, int64_t *carried_nano)
{
    int64_t room = available(ledger, record->account), back;
    struct ledger_transfer t = { .kind = "posted", .debit = HOST_CARRIED, .credit = record->account,
                                 .code = "carried", .reason = "the wallet was empty", .refers = refers,
                                 .at_ms = at_ms };
    char id[LEDGER_ID_BYTES];
    struct hold hold;
    enum ledger_result result;

    if (room >= amount_nano)
        return LEDGER_OK;
    result = hold_read(ledger, record->instance, &hold);
    back = result == LEDGER_OK && hold.nano > amount_nano - room ? hold.nano - (amount_nano - room) : 0;
    room += hold.nano;
    if (result == LEDGER_OK && hold.id[0])
        result = hold_void(ledger, record->instance, &hold, at_ms);
    if (result == LEDGER_OK)
        result = hold_take(ledger, record->instance, &hold, back, at_ms);
    if (result != LEDGER_OK || room >= amount_nano)
        return result;
    t.id = derive_id(id, "carried %s", key);
    t.amount_nano = amount_nano - room;
    *carried_nano += t.amount_nano;
    return ledger_apply_locked(ledger, &t);
}

enum ledger_result ledger_charge_locked(struct ledger *ledger, const struct record *record, enum meter_quantity meter,
                                        int64_t amount_nano, const char *key, const char *code, const char *refers,
                                        int64_t at_ms, int64_t *carried_nano)
{
    char revenue[64], full_key[160], id[LEDGER_ID_BYTES];
    struct ledger_transfer t = { .kind = "posted", .debit = record->account, .credit = revenue,
                                 .amount_nano = amount_nano, .code = code, .reason = meter_quantities[meter].name,
                                 .refers = refers, .at_ms = at_ms };
    enum ledger_result result;

    if (amount_nano == 0)
        return LEDGER_OK;
    snprintf(revenue, sizeof(revenue), REVENUE "%s", meter_quantities[meter].name);
    snprintf(full_key, sizeof(full_key), "%s %s %s", code, key, meter_quantities[meter].name);
    t.id = derive_id(id, "%s", full_key);
    result = compare(ledger, &t);
    if (result != LEDGER_NOT_FOUND)
        return result;
    result = make_room(ledger, record, amount_nano, full_key, refers, at_ms, carried_nano);
    return result == LEDGER_OK ? ledger_apply_locked(ledger, &t) : result;
}

json_t *ledger_entries(struct ledger *ledger, const char *account, int limit)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT transfer_id, at_ms, CASE WHEN credit = ?1 THEN amount_nano"
                                  " ELSE -amount_nano END, code, reason FROM transfer WHERE kind IN ('posted', 'post')"
                                  " AND (debit = ?1 OR credit = ?1) ORDER BY seq DESC LIMIT ?2", "ti", account,
                                  (int64_t)limit);
    json_t *entries = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(entries, json_pack("{s:s, s:I, s:o, s:s, s:s}", "transfer_id",
                                                 sqlite3_column_text(stmt, 0), "at_ms",
                                                 (json_int_t)sqlite3_column_int64(stmt, 1), "amount_nano",
                                                 json_decimal(sqlite3_column_int64(stmt, 2)), "code",
                                                 sqlite3_column_text(stmt, 3), "reason", sqlite3_column_text(stmt, 4)));
    sqlite3_finalize(stmt);
    if (rc == 0)
        return entries;
    json_decref(entries);
    return NULL;
}
