/* The ledger, for operators: does it add up, what moved on an account, and all of it for hledger. */
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>

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
