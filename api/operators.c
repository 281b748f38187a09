/* Operators: people with a role, who log in or use keys of theirs, so that what was done says by whom, and what takes
 * two can see two. A new one sets a password by a one-time link; that link and the text of a key are shown once, to who
 * makes them (keys.c says how). */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/keys.h"
#include "api/people/resets.h"
#include "api/people/sessions.h"
#include "api/present.h"
#include "api/resources.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *operator_view(const struct operator_row *row)
{
    bool person = id_valid("opr_", row->id);

    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o}", "id", row->id, "type", person ? "person" : "key",
                     "name", row->name, "role", rank_names[row->rank - 1], "operator_id",
                     row->operator_id[0] ? row->operator_id : NULL, "totp",
                     person ? json_boolean(row->totp) : json_null(), "created_at", time_json(row->created_ms),
                     "revoked_at", time_json(row->revoked_ms));
}

enum answer operators_list(struct request *rq, struct reply *rp)
{
    struct operator_row *rows;
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

/* making a person */

struct hiring {
    struct reply *rp;
    struct person_row person;
    const char *creator;
};

static int hiring_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct hiring *hiring = arg;
    struct link_row link = {.expires_ms = idem->created_ms + LINK_LIFE_MS};
    struct person_row other;
    char token[KEY_BYTES];
    int rc = store_person_by_login(store, true, hiring->person.name, &other);

    if (rc == 1)
        return (int)reply_fail(hiring->rp, ANSWER_CONFLICT, "there is an operator of this name: %s", other.person_id);
    if (rc < 0)
        return rc;
    snprintf(hiring->person.person_id, sizeof(hiring->person.person_id), "%s", idem->subject_id);
    snprintf(link.person_id, sizeof(link.person_id), "%s", idem->subject_id);
    key_derive(LINK_PREFIX, hiring->creator, idem->job_id, token);
    key_hash(token, link.hash);
    sodium_memzero(token, sizeof(token));
    rc = store_operator_person_insert(store, &hiring->person);
    return rc ? rc : store_link_insert(store, &link) == 1 ? 0 : -1;
}

static enum answer hiring_read(struct request *rq, struct reply *rp, struct person_row *person)
{
    const char *name = "", *role = rank_names[0];
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    fields_choice(&fields, "role", rank_names, &role);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    snprintf(person->name, sizeof(person->name), "%s", name);
    person->rank = rank_parse(role);
    person->created_ms = rq->now_ms;
    return ANSWER_OK;
}

/* Adds the link to the answer while it works, if the caller is its creator: for any other the derivation misses it. */
static void link_add(struct request *rq, struct reply *rp, const struct idem *idem)
{
    char token[KEY_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
    struct link_row link;
    json_t *view;
    bool live;

    key_derive(LINK_PREFIX, rq->who.token, idem->job_id, token);
    key_hash(token, hash);
    live = store_link_find(rq->api->store, hash, rq->now_ms, &link) == 1;
    view = link_view(true, live ? token : NULL, live ? link.expires_ms : 0);
    json_object_update(rp->json, view);
    json_decref(view);
    sodium_memzero(token, sizeof(token));
}

enum answer operator_create(struct request *rq, struct reply *rp)
{
    struct hiring hiring = {.rp = rp, .creator = rq->who.token};
    struct operator_row row = {.rank = RANK_VIEW};
    struct idem idem;
    enum answer answer = hiring_read(rq, rp, &hiring.person);

    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "opr_", "slt_", hiring_insert, &hiring, &idem);
    if (answer == ANSWER_OK) {
        snprintf(row.id, sizeof(row.id), "%s", idem.subject_id);
        snprintf(row.name, sizeof(row.name), "%s", hiring.person.name);
        row.rank = hiring.person.rank;
        row.created_ms = idem.created_ms;
        rp->json = operator_view(&row);
        answer = idem_close(rq, rp, &idem, ANSWER_CREATED);
    }
    if (answer == ANSWER_CREATED || (answer == ANSWER_REPLAYED && rp->status == 201))
        link_add(rq, rp, &idem);
    return answer;
}

