#include "tests/accountd/provider.h"
#include "common/json.h"
#include "common/rpc.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct told {
    char instance[RECORD_NAME_BYTES];
    enum acker_want want;
    bool by_operator;
    unsigned askings;
};

struct provider {
    char socket[128];
    struct rpc_server *server;
    pthread_t thread;
    int stop[2];                        /* a pipe: closing it ends the thread */
    pthread_mutex_t lock;
    bool down;
    unsigned slow, calls, count;
    struct told told[PROVIDER_INSTANCES];
};

static struct provider *self;           /* rpc handlers carry no pointer */

static enum acker_want want_of(const char *text)
{
    enum acker_want want = ACKER_RUN;

    while (want < ACKER_WANTS && strcmp(acker_want_names[want], text) != 0)
        want++;
    return want;
}

static struct told *told_of(const char *instance)
{
    for (unsigned n = 0; n < self->count; n++)
        if (strcmp(self->told[n].instance, instance) == 0)
            return &self->told[n];
    if (self->count == PROVIDER_INSTANCES)
        abort();
    snprintf(self->told[self->count].instance, RECORD_NAME_BYTES, "%s", instance);
    self->told[self->count].want = ACKER_WANTS;
    return &self->told[self->count++];
}

static bool take(const char *instance, enum acker_want want, bool by_operator)
{
    struct told *told = told_of(instance);

    told->askings = told->want == want ? told->askings + 1 : 1;
    told->want = want;
    told->by_operator = by_operator;
    return want == ACKER_RUN || want == ACKER_SUSPEND || told->askings > self->slow;
}

static int billing_want(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *want = json_string_value(json_object_get(args, "want"));
    json_t *answers, *id;
    size_t n;
    bool down;

    pthread_mutex_lock(&self->lock);
    self->calls++;
    down = self->down || !want || want_of(want) == ACKER_WANTS;
    answers = json_array();
    json_array_foreach(json_object_get(args, "instance_ids"), n, id)
        if (!down)
            json_array_append_new(answers, json_pack("{s:O, s:b}", "instance_id", id, "done",
                                                     (int)take(json_string_value(id), want_of(want),
                                                               strcmp(json_text(args, "by"), "operator") == 0)));
    pthread_mutex_unlock(&self->lock);
    if (down) {
        json_decref(answers);
        return rpc_fail(call, "unavailable", "not now");
    }
    *result = json_pack("{s:o}", "instances", answers);
    return 0;
}

static const struct rpc_verb verbs[] = {
    { "billing_want", billing_want, RPC_ROOT | RPC_ACCOUNTD },
    { NULL, NULL, 0 },
};

static void *play(void *arg)
{
    struct provider *p = arg;
    struct pollfd on[] = {{.fd = rpc_server_fd(p->server), .events = POLLIN}, {.fd = p->stop[0], .events = POLLIN}};

    while (poll(on, 2, -1) > 0 && !on[1].revents)
        rpc_server_run(p->server);
    return NULL;
}

struct provider *provider_new(const char *dir)
{
    self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    snprintf(self->socket, sizeof(self->socket), "%s/provisioner.sock", dir);
    self->server = rpc_server_new(self->socket, 0600, verbs);
    pthread_mutex_init(&self->lock, NULL);
    if (!self->server || pipe(self->stop) != 0 || pthread_create(&self->thread, NULL, play, self) != 0)
        abort();
    return self;
}

void provider_free(struct provider *p)
{
    close(p->stop[1]);
    pthread_join(p->thread, NULL);
    close(p->stop[0]);
    rpc_server_free(p->server);
    free(p);
}

const char *provider_socket(const struct provider *p)
{
    return p->socket;
}

void provider_down(struct provider *p, bool down)
{
    pthread_mutex_lock(&p->lock);
    p->down = down;
    pthread_mutex_unlock(&p->lock);
}

void provider_slow(struct provider *p, unsigned askings)
{
    pthread_mutex_lock(&p->lock);
    p->slow = askings;
    pthread_mutex_unlock(&p->lock);
}

enum acker_want provider_told(struct provider *p, const char *instance)
{
    enum acker_want want;

    pthread_mutex_lock(&p->lock);
    want = told_of(instance)->want;
    pthread_mutex_unlock(&p->lock);
    return want;
}

bool provider_operator(struct provider *p, const char *instance)
{
    bool by_operator;

    pthread_mutex_lock(&p->lock);
    by_operator = told_of(instance)->by_operator;
    pthread_mutex_unlock(&p->lock);
    return by_operator;
}

unsigned provider_calls(struct provider *p)
{
    unsigned calls;

    pthread_mutex_lock(&p->lock);
    calls = p->calls;
    pthread_mutex_unlock(&p->lock);
    return calls;
}
