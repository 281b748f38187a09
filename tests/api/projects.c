/* Projects and members: who sees what, who may give which role, and what is left when somebody goes. Which role may ask
 * for which route is the matrix's (authorisation.c). */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "a password of the tests"
#define SSH_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS"

static struct rig rig;
static struct visitor owner;
static char red[40], blue[40];

/* As this visitor within this project, NULL: none is named. */
static struct response ask(const struct visitor *visitor, const char *project, const char *method, const char *path,
                           const char *body)
{
    char header[64], idem[ID_BYTES];

    snprintf(header, sizeof(header), "X-Project: %s", project ? project : "");
    return rig_call(&rig, &(struct call){.method = method, .path = path, .visitor = visitor, .body = body,
                                         .header = project ? header : NULL,
                                         .idem = strcmp(method, "POST") == 0 ? id_make("tst_", idem) : NULL});
}

static void made(struct response answer, const char *what, char id[static 40])
{
    if (answer.status != 201 && answer.status != 202)
        tap_bail("%s: %d %s", what, answer.status, answer.text);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static long long listed(const struct visitor *visitor, const char *project, const char *path)
{
    struct response answer = ask(visitor, project, "GET", path, NULL);
    long long count = answer.status == 200 ? (long long)json_array_size(json_object_get(answer.json, "data")) : -1;

    answer_free(&answer);
    return count;
}

static void token_of(const char *email, const char *role, const char *project, char token[static 64])
{
    char body[256];
    struct response answer;

    snprintf(body, sizeof(body), "{\"email\":\"%s\",\"role\":\"%s\"}", email, role);
    answer = ask(&owner, project, "POST", "/v1/invitations", body);
    if (answer.status != 201)
        tap_bail("no invitation: %d %s", answer.status, answer.text);
    snprintf(token, 64, "%s", answer_text_of(&answer, "token"));
    answer_free(&answer);
}

static struct response accept(const char *token, const char *name)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"" PASSWORD "\"%s%s%s}", token, name ? ",\"name\":\"" : "",
             name ? name : "", name ? "\"" : "");
    return rig_post(&rig, NULL, "/v1/invitations/accept", NULL, body);
}

static struct visitor joined(const char *email, const char *role, const char *project)
{
    struct response answer;
    struct visitor visitor;
    char token[64];

    token_of(email, role, project, token);
    answer = accept(token, role);
    visitor = rig_visitor(&answer);
    ok(answer.status == 201 && visitor.cookie[0], "%s becomes %s", email, role);
    answer_free(&answer);
    return visitor;
}

/* The id of the membership of this email. */
static void member_id(const char *email, char id[static 40])
{
    struct response answer = ask(&owner, NULL, "GET", "/v1/members", NULL);
    json_t *row;
    size_t i;

    id[0] = 0;
    json_array_foreach(json_object_get(answer.json, "data"), i, row)
        if (strcmp(json_string_value(json_object_get(row, "email")), email) == 0)
            snprintf(id, 40, "%s", json_string_value(json_object_get(row, "id")));
    answer_free(&answer);
}

static struct response member_ask(const struct visitor *visitor, const char *method, const char *email, const char *body)
{
    char id[40], path[96];

    member_id(email, id);
    snprintf(path, sizeof(path), "/v1/members/%s", id);
    return ask(visitor, NULL, method, path, body);
}

static void money_give(void)
{
    struct response answer = ask(&owner, NULL, "GET", "/v1/account", NULL);
    char path[128], idem[ID_BYTES];

    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = rig_post(&rig, rig.operator_key, path, id_make("tst_", idem), "{\"amount\":\"100.00\",\"reason\":\"r\"}");
    if (answer.status != 201)
        tap_bail("no credit: %d %s", answer.status, answer.text);
    answer_free(&answer);
}

static void founded(void)
{
    ok_int(listed(&owner, NULL, "/v1/projects"), 1, "an account has a project from the beginning");
    made(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"red\"}"), "red", red);
    made(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"blue\"}"), "blue", blue);
    said(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"Red\"}"), 422, "name", "a name has small letters");
    said(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"red\"}"), 409, "already", "a name is one project's");
    said(ask(&owner, "prj_00000000000000000000000000", "GET", "/v1/instances", NULL), 404, "not_found",
         "nobody asks within a project that there is not");
}

