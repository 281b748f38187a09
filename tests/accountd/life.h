/* Domains' lives without a hypervisor: a test moves the clock and the
 * counters, accountd's own code meters, records and charges them.
 *
 * Everything but time and the stats page is real: the databases lie in a
 * directory of their own, and `life_reopen` is what a restart does.
 */
#ifndef TESTS_ACCOUNTD_LIFE_H
#define TESTS_ACCOUNTD_LIFE_H

#include "accountd/accountd.h"
#include "accountd/invoice.h"

struct life {
    struct accountd a;
    char dir[64];
    uint64_t now_ns;
    uint8_t boot;                       /* fills the boot id */
    const char *head_copy;              /* what the next life_reopen is given */
};

#define LIFE_INTERVAL_NS 60000000000ull
#define LIFE_RATE_NUM    7              /* cpu_used costs 7/3 nano a second: it never comes out even */

/* The price book of what is begun next, canonical JSON. */
extern const char *life_prices;
/* Where what is begun next lies; NULL: in memory if there is such a place, since these tests sync thousands of times. */
extern const char *life_at;
void life_begin(struct life *life);
/* Removes the directory. */
void life_end(struct life *life);
/* As kill and start; false if it does not start. */
bool life_reopen(struct life *life);

/* The slot that the next sample shows; a test writes its counters. */
struct xs_stats_slot *life_slot(struct life *life, unsigned index);
/* A new live domain in the slot, born now. `tag` fills incarnation and UUID. */
struct xs_stats_slot *life_birth(struct life *life, unsigned index, uint8_t tag);
void life_death(struct life *life, unsigned index);
/* hv's hex of an id filled with `tag`. */
const char *life_hex(uint8_t tag);

/* An account with money, and a registration of the domain with this tag. */
void life_account(struct life *life, const char *account, int64_t nano);
enum ledger_result life_register(struct life *life, const char *account, const char *instance, uint8_t tag);

/* The next sample, `ns` later; what accountd_settle gave. */
int life_step(struct life *life, uint64_t ns);
int64_t life_posted(struct life *life, const char *account);
int64_t life_held(struct life *life, const char *account);
/* What the records in the log bill of the instance. */
struct meter_usage life_billed(struct life *life, const char *account, const char *instance);
/* How many leaves of this type the instance has. */
int life_leaves(struct life *life, const char *account, const char *instance, const char *type);
/* The log and the ledger as they must always be; false and a line on stderr if not. */
bool life_is_sound(struct life *life);

#endif
