/* Operators as people: who they are, what their roles allow, and that two means two people. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD "four words and more"
#define BOOK                                                                                                           \
    "{\"version\":7,\"currency\":\"EUR\",\"meters\":[{\"meter\":\"vcpu_used\",\"num_nano\":\"7000\",\"den\":\"3\"}]}"

static struct rig rig;

static struct response key_post(const char *key, const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_post(&rig, key, path, id_make("tst_", idem), body);
}

/* The way of a new operator: a link, a password, a login that may do nothing, a second factor, everything. */
static void beginning(void)
{
    struct response made =
        rig_post(&rig, rig.operator_key, "/v1/admin/operators", "ann-1", "{\"name\":\"Ann\",\"role\":\"support\"}");
    struct response again =
        rig_post(&rig, rig.operator_key, "/v1/admin/operators", "ann-1", "{\"name\":\"Ann\",\"role\":\"support\"}");
    struct visitor ann;
    struct response answer;
    char body[200];

    ok(made.status == 201 && strncmp(answer_text_of(&made, "path"), "/console/setup#xs_link_", 23) == 0,
       "an operator gets a link");
    ok_text(answer_text_of(&again, "token"), answer_text_of(&made, "token"), "which its maker's retry sees again");
    answer_free(&again);
    said(key_post(rig.operator_key, "/v1/admin/operators", "{\"name\":\"ann\",\"role\":\"view\"}"), 409,
         answer_text_of(&made, "id"), "a name is one operator's");
    said(key_post(rig.operator_key, "/v1/admin/operators", "{\"name\":\"Bob\",\"role\":\"root\"}"), 422,
         "view, support, billing, admin", "a role that is none");
    said(rig_post_as(&rig, NULL, "/v1/admin/sessions", "{\"name\":\"Ann\",\"password\":\"" PASSWORD "\"}"), 401,
         "credentials", "before there is a password nobody logs in");
    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"" PASSWORD "\"}", answer_text_of(&made, "token"));
    said(rig_post_as(&rig, NULL, "/v1/password_resets", body), 204, "", "the link sets one");
    answer_free(&made);
    again = rig_post(&rig, rig.operator_key, "/v1/admin/operators", "ann-1", "{\"name\":\"Ann\",\"role\":\"support\"}");
    ok(again.status == 201 && json_is_null(json_object_get(again.json, "token")), "then a replay shows no link");
    answer_free(&again);
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"Ann\",\"password\":\"" PASSWORD "\"}"), 401,
         "credentials", "operators are no customers");
    answer = rig_post_as(&rig, NULL, "/v1/admin/sessions", "{\"name\":\"ann\",\"password\":\"" PASSWORD "\"}");
    ann = rig_visitor(&answer);
    ok(answer.status == 201 && strncmp(ann.cookie, "__Host-xs-operator=xs_oses_", 27) == 0 &&
           strstr(answer_header(&answer, "set-cookie"), "Max-Age=43200"),
       "logging in sets the operators' cookie, for twelve hours");
    answer_free(&answer);
    said(rig_get_as(&rig, &ann, "/v1/admin/session"), 200, "\"role\":\"support\"", "the session says who");
    said(rig_get_as(&rig, &ann, "/v1/admin/customers"), 403, "totp_required",
         "without a second factor nothing else works");
    said(rig_get_as(&rig, &ann, "/v1/account"), 401, "unauthenticated", "the cookie says nothing to customers' paths");
    said(rig_post_as(&rig, &ann, "/v1/admin/user/totp/confirm", "{\"code\":\"123456\"}"), 409, "ask for a secret",
         "enrolling does");
}

static void roles(void)
{
    struct visitor viewer = rig_operator(&rig, "viewer", "view", PASSWORD),
                   support = rig_operator(&rig, "support", "support", PASSWORD);
    struct visitor billing = rig_operator(&rig, "billing", "billing", PASSWORD),
                   admin = rig_operator(&rig, "admin", "admin", PASSWORD);

    said(rig_get_as(&rig, &viewer, "/v1/admin/customers"), 200, "data", "a viewer sees");
    said(rig_post_as(&rig, &viewer, "/v1/admin/customers", "{\"name\":\"c\"}"), 403,
         "this needs the role support, yours is view", "and does nothing");
    said(rig_post_as(&rig, &support, "/v1/admin/customers", "{\"name\":\"c\"}"), 201, "acc_",
         "support makes customers");
    said(rig_post_as(&rig, &support, "/v1/admin/vouchers", "{\"amount\":\"5.00\"}"), 403, "role_missing",
         "but no money");
    said(rig_post_as(&rig, &billing, "/v1/admin/vouchers", "{\"amount\":\"5.00\"}"), 201, "vch_", "billing does");
    said(rig_post_as(&rig, &billing, "/v1/admin/operators", "{\"name\":\"x\",\"role\":\"view\"}"), 403, "role_missing",
         "but no operators");
    said(rig_post_as(&rig, &admin, "/v1/admin/operators", "{\"name\":\"x\",\"role\":\"view\"}"), 201, "opr_",
         "an admin does");
}