/* what a person is given */

static enum answer person_find(struct request *rq, struct reply *rp, struct person_row *person)
{
    int rc = id_valid("opr_", rq->param) ? store_person_get(rq->api->store, rq->param, person) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the operator cannot be looked up");
    if (rc == 0 || person->disabled_ms)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such operator");
    return ANSWER_OK;
}

static json_t *key_view(const struct key_row *row)
{
    struct operator_row shown = {.rank = row->rank, .created_ms = row->created_ms, .revoked_ms = row->revoked_ms};

    snprintf(shown.id, sizeof(shown.id), "%s", row->key_id);
    snprintf(shown.name, sizeof(shown.name), "%s", row->name);
    snprintf(shown.operator_id, sizeof(shown.operator_id), "%s", row->operator_id);
    return operator_view(&shown);
}

enum answer operator_key_create(struct request *rq, struct reply *rp)
{
    struct key_row row = {.created_ms = rq->now_ms};
    const char *name = "", *role = NULL;
    struct person_row person;
    struct fields fields;
    enum answer answer = person_find(rq, rp, &person);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    if (fields_has(&fields, "role"))
        fields_choice(&fields, "role", rank_names, &role);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    snprintf(row.name, sizeof(row.name), "%s", name);
    snprintf(row.operator_id, sizeof(row.operator_id), "%s", person.person_id);
    row.rank = role ? rank_parse(role) : person.rank;
    return key_make(rq, rp, &row, key_view);
}

enum answer operator_password_reset(struct request *rq, struct reply *rp)
{
    bool remove_totp = false;
    struct person_row person;
    struct fields fields;
    enum answer answer = person_find(rq, rp, &person);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    if (fields_has(&fields, "remove_totp"))
        fields_flag(&fields, "remove_totp", &remove_totp);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    return link_make(rq, rp, &person, remove_totp);
}

enum answer operator_role_show(struct request *rq, struct reply *rp)
{
    struct person_row person;
    enum answer answer = person_find(rq, rp, &person);

    if (answer == ANSWER_OK)
        rp->json = operator_person_view(&person);
    return answer;
}

/* Holds for open sessions and for keys at once. Nobody raises, or locks out, themselves. */
enum answer operator_role_set(struct request *rq, struct reply *rp)
{
    const char *role = rank_names[0];
    struct person_row person;
    struct fields fields;
    enum answer answer = person_find(rq, rp, &person);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_choice(&fields, "role", rank_names, &role);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (strcmp(person.person_id, rq->who.person_id) == 0)
        return reply_fail(rp, ANSWER_CONFLICT, "this is you: let another operator do it");
    person.rank = rank_parse(role);
    if (store_operator_role_set(rq->api->store, person.person_id, person.rank) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the role is as it was; try again");
    rp->json = operator_person_view(&person);
    return ANSWER_OK;
}

/* ending */

static enum answer person_disable(struct request *rq, struct reply *rp)
{
    struct person_row person;
    int rc = store_person_get(rq->api->store, rq->param, &person);

    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such operator");
    if (strcmp(rq->param, rq->who.person_id) == 0)
        return reply_fail(rp, ANSWER_CONFLICT, "this is you: let another operator do it");
    if (rc < 0 || store_operator_disable(rq->api->store, rq->param, rq->now_ms) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the operator still works here; try again");
    return ANSWER_NO_CONTENT;
}

/* Nobody locks themselves out, and the bootstrap key is the configuration's. */
static enum answer key_end(struct request *rq, struct reply *rp)
{
    struct key_row row;
    int rc = store_operator_get(rq->api->store, rq->param, &row);

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

enum answer operator_revoke(struct request *rq, struct reply *rp)
{
    if (id_valid("opr_", rq->param))
        return person_disable(rq, rp);
    return strncmp(rq->param, "opk_", 4) == 0 ? key_end(rq, rp) : reply_fail(rp, ANSWER_NOT_FOUND, "no such operator");
}
