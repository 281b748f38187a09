/* What the two halves of the oracle share: what the leaves say, and what was found. */
#ifndef TESTS_ACCOUNTD_ORACLE_H
#define TESTS_ACCOUNTD_ORACLE_H

#include "tests/accountd/sim.h"

#define GROUPS 4096
#define CHAINS 256
#define LEAVES 8192

typedef unsigned __int128 u128;

/* What an account used of a meter in a month under a price book. */
struct group {
    unsigned account;
    char period[8];
    int64_t book;
    int meter;
    u128 quantity;
};
struct chain {
    char incarnation[33], account[65], instance[65], type[16], boot[40];
    int64_t number, vcpus, memory, book;
    u128 at[METER_COUNTERS + 1], used[METER_QUANTITIES];        /* the newest end of each counter, t_ns last */
    struct chain_hash hash;
    char *leaf;
};
extern struct oracle {
    struct sim *sim;
    unsigned broken;
    struct group groups[GROUPS];
    unsigned groups_count;
    struct chain chains[CHAINS];
    unsigned chains_count;
    struct chain_hash leaves[LEAVES];
    uint64_t leaves_count;
    json_t *books[256];
} o;

void broken(unsigned which, const char *what, const char *about);
u128 number_of(const json_t *leaf, const char *name, const char *end);
int64_t int_of(const json_t *leaf, const char *key);
unsigned account_of(const char *name);
/* Money against the leaves, and in itself: invariants 3 to 6 and 8. */
void oracle_ledger(void);

#endif
