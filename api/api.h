/* What all requests share. */
#ifndef API_API_H
#define API_API_H

#include "api/config.h"
#include "api/console/tickets.h"
#include "api/limit.h"
#include "api/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define WAITS_MAX 32                    /* long polls at once */
#define WAITS_PER_ACCOUNT 8

struct hub;
struct kept;
struct streams;

struct api {
    struct config config;
    struct store *store;                /* locks itself */
    struct kept *kept;                  /* libmicrohttpd's thread alone */
    struct streams *streams;            /* so do they */

    pthread_mutex_t limit_lock;         /* of limits; nests inside nothing */
    struct limit_table *limits;

    struct hub *consoles;               /* and they */

    pthread_mutex_t ticket_lock;        /* of tickets; nests inside nothing */
    struct tickets tickets;

    atomic_int_least64_t well_until_ms; /* monotonic: the daemons answered so lately that /healthz need not ask */

    atomic_bool stopping;               /* long polls end soon */

    pthread_mutex_t wait_lock;          /* of waits; nests inside nothing */
    char waits[WAITS_MAX][ID_BYTES];    /* the accounts that wait now; "" free */
};

#endif
