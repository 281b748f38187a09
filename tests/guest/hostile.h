/* hostile-frontend's parts: each device's attacks, run those whose name begins as wanted. */
#ifndef TESTS_GUEST_HOSTILE_H
#define TESTS_GUEST_HOSTILE_H

#include "tests/guest/lib/frontend.h"

#define ANSWER_CLOSED 1000              /* no answer: the device was closed */
#define ANSWER_NONE   1001              /* no answer, and it stays open */

/* How long an answer is waited for: when there must be one, and when it is the backend's own affair. */
#define ANSWER_NS 10000000000ull
#define MAYBE_NS   2000000000ull

/* A node of the frontend's that is not what it should be. */
struct lie {
    const char *name, *node, *value;
};

bool wanted(const char *attack);
void done(const char *attack, int64_t answer);          /* its line on the console */
void done_with(const char *attack, const char *result);

void disk_attacks(void);
void net_attacks(void);

#endif
