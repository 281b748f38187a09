/* Name and labels of an instance: PATCH under If-Match loses nobody's change; lists by label. */
#include "common/json.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIVALS 8
#define ROUNDS 10

static struct rig rig;
static char key[64], account[40], id[40], path[64];

static struct response patch(const char *body, const char *tag)
{
    char header[64];

    snprintf(header, sizeof(header), "If-Match: %s", tag ? tag : "");
    return rig_call(&rig, &(struct call){ .method = "PATCH", .path = path, .key = key, .body = body,
                                          .header = tag ? header : NULL });
}

static void expect(const char *body, const char *tag, int status, const char *what)
{
    struct response answer = patch(body, tag);

    ok_int(answer.status, status, "%s", what);
    answer_free(&answer);
}

static void tag_now(char tag[static 24])
{
    struct response answer = rig_get(&rig, key, path);

    snprintf(tag, 24, "%s", answer_header(&answer, "etag"));
    answer_free(&answer);
}

static void one_after_the_other(void)
{
    struct response answer;
    char tag[24];

    tag_now(tag);
    ok_text(tag, "\"r1\"", "an instance has an ETag");
    answer = patch("{\"name\":\"renamed\",\"labels\":{\"env\":\"test\",\"team.x/y\":\"\"}}", tag);
    ok_int(answer.status, 200, "it is changed");
    ok_text(answer_text_of(&answer, "name"), "renamed", "its name");
    ok_text(json_text(json_object_get(answer.json, "labels"), "env"), "test", "and its labels");
    ok_text(answer_header(&answer, "etag"), "\"r2\"", "its ETag is another");
    answer_free(&answer);
    answer = patch("{\"name\":\"lost\"}", tag);
    ok_int(answer.status, 412, "who saw the old one is refused");
    ok_text(answer_text_of(&answer, "code"), "precondition_failed", "by this code");
    answer_free(&answer);
    expect("{\"labels\":{\"env\":\"live\"}}", "*", 200, "\"*\" is whatever it is");
    expect("{}", NULL, 200, "nobody has to say what they saw");
    answer = rig_get(&rig, key, path);
    ok_text(answer_text_of(&answer, "name"), "renamed", "what is not named stays");
    ok_int((long long)json_object_size(json_object_get(answer.json, "labels")), 1, "labels are set all at once");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/events?order=newest");
    ok(strstr(answer.text, "instance.changed") != NULL, "it is an event");
    answer_free(&answer);
}

static void selected(const char *query, int count)
{
    struct response answer;
    char list[96];

    snprintf(list, sizeof(list), "/v1/instances%s", query);
    answer = rig_get(&rig, key, list);
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), count, "%s: %d", list, count);
    answer_free(&answer);
}

static void selectors(void)
{
    struct response answer;

    selected("", 2);
    selected("?label=env", 1);
    selected("?label=env=live", 1);
    selected("?label=env=test", 0);
    selected("?label=other", 0);
    answer = rig_get(&rig, key, "/v1/instances?label=%3Dx");
    ok_int(answer.status, 422, "what is no selector is refused");
    answer_free(&answer);
}

static void refusals(void)
{
    char body[2000] = "{\"labels\":{", *at = body + strlen(body);

    expect("{\"name\":\"No Name\"}", NULL, 422, "a name that no host can have");
    expect("{\"labels\":[]}", NULL, 422, "labels that are no object");
    expect("{\"labels\":{\"a\":1}}", NULL, 422, "a value that is no string");
    expect("{\"labels\":{\"A B\":\"x\"}}", NULL, 422, "a key with letters that keys have not");
    expect("{\"labels\":{\"\":\"x\"}}", NULL, 422, "an empty key");
    expect("{\"labels\":{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123\"}}", NULL, 422,
           "a value of 64 bytes");
    expect("{\"flavor\":\"xs2\"}", NULL, 422, "what cannot be changed so");
    for (int i = 0; i < 16; i++)
        at += sprintf(at, "%s\"key-%02d-%040d\":\"%050d\"", i ? "," : "", i, i, i);
    strcpy(at, "}}");
    expect(body, NULL, 422, "more than fits");
}

static void *rival(void *arg)
{
    struct response answer = patch("{\"labels\":{\"who\":\"me\"}}", arg);
    long won = answer.status == 200;

    answer_free(&answer);
    return (void *)won;
}

/* Of several who saw the same, one is first. */
static void at_once(void)
{
    int won = 0;

    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[RIVALS];
        char tag[24];
        void *result;

        tag_now(tag);
        for (int i = 0; i < RIVALS; i++)
            pthread_create(&threads[i], NULL, rival, tag);
        for (int i = 0; i < RIVALS; i++) {
            pthread_join(threads[i], &result);
            won += (int)(long)result;
        }
    }
    ok_int(won, ROUNDS, "of %d who change the same at once, one does, each of %d times", RIVALS, ROUNDS);
}

int main(void)
{
    char other[40];

    rig_start(&rig);
    rig_customer(&rig, "main", key, account);
    rig_instance(&rig, key, "first", other);
    rig_instance(&rig, key, "second", id);
    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    one_after_the_other();
    selectors();
    refusals();
    at_once();
    rig_end(&rig);
    return tap_end();
}
