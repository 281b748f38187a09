/* Who may touch a place: whoever took it until place_take, the thread from then on. The list and `stopping` are under
 * the lock. */
#include "api/console/hub.h"
#include "api/authenticate.h"
#include "api/console/viewer.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS 64
#define STOP_MS 1000                    /* for the closing handshakes when the api ends */
#define LAST_MS 2000                    /* for what was said last to go out */

struct place {
    struct hub *hub;
    struct place *next;                 /* under the lock */
    bool taken;                         /* under the lock: the thread's */
    char instance_id[ID_BYTES];
    struct credential credential;

    struct upgraded upgraded;
    struct viewer viewer;
    bool started;
    bool due;                           /* something happened on one of its sockets */
    unsigned told;                      /* how many viewers it knows of */
    uint64_t resize;                    /* the number of its last word about its size; 0 none */
    int64_t checked_ms;
    int watched_fd;                     /* the upstream socket that epoll watches; -1 none */
    short watched, watched_upstream;
};

struct hub {
    struct store *store;
    const char *upstream;
    pthread_t thread;
    int epoll_fd, wake_fd;
    uint64_t resizes;

    pthread_mutex_t lock;               /* nests inside nothing */
    struct place *list;
    bool stopping;
};

static void wake(struct hub *hub)
{
    if (eventfd_write(hub->wake_fd, 1) != 0)
        log_warn("eventfd: consoles are late");
}

/* any thread */

enum answer hub_place(struct hub *hub, struct reply *rp, const struct principal *who, const char *instance_id,
                      struct place **place)
{
    struct place *new = calloc(1, sizeof(*new));
    unsigned all = 0, same = 0;
    bool full;

    if (!new)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    new->hub = hub;
    strcpy(new->instance_id, instance_id);
    credential_of(who, &new->credential);
    new->watched_fd = -1;
    pthread_mutex_lock(&hub->lock);
    for (const struct place *at = hub->list; at; at = at->next) {
        all++;
        same += strcmp(at->instance_id, instance_id) == 0;
    }
    full = all >= VIEWERS_ALL || hub->stopping;
    if (!full && same < VIEWERS_PER_INSTANCE) {
        new->next = hub->list;
        *place = hub->list = new;
        new = NULL;
    }
    pthread_mutex_unlock(&hub->lock);
    if (!new)
        return ANSWER_OK;
    free(new);
    if (full)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many consoles are open: try again in a moment");
    return reply_fail(rp, ANSWER_RATE_LIMITED, "%d viewers look at this console already: close one",
                      VIEWERS_PER_INSTANCE);
}

void place_free(struct place *place)
{
    struct hub *hub = place->hub;
    struct place **at = &hub->list;

    pthread_mutex_lock(&hub->lock);
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    pthread_mutex_unlock(&hub->lock);
    free(place);
}

/* Ends the connection too, which libmicrohttpd closes later: epoll must not go on naming the place. libmicrohttpd 0.9.75
 * may see its end of the pair shut down before it knows that we are done, and then waits for the peer; hence the deadline. */
static void place_end(struct place *place)
{
    if (place->watched)
        epoll_ctl(place->hub->epoll_fd, EPOLL_CTL_DEL, place->viewer.fd, NULL);
    if (place->started)
        viewer_end(&place->viewer);
    deadline_set(place->upgraded.deadlines, place->upgraded.connection, LAST_MS);
    MHD_upgrade_action(place->upgraded.handle, MHD_UPGRADE_ACTION_CLOSE);
    place_free(place);
}

