/* Webhooks: where a customer wants to be told of events. Sending is xs-webhookd's (deliveries.h). */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/pages.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_webhooks.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEBHOOKS_MAX 16
#define TYPES_MAX 16
#define TYPE_BYTES_MAX 47
#define SECRET_PREFIX "whsec_"

static json_t *webhook_view(const struct webhook_row *row)
{
    return json_pack("{s:s, s:s, s:o, s:b, s:o}", "id", row->webhook_id, "url", row->url, "types",
                     json_loads(row->types, 0, NULL), "enabled", (int)row->enabled, "created_at",
                     time_json(row->created_ms));
}

static json_t *delivery_view(const struct delivery_row *row)
{
    bool over = strcmp(row->state, "delivered") == 0 || strcmp(row->state, "failed") == 0;

    return json_pack("{s:I, s:s, s:I, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:I, s:s}", "id", (json_int_t)row->number,
                     "webhook_id", row->webhook_id, "event_seq", (json_int_t)row->event_seq, "type", row->type, "state",
                     row->state, "attempts", (json_int_t)row->attempts, "created_at", time_json(row->created_ms),
                     "tried_at", time_json(row->tried_ms), "next_at",
                     over ? json_null() : time_json(row->due_ms), "took_ms", (json_int_t)row->took_ms, "status",
                     (json_int_t)row->status, "error", row->error);
}

/* A name and perhaps a port; no user, no fragment. Where it leads, the sender looks when it connects. */
static bool url_valid(const char *url)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    const char *at = url + strlen("https://");

    if (strncmp(url, "https://", strlen("https://")) != 0 || strspn(at, host) == 0)
        return false;
    at += strspn(at, host);
    if (*at && *at != '/' && *at != '?')
        return false;
    for (; *at; at++)
        if (*at <= ' ' || *at > '~' || *at == '#')
            return false;
    return true;
}

/* "instance.running", "instance.*", "*": an end in '*' stands for all that begin so. */
static bool type_valid(const char *type)
{
    size_t len = strspn(type, "abcdefghijklmnopqrstuvwxyz_.");

    return *type && (!type[len] || strcmp(type + len, "*") == 0);
}

static void url_read(struct fields *fields, struct webhook_row *row)
{
    const char *url;

    if (!fields_text(fields, "url", WEBHOOK_URL_BYTES - 1, &url))
        return;
    if (!url_valid(url))
        fields_error(fields, "url", "invalid_url", "must be like \"https://hooks.example.com/xs\": https, a host, no user");
    snprintf(row->url, sizeof(row->url), "%s", url);
}

static void types_read(struct fields *fields, struct webhook_row *row)
{
    const json_t *list;
    json_t *type;
    char *text;
    size_t i;

    if (!fields_has(fields, "types") || !fields_texts(fields, "types", TYPES_MAX, TYPE_BYTES_MAX, &list))
        return;
    json_array_foreach(list, i, type)
        if (!type_valid(json_string_value(type)))
            fields_error(fields, "types", "invalid", "element %zu must be like \"instance.running\" or \"instance.*\"", i);
    text = json_dumps(list, JSON_COMPACT);
    snprintf(row->types, sizeof(row->types), "%s", text ? text : "[]");
    free(text);
}

struct adding {
    struct webhook_row row;
    struct request *rq;
    struct reply *rp;
};

static int adding_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct adding *adding = arg;
    int64_t count;

    if (store_webhook_count(store, adding->row.account_id, &count) != 1)
        return -1;
    if (count >= WEBHOOKS_MAX)
        return reply_fail_quota(adding->rp, "webhooks_max", "webhooks", WEBHOOKS_MAX, count);
    snprintf(adding->row.webhook_id, sizeof(adding->row.webhook_id), "%s", idem->subject_id);
    key_derive(SECRET_PREFIX, adding->rq->who.token, idem->job_id, adding->row.secret);
    return store_webhook_insert(store, &adding->row);
}

/* Shown to whoever made it, in the answer that makes it and its repetitions, as the text of a key is. */
static void secret_add(struct request *rq, struct reply *rp, const struct idem *idem)
{
    struct webhook_row row;
    char secret[KEY_BYTES];

    if (store_webhook_get(rq->api->store, rq->who.account_id, idem->subject_id, &row) != 1)
        return;
    key_derive(SECRET_PREFIX, rq->who.token, idem->job_id, secret);
    json_object_set_new(rp->json, "secret", strcmp(secret, row.secret) == 0 ? json_string(secret) : json_null());
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(&row, sizeof(row));
}

static enum answer adding_read(struct request *rq, struct reply *rp, struct webhook_row *row)
{
    struct fields fields;

    *row = (struct webhook_row){ .types = "[\"*\"]", .scopes = rq->who.account_scopes, .created_ms = rq->now_ms,
                                 .enabled = true };
    snprintf(row->account_id, sizeof(row->account_id), "%s", rq->who.account_id);
    fields_start(&fields, rq->json);
    url_read(&fields, row);
    types_read(&fields, row);
    return fields_end(&fields, rp);
}