/* Each thing is made within red by its developer, and looked for from everywhere. */
static void things_apart(void)
{
    static const struct {
        const char *path;
        const char *body;
        bool one; /* has a path of its own */
    } things[] = {
        {"/v1/instances", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", true},
        {"/v1/volumes", "{\"name\":\"v\",\"size_mib\":64}", true},
        {"/v1/ssh_keys", "{\"name\":\"s\",\"public_key\":\"" SSH_KEY "\"}", false},
    };
    struct visitor dev = joined("dev@example.com", "developer", red), other = joined("other@example.com", "developer", blue);
    char id[40], path[128];

    for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
        made(ask(&dev, NULL, "POST", things[i].path, things[i].body), things[i].path, id);
        snprintf(path, sizeof(path), "%s/%s", things[i].path, id);
        ok_int(listed(&dev, NULL, things[i].path), 1, "%s: there for the project's developer", things[i].path);
        ok_int(listed(&owner, NULL, things[i].path), 1, "%s: there for the account", things[i].path);
        ok_int(listed(&owner, red, things[i].path), 1, "%s: there for the account within the project", things[i].path);
        ok_int(listed(&owner, blue, things[i].path), 0, "%s: not within the other", things[i].path);
        ok_int(listed(&other, NULL, things[i].path), 0, "%s: not for the other's developer", things[i].path);
        said(ask(&other, NULL, "DELETE", path, NULL), 404, "not_found", "nor can they delete it");
        if (!things[i].one)
            continue;
        said(ask(&other, NULL, "GET", path, NULL), 404, "not_found", "nor see it by its id");
        said(ask(&dev, NULL, "GET", path, NULL), 200, red, "the developer does, and where it is");
    }
    said(ask(&other, red, "GET", "/v1/instances", NULL), 404, "X-Project", "naming a project that is not theirs helps nobody");
    said(ask(&dev, NULL, "GET", "/v1/wallet", NULL), 403, "scope_missing", "a developer sees no money");
    said(ask(&dev, NULL, "POST", "/v1/quotes", "{\"flavor\":\"xs1\"}"), 200, "per_hour", "but what it will cost");
    ok_int(listed(&dev, NULL, "/v1/projects"), 1, "a developer of one project is told of one");
}

/* A snapshot is where its volume is, whoever made it. */
static void snapshots_follow(void)
{
    struct response answer = ask(&owner, red, "GET", "/v1/volumes", NULL);
    char path[128], id[40];

    snprintf(path, sizeof(path), "/v1/volumes/%s/snapshots",
             json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "id")));
    answer_free(&answer);
    made(ask(&owner, NULL, "POST", path, "{\"name\":\"s\"}"), "a snapshot", id);
    ok_int(listed(&owner, red, "/v1/snapshots"), 1, "a snapshot is in its volume's project");
    ok_int(listed(&owner, blue, "/v1/snapshots"), 0, "and in no other");
}

static void events_apart(void)
{
    struct response answer = rig_post(&rig, NULL, "/v1/sessions", NULL,
                                      "{\"email\":\"other@example.com\",\"password\":\"" PASSWORD "\"}");
    struct visitor other = rig_visitor(&answer);

    answer_free(&answer);
    ok(listed(&owner, NULL, "/v1/events") > 0, "the account hears of what happens");
    ok_int(listed(&other, NULL, "/v1/events"), 0, "another project's developer does not");
}

