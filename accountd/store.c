/* usage.db. The leaves are the truth; nodes and incarnation rows follow from them. */
#include "accountd/store.h"
#include "common/db.h"
#include "common/log.h"
#include "schema/usage.h"

#include <stdlib.h>
#include <string.h>

struct store {
    sqlite3 *db;
    uint64_t size;                      /* leaves, those of the open transaction included */
    uint64_t size_committed;
};

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof(*store));
    int64_t size;

    if (!store)
        return NULL;
    store->db = db_open(path, usage_migrations, sizeof(usage_migrations) / sizeof(usage_migrations[0]));
    if (!store->db || db_int(store->db, &size, "SELECT coalesce(max(idx) + 1, 0) FROM leaf", "") != 1) {
        store_close(store);
        return NULL;
    }
    store->size = store->size_committed = (uint64_t)size;
    return store;
}

void store_close(struct store *store)
{
    db_close(store->db);
    free(store);
}

/* The first column of a row as malloc'd text. */
static int text_of(sqlite3_stmt *stmt, int column, char **out)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    *out = text ? strdup(text) : NULL;
    return *out ? 1 : -1;
}

int store_meta(struct store *store, const char *key, char **value)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT value FROM meta WHERE key = ?1", "t", key);
    int rc = db_next(stmt);

    if (rc == 1)
        rc = text_of(stmt, 0, value);
    db_end(stmt);
    return rc;
}

int store_meta_put(struct store *store, const char *key, const char *value)
{
    return db_run(store->db, "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", "tt", key,
                  value);
}

int store_begin(struct store *store)
{
    return db_begin(store->db);
}

int store_commit(struct store *store)
{
    if (db_commit(store->db)) {
        store->size = store->size_committed;
        return -1;
    }
    store->size_committed = store->size;
    return 0;
}

void store_rollback(struct store *store)
{
    db_rollback(store->db);
    store->size = store->size_committed;
}

static int fetch_node(void *arg, unsigned level, uint64_t index, struct chain_hash *out)
{
    struct store *store = arg;
    sqlite3_stmt *stmt = level == 0
        ? db_query(store->db, "SELECT hash FROM leaf WHERE idx = ?1", "i", (int64_t)index)
        : db_query(store->db, "SELECT hash FROM node WHERE level = ?2 AND idx = ?1", "ii", (int64_t)index,
                   (int64_t)level);
    int rc = db_next(stmt);

    if (rc == 1 && sqlite3_column_bytes(stmt, 0) == CHAIN_HASH_BYTES)
        memcpy(out->bytes, sqlite3_column_blob(stmt, 0), CHAIN_HASH_BYTES);
    else
        log_warnx("usage.db: node %ju of level %u is missing: restore the file from a backup", (uintmax_t)index, level);
    db_end(stmt);
    return rc == 1 ? 0 : -1;
}

int store_nodes(struct store *store, unsigned level, uint64_t first, unsigned count, struct chain_hash *out)
{
    sqlite3_stmt *stmt = level == 0
        ? db_query(store->db, "SELECT hash FROM leaf WHERE idx >= ?1 AND idx < ?2 ORDER BY idx", "ii", (int64_t)first,
                   (int64_t)(first + count))
        : db_query(store->db, "SELECT hash FROM node WHERE level = ?3 AND idx >= ?1 AND idx < ?2 ORDER BY idx", "iii",
                   (int64_t)first, (int64_t)(first + count), (int64_t)level);
    unsigned got = 0;
    int rc;

    while ((rc = db_next(stmt)) == 1 && got < count && sqlite3_column_bytes(stmt, 0) == CHAIN_HASH_BYTES)
        memcpy(out[got++].bytes, sqlite3_column_blob(stmt, 0), CHAIN_HASH_BYTES);
    db_end(stmt);
    if (rc == 0 && got == count)
        return 0;
    log_warnx("usage.db: nodes %ju to %ju of level %u are not all there: restore the file from a backup",
              (uintmax_t)first, (uintmax_t)(first + count), level);
    return -1;
}

static int append_nodes(struct store *store, uint64_t index, const struct chain_hash *leaf)
{
    struct chain_hash nodes[CHAIN_PROOF_MAX];
    int count = chain_complete(index, leaf, fetch_node, store, nodes);

    for (int i = 0; i < count; i++)
        if (db_run(store->db, "INSERT INTO node VALUES (?1, ?2, ?3)", "iib", (int64_t)i + 1,
                   (int64_t)(index >> (i + 1)), nodes[i].bytes, (size_t)CHAIN_HASH_BYTES))
            return -1;
    return count < 0 ? -1 : 0;
}

