/* What customers rely on: limits, plain words for bad input, states told as
 * they are, and daemons that come and go. */
#include "common/db.h"
#include "common/id.h"
#include "common/json.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CREATE "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}"

static struct rig rig;
static char key[64], account[40];

static const char *first_error(const struct response *answer, const char *field)
{
    return json_text(json_array_get(json_object_get(answer->json, "errors"), 0), field);
}

/* Sends and checks status and code; the answer stays for more checks. */
static struct response expect(const struct call *call, int status, const char *code, const char *what)
{
    struct response answer = rig_call(&rig, call);

    ok_int(answer.status, status, "%s: %d", what, status);
    if (code)
        ok_text(answer_text_of(&answer, "code"), code, "%s: %s", what, code);
    return answer;
}

static void refused(const char *path, const char *body, int status, const char *code, const char *detail,
                    const char *what)
{
    char idem[ID_BYTES];
    struct response answer = expect(&(struct call){ .method = "POST", .path = path, .key = key, .body = body,
                                                  .idem = id_make("tst_", idem) },
                                  status, code, what);

    ok_has(answer.text, detail, "%s: says \"%s\"", what, detail);
    answer_free(&answer);
}

/* bad input */

static void bad_bodies(void)
{
    refused("/v1/instances", "{\"name\":\"n\",\n \"image\":\"ti", 400, "malformed_request", "line 2, column",
            "truncated JSON");
    refused("/v1/instances", "[]", 400, "malformed_request", "must be a JSON object", "an array");
    refused("/v1/instances", "{\"name\":\"Odd Name\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", 422, "invalid_fields",
            "\"field\":\"name\"", "a name with odd characters");
    refused("/v1/instances", "{\"name\":\"../../x\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", 422, "invalid_fields",
            "\"field\":\"name\"", "a name that is a path");
    refused("/v1/instances", "{\"name\":\"n\",\"image\":\"windows\",\"flavor\":\"xs1\"}", 422, "invalid_fields",
            "choose one of tiny, large, disk", "an unknown image");
    refused("/v1/instances", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"huge\"}", 422, "invalid_fields",
            "choose one of xs1, xs2", "an unknown flavor");
    refused("/v1/instances", "{\"name\":\"n\",\"image\":\"large\",\"flavor\":\"xs1\"}", 422, "invalid_fields",
            "needs 4096 MiB", "too little memory");
    refused("/v1/instances", "{\"name\":\"N\",\"image\":\"x\",\"flavor\":\"y\",\"price\":0}", 422, "invalid_fields",
            "\"field\":\"price\"", "all wrong at once");
    refused("/v1/quotes", "{\"vcpus\":-1,\"memory_mib\":128}", 422, "invalid_fields", "\"field\":\"vcpus\"",
            "a negative number");
    refused("/v1/quotes", "{\"vcpus\":1,\"memory_mib\":128,\"seconds\":99999999999999999999999}", 422,
            "invalid_fields", "\"field\":\"seconds\"", "a huge number");
    refused("/v1/quotes", "{\"vcpus\":1.5,\"memory_mib\":128}", 422, "invalid_fields", "\"field\":\"vcpus\"",
            "a fraction");
    refused("/v1/quotes", "{}", 422, "invalid_fields", "\"field\":\"vcpus\"", "nothing to quote");
}

static void four_errors_at_once(void)
{
    char idem[ID_BYTES];
    struct response answer = rig_post(&rig, key, "/v1/instances", id_make("tst_", idem),
                                    "{\"name\":\"N\",\"image\":\"x\",\"flavor\":\"y\",\"price\":0}");

    ok_int((long long)json_array_size(json_object_get(answer.json, "errors")), 4, "four wrong fields are four errors");
    answer_free(&answer);
}

static void large_body(size_t size, const char *what)
{
    char *body = malloc(size + 1), idem[ID_BYTES];
    struct response answer;

    memset(body, ' ', size);
    body[size] = 0;
    memcpy(body, "{\"name\":\"", 9);
    answer = expect(&(struct call){ .method = "POST", .path = "/v1/instances", .key = key, .body = body,
                                    .body_size = size, .idem = id_make("tst_", idem) },
                    413, "body_too_large", what);
    ok_has(answer_text_of(&answer, "detail"), "65536", "%s: the limit is named", what);
    answer_free(&answer);
    free(body);
}

