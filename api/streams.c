/* Who may touch a stream: the pump while `asleep`, libmicrohttpd's thread else. `asleep`, the list and `stopping` are
 * under the lock, which is never held over a question to the database: the HTTP thread takes it. */
#include "api/streams.h"
#include "api/api.h"
#include "api/authenticate.h"
#include "api/events.h"
#include "common/clock.h"
#include "common/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HEARTBEAT_MS   15000
#define LIFE_MS        (600 * 1000)         /* a new connection may find a newer program */
#define PAGE           100
#define SEND_MS        60000                /* for one page to be read */
#define BLOCK_BYTES    4096
#define RECONNECT_MS   2000

struct stream {
    struct streams *home;
    struct stream *next;                    /* under the lock */
    bool asleep;                            /* under the lock */

    struct MHD_Connection *connection;
    struct deadlines *deadlines;
    int fd;                                 /* the connection's; only watched */
    char key_id[ID_BYTES];
    char account_id[ID_BYTES];
    char project_id[ID_BYTES];
    bool for_operator;
    struct event_range range;               /* what comes next */
    struct credential credential;
    int64_t spoken_ms, asked_ms, until_ms;  /* monotonic: last word, last look at the credential, end */
    bool hungry;                            /* not looked at since it fell asleep */
    bool over;                              /* ends when its text is sent */
    char *text;
    size_t size, sent;
};

struct streams {
    struct store *store;
    pthread_t pump;
    int wake_fd;
    atomic_bool news;                       /* events since the pump last looked */

    pthread_mutex_t lock;                   /* of what follows; inside it only libmicrohttpd's own */
    struct stream *list;
    unsigned count;
    bool stopping;
};

static void wake(struct streams *home)
{
    if (eventfd_write(home->wake_fd, 1) != 0)
        log_warn("eventfd: streams are late");
}

static void news(void *arg)
{
    struct streams *home = arg;

    home->news = true;
    wake(home);
}

/* the pump */

struct writing {
    struct stream *stream;
    FILE *out;
    int count;
};

static void event_write(void *arg, const struct event_row *row)
{
    struct writing *writing = arg;
    struct stream *stream = writing->stream;
    json_t *view = event_view(row, stream->for_operator);

    fprintf(writing->out, "id: %jd\nevent: %s\ndata: ", (intmax_t)row->seq, row->type);
    json_dumpf(view, writing->out, JSON_COMPACT);
    fputs("\n\n", writing->out);
    json_decref(view);
    writing->count++;
    /* Whoever lost the key learns that, and nothing more. */
    if (strcmp(row->object, stream->key_id) == 0 && strstr(row->type, ".revoked"))
        stream->over = true;
}

/* What there is for it now; sets text and size, 0 if nothing. A failed look is made again with the next heartbeat. */
static void stream_fill(struct streams *home, struct stream *stream, int64_t now)
{
    struct writing writing = { .stream = stream, .out = open_memstream(&stream->text, &stream->size) };

    stream->hungry = false;
    if (!writing.out) {
        stream->spoken_ms = now;            /* no memory: looked at again with the next heartbeat */
        return;
    }
    if (store_events(home->store, &stream->range, event_write, &writing) == 0)
        stream->hungry = stream->range.more && writing.count == 0;
    if (writing.count == 0 && stream->spoken_ms + HEARTBEAT_MS <= now)
        fputs(":\n\n", writing.out);
    fclose(writing.out);
    stream->sent = 0;
    if (stream->size == 0) {
        free(stream->text);
        stream->text = NULL;
    }
}

/* Who sleeps now: until the pump wakes them nobody else touches them, their sockets stay open. */
struct sleepers {
    struct stream *streams[STREAMS_MAX];
    struct pollfd fds[STREAMS_MAX + 1];     /* theirs, the last one wakes the pump */
    unsigned count;
    bool stopping;
};

