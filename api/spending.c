#include "api/spending.h"
#include "api/api.h"
#include "api/present.h"
#include "api/upstream.h"
#include "common/json.h"
#include "common/log.h"
#include "common/utc.h"

#define HOUR_S 3600

enum answer spending_ask(struct request *rq, struct reply *rp, const struct instance_row *row, int64_t *hold_nano)
{
    struct json_why why;
    enum answer answer;
    json_t *ok;

    *hold_nano = 0;
    if (!rq->who.spend_limit_nano)
        return ANSWER_OK;
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "quote",
                          json_pack("{s:s, s:I, s:I, s:i, s:i}", "account_id", rq->who.account_id, "vcpus",
                                    (json_int_t)row->vcpus, "memory_mib", (json_int_t)row->memory_mib, "seconds",
                                    HOUR_S, "cpu_percent", 100),
                          &ok);
    if (answer == ANSWER_OK && json_arg_decimal(ok, "hold_nano", 0, INT64_MAX, hold_nano, &why) != 0)
        answer = reply_fail(rp, ANSWER_UPSTREAM_FAILED, "what would be held: %s", why.text);
    json_decref(ok);
    return answer;
}

int spending_add(struct store *store, const struct request *rq, struct reply *rp, int64_t hold_nano)
{
    char month[UTC_MONTH_BYTES], limit[MONEY_BYTES], held[MONEY_BYTES], more[MONEY_BYTES];
    int64_t held_nano;
    int rc;

    if (!rq->who.spend_limit_nano)
        return 0;
    rc = store_key_spend(store, rq->who.key_id, utc_month_text(rq->now_ms, month), hold_nano, rq->who.spend_limit_nano,
                         &held_nano);
    if (rc < 0)
        return -1;
    if (rc == 1)
        return 0;
    money_print(rq->who.spend_limit_nano, limit);
    money_print(held_nano, held);
    money_print(hold_nano, more);
    rp->context = json_pack("{s:s, s:s, s:s}", "limit", limit, "held", held, "needed", more);
    return (int)reply_fail(rp, ANSWER_SPEND_LIMIT, "this key may have %s held in %s; it had %s, and this needs %s",
                           limit, month, held, more);
}

void spending_return(const struct request *rq, int64_t hold_nano)
{
    char month[UTC_MONTH_BYTES];
    int64_t held_nano;

    if (rq->who.spend_limit_nano && store_key_spend(rq->api->store, rq->who.key_id, utc_month_text(rq->now_ms, month),
                                                    -hold_nano, rq->who.spend_limit_nano, &held_nano) != 1)
        log_warnx("key %s: what was not spent still counts", rq->who.key_id);
}
