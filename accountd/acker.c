/* Two lists of requests, one thread that works them off: words on instances,
 * many in one call, and tombstones. */
#include "accountd/acker.h"
#include "common/log.h"
#include "common/rpc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REQUEST_MS 2000
#define WORDS_MAX  256                  /* in one call */

const char *const acker_want_names[ACKER_WANTS] = { "run", "suspend", "stop", "delete" };

enum ask_state { ASK_WANTED, ASK_ASKED, ASK_FAILED, ASK_DONE };

struct ask {
    struct ask *next;
    unsigned slot;
    char incarnation[RECORD_HEX_BYTES];
    enum ask_state state;
    bool told;                          /* its failure has been logged; the thread's own */
};

struct word {
    struct word *next;
    char instance[RECORD_NAME_BYTES];
    enum acker_want want;
    bool by_operator;
    enum ask_state state;
};

struct acker {
    pthread_t thread;
    struct rpc_client *client;          /* the thread's own */
    bool told;                          /* that words are not taken; the thread's own */
    int event_fd;
    pthread_mutex_t lock;               /* protects what follows; held for no I/O */
    pthread_cond_t wanted;
    struct ask *asks;
    struct word *words;
    bool stop;
};

static struct ask *find_ask(struct acker *acker, enum ask_state state)
{
    for (struct ask *ask = acker->asks; ask; ask = ask->next)
        if (ask->state == state)
            return ask;
    return NULL;
}

static struct word *find_word(struct acker *acker, enum ask_state state)
{
    for (struct word *word = acker->words; word; word = word->next)
        if (word->state == state)
            return word;
    return NULL;
}

static struct word *word_of(struct acker *acker, const char *instance)
{
    for (struct word *word = acker->words; word; word = word->next)
        if (strcmp(word->instance, instance) == 0)
            return word;
    return NULL;
}

/* 0: hv has freed it. */
static int request(struct acker *acker, struct ask *ask)
{
    json_t *error, *args = json_pack("{s:I, s:s}", "slot", (json_int_t)ask->slot, "incarnation", ask->incarnation);
    json_t *ok = rpc_call_sync(acker->client, "tombstone_ack", args, REQUEST_MS, &error);

    if (!ok && !ask->told)
        log_warnx("slot %u: incarnation %s: not freed, will ask again: %s: %s", ask->slot, ask->incarnation,
                  json_text(error, "code"), json_text(error, "detail"));
    ask->told = !ok;
    json_decref(error);
    json_decref(ok);
    return ask->told ? -1 : 0;
}

static void work_off_ask(struct acker *acker, struct ask *ask)
{
    int rc;

    /* Only acker_done frees an ask, and only a done one: this one stays. */
    pthread_mutex_unlock(&acker->lock);
    rc = request(acker, ask);
    pthread_mutex_lock(&acker->lock);
    ask->state = rc ? ASK_FAILED : ASK_DONE;
    if (rc == 0)
        eventfd_write(acker->event_fd, 1);
}

/* The ids of all words of this kind that wait; they are asked from now on. */
static json_t *take_words(struct acker *acker, enum acker_want want, bool by_operator)
{
    json_t *ids = json_array();

    for (struct word *word = acker->words; word && json_array_size(ids) < WORDS_MAX; word = word->next)
        if (word->state == ASK_WANTED && word->want == want && word->by_operator == by_operator) {
            json_array_append_new(ids, json_string(word->instance));
            word->state = ASK_ASKED;
        }
    return ids;
}

/* The answer, or NULL: an object {instances:[...]}. */
static json_t *request_words(struct acker *acker, enum acker_want want, bool by_operator, const json_t *ids)
{
    json_t *error, *args = json_pack("{s:s, s:O, s:s}", "want", acker_want_names[want], "instance_ids", ids, "by",
                                     by_operator ? "operator" : "money");
    json_t *ok = rpc_call_sync(acker->client, "billing_want", args, REQUEST_MS, &error);

    if (!ok && !acker->told)
        log_warnx("%zu instances: the provisioner does not %s them, will ask again: %s", json_array_size(ids),
                  acker_want_names[want], json_text(error, "detail"));
    acker->told = !ok;
    json_decref(error);
    return ok;
}