/* Beyond 16 MiB the rest is not even read. */
static void flood(void)
{
    size_t size = 40u << 20;
    char *body = calloc(1, size), idem[ID_BYTES];
    struct response answer = rig_call(&rig, &(struct call){ .method = "POST", .path = "/v1/instances", .key = key,
                                                            .body = body, .body_size = size,
                                                            .idem = id_make("tst_", idem) });

    ok(answer.status == 413 || answer.status == 0, "40 MB are cut off (%d)", answer.status);
    answer_free(&answer);
    free(body);
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "and the next request is answered");
    answer_free(&answer);
}

static void bad_requests(void)
{
    struct response answer;

    answer = expect(&(struct call){ .method = "POST", .path = "/v1/instances", .key = key, .body = CREATE }, 400,
                    "idempotency_key_invalid", "no Idempotency-Key");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "POST", .path = "/v1/instances", .key = key, .body = CREATE, .idem = "a b" },
                    400, "idempotency_key_invalid", "an Idempotency-Key with a space");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "POST", .path = "/v1/instances", .key = key, .body = CREATE, .idem = "t",
                                    .type = "text/plain" },
                    415, "unsupported_media_type", "a body that is not called JSON");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "PUT", .path = "/v1/instances", .key = key, .body = CREATE }, 405,
                    "method_not_allowed", "a method that is not there");
    ok_text(answer_header(&answer, "allow"), "POST, GET", "Allow names those that are");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "GET", .path = "/v1/nothing", .key = key }, 404, "not_found", "no such path");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "GET", .path = "/v1/account%00x", .key = key }, 404, "not_found",
                    "a path with a NUL in it");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "POST", .path = "/v1/quotes", .key = key, .body = "{\"flavor\":\"xs1\"}",
                                    .header = "Transfer-Encoding: chunked" },
                    200, NULL, "a body in chunks");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "GET", .path = "/v1/instances?all=1", .key = key }, 400,
                    "malformed_request", "an unknown query parameter");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "GET", .path = "/v1/instances/ins_1", .key = key }, 404, "not_found",
                    "an id that is none");
    answer_free(&answer);
    answer = expect(&(struct call){ .method = "GET", .path = "/v1/account", .key = "xs_live_wrong" }, 401,
                    "unauthenticated", "a wrong key");
    ok_text(answer_header(&answer, "www-authenticate"), "Bearer", "WWW-Authenticate says how");
    answer_free(&answer);
}

static void bad_headers(void)
{
    size_t size = 40000;
    char *header = malloc(size + 1);
    struct response answer;

    memset(header, 'a', size);
    memcpy(header, "X-Long: ", 8);
    header[size] = 0;
    answer = rig_call(&rig, &(struct call){ .method = "GET", .path = "/healthz", .header = header });
    ok(answer.status == 431 || answer.status == 0, "headers of 40 kB are refused (%d)", answer.status);
    answer_free(&answer);
    free(header);
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "and the next request is answered");
    answer_free(&answer);
}

static void upstream_words(void)
{
    char idem[ID_BYTES];
    struct response answer;

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "bad_request")));
    answer = rig_post(&rig, key, "/v1/instances", id_make("tst_", idem), CREATE);
    ok(answer.status == 422 && strcmp(first_error(&answer, "field"), "name") == 0 &&
           strcmp(first_error(&answer, "detail"), "the test said so") == 0,
       "what the provisioner refuses is an error of its field");
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "internal")));
    answer = rig_post(&rig, key, "/v1/instances", id_make("tst_", idem), CREATE);
    ok(answer.status == 502 && json_is_true(json_object_get(answer.json, "retryable")),
       "a fault of the provisioner is 502 and retryable");
    ok(!strstr(answer.text, "the test said so"), "and its inner words stay inside");
    answer_free(&answer);
}

