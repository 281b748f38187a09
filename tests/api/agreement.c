/* openapi.yaml, route.c and reply.c say the same, in both directions; the
 * migrations give the schema. */
#include "api/asset.h"
#include "api/reply.h"
#include "api/route.h"
#include "schema/api.h"
#include "tests/api/contract.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *operation(const json_t *contract, const struct route *route)
{
    char lower[16] = "";

    for (size_t i = 0; route->method[i]; i++)
        lower[i] = (char)(route->method[i] | 0x20);
    return json_object_get(json_object_get(json_object_get(contract, "paths"), route->pattern), lower);
}

/* Whether the operation has this parameter, by the last part of its reference. */
static bool has_parameter(const json_t *operation, const char *name)
{
    json_t *parameter;
    size_t i;

    json_array_foreach(json_object_get(operation, "parameters"), i, parameter) {
        const char *ref = json_string_value(json_object_get(parameter, "$ref"));

        if (ref && strcmp(strrchr(ref, '/') + 1, name) == 0)
            return true;
    }
    return false;
}

static bool scope_agrees(const struct route *route, const json_t *op)
{
    const char *scope = json_string_value(json_object_get(op, "x-scope"));
    const char *least = json_string_value(json_object_get(op, "x-least-role"));
    unsigned column = route->scope & ~SCOPE_FLAGS;

    if (json_is_true(json_object_get(op, "x-session")) != ((route->scope & SESSION_ONLY) != 0))
        return false;
    if (json_is_true(json_object_get(op, "x-account-wide")) != ((route->scope & ACCOUNT_WIDE) != 0))
        return false;
    if (route->who == ROLE_OPERATOR)
        return column && !scope && least && rank_parse(least) == column;
    for (unsigned i = 0; scope_names[i]; i++)
        if (column == 1u << i)
            return !least && scope && strcmp(scope, scope_names[i]) == 0;
    return !scope && !least;
}

static bool role_agrees(const struct route *route, const json_t *op)
{
    const char *role = json_string_value(json_object_get(op, "x-role"));
    const char *want = route->who & ROLE_ANONYMOUS ? "anyone" : route->who == ROLE_OPERATOR ? "operator" : "customer";

    return role && strcmp(role, want) == 0;
}

/* Every word of the table is a parameter of the operation, and every query parameter there can be is in both or neither. */
static bool query_agrees(const json_t *contract, const struct route *route, const json_t *op)
{
    const char *words = route->query ? route->query : "", *name;
    json_t *parameter;
    char word[32];

    for (; *words; words += strspn(words, " ")) {
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(words, " "), words);
        words += strcspn(words, " ");
        if (!has_parameter(op, word))
            return false;
    }
    json_object_foreach(json_object_get(json_object_get(contract, "components"), "parameters"), name, parameter) {
        const char *in = json_string_value(json_object_get(parameter, "in"));

        if (in && strcmp(in, "query") == 0 && route_knows_query(route, name) != has_parameter(op, name))
            return false;
    }
    return true;
}

/* Whether what it answers is a list. */
static bool is_list(const json_t *contract, const json_t *op)
{
    json_t *ok = json_object_get(json_object_get(op, "responses"), "200");
    json_t *schema = json_object_get(json_object_get(json_object_get(ok, "content"), "application/json"), "schema");
    const char *ref = json_string_value(json_object_get(schema, "$ref"));

    if (ref)
        schema = json_object_get(json_object_get(json_object_get(contract, "components"), "schemas"), strrchr(ref, '/') + 1);
    return json_object_get(json_object_get(schema, "properties"), "next_cursor") != NULL;
}

static void list_check(const json_t *contract, const struct route *route, const json_t *op)
{
    bool paged = has_parameter(op, "after") && has_parameter(op, "limit"), bound = json_object_get(op, "x-bound") != NULL;

    if (is_list(contract, op))
        ok(paged + bound == 1 && (bound || route->thread != AT_ONCE),
           "%s %s: a list has pages, or the contract says what bounds it; the thread that serves all makes no other", route->method,
           route->pattern);
    else
        ok(!bound, "%s %s: no list, nothing to bound", route->method, route->pattern);
}

static void route_check(const json_t *contract, const struct route *route)
{
    const json_t *op = operation(contract, route);

    if (!ok(op != NULL, "%s %s is in the contract", route->method, route->pattern))
        return;
    ok(role_agrees(route, op), "%s %s: same role", route->method, route->pattern);
    ok(scope_agrees(route, op), "%s %s: same scope", route->method, route->pattern);
    list_check(contract, route, op);
    ok(query_agrees(contract, route, op), "%s %s: same query parameters", route->method, route->pattern);
    ok((route->body != BODY_NONE) == (json_object_get(op, "requestBody") != NULL), "%s %s: same about a body", route->method,
       route->pattern);
    ok((route->key == KEY_REQUIRED) == has_parameter(op, "idempotency") &&
           (route->key == KEY_OPTIONAL) == has_parameter(op, "idempotency_optional"),
       "%s %s: same about the Idempotency-Key", route->method, route->pattern);
    ok(!strstr(route->pattern, "{id}") || has_parameter(op, "id"), "%s %s: the contract names {id}", route->method,
       route->pattern);
}

