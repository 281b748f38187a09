/* What the verbs share: the daemon they speak for, the checks of common
 * arguments, and the refusals. A family of verbs is a file with a table of its
 * rows, which control.c lists. */
#ifndef ACCOUNTD_CONTROL_ARGS_H
#define ACCOUNTD_CONTROL_ARGS_H

#include "accountd/accountd.h"
#include "common/rpc.h"

/* The one accountd of this process: rpc's handlers carry no pointer of ours. */
extern struct accountd *control_self;

#define CONTROL_TIME_MAX_MS INT64_C(253402300799999)    /* the end of the year 9999 */

/* Each answers the call and is -1. */
int control_bad(struct rpc_call *call, const struct json_why *why);
int control_failed(struct rpc_call *call);
/* What most results mean to a caller; `what` names the thing. */
int control_refuse(struct rpc_call *call, enum ledger_result result, const char *what);
bool control_done(enum ledger_result result);

/* An account, instance, invoice or transfer id. */
int control_arg_name(const json_t *args, const char *key, const char **out, struct json_why *why);
/* "account_id", a customer's. */
int control_arg_account(const json_t *args, const char **out, struct json_why *why);
/* "after", 0 if absent, and "limit", limit_max if absent. */
int control_arg_page(const json_t *args, int64_t limit_max, int64_t *after, int64_t *limit, struct json_why *why);
/* A page that is being gathered: its things, and the number of the last one. */
struct control_list {
    json_t *list;
    int64_t last;
};
/* Ends the verb: {`name`: the list, next}, or `internal` if rc is not 0. The list is stolen. */
int control_answer_list(struct rpc_call *call, int rc, const struct control_list *l, const char *name, int64_t limit,
                        json_t **result);
/* "vcpus" and "memory_mib". */
int control_arg_reserved(const json_t *args, struct meter_reserved *reserved, struct json_why *why);

/* "valid_from" and "moves_running_at" of a price book, null where there is none. */
void control_put_dates(json_t *object, const struct rate_book *book);

/* A copy of a published or proposed book. */
enum ledger_result control_any_book(int64_t version, struct rate_book *book);

/* posted_nano, held_nano, available_nano. */
json_t *control_balance_json(const struct ledger_balance *balance);

/* Tables of verbs, each ended by a row without a name. */
extern const struct rpc_verb control_wallet_verbs[];
extern const struct rpc_verb control_price_verbs[];
extern const struct rpc_verb control_proposal_verbs[];
extern const struct rpc_verb control_quote_verbs[];
extern const struct rpc_verb control_replay_verbs[];
extern const struct rpc_verb control_instance_verbs[];
extern const struct rpc_verb control_usage_verbs[];
extern const struct rpc_verb control_summary_verbs[];
extern const struct rpc_verb control_invoice_verbs[];
extern const struct rpc_verb control_dispute_verbs[];
extern const struct rpc_verb control_hostbooks_verbs[];
extern const struct rpc_verb control_log_verbs[];
extern const struct rpc_verb control_news_verbs[];
extern const struct rpc_verb control_purchase_order_verbs[];
extern const struct rpc_verb control_book_verbs[];
extern const struct rpc_verb control_cap_verbs[];
extern const struct rpc_verb control_customer_verbs[];
extern const struct rpc_verb control_domain_verbs[];
extern const struct rpc_verb control_funding_verbs[];

#endif
