/* What was used, live and as records, and what the guest said on its console. */
#include "api/api.h"
#include "api/instances.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdio.h>
#include <string.h>

#define RECORDS_MAX 1000
#define CONSOLE_BYTES_MAX 131072

enum answer usage_show(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "usage", relay_args(rq), "instances", "instance_id");
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
        rp->json = relay_view(rq, entry, "instance_id");
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

/* "meter", "instance", "day", or several of them with commas between. */
static bool by_valid(const char *text)
{
    static const char *const words[] = {"meter", "instance", "day"};
    unsigned seen = 0;

    for (;;) {
        size_t len = strcspn(text, ",");
        unsigned bit = 0;

        for (unsigned i = 0; i < 3; i++)
            if (strlen(words[i]) == len && strncmp(words[i], text, len) == 0)
                bit = 1u << i;
        if (!bit || seen & bit)
            return false;
        seen |= bit;
        if (!text[len])
            return true;
        text += len + 1;
    }
}

/* The days asked for; by default this month until today. */
static enum answer summary_read(struct request *rq, struct reply *rp, json_t *args)
{
    static const char must[] = "must be a day such as 2026-11-30";
    const char *from, *to, *by;
    char today[TIME_BYTES], first[TIME_BYTES];
    enum answer answer = request_query_text(rq, rp, "from", day_valid, must, &from);

    if (answer == ANSWER_OK)
        answer = request_query_text(rq, rp, "to", day_valid, must, &to);
    if (answer == ANSWER_OK)
        answer = request_query_text(rq, rp, "by", by_valid,
                                    "must be meter, instance or day, or some of them with commas", &by);
    if (answer != ANSWER_OK)
        return answer;
    time_print(rq->now_ms, today)[10] = 0;
    snprintf(first, sizeof(first), "%.8s01", today);
    to = to ? to : today;
    from = from ? from : strcmp(first, to) <= 0 ? first : to;
    if (strcmp(from, to) > 0)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "from: %s is after to, %s", from, to);
    json_object_set_new(args, "from_day", json_string(from));
    json_object_set_new(args, "to_day", json_string(to));
    json_object_set_new(args, "by", json_string(by ? by : "meter"));
    return ANSWER_OK;
}

enum answer usage_summary(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq);
    enum answer answer = summary_read(rq, rp, args);

    if (answer == ANSWER_OK)
        return relay_list(rq, rp, "usage_summary", args, "rows", NULL);
    json_decref(args);
    return answer;
}

/* Leaves are shown as they were hashed, with what proves that the log has them. */
enum answer usage_records_list(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    const char *id = request_query(rq, "instance_id");
    json_t *args;
    enum answer answer;

    if (!id)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "instance_id: say whose records");
    answer = instance_find(rq, rp, id, &row);
    if (answer != ANSWER_OK)
        return answer;
    args = args_own(rq, &row);
    json_object_set_new(args, "proofs", json_true());
    return relay_list(rq, rp, "records", args, "records", NULL);
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