static void keys_bound(void)
{
    struct response answer = ask(&owner, red, "POST", "/v1/keys", "{\"name\":\"k\"}");
    char key[64], id[40], idem[ID_BYTES];

    snprintf(key, sizeof(key), "%s", answer_text_of(&answer, "key"));
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    ok_text(answer_text_of(&answer, "project_id"), red, "a key made within a project is bound to it");
    answer_free(&answer);
    said(rig_get(&rig, key, "/v1/wallet"), 403, "scope_missing", "it sees no money, whatever its scopes");
    said(rig_get(&rig, key, "/v1/instances"), 200, red, "but the project's instances");
    said(rig_post(&rig, key, "/v1/keys", id_make("tst_", idem), "{\"name\":\"more\"}"), 201, red,
         "a key that it makes is bound as it is");
    ok_int(listed(&owner, blue, "/v1/keys"), 0, "other projects do not list it");
    said(rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/instances", .key = key,
                                       .header = "X-Project: prj_00000000000000000000000000"}),
         404, "X-Project", "it cannot name another project");
}

/* One may give, and take, only what one may do oneself. */
static void roles_given(void)
{
    struct visitor admin = joined("admin@example.com", "admin", NULL);
    struct visitor lead = joined("lead@example.com", "admin", blue);

    said(ask(&admin, NULL, "POST", "/v1/invitations", "{\"email\":\"b@example.com\",\"role\":\"billing\"}"), 403,
         "scope_missing", "an admin cannot let others spend");
    said(ask(&admin, NULL, "POST", "/v1/invitations", "{\"email\":\"v@example.com\",\"role\":\"viewer\"}"), 201, "token",
         "but invite a viewer");
    said(ask(&lead, NULL, "POST", "/v1/invitations", "{\"email\":\"d@example.com\",\"role\":\"developer\"}"), 201, blue,
         "a project's admin invites to that project");
    said(ask(&lead, NULL, "POST", "/v1/invitations", "{\"email\":\"d@example.com\",\"role\":\"billing\"}"), 422,
         "account_role", "money is no project's");
    said(member_ask(&lead, "DELETE", "admin@example.com", NULL), 404, "not_found", "the account's members are not theirs");
    said(member_ask(&admin, "DELETE", "owner@example.com", NULL), 403, "scope_missing", "nor is the owner an admin's");
    said(ask(&owner, NULL, "POST", "/v1/invitations", "{\"email\":\"o@example.com\",\"role\":\"owner\"}"), 422, "password",
         "an owner is made with a password");
    said(ask(&owner, NULL, "POST", "/v1/invitations",
             "{\"email\":\"o@example.com\",\"role\":\"owner\",\"password\":\"not my password\"}"),
         401, "credentials", "the right one");
    said(member_ask(&owner, "PATCH", "owner@example.com", "{\"role\":\"viewer\",\"password\":\"" PASSWORD "\"}"), 409,
         "no owner", "the last owner stays one");
    said(member_ask(&owner, "DELETE", "owner@example.com", NULL), 409, "PATCH", "and stays");
    said(member_ask(&owner, "PATCH", "admin@example.com", "{\"role\":\"owner\",\"password\":\"" PASSWORD "\"}"), 200,
         "owner", "with two owners");
    said(member_ask(&owner, "PATCH", "admin@example.com", "{\"role\":\"viewer\",\"password\":\"" PASSWORD "\"}"), 200,
         "viewer", "one can be made less");
    said(ask(&admin, NULL, "GET", "/v1/members", NULL), 401, "unauthenticated", "whose sessions end with the role");
}

static void invitations(void)
{
    char token[64], second[64], body[128], id[40];
    struct response answer;

    token_of("new@example.com", "viewer", NULL, token);
    token_of("new@example.com", "developer", NULL, second);
    said(accept(token, "n"), 404, "not_found", "a newer invitation is in the place of the older");
    snprintf(body, sizeof(body), "{\"token\":\"%s\"}", second);
    said(rig_post(&rig, NULL, "/v1/invitations/lookup", NULL, body), 200, "\"has_user\":false", "it tells what it is");
    said(accept(second, NULL), 422, "name", "who is new says a name");
    said(accept(second, "n"), 201, "developer", "and is in");
    said(accept(second, "n"), 404, "not_found", "once");
    token_of("new@example.com", "viewer", blue, token);
    said(accept(token, NULL), 201, "developer", "a user takes another role with the password they have");
    ok_int(listed(&owner, blue, "/v1/members"), 3, "and is a member of the project besides");
    said(ask(&owner, NULL, "POST", "/v1/invitations", "{\"email\":\"stranger@example.com\",\"role\":\"viewer\"}"), 409,
         "account of its own", "who has an account belongs to it");
    answer = ask(&owner, NULL, "POST", "/v1/invitations", "{\"email\":\"gone@example.com\",\"role\":\"viewer\"}");
    snprintf(token, sizeof(token), "%s", answer_text_of(&answer, "token"));
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(body, sizeof(body), "/v1/invitations/%s", id);
    said(ask(&owner, NULL, "DELETE", body, NULL), 204, "", "an invitation is taken back");
    said(accept(token, "n"), 404, "not_found", "and opens nothing");
}

