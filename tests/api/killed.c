/* kill -9 while customers work: the api is killed again and again in the
 * middle of making calls, and the callers do what xs does, try again with the
 * same Idempotency-Key. In the end each call has had exactly one effect, and
 * what was acknowledged is there. KILLED_ROUNDS asks for more than 25. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLERS 4
#define CALLS_MAX 4000

static struct rig rig;
static char key[64], account[40];
static atomic_bool stopping;
static atomic_int tries, unexpected;

struct caller {
    pthread_t thread;
    int number;
    int made;
    char ids[CALLS_MAX][40];
};

static void pause_ms(long milliseconds)
{
    struct timespec pause = { .tv_nsec = milliseconds * 1000000L };

    nanosleep(&pause, NULL);
}

/* One call, tried until it is answered for good. */
static void call_insist(struct caller *caller)
{
    char idem[40];
    bool instance = caller->made % 2 == 0;
    struct response answer;

    snprintf(idem, sizeof(idem), "k-%d-%d", caller->number, caller->made);
    for (;;) {
        answer = rig_post(&rig, key, instance ? "/v1/instances" : "/v1/invoices", idem,
                          instance ? "{\"name\":\"k\",\"image\":\"tiny\",\"flavor\":\"xs1\"}" : NULL);
        tries++;
        if (answer.status == (instance ? 202 : 201))
            break;
        if (answer.status != 0 && !json_is_true(json_object_get(answer.json, "retryable"))) {
            unexpected++;
            printf("# %d %s\n", answer.status, answer.text);
        }
        answer_free(&answer);
        pause_ms(5);
    }
    snprintf(caller->ids[caller->made++], 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void *caller_run(void *arg)
{
    struct caller *caller = arg;

    while (!stopping && caller->made < CALLS_MAX)
        call_insist(caller);
    return NULL;
}

/* The ids in all pages of a list, as an array. Not every list has pages, so the first is asked for without `after`. */
static json_t *ids_of(const char *path)
{
    json_t *ids = json_array(), *next = json_integer(0), *row;
    struct response answer;
    char page[80];
    size_t i;

    while (json_is_integer(next)) {
        snprintf(page, sizeof(page), "%s?after=%d", path, (int)json_integer_value(next));
        answer = rig_get(&rig, key, json_integer_value(next) ? page : path);
        json_array_foreach(json_object_get(answer.json, "data"), i, row)
            json_array_append(ids, json_object_get(row, "id"));
        json_decref(next);
        next = json_incref(json_object_get(answer.json, "next_cursor"));
        answer_free(&answer);
    }
    json_decref(next);
    return ids;
}

static bool is_among(const json_t *ids, const char *id)
{
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
            return true;
    return false;
}

/* Which of the ids the account's lists do not show. */
static int missing_of(const struct caller *caller, const json_t *instances, const json_t *invoices)
{
    int missing = 0;

    for (int i = 0; i < caller->made; i++)
        missing += !is_among(i % 2 == 0 ? instances : invoices, caller->ids[i]);
    return missing;
}

int main(void)
{
    static struct caller callers[CALLERS];
    const char *rounds_text = getenv("KILLED_ROUNDS");
    int rounds = rounds_text ? atoi(rounds_text) : 25, made = 0, missing = 0, wanted[2] = { 0, 0 };
    json_t *instances, *invoices;

    rig_start(&rig);
    rig_port_keep(&rig); /* so that callers find the next one */
    rig_config_set(&rig, "limits.instances_per_account", "10000");
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    rig_customer(&rig, "main", key, account);
    for (int i = 0; i < CALLERS; i++) {
        callers[i].number = i;
        pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]);
    }
    for (int i = 0; i < rounds; i++) {
        pause_ms(20 + (i * 37) % 90);
        rig_api_stop(&rig, SIGKILL);
        rig_api_start(&rig);
    }
    stopping = true;
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        made += callers[i].made;
        wanted[0] += (callers[i].made + 1) / 2;
        wanted[1] += callers[i].made / 2;
    }
    ok(made > rounds && tries > made, "%d calls ended well over %d kills, in %d tries", made, rounds, tries);
    ok_int(unexpected, 0, "no try was refused for good");
    ok_int(rig_count(&rig, "provisioner", "instance_create"), wanted[0], "each instance was made once");
    ok_int(rig_count(&rig, "accountd", "invoice_create"), wanted[1], "each invoice was made once");
    instances = ids_of("/v1/instances");
    invoices = ids_of("/v1/invoices");
    for (int i = 0; i < CALLERS; i++)
        missing += missing_of(&callers[i], instances, invoices);
    ok_int(missing, 0, "all that was acknowledged is there");
    ok_int((long long)json_array_size(instances), wanted[0], "and no other instance");
    ok_int((long long)json_array_size(invoices), wanted[1], "nor invoice");
    json_decref(instances);
    json_decref(invoices);
    rig_end(&rig);
    return tap_end();
}