static void paths_check(const json_t *contract)
{
    const char *path, *method;
    json_t *methods, *op;

    json_object_foreach(json_object_get(contract, "paths"), path, methods)
        json_object_foreach(methods, method, op) {
            bool found = false;

            for (unsigned i = 0; i < routes_count; i++)
                found |= strcmp(routes[i].pattern, path) == 0 && strcasecmp(routes[i].method, method) == 0;
            ok(found, "the contract's %s %s is in the table", method, path);
        }
}

static void codes_check(const json_t *contract)
{
    const json_t *code = json_object_get(json_object_get(json_object_get(contract, "components"), "schemas"), "ProblemCode");
    const json_t *list = json_object_get(code, "enum");
    const char *words = json_string_value(json_object_get(code, "description"));
    size_t problems = 0;

    for (int answer = 0; answer < ANSWER_COUNT; answer++) {
        json_t *name = answer_code(answer) ? json_string(answer_code(answer)) : NULL;
        bool found = false;

        for (size_t i = 0; name && i < json_array_size(list); i++)
            found |= json_equal(json_array_get(list, i), name) != 0;
        if (name) {
            problems++;
            ok(found && words && strstr(words, answer_code(answer)), "the contract lists %s", answer_code(answer));
        }
        json_decref(name);
    }
    ok_int((long long)json_array_size(list), (long long)problems, "the contract lists no code that is never given");
}

/* sqlite_schema after some SQL, one text. */
static char *shape(const struct db_migration *migrations, unsigned count)
{
    sqlite3 *db = db_open(":memory:", migrations, count);
    sqlite3_stmt *stmt = db_query(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name", "");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    while (db_next(stmt) == 1)
        fprintf(out, "%s\n", (const char *)sqlite3_column_text(stmt, 0));
    fclose(out);
    db_end(stmt);
    db_close(db);
    return text;
}

/* A key that could do everything before there were volumes still can; one with fewer scopes gains none. */
static void scopes_survive(void)
{
    char dir[] = "/tmp/xs-api-agreement-XXXXXX", path[64];
    int64_t all = 0, few = 0;
    sqlite3 *db;

    if (!mkdtemp(dir))
        tap_bail("%s", dir);
    snprintf(path, sizeof(path), "%s/api.db", dir);
    db = db_open(path, api_migrations, 1);
    db_run(db, "INSERT INTO customers (account_id, name, currency, created_ms) VALUES ('acc', 'n', 'EUR', 1)", "");
    db_run(db, "INSERT INTO keys (key_id, account_id, name, hash, scopes, created_ms) VALUES ('all', 'acc', 'n', x'01', 127, 1)", "");
    db_run(db, "INSERT INTO keys (key_id, account_id, name, hash, scopes, created_ms) VALUES ('few', 'acc', 'n', x'02', 3, 1)", "");
    db_close(db);
    db = db_open(path, api_migrations, sizeof(api_migrations) / sizeof(api_migrations[0]));
    db_int(db, &all, "SELECT scopes FROM keys WHERE key_id = 'all'", "");
    db_int(db, &few, "SELECT scopes FROM keys WHERE key_id = 'few'", "");
    db_close(db);
    ok_int(all, SCOPE_ALL, "a key with every scope has the new ones too");
    ok_int(few, 3, "a key with fewer has no more than before");
    snprintf(path, sizeof(path), "rm -r %s", dir);
    if (system(path) != 0)
        tap_bail("%s", path);
}

int main(void)
{
    json_t *contract;
    char *text, *today, *migrated;

    contract = contract_load(TOP_SRCDIR "/api/openapi.yaml");
    text = rig_file(TOP_SRCDIR "/api/openapi.yaml");
    ok(strlen(text) == (size_t)(asset_openapi_end - asset_openapi) && memcmp(text, asset_openapi, strlen(text)) == 0,
       "the contract inside the program is the file");
    for (unsigned i = 0; i < routes_count; i++)
        route_check(contract, &routes[i]);
    paths_check(contract);
    codes_check(contract);
    free(text);
    json_decref(contract);

    text = rig_file(TOP_SRCDIR "/schema/api/schema.sql");
    today = shape(&(struct db_migration){ .name = "schema.sql", .sql = text }, 1);
    migrated = shape(api_migrations, sizeof(api_migrations) / sizeof(api_migrations[0]));
    ok(strlen(today) > 100, "schema.sql makes tables");
    ok_text(migrated, today, "the migrations from empty give schema.sql");
    free(text);
    free(today);
    free(migrated);
    scopes_survive();
    return tap_end();
}
