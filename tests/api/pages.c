/* Lists and events take what a page takes: with a hundred times the rows SQLite does as many steps for a page, and no
 * statement behind a list walks a table that grows or sorts it. What is looked at are the statements that the api
 * really prepares (tests/tap/plan_spy.h). */
#include "api/route.h"
#include "common/db.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"
#include "tests/tap/plan_spy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FEW 6000                        /* more than an event page looks at */
#define MANY 100000
#define GROWS_MAX 200                   /* steps: an index that is a level deeper */

static struct rig rig;
static char key[64], narrow[64], placed[64], account[40], webhook[40], project[40], spied[200];

/* Who asks, and how many things a page must at least show: a key that may see one event in a hundred gets short ones. */
static const struct {
    const char *path;
    const char *who;
    size_t shown;
} lists[] = {
    { "/v1/events?limit=50", key, 50 },
    { "/v1/events?limit=50&order=newest", key, 50 },
    { "/v1/events?limit=50&after=500", key, 50 },
    { "/v1/events?limit=50", narrow, 10 },
    { "/v1/events?limit=50&order=newest", narrow, 10 },
    { "/v1/events?limit=50&after=1000", placed, 0 },
    { "/v1/events?limit=50&order=newest", placed, 0 },
    { "/v1/audit_events?limit=50", key, 50 },
    { "/v1/audit_events?limit=50&order=newest", key, 50 },
    { "/v1/webhooks/%s/deliveries?limit=50", key, 50 },
    { "/v1/admin/events?limit=50", rig.operator_key, 50 },
    { "/v1/admin/events?limit=50&order=newest", rig.operator_key, 50 },
    { "/v1/admin/events?limit=50&customer_id=acc_77777777777777777777777777", rig.operator_key, 0 },
    { "/v1/admin/audit?limit=50&order=newest", rig.operator_key, 50 },
    { "/v1/admin/audit?limit=10&object=object-7", rig.operator_key, 10 },
    { "/v1/admin/audit?limit=10&actor=key_7", rig.operator_key, 1 },
    { "/v1/admin/customers?limit=50", rig.operator_key, 50 },
    { "/v1/admin/customers?limit=50&after=2000", rig.operator_key, 50 },
    { "/v1/keys?limit=50", key, 50 },
    { "/v1/keys?limit=50&after=2000", key, 50 },
    { "/v1/keys?limit=50", placed, 50 },
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* Of other customers too: who asks must not pay for their rows either. */
static void fill(long from, long to)
{
    static const char *const inserts[] = {
        "INSERT INTO keys (key_id, account_id, name, hash, scopes, created_ms, project_id, number)"
        " SELECT 'key_' || n, account_id, 'k', randomblob(32), 1, n, iif(n %% 100, '', project_id), n + 100 FROM numbers,"
        " projects WHERE project_id = '%s'",
        "DELETE FROM events WHERE type = 'key.created'",
        "INSERT INTO events (account_id, at_ms, type, object, scope, data)"
        " SELECT iif(n %% 2, '%s', 'acc_other'), strftime('%%s', 'now') * 1000, 'test.made', 'object-' || n, iif(n %% 100 = 1, 0, 1), '{}' FROM numbers",
        "INSERT INTO audit (at_ms, actor_type, actor_id, account_id, peer, request_id, action, object, status, reason, hash)"
        " SELECT n, 'key', 'key_' || n, iif(n %% 2, '%s', 'acc_other'), '::1', 'req_' || n, 'POST /v1/x', 'object-' || (n %% 100), 201,"
        " '', x'00' FROM numbers",
        "INSERT INTO deliveries (webhook_id, event_seq, state, due_ms, created_ms)"
        " SELECT '%s', n, 'delivered', n, strftime('%%s', 'now') * 1000 FROM numbers",
        "INSERT INTO customers (account_id, name, currency, created_ms, confirmed, number)"
        " SELECT 'acc_%s' || n, 'c', 'EUR', n, 1, n + 10 FROM numbers",
    };
    const char *const about[] = { project, "", account, account, webhook, "n" };

    for (size_t i = 0; i < sizeof(inserts) / sizeof(inserts[0]); i++) {
        char sql[900];
        int used = snprintf(sql, sizeof(sql), "WITH RECURSIVE numbers (n) AS (SELECT %ld UNION ALL"
                                              " SELECT n + 1 FROM numbers WHERE n < %ld) ", from, to);

        snprintf(sql + used, sizeof(sql) - (size_t)used, inserts[i], about[i]);
        rig_database(&rig, sql);
    }
}

/* The steps of the longest statement. */
static long steps_of(size_t list, long *spied_to)
{
    char path[160];
    struct response answer;
    size_t shown;

    snprintf(path, sizeof(path), strstr(lists[list].path, "%s") ? "/v1/webhooks/%s/deliveries?limit=50" : "%s",
             strstr(lists[list].path, "%s") ? webhook : lists[list].path);
    plan_spy_steps(spied, spied_to);
    answer = rig_get(&rig, lists[list].who, path);
    shown = json_array_size(json_object_get(answer.json, "data"));
    if (answer.status != 200 || shown < lists[list].shown)
        tap_bail("%s: %d %zu %.300s", path, answer.status, shown, answer.text);
    answer_free(&answer);
    return plan_spy_steps(spied, spied_to);
}

static void growing(void)
{
    long few[LISTS], spied_to = 0;

    fill(1, FEW);
    for (size_t i = 0; i < LISTS; i++)
        few[i] = steps_of(i, &spied_to);
    fill(FEW + 1, MANY);
    for (size_t i = 0; i < LISTS; i++) {
        long many = steps_of(i, &spied_to);

        ok(few[i] > 0 && many <= few[i] + GROWS_MAX, "%s: %ld steps of %d rows, %ld of %d", lists[i].path, few[i], FEW,
           many, MANY);
    }
}

static const char *who(const struct route *route)
{
    return strncmp(route->pattern, "/v1/admin/", 10) == 0 ? rig.operator_key : key;
}

/* Each parameter that the route knows, one at a time. */
static void with_parameters(const struct route *route)
{
    static const char *const values[][2] = {
        { "after", "1" }, { "limit", "5" }, { "order", "newest" }, { "customer_id", account }, { "actor", "key_7" },
        { "object", "object-7" }, { "label", "a=b" }, { "standing", "true" },
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char path[200];
        struct response answer;

        if (!route_knows_query(route, values[i][0]))
            continue;
        snprintf(path, sizeof(path), "%s?%s=%s", route->pattern, values[i][0], values[i][1]);
        answer = rig_get(&rig, who(route), path);
        if (answer.status >= 500)
            tap_bail("%s: %d %.300s", path, answer.status, answer.text);
        answer_free(&answer);
    }
}

/* All things of a list, from cursor to cursor, `limit` at a time. */
static json_t *followed(const struct route *route, const char *instance, int limit)
{
    json_t *all = json_array(), *next = json_integer(-1);

    while (json_is_integer(next)) {
        char path[256];
        size_t used = (size_t)snprintf(path, sizeof(path), "%s?limit=%d", route->pattern, limit);
        struct response answer;

        if (json_integer_value(next) >= 0)
            used += (size_t)snprintf(path + used, sizeof(path) - used, "&after=%lld", (long long)json_integer_value(next));
        if (route_knows_query(route, "instance_id"))
            snprintf(path + used, sizeof(path) - used, "&instance_id=%s", instance);
        json_decref(next);
        answer = rig_get(&rig, who(route), path);
        if (answer.status != 200)
            tap_bail("%s: %d %.300s", path, answer.status, answer.text);
        json_array_extend(all, json_object_get(answer.json, "data"));
        next = json_incref(json_object_get(answer.json, "next_cursor"));
        answer_free(&answer);
    }
    json_decref(next);
    return all;
}

/* While there is little: pages of one, of two, and all at once say the same, each thing once and in the same order. */
static void whole(void)
{
    char instance[40];
    int lists_seen = 0, things = 0;

    rig_instance(&rig, key, "whole", instance);
    for (unsigned i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];
        json_t *at_once, *by_one, *by_two;

        if (strchr(route->pattern, '{') || !route_knows_query(route, "after") || !route_knows_query(route, "limit"))
            continue;
        at_once = followed(route, instance, 200);
        by_one = followed(route, instance, 1);
        by_two = followed(route, instance, 2);
        ok(json_equal(at_once, by_one) && json_equal(at_once, by_two), "%s: %zu things, each once, %zu and %zu by pages",
           route->pattern, json_array_size(at_once), json_array_size(by_one), json_array_size(by_two));
        lists_seen++;
        things += json_array_size(at_once) > 2;
        json_decref(at_once);
        json_decref(by_one);
        json_decref(by_two);
    }
    ok(lists_seen > 10 && things >= 4, "%d lists were followed, %d of them over several pages", lists_seen, things);
}

