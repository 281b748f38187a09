/* Disputes: a customer says what is wrong with an invoice, or with one of its lines; an operator answers. */
#include "api/credit_lines.h"
#include "api/relay.h"
#include "api/resources.h"

#define HEX_MAX     32                  /* bytes of an incarnation's name */
#define COUNTER_MAX 32
#define VALUE_MAX   39                  /* digits of 128 bits */

/* What the customer's guest read in its own slot, which may be left out. Whether there is such a counter, and what was
 * recorded of it, accountd says. */
static void claim_read(struct fields *fields, json_t *args)
{
    const char *incarnation = "", *counter = "", *value = "";
    struct fields claim;

    if (!fields_has(fields, "claim"))
        return;
    fields_start(&claim, json_object_get(fields->object, "claim"));
    fields_text(&claim, "incarnation", HEX_MAX, &incarnation);
    fields_text(&claim, "counter", COUNTER_MAX, &counter);
    fields_text(&claim, "value", VALUE_MAX, &value);
    fields_inner_done(fields, "claim", "", &claim);
    json_object_set_new(args, "claim", json_pack("{s:s, s:s, s:s}", "incarnation", incarnation, "counter", counter,
                                                 "value", value));
}

enum answer dispute_open(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "dis_",
                                               .verb = "dispute_open",
                                               .id_arg = "dispute_id",
                                               .name = "dispute",
                                               .id_name = "dispute_id",
                                               .place = "/v1/disputes"};
    const char *invoice = "", *reason = "";
    int64_t line = 0;
    struct fields fields;
    json_t *args;

    fields_start(&fields, rq->json);
    if (fields_text(&fields, "invoice_id", ID_BYTES - 1, &invoice) && !id_valid("inv_", invoice))
        fields_error(&fields, "invoice_id", "unknown", "you have no invoice %s", invoice);
    if (fields_has(&fields, "line"))
        fields_integer(&fields, "line", 1, 1000000, &line);
    fields_document(&fields, "reason", 2000, &reason);
    args = relay_args(rq);
    claim_read(&fields, args);
    if (fields_end(&fields, rp) != ANSWER_OK) {
        json_decref(args);
        return ANSWER_INVALID_FIELDS;
    }
    json_object_set_new(args, "invoice_id", json_string(invoice));
    json_object_set_new(args, "reason", json_string(reason));
    if (line)
        json_object_set_new(args, "line", json_integer(line));
    return relay_make(rq, rp, &making, args);
}

enum answer disputes_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "disputes", relay_args(rq), "disputes", "dispute_id");
}

enum answer dispute_show(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq);
    enum answer answer = relay_param(rq, rp, "dis_", "dispute_id", args);

    if (answer == ANSWER_OK)
        return relay_show(rq, rp, "dispute", args, "dispute", "dispute_id");
    json_decref(args);
    return answer;
}

/* An operator's end of it. What follows from the outcome, a credit note or nothing, accountd knows; without lines it
 * gives back what the evidence proposes. */
enum answer dispute_resolve(struct request *rq, struct reply *rp)
{
    static const char *const outcomes[] = {"accepted", "rejected", NULL};
    json_t *args = relay_operator_args(rq);
    const char *outcome = "", *reason = "";
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    fields_choice(&fields, "outcome", outcomes, &outcome);
    fields_document(&fields, "reason", 2000, &reason);
    credit_lines_read(&fields, args);
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK)
        answer = relay_param(rq, rp, "dis_", "dispute_id", args);
    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    json_object_set_new(args, "outcome", json_string(outcome));
    json_object_set_new(args, "reason", json_string(reason));
    return relay_show(rq, rp, "dispute_resolve", args, "dispute", "dispute_id");
}
