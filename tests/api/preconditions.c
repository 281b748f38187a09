/* ETag and If-Match of whatever can be changed and be shown alone: of many who saw the same, one changes it. */
#include "api/route.h"
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WRITERS 20

static struct rig rig;
static char key[64], account[40];
static unsigned char tried[256];        /* by the route's place in the table */

struct thing {
    const char *method, *path;
    const char *format;                 /* a body, with a number in it that is another each time */
    char tag[32];
    atomic_int number, done, refused;
};

static struct response change(struct thing *thing, const char *if_match)
{
    char body[400], header[96];

    snprintf(body, sizeof(body), thing->format, ++thing->number);
    snprintf(header, sizeof(header), "If-Match: %s", if_match);
    return rig_call(&rig, &(struct call){ .method = thing->method, .path = thing->path, .key = key, .body = body,
                                          .header = if_match ? header : NULL });
}

static void expect(struct thing *thing, const char *if_match, int status, const char *what)
{
    struct response answer = change(thing, if_match);

    ok_int(answer.status, status, "%s: %s", thing->path, what);
    answer_free(&answer);
}

static void tag_now(struct thing *thing)
{
    struct response answer = rig_get(&rig, key, thing->path);

    snprintf(thing->tag, sizeof(thing->tag), "%s", answer_header(&answer, "etag"));
    answer_free(&answer);
}

static void *write_once(void *arg)
{
    struct thing *thing = arg;
    struct response answer = change(thing, thing->tag);

    thing->done += answer.status == 200;
    thing->refused += answer.status == 412;
    answer_free(&answer);
    return NULL;
}

static void together(struct thing *thing)
{
    pthread_t threads[WRITERS];

    tag_now(thing);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_once, thing);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    ok(thing->done == 1 && thing->refused == WRITERS - 1, "%s: of %d who saw the same, one changes it (%d, %d refused)",
       thing->path, WRITERS, thing->done, thing->refused);
}

static void changed(const char *method, const char *path, const char *format)
{
    struct thing thing = { .method = method, .path = path, .format = format };
    char param[PARAM_BYTES], allow[32], old[32], list[96];
    struct response answer;

    tried[route_find(method, path, param, allow) - routes] = 1;
    tag_now(&thing);
    snprintf(old, sizeof(old), "%s", thing.tag);
    answer = change(&thing, old);
    ok_int(answer.status, 200, "%s: who saw the newest changes it", path);
    tag_now(&thing);
    ok(old[0] == '"' && strcmp(thing.tag, old) != 0, "%s: then its ETag is another (%s, %s)", path, old, thing.tag);
    ok_text(answer_header(&answer, "etag"), thing.tag, "%s: which the change told", path);
    answer_free(&answer);
    expect(&thing, old, 412, "who saw an older one is refused");
    snprintf(list, sizeof(list), "W/%s", thing.tag);
    expect(&thing, list, 412, "weak tags are none of ours");
    snprintf(list, sizeof(list), "\"other\", %s", thing.tag);
    expect(&thing, list, 200, "one of a list is enough");
    expect(&thing, "*", 200, "whatever it is");
    expect(&thing, NULL, 200, "nobody has to say what they saw");
    together(&thing);
}

static const char *made(const char *path, const char *body, char out[static 96])
{
    char idem[ID_BYTES];
    struct response answer = rig_post(&rig, key, path, id_make("tst_", idem), body);

    if (answer.status != 201)
        tap_bail("%s: %d %s", path, answer.status, answer.text);
    snprintf(out, 96, "%s/%s", path, answer_text_of(&answer, "id"));
    answer_free(&answer);
    return out;
}

/* Of two who saw the same role, the second is refused. */
static void role_changed(const char *by, const char *method, const char *path, const char *first, const char *second)
{
    char param[PARAM_BYTES], allow[32], tag[32], header[96];
    struct response answer = rig_get(&rig, by, path);
    struct call call = { .method = method, .path = path, .key = by, .header = header, .body = first };

    tried[route_find(method, path, param, allow) - routes] = 1;
    snprintf(tag, sizeof(tag), "%s", answer_header(&answer, "etag"));
    answer_free(&answer);
    snprintf(header, sizeof(header), "If-Match: %s", tag);
    answer = rig_call(&rig, &call);
    ok(answer.status == 200 && tag[0] == '"' && strcmp(answer_header(&answer, "etag"), tag) != 0,
       "%s: who saw the newest changes it", path);
    answer_free(&answer);
    call.body = second;
    answer = rig_call(&rig, &call);
    ok_int(answer.status, 412, "%s: who saw an older one is refused", path);
    answer_free(&answer);
}

static void roles(void)
{
    char body[160], path[96], operator_key[64], operator_id[40];
    struct response answer = rig_post(&rig, key, "/v1/invitations", NULL,
                                      "{\"email\":\"d@example.com\",\"role\":\"developer\"}");

    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"name\":\"Dan\",\"password\":\"correct horse battery\"}",
             answer_text_of(&answer, "token"));
    answer_free(&answer);
    answer = rig_post(&rig, NULL, "/v1/invitations/accept", NULL, body);
    if (answer.status != 201)
        tap_bail("no member: %d %s", answer.status, answer.text);
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/members");
    snprintf(path, sizeof(path), "/v1/members/%s",
             json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "id")));
    answer_free(&answer);
    role_changed(key, "PATCH", path, "{\"role\":\"viewer\"}", "{\"role\":\"developer\"}");
    rig_operator_key(&rig, "Olga", "support", operator_key, operator_id);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/role", operator_id);
    role_changed(rig.operator_key, "PUT", path, "{\"role\":\"view\"}", "{\"role\":\"billing\"}");
}

/* Whatever can be changed can be shown alone, and is tried here. */
static void complete(void)
{
    for (unsigned i = 0; i < routes_count; i++)
        if ((strcmp(routes[i].method, "PATCH") == 0 || strcmp(routes[i].method, "PUT") == 0) && !tried[i])
            ok(false, "%s %s can be changed and is not tried here", routes[i].method, routes[i].pattern);
}

int main(void)
{
    char path[96], instance[40];

    rig_start(&rig);
    rig_customer(&rig, "preconditions", key, account);
    rig_instance(&rig, key, "first", instance);
    snprintf(path, sizeof(path), "/v1/instances/%s", instance);
    changed("PATCH", path, "{\"name\":\"n%d\"}");
    snprintf(path, sizeof(path), "/v1/instances/%s/firewall", instance);
    changed("PUT", path, "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"%d\"}]}");
    changed("PATCH", made("/v1/webhooks", "{\"url\":\"https://hooks.example/x\"}", path), "{\"url\":\"https://hooks.example/%d\"}");
    changed("PATCH", made("/v1/projects", "{\"name\":\"p\"}", path), "{\"name\":\"p%d\"}");
    changed("PUT", "/v1/account/billing_details",
            "{\"name\":\"Ann %d\",\"street\":\"Lane 1\",\"postcode\":\"12345\",\"city\":\"Ulm\",\"country\":\"DE\",\"email\":\"a@example.org\"}");
    roles();
    complete();
    rig_end(&rig);
    return tap_end();
}
