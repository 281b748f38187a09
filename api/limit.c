/* A fixed table, so that strangers cannot make it grow. Whoever comes new to a
 * full row evicts the one longest unseen, whose bucket has refilled most.
 * The row is chosen by a keyed hash: nobody can aim at a neighbour. */
#include "api/limit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1024
#define WAYS 4

struct slot {
    uint64_t who;                       /* keyed hash of id and bucket; 0 empty */
    int64_t tokens_milli;
    int64_t at_ms;
};

struct limit_table {
    unsigned char key[crypto_shorthash_KEYBYTES];
    int64_t per_s[BUCKET_COUNT];
    struct slot slots[ROWS][WAYS];
};

struct limit_table *limit_new(const int64_t per_s[static BUCKET_COUNT])
{
    struct limit_table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    crypto_shorthash_keygen(table->key);
    memcpy(table->per_s, per_s, sizeof(table->per_s));
    return table;
}

void limit_free(struct limit_table *table)
{
    free(table);
}

static uint64_t name_hash(const struct limit_table *table, const char *who, enum bucket bucket)
{
    unsigned char text[96], out[8];
    size_t len = strnlen(who, sizeof(text) - 1);
    uint64_t hash;

    memcpy(text, who, len);
    text[len] = (unsigned char)bucket;
    crypto_shorthash(out, text, len + 1, table->key);
    memcpy(&hash, out, sizeof(hash));
    return hash ? hash : 1;
}

/* Tokens come back with time; a clock that stepped back brings none. */
static void refill(struct slot *slot, int64_t per_s, int64_t now_ms)
{
    int64_t burst_milli = per_s * LIMIT_BURST * 1000;
    int64_t passed_ms = now_ms > slot->at_ms ? now_ms - slot->at_ms : 0;

    if (passed_ms > 0)
        slot->at_ms = now_ms;
    if (passed_ms >= LIMIT_BURST * 1000)
        slot->tokens_milli = burst_milli;
    else
        slot->tokens_milli += passed_ms * per_s;
    if (slot->tokens_milli > burst_milli)
        slot->tokens_milli = burst_milli;
}

static struct slot *slot_find(struct limit_table *table, uint64_t hash, int64_t per_s, int64_t now_ms)
{
    struct slot *row = table->slots[hash % ROWS];
    struct slot *victim = row;

    for (int i = 0; i < WAYS; i++) {
        if (row[i].who == hash)
            return &row[i];
        if (row[i].who == 0 || (victim->who && row[i].at_ms < victim->at_ms))
            victim = &row[i];
    }
    *victim = (struct slot){ .who = hash, .tokens_milli = per_s * LIMIT_BURST * 1000, .at_ms = now_ms };
    return victim;
}

struct limit_verdict limit_take(struct limit_table *table, const char *who, enum bucket bucket, int64_t now_ms)
{
    int64_t per_s = table->per_s[bucket];
    struct slot *slot = slot_find(table, name_hash(table, who, bucket), per_s, now_ms);
    struct limit_verdict verdict = { .limit = per_s * LIMIT_BURST };
    int64_t missing_milli;

    refill(slot, per_s, now_ms);
    verdict.allowed = slot->tokens_milli >= 1000;
    if (verdict.allowed)
        slot->tokens_milli -= 1000;
    else
        verdict.retry_after_s = (1000 - slot->tokens_milli + per_s * 1000 - 1) / (per_s * 1000);
    missing_milli = verdict.limit * 1000 - slot->tokens_milli;
    verdict.remaining = slot->tokens_milli / 1000;
    verdict.reset_s = (missing_milli + per_s * 1000 - 1) / (per_s * 1000);
    return verdict;
}
