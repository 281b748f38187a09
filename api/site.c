/* What anyone may read: whether we are well, the contract. The log is log.c. */
#include "api/api.h"
#include "api/asset.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/clock.h"

#define HEALTH_TIMEOUT_MS 2000
#define HEALTH_KEEP_MS    1000

static enum answer daemons_ask(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = upstream_ask_within(rq, rp, DAEMON_PROVISIONER, "flavors", json_object(), HEALTH_TIMEOUT_MS,
                                             &ok);

    json_decref(ok);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask_within(rq, rp, DAEMON_ACCOUNTD, "checkpoint", json_object(), HEALTH_TIMEOUT_MS, &ok);
    json_decref(ok);
    if (answer == ANSWER_OK)
        rq->api->well_until_ms = clock_monotonic_ms() + HEALTH_KEEP_MS;
    return answer;
}

/* Well means that a customer's request would reach everything it needs. */
enum answer health_show(struct request *rq, struct reply *rp)
{
    static const char well[] = "{\"status\":\"ok\"}";
    enum answer answer = clock_monotonic_ms() < rq->api->well_until_ms ? ANSWER_OK : daemons_ask(rq, rp);

    rp->constant = answer == ANSWER_OK ? well : NULL;
    rp->text_size = sizeof(well) - 1;
    return answer;
}

enum answer openapi_show(struct request *rq, struct reply *rp)
{
    (void)rq;
    rp->constant = asset_openapi;
    rp->text_size = (size_t)(asset_openapi_end - asset_openapi);
    rp->text_type = "application/yaml";
    return ANSWER_OK;
}
