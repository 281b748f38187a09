/* xs as people and scripts run it. */
#ifndef TESTS_API_XS_RUN_H
#define TESTS_API_XS_RUN_H

#include "tests/api/rig.h"

/* What it printed, on both. */
extern char out[1 << 16];

/* A home in the rig's folder, the rig's address and its certificate; XS_KEY is the caller's to set. */
void xs_home(const struct rig *rig);
/* Runs xs with these words (NULL at the end); its exit status, its output in `out`. */
int xs(const char *word, ...) __attribute__((sentinel));
/* A check: the first id with this prefix in `out`. */
void id_seen(const char *prefix, char id[static 40]);

#endif
