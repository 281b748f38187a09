/* Making keys, and customers' keys. The text is shown once, in the answer that makes it; it is
 * derived from the creator's own key (auth.h), so a replay shows it again and
 * nothing we store could. */
#include "api/keys.h"
#include "api/addresses.h"
#include "api/admin.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/pages.h"
#include "api/people/membership.h"
#include "api/present.h"
#include "api/resources.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRES_S_MAX (INT64_C(10) * 366 * 24 * 3600)

json_t *scopes_json(unsigned scopes)
{
    json_t *list = json_array();

    for (unsigned i = 0; scope_names[i]; i++)
        if (scopes & 1u << i)
            json_array_append_new(list, json_string(scope_names[i]));
    return list;
}

static unsigned scopes_bits(const json_t *list)
{
    unsigned bits = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        for (unsigned j = 0; scope_names[j]; j++)
            if (strcmp(json_string_value(json_array_get(list, i)), scope_names[j]) == 0)
                bits |= 1u << j;
    return bits;
}

static json_t *addresses_json(const char *list)
{
    json_t *array = json_array();

    for (; *list; list += strspn(list, " ")) {
        size_t len = strcspn(list, " ");

        json_array_append_new(array, json_stringn(list, len));
        list += len;
    }
    return array;
}

static json_t *key_view(const struct key_row *row)
{
    char limit[MONEY_BYTES];

    return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:s?, s:o, s:o, s:o}", "id", row->key_id, "name", row->name,
                     "project_id", row->project_id[0] ? row->project_id : NULL, "scopes",
                     scopes_json(row->scopes), "addresses", addresses_json(row->addresses), "spend_limit",
                     row->spend_limit_nano ? money_print(row->spend_limit_nano, limit) : NULL, "created_at",
                     time_json(row->created_ms), "expires_at", time_json(row->expires_ms), "revoked_at",
                     time_json(row->revoked_ms));
}

/* Each inside of those that the calling key is bound to, if it is. */
static void addresses_read(struct fields *fields, struct key_row *row)
{
    char own[ADDRESSES_BYTES];
    const json_t *list;
    json_t *entry;
    size_t i, used = 0;

    if (!fields_has(fields, "addresses") || !fields_texts(fields, "addresses", ADDRESSES_MAX, NETWORK_TEXT_MAX, &list) ||
        json_array_size(list) == 0)
        return;
    memcpy(own, row->addresses, sizeof(own));
    json_array_foreach(list, i, entry) {
        const char *text = json_string_value(entry);

        if (!network_valid(text))
            fields_error(fields, "addresses", "invalid_network", "element %zu must look like 192.0.2.0/24 or 2001:db8::1", i);
        else if (own[0] && !addresses_hold(own, text))
            fields_error(fields, "addresses", "more_than_own", "element %zu is not inside of what this key is bound to", i);
        used += (size_t)snprintf(row->addresses + used, sizeof(row->addresses) - used, "%s%s", i ? " " : "", text);
    }
}

/* What the calling key hands on. */
static enum answer parent_read(struct request *rq, struct reply *rp, struct key_row *row)
{
    struct key_row parent;

    if (rq->who.role == ROLE_OPERATOR || rq->who.session)
        return ANSWER_OK;
    if (rq->who.spend_limit_nano)
        return reply_fail(rp, ANSWER_FORBIDDEN, "a key with a spend limit makes no keys, which would spend beside it");
    if (store_key_get(rq->api->store, rq->who.account_id, rq->who.key_id, &parent) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the calling key cannot be looked up");
    memcpy(row->addresses, parent.addresses, sizeof(row->addresses));
    return ANSWER_OK;
}

/* A key can make no key that may do more, from elsewhere, or lives longer than itself. */
static enum answer key_read(struct request *rq, struct reply *rp, const char *account_id, struct key_row *row)
{
    const char *name = "";
    const json_t *scopes = NULL;
    int64_t expires_s = 0;
    struct fields fields;
    enum answer answer;

    memset(row, 0, sizeof(*row));
    snprintf(row->account_id, sizeof(row->account_id), "%s", account_id);
    row->scopes = rq->who.role == ROLE_OPERATOR ? SCOPE_ALL : rq->who.scopes;
    row->expires_ms = rq->who.expires_ms;
    row->created_ms = rq->now_ms;
    answer = parent_read(rq, rp, row);
    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    if (fields_has(&fields, "scopes") && fields_set(&fields, "scopes", scope_names, &scopes)) {
        if (scopes_bits(scopes) & ~row->scopes)
            fields_error(&fields, "scopes", "more_than_own", "a key can pass on only the scopes that it has");
        row->scopes = scopes_bits(scopes);
    }
    if (fields_has(&fields, "expires_in_seconds") &&
        fields_integer(&fields, "expires_in_seconds", 1, EXPIRES_S_MAX, &expires_s) &&
        (!row->expires_ms || rq->now_ms + expires_s * 1000 < row->expires_ms))
        row->expires_ms = rq->now_ms + expires_s * 1000;
    addresses_read(&fields, row);
    if (fields_has(&fields, "spend_limit"))
        fields_money(&fields, "spend_limit", MONEY_NANO_MAX, &row->spend_limit_nano);
    answer = project_field(rq, rp, &fields, row->account_id, row->project_id);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (answer != ANSWER_OK)
        return answer;
    snprintf(row->name, sizeof(row->name), "%s", name);
    return ANSWER_OK;
}

struct making {
    struct key_row row;
    const char *creator;
};

static const char *prefix_of(const struct key_row *row)
{
    return row->account_id[0] ? KEY_CUSTOMER_PREFIX : KEY_OPERATOR_PREFIX;
}

static int making_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct making *making = arg;
    struct key_row *row = &making->row;
    char key[KEY_BYTES];

