/* A list of connections and a thread that looks at it once a second. */
#include "api/deadline.h"
#include "common/clock.h"
#include "common/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct watch {
    struct watch *next, *prev;
    int fd;
    int64_t deadline_ms;                    /* monotonic; 0 none */
    int64_t idle_since_ms;                  /* that nothing of it is under way; 0 something is */
};

struct deadlines {
    int64_t arrival_ms;
    pthread_t reaper;

    pthread_mutex_t lock;                   /* of what follows */
    pthread_cond_t wake;
    struct watch *watches;
    unsigned watches_count, watches_max;
    bool stopping;
};

static void move(struct deadlines *deadlines, struct MHD_Connection *connection, int64_t from_now_ms, bool idle)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct watch *watch = info ? info->socket_context : NULL;

    if (!watch)
        return;
    pthread_mutex_lock(&deadlines->lock);
    watch->deadline_ms = from_now_ms ? clock_monotonic_ms() + from_now_ms : 0;
    watch->idle_since_ms = idle ? clock_monotonic_ms() : 0;
    pthread_mutex_unlock(&deadlines->lock);
}

void deadline_set(struct deadlines *deadlines, struct MHD_Connection *connection, int64_t from_now_ms)
{
    move(deadlines, connection, from_now_ms, false);
}

void deadline_idle(struct deadlines *deadlines, struct MHD_Connection *connection, int64_t from_now_ms)
{
    move(deadlines, connection, from_now_ms, true);
}

static void cut(struct watch *watch)
{
    shutdown(watch->fd, SHUT_RDWR);
    watch->deadline_ms = watch->idle_since_ms = 0;
}

/* Ends who has been idle longest: who just came, and asks at once, is the last to be that. */
static void make_room(struct deadlines *deadlines)
{
    struct watch *oldest = NULL;

    for (struct watch *watch = deadlines->watches; watch; watch = watch->next)
        if (watch->idle_since_ms && (!oldest || watch->idle_since_ms <= oldest->idle_since_ms))
            oldest = watch;
    if (oldest)
        cut(oldest);
}

static void watch_start(struct deadlines *deadlines, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!info || !watch) {
        free(watch);
        return;
    }
    watch->fd = info->connect_fd;
    watch->idle_since_ms = clock_monotonic_ms();
    watch->deadline_ms = watch->idle_since_ms + deadlines->arrival_ms;
    pthread_mutex_lock(&deadlines->lock);
    if (++deadlines->watches_count > deadlines->watches_max)
        make_room(deadlines);
    watch->next = deadlines->watches;
    if (watch->next)
        watch->next->prev = watch;
    deadlines->watches = watch;
    pthread_mutex_unlock(&deadlines->lock);
    *context = watch;
}

static void watch_end(struct deadlines *deadlines, void **context)
{
    struct watch *watch = *context;

    if (!watch)
        return;
    pthread_mutex_lock(&deadlines->lock);
    deadlines->watches_count--;
    if (watch->next)
        watch->next->prev = watch->prev;
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        deadlines->watches = watch->next;
    pthread_mutex_unlock(&deadlines->lock);
    free(watch);
    *context = NULL;
}

/* libmicrohttpd tells the end before it closes the descriptor, so under our
 * lock the reaper never touches a descriptor that means something else by now. */
void deadlines_notify(void *arg, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        watch_start(arg, connection, context);
    else
        watch_end(arg, context);
}

static void *reap(void *arg)
{
    struct deadlines *deadlines = arg;

    pthread_mutex_lock(&deadlines->lock);
    while (!deadlines->stopping) {
        struct timespec until;

        for (struct watch *watch = deadlines->watches; watch; watch = watch->next)
            if (watch->deadline_ms && watch->deadline_ms <= clock_monotonic_ms())
                cut(watch);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&deadlines->wake, &deadlines->lock, &until);
    }
    pthread_mutex_unlock(&deadlines->lock);
    return NULL;
}

struct deadlines *deadlines_new(int64_t arrival_ms, unsigned connections_max)
{
    struct deadlines *deadlines = calloc(1, sizeof(*deadlines));
    pthread_condattr_t monotonic;

    if (!deadlines)
        fatalx("out of memory");
    deadlines->arrival_ms = arrival_ms;
    deadlines->watches_max = connections_max;
    pthread_mutex_init(&deadlines->lock, NULL);
    /* Deadlines must not move when somebody sets the clock. */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&deadlines->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&deadlines->reaper, NULL, reap, deadlines) != 0)
        fatalx("cannot start the thread that ends slow connections");
    return deadlines;
}

void deadlines_free(struct deadlines *deadlines)
{
    pthread_mutex_lock(&deadlines->lock);
    deadlines->stopping = true;
    pthread_cond_signal(&deadlines->wake);
    pthread_mutex_unlock(&deadlines->lock);
    pthread_join(deadlines->reaper, NULL);
    pthread_cond_destroy(&deadlines->wake);
    pthread_mutex_destroy(&deadlines->lock);
    free(deadlines);
}
