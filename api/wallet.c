/* The customer's money: balances, entries, holds, vouchers. */
#include "api/fields.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"

static json_t *or_null(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    return value ? json_incref(value) : json_null();
}

/* accountd's words for the three balances are a bookkeeper's; ours say what they mean. */
enum answer wallet_show(struct request *rq, struct reply *rp)
{
    json_t *wallet, *shown, *entries, *each;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "wallet", relay_args(rq), &wallet);

    if (answer != ANSWER_OK)
        return answer;
    shown = present_copy(wallet);
    entries = json_array();
    json_array_foreach(json_object_get(wallet, "entries"), i, each)
        json_array_append_new(entries, relay_view(rq, each, NULL));
    rp->json =
        json_pack("{s:O?, s:O?, s:O?, s:O?, s:o, s:o, s:o, s:o, s:o}", "currency", json_object_get(shown, "currency"),
                  "balance", json_object_get(shown, "posted"), "held", json_object_get(shown, "held"), "available",
                  json_object_get(shown, "available"), "burn_per_hour", or_null(shown, "burn_per_hour"), "lasts_until",
                  or_null(shown, "lasts_until"), "payment_reference", or_null(shown, "payment_reference"), "entries",
                  entries, "next_cursor", or_null(shown, "next"));
    json_decref(shown);
    json_decref(wallet);
    return ANSWER_OK;
}

enum answer wallet_entries_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "wallet", relay_args(rq), "entries", NULL);
}

enum answer holds_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "holds", relay_args(rq), "holds", "hold_id");
}

enum answer voucher_redeem(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "trf_", .verb = "voucher_redeem", .id_arg = "transfer_id"};
    const char *code = "";
    struct fields fields;
    json_t *args;

    fields_start(&fields, rq->json);
    fields_text(&fields, "code", 64, &code);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    args = relay_args(rq);
    json_object_set_new(args, "code", json_string(code));
    return relay_make(rq, rp, &making, args);
}