/* What one is in a project says nothing about the account, even while one asks within that project. */
static void roles_apart(void)
{
    static const struct {
        const char *method, *path, *body;
    } wide[] = {
        {"GET", "/v1/wallet", NULL},
        {"GET", "/v1/webhooks", NULL},
        {"POST", "/v1/projects", "{\"name\":\"green\"}"},
        {"POST", "/v1/webhooks", "{\"url\":\"https://hooks.example/x\"}"},
    };
    struct visitor pam = joined("pam@example.com", "viewer", NULL);
    struct response answer;
    char path[96], id[40];

    pam = joined("pam@example.com", "admin", blue);
    said(ask(&pam, blue, "GET", "/v1/keys", NULL), 200, "data", "a viewer who leads a project sees its keys");
    said(ask(&pam, blue, "GET", "/v1/session", NULL), 200,
         "\"account_scopes\":[\"account:read\",\"instances:read\",\"volumes:read\",\"networks:read\",\"ssh_keys:read\","
         "\"projects:read\"]", "and is told what of the account is hers");
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        said(ask(&pam, blue, wide[i].method, wide[i].path, wide[i].body), 403, "scope_missing", "but is the account's viewer");
    snprintf(path, sizeof(path), "/v1/projects/%s", red);
    said(ask(&pam, blue, "PATCH", path, "{\"name\":\"mine\"}"), 403, "scope_missing", "who renames no other project");
    made(ask(&owner, NULL, "POST", "/v1/ssh_keys", "{\"name\":\"a\",\"public_key\":\"" SSH_KEY "\"}"), "an SSH key", id);
    snprintf(path, sizeof(path), "/v1/ssh_keys/%s", id);
    said(ask(&pam, blue, "DELETE", path, NULL), 403, "whole account", "and deletes no SSH key of the account");
    said(ask(&owner, NULL, "DELETE", path, NULL), 204, "", "which the owner does");
    answer = ask(&pam, blue, "GET", "/v1/events", NULL);
    ok(answer.status == 200 && strstr(answer.text, "\"ssh_key.created\"") && !strstr(answer.text, "\"key.created\""),
       "and hears of what a viewer does");
    answer_free(&answer);
    said(ask(&owner, NULL, "GET", "/v1/events", NULL), 200, "\"key.created\"", "which is less than the owner");
    joined("pam@example.com", "developer", blue);
    said(ask(&pam, NULL, "GET", "/v1/session", NULL), 401, "unauthenticated", "a smaller role there ends what the first one opened");
}

static void owners_stay(void)
{
    char token[64];

    token_of("owner@example.com", "viewer", NULL, token);
    said(accept(token, NULL), 201, "\"role\":\"owner\"", "an owner who takes a smaller role stays the owner");
}