/* keys */

static void keys_shown_once(void)
{
    struct response first = rig_post(&rig, key, "/v1/keys", "key-1", "{\"name\":\"k\",\"scopes\":[\"account:read\",\"keys:write\"]}");
    struct response again = rig_post(&rig, key, "/v1/keys", "key-1", "{\"name\":\"k\",\"scopes\":[\"account:read\",\"keys:write\"]}");
    struct response answer;
    char made[64], path[256], command[512];

    snprintf(made, sizeof(made), "%s", answer_text_of(&first, "key"));
    ok_int(first.status, 201, "a key is made");
    ok_text(answer_text_of(&again, "key"), made, "its maker's retry sees it again");
    answer_free(&again);
    again = rig_post(&rig, made, "/v1/keys", "key-1", "{\"name\":\"k\",\"scopes\":[\"account:read\",\"keys:write\"]}");
    ok(again.status == 201 && json_is_null(json_object_get(again.json, "key")), "another key's replay does not");
    answer_free(&again);
    answer = rig_get(&rig, made, "/v1/account");
    ok_int(answer.status, 200, "it works");
    answer_free(&answer);
    answer = rig_get(&rig, made, "/v1/instances");
    ok_int(answer.status, 403, "for its scopes only");
    answer_free(&answer);
    answer = rig_post(&rig, made, "/v1/keys", "key-2", "{\"name\":\"k\",\"scopes\":[\"billing:read\"]}");
    ok_int(answer.status, 422, "and cannot make a key that may do more");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/keys");
    ok(answer.text && !strstr(answer.text, "xs_live_"), "lists show no key's text");
    answer_free(&answer);
    snprintf(command, sizeof(command), "grep -aq %s %s/db/api.db*", made + 8, rig.dir);
    ok(system(command) != 0, "nor is it in the database files");
    snprintf(command, sizeof(command), "grep -aq %s %s/db/api.db*", answer_text_of(&first, "id"), rig.dir);
    ok(system(command) == 0, "where its id is");
    snprintf(path, sizeof(path), "/v1/keys/%s", answer_text_of(&first, "id"));
    answer = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key });
    ok_int(answer.status, 204, "revoked");
    answer_free(&answer);
    answer = rig_get(&rig, made, "/v1/account");
    ok_text(answer_text_of(&answer, "code"), "key_revoked", "and said so to who uses it");
    answer_free(&answer);
    answer_free(&first);
}

/* instances */

static void life(void)
{
    struct response answer;
    char id[40], path[128], action[160];

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 1)));
    answer = rig_post(&rig, key, "/v1/instances", "life-1", CREATE);
    ok_text(answer_text_of(&answer, "state"), "pending", "accepted is pending");
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    snprintf(action, sizeof(action), "%s", answer_header(&answer, "location"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    answer = rig_get(&rig, key, path);
    ok(answer.status == 200 && strcmp(answer_text_of(&answer, "state"), "building") == 0, "at once there, building");
    answer_free(&answer);
    answer = rig_get(&rig, key, action);
    ok_text(answer_text_of(&answer, "status"), "running", "its action runs");
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 0)));
    answer = rig_get(&rig, key, path);
    ok(json_is_true(json_object_get(answer.json, "ready")) && strcmp(answer_text_of(&answer, "state"), "running") == 0,
       "then runs and is ready");
    ok_text(json_string_value(json_array_get(json_object_get(answer.json, "meters_running"), 0)), "vcpu_reserved",
            "and says what is billed now");
    answer_free(&answer);
    snprintf(action, sizeof(action), "%s/actions", path);
    answer = rig_post(&rig, key, action, NULL, "{\"type\":\"start\"}");
    ok_int(answer.status, 409, "what runs cannot be started");
    answer_free(&answer);
    answer = rig_post(&rig, key, action, NULL, "{\"type\":\"delete\"}");
    ok_int(answer.status, 422, "delete is not a type but a method");
    answer_free(&answer);
    answer = rig_post(&rig, key, action, NULL, "{\"type\":\"shutdown\"}");
    ok_int(answer.status, 202, "it can be shut down");
    answer_free(&answer);
}

