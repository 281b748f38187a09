/* Money from the bank: statements (ISO 20022 camt.053), and what of them no account was found for. */
#include "api/fields.h"
#include "api/relay.h"
#include "api/resources.h"

#include <string.h>

enum answer bank_import_create(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {
        .prefix = "imp_", .verb = "bank_import", .id_arg = "import_id", .id_name = "import_id"};
    json_t *args = relay_operator_args(rq), *text = json_stringn(rq->body, rq->body_size);

    if (!text) {
        json_decref(args);
        return reply_fail(rp, ANSWER_MALFORMED, "the statement is not UTF-8 text");
    }
    json_object_set_new(args, "camt053", text);
    return relay_make(rq, rp, &making, args);
}

static bool state_valid(const char *text)
{
    static const char *const states[] = {"credited", "suspense", "ignored", "assigned", "returned"};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(states[i], text) == 0)
            return true;
    return false;
}

enum answer bank_entries_list(struct request *rq, struct reply *rp)
{
    const char *state;
    json_t *args = json_object();
    enum answer answer = request_query_text(rq, rp, "state", state_valid,
                                            "must be credited, suspense, ignored, assigned or returned", &state);

    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    if (state)
        json_object_set_new(args, "state", json_string(state));
    return relay_list(rq, rp, "bank_entries", args, "entries", "entry_id");
}

/* What ends an entry in suspense: `field` of the body, of at most `max` bytes, as argument `arg`. */
static enum answer entry_end(struct request *rq, struct reply *rp, const char *verb, const char *field, const char *arg,
                             size_t max)
{
    const struct relay_making making = {.prefix = "trf_", .verb = verb, .id_arg = "transfer_id", .id_name = "entry_id"};
    json_t *args = relay_operator_args(rq);
    const char *text = "";
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    if (fields_text(&fields, field, max, &text) && strcmp(arg, "account_id") == 0 && !id_valid("acc_", text))
        fields_error(&fields, field, "unknown", "there is no customer %s", text);
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK)
        answer = relay_param(rq, rp, NULL, "entry_id", args);
    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    json_object_set_new(args, arg, json_string(text));
    return relay_make(rq, rp, &making, args);
}

enum answer bank_entry_assign(struct request *rq, struct reply *rp)
{
    return entry_end(rq, rp, "bank_assign", "customer_id", "account_id", ID_BYTES - 1);
}

enum answer bank_entry_return(struct request *rq, struct reply *rp)
{
    return entry_end(rq, rp, "bank_return", "reason", "reason", 200);
}
