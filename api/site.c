/* What anyone may read: the signed head of the log, whether we are well, the contract. */
#include "api/asset.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdlib.h>
#include <string.h>

#define HEALTH_TIMEOUT_MS 2000

enum answer checkpoint_show(struct request *rq, struct reply *rp)
{
    json_t *ok;
    const char *text;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "checkpoint", json_object(), &ok);

    if (answer != ANSWER_OK)
        return answer;
    text = json_string_value(json_object_get(ok, "text"));
    rp->text = text ? strdup(text) : NULL;
    json_decref(ok);
    if (!rp->text)
        return reply_fail(rp, ANSWER_UPSTREAM_FAILED, "accountd gave no checkpoint");
    rp->text_size = strlen(rp->text);
    rp->text_type = "text/plain; charset=utf-8";
    return ANSWER_OK;
}

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