static void ends(void)
{
    struct response first, second, answer;
    char id[40], path[128];

    rig_instance(&rig, key, "ends", id);
    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    first = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key });
    second = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key });
    ok(first.status == 202 && second.status == 202, "deleted, and deleted again");
    ok_text(answer_text_of(&second, "id"), answer_text_of(&first, "id"), "by one action");
    answer = rig_get(&rig, key, path);
    ok_text(answer_text_of(&answer, "state"), "deleted", "it says that it is deleted");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/instances");
    ok(answer.text && !strstr(answer.text, id), "and is not in the list");
    answer_free(&answer);
    answer_free(&first);
    answer_free(&second);
}

static void pages(void)
{
    char path[128], other_key[64], other_account[40];
    struct response first, second;
    json_int_t next;

    rig_customer(&rig, "page", other_key, other_account);
    first = rig_get(&rig, rig.operator_key, "/v1/admin/customers?limit=1");
    next = json_integer_value(json_object_get(first.json, "next_cursor"));
    ok(json_array_size(json_object_get(first.json, "data")) == 1 && next == 1, "a page of one, and where the next begins");
    snprintf(path, sizeof(path), "/v1/admin/customers?limit=1000&after=%d", (int)next);
    second = rig_get(&rig, rig.operator_key, path);
    ok(json_array_size(json_object_get(second.json, "data")) >= 1 && json_is_null(json_object_get(second.json, "next_cursor")),
       "the rest, and no more");
    ok(!json_equal(json_array_get(json_object_get(first.json, "data"), 0),
                   json_array_get(json_object_get(second.json, "data"), 0)), "nobody twice");
    answer_free(&first);
    answer_free(&second);
}

static void failed_jobs(void)
{
    struct response answer;
    char path[128];

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail_job", "insufficient_funds")));
    answer = rig_post(&rig, key, "/v1/instances", "job-fails", CREATE);
    snprintf(path, sizeof(path), "%s", answer_header(&answer, "location"));
    answer_free(&answer);
    answer = rig_get(&rig, key, path);
    ok_text(answer_text_of(&answer, "status"), "failed", "a failed action says so");
    ok_text(json_string_value(json_object_get(json_object_get(answer.json, "error"), "code")), "insufficient_funds",
            "and why");
    answer_free(&answer);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct poll_job {
    char path[160];
    struct response answer;
};

static void *poll_send(void *arg)
{
    struct poll_job *poll = arg;

    poll->answer = rig_get(&rig, key, poll->path);
    return NULL;
}

/* Sixty clients wait; the host still answers others, and all wake by the event. */
static void long_polls(void)
{
    static struct poll_job polls[60];
    pthread_t threads[60];
    struct response answer;
    char action[160];
    int succeeded = 0, running = 0;
    int64_t begun;

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 1)));
    answer = rig_post(&rig, key, "/v1/instances", "poll-1", CREATE);
    snprintf(action, sizeof(action), "%s?wait=25", answer_header(&answer, "location"));
    answer_free(&answer);
    begun = now_ms();
    for (int i = 0; i < 60; i++) {
        snprintf(polls[i].path, sizeof(polls[i].path), "%s", action);
        pthread_create(&threads[i], NULL, poll_send, &polls[i]);
    }
    for (int i = 0; i < 20; i++) {
        answer = rig_get(&rig, key, "/v1/flavors");
        succeeded += answer.status == 200;
        answer_free(&answer);
    }
    ok_int(succeeded, 20, "others are answered while sixty wait");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 0)));
    succeeded = 0;
    for (int i = 0; i < 60; i++) {
        pthread_join(threads[i], NULL);
        succeeded += strcmp(answer_text_of(&polls[i].answer, "status"), "succeeded") == 0;
        running += strcmp(answer_text_of(&polls[i].answer, "status"), "running") == 0;
        answer_free(&polls[i].answer);
    }
    ok(succeeded >= 1 && succeeded + running == 60, "each got the state (%d the end, %d at once)", succeeded, running);
    ok(now_ms() - begun < 20000, "by the event, not by the clock (%d ms)", (int)(now_ms() - begun));
    answer = rig_get(&rig, key, "/v1/actions/act_00000000000000000000000000?wait=31");
    ok_int(answer.status, 422, "nobody waits longer than 30 s");
    ok_text(first_error(&answer, "field"), "wait", "and the parameter is named");
    answer_free(&answer);
}

