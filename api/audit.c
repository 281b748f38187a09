#include "api/audit.h"
#include "api/api.h"
#include "api/pages.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_audit.h"
#include "common/json.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *audit_record(const struct audit_row *row)
{
    json_t *record =
        json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "seq", (json_int_t)row->seq, "at_ms",
                  (json_int_t)row->at_ms, "actor_type", row->actor_type, "actor_id", row->actor_id, "account_id",
                  row->account_id, "address", row->peer, "request_id", row->request_id, "action", row->action, "object",
                  row->object, "status", row->status, "reason", row->reason);
    char *text = record ? json_canonical(record) : NULL;

    json_decref(record);
    return text;
}

int audit_hash(const struct audit_row *row, const uint8_t before[static AUDIT_HASH_BYTES],
               uint8_t hash[static AUDIT_HASH_BYTES])
{
    crypto_hash_sha256_state state;
    char *record = audit_record(row);

    if (!record)
        return -1;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, before, AUDIT_HASH_BYTES);
    crypto_hash_sha256_update(&state, (const unsigned char *)record, strlen(record));
    crypto_hash_sha256_final(&state, hash);
    free(record);
    return 0;
}

/* noting */

/* Requests that only read, and strangers' that are no login; what a limit refused would let anybody fill the disk. */
static bool of_note(const struct request *rq, const struct reply *rp)
{
    if (!rq->route || strcmp(rq->method, "GET") == 0 || rp->status == 429)
        return false;
    return rq->who.role != ROLE_ANONYMOUS || (rq->route->who & ROLE_ANONYMOUS && rq->route->body == BODY_JSON);
}

static void actor_take(const struct request *rq, struct audit_row *row)
{
    const struct principal *who = &rq->who;
    const char *type = who->role == ROLE_OPERATOR ? "operator" : who->session ? "user" : "key";

    if (who->role == ROLE_ANONYMOUS)
        type = "anonymous";
    else
        snprintf(row->actor_id, sizeof(row->actor_id), "%s", principal_name(who));
    snprintf(row->actor_type, sizeof(row->actor_type), "%s", type);
}

static void object_take(const struct request *rq, const struct reply *rp, struct audit_row *row)
{
    const char *made = rp->status < 400 ? json_text(rp->json, "id") : "";
    const char *customer = json_text(rq->json, "customer_id");

    json_words(rq->about.object[0] ? rq->about.object
               : rq->param[0]      ? rq->param
                                   : made,
               row->object, sizeof(row->object));
    if (rq->who.account_id[0])
        snprintf(row->account_id, sizeof(row->account_id), "%s", rq->who.account_id);
    else if (rq->about.account_id[0])
        snprintf(row->account_id, sizeof(row->account_id), "%s", rq->about.account_id);
    else if (id_valid("acc_", row->object) || id_valid("acc_", customer))
        snprintf(row->account_id, sizeof(row->account_id), "%.31s",
                 id_valid("acc_", customer) ? customer : row->object);
}

void audit_note(const struct request *rq, const struct reply *rp)
{
    struct audit_row row = {.at_ms = rq->now_ms, .status = rp->status};

    if (!of_note(rq, rp))
        return;
    actor_take(rq, &row);
    object_take(rq, rp, &row);
    snprintf(row.peer, sizeof(row.peer), "%s", rq->peer);
    snprintf(row.request_id, sizeof(row.request_id), "%s", rq->request_id);
    snprintf(row.action, sizeof(row.action), "%s %s", rq->method, rq->route->pattern);
    json_words(rq->reason ? rq->reason : json_text(rq->json, "reason"), row.reason, sizeof(row.reason));
    if (store_audit_append(rq->api->store, &row) != 0)
        log_warnx("%s: %s by %s is not in the audit log", rq->request_id, row.action, row.actor_id);
}

/* showing */

static json_t *hash_json(const uint8_t hash[static AUDIT_HASH_BYTES])
{
    return json_hex(hash, AUDIT_HASH_BYTES);
}

/* Customers learn that it was an operator, not which one. */
static json_t *row_view(const struct audit_row *row, bool for_operator)
{
    bool hidden = !for_operator && strcmp(row->actor_type, "operator") == 0;
    json_t *view =
        json_pack("{s:I, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "seq", (json_int_t)row->seq, "at",
                  time_json(row->at_ms), "actor_type", row->actor_type, "actor_id", hidden ? "" : row->actor_id,
                  "address", hidden ? "" : row->peer, "request_id", row->request_id, "action", row->action, "object",
                  row->object, "status", row->status, "reason", row->reason);
    char *record;

    if (!for_operator)
        return view;
    record = audit_record(row);
    json_object_set_new(view, "customer_id", row->account_id[0] ? json_string(row->account_id) : json_null());
    json_object_set_new(view, "record", json_string(record ? record : ""));
    json_object_set_new(view, "hash", hash_json(row->hash));
    free(record);
    return view;
}

static bool any_valid(const char *text)
{
    return *text != 0;
}

static enum answer range_read(struct request *rq, struct reply *rp, struct audit_range *range)
{
    const char *customer_id;
    enum answer answer = page_query(rq, rp, &range->after, &range->limit);

    if (answer == ANSWER_OK)
        answer = page_query_order(rq, rp, &range->newest);
    if (answer == ANSWER_OK)
        answer = page_query_customer(rq, rp, &customer_id);
    if (answer == ANSWER_OK)
        answer = request_query_text(rq, rp, "actor", any_valid, "must be an id", &range->actor_id);
    if (answer == ANSWER_OK)
        answer = request_query_text(rq, rp, "object", any_valid, "must be an id", &range->object);
    if (answer != ANSWER_OK)
        return answer;
    range->account_id = rq->who.role == ROLE_OPERATOR ? customer_id : rq->who.account_id;
    return ANSWER_OK;
}

enum answer audit_list(struct request *rq, struct reply *rp)
{
    struct audit_range range = {.after = 0};
    struct audit_row *rows;
    size_t count;
    json_t *list;
    enum answer answer = range_read(rq, rp, &range);

    if (answer != ANSWER_OK)
        return answer;
    if (store_audit(rq->api->store, &range, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the audit log cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, row_view(&rows[i], rq->who.role == ROLE_OPERATOR));
    rp->json = page_view(list, range.limit, count ? rows[count - 1].seq : 0);
    free(rows);
    return ANSWER_OK;
}
