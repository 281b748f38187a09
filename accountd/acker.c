/* A list of requests, one thread that works it off. A tombstone that could not
 * be freed is asked for again at the next acker_ask, which comes with each sample. */
#include "accountd/acker.h"
#include "common/id.h"
#include "common/log.h"
#include "common/rpc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REQUEST_MS 2000

enum ask_state { ASK_WANTED, ASK_FAILED, ASK_DONE };

struct ask {
    struct ask *next;
    unsigned slot;
    char incarnation[RECORD_HEX_BYTES];     /* "": suspend `instance` */
    char instance[RECORD_NAME_BYTES];
    enum ask_state state;
    bool told;                          /* its failure has been logged; the thread's own */
};

struct acker {
    pthread_t thread;
    struct rpc_client *client;          /* the thread's own */
    int event_fd;
    pthread_mutex_t lock;               /* protects what follows; held for no I/O */
    pthread_cond_t wanted;
    struct ask *asks;
    bool stop;
};

static struct ask *find(struct acker *acker, enum ask_state state)
{
    for (struct ask *ask = acker->asks; ask; ask = ask->next)
        if (ask->state == state)
            return ask;
    return NULL;
}

static void request_suspend(struct acker *acker, const struct ask *ask)
{
    char id[ID_BYTES];
    json_t *error, *args = json_pack("{s:s, s:s, s:s}", "job_id", id_make("job_", id), "instance_id", ask->instance,
                                     "type", "suspend");
    json_t *ok = rpc_call_sync(acker->client, "instance_action", args, REQUEST_MS, &error);
    const char *code = json_string_value(json_object_get(error, "code"));

    if (ok)
        log_warnx("instance %s: no money left, it is being suspended", ask->instance);
    /* conflict: it does not run, or is being suspended already. */
    else if (!code || strcmp(code, "conflict") != 0)
        log_warnx("instance %s: no money left, but not suspended, will ask again: %s", ask->instance,
                  json_string_value(json_object_get(error, "detail")));
    json_decref(error);
    json_decref(ok);
}

/* 0: hv has freed it. */
static int request(struct acker *acker, struct ask *ask)
{
    json_t *error, *args = json_pack("{s:I, s:s}", "slot", (json_int_t)ask->slot, "incarnation", ask->incarnation);
    json_t *ok = rpc_call_sync(acker->client, "tombstone_ack", args, REQUEST_MS, &error);

    if (!ok && !ask->told)
        log_warnx("slot %u: incarnation %s: not freed, will ask again: %s: %s", ask->slot, ask->incarnation,
                  json_string_value(json_object_get(error, "code")),
                  json_string_value(json_object_get(error, "detail")));
    ask->told = !ok;
    json_decref(error);
    json_decref(ok);
    return ask->told ? -1 : 0;
}

static void unlink_ask(struct acker *acker, struct ask *ask)
{
    struct ask **at = &acker->asks;

    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
}

static void work_off(struct acker *acker, struct ask *ask)
{
    bool suspend = ask->incarnation[0] == 0;
    int rc = 0;

    /* Only acker_done frees an ask, and only a done one: this one stays. */
    pthread_mutex_unlock(&acker->lock);
    if (suspend)
        request_suspend(acker, ask);
    else
        rc = request(acker, ask);
    pthread_mutex_lock(&acker->lock);
    ask->state = rc ? ASK_FAILED : ASK_DONE;
    if (suspend) {
        unlink_ask(acker, ask);
        free(ask);
    } else if (rc == 0) {
        eventfd_write(acker->event_fd, 1);
    }
}

static void *work(void *arg)
{
    struct acker *acker = arg;

    pthread_mutex_lock(&acker->lock);
    while (!acker->stop) {
        struct ask *ask = find(acker, ASK_WANTED);

        if (ask)
            work_off(acker, ask);
        else
            pthread_cond_wait(&acker->wanted, &acker->lock);
    }
    pthread_mutex_unlock(&acker->lock);
    return NULL;
}

struct acker *acker_new(const char *socket_path)
{
    struct acker *acker = calloc(1, sizeof(*acker));

    if (!acker || !(acker->client = rpc_client_new(socket_path)))
        fatal("acker");
    acker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&acker->lock, NULL);
    pthread_cond_init(&acker->wanted, NULL);
    if (acker->event_fd < 0 || pthread_create(&acker->thread, NULL, work, acker) != 0)
        fatal("acker");
    return acker;
}

int acker_fd(const struct acker *acker)
{
    return acker->event_fd;
}

void acker_ask(struct acker *acker, unsigned slot, const char *incarnation)
{
    struct ask *ask;

    pthread_mutex_lock(&acker->lock);
    for (ask = acker->asks; ask && strcmp(ask->incarnation, incarnation) != 0;)
        ask = ask->next;
    if (!ask && (ask = calloc(1, sizeof(*ask)))) {
        ask->slot = slot;
        strcpy(ask->incarnation, incarnation);
        ask->next = acker->asks;
        acker->asks = ask;
    }
    if (ask && ask->state == ASK_FAILED)
        ask->state = ASK_WANTED;
    pthread_cond_signal(&acker->wanted);
    pthread_mutex_unlock(&acker->lock);
}

void acker_suspend(struct acker *acker, const char *instance)
{
    struct ask *ask = calloc(1, sizeof(*ask));

    if (!ask)
        return;
    snprintf(ask->instance, sizeof(ask->instance), "%s", instance);
    pthread_mutex_lock(&acker->lock);
    ask->next = acker->asks;
    acker->asks = ask;
    pthread_cond_signal(&acker->wanted);
    pthread_mutex_unlock(&acker->lock);
}

bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES])
{
    eventfd_t count;
    struct ask *ask;

    eventfd_read(acker->event_fd, &count);      /* only quiets it: the list tells */
    pthread_mutex_lock(&acker->lock);
    ask = find(acker, ASK_DONE);
    if (ask) {
        unlink_ask(acker, ask);
        strcpy(incarnation, ask->incarnation);
    }
    pthread_mutex_unlock(&acker->lock);
    free(ask);
    return ask != NULL;
}

void acker_free(struct acker *acker)
{
    pthread_mutex_lock(&acker->lock);
    acker->stop = true;
    pthread_cond_signal(&acker->wanted);
    pthread_mutex_unlock(&acker->lock);
    pthread_join(acker->thread, NULL);
    while (acker->asks) {
        struct ask *ask = acker->asks;

        acker->asks = ask->next;
        free(ask);
    }
    rpc_client_free(acker->client);
    close(acker->event_fd);
    free(acker);
}
