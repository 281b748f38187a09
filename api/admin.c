/* The operator's part: customers, credit, the host. */
#include "api/admin.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUSTOMERS_PAGE_MAX 1000

const char *const currencies[] = { "EUR", "USD", "GBP", "CHF", NULL };

json_t *customer_view(const struct customer_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "id", row->account_id, "name", row->name, "currency", row->currency,
                     "created_at", time_json(row->created_ms));
}

static int customer_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct customer_row *row = arg;

    snprintf(row->account_id, sizeof(row->account_id), "%s", idem->subject_id);
    return store_customer_insert(store, row);
}

static enum answer customer_read(struct request *rq, struct reply *rp, struct customer_row *row)
{
    const char *name = "", *currency = "EUR";
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    if (fields_has(&fields, "currency"))
        fields_choice(&fields, "currency", currencies, &currency);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    memset(row, 0, sizeof(*row));
    snprintf(row->name, sizeof(row->name), "%s", name);
    snprintf(row->currency, sizeof(row->currency), "%s", currency);
    row->created_ms = rq->now_ms;
    return ANSWER_OK;
}

enum answer customer_open(struct request *rq, struct reply *rp, const struct customer_row *row)
{
    json_t *ok = NULL;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "account_open",
                                      json_pack("{s:s, s:s, s:s}", "account_id", row->account_id, "name", row->name,
                                                "currency", row->currency),
                                      &ok);

    json_decref(ok);
    return answer;
}

enum answer customer_create(struct request *rq, struct reply *rp)
{
    struct customer_row row;
    struct idem idem;
    enum answer answer = customer_read(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "acc_", "nil_", customer_insert, &row, &idem);
    if (answer != ANSWER_OK)
        return answer;
    snprintf(row.account_id, sizeof(row.account_id), "%s", idem.subject_id);
    row.created_ms = idem.created_ms;
    answer = customer_open(rq, rp, &row);
    if (answer == ANSWER_OK) {
        rp->json = customer_view(&row);
        answer = ANSWER_CREATED;
    }
    return idem_close(rq, rp, &idem, answer);
}

/* The cursor is the number of the last one. */
enum answer customers_list(struct request *rq, struct reply *rp)
{
    struct customer_row *rows;
    int64_t after, limit;
    size_t count, shown;
    json_t *list;
    enum answer answer = request_query_int(rq, rp, "after", 0, INT64_C(1) << 52, 0, &after);

    if (answer == ANSWER_OK)
        answer = request_query_int(rq, rp, "limit", 1, CUSTOMERS_PAGE_MAX, 100, &limit);
    if (answer != ANSWER_OK)
        return answer;
    /* One more than asked for tells whether there is another page. */
    if (store_customers(rq->api->store, after, limit + 1, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "customers cannot be looked up");
    shown = count > (size_t)limit ? (size_t)limit : count;
    list = json_array();
    for (size_t i = 0; i < shown; i++)
        json_array_append_new(list, customer_view(&rows[i]));
    rp->json = json_pack("{s:o, s:o}", "data", list, "next_cursor",
                         count > shown ? json_integer(rows[shown - 1].number) : json_null());
    free(rows);
    return ANSWER_OK;
}

static enum answer credit_read(struct request *rq, struct reply *rp, int64_t *amount_nano, const char **reason)
{
    struct customer_row customer;
    struct fields fields;
    enum answer answer = customer_find(rq, rp, &customer);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_money(&fields, "amount", MONEY_NANO_MAX, amount_nano);
    fields_text(&fields, "reason", 200, reason);
    return fields_end(&fields, rp);
}

enum answer credit_create(struct request *rq, struct reply *rp)
{
    int64_t amount_nano = 0;
    const char *reason = "";
    char amount[24], shown[MONEY_BYTES];
    json_t *ok = NULL;
    struct idem idem;
    enum answer answer = credit_read(rq, rp, &amount_nano, &reason);

    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "trf_", "nil_", NULL, NULL, &idem);
    if (answer != ANSWER_OK)
        return answer;
    snprintf(amount, sizeof(amount), "%jd", (intmax_t)amount_nano);
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "fund",
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "transfer_id", idem.subject_id, "account_id",
                                    rq->param, "amount_nano", amount, "reason", reason, "operator", principal_name(&rq->who)),
                          &ok);
    if (answer == ANSWER_OK) {
        json_t *balances = present_copy(ok);

        rp->json = json_pack("{s:s, s:s, s:s, s:s, s:O?, s:O?, s:O?}", "id", idem.subject_id, "customer_id", rq->param,
                             "amount", money_print(amount_nano, shown), "reason", reason, "balance",
                             json_object_get(balances, "posted"), "held", json_object_get(balances, "held"),
                             "available", json_object_get(balances, "available"));
        json_decref(balances);
        answer = ANSWER_CREATED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}

enum answer host_show(struct request *rq, struct reply *rp)
{
    json_t *host, *status = NULL;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "host", json_object(), &host);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "status", json_object(), &status);
    if (answer == ANSWER_OK)
        rp->json = json_pack("{s:o, s:o}", "host", present_copy(host), "meter", present_copy(status));
    json_decref(host);
    json_decref(status);
    return answer;
}

enum answer host_domains_show(struct request *rq, struct reply *rp)
{
    json_t *ok, *list, *each;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "domains", json_object(), &ok);

    if (answer != ANSWER_OK)
        return answer;
    rp->json = present_copy(ok);
    list = json_array();
    json_array_foreach(json_object_get(ok, "domains"), i, each)
        json_array_append_new(list, relay_view(rq, each, NULL));
    json_object_set_new(rp->json, "domains", list);
    json_decref(ok);
    return ANSWER_OK;
}
