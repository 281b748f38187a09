/* The ledger, for operators: does it add up, what moved on an account, the leaf that a transfer refers to, and all of it
 * for hledger. */
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum answer trial_balance_show(struct request *rq, struct reply *rp)
{
    return relay_show(rq, rp, "trial_balance", json_object(), NULL, NULL);
}

enum answer transfers_list(struct request *rq, struct reply *rp)
{
    json_t *args = json_object();
    enum answer answer = relay_param(rq, rp, NULL, "account", args);

    if (answer == ANSWER_OK)
        return relay_list(rq, rp, "transfers", args, "transfers", "transfer_id");
    json_decref(args);
    return answer;
}

static bool origin_valid(const char *text)
{
    return strlen(text) < 128;
}

/* From what a transfer refers to ("leaf ORIGIN INDEX") to the counters that it was charged for. */
enum answer leaf_show(struct request *rq, struct reply *rp)
{
    size_t len = strlen(rq->param);
    const char *origin;
    enum answer answer = request_query_text(rq, rp, "origin", origin_valid, "must be a log's origin", &origin);
    json_t *args;

    if (answer != ANSWER_OK)
        return answer;
    if (len > 15 || strspn(rq->param, "0123456789") != len)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such leaf");
    args = json_pack("{s:I}", "index", (json_int_t)strtoll(rq->param, NULL, 10));
    if (origin)
        json_object_set_new(args, "origin", json_string(origin));
    return relay_show(rq, rp, "leaf", args, NULL, NULL);
}

static enum answer journal_open(struct reply *rp, const char *path)
{
    if (reply_file(rp, path) != 0) {
        log_warn("journal %s: cannot be read, answered 502", path);
        return reply_fail(rp, ANSWER_UPSTREAM_FAILED,
                          "the journal cannot be read; try again, and if it stays so tell us");
    }
    rp->text_type = "text/plain; charset=utf-8";
    snprintf(rp->file_name, sizeof(rp->file_name), "ledger.journal");
    return ANSWER_OK;
}

enum answer journal_show(struct request *rq, struct reply *rp)
{
    json_t *args = json_object(), *ok;
    enum answer answer = relay_customer(rq, rp, args);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "ledger_journal", json_incref(args), &ok);
    json_decref(args);
    if (answer != ANSWER_OK)
        return answer;
    answer = journal_open(rp, json_text(ok, "path"));
    json_decref(ok);
    return answer;
}
