#include "api/watcher.h"
#include "api/present.h"
#include "api/store_events.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/rpc.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAIT_MS    15000
#define ANSWER_MS  10000
#define RETRY_MS   1000
#define PAGE       100
#define TYPE_BYTES 48

struct follower {
    struct watcher *watcher;
    struct rpc_client *client;
    bool (*follow)(struct follower *follower);      /* waits for news once; false: try again in a moment */
    bool failing;                                   /* said so already */
    pthread_t thread;
};

struct watcher {
    struct store *store;
    int stop_fd;                                    /* readable: the threads end */
    struct follower followers[2];
};

/* A page of news on its way into the store. */
struct news {
    struct event_row rows[PAGE];
    char types[PAGE][TYPE_BYTES];
    char *data[PAGE];
    size_t count;
};

static void news_free(struct news *news)
{
    for (size_t i = 0; i < news->count; i++)
        free(news->data[i]);
}

/* `data` is stolen; texts of `thing` are borrowed. */
static void news_add(struct news *news, const char *kind, const char *what, const json_t *thing, const char *object,
                     int64_t at_ms, unsigned scope, json_t *data)
{
    size_t n = news->count;

    if (n == PAGE) {                    /* more than was asked for */
        json_decref(data);
        return;
    }
    snprintf(news->types[n], TYPE_BYTES, "%s.%s", kind, what);
    news->data[n] = json_dumps(data, JSON_COMPACT);
    news->rows[n] = (struct event_row){ .account_id = json_string_value(json_object_get(thing, "account_id")),
                                        .at_ms = at_ms, .type = news->types[n], .object = object, .scope = scope,
                                        .data = news->data[n] ? news->data[n] : "{}" };
    news->count++;
    json_decref(data);
}

static bool news_write(struct follower *follower, const char *source, int64_t position, struct news *news)
{
    int rc = store_events_take(follower->watcher->store, source, position, news->rows, news->count, clock_unix_ms());

    news_free(news);
    return rc == 0;
}

/* `args` is stolen. */
static json_t *ask(struct follower *follower, const char *verb, json_t *args)
{
    json_t *error = NULL, *ok = rpc_call_sync(follower->client, verb, args, WAIT_MS + ANSWER_MS, &error);

    if (!ok && !follower->failing && strcmp(json_text(error, "code"), "unavailable") != 0)
        log_warnx("events: %s: %s: %s, asked again every second", verb, json_text(error, "code"),
                  json_text(error, "detail"));
    follower->failing = !ok;
    json_decref(error);
    return ok;
}

/* the provisioner: instances, jobs, and what belongs to instances */

/* As its owner calls it: who renamed it did so with us. */
static const char *name_of(struct watcher *watcher, const json_t *change, struct instance_row *row)
{
    return store_instance_get(watcher->store, json_text(change, "account_id"), json_text(change, "instance_id"), row) == 1
               ? row->name
               : json_text(change, "name");
}

static void instance_add(struct watcher *watcher, struct news *news, const json_t *change)
{
    struct instance_row row;

    news_add(news, "instance", json_text(change, "state"), change, json_text(change, "instance_id"),
             json_integer_value(json_object_get(change, "at_ms")), SCOPE_INSTANCES_READ,
             json_pack("{s:s, s:s}", "name", name_of(watcher, change, &row), "state_reason",
                       json_text(change, "detail")));
}

/* Only what the customer ordered is an action of theirs. */
static void action_add(struct watcher *watcher, struct news *news, const json_t *change)
{
    const char *job_id = json_text(change, "job_id"), *code = json_text(change, "code");
    struct instance_row instance;
    struct action_row row;
    json_t *data;

    if (store_action_get(watcher->store, json_text(change, "account_id"), job_id, &row) != 1)
        return;
    data = json_pack("{s:s, s:s, s:s}", "instance_id", json_text(change, "instance_id"), "name",
                     name_of(watcher, change, &instance), "type", json_text(change, "type"));
    if (*code)
        json_object_set_new(data, "error", json_pack("{s:s, s:s}", "code", code, "detail", json_text(change, "detail")));
    news_add(news, "action", json_text(change, "state"), change, job_id,
             json_integer_value(json_object_get(change, "at_ms")), SCOPE_INSTANCES_READ, data);
}

