/* Events in api.db. schema/api/schema.sql says who writes them: triggers, beside the rows that they tell of, and the
 * watcher by store_events_take. Nobody else inserts any. Results as in store.h. */
#ifndef API_STORE_EVENTS_H
#define API_STORE_EVENTS_H

#include "api/store.h"

struct event_row {
    int64_t seq;
    const char *account_id;             /* NULL: the host's own */
    int64_t at_ms;
    const char *type;
    const char *object;
    unsigned scope;                     /* bits of enum scope */
    const char *data;                   /* a JSON object */
};

struct event_range {
    const char *account_id;             /* NULL: everybody's and the host's */
    const char *project_id;             /* of a customer's: only what is about things in it; "" all */
    unsigned scopes;                    /* what needs others is left out */
    int64_t after;                      /* this seq itself is left out; then the last one that was looked at */
    bool newest;                        /* first; then `after` goes back in time, 0: from the newest */
    int64_t limit;                      /* at least 1 */
    bool more;                          /* set: it ended at the limit, or at what is looked at for one page */
};

/* A page, and `range` is where the next one begins. It may be shorter than its limit, even empty, though there is more:
 * what a page looks at is bounded. `each` borrows the row. It runs under the store's lock. */
typedef void event_each(void *arg, const struct event_row *row);
int store_events(struct store *store, struct event_range *range, event_each *each, void *arg);
/* 1 and *seq of the newest one there has been, 0 if there was none. */
int store_event_newest(struct store *store, int64_t *seq);

/* Calls `notify` when rows are about to be inserted into "events" or "deliveries", with the store's lock held: it must
 * only wake somebody. One for each; set before there are threads. */
void store_watch(struct store *store, const char *table, void (*notify)(void *arg), void *arg);

/* How far a source has been read, 0 at first: 1, -1. */
int store_event_cursor(struct store *store, const char *source, int64_t *position);
/* Writes what the source told (seq is given here) and moves its cursor: both or neither. What is older than events
 * are kept is left out. */
int store_events_take(struct store *store, const char *source, int64_t position, const struct event_row *rows,
                      size_t count, int64_t now_ms);

/* Forgets what is older than 30 days, and its deliveries. */
int store_events_expire(struct store *store, int64_t now_ms);

#endif
