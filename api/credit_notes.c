/* Credit notes, as operators make them: an invoice never changes, what was wrong with it is given back by another
 * paper. */
#include "api/fields.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "common/json.h"

#define LINES_MAX 500

/* One element of `lines`, {line, amount}, into accountd's list. */
static void line_read(struct fields *outer, const json_t *element, size_t i, json_t *list)
{
    int64_t line = 0, amount_nano = 0;
    struct fields fields;
    json_t *errors;

    fields_start(&fields, element);
    fields_integer(&fields, "line", 1, 1000000, &line);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    errors = fields_done(&fields);
    if (errors)
        fields_error(outer, "lines", "wrong_element", "element %zu: %s %s", i,
                     json_text(json_array_get(errors, 0), "field"), json_text(json_array_get(errors, 0), "detail"));
    json_decref(errors);
    json_array_append_new(list,
                          json_pack("{s:I, s:o}", "line", (json_int_t)line, "amount_nano", json_decimal(amount_nano)));
}

/* Left out, all of the invoice is given back. */
static void lines_read(struct fields *fields, json_t *args)
{
    const json_t *lines;
    json_t *list, *element;
    size_t i;

    if (!fields_has(fields, "lines"))
        return;
    lines = json_object_get(fields->object, "lines");
    if (!json_is_array(lines) || json_array_size(lines) == 0 || json_array_size(lines) > LINES_MAX) {
        fields_error(fields, "lines", "wrong_type", "must be an array of 1 to %d objects {line, amount}", LINES_MAX);
        return;
    }
    list = json_array();
    json_array_foreach((json_t *)lines, i, element) line_read(fields, element, i, list);
    json_object_set_new(args, "lines", list);
}

enum answer credit_note_create(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "inv_",
                                               .verb = "credit_note_create",
                                               .id_arg = "credit_note_id",
                                               .name = "invoice",
                                               .id_name = "invoice_id"};
    json_t *args = relay_operator_args(rq);
    const char *invoice = "", *reason = "";
    struct fields fields;

    fields_start(&fields, rq->json);
    if (fields_text(&fields, "invoice_id", ID_BYTES - 1, &invoice) && !id_valid("inv_", invoice))
        fields_error(&fields, "invoice_id", "unknown", "there is no invoice %s", invoice);
    fields_text(&fields, "reason", 200, &reason);
    lines_read(&fields, args);
    rp->errors = fields_done(&fields);
    if (rp->errors) {
        json_decref(args);
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    }
    json_object_set_new(args, "invoice_id", json_string(invoice));
    json_object_set_new(args, "reason", json_string(reason));
    return relay_make(rq, rp, &making, args);
}
