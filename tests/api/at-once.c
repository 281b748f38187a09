/* Answers that libmicrohttpd's thread makes itself, or repeats: to the right one, never an old one, counted once, and
 * nobody waits for a writer who waits for the disk. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS 100
#define LINE  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS"
#define LIST  "/v1/ssh_keys"

static struct rig rig;
static char key[64], account[40], other[64], other_account[40];

static void same(const char *path)
{
    struct response first = rig_get(&rig, key, path), again = rig_get(&rig, key, path);

    ok(first.status == 200 && again.status == 200 && first.size && strcmp(first.text, again.text) == 0,
       "%s is repeated as it was", path);
    ok(strcmp(answer_header(&first, "x-request-id"), answer_header(&again, "x-request-id")) != 0 &&
           strcmp(answer_header(&first, "content-type"), answer_header(&again, "content-type")) == 0 &&
           *answer_header(&again, "ratelimit-limit"),
       "as an answer of its own");
    answer_free(&first);
    answer_free(&again);
}

/* Makes a key of the account by `maker`; its secret and id. */
static void key_make(const char *maker, const char *body, const char *idem, char secret[static 64], char id[static 40])
{
    struct response answer = rig_post(&rig, maker, "/v1/keys", idem, body);

    ok_int(answer.status, 201, "%s is made", body);
    snprintf(secret, 64, "%s", answer_text_of(&answer, "key"));
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void ssh_key_make(const char *maker, const char *name, const char *idem)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"public_key\":\"" LINE "\"}", name);
    said(rig_post(&rig, maker, LIST, idem, body), 201, name, "an SSH key");
}

static void never_old(void)
{
    char second[64], id[40], path[80], words[64], rename[192];

    said(rig_get(&rig, key, LIST), 200, "\"data\":[]", "a list is asked for");
    ssh_key_make(key, "everywhere", "once-s");
    said(rig_get(&rig, key, LIST), 200, "\"everywhere\"", "what was made since then is in it");
    key_make(key, "{\"name\":\"second\"}", "once-1", second, id);
    said(rig_get(&rig, second, "/v1/account"), 200, id, "and its own answer is about itself");
    said(rig_get(&rig, key, "/v1/account"), 200, account, "the other's about the other");
    snprintf(path, sizeof(path), "/v1/keys/%s", id);
    said(rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key }), 204, "", "it is revoked");
    said(rig_get(&rig, second, "/v1/account"), 401, "key_revoked", "and asks no more");
    snprintf(words, sizeof(words), "outside-%s", account + 30);
    snprintf(rename, sizeof(rename), "UPDATE customers SET name = '%s' WHERE account_id = '%s'", words, account);
    rig_database(&rig, rename);
    for (bool seen = false; !seen;) {
        struct response answer = rig_get(&rig, key, "/v1/account");

        seen = strcmp(answer_text_of(&answer, "name"), words) == 0;
        if (answer.status != 200)
            tap_bail("the account is gone");
        answer_free(&answer);
    }
    ok(true, "what is changed from outside is seen too");
}

static void each_their_own(void)
{
    static const char csv[] = "Accept: text/csv";
    char bound[64], id[40], project[40], body[128], header[80];
    struct response answer = rig_post(&rig, key, "/v1/projects", "once-p", "{\"name\":\"shop\"}");

    ok_int(answer.status, 201, "a project is made");
    snprintf(project, sizeof(project), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"name\":\"bound\",\"project_id\":\"%s\"}", project);
    key_make(key, body, "once-b", bound, id);
    ssh_key_make(bound, "in-shop", "once-k");
    snprintf(header, sizeof(header), "X-Project: prj_%s", account + 4);

    said(rig_get(&rig, key, LIST), 200, "\"in-shop\"", "the account's key sees all");
    answer = rig_call(&rig, &(struct call){ .method = "GET", .path = LIST, .key = key, .header = header });
    ok(answer.status == 200 && !strstr(answer.text, "\"in-shop\""), "in one project not what is in another");
    answer_free(&answer);
    said(rig_get(&rig, bound, LIST), 200, "\"in-shop\"", "who is bound to that sees it");
    answer = rig_get(&rig, other, LIST);
    ok(answer.status == 200 && !strstr(answer.text, "\"in-shop\""), "another account sees its own");
    answer_free(&answer);
    answer = rig_call(&rig, &(struct call){ .method = "GET", .path = LIST, .key = key, .header = csv });
    ok(answer.status == 200 && strncmp(answer_header(&answer, "content-type"), "text/csv", 8) == 0 && answer.text[0] != '{',
       "who wants CSV gets CSV");
    answer_free(&answer);
    said(rig_get(&rig, key, LIST "?limit=1"), 400, "no such query", "and a query is still looked at");
}

/* After a start nothing is known of the daemons: the request runs twice, the second time by a worker. */
static void counted_once(void)
{
    struct response answer;

    ok_int(rig_api_stop(&rig, SIGTERM), 0, "it stops");
    rig_config_set(&rig, "limits.anonymous_per_s", "1");
    rig_api_start(&rig);
    answer = rig_get(&rig, NULL, "/healthz");
    ok_int(answer.status, 200, "/healthz");
    ok_int(atol(answer_header(&answer, "ratelimit-remaining")), atol(answer_header(&answer, "ratelimit-limit")) - 1,
           "what a worker finishes counts once");
    answer_free(&answer);
    ok_int(rig_api_stop(&rig, SIGTERM), 0, "it stops");
    rig_config_set(&rig, "limits.anonymous_per_s", "10000");
    rig_api_start(&rig);
}

struct caller {
    pthread_t thread;
    struct call call;
    int status;
};

static void *caller_run(void *arg)
{
    struct caller *caller = arg;
    struct response answer = rig_call(&rig, &caller->call);

    caller->status = answer.status;
    answer_free(&answer);
    return NULL;
}

/* Who holds the database keeps the api's writer waiting, and the store with it. */
static void nobody_waits(void)
{
    struct caller writer = { .call = { "POST", "/v1/keys", key, "{\"name\":\"waits\"}", .idem = "once-w" } };
    struct caller reader = { .call = { "GET", LIST, key } };
    char path[160];
    sqlite3 *db;
    int well = 0;

    snprintf(path, sizeof(path), "%s/db/api.db", rig.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 5000) != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        tap_bail("the database cannot be held");
    pthread_create(&writer.thread, NULL, caller_run, &writer);
    pthread_create(&reader.thread, NULL, caller_run, &reader);
    for (int i = 0; i < LOOKS; i++) {
        struct response answer = rig_get(&rig, NULL, "/healthz");

        well += answer.status == 200;
        answer_free(&answer);
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    pthread_join(writer.thread, NULL);
    pthread_join(reader.thread, NULL);
    sqlite3_close(db);
    ok_int(well, LOOKS, "while a writer waits for the disk others are answered");
    ok_int(writer.status, 201, "before it gives up");
    ok_int(reader.status, 200, "and who needs the database is answered by a worker");
}

int main(void)
{
    rig_start(&rig);
    rig_customer(&rig, "first", key, account);
    rig_customer(&rig, "other", other, other_account);
    same("/v1/account");
    same(LIST);
    same("/v1/projects");
    never_old();
    each_their_own();
    counted_once();
    nobody_waits();
    rig_end(&rig);
    return tap_end();
}
