/* What anyone may read: whether we are well, the contract. The log is log.c. */
#include "api/asset.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdlib.h>
#include <string.h>

#define HEALTH_TIMEOUT_MS 2000

/* Well means that a customer's request would reach everything it needs. */
enum answer health_show(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = upstream_ask_within(rq, rp, DAEMON_PROVISIONER, "flavors", json_object(), HEALTH_TIMEOUT_MS,
                                             &ok);

    json_decref(ok);
    if (answer == ANSWER_OK) {
        answer = upstream_ask_within(rq, rp, DAEMON_ACCOUNTD, "checkpoint", json_object(), HEALTH_TIMEOUT_MS, &ok);
        json_decref(ok);
    }
    if (answer == ANSWER_OK)
        rp->json = json_pack("{s:s}", "status", "ok");
    return answer;
}

enum answer openapi_show(struct request *rq, struct reply *rp)
{
    size_t size = (size_t)(asset_openapi_end - asset_openapi);

    (void)rq;
    rp->text = malloc(size);
    if (!rp->text)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    memcpy(rp->text, asset_openapi, size);
    rp->text_size = size;
    rp->text_type = "application/yaml";
    return ANSWER_OK;
}
