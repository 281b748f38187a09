/* Operators: each has a key of their own, so that what was done says by whom, and what takes two can see two. The text
 * of a key is shown once, to who makes it, as with customers' keys (keys.c). */
#include "api/api.h"
#include "api/fields.h"
#include "api/keys.h"
#include "api/present.h"
#include "api/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *operator_view(const struct key_row *row)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "id", row->key_id, "name", row->name, "created_at",
                     time_json(row->created_ms), "revoked_at", time_json(row->revoked_ms));
}

enum answer operator_create(struct request *rq, struct reply *rp)
{
    struct key_row row = {.created_ms = rq->now_ms};
    const char *name = "";
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    rp->errors = fields_done(&fields);
    if (rp->errors)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    snprintf(row.name, sizeof(row.name), "%s", name);
    return key_make(rq, rp, &row, operator_view);
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
