/* Who am I, and what money do I have. */
#include "api/api.h"
#include "api/keys.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"

enum answer account_show(struct request *rq, struct reply *rp)
{
    struct customer_row row;
    int rc = store_customer_get(rq->api->store, rq->who.account_id, &row);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the account cannot be looked up");
    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such account");
    rp->json = json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:o, s:o}}", "id", row.account_id, "name", row.name, "currency",
                         row.currency, "created_at", time_json(row.created_ms), "key", "id", rq->who.key_id, "scopes",
                         scopes_json(rq->who.scopes), "expires_at", time_json(rq->who.expires_ms));
    return ANSWER_OK;
}

/* accountd's words for the three balances are a bookkeeper's; ours say what they mean. */
enum answer wallet_show(struct request *rq, struct reply *rp)
{
    json_t *wallet, *shown;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "wallet",
                                      json_pack("{s:s}", "account_id", rq->who.account_id), &wallet);

    if (answer != ANSWER_OK)
        return answer;
    shown = present_copy(wallet);
    rp->json = json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?}", "currency", json_object_get(shown, "currency"), "balance",
                         json_object_get(shown, "posted"), "held", json_object_get(shown, "held"), "available",
                         json_object_get(shown, "available"), "entries", json_object_get(shown, "entries"));
    json_decref(shown);
    json_decref(wallet);
    return ANSWER_OK;
}
