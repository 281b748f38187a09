/* A fixed table, so that strangers cannot make it grow. Whoever comes new to a
 * full row evicts the one longest unseen, whose bucket has refilled most.
 * The row is chosen by a keyed hash: nobody can aim at a neighbour. */
#include "api/limit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1024
#define WAYS 4
#define TOKEN 60000                     /* a request: one a minute brings 1 a millisecond */

struct slot {
    uint64_t who;                       /* keyed hash of id and bucket; 0 empty */
    int64_t tokens;                     /* TOKEN is one request */
    int64_t at_ms;
};

struct limit_table {
    unsigned char key[crypto_shorthash_KEYBYTES];
    struct limit_rate rates[BUCKET_COUNT];
    struct slot slots[ROWS][WAYS];
};

struct limit_rate limit_per_s(int64_t per_s)
{
    return (struct limit_rate){ .per_minute = 60 * per_s, .burst = LIMIT_BURST * per_s };
}

struct limit_table *limit_new(const struct limit_rate rates[static BUCKET_COUNT])
{
    struct limit_table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    crypto_shorthash_keygen(table->key);
    memcpy(table->rates, rates, sizeof(table->rates));
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
static void refill(struct slot *slot, const struct limit_rate *rate, int64_t now_ms)
{
    int64_t full = rate->burst * TOKEN;
    int64_t passed_ms = now_ms > slot->at_ms ? now_ms - slot->at_ms : 0;

    if (passed_ms > 0)
        slot->at_ms = now_ms;
    if (passed_ms >= full / rate->per_minute)
        slot->tokens = full;
    else
        slot->tokens += passed_ms * rate->per_minute;
    if (slot->tokens > full)
        slot->tokens = full;
}

/* Rounded up. */
static int64_t seconds_for(const struct limit_rate *rate, int64_t tokens)
{
    return (tokens + rate->per_minute * 1000 - 1) / (rate->per_minute * 1000);
}

static struct slot *slot_find(struct limit_table *table, uint64_t hash, const struct limit_rate *rate, int64_t now_ms)
{
    struct slot *row = table->slots[hash % ROWS];
    struct slot *victim = row;

    for (int i = 0; i < WAYS; i++) {
        if (row[i].who == hash)
            return &row[i];
        if (row[i].who == 0 || (victim->who && row[i].at_ms < victim->at_ms))
            victim = &row[i];
    }
    *victim = (struct slot){ .who = hash, .tokens = rate->burst * TOKEN, .at_ms = now_ms };
    return victim;
}

struct limit_verdict limit_take(struct limit_table *table, const char *who, enum bucket bucket, int64_t now_ms)
{
    const struct limit_rate *rate = &table->rates[bucket];
    struct slot *slot = slot_find(table, name_hash(table, who, bucket), rate, now_ms);
    struct limit_verdict verdict = { .limit = rate->burst };

    refill(slot, rate, now_ms);
    verdict.allowed = slot->tokens >= TOKEN;
    if (verdict.allowed)
        slot->tokens -= TOKEN;
    else
        verdict.retry_after_s = seconds_for(rate, TOKEN - slot->tokens);
    verdict.remaining = slot->tokens / TOKEN;
    verdict.reset_s = seconds_for(rate, rate->burst * TOKEN - slot->tokens);
    return verdict;
}
