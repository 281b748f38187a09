/* A usage record: what one leaf says about one incarnation between two points. Pure.
 *
 * start  the incarnation's first; both points are its birth, all counters 0
 * succ   the first in a new log after the old one was lost; both points are the last that was charged
 * use    one interval
 * end    the last interval, up to its death
 * gap    the incarnation was lost with its host's boot or slot; nothing is billed and nothing follows
 * anomaly a counter fell: nothing is billed between the points
 *
 * While the host keeps a guest paused because its money is gone, its records carry the
 * flag RECORD_UNPAID and bill nothing. A segment closes where that begins and where it ends, with a record of
 * no length after it: the newest record always tells whether what follows is billed.
 *
 * Records of before io_replays was counted do not have that counter and stay as they are:
 * their bytes are hashed. In them it is 0, which the next record begins with.
 *
 * Numbers run from 0 without holes, `prev` is the hash of the leaf before, and
 * a record's first point is the last point of the record before.
 */
#ifndef ACCOUNTD_RECORD_H
#define ACCOUNTD_RECORD_H

#include "accountd/chain.h"
#include "accountd/meter.h"

#define RECORD_NAME_BYTES 65            /* account and instance ids, 1 to 64 of [A-Za-z0-9_.-] */
#define RECORD_HEX_BYTES  33            /* 16 bytes in hex */
#define RECORD_UNPAID "billing_suspended"
#define RECORD_HOST_ACCOUNT "host"      /* owns what no customer pays for */

struct record {
    char type[CHAIN_TYPE_BYTES];
    char host[RECORD_NAME_BYTES];
    char account[RECORD_NAME_BYTES];
    char instance[RECORD_NAME_BYTES];
    char boot[RECORD_HEX_BYTES];
    char domain_uuid[RECORD_HEX_BYTES];
    char incarnation[RECORD_HEX_BYTES];
    int64_t number;
    struct chain_hash prev;             /* zero in number 0 */
    struct meter_reserved reserved;
    int64_t price_book;                 /* 0: the host's own */
    struct meter_point from, to;
    int64_t t0_ms, t1_ms;               /* UTC of the points, for people */
    int64_t utc_error_ms;
    int64_t samples, misses;
    char flags[RECORD_NAME_BYTES];      /* "", "restart", the fallen counter's name, "host_restart", "slot_lost", RECORD_UNPAID */
    uint8_t salt[16];
    bool before_replays;                /* without io_replays */
};

bool record_is_name(const char *text);
/* The leaf's fields; new reference. */
json_t *record_fields(const struct record *record);
/* Strict: the fields of a record and no others. -1 with the reason. */
int record_parse(const char *type, const json_t *fields, struct record *record, struct json_why *why);
bool record_is_unpaid(const struct record *record);
/* What it bills: zero unless use or end, and paid. -1 if a counter falls in one that bills. */
int record_usage(const struct record *record, struct meter_usage *usage, struct json_why *why);
/* That `next` follows `record` (whose leaf hashes to `hash`) in number, prev and points. */
bool record_follows(const struct record *record, const struct chain_hash *hash, const struct record *next,
                    struct json_why *why);
/* That a chain may begin with it. */
bool record_is_first(const struct record *record, struct json_why *why);
bool record_is_last(const struct record *record);

#endif