/* A key is its person's hand: with no more rights, and one of two it is not. */
static void two_people(void)
{
    struct visitor ann = rig_operator(&rig, "two", "billing", PASSWORD);
    char key[64], id[40], path[128];
    struct response answer = rig_get_as(&rig, &ann, "/v1/admin/session");

    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(json_object_get(answer.json, "operator"), "id")));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/keys", id);
    answer = key_post(rig.operator_key, path, "{\"name\":\"script\"}");
    snprintf(key, sizeof(key), "%s", answer_text_of(&answer, "key"));
    ok(answer.status == 201 && strcmp(answer_text_of(&answer, "operator_id"), id) == 0, "a key of a person's");
    answer_free(&answer);
    answer = rig_post_as(&rig, &ann, "/v1/admin/price_books", BOOK);
    ok_text(answer_text_of(&answer, "operator"), id, "who proposes is the person");
    answer_free(&answer);
    said(key_post(key, "/v1/admin/price_books/7/approve", NULL), 403, "another operator must publish",
         "whose key is nobody else");
    said(key_post(key, "/v1/admin/operators", "{\"name\":\"y\",\"role\":\"view\"}"), 403, "role_missing",
         "nor may more");
    answer = key_post(rig.operator_key, path, "{\"name\":\"reader\",\"role\":\"view\"}");
    said(key_post(answer_text_of(&answer, "key"), "/v1/admin/vouchers", "{\"amount\":\"5.00\"}"), 403, "role_missing",
         "a key may less");
    answer_free(&answer);
    answer = key_post(rig.operator_key, path, "{\"name\":\"more\",\"role\":\"admin\"}");
    said(key_post(answer_text_of(&answer, "key"), "/v1/admin/operators", "{\"name\":\"y\",\"role\":\"view\"}"), 403,
         "role_missing", "but not more, whatever it says");
    answer_free(&answer);
    said(key_post(rig.operator_key, "/v1/admin/price_books/7/approve", NULL), 200, "published", "another can");
}

static struct response role_put(const char *id, const char *key, const struct visitor *visitor, const char *body)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/admin/operators/%s/role", id);
    return rig_call(&rig, &(struct call){.method = "PUT", .path = path, .key = key, .visitor = visitor, .body = body});
}

static void promotion(void)
{
    struct visitor ann = rig_operator(&rig, "rising", "view", PASSWORD);
    struct response answer = rig_get_as(&rig, &ann, "/v1/admin/session");
    char id[40];

    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(json_object_get(answer.json, "operator"), "id")));
    answer_free(&answer);
    said(role_put(id, NULL, &ann, "{\"role\":\"admin\"}"), 403, "role_missing", "nobody raises themselves");
    said(role_put(id, rig.operator_key, NULL, "{\"role\":\"root\"}"), 422, "view, support", "to what is no role");
    said(role_put(id, rig.operator_key, NULL, "{\"role\":\"admin\"}"), 200, "\"role\":\"admin\"", "another does");
    said(role_put(id, NULL, &ann, "{\"role\":\"view\"}"), 409, "this is you",
         "an open session has the new role; not for itself");
    said(role_put(id, rig.operator_key, NULL, "{\"role\":\"view\"}"), 200, "view", "and back");
    said(rig_post_as(&rig, &ann, "/v1/admin/customers", "{\"name\":\"c\"}"), 403, "role_missing", "that too at once");
}

static void ends(void)
{
    struct visitor ann = rig_operator(&rig, "leaving", "admin", PASSWORD);
    struct response answer = rig_get_as(&rig, &ann, "/v1/admin/session");
    char key[64], id[40], path[128];

    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(json_object_get(answer.json, "operator"), "id")));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/keys", id);
    answer = rig_post_as(&rig, &ann, path, "{\"name\":\"k\"}");
    snprintf(key, sizeof(key), "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s", id);
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .visitor = &ann}), 409, "this is you",
         "nobody ends themselves");
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = key}), 409, "this is you",
         "by a key neither");
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = rig.operator_key}), 204, "",
         "another does");
    said(rig_get_as(&rig, &ann, "/v1/admin/session"), 401, "", "the sessions are over");
    said(rig_get(&rig, key, "/v1/admin/customers"), 401, "key_revoked", "and the keys");
    said(rig_post_as(&rig, NULL, "/v1/admin/sessions", "{\"name\":\"leaving\",\"password\":\"" PASSWORD "\"}"), 401,
         "credentials", "and nobody logs in");
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/password_reset", id);
    said(rig_post(&rig, rig.operator_key, path, NULL, "{}"), 404, "no such operator", "nor is there a link");
    said(rig_get(&rig, rig.operator_key, "/v1/admin/operators"), 200, id, "the list still tells who it was");
}

static void idle(void)
{
    struct visitor ann = rig_operator(&rig, "idle", "view", PASSWORD);

    said(rig_get_as(&rig, &ann, "/v1/admin/customers"), 200, "", "an operator works");
    rig_database(&rig, "UPDATE sessions SET idle_until_ms = idle_until_ms - 1800001");
    said(rig_get_as(&rig, &ann, "/v1/admin/customers"), 401, "log in again", "half an hour without work ends that");
}

int main(void)
{
    rig_start(&rig);
    beginning();
    roles();
    two_people();
    promotion();
    ends();
    idle();
    rig_end(&rig);
    return tap_end();
}
