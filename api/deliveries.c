#include "api/deliveries.h"
#include "api/events.h"
#include "api/store_webhooks.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/rpc.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LEASE_MS    30000
#define PER_ACCOUNT 2
#define WAIT_MS_MAX 30000
#define GIVE_UP_MS  (INT64_C(3) * 24 * 3600 * 1000)
#define ERROR_BYTES 160

struct waiter {
    struct waiter *next;
    struct rpc_call *call;
    int64_t until_ms;                   /* Unix time: what is due is in it, too */
};

struct deliveries {
    struct rpc_server *server;
    struct store *store;
    struct waiter *waiters;
    pthread_t thread;
    int wake_fd;                        /* a delivery more, or the end */
    atomic_bool stopping;
};

/* rpc's handlers carry no pointer; there is one in the process. */
static struct deliveries *self;

int64_t delivery_next_ms(int64_t attempts, int64_t created_ms, int64_t now_ms)
{
    static const int64_t after_s[] = { 10, 60, 300, 1800, 7200, 18000, 36000, 43200 };
    const int64_t count = sizeof(after_s) / sizeof(after_s[0]);
    int64_t next_ms = now_ms + 1000 * after_s[attempts < count ? attempts - 1 : count - 1];

    return next_ms <= created_ms + GIVE_UP_MS ? next_ms : 0;
}

char *delivery_sign(const char *secret, int64_t unix_s, const char *body)
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof(mac) + 1], stamp[24], *text = NULL;

    snprintf(stamp, sizeof(stamp), "%jd.", (intmax_t)unix_s);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, strlen(stamp));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    return asprintf(&text, "t=%jd,v1=%s", (intmax_t)unix_s, hex) < 0 ? NULL : text;
}

struct body {
    char *text;
    char type[48];
};

static void body_make(void *arg, const struct event_row *event)
{
    struct body *body = arg;
    json_t *view = event_view(event, false);

    body->text = json_dumps(view, JSON_COMPACT);
    snprintf(body->type, sizeof(body->type), "%s", event->type);
    json_decref(view);
}

/* What is to be sent next; NULL: nothing now. */
static json_t *next_take(int64_t now_ms)
{
    struct delivery_taken taken;
    struct body body = { .text = NULL };
    json_t *order = NULL;
    char *signature;

    if (store_delivery_take(self->store, now_ms, now_ms + LEASE_MS, PER_ACCOUNT, &taken, body_make, &body) == 1 &&
        body.text) {
        signature = delivery_sign(taken.secret, now_ms / 1000, body.text);
        order = json_pack("{s:I, s:s, s:s, s:s, s:s}", "number", (json_int_t)taken.number, "url", taken.url, "body",
                          body.text, "signature", signature, "type", body.type);
        free(signature);
    }
    free(body.text);
    sodium_memzero(&taken, sizeof(taken));
    return order;
}

static int take(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t wait_ms = 0;
    struct waiter *waiter;
    struct json_why why;

    if (json_arg_only(args, "wait_ms", &why) ||
        (json_has(args, "wait_ms") && json_arg_int(args, "wait_ms", 0, WAIT_MS_MAX, &wait_ms, &why)))
        return rpc_fail(call, "bad_request", "%s", why.text);
    waiter = malloc(sizeof(*waiter));
    if (!waiter)
        return rpc_fail(call, "internal", "out of memory");
    *waiter = (struct waiter){ .next = self->waiters, .call = rpc_defer(call), .until_ms = clock_unix_ms() + wait_ms };
    self->waiters = waiter;
    *result = NULL;
    return 0;
}

/* error: what the sender says, or the status that is no success. */
static void error_print(const char *said, int64_t status, char error[static ERROR_BYTES])
{
    json_words(said, error, ERROR_BYTES);
    if (!*said && (status < 200 || status > 299))
        snprintf(error, ERROR_BYTES, "answered %d", (int)status);
}

