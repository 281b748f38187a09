/* UTC as guests see it: the RTC at boot, then what dom0 sets (it has NTP). */
#ifndef DOMCTL_WALLCLOCK_H
#define DOMCTL_WALLCLOCK_H

#include "hv/domain/domain.h"

/* UTC ns at now_ns() == 0, for all domains that exist and those to come. */
void wallclock_set(uint64_t boot_ns);
/* Fills in d's shared_info (xen.h, wc_*). */
void wallclock_update(struct domain *d);

#endif
