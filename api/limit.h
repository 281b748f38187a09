/* Token buckets: how many requests of a kind a key, or an address without a
 * key, may make. Pure: the time is a parameter. Not locked; the caller is. */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Logins are counted by the name given, and again by the address. */
enum bucket { BUCKET_READ, BUCKET_WRITE, BUCKET_WAIT, BUCKET_ANONYMOUS, BUCKET_FILE, BUCKET_LOGIN, BUCKET_COUNT };

struct limit_rate {
    int64_t per_minute;
    int64_t burst;                      /* that may come at once */
};

#define LIMIT_BURST 4                   /* seconds' worth: the burst of a rate given a second */

struct limit_verdict {
    bool allowed;
    int64_t limit;                      /* the burst */
    int64_t remaining;                  /* whole requests left now */
    int64_t reset_s;                    /* until the bucket is full again, rounded up */
    int64_t retry_after_s;              /* until the next one is allowed; 0 if this one was */
};

struct limit_table;
struct limit_table *limit_new(const struct limit_rate rates[static BUCKET_COUNT]);
/* So many a second. */
struct limit_rate limit_per_s(int64_t per_s);
void limit_free(struct limit_table *table);

/* Takes one request of `who` (a key's id or an address) from its bucket. */
struct limit_verdict limit_take(struct limit_table *table, const char *who, enum bucket bucket, int64_t now_ms);

#endif