enum answer webhook_create(struct request *rq, struct reply *rp)
{
    struct adding adding = { .rq = rq, .rp = rp };
    struct idem idem;
    enum answer answer = adding_read(rq, rp, &adding.row);

    if (answer != ANSWER_OK)
        return answer;
    answer = idem_open(rq, rp, "whk_", "slt_", adding_insert, &adding, &idem);
    if (answer == ANSWER_OK) {
        if (store_webhook_get(rq->api->store, rq->who.account_id, idem.subject_id, &adding.row) == 1) {
            rp->json = webhook_view(&adding.row);
            answer = ANSWER_CREATED;
        } else {
            answer = reply_fail(rp, ANSWER_STORAGE, "the webhook cannot be read back");
        }
        answer = idem_close(rq, rp, &idem, answer);
    }
    if (answer == ANSWER_CREATED || answer == ANSWER_REPLAYED)
        secret_add(rq, rp, &idem);
    sodium_memzero(&adding.row, sizeof(adding.row));
    return answer;
}

static enum answer webhook_own(struct request *rq, struct reply *rp, struct webhook_row *row)
{
    int rc = id_valid("whk_", rq->param) ? store_webhook_get(rq->api->store, rq->who.account_id, rq->param, row) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the webhook cannot be looked up");
    return rc ? ANSWER_OK : reply_fail(rp, ANSWER_NOT_FOUND, "no such webhook");
}

enum answer webhooks_list(struct request *rq, struct reply *rp)
{
    struct webhook_row *rows;
    size_t count;
    json_t *list;

    if (store_webhooks(rq->api->store, rq->who.account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "webhooks cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, webhook_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

enum answer webhook_show(struct request *rq, struct reply *rp)
{
    struct webhook_row row;
    enum answer answer = webhook_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        rp->json = webhook_view(&row);
    return answer;
}

enum answer webhook_change(struct request *rq, struct reply *rp)
{
    struct webhook_row row;
    struct fields fields;
    enum answer answer = webhook_own(rq, rp, &row);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    if (fields_has(&fields, "url"))
        url_read(&fields, &row);
    types_read(&fields, &row);
    if (fields_has(&fields, "enabled"))
        fields_flag(&fields, "enabled", &row.enabled);
    answer = fields_end(&fields, rp);
    if (answer != ANSWER_OK)
        return answer;
    if (store_webhook_update(rq->api->store, &row) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the webhook is as it was; try again");
    rp->json = webhook_view(&row);
    return ANSWER_OK;
}

enum answer webhook_delete(struct request *rq, struct reply *rp)
{
    struct webhook_row row;
    enum answer answer = webhook_own(rq, rp, &row);

    if (answer != ANSWER_OK)
        return answer;
    if (store_webhook_delete(rq->api->store, rq->who.account_id, rq->param) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the webhook is still there; try again");
    return ANSWER_NO_CONTENT;
}

enum answer deliveries_list(struct request *rq, struct reply *rp)
{
    struct webhook_row webhook;
    struct delivery_row *rows;
    int64_t before, limit;
    size_t count;
    json_t *list;
    enum answer answer = webhook_own(rq, rp, &webhook);

    if (answer == ANSWER_OK)
        answer = page_query(rq, rp, &before, &limit);
    if (answer != ANSWER_OK)
        return answer;
    if (store_deliveries(rq->api->store, webhook.webhook_id, before, limit, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "deliveries cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, delivery_view(&rows[i]));
    rp->json = page_view(list, limit, count ? rows[count - 1].number : 0);
    free(rows);
    return ANSWER_OK;
}

static enum answer delivery_ordered(struct request *rq, struct reply *rp, int64_t number)
{
    struct delivery_row row;

    if (number == 0 || store_delivery_get(rq->api->store, rq->who.account_id, number, &row) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "it is not on its way; try again");
    rp->json = delivery_view(&row);
    return ANSWER_ACCEPTED;
}

enum answer webhook_ping(struct request *rq, struct reply *rp)
{
    struct webhook_row row;
    int64_t number = 0;
    enum answer answer = webhook_own(rq, rp, &row);

    if (answer != ANSWER_OK)
        return answer;
    store_webhook_ping(rq->api->store, &row, rq->now_ms, &number);
    return delivery_ordered(rq, rp, number);
}

/* A number of ours, as text. */
static int64_t number_of(const char *text)
{
    return *text && strlen(text) <= 15 && strspn(text, "0123456789") == strlen(text) ? strtoll(text, NULL, 10) : 0;
}

enum answer delivery_repeat(struct request *rq, struct reply *rp)
{
    struct delivery_row row;
    int64_t number = 0;
    int rc = store_delivery_get(rq->api->store, rq->who.account_id, number_of(rq->param), &row);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the delivery cannot be looked up");
    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such delivery");
    if (!row.type[0])
        return reply_fail(rp, ANSWER_CONFLICT, "its event is older than events are kept");
    store_delivery_again(rq->api->store, &row, rq->now_ms, &number);
    return delivery_ordered(rq, rp, number);
}
