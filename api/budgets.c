/* Budgets, which tell and never stop, and the alerts of an account. */
#include "api/fields.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <string.h>

#define STEPS_MAX 8

/* Body integers are doubles (fields.h): accountd wants whole numbers. */
static json_t *steps_json(const json_t *steps)
{
    json_t *list, *step;
    size_t i;

    if (!steps)
        return json_pack("[i, i, i]", 50, 80, 100);
    list = json_array();
    json_array_foreach((json_t *)steps, i, step)
        json_array_append_new(list, json_integer((json_int_t)json_number_value(step)));
    return list;
}

enum answer budget_create(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {
        .prefix = "bud_", .verb = "budget_set", .id_arg = "budget_id", .id_name = "budget_id", .echo = true};
    int64_t amount_nano = 0;
    const json_t *steps = NULL;
    struct fields fields;
    json_t *args;

    fields_start(&fields, rq->json);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    if (fields_has(&fields, "steps") && fields_integers(&fields, "steps", STEPS_MAX, 1, 1000, &steps) &&
        json_array_size(steps) == 0)
        fields_error(&fields, "steps", "empty", "must have at least one step, in percent");
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    args = relay_args(rq);
    json_object_set_new(args, "amount_nano", json_decimal(amount_nano));
    json_object_set_new(args, "steps", steps_json(steps));
    return relay_make(rq, rp, &making, args);
}

enum answer budgets_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "budgets", relay_args(rq), "budgets", "budget_id");
}

/* Whether {id} is a budget of the caller's. */
static enum answer budget_own(struct request *rq, struct reply *rp)
{
    json_t *ok, *each;
    bool found = false;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "budgets", relay_args(rq), &ok);

    if (answer != ANSWER_OK)
        return answer;
    json_array_foreach(json_object_get(ok, "budgets"), i, each)
        found |= strcmp(json_text(each, "budget_id"), rq->param) == 0;
    json_decref(ok);
    return found ? ANSWER_OK : reply_fail(rp, ANSWER_NOT_FOUND, "no such budget");
}

/* A budget of nothing is none. */
enum answer budget_delete(struct request *rq, struct reply *rp)
{
    enum answer answer = budget_own(rq, rp);
    json_t *args, *ok;

    if (answer != ANSWER_OK)
        return answer;
    args = relay_args(rq);
    json_object_set_new(args, "budget_id", json_string(rq->param));
    json_object_set_new(args, "amount_nano", json_string("0"));
    json_object_set_new(args, "steps", steps_json(NULL));
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "budget_set", args, &ok);
    if (answer != ANSWER_OK)
        return answer;
    json_decref(ok);
    return ANSWER_NO_CONTENT;
}

static bool flag_valid(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

enum answer alerts_list(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq);
    const char *standing;
    enum answer answer = request_query_text(rq, rp, "standing", flag_valid, "must be true or false", &standing);

    if (answer == ANSWER_OK) {
        json_object_set_new(args, "standing", json_boolean(standing && strcmp(standing, "true") == 0));
        return relay_list(rq, rp, "alerts", args, "alerts", NULL);
    }
    json_decref(args);
    return answer;
}
