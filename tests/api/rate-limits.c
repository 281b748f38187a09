/* Rate limits over the route table: each answer says what its bucket has left, the buckets are apart, waiting for an
 * action counts once, and who waits as long as a 429 says is served. */
#include "api/limit.h"
#include "api/route.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNKNOWN "00000000000000000000000000"

static struct rig rig;
static char key[64], account[40];

static long header(const struct response *answer, const char *name)
{
    const char *text = answer_header(answer, name);

    return text && *text ? strtol(text, NULL, 10) : -1;
}

/* Of another size each, so that an answer tells which bucket it was counted in. A second's worth is a quarter. */
static const struct {
    enum bucket bucket;
    const char *name, *per_s;
    long burst;
} buckets[] = {
    { BUCKET_READ, "limits.reads_per_s", "1000", 4000 },
    { BUCKET_WRITE, "limits.writes_per_s", "2000", 8000 },
    { BUCKET_WAIT, "limits.waits_per_s", "3000", 12000 },
    { BUCKET_ANONYMOUS, "limits.anonymous_per_s", "4000", 16000 },
    { BUCKET_FILE, "limits.reads_per_s", "1000", 4000 },
};

static long burst_of(enum bucket bucket)
{
    for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++)
        if (buckets[i].bucket == bucket)
            return buckets[i].burst;
    return -1;
}

static void sizes_set(void)
{
    rig_api_stop(&rig, SIGTERM);
    for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++)
        rig_config_set(&rig, buckets[i].name, buckets[i].per_s);
    rig_config_set(&rig, "limits.logins_per_minute", "9");
    rig_api_start(&rig);
}

/* {id} and its like become somebody's that nobody is. */
static void path_make(const char *pattern, char path[static 200])
{
    const char *open = strchr(pattern, '{'), *rest = open ? strchr(open, '}') + 1 : NULL;

    if (open)
        snprintf(path, 200, "%.*s%s%s", (int)(open - pattern), pattern, UNKNOWN, rest);
    else
        snprintf(path, 200, "%s", pattern);
}

/* Counted in the route's own bucket by whoever has a key, in their address's by strangers; tries to log in have one
 * more, which is the smaller and the one that is told. */
static void route_counts(const struct route *route)
{
    bool stranger = route->who & ROLE_ANONYMOUS;
    long burst = stranger && route->bucket != BUCKET_FILE ? burst_of(BUCKET_ANONYMOUS) : burst_of(route->bucket), limit;
    struct response answer;
    char path[200];

    path_make(route->pattern, path);
    answer = rig_call(&rig, &(struct call){ .method = route->method, .path = path,
                                            .key = stranger ? NULL : route->who == ROLE_OPERATOR ? rig.operator_key : key });
    limit = header(&answer, "ratelimit-limit");
    ok(answer.status > 0 && (limit == burst || (stranger && limit == 9)), "%s %s: %d, counted in the bucket of %ld",
       route->method, route->pattern, answer.status, limit);
    ok(header(&answer, "ratelimit-remaining") >= 0 && header(&answer, "ratelimit-remaining") < limit + (answer.status == 429) &&
           header(&answer, "ratelimit-reset") >= 0, "with what is left, and when it is full again");
    answer_free(&answer);
}

static void unknown_paths(void)
{
    struct response answer = rig_get(&rig, key, "/v1/nothing");

    ok(answer.status == 404 && header(&answer, "ratelimit-limit") == burst_of(BUCKET_ANONYMOUS),
       "what is no path is counted too, by the address");
    answer_free(&answer);
}

/* small ones */

static void few_set(void)
{
    rig_api_stop(&rig, SIGTERM);
    rig_config_set(&rig, "limits.reads_per_s", "1");
    rig_config_set(&rig, "limits.writes_per_s", "1");
    rig_config_set(&rig, "limits.waits_per_s", "1");
    rig_api_start(&rig);
}

/* Until it is 429: how long to wait then. */
static long exhaust(const char *path)
{
    for (int i = 0; i < 1000; i++) {
        struct response answer = rig_get(&rig, key, path);
        long wait_s = answer.status == 429 ? header(&answer, "retry-after") : 0;

        answer_free(&answer);
        if (wait_s)
            return wait_s;
    }
    return 0;
}

static void apart(const char *action)
{
    struct response answer;
    char path[128];
    long wait_s = exhaust("/v1/account");

    ok(wait_s > 0, "reads are used up: the 429 says to wait %ld s", wait_s);
    answer = rig_post(&rig, key, "/v1/keys", "after-reads", "{\"name\":\"n\"}");
    ok_int(answer.status, 201, "writes are left");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/actions/%s?wait=1", action);
    answer = rig_get(&rig, key, path);
    ok_int(answer.status, 200, "and waits");
    answer_free(&answer);
    nanosleep(&(struct timespec){ .tv_sec = exhaust("/v1/account") }, NULL);
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "who waited as long as it says is served");
    answer_free(&answer);
    exhaust(path);
    nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "waits used up leave reads");
    answer_free(&answer);
}

/* One that waits for a job that is held up, until its time is over. */
static void waits_count_once(void)
{
    struct response answer;
    char path[128];

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 1)));
    answer = rig_post(&rig, key, "/v1/instances", "waited", "{\"name\":\"w\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    snprintf(path, sizeof(path), "%s?wait=2", answer_header(&answer, "location"));
    answer_free(&answer);
    answer = rig_get(&rig, key, path);
    ok_text(answer_text_of(&answer, "status"), "running", "an action that is waited for in vain");
    ok(header(&answer, "ratelimit-limit") == burst_of(BUCKET_WAIT) &&
           header(&answer, "ratelimit-remaining") == burst_of(BUCKET_WAIT) - 1,
       "took one of the waits");
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 0)));
}

int main(void)
{
    char action[40];
    struct response answer;

    rig_start(&rig);
    rig_customer(&rig, "limits", key, account);
    sizes_set();
    waits_count_once();
    for (unsigned i = 0; i < routes_count; i++)
        route_counts(&routes[i]);
    unknown_paths();
    answer = rig_post(&rig, key, "/v1/instances", "waited-for", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    snprintf(action, sizeof(action), "%s",
             json_string_value(json_object_get(json_object_get(answer.json, "action"), "id")));
    answer_free(&answer);
    few_set();
    apart(action);
    rig_end(&rig);
    return tap_end();
}
