/* Credit notes, as operators make them: an invoice never changes, what was wrong with it is given back by another
 * paper. */
#include "api/credit_lines.h"
#include "api/relay.h"
#include "api/resources.h"

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
    /* Left out, all of the invoice is given back. */
    credit_lines_read(&fields, args);
    if (fields_end(&fields, rp) != ANSWER_OK) {
        json_decref(args);
        return ANSWER_INVALID_FIELDS;
    }
    json_object_set_new(args, "invoice_id", json_string(invoice));
    json_object_set_new(args, "reason", json_string(reason));
    return relay_make(rq, rp, &making, args);
}