static const struct {
    const char *prefix, *kind;
    unsigned scope;
} kinds[] = {
    { "vol_", "volume", SCOPE_VOLUMES_READ },
    { "snap_", "snapshot", SCOPE_VOLUMES_READ },
    { "fwd_", "forward", SCOPE_NETWORKS_READ },
};

static void thing_add(struct news *news, const json_t *change)
{
    const char *subject_id = json_text(change, "subject_id"), *instance_id = json_text(change, "instance_id");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(subject_id, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            news_add(news, kinds[i].kind, json_text(change, "state"), change, subject_id,
                     json_integer_value(json_object_get(change, "at_ms")), kinds[i].scope,
                     json_pack("{s:s, s:s?}", "name", json_text(change, "name"), "instance_id",
                               *instance_id ? instance_id : NULL));
}

/* Writes a page. Numbers have no holes: one that is missing was thrown away while we were not there. */
static bool changes_write(struct follower *follower, const json_t *changes, int64_t after)
{
    struct news news = { .count = 0 };
    int64_t number = after;
    json_t *change;
    size_t i;

    json_array_foreach(changes, i, change) {
        int64_t next = json_integer_value(json_object_get(change, "number"));

        if (next != number + 1)
            log_warnx("events: the provisioner does not know its changes %jd to %jd any more", (intmax_t)number + 1,
                      (intmax_t)next - 1);
        number = next;
        if (*json_text(change, "job_id"))
            action_add(follower->watcher, &news, change);
        else if (*json_text(change, "subject_id"))
            thing_add(&news, change);
        else
            instance_add(follower->watcher, &news, change);
    }
    return news_write(follower, "provisioner", number, &news);
}

static bool provisioner_follow(struct follower *follower)
{
    struct news none = { .count = 0 };
    int64_t after, newest;
    bool good;
    json_t *ok;

    if (store_event_cursor(follower->watcher->store, "provisioner", &after) < 0)
        return false;
    ok = ask(follower, "changes", json_pack("{s:I, s:i, s:i}", "after", (json_int_t)after, "limit", PAGE, "wait_ms",
                                            WAIT_MS));
    newest = json_integer_value(json_object_get(ok, "newest"));
    if (ok && newest < after) {
        log_warnx("events: the provisioner's database is an older one: what became of instances is told from now on");
        good = news_write(follower, "provisioner", newest, &none);
    } else {
        good = ok && (json_array_size(json_object_get(ok, "changes")) == 0 ||
                      changes_write(follower, json_object_get(ok, "changes"), after));
    }
    json_decref(ok);
    return good;
}

/* accountd: alerts, invoices and deposits */

static void alert_add(struct news *news, const json_t *alert)
{
    json_int_t number = json_integer_value(json_object_get(alert, "number"));

    news_add(news, "alert", json_text(alert, "kind"), alert, json_text(alert, "key"),
             json_integer_value(json_object_get(alert, "raised_ms")), SCOPE_BILLING_READ,
             json_pack("{s:I, s:s, s:s}", "number", number, "subject", json_text(alert, "subject"), "detail",
                       json_text(alert, "detail")));
}

/* Amounts as the invoice's own page shows them. */
static void invoice_add(struct news *news, const json_t *invoice)
{
    json_t *shown = present_copy(invoice);

    news_add(news, json_text(invoice, "kind"), "issued", invoice, json_text(invoice, "invoice_id"),
             json_integer_value(json_object_get(invoice, "issued_ms")), SCOPE_BILLING_READ,
             json_pack("{s:O?, s:O?, s:O?}", "number", json_object_get(shown, "number_text"), "total",
                       json_object_get(shown, "total"), "currency", json_object_get(shown, "currency")));
    json_decref(shown);
}

/* Without an account it is in suspense: for operators alone. */
static void deposit_add(struct news *news, const json_t *deposit)
{
    json_t *shown = present_copy(deposit);

    news_add(news, "deposit", "arrived", deposit, json_text(deposit, "transfer_id"),
             json_integer_value(json_object_get(deposit, "at_ms")), SCOPE_BILLING_READ,
             json_pack("{s:O?, s:O?, s:O?}", "amount", json_object_get(shown, "amount"), "currency",
                       json_object_get(shown, "currency"), "source", json_object_get(shown, "code")));
    json_decref(shown);
}

struct numbers {
    const char *verb;
    const char *list;                   /* in its answer; the source's name, too */
    void (*add)(struct news *news, const json_t *thing);
};
static const struct numbers alerts = { "alerts", "alerts", alert_add };
static const struct numbers invoices = { "invoice_list", "invoices", invoice_add };
static const struct numbers deposits = { "deposits", "deposits", deposit_add };

/* A page of what is numbered from `after` to `newest`. */
static bool numbers_follow(struct follower *follower, const struct numbers *numbers, int64_t after, int64_t newest)
{
    struct news news = { .count = 0 };
    int64_t number = after;
    json_t *ok, *thing;
    bool good = false;
    size_t i;

    if (newest == after)
        return true;
    if (newest < after) {
        log_warnx("events: accountd's ledger is an older one: its %s are told from now on", numbers->list);
        return news_write(follower, numbers->list, newest, &news);
    }
    ok = ask(follower, numbers->verb, json_pack("{s:I, s:i}", "after", (json_int_t)after, "limit", PAGE));
    json_array_foreach(json_object_get(ok, numbers->list), i, thing) {
        number = json_integer_value(json_object_get(thing, "number"));
        numbers->add(&news, thing);
    }
    if (number != after)
        good = news_write(follower, numbers->list, number, &news);
    json_decref(ok);
    return good;
}

static bool accountd_follow(struct follower *follower)
{
    struct store *store = follower->watcher->store;
    int64_t alert, invoice, deposit;
    bool good;
    json_t *ok;

    if (store_event_cursor(store, "alerts", &alert) < 0 || store_event_cursor(store, "invoices", &invoice) < 0 ||
        store_event_cursor(store, "deposits", &deposit) < 0)
        return false;
    ok = ask(follower, "news", json_pack("{s:I, s:I, s:I, s:i}", "alert", (json_int_t)alert, "invoice", (json_int_t)invoice,
                                         "deposit", (json_int_t)deposit, "wait_ms", WAIT_MS));
    good = ok != NULL;
    if (good)
        good = numbers_follow(follower, &alerts, alert, json_integer_value(json_object_get(ok, "alert")));
    if (good)
        good = numbers_follow(follower, &invoices, invoice, json_integer_value(json_object_get(ok, "invoice")));
    if (good)
        good = numbers_follow(follower, &deposits, deposit, json_integer_value(json_object_get(ok, "deposit")));
    json_decref(ok);
    return good;
}

/* threads */

static bool stopped_within(const struct watcher *watcher, int ms)
{
    struct pollfd stop = { .fd = watcher->stop_fd, .events = POLLIN };

    return poll(&stop, 1, ms) > 0;
}

static void *follow(void *arg)
{
    struct follower *follower = arg;

    while (!stopped_within(follower->watcher, follower->follow(follower) ? 0 : RETRY_MS))
        ;
    return NULL;
}

static void follower_start(struct watcher *watcher, struct follower *follower, const char *path,
                           bool (*each)(struct follower *follower))
{
    follower->watcher = watcher;
    follower->follow = each;
    follower->client = rpc_client_new(path);
    if (!follower->client)
        fatalx("out of memory");
    rpc_client_stop_on(follower->client, watcher->stop_fd);
    if (pthread_create(&follower->thread, NULL, follow, follower) != 0)
        fatalx("cannot start the thread that follows %s", path);
}

struct watcher *watcher_new(const struct config *config, struct store *store)
{
    struct watcher *watcher = calloc(1, sizeof(*watcher));

    if (!watcher)
        fatalx("out of memory");
    watcher->store = store;
    watcher->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watcher->stop_fd < 0)
        fatal("eventfd");
    follower_start(watcher, &watcher->followers[0], config->provisioner, provisioner_follow);
    follower_start(watcher, &watcher->followers[1], config->accountd, accountd_follow);
    return watcher;
}

void watcher_free(struct watcher *watcher)
{
    if (eventfd_write(watcher->stop_fd, 1) != 0)
        log_warn("eventfd: the stop takes longer");
    for (int i = 0; i < 2; i++) {
        pthread_join(watcher->followers[i].thread, NULL);
        rpc_client_free(watcher->followers[i].client);
    }
    close(watcher->stop_fd);
    free(watcher);
}