/* upstream */

static void daemons_down(void)
{
    struct response answer;

    rig_standin_stop(&rig);
    answer = rig_get(&rig, key, "/v1/flavors");
    ok(answer.status == 503 && json_is_true(json_object_get(answer.json, "retryable")), "no provisioner: 503, retryable");
    ok(*answer_header(&answer, "retry-after") != 0, "with Retry-After");
    ok_has(answer_text_of(&answer, "detail"), "provisioner", "and its name");
    answer_free(&answer);
    answer = rig_get(&rig, NULL, "/healthz");
    ok_int(answer.status, 503, "healthz says so");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "what needs no daemon is answered");
    answer_free(&answer);
    rig_standin_start(&rig);
    answer = rig_get(&rig, key, "/v1/flavors");
    ok_int(answer.status, 200, "it comes back without us");
    answer_free(&answer);
}

/* The provisioner came back without its memory: what was promised stays. */
static void forgotten(const char *id, const char *action)
{
    struct response answer;
    char path[128];

    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    answer = rig_get(&rig, key, path);
    ok(answer.status == 200 && strcmp(answer_text_of(&answer, "state"), "pending") == 0,
       "an instance that was accepted is never 404");
    answer_free(&answer);
    answer = rig_get(&rig, key, action);
    ok(answer.status == 200 && strcmp(answer_text_of(&answer, "status"), "queued") == 0, "nor is its action");
    answer_free(&answer);
}

/* A daemon that hangs holds those who ask it, and nobody else. */
static void daemons_hang(void)
{
    struct poll_job asks[3];
    pthread_t threads[3];
    struct response answer;
    int served = 0;
    int64_t begun;

    kill(rig.standin, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        snprintf(asks[i].path, sizeof(asks[i].path), "/v1/flavors");
        pthread_create(&threads[i], NULL, poll_send, &asks[i]);
    }
    begun = now_ms();
    for (int i = 0; i < 20; i++) {
        answer = rig_get(&rig, key, "/v1/account");
        served += answer.status == 200;
        answer_free(&answer);
    }
    ok(served == 20 && now_ms() - begun < 5000, "while a daemon hangs others are served (%d in %d ms)", served,
       (int)(now_ms() - begun));
    kill(rig.standin, SIGCONT);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        served += asks[i].answer.status == 200;
        answer_free(&asks[i].answer);
    }
    ok_int(served, 23, "and those who waited get their answers");
}

static void money_views(void)
{
    struct response answer, invoice;
    char path[128];

    answer = rig_get(&rig, key, "/v1/wallet");
    ok_text(answer_text_of(&answer, "balance"), "10.00", "the wallet holds the credit");
    answer_free(&answer);
    invoice = rig_post(&rig, key, "/v1/invoices", "inv-1", NULL);
    ok_text(answer_text_of(&invoice, "total"), "1.234567891", "an invoice's total is exact");
    snprintf(path, sizeof(path), "/v1/invoices/%s/bundle", answer_text_of(&invoice, "id"));
    answer = rig_get(&rig, key, path);
    ok_text(answer_header(&answer, "content-type"), "application/x-tar", "the bundle is a tar");
    ok(answer.size > 3000000 && memmem(answer.text, answer.size, "line 99999 of inv_", 18), "and comes whole (%zu bytes)", answer.size);
    ok_has(answer_header(&answer, "content-disposition"), ".tar\"", "with a name");
    answer_free(&answer);
    answer_free(&invoice);
    answer = rig_get(&rig, NULL, "/log/checkpoint");
    ok_has(answer.text, "/usage/e1\n", "anyone reads the checkpoint");
    answer_free(&answer);
}