int store_append(struct store *store, const char *type, const struct store_subject *subject, const char *leaf,
                 uint64_t *idx, struct chain_hash *hash)
{
    uint64_t index = store->size;
    struct chain_hash h = chain_leaf_hash(leaf, strlen(leaf));
    int rc;

    if (subject->incarnation)
        rc = db_run(store->db, "INSERT INTO leaf VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "ittttitb", (int64_t)index,
                    type, subject->account, subject->instance, subject->incarnation, subject->number, leaf, h.bytes,
                    (size_t)CHAIN_HASH_BYTES);
    else
        rc = db_run(store->db, "INSERT INTO leaf VALUES (?1, ?2, NULL, NULL, NULL, NULL, ?3, ?4)", "ittb",
                    (int64_t)index, type, leaf, h.bytes, (size_t)CHAIN_HASH_BYTES);
    if (rc || append_nodes(store, index, &h))
        return -1;
    store->size = index + 1;
    *idx = index;
    *hash = h;
    return 0;
}

uint64_t store_size(const struct store *store)
{
    return store->size_committed;
}

int store_root(struct store *store, uint64_t size, struct chain_hash *root)
{
    return chain_root(size, fetch_node, store, root);
}

int store_proof(struct store *store, uint64_t index, uint64_t size, struct chain_hash proof[static CHAIN_PROOF_MAX])
{
    return chain_proof(index, size, fetch_node, store, proof);
}

int store_check_leaves(struct store *store, uint64_t count)
{
    uint64_t from = store->size > count ? store->size - count : 0;
    sqlite3_stmt *stmt = db_query(store->db, "SELECT idx, bytes, hash FROM leaf WHERE idx >= ?1 ORDER BY idx", "i",
                                  (int64_t)from);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        const char *leaf = (const char *)sqlite3_column_text(stmt, 1);
        struct chain_hash h = chain_leaf_hash(leaf, (size_t)sqlite3_column_bytes(stmt, 1));

        if ((uint64_t)sqlite3_column_int64(stmt, 0) != from++ ||
            memcmp(h.bytes, sqlite3_column_blob(stmt, 2), CHAIN_HASH_BYTES) != 0) {
            log_warnx("usage.db: leaf %jd is not what was logged: restore the file from a backup",
                      (intmax_t)sqlite3_column_int64(stmt, 0));
            rc = -1;
            break;
        }
    }
    db_end(stmt);
    return rc;
}

int store_head(struct store *store, uint64_t *size, char **note)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT size, note FROM head ORDER BY size DESC LIMIT 1", "");
    int rc = db_next(stmt);

    if (rc == 1) {
        *size = (uint64_t)sqlite3_column_int64(stmt, 0);
        rc = text_of(stmt, 1, note);
    }
    db_end(stmt);
    return rc;
}

int store_head_put(struct store *store, uint64_t size, const char *note, int64_t at_ms)
{
    return db_run(store->db, "INSERT INTO head VALUES (?1, ?2, ?3)", "iti", (int64_t)size, note, at_ms);
}

int store_head_at(struct store *store, uint64_t size, char **note)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT note FROM head WHERE size = ?1", "i", (int64_t)size);
    int rc = db_next(stmt);

    if (rc == 1)
        rc = text_of(stmt, 0, note);
    db_end(stmt);
    return rc;
}

int store_head_cosigned(struct store *store, uint64_t *size, char **note)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT h.size, h.note || coalesce((SELECT group_concat(line, '') FROM"
                                  " (SELECT line FROM cosignature c WHERE c.size = h.size ORDER BY c.witness)), '')"
                                  " FROM head h ORDER BY h.size DESC LIMIT 1", "");
    int rc = db_next(stmt);

    if (rc == 1) {
        *size = (uint64_t)sqlite3_column_int64(stmt, 0);
        rc = text_of(stmt, 1, note);
    }
    db_end(stmt);
    return rc;
}

int store_cosignature_put(struct store *store, uint64_t size, const char *witness, const char *line, int64_t at_ms)
{
    return db_run(store->db, "INSERT INTO cosignature VALUES (?1, ?2, ?3, ?4) ON CONFLICT (size, witness) DO UPDATE"
                  " SET line = ?3, at_ms = ?4", "itti", (int64_t)size, witness, line, at_ms);
}