void place_take(struct place *place, const struct upgraded *upgraded, const char *early, size_t early_size)
{
    struct hub *hub = place->hub;
    char *copy = early_size ? malloc(early_size) : NULL;
    bool late;

    place->upgraded = *upgraded;
    deadline_set(upgraded->deadlines, upgraded->connection, 0);     /* no clock of HTTP's runs from here on */
    if (copy)
        memcpy(copy, early, early_size);
    place->started = (copy || !early_size) &&
                     viewer_start(&place->viewer, place->instance_id, hub->upstream, upgraded->fd, copy, early_size,
                                  clock_monotonic_ms()) == 0;
    place->due = true;
    place->checked_ms = place->viewer.start_ms;
    if (!place->started)
        free(copy);
    pthread_mutex_lock(&hub->lock);
    late = hub->stopping || !place->started;
    place->taken = !late;
    pthread_mutex_unlock(&hub->lock);
    if (late)
        place_end(place);
    else
        wake(hub);
}

/* the thread */

/* What epoll should look for on this descriptor, and what it looked for; 0: nothing, not even for its end, which we
 * would be told of without rest. */
static void watch(struct place *place, int fd, short was, short want)
{
    struct epoll_event event = { .events = (uint32_t)want, .data.ptr = place };
    int op = !was ? EPOLL_CTL_ADD : !want ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (was != want && epoll_ctl(place->hub->epoll_fd, op, fd, &event) != 0)
        place->viewer.gone = true;
}

static void place_watch(struct place *place)
{
    struct viewer *viewer = &place->viewer;
    short want = viewer_wants(viewer), want_upstream = viewer_wants_upstream(viewer);

    watch(place, viewer->fd, place->watched, want);
    place->watched = want;
    if (viewer->up_fd >= 0) {
        watch(place, viewer->up_fd, place->watched_fd < 0 ? 0 : place->watched_upstream, want_upstream);
        place->watched_upstream = want_upstream;
    }
    place->watched_fd = viewer->up_fd;  /* a socket that was closed left epoll by itself */
}

static void size_tell(struct viewer *viewer, const struct viewer *of)
{
    viewer_tell(viewer, "resize", json_pack("{s:i, s:i}", "cols", of->cols, "rows", of->rows));
}

/* What one has said about its size goes to the others of its console. */
static void resize_pass_on(struct place *const *places, unsigned count, struct place *from)
{
    from->viewer.resized = false;
    from->resize = ++from->hub->resizes;
    for (unsigned i = 0; i < count; i++) {
        struct place *to = places[i];

        if (to == from || !to->viewer.shown || to->viewer.reason || strcmp(to->instance_id, from->instance_id) != 0)
            continue;
        size_tell(&to->viewer, &from->viewer);
        to->due = true;
    }
}

/* How many look at its console, when that is news to it; to a new one, the last size too. */
static void company_tell(struct place *const *places, unsigned count, struct place *place)
{
    const struct place *newest = NULL;
    unsigned same = 0;

    if (!place->viewer.shown || place->viewer.reason)
        return;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(places[i]->instance_id, place->instance_id) != 0)
            continue;
        same += places[i]->viewer.shown && !places[i]->viewer.reason && !places[i]->viewer.gone;
        if (places[i] != place && places[i]->resize > (newest ? newest->resize : 0))
            newest = places[i];
    }
    if (same == place->told)
        return;
    if (place->told == 0 && newest)
        size_tell(&place->viewer, &newest->viewer);
    place->told = same;
    viewer_tell(&place->viewer, "viewers", json_integer(same));
    place->due = true;
}

static void place_look(struct place *place, int64_t now)
{
    /* That a key was revoked, or a session ended, is not told of. */
    if (place->checked_ms + VIEWER_PING_MS <= now) {
        place->checked_ms = now;
        place->viewer.now_ms = now;
        if (!credential_holds(place->hub->store, &place->credential, clock_unix_ms()))
            viewer_close(&place->viewer, "revoked");
        place->due = true;
    }
    if (!place->due && viewer_due_ms(&place->viewer) > now)
        return;
    place->due = false;
    if (viewer_work(&place->viewer, now))
        place_watch(place);
    else
        place->viewer.gone = true;
}

static bool any_due(struct place *const *places, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (places[i]->due && !places[i]->viewer.gone)
            return true;
    return false;
}

