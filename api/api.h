/* What all requests share. */
#ifndef API_API_H
#define API_API_H

#include "api/config.h"
#include "api/limit.h"
#include "api/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct api {
    struct config config;
    struct store *store;                /* locks itself */

    pthread_mutex_t limit_lock;         /* of limits; nests inside nothing */
    struct limit_table *limits;

    atomic_bool stopping;               /* long polls end soon */
};

#endif
