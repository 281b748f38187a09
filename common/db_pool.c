/* Preparing costs several times what most of our statements cost to run. Who
 * uses a statement owns it: a second use of the same text at that time gets one
 * of its own, so walks may nest. Connections are few and a program's texts are
 * a few hundred, so what waits is bounded by what the program ever ran at once. */
#include "common/db_pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKET_BITS 10
#define BUCKETS     (1 << BUCKET_BITS)

struct waiting {
    struct waiting *next;
    sqlite3 *db;
    sqlite3_stmt *stmt;
};

static struct waiting *buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* FNV-1a's steps, but by eight bytes: byte by byte the hash cost more than the rest of the pool. The product's
 * upper bits depend on all that went in, so the bucket is taken from there. */
static struct waiting **bucket_of(const char *sql)
{
    uint64_t hash = 14695981039346656037u, word;
    size_t left = strlen(sql);

    for (; left >= sizeof(word); sql += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, sql, sizeof(word));
        hash = (hash ^ word) * 1099511628211u;
    }
    for (; left; sql++, left--)
        hash = (hash ^ (unsigned char)*sql) * 1099511628211u;
    return &buckets[hash >> (64 - BUCKET_BITS)];
}

static sqlite3_stmt *unlink_at(struct waiting **at)
{
    struct waiting *w = *at;
    sqlite3_stmt *stmt = w->stmt;

    *at = w->next;
    free(w);
    return stmt;
}

sqlite3_stmt *db_pool_take(sqlite3 *db, const char *sql)
{
    struct waiting **at = bucket_of(sql);
    sqlite3_stmt *stmt = NULL;

    pthread_mutex_lock(&lock);
    while (*at && ((*at)->db != db || strcmp(sqlite3_sql((*at)->stmt), sql) != 0))
        at = &(*at)->next;
    if (*at)
        stmt = unlink_at(at);
    pthread_mutex_unlock(&lock);
    return stmt;
}

void db_pool_put(sqlite3_stmt *stmt)
{
    struct waiting *w, **at;

    if (!stmt)
        return;
    w = malloc(sizeof(*w));
    if (!w) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    /* What was bound may be large. */
    sqlite3_clear_bindings(stmt);
    at = bucket_of(sqlite3_sql(stmt));
    pthread_mutex_lock(&lock);
    *w = (struct waiting){ *at, sqlite3_db_handle(stmt), stmt };
    *at = w;
    pthread_mutex_unlock(&lock);
}

void db_pool_empty(sqlite3 *db)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct waiting **at = &buckets[i]; *at;)
            if ((*at)->db == db)
                sqlite3_finalize(unlink_at(at));
            else
                at = &(*at)->next;
    pthread_mutex_unlock(&lock);
}