static void sleepers_list(struct streams *home, struct sleepers *sleepers)
{
    sleepers->count = 0;
    pthread_mutex_lock(&home->lock);
    sleepers->stopping = home->stopping;
    for (struct stream *stream = home->list; stream; stream = stream->next)
        if (stream->asleep)
            sleepers->streams[sleepers->count++] = stream;
    pthread_mutex_unlock(&home->lock);
    for (unsigned i = 0; i < sleepers->count; i++)
        sleepers->fds[i] = (struct pollfd){ .fd = sleepers->streams[i]->fd, .events = POLLRDHUP };
    sleepers->fds[sleepers->count] = (struct pollfd){ .fd = home->wake_fd, .events = POLLIN };
}

/* Until the next heartbeat is due; -1: nobody listens. */
static int patience_ms(const struct sleepers *sleepers, int64_t now)
{
    int64_t next = -1;

    if (sleepers->stopping)
        return 0;
    for (unsigned i = 0; i < sleepers->count; i++) {
        const struct stream *stream = sleepers->streams[i];
        int64_t due = stream->hungry ? 0 : stream->spoken_ms + HEARTBEAT_MS - now;

        if (next < 0 || due < next)
            next = due < 0 ? 0 : due;
    }
    return (int)next;
}

static void stream_wake(struct streams *home, struct stream *stream, int64_t now)
{
    stream->spoken_ms = now;
    deadline_set(stream->deadlines, stream->connection, SEND_MS);
    pthread_mutex_lock(&home->lock);
    stream->asleep = false;
    MHD_resume_connection(stream->connection);
    pthread_mutex_unlock(&home->lock);
}

/* What it was opened with is asked for at each heartbeat, however much is told between two. */
static bool stream_holds(struct streams *home, struct stream *stream, int64_t now)
{
    if (stream->asked_ms + HEARTBEAT_MS > now)
        return true;
    stream->asked_ms = now;
    return credential_holds(home->store, &stream->credential, clock_unix_ms());
}

/* Whoever has left is let go at once: their place is wanted when they come again. */
static void stream_look(struct streams *home, struct stream *stream, bool fresh, bool over, int64_t now)
{
    over |= !stream_holds(home, stream, now);
    stream->over |= over || stream->until_ms <= now;
    if (!over && (fresh || stream->hungry || stream->over || stream->spoken_ms + HEARTBEAT_MS <= now))
        stream_fill(home, stream, now);
    if (stream->size || stream->over)
        stream_wake(home, stream, now);
}

static void *pump(void *arg)
{
    struct streams *home = arg;
    struct sleepers sleepers;
    eventfd_t ignored;

    do {
        bool fresh;

        sleepers_list(home, &sleepers);
        poll(sleepers.fds, sleepers.count + 1, patience_ms(&sleepers, clock_monotonic_ms()));
        eventfd_read(home->wake_fd, &ignored);
        fresh = atomic_exchange(&home->news, false);
        for (unsigned i = 0; i < sleepers.count; i++)
            stream_look(home, sleepers.streams[i], fresh, sleepers.stopping || sleepers.fds[i].revents,
                        clock_monotonic_ms());
    } while (!sleepers.stopping);
    return NULL;
}

/* libmicrohttpd's thread */

static ssize_t stream_read(void *arg, uint64_t position, char *out, size_t max)
{
    struct stream *stream = arg;
    struct streams *home = stream->home;
    size_t left = stream->size - stream->sent, taken = left < max ? left : max;
    ssize_t rc = 0;

    (void)position;
    if (taken) {
        memcpy(out, stream->text + stream->sent, taken);
        stream->sent += taken;
        return (ssize_t)taken;
    }
    free(stream->text);
    stream->text = NULL;
    stream->size = stream->sent = 0;
    deadline_set(stream->deadlines, stream->connection, 0);
    pthread_mutex_lock(&home->lock);
    if (stream->over || home->stopping) {
        rc = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->hungry = stream->asleep = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&home->lock);
    if (rc == 0)
        wake(home);
    return rc;
}

