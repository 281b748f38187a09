/* A story of money and use, told act by act: what a host does in its life that
 * moves or records money, each act as its caller would do it again if it got no
 * answer. Told from any act on it comes to the same books. */
#ifndef TESTS_ACCOUNTD_STORY_H
#define TESTS_ACCOUNTD_STORY_H

#include "tests/accountd/life.h"

struct act {
    const char *name;
    void (*hv)(struct life *life);      /* what happens on the host before, once, whoever listens. NULL: nothing */
    bool (*act)(struct life *life);     /* true: done, or found done: it is acknowledged */
};
extern const struct act story[];
extern const unsigned story_acts;

/* Its prices come to cents: some tiers, something free, a minimum. */
extern const char *story_prices;
/* The clock of the story stands at life->now_ns. */
int64_t story_ms(const struct life *life);

/* What the books say, one fact a line, sorted: what no break may change. Left out is what a restart may do otherwise:
 * how use is cut into records, and bytes that are random. malloc'd. */
char *books_text(struct life *life);
/* Prints the lines that are in one only, at most ten. */
void books_differ(const char *expected, const char *got);

#endif
