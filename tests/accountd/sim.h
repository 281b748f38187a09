/* A host in simulation: accountd's own parts on a disk that fails, and a model of
 * everything around them: hypervisor, guests, provisioner, customers, operators,
 * clocks. One seed decides all. What the model knows is the truth that the books are held to (oracle.c). */
#ifndef TESTS_ACCOUNTD_SIM_H
#define TESTS_ACCOUNTD_SIM_H

#include "tests/accountd/life.h"

#define SIM_ACCOUNTS 3
#define SIM_SLOTS    6                  /* of the stats page: 2.. are guests */
#define SIM_LIVES    200
#define SIM_DEEDS    400

/* One incarnation, as hv and the provisioner know it. */
struct sim_life {
    char instance[16];
    unsigned account, slot;
    struct meter_reserved reserved;
    uint64_t born_ns, died_ns;
    uint64_t cpu_ns;                    /* used, seen or not */
    unsigned __int128 page_ns;          /* at its death */
    bool registered, live, dead, lost, fell;    /* fell: a counter of its was made to fall */
};

/* Something that moves money and was asked for by its id. */
struct sim_deed {
    char id[24], kind[12];
    unsigned account;
    int64_t nano;
    bool acknowledged;
};

struct sim {
    struct life life;
    uint64_t seed, dice, cpu_total_ns;  /* of all lives, and of dom0 */
    int64_t utc_ms;
    struct sim_life lives[SIM_LIVES];
    unsigned born;
    struct sim_deed deeds[SIM_DEEDS];
    unsigned done, orders, books, invoices, restarts, faults, jumps;
    bool alive;                         /* false: accountd refused to start, which is an error here */
    bool loud;
};

/* Plays a life of so many steps and brings it to a quiet end: all guests gone, all invoiced. */
void sim_play(struct sim *sim, uint64_t seed, unsigned steps);
void sim_end(struct sim *sim);
extern const char *const sim_accounts[SIM_ACCOUNTS];

/* The invariants of the books, by number, as a set of bits; 0: all hold. `loud` says what is wrong. */
enum {
    INV_COUNTERS = 1, INV_TELESCOPING, INV_ONCE, INV_KEY_AND_EFFECT, INV_AMOUNTS, INV_BALANCED, INV_SEGMENTS, INV_APART,
    INV_CONSERVED, INV_LOG
};
unsigned oracle_broken(struct sim *sim);

#endif