    snprintf(row->key_id, sizeof(row->key_id), "%s", idem->subject_id);
    key_derive(prefix_of(row), making->creator, idem->job_id, key);
    key_hash(key, row->hash);
    sodium_memzero(key, sizeof(key));
    return row->account_id[0] ? store_key_insert(store, row) : store_operator_insert(store, row);
}

/* A resumed claim inserted the row in its first life: what counts is what is stored. */
static int stored_get(struct store *store, const struct key_row *row, const char *key_id, struct key_row *stored)
{
    return row->account_id[0] ? store_key_get(store, row->account_id, key_id, stored)
                              : store_operator_get(store, key_id, stored);
}

/* Adds the text of the key to the answer, if the caller is its creator: for
 * any other key the derivation misses the stored hash. */
static void text_add(struct request *rq, struct reply *rp, const struct key_row *row, const struct idem *idem)
{
    uint8_t hash[KEY_HASH_BYTES];
    struct key_row stored;
    char key[KEY_BYTES];

    if (stored_get(rq->api->store, row, idem->subject_id, &stored) != 1)
        return;
    key_derive(prefix_of(row), rq->who.token, idem->job_id, key);
    key_hash(key, hash);
    json_object_set_new(rp->json, "key",
                        sodium_memcmp(hash, stored.hash, sizeof(hash)) == 0 ? json_string(key) : json_null());
    sodium_memzero(key, sizeof(key));
}

enum answer key_make(struct request *rq, struct reply *rp, const struct key_row *row,
                     json_t *(*view)(const struct key_row *))
{
    struct making making = { .row = *row, .creator = rq->who.token };
    struct key_row stored;
    struct idem idem;
    enum answer answer = idem_open(rq, rp, row->account_id[0] ? "key_" : "opk_", "slt_", making_insert, &making, &idem);

    if (answer == ANSWER_OK) {
        if (stored_get(rq->api->store, row, idem.subject_id, &stored) == 1) {
            rp->json = view(&stored);
            answer = ANSWER_CREATED;
        } else {
            answer = reply_fail(rp, ANSWER_STORAGE, "the key cannot be read back");
        }
        answer = idem_close(rq, rp, &idem, answer);
    }
    if (answer == ANSWER_CREATED || answer == ANSWER_REPLAYED)
        text_add(rq, rp, row, &idem);
    return answer;
}

static enum answer customers_key_make(struct request *rq, struct reply *rp, const char *account_id)
{
    struct key_row row;
    enum answer answer = key_read(rq, rp, account_id, &row);

    if (answer != ANSWER_OK)
        return answer;
    return key_make(rq, rp, &row, key_view);
}

enum answer key_create(struct request *rq, struct reply *rp)
{
    return customers_key_make(rq, rp, rq->who.account_id);
}

enum answer customer_key_create(struct request *rq, struct reply *rp)
{
    struct customer_row customer;
    enum answer answer = customer_find(rq, rp, &customer);

    return answer == ANSWER_OK ? customers_key_make(rq, rp, customer.account_id) : answer;
}

enum answer keys_view(struct request *rq, struct reply *rp, const char *account_id, int64_t after, int64_t limit,
                      json_t **page)
{
    json_t *list = json_array();
    struct key_row *rows;
    size_t count;

    if (store_keys(rq->api->store, account_id, rq->who.project_id, after, limit, &rows, &count) != 0) {
        json_decref(list);
        return reply_fail(rp, ANSWER_STORAGE, "keys cannot be looked up");
    }
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, key_view(&rows[i]));
    *page = page_view(list, limit, count ? rows[count - 1].number : 0);
    free(rows);
    return ANSWER_OK;
}

enum answer keys_list(struct request *rq, struct reply *rp)
{
    int64_t after, limit;
    enum answer answer = page_query(rq, rp, &after, &limit);

    return answer == ANSWER_OK ? keys_view(rq, rp, rq->who.account_id, after, limit, &rp->json) : answer;
}

enum answer key_revoke(struct request *rq, struct reply *rp)
{
    struct key_row row;
    int rc = id_valid("key_", rq->param) ? store_key_get(rq->api->store, rq->who.account_id, rq->param, &row) : 0;

    if (rc == 0 || (rc == 1 && !principal_sees(&rq->who, row.project_id)))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such key");
    if (rc < 0 || store_key_revoke(rq->api->store, rq->who.account_id, rq->param, rq->now_ms) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the key still works; try again");
    return ANSWER_NO_CONTENT;
}
