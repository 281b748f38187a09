/* More domains than a tag of one byte can name: each with an account of its own, for measuring. */
#ifndef TESTS_ACCOUNTD_FLEET_H
#define TESTS_ACCOUNTD_FLEET_H

#include "tests/accountd/life.h"

/* Slot 0 is hv's own: as many fit on one stats page. */
#define FLEET_PAGE (XS_STATS_SLOTS - 1)

/* Dear enough for cents, with nothing free of charge. */
extern const char fleet_prices[];

/* The n-th domain, live in this slot from now on and registered. Its account, number `owner`, is opened
 * with money by its first domain: n == owner. */
void fleet_birth(struct life *life, unsigned slot, unsigned n, unsigned owner);
/* "accN" */
const char *fleet_account(unsigned n, char name[static 16]);
/* Every live domain in slots 1 to count uses something of each meter for so long. */
void fleet_work(struct life *life, unsigned count, uint64_t ns);
/* The page that hv would show of them, as a file. */
void fleet_page(const struct life *life, const char *path);

#endif