static int end(struct rpc_call *call, json_t *args, json_t **result)
{
    struct delivery_end what = { .error = "" };
    int64_t attempts, created_ms, now_ms = clock_unix_ms();
    char error[ERROR_BYTES];
    struct json_why why;
    int rc;

    if (json_arg_only(args, "number status took_ms error", &why) ||
        json_arg_int(args, "number", 1, INT64_MAX, &what.number, &why) ||
        json_arg_int(args, "status", 0, 999, &what.status, &why) ||
        json_arg_int(args, "took_ms", 0, INT32_MAX, &what.took_ms, &why))
        return rpc_fail(call, "bad_request", "%s", why.text);
    error_print(json_text(args, "error"), what.status, error);
    what.error = error;
    rc = store_delivery_sending(self->store, what.number, &attempts, &created_ms);
    if (rc == 1 && *error)
        what.due_ms = delivery_next_ms(attempts, created_ms, now_ms);
    if (rc == 1)
        rc = store_delivery_end(self->store, &what, now_ms);
    if (rc < 0)
        return rpc_fail(call, "unavailable", "the database cannot be written");
    *result = json_object();
    return 0;
}

static const struct rpc_verb verbs[] = {
    { "delivery_take", take, RPC_WEBHOOK },
    { "delivery_end", end, RPC_WEBHOOK },
    { NULL, NULL, 0 },
};

/* The oldest caller first; returns ms until there may be something to do, -1: only when something comes. */
static int waiters_run(void)
{
    int64_t now_ms = clock_unix_ms(), next_ms = -1, due_ms;

    for (struct waiter **at = &self->waiters; *at;) {
        struct waiter *w = *at;
        json_t *order = next_take(now_ms);

        if (!order && w->until_ms > now_ms && !self->stopping) {
            if (next_ms < 0 || w->until_ms < next_ms)
                next_ms = w->until_ms;
            at = &w->next;
            continue;
        }
        rpc_finish(w->call, order ? order : json_object(), NULL, NULL);
        *at = w->next;
        free(w);
    }
    if (next_ms >= 0 && store_delivery_due(self->store, now_ms, &due_ms) == 1 && due_ms < next_ms)
        next_ms = due_ms;
    return next_ms < 0 ? -1 : next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}

static void *answer(void *arg)
{
    struct pollfd fds[] = { { .fd = rpc_server_fd(self->server), .events = POLLIN },
                            { .fd = self->wake_fd, .events = POLLIN } };
    eventfd_t ignored;

    (void)arg;
    while (!self->stopping) {
        poll(fds, 2, waiters_run());
        eventfd_read(self->wake_fd, &ignored);
        rpc_server_run(self->server);
    }
    return NULL;
}

static void wake(void *arg)
{
    (void)arg;
    if (eventfd_write(self->wake_fd, 1) != 0)
        log_warn("eventfd: a delivery is late");
}

struct deliveries *deliveries_open(const char *path)
{
    self = calloc(1, sizeof(*self));
    if (!self)
        fatalx("out of memory");
    self->server = rpc_server_new(path, 0666, verbs);
    if (!self->server)
        fatalx("webhooks: %s: the socket cannot be opened (the line above says why)", path);
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->wake_fd < 0)
        fatal("eventfd");
    return self;
}

void deliveries_start(struct deliveries *deliveries, struct store *store)
{
    deliveries->store = store;
    store_watch(store, "deliveries", wake, NULL);
    if (pthread_create(&deliveries->thread, NULL, answer, NULL) != 0)
        fatalx("cannot start the thread that gives out deliveries");
}

void deliveries_free(struct deliveries *deliveries)
{
    if (!deliveries)
        return;
    deliveries->stopping = true;
    wake(NULL);
    pthread_join(deliveries->thread, NULL);
    rpc_server_free(deliveries->server);
    while (deliveries->waiters) {
        struct waiter *w = deliveries->waiters;

        deliveries->waiters = w->next;
        rpc_finish(w->call, NULL, "unavailable", "the api ends");
        free(w);
    }
    close(deliveries->wake_fd);
    free(deliveries);
}