/* What is not done, and what the answer does not name, is asked for again. */
static void take_answer(struct acker *acker, enum acker_want want, const json_t *ids, const json_t *ok)
{
    const json_t *answers = json_object_get(ok, "instances"), *id, *answer;
    struct word *word;
    size_t n;

    json_array_foreach(answers, n, answer) {
        word = word_of(acker, json_text(answer, "instance_id"));
        if (word && word->state == ASK_ASKED && word->want == want && json_is_true(json_object_get(answer, "done")))
            word->state = ASK_DONE;
    }
    json_array_foreach(ids, n, id) {
        word = word_of(acker, json_string_value(id));
        if (word && word->state == ASK_ASKED && word->want == want)
            word->state = ASK_FAILED;
    }
    eventfd_write(acker->event_fd, 1);
}

static void work_off_words(struct acker *acker, enum acker_want want, bool by_operator)
{
    json_t *ids = take_words(acker, want, by_operator), *ok;

    pthread_mutex_unlock(&acker->lock);
    ok = request_words(acker, want, by_operator, ids);
    pthread_mutex_lock(&acker->lock);
    take_answer(acker, want, ids, ok);
    json_decref(ids);
    json_decref(ok);
}

static void *work(void *arg)
{
    struct acker *acker = arg;

    pthread_mutex_lock(&acker->lock);
    while (!acker->stop) {
        struct word *word = find_word(acker, ASK_WANTED);
        struct ask *ask = word ? NULL : find_ask(acker, ASK_WANTED);

        if (word)
            work_off_words(acker, word->want, word->by_operator);
        else if (ask)
            work_off_ask(acker, ask);
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

bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES])
{
    struct ask **at, *ask;
    eventfd_t count;

    eventfd_read(acker->event_fd, &count);      /* only quiets it: the list tells */
    pthread_mutex_lock(&acker->lock);
    for (at = &acker->asks; *at && (*at)->state != ASK_DONE;)
        at = &(*at)->next;
    ask = *at;
    if (ask) {
        *at = ask->next;
        strcpy(incarnation, ask->incarnation);
    }
    pthread_mutex_unlock(&acker->lock);
    free(ask);
    return ask != NULL;
}

void acker_want(struct acker *acker, const char *instance, enum acker_want want, bool by_operator)
{
    struct word *word;

    pthread_mutex_lock(&acker->lock);
    word = word_of(acker, instance);
    if (!word && (word = calloc(1, sizeof(*word)))) {
        snprintf(word->instance, sizeof(word->instance), "%s", instance);
        word->want = want;
        word->by_operator = by_operator;
        word->next = acker->words;
        acker->words = word;
    }
    /* One that came and was not fetched yet needs no second asking. */
    if (word && (word->want != want || word->by_operator != by_operator || word->state == ASK_FAILED)) {
        word->want = want;
        word->by_operator = by_operator;
        word->state = ASK_WANTED;
    }
    pthread_cond_signal(&acker->wanted);
    pthread_mutex_unlock(&acker->lock);
}

bool acker_came(struct acker *acker, char instance[static RECORD_NAME_BYTES], enum acker_want *want)
{
    struct word **at, *word;
    eventfd_t count;

    eventfd_read(acker->event_fd, &count);
    pthread_mutex_lock(&acker->lock);
    for (at = &acker->words; *at && (*at)->state != ASK_DONE;)
        at = &(*at)->next;
    word = *at;
    if (word) {
        *at = word->next;
        strcpy(instance, word->instance);
        *want = word->want;
    }
    pthread_mutex_unlock(&acker->lock);
    free(word);
    return word != NULL;
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
    while (acker->words) {
        struct word *word = acker->words;

        acker->words = word->next;
        free(word);
    }
    rpc_client_free(acker->client);
    close(acker->event_fd);
    free(acker);
}