int store_each_cosignature(struct store *store, uint64_t size, store_cosignature_fn fn, void *arg)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT witness, line FROM cosignature WHERE size = ?1 ORDER BY witness", "i",
                                  (int64_t)size);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = fn(arg, (const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int store_incarnation_add(struct store *store, const struct store_incarnation *row)
{
    return db_run(store->db, "INSERT INTO incarnation VALUES (?1, ?2, ?3, ?4, ?5)", "tttit", row->incarnation,
                  row->account, row->instance, (int64_t)row->slot, row->state);
}

int store_incarnation_state(struct store *store, const char *incarnation, const char *state)
{
    return db_run(store->db, "UPDATE incarnation SET state = ?2 WHERE incarnation = ?1", "tt", incarnation, state);
}

int store_incarnation_get_state(struct store *store, const char *incarnation, char state[static 8])
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT state FROM incarnation WHERE incarnation = ?1", "t", incarnation);
    int rc = db_next(stmt);

    if (rc == 1) {
        strncpy(state, (const char *)sqlite3_column_text(stmt, 0), 7);
        state[7] = 0;
    }
    db_end(stmt);
    return rc;
}

static int walk_incarnations(sqlite3_stmt *stmt, store_incarnation_fn fn, void *arg)
{
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct store_incarnation row = {
            .incarnation = (const char *)sqlite3_column_text(stmt, 0),
            .account = (const char *)sqlite3_column_text(stmt, 1),
            .instance = (const char *)sqlite3_column_text(stmt, 2),
            .slot = (unsigned)sqlite3_column_int64(stmt, 3),
            .state = (const char *)sqlite3_column_text(stmt, 4),
        };

        rc = fn(arg, &row, (const char *)sqlite3_column_text(stmt, 5));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

/* Each with its newest leaf. */
#define INCARNATIONS "SELECT i.incarnation, i.account, i.instance, i.slot, i.state, l.bytes FROM incarnation i JOIN leaf l" \
                     " ON l.incarnation = i.incarnation AND l.number = (SELECT max(number) FROM leaf" \
                     " WHERE incarnation = i.incarnation) "

int store_each_unfinished(struct store *store, store_incarnation_fn fn, void *arg)
{
    return walk_incarnations(db_query(store->db, INCARNATIONS "WHERE i.state IN ('open', 'ended')", ""), fn, arg);
}

int store_each_of_account(struct store *store, const char *account, const char *instance, store_incarnation_fn fn,
                          void *arg)
{
    return walk_incarnations(db_query(store->db, INCARNATIONS
                                      "WHERE i.account = ?1 AND (?2 IS NULL OR i.instance = ?2)"
                                      " ORDER BY i.instance, l.idx", "tt", account, instance), fn, arg);
}

int store_each_leaf(struct store *store, const char *account, const char *instance, uint64_t from, uint64_t to,
                    int64_t limit, store_leaf_fn fn, void *arg)
{
#define LEAVES(filter)                                                                                                 \
    "SELECT idx, type, bytes FROM leaf WHERE " filter " AND idx >= ?1 AND idx < ?2 ORDER BY idx LIMIT ?3"
    static const char all[] = LEAVES("?4 IS NULL AND ?5 IS NULL"), of_account[] = LEAVES("account = ?4 AND ?5 IS NULL"),
                      of_instance[] = LEAVES("account = ?4 AND instance = ?5");
#undef LEAVES
    sqlite3_stmt *stmt = db_query(store->db, !account ? all : !instance ? of_account : of_instance, "iiitt",
                                  (int64_t)from, (int64_t)to, limit, account, account ? instance : NULL);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = fn(arg, (uint64_t)sqlite3_column_int64(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
                (const char *)sqlite3_column_text(stmt, 2));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

static int walk_host_leaves(sqlite3_stmt *stmt, const char *type, store_leaf_fn fn, void *arg)
{
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = fn(arg, (uint64_t)sqlite3_column_int64(stmt, 0), type, (const char *)sqlite3_column_text(stmt, 1));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int store_each_host_leaf(struct store *store, const char *type, store_leaf_fn fn, void *arg)
{
    return walk_host_leaves(db_query(store->db, "SELECT idx, bytes FROM leaf WHERE account IS NULL AND type = ?1"
                                     " ORDER BY idx", "t", type), type, fn, arg);
}

int store_newest_host_leaves(struct store *store, const char *type, uint64_t before, int64_t limit, store_leaf_fn fn,
                             void *arg)
{
    return walk_host_leaves(db_query(store->db, "SELECT idx, bytes FROM leaf WHERE account IS NULL AND type = ?1"
                                     " AND idx < ?2 ORDER BY idx DESC LIMIT ?3", "tii", type, (int64_t)before, limit),
                            type, fn, arg);
}

int store_find_leaf(struct store *store, const char *type, const char *part, uint64_t *idx)
{
    int64_t found;
    int rc = db_int(store->db, &found, "SELECT idx FROM leaf WHERE account IS NULL AND type = ?1"
                    " AND instr(bytes, ?2) > 0 ORDER BY idx LIMIT 1", "tt", type, part);

    if (rc == 1)
        *idx = (uint64_t)found;
    return rc;
}
