/* What the daemons tell who follows them: the provisioner's changes, the newest alert and invoice of accountd. In real
 * time: what is old is no event. */
#include "common/clock.h"
#include "tests/api/standin_inside.h"

#include <stdlib.h>
#include <string.h>

struct wait {
    struct wait *next;
    struct rpc_call *call;
    json_t *args;
    json_t *(*answer)(const json_t *args, bool over);   /* NULL: not yet */
    int64_t until_ms;
};

static json_t *changes, *deposits;
static struct wait *waits;

void changes_start(void)
{
    changes = json_array();
    deposits = json_array();
}

void change_add(const json_t *instance, const json_t *job, const char *state)
{
    const json_t *error = json_object_get(job, "error");
    json_t *change = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "number",
                               (json_int_t)json_array_size(changes) + 1, "at_ms", (json_int_t)clock_unix_ms(), "instance_id",
                               text(instance, "instance_id"), "account_id", text(instance, "account_id"), "name",
                               text(instance, "name"), "state", state, "code", text(error, "code"), "detail",
                               text(error, "detail"));

    if (job) {
        json_object_set(change, "job_id", json_object_get(job, "job_id"));
        json_object_set(change, "type", json_object_get(job, "type"));
    }
    json_array_append_new(changes, change);
}

void change_add_of(const json_t *thing, const char *id_name, const char *name, const char *state)
{
    json_array_append_new(changes, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number",
                                             (json_int_t)json_array_size(changes) + 1, "at_ms", (json_int_t)clock_unix_ms(),
                                             "instance_id", text(thing, "instance_id"), "account_id", text(thing, "account_id"),
                                             "name", name, "state", state, "code", "", "detail", "", "subject_id",
                                             text(thing, id_name)));
}

static json_t *changes_answer(const json_t *args, bool over)
{
    size_t after = (size_t)json_integer_value(json_object_get(args, "after")), count = json_array_size(changes);
    size_t limit = (size_t)json_integer_value(json_object_get(args, "limit"));
    json_t *list;

    if (after == count && !over)
        return NULL;
    list = json_array();
    for (size_t i = after; i < count && i < after + limit; i++)
        json_array_append(list, json_array_get(changes, i));
    return json_pack("{s:o, s:I}", "changes", list, "newest", (json_int_t)count);
}

void deposit_add(const json_t *deposit)
{
    json_t *row = json_deep_copy(deposit);

    json_object_set_new(row, "number", json_integer((json_int_t)json_array_size(deposits) + 1));
    json_object_set_new(row, "at_ms", json_integer(clock_unix_ms()));
    json_array_append_new(deposits, row);
}

int stand_deposits(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = page_of(deposits, args, "deposits");
    return 0;
}

static json_t *news_answer(const json_t *args, bool over)
{
    json_t *now = json_pack("{s:I, s:I, s:I}", "alert", (json_int_t)alerts_count(), "invoice", (json_int_t)invoices_count(),
                            "deposit", (json_int_t)json_array_size(deposits));

    if (over || !json_equal(json_object_get(now, "alert"), json_object_get(args, "alert")) ||
        !json_equal(json_object_get(now, "invoice"), json_object_get(args, "invoice")) ||
        !json_equal(json_object_get(now, "deposit"), json_object_get(args, "deposit")))
        return now;
    json_decref(now);
    return NULL;
}

static int answer_or_wait(struct rpc_call *call, json_t *args, json_t **result,
                          json_t *(*answer)(const json_t *args, bool over))
{
    int64_t wait_ms = json_integer_value(json_object_get(args, "wait_ms"));
    struct wait *wait;

    *result = answer(args, wait_ms == 0);
    if (*result)
        return 0;
    wait = calloc(1, sizeof(*wait));
    *wait = (struct wait){ .next = waits, .call = rpc_defer(call), .args = json_incref(args), .answer = answer,
                           .until_ms = clock_monotonic_ms() + wait_ms };
    waits = wait;
    return 0;
}

int stand_changes(struct rpc_call *call, json_t *args, json_t **result)
{
    return answer_or_wait(call, args, result, changes_answer);
}

int stand_news(struct rpc_call *call, json_t *args, json_t **result)
{
    return answer_or_wait(call, args, result, news_answer);
}

int changes_waits_run(void)
{
    int64_t now = clock_monotonic_ms(), next = -1;

    for (struct wait **at = &waits; *at;) {
        struct wait *wait = *at;
        json_t *answer = wait->answer(wait->args, wait->until_ms <= now);

        if (!answer) {
            if (next < 0 || wait->until_ms - now < next)
                next = wait->until_ms - now;
            at = &wait->next;
            continue;
        }
        rpc_finish(wait->call, answer, NULL, NULL);
        *at = wait->next;
        json_decref(wait->args);
        free(wait);
    }
    return (int)next;
}
