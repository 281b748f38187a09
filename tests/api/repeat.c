#include "tests/api/repeat.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 40

struct crowd {
    struct rig *rig;
    const struct call *call;
    int status;
    pthread_barrier_t start;

    pthread_mutex_t lock;               /* of what follows */
    struct repeated sum;
    char id[40];
};

static void note(struct crowd *crowd, const struct response *answer)
{
    const char *id = answer_text_of(answer, "id");
    struct repeated *sum = &crowd->sum;

    pthread_mutex_lock(&crowd->lock);
    if (answer->status == crowd->status) {
        sum->done++;
        if (!crowd->id[0])
            snprintf(crowd->id, sizeof(crowd->id), "%s", id);
        sum->same &= !*id || strcmp(crowd->id, id) == 0;
    } else if (json_is_true(json_object_get(answer->json, "retryable"))) {
        sum->again++;
    } else {
        sum->other++;
        snprintf(sum->odd, sizeof(sum->odd), "%d %.280s", answer->status, answer->text ? answer->text : "");
    }
    pthread_mutex_unlock(&crowd->lock);
}

static void *send(void *arg)
{
    struct crowd *crowd = arg;

    pthread_barrier_wait(&crowd->start);
    for (int sent = 0; sent < REPEATS / THREADS; sent++) {
        struct response answer = rig_call(crowd->rig, crowd->call);

        note(crowd, &answer);
        answer_free(&answer);
    }
    return NULL;
}

struct repeated repeat(struct rig *rig, const struct call *call, int status)
{
    struct crowd crowd = { .rig = rig, .call = call, .status = status, .sum.same = true };
    pthread_t threads[THREADS];

    pthread_barrier_init(&crowd.start, NULL, THREADS);
    pthread_mutex_init(&crowd.lock, NULL);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, send, &crowd) != 0)
            tap_bail("pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&crowd.start);
    pthread_mutex_destroy(&crowd.lock);
    return crowd.sum;
}

void ok_repeated(const struct repeated *repeated, const char *what)
{
    if (!ok(repeated->other == 0 && repeated->same && repeated->done > 0,
            "%s: a thousand duplicates have one answer (%d), or are asked to come again (%d)", what, repeated->done,
            repeated->again))
        printf("# %d others, as %s\n", repeated->other, repeated->odd);
}
