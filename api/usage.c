/* What was used, live and as records, and what the guest said on its console. */
#include "api/api.h"
#include "api/instances.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <string.h>

#define RECORDS_MAX 1000
#define CONSOLE_BYTES_MAX 131072

static json_t *usage_view(const json_t *entry)
{
    return present_thing(entry, "instance_id");
}

enum answer usage_show(struct request *rq, struct reply *rp)
{
    return upstream_list(rq, rp, DAEMON_ACCOUNTD, "usage", "instances", usage_view);
}

static json_t *args_own(const struct request *rq, const struct instance_row *row)
{
    return json_pack("{s:s, s:s}", "account_id", rq->who.account_id, "instance_id", row->instance_id);
}

enum answer instance_usage_show(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    json_t *ok = NULL, *entry;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "usage", args_own(rq, &row), &ok);
    if (answer == ANSWER_NOT_FOUND)
        return reply_fail(rp, ANSWER_CONFLICT, "nothing has been metered yet: the instance has not run");
    if (answer != ANSWER_OK)
        return answer;
    entry = json_array_get(json_object_get(ok, "instances"), 0);
    if (entry)
        rp->json = usage_view(entry);
    else
        answer = reply_fail(rp, ANSWER_CONFLICT, "nothing has been metered yet: the instance has not run");
    json_decref(ok);
    return answer;
}

/* The leaves exactly as they were hashed: nothing in them may be rewritten. */
enum answer records_list(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    int64_t after, limit;
    json_t *ok = NULL, *args;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = request_query_int(rq, rp, "after", 0, INT64_C(1) << 52, -1, &after);
    if (answer == ANSWER_OK)
        answer = request_query_int(rq, rp, "limit", 1, RECORDS_MAX, 100, &limit);
    if (answer != ANSWER_OK)
        return answer;
    args = args_own(rq, &row);
    json_object_set_new(args, "limit", json_integer(limit));
    if (after >= 0)
        json_object_set_new(args, "after", json_integer(after));
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "records", args, &ok);
    if (answer == ANSWER_OK)
        rp->json = json_pack("{s:O?, s:O?}", "data", json_object_get(ok, "records"), "next_cursor",
                             json_object_get(ok, "next"));
    json_decref(ok);
    return answer;
}

enum answer console_log_show(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    int64_t offset, limit;
    json_t *ok = NULL, *args;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = request_query_int(rq, rp, "offset", 0, INT64_C(1) << 52, -1, &offset);
    if (answer == ANSWER_OK)
        answer = request_query_int(rq, rp, "limit", 1, CONSOLE_BYTES_MAX, 65536, &limit);
    if (answer != ANSWER_OK)
        return answer;
    args = json_pack("{s:s, s:I}", "instance_id", row.instance_id, "limit", (json_int_t)limit);
    if (offset >= 0)
        json_object_set_new(args, "offset", json_integer(offset));
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "console_log", args, &ok);
    if (answer == ANSWER_OK)
        rp->json = json_pack("{s:O?, s:O?, s:O?}", "text", json_object_get(ok, "text"), "offset",
                             json_object_get(ok, "offset"), "size", json_object_get(ok, "size"));
    json_decref(ok);
    return answer;
}
