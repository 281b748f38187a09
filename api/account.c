/* Who am I. */
#include "api/api.h"
#include "api/keys.h"
#include "api/present.h"
#include "api/resources.h"

enum answer account_show(struct request *rq, struct reply *rp)
{
    struct customer_row row;
    int rc = store_customer_get(rq->api->store, rq->who.account_id, &row);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the account cannot be looked up");
    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such account");
    rp->json = json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:s?, s:o, s:o}}", "id", row.account_id, "name", row.name, "currency",
                         row.currency, "created_at", time_json(row.created_ms), "key", "id", rq->who.key_id, "project_id",
                         rq->who.bound ? rq->who.project_id : NULL, "scopes",
                         scopes_json(rq->who.scopes), "expires_at", time_json(rq->who.expires_ms));
    return ANSWER_OK;
}