/* Until nobody has anything to say to another. */
static void turn(struct place *const *places, unsigned count)
{
    int64_t now = clock_monotonic_ms();

    do {
        for (unsigned i = 0; i < count; i++)
            if (!places[i]->viewer.gone)
                place_look(places[i], now);
        for (unsigned i = 0; i < count; i++)
            if (places[i]->viewer.resized)
                resize_pass_on(places, count, places[i]);
        for (unsigned i = 0; i < count; i++)
            company_tell(places, count, places[i]);
    } while (any_due(places, count));
}

static unsigned places_list(struct hub *hub, struct place *places[VIEWERS_ALL], bool *stopping)
{
    unsigned count = 0;

    pthread_mutex_lock(&hub->lock);
    *stopping = hub->stopping;
    for (struct place *place = hub->list; place; place = place->next)
        if (place->taken)
            places[count++] = place;
    pthread_mutex_unlock(&hub->lock);
    return count;
}

/* Until somebody's clock has something to say; -1: nobody's. */
static int patience_ms(struct place *const *places, unsigned count, int64_t stop_ms)
{
    int64_t now = clock_monotonic_ms(), next = !stop_ms ? -1 : stop_ms > now ? stop_ms - now : 0;

    for (unsigned i = 0; i < count; i++) {
        int64_t due = viewer_due_ms(&places[i]->viewer), check = places[i]->checked_ms + VIEWER_PING_MS;

        due = (due < check ? due : check) - now;
        due = due < 0 ? 0 : due;
        if (next < 0 || due < next)
            next = due;
    }
    return (int)next;
}

static void news_take(struct hub *hub, int patience)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(hub->epoll_fd, events, EVENTS, patience);
    eventfd_t ignored;

    for (int i = 0; i < count; i++) {
        struct place *place = events[i].data.ptr;

        if (place)
            place->due = true;
        else
            eventfd_read(hub->wake_fd, &ignored);
    }
}

/* Those that are over end; how many are left, in order. */
static unsigned ended_remove(struct place **places, unsigned count)
{
    unsigned left = 0;

    for (unsigned i = 0; i < count; i++) {
        if (places[i]->viewer.gone)
            place_end(places[i]);
        else
            places[left++] = places[i];
    }
    return left;
}

static void farewells(struct place *const *places, unsigned count, int64_t now)
{
    for (unsigned i = 0; i < count; i++) {
        if (places[i]->viewer.reason)
            continue;
        places[i]->viewer.now_ms = now;
        viewer_close(&places[i]->viewer, "unavailable");
        places[i]->due = true;
    }
}

static void *run(void *arg)
{
    struct hub *hub = arg;
    struct place *places[VIEWERS_ALL];
    int64_t stop_ms = 0, now;
    unsigned count, left;
    bool stopping;

    for (;;) {
        count = places_list(hub, places, &stopping);
        now = clock_monotonic_ms();
        if (stopping && !stop_ms)
            stop_ms = now + STOP_MS;
        if (stopping && (count == 0 || stop_ms <= now))
            break;
        if (stopping)
            farewells(places, count, now);
        turn(places, count);
        left = ended_remove(places, count);
        /* Who is left hears of who went. */
        if (left == count)
            news_take(hub, patience_ms(places, left, stop_ms));
    }
    for (unsigned i = 0; i < count; i++)
        place_end(places[i]);
    return NULL;
}

struct hub *hub_new(struct store *store, const char *upstream)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    if (!hub)
        fatalx("out of memory");
    hub->store = store;
    hub->upstream = upstream;
    pthread_mutex_init(&hub->lock, NULL);
    hub->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (hub->wake_fd < 0 || hub->epoll_fd < 0 || epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, hub->wake_fd, &event) != 0)
        fatal("the consoles' descriptors");
    if (pthread_create(&hub->thread, NULL, run, hub) != 0)
        fatalx("cannot start the thread of the consoles");
    return hub;
}

void hub_stop(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_mutex_unlock(&hub->lock);
    wake(hub);
    pthread_join(hub->thread, NULL);
}

void hub_free(struct hub *hub)
{
    close(hub->epoll_fd);
    close(hub->wake_fd);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}