/* What one customer can have only so many of, or the host: quotas and people bound them. */
static const char *const bounded[] = { "operators", "operator_keys", "ssh_keys", "webhooks", "w",
                                       "projects",  "members",       "invitations", "event_cursors", NULL };

static void planned(void)
{
    struct response answer;
    int64_t ignored;
    char path[256];
    sqlite3 *db;

    for (unsigned i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];

        if (strcmp(route->method, "GET") != 0 || strchr(route->pattern, '{') || strncmp(route->pattern, "/v1/", 4) != 0)
            continue;
        answer = rig_get(&rig, who(route), route->pattern);
        answer_free(&answer);
        with_parameters(route);
    }
    ok_int(plan_spy_bad(spied, bounded), 0, "no statement of the api walks or sorts a table that grows");
    snprintf(path, sizeof(path), "%s/db/api.db", rig.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        tap_bail("%s", path);
    db_int(db, &ignored, "SELECT seq FROM events WHERE type = 'test.none'", "");
    db_int(db, &ignored, "SELECT number FROM deliveries WHERE webhook_id = 'x' ORDER BY took_ms", "");
    db_close(db);
    ok_int(plan_spy_bad(spied, bounded), 2, "one that does is seen");
}

/* A key with no more than these. */
static void key_of(const char *body, char text[static 64])
{
    struct response answer = rig_post(&rig, key, "/v1/keys", body, body);

    if (answer.status != 201)
        tap_bail("%s: %d %s", body, answer.status, answer.text);
    snprintf(text, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
}

static void webhook_make(void)
{
    struct response answer = rig_post(&rig, key, "/v1/webhooks", "webhook",
                                      "{\"url\":\"https://hooks.example/x\",\"types\":[\"instance.*\"]}");

    snprintf(webhook, sizeof(webhook), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void placed_make(void)
{
    struct response answer = rig_post(&rig, key, "/v1/projects", "project", "{\"name\":\"apart\"}");
    char body[200];

    snprintf(project, sizeof(project), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"name\":\"placed\",\"scopes\":[\"instances:read\",\"keys:read\"],\"project_id\":\"%s\"}",
             project);
    key_of(body, placed);
}

int main(void)
{
    snprintf(spied, sizeof(spied), "/tmp/xs-api-plans-%d", (int)getpid());
    setenv("XS_PLAN_SPY", spied, 1);
    rig_api = "tests/api/xs-api-spied";
    rig_start(&rig);
    rig_customer(&rig, "pages", key, account);
    key_of("{\"name\":\"narrow\",\"scopes\":[\"volumes:read\"]}", narrow);
    webhook_make();
    placed_make();
    whole();
    growing();
    planned();
    rig_end(&rig);
    unlink(spied);
    return tap_end();
}
