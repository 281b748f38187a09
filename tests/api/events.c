/* Events: pages and streams. What a stream tells over any number of breaks, kills of the api among them, is what the
 * pages say, each event once and in order; a reader that does not read holds nobody up; limits hold; a stream ends
 * with its key and with the api. */
#include "common/db.h"
#include "common/id.h"
#include "common/json.h"
#include "tests/api/follower.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANY 20000
#define FULL 200

static struct rig rig;
static char key[64], account[40], other_key[64], other_account[40];

static void key_add(const char *with_key, const char *name, char text[static 64], char id[static 40])
{
    char idem[ID_BYTES], body[128];
    struct response answer;

    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    answer = rig_post(&rig, with_key, "/v1/keys", id_make("tst_", idem), body);
    if (answer.status != 201)
        tap_bail("no key: %d %s", answer.status, answer.text);
    snprintf(text, 64, "%s", answer_text_of(&answer, "key"));
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

/* The seqs of all pages after this one. */
static size_t pages_read(int64_t after, int64_t *seqs, size_t max)
{
    json_t *next = json_integer(after), *event;
    struct response answer;
    size_t count = 0, i;
    char path[96];

    while (json_is_integer(next)) {
        snprintf(path, sizeof(path), "/v1/events?limit=200&after=%lld", (long long)json_integer_value(next));
        json_decref(next);
        answer = rig_get(&rig, key, path);
        json_array_foreach(json_object_get(answer.json, "data"), i, event)
            if (count < max)
                seqs[count++] = json_integer_value(json_object_get(event, "seq"));
        next = json_incref(json_object_get(answer.json, "next_cursor"));
        answer_free(&answer);
    }
    json_decref(next);
    return count;
}

static const char *event_text(const struct response *answer, size_t i, const char *field)
{
    return json_text(json_array_get(json_object_get(answer->json, "data"), i), field);
}

static void pages(void)
{
    struct response answer;
    char text[64], id[40], first[40];

    key_add(key, "first", text, first);
    key_add(key, "second", text, id);
    answer = rig_get(&rig, key, "/v1/events?order=newest&limit=2");
    ok_text(event_text(&answer, 0, "type"), "key.created", "the newest event is of the newest key");
    ok_text(event_text(&answer, 0, "object"), id, "and names it");
    ok_text(event_text(&answer, 1, "object"), first, "the one before it follows");
    ok(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "customer_id") == NULL,
       "a customer is not told whose it is");
    answer_free(&answer);
    answer = rig_get(&rig, other_key, "/v1/events");
    ok(!strstr(answer.text, first), "another customer sees nothing of it");
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/keys", "scoped", "{\"name\":\"s\",\"scopes\":[\"instances:read\"]}");
    snprintf(text, sizeof(text), "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
    answer = rig_get(&rig, text, "/v1/events");
    ok(answer.status == 200 && !strstr(answer.text, "key."), "nor does a key that may not read keys");
    answer_free(&answer);
    answer = rig_get(&rig, rig.operator_key, "/v1/admin/events?order=newest");
    ok(strstr(answer.text, first) && strstr(answer.text, account), "operators see it, and whose it is");
    answer_free(&answer);
    answer = rig_get(&rig, rig.operator_key, "/v1/admin/events");
    ok(strstr(answer.text, "operator_key.created") != NULL, "and what is the host's own");
    answer_free(&answer);
}

struct writer {
    pthread_t thread;
    int count;
};

static void *write_many(void *arg)
{
    struct writer *writer = arg;

    for (int i = 0; i < writer->count;) {
        char idem[32];
        struct response answer;

        snprintf(idem, sizeof(idem), "w-%d-%d", writer->count, i);
        answer = rig_post(&rig, key, "/v1/keys", idem, "{\"name\":\"w\"}");
        i += answer.status == 201;
        answer_free(&answer);
    }
    return NULL;
}

/* Follows a writer, breaks off again and again, the api being killed now and then, and compares with the pages. */
static void replay(int count, int kills)
{
    static int64_t told[4000];
    struct writer writer = { .count = count };
    struct follower f = { .last = 0 };
    int64_t begin, until_s = now_s() + FOLLOWER_PATIENCE_S;
    size_t pages_count, breaks = 0;

    pages_count = pages_read(0, told, 4000);
    begin = f.last = told[pages_count - 1];
    pthread_create(&writer.thread, NULL, write_many, &writer);
    while (f.count < (size_t)count && now_s() < until_s) {
        size_t stop_at = f.count + 1 + breaks * 7 % 13;

        follow(&rig, &f, "/v1/events", key, f.last);
        while (f.count < stop_at && f.count < (size_t)count && !f.ended && now_s() < until_s)
            turn();
        leave(&f);
        breaks++;
        if (kills > 0 && breaks % 3 == 0) {
            rig_api_stop(&rig, SIGKILL);
            rig_api_start(&rig);
            kills--;
        }
    }
    pthread_join(writer.thread, NULL);
    pages_count = pages_read(begin, told, 4000);
    ok(f.count >= (size_t)count && breaks > 10, "%zu events came in %zu pieces", f.count, breaks);
    ok(!f.disordered, "in order, none twice");
    ok(pages_count == f.count && memcmp(told, f.seqs, f.count * sizeof(*told)) == 0, "and they are those of the pages");
    forget(&f);
}

/* So many events that no socket's buffer holds them, put into the database. */
static int64_t many_put(void)
{
    char path[256];
    int64_t newest = 0;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/db/api.db", rig.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 5000) != SQLITE_OK || db_begin(db) != 0 ||
        db_int(db, &newest, "SELECT max(seq) FROM events", "") != 1)
        tap_bail("no database");
    for (int i = 0; i < MANY; i++)
        if (db_run(db, "INSERT INTO events (account_id, at_ms, type, object, scope, data) VALUES (?, ?, 'test.event', "
                       "'tst_1', 0, json_object('text', hex(zeroblob(200))))", "ti", account, (int64_t)time(NULL) * 1000))
            tap_bail("no events");
    if (db_commit(db) != 0)
        tap_bail("no events");
    db_close(db);
    return newest;
}

