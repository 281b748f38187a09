/* The verb for who follows instances and jobs (control.h). */
#include "provisioner/verbs.h"

#define CHANGES_MAX 200

static int change_append(void *list, const struct change *c)
{
    json_t *row = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "number", (json_int_t)c->number, "at_ms",
                            (json_int_t)c->at_ms, "instance_id", c->instance_id, "account_id", c->account_id, "name",
                            c->name, "state", c->state, "code", c->code, "detail", c->detail);

    if (*c->subject_id)
        json_object_set_new(row, "subject_id", json_string(c->subject_id));
    if (*c->job_id) {
        json_object_set_new(row, "job_id", json_string(c->job_id));
        json_object_set_new(row, "type", json_string(c->type));
    }
    return json_array_append_new(list, row);
}

json_t *changes_json(int64_t after, int64_t limit)
{
    json_t *list = json_array();
    int64_t newest;

    if (!store_change_newest(serve.store, &newest) && !store_changes(serve.store, after, limit, change_append, list))
        return json_pack("{s:o, s:I}", "changes", list, "newest", (json_int_t)newest);
    json_decref(list);
    return NULL;
}

bool changes_there(int64_t after)
{
    int64_t newest;

    /* A follower who has come further than we have (our database is an older one) has to learn that, too. */
    return store_change_newest(serve.store, &newest) || newest != after;
}

int changes_get(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after, limit = CHANGES_MAX, wait_ms = 0;
    struct json_why why;
    json_t *answer;

    if (keys_check(call, args, "after limit wait_ms"))
        return -1;
    if (json_arg_int(args, "after", 0, INT64_MAX - 1, &after, &why) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, CHANGES_MAX, &limit, &why)) ||
        (json_has(args, "wait_ms") && json_arg_int(args, "wait_ms", 0, WAIT_MS_MAX, &wait_ms, &why)))
        return bad(call, &why);
    if (wait_ms && !changes_there(after))
        return waiter_add(call, &(struct waiter){ .after = after, .limit = limit }, wait_ms);
    answer = changes_json(after, limit);
    return answer ? finish_or_fail(call, answer, result) : store_failed(call);
}