static void records_exact(void)
{
    struct response answer;
    char id[40], path[128];
    const json_t *first;

    rig_instance(&rig, key, "records", id);
    snprintf(path, sizeof(path), "/v1/instances/%s/records?limit=7", id);
    answer = rig_get(&rig, key, path);
    first = json_array_get(json_object_get(answer.json, "data"), 0);
    ok_text(json_string_value(json_object_get(first, "leaf")), "xs-usage/v1 use\n{\"amount_nano\":\"5\",\"t0_ms\":1}\n",
            "a leaf comes as it was hashed");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s/usage", id);
    answer = rig_get(&rig, key, path);
    ok_text(answer_text_of(&answer, "guest_ns"), "18446744073709551615", "64 bits survive");
    ok_text(answer_text_of(&answer, "amount"), "1.234567891", "nano is money");
    answer_free(&answer);
}

/* limits, with the api started anew */

static void rate_limits(void)
{
    struct response answer;
    int limited = 0, allowed = 0, retry = 0;

    rig_api_stop(&rig, SIGTERM);
    rig_config_set(&rig, "limits.reads_per_s", "2");
    rig_config_set(&rig, "limits.instances_per_account", "3");
    rig_api_start(&rig);
    for (int i = 0; i < 40; i++) {
        answer = rig_get(&rig, key, "/v1/account");
        allowed += answer.status == 200;
        limited += answer.status == 429;
        if (answer.status == 429)
            retry += atoi(answer_header(&answer, "retry-after")) > 0;
        if (i == 0)
            ok(strcmp(answer_header(&answer, "ratelimit-limit"), "8") == 0 &&
                   strcmp(answer_header(&answer, "ratelimit-remaining"), "7") == 0,
               "RateLimit headers tell what is left");
        answer_free(&answer);
    }
    ok(allowed >= 8 && limited > 0 && allowed + limited == 40, "the burst passes, the rest is 429 (%d, %d)", allowed,
       limited);
    ok_int(retry, limited, "each 429 says when to come back");
    answer = rig_post(&rig, key, "/v1/instances", NULL, CREATE);
    ok_int(answer.status, 400, "writes are counted apart");
    answer_free(&answer);
}

static void quota(void)
{
    char other_key[64], other_account[40], id[3][40], idem[ID_BYTES], path[128];
    struct response answer;

    rig_customer(&rig, "quota", other_key, other_account);
    for (int i = 0; i < 3; i++)
        rig_instance(&rig, other_key, "q", id[i]);
    answer = rig_post(&rig, other_key, "/v1/instances", id_make("tst_", idem), CREATE);
    ok_int(answer.status, 409, "the fourth of three is refused");
    ok_text(answer_text_of(&answer, "code"), "quota_exceeded", "by its code");
    ok(json_integer_value(json_object_get(json_object_get(answer.json, "context"), "limit")) == 3 &&
           json_integer_value(json_object_get(json_object_get(answer.json, "context"), "used")) == 3,
       "with what is allowed and what is used");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s", id[0]);
    answer = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = other_key });
    answer_free(&answer);
    answer = rig_post(&rig, other_key, "/v1/instances", id_make("tst_", idem), CREATE);
    ok_int(answer.status, 202, "one deleted makes room for one");
    answer_free(&answer);
}

int main(void)
{
    struct response answer;
    char path[128], id[40];

    rig_start(&rig);
    rig_customer(&rig, "main", key, account);
    bad_bodies();
    four_errors_at_once();
    large_body(65537, "one byte too many");
    large_body(10u << 20, "JSON of 10 MB");
    flood();
    bad_requests();
    bad_headers();
    money_views();
    upstream_words();
    pages();
    failed_jobs();
    keys_shown_once();
    life();
    ends();
    long_polls();
    records_exact();
    daemons_hang();
    answer = rig_post(&rig, key, "/v1/instances", "remembered", CREATE);
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    snprintf(path, sizeof(path), "%s", answer_header(&answer, "location"));
    answer_free(&answer);
    daemons_down();
    forgotten(id, path);
    rate_limits();
    quota();
    rig_end(&rig);
    return tap_end();
}