void stream_close(struct stream *stream)
{
    struct streams *home = stream->home;
    struct stream **at = &home->list;

    pthread_mutex_lock(&home->lock);
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    home->count--;
    pthread_mutex_unlock(&home->lock);
    free(stream->text);
    free(stream);
}

static void response_free(void *arg)
{
    stream_close(arg);
}

struct MHD_Response *stream_response(struct stream *stream, struct MHD_Connection *connection,
                                     struct deadlines *deadlines)
{
    stream->connection = connection;
    stream->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    stream->deadlines = deadlines;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read, stream, response_free);
}

/* a worker's thread */

static enum answer stream_enter(struct streams *home, struct stream *stream, struct reply *rp)
{
    unsigned mine = 0;
    bool full;

    pthread_mutex_lock(&home->lock);
    for (const struct stream *other = home->list; other; other = other->next)
        mine += strcmp(other->key_id, stream->key_id) == 0;
    full = home->count >= STREAMS_MAX || home->stopping;
    if (!full && mine < STREAMS_PER_KEY) {
        stream->next = home->list;
        home->list = stream;
        home->count++;
    }
    pthread_mutex_unlock(&home->lock);
    if (full)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many streams are open: try again, or ask for pages");
    if (mine >= STREAMS_PER_KEY)
        return reply_fail(rp, ANSWER_RATE_LIMITED, "%d streams of this key are open already: close one",
                          STREAMS_PER_KEY);
    return ANSWER_OK;
}

static struct stream *stream_new(const struct request *rq, const struct event_range *range)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    char greeting[32];

    if (!stream)
        return NULL;
    stream->home = rq->api->streams;
    stream->for_operator = rq->who.role == ROLE_OPERATOR;
    stream->range = (struct event_range){ .scopes = range->scopes, .after = range->after, .limit = PAGE };
    snprintf(stream->key_id, sizeof(stream->key_id), "%s", rq->who.key_id);
    if (range->account_id) {
        snprintf(stream->account_id, sizeof(stream->account_id), "%s", range->account_id);
        stream->range.account_id = stream->account_id;
        snprintf(stream->project_id, sizeof(stream->project_id), "%s", range->project_id);
        stream->range.project_id = stream->project_id;
    }
    credential_of(&rq->who, &stream->credential);
    stream->spoken_ms = stream->asked_ms = clock_monotonic_ms();
    stream->until_ms = stream->spoken_ms + LIFE_MS;
    stream->size = (size_t)snprintf(greeting, sizeof(greeting), "retry: %d\n\n", RECONNECT_MS);
    stream->text = strdup(greeting);
    if (stream->text)
        return stream;
    free(stream);
    return NULL;
}

enum answer stream_open(struct request *rq, struct reply *rp, const struct event_range *range)
{
    struct stream *stream = stream_new(rq, range);
    enum answer answer;

    if (!stream)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    answer = stream_enter(stream->home, stream, rp);
    if (answer == ANSWER_OK) {
        rp->stream = stream;
        rp->text_type = "text/event-stream";
        return ANSWER_OK;
    }
    free(stream->text);
    free(stream);
    return answer;
}

struct streams *streams_new(struct store *store)
{
    struct streams *home = calloc(1, sizeof(*home));

    if (!home)
        fatalx("out of memory");
    home->store = store;
    home->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (home->wake_fd < 0)
        fatal("eventfd");
    pthread_mutex_init(&home->lock, NULL);
    store_watch(store, "events", news, home);
    if (pthread_create(&home->pump, NULL, pump, home) != 0)
        fatalx("cannot start the thread that feeds streams");
    return home;
}

void streams_stop(struct streams *home)
{
    pthread_mutex_lock(&home->lock);
    home->stopping = true;
    pthread_mutex_unlock(&home->lock);
    wake(home);
    pthread_join(home->pump, NULL);
}

void streams_free(struct streams *home)
{
    close(home->wake_fd);
    pthread_mutex_destroy(&home->lock);
    free(home);
}
