/* A list of tombstones, one thread that works it off. What could not be asked
 * is asked again: at the next acker_ask, which comes with each sample. */
#include "accountd/acker.h"
#include "common/log.h"
#include "common/rpc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REQUEST_MS 2000

enum ask_state { ASK_WANTED, ASK_FAILED, ASK_DONE };

struct ask {
    struct ask *next;
    unsigned slot;
    char incarnation[RECORD_HEX_BYTES];
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

static void *work(void *arg)
{
    struct acker *acker = arg;

    pthread_mutex_lock(&acker->lock);
    while (!acker->stop) {
        struct ask *ask = find(acker, ASK_WANTED);
        int rc;

        if (!ask) {
            pthread_cond_wait(&acker->wanted, &acker->lock);
            continue;
        }
        /* Only acker_done frees an ask, and only a done one: this one stays. */
        pthread_mutex_unlock(&acker->lock);
        rc = request(acker, ask);
        pthread_mutex_lock(&acker->lock);
        ask->state = rc ? ASK_FAILED : ASK_DONE;
        if (rc == 0)
            eventfd_write(acker->event_fd, 1);
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

bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES])
{
    eventfd_t count;
    struct ask *ask;

    eventfd_read(acker->event_fd, &count);      /* only quiets it: the list tells */
    pthread_mutex_lock(&acker->lock);
    ask = find(acker, ASK_DONE);
    if (ask) {
        struct ask **at = &acker->asks;

        while (*at != ask)
            at = &(*at)->next;
        *at = ask->next;
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
