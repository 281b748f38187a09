/* Operators: each has a key of their own, so that what was done says by whom, and what takes two can see two. The text
 * of a key is shown once, to who makes it, as with customers' keys (keys.c). */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/resources.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *operator_view(const struct key_row *row)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "id", row->key_id, "name", row->name, "created_at",
                     time_json(row->created_ms), "revoked_at", time_json(row->revoked_ms));
}

struct making {
    struct key_row row;
    const char *creator;
};

static int making_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct making *making = arg;
    char key[KEY_BYTES];

    snprintf(making->row.key_id, sizeof(making->row.key_id), "%s", idem->subject_id);
    key_derive(KEY_OPERATOR_PREFIX, making->creator, idem->job_id, key);
    key_hash(key, making->row.hash);
    sodium_memzero(key, sizeof(key));
    return store_operator_insert(store, &making->row);
}

/* The key's text, for its maker alone: any other's derivation misses the stored hash. */
static void text_add(struct request *rq, struct reply *rp, const struct idem *idem)
{
    uint8_t hash[KEY_HASH_BYTES];
    struct key_row stored;
    char key[KEY_BYTES];

    if (store_operator_get(rq->api->store, idem->subject_id, &stored) != 1)
        return;
    key_derive(KEY_OPERATOR_PREFIX, rq->who.token, idem->job_id, key);
    key_hash(key, hash);
    json_object_set_new(rp->json, "key",
                        sodium_memcmp(hash, stored.hash, sizeof(hash)) == 0 ? json_string(key) : json_null());
    sodium_memzero(key, sizeof(key));
}

static enum answer operator_made(struct request *rq, struct reply *rp, struct making *making)
{
    struct key_row stored;
    struct idem idem;
    enum answer answer = idem_open(rq, rp, "opk_", "slt_", making_insert, making, &idem);

    if (answer == ANSWER_OK) {
        if (store_operator_get(rq->api->store, idem.subject_id, &stored) == 1) {
            rp->json = operator_view(&stored);
            answer = ANSWER_CREATED;
        } else {
            answer = reply_fail(rp, ANSWER_STORAGE, "the key cannot be read back");
        }
        answer = idem_close(rq, rp, &idem, answer);
    }
    if (answer == ANSWER_CREATED || answer == ANSWER_REPLAYED)
        text_add(rq, rp, &idem);
    return answer;
}

enum answer operator_create(struct request *rq, struct reply *rp)
{
    struct making making = {.creator = rq->who.token, .row.created_ms = rq->now_ms};
    const char *name = "";
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    rp->errors = fields_done(&fields);
    if (rp->errors)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    snprintf(making.row.name, sizeof(making.row.name), "%s", name);
    return operator_made(rq, rp, &making);
}

enum answer operators_list(struct request *rq, struct reply *rp)
{
    struct key_row *rows;
    size_t count;
    json_t *list;

    if (store_operators(rq->api->store, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "operators cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, operator_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

/* Nobody locks themselves out, and the bootstrap key is the configuration's. */
enum answer operator_revoke(struct request *rq, struct reply *rp)
{
    struct key_row row;
    int rc = strncmp(rq->param, "opk_", 4) == 0 ? store_operator_get(rq->api->store, rq->param, &row) : 0;

    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such operator");
    if (strcmp(rq->param, OPERATOR_BOOTSTRAP_ID) == 0)
        return reply_fail(rp, ANSWER_CONFLICT, "the bootstrap key stands in the api's configuration: change it there");
    if (strcmp(rq->param, rq->who.key_id) == 0)
        return reply_fail(rp, ANSWER_CONFLICT, "this is the key in use: let another operator revoke it");
    if (rc < 0 || store_operator_revoke(rq->api->store, rq->param, rq->now_ms) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the key still works; try again");
    return ANSWER_NO_CONTENT;
}