static void slow_reader(void)
{
    struct follower f[2] = { { .paused = true }, { .paused = false } };
    int64_t begin = many_put(), begun_s;
    struct response answer;
    int honest = 0;

    follow(&rig, &f[0], "/v1/events", key, begin);
    follow(&rig, &f[1], "/v1/events", key, begin);
    begun_s = now_s();
    ok(await_events(&f[1], 1, MANY) && f[1].count == MANY && !f[1].disordered,
       "%d events reach who reads, beside one who does not (%lld s)", MANY, (long long)(now_s() - begun_s));
    for (int i = 0; i < 20; i++) {
        answer = rig_get(&rig, key, "/v1/account");
        honest += answer.status == 200;
        answer_free(&answer);
    }
    ok_int(honest, 20, "requests are answered meanwhile");
    ok_int((long long)f[0].count, 0, "who does not read has got none");
    go_on(&f[0]);
    ok(await_events(&f[0], 1, MANY) && f[0].count == MANY && !f[0].disordered, "and all of them when it reads");
    forget(&f[0]);
    forget(&f[1]);
}

static int threads_of(pid_t pid)
{
    char path[64];
    int count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void full_house(void)
{
    static struct follower f[FULL], more[2];
    static char keys[FULL / 4 + 1][64];
    char id[40], text[64];
    int before = threads_of(rig.api), got = 0;

    for (int i = 0; i <= FULL / 4; i++)
        key_add(key, "full", keys[i], id);
    for (int i = 0; i < FULL; i++)
        follow(&rig, &f[i], "/v1/events", keys[i / 4], -1);
    ok(await_greeting(f, FULL), "%d streams are open", FULL);
    ok_int(threads_of(rig.api), before, "without a thread more");
    follow(&rig, &more[0], "/v1/events", keys[FULL / 4], -1);
    ok(await_events(more, 1, 1), "one more is answered");
    ok_int(more[0].status, 503, "to come later");
    leave(&f[0]);
    leave(&f[1]);
    key_add(key, "told", text, id);
    ok(await_events(f + 2, FULL - 2, 1), "each is told of the next event");
    for (int i = 2; i < FULL; i++)
        got += f[i].count == 1 && !f[i].ended;
    ok_int(got, FULL - 2, "once");
    follow(&rig, &more[1], "/v1/events", keys[1], -1);
    ok(await_events(more + 1, 1, 1), "a fifth stream of one key is answered");
    ok_int(more[1].status, 429, "that it is too many");
    ok_int(rig_api_stop(&rig, SIGTERM), 0, "the api ends in order beside them");
    ok(await_events(f + 2, FULL - 2, 1000), "and they with it");
    for (int i = 0; i < FULL; i++)
        i < 2 ? free(f[i].seqs) : forget(&f[i]);
    forget(&more[0]);
    forget(&more[1]);
    rig_api_start(&rig);
}

static void key_expire(const char *id)
{
    char path[256];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/db/api.db", rig.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 5000) != SQLITE_OK ||
        db_run(db, "UPDATE keys SET expires_ms = 1000 WHERE key_id = ?", "t", id) != 0)
        tap_bail("cannot expire a key");
    db_close(db);
}

/* Revoked in the middle: the stream says so and ends. And a silent one lets hear that it is there. */
static void life(void)
{
    struct follower f[3] = { { .last = 0 }, { .last = 0 }, { .last = 0 } };
    int64_t until_s = now_s() + 35;
    char text[64], id[40], path[64], expiring[64], expiring_id[40];
    struct response answer;

    key_add(key, "life", text, id);
    follow(&rig, &f[0], "/v1/events", text, -1);
    follow(&rig, &f[1], "/v1/events", other_key, -1);
    key_add(key, "expires", expiring, expiring_id);
    follow(&rig, &f[2], "/v1/events", expiring, -1);
    ok(await_greeting(f, 3), "three streams");
    key_expire(expiring_id);
    snprintf(path, sizeof(path), "/v1/keys/%s", id);
    answer = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key });
    ok_int(answer.status, 204, "a key is revoked");
    answer_free(&answer);
    ok(await_events(f, 1, 1000) && f[0].ended && f[0].count == 1, "its stream tells that, and ends");
    while (f[1].comments == 0 && !f[1].ended && now_s() < until_s)
        turn();
    while (!f[2].ended && now_s() < until_s)
        turn();
    ok(f[2].ended, "a key that expired ends its stream");
    ok(f[1].comments > 0 && f[1].count == 0, "a stream on which nothing happens says so, and stays");
    forget(&f[0]);
    forget(&f[1]);
    forget(&f[2]);
}

int main(void)
{
    rig_start(&rig);
    rig_port_keep(&rig); /* so that the writer finds the next api */
    rig_customer(&rig, "main", key, account);
    rig_customer(&rig, "other", other_key, other_account);
    pages();
    replay(200, 0);
    replay(201, 8);
    slow_reader();
    full_house();
    life();
    followers_end();
    rig_end(&rig);
    return tap_end();
}
