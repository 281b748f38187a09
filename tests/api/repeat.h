/* The same call a thousand times, forty at once: what a customer's retries, proxies and double clicks do. */
#ifndef TESTS_API_REPEAT_H
#define TESTS_API_REPEAT_H

#include "tests/api/rig.h"

#define REPEATS 1000

struct repeated {
    int done;                           /* answered with the status that was wanted */
    int again;                          /* told to come again: the first is under way, or too many are */
    int other;
    bool same;                          /* every "id" that was answered is the same */
    char odd[300];                      /* of the other answers, one */
};

struct repeated repeat(struct rig *rig, const struct call *call, int status);
/* That none of them was refused for good, and those that were done have one id. */
void ok_repeated(const struct repeated *repeated, const char *what);

#endif
