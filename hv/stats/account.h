/* What the rooms below stats report to it: two verbs and a struct name, so that mm need not know the meter. */
#ifndef STATS_ACCOUNT_H
#define STATS_ACCOUNT_H

#include "hv/lib/types.h"

struct domain;

/* d holds `pages` frames from now on. Called under the heap lock. */
void stats_pages_changed(struct domain *d, uint64_t pages, uint64_t now_ns);
/* Header words of the stats page; nothing before stats_init. */
void stats_pages_free(uint64_t free, uint64_t hv);

#endif