static void leaving(void)
{
    char path[96];

    said(member_ask(&owner, "DELETE", "dev@example.com", NULL), 204, "", "a member goes");
    said(rig_post(&rig, NULL, "/v1/sessions", NULL, "{\"email\":\"dev@example.com\",\"password\":\"" PASSWORD "\"}"), 401,
         "credentials", "and is no user any more");
    snprintf(path, sizeof(path), "/v1/projects/%s", red);
    said(ask(&owner, NULL, "DELETE", path, NULL), 409, "1 instances, 1 volumes, 1 snapshots and 2 keys",
         "a project with things in it stays");
    said(ask(&owner, blue, "POST", "/v1/ssh_keys", "{\"name\":\"t\",\"public_key\":\"" SSH_KEY "\"}"), 201, blue,
         "an SSH key holds none");
    snprintf(path, sizeof(path), "/v1/projects/%s", blue);
    said(ask(&owner, NULL, "DELETE", path, NULL), 204, "", "an empty one goes");
    ok_int(listed(&owner, NULL, "/v1/ssh_keys"), 1, "with its SSH keys");
    said(rig_post(&rig, NULL, "/v1/sessions", NULL, "{\"email\":\"lead@example.com\",\"password\":\"" PASSWORD "\"}"), 401,
         "credentials", "with who was a member of nothing else");
    said(rig_post(&rig, NULL, "/v1/sessions", NULL, "{\"email\":\"new@example.com\",\"password\":\"" PASSWORD "\"}"), 201,
         "developer", "who has another role keeps that");
    said(ask(&owner, blue, "GET", "/v1/instances", NULL), 404, "X-Project", "nobody asks within it any more");
    said(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"blue\"}"), 201, "blue", "its name is free");
}

#define A_HUNDRED "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "

static void too_many(void)
{
    rig_database(&rig, A_HUNDRED "INSERT INTO projects (project_id, account_id, name, created_ms)"
                       " SELECT 'prj_' || i, account_id, 'n' || i, 1 FROM n, users WHERE email = 'owner@example.com'");
    said(ask(&owner, NULL, "POST", "/v1/projects", "{\"name\":\"one-more\"}"), 409, "\"quota\":\"projects_max\"",
         "there are enough projects");
    rig_database(&rig, A_HUNDRED
                 "INSERT INTO invitations (invitation_id, account_id, email, role, hash, mailed, created_ms, expires_ms)"
                 " SELECT 'ivt_' || i, account_id, i || '@example.com', 'viewer', randomblob(32), 0, 1, 1 << 50"
                 " FROM n, users WHERE users.email = 'owner@example.com'");
    said(ask(&owner, NULL, "POST", "/v1/invitations", "{\"email\":\"more@example.com\",\"role\":\"viewer\"}"), 409,
         "\"quota\":\"invitations_max\"", "and invitations");
    rig_database(&rig, "DELETE FROM invitations WHERE invitation_id > 'ivt_3'");
    rig_database(&rig, A_HUNDRED "INSERT INTO members (member_id, user_id, project_id, role, created_ms)"
                       " SELECT 'mem_' || i || 'x' || j, user_id, 'prj_' || i || 'x' || j, 'viewer', 1 FROM n, users,"
                       " (SELECT 1 AS j UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) WHERE email = 'owner@example.com'");
    said(ask(&owner, NULL, "POST", "/v1/invitations", "{\"email\":\"more@example.com\",\"role\":\"viewer\"}"), 409,
         "\"quota\":\"members_max\",\"limit\":500", "and members, with those who may still come");
}

/* As the api does when it starts. */
static void forgotten(void)
{
    static const char waiting[] = "SELECT count(*) FROM invitations";

    ok(rig_rows(&rig, "db/api.db", waiting) > 0, "invitations wait");
    rig_api_stop(&rig, SIGTERM);
    rig_database(&rig, "UPDATE invitations SET expires_ms = 1000");
    rig_api_start(&rig);
    rig_api_stop(&rig, SIGTERM);
    ok_int(rig_rows(&rig, "db/api.db", waiting), 0, "those that are long over are forgotten");
    rig_api_start(&rig);
}

int main(void)
{
    rig_start(&rig);
    owner = rig_signup(&rig, "owner@example.com", PASSWORD);
    rig_signup(&rig, "stranger@example.com", PASSWORD);
    money_give();
    founded();
    things_apart();
    snapshots_follow();
    events_apart();
    keys_bound();
    roles_given();
    invitations();
    roles_apart();
    owners_stay();
    leaving();
    too_many();
    forgotten();
    rig_end(&rig);
    return tap_end();
}
