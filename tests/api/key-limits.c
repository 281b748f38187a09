/* Keys that are bound: to addresses, and to what they may have held in a month. */
#include "api/addresses.h"
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;
static char key[64], account[40];

static struct response post(const char *who, const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_post(&rig, who, path, id_make("tst_", idem), body);
}

static void made(const char *body, char text[static 64])
{
    struct response answer = post(key, "/v1/keys", body);

    ok(answer.status == 201, "a key: %s", body);
    snprintf(text, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
}

static void networks(void)
{
    static const struct {
        const char *list;
        const char *address;
        bool inside;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.7", true},
        {"192.0.2.0/24", "192.0.3.7", false},
        {"192.0.2.0/24", "::ffff:192.0.2.7", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::/0", "192.0.2.7", false},
        {"192.0.2.1 2001:db8::/32", "2001:db8::9", true},
        {"192.0.2.0/24", "192.0.2.0/25", true},
        {"192.0.2.0/25", "192.0.2.0/24", false},
        {"192.0.2.0/24", "unknown", false},
    };
    static const char *const none[] = {"",
                                       "/24",
                                       "192.0.2/24",
                                       "192.0.2.0/33",
                                       "192.0.2.0/",
                                       "192.0.2.0/ 8",
                                       "192.0.2.0/-1",
                                       "2001:db8::/129",
                                       "example.com",
                                       "192.0.2.0/24/24",
                                       "fe80::1%eth0"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ok(addresses_hold(rows[i].list, rows[i].address) == rows[i].inside, "%s %s %s", rows[i].address,
           rows[i].inside ? "is inside of" : "is not inside of", rows[i].list);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        ok(!network_valid(none[i]), "\"%s\" is no network", none[i]);
}

static void bound_to_addresses(void)
{
    char near[64], far[64], under[64];
    struct response answer;

    made("{\"name\":\"near\",\"addresses\":[\"127.0.0.0/8\",\"2001:db8::/32\"]}", near);
    made("{\"name\":\"far\",\"addresses\":[\"192.0.2.0/24\"]}", far);
    said(rig_get(&rig, near, "/v1/account"), 200, account, "from where it is for, a key works");
    said(rig_get(&rig, far, "/v1/account"), 403, "address_refused", "from elsewhere it does not");
    said(rig_get(&rig, key, "/v1/keys"), 200, "\"addresses\":[\"192.0.2.0/24\"]", "the list says from where");
    said(post(key, "/v1/keys", "{\"name\":\"x\",\"addresses\":[\"127.0.0.0/8\",\"here\"]}"), 422,
         "element 1 must look like", "what is no network");
    said(post(near, "/v1/keys", "{\"name\":\"x\",\"addresses\":[\"192.0.2.0/24\"]}"), 422, "more_than_own",
         "a bound key makes none for elsewhere");
    answer = post(near, "/v1/keys", "{\"name\":\"x\"}");
    ok(answer.status == 201 && strstr(answer.text, "127.0.0.0/8"), "what it makes is bound as it is");
    answer_free(&answer);
    answer = post(near, "/v1/keys", "{\"name\":\"x\",\"addresses\":[\"127.0.0.1\"]}");
    snprintf(under, sizeof(under), "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
    said(rig_get(&rig, under, "/v1/account"), 200, account, "or closer");
}

static struct response instance(const char *who, const char *name)
{
    char body[128];

    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", name);
    return post(who, "/v1/instances", body);
}

static struct response resize(const char *who, const char *id)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/instances/%s/actions", id);
    return post(who, path, "{\"type\":\"resize\",\"flavor\":\"xs2\"}");
}

/* A size counts like a new instance of it; what is refused does not. The model's host holds 0.0072 for that one. */
static void bound_when_resized(void)
{
    char limited[64], id[40], path[128];
    struct response answer = instance(key, "grows");

    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    made("{\"name\":\"resizes\",\"spend_limit\":\"0.008\"}", limited);
    said(resize(limited, id), 409, "running", "a running instance is not resized");
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", id);
    said(post(key, path, "{\"type\":\"shutdown\"}"), 202, "shutdown", "a stopped one");
    said(resize(limited, id), 202, "resize", "a resize within the limit");
    said(resize(limited, id), 403, "spend_limit", "one beyond");
}

/* The model's host holds 0.0036 for each. */
static void bound_to_money(void)
{
    char limited[64];

    made("{\"name\":\"limited\",\"spend_limit\":\"0.008\"}", limited);
    said(rig_get(&rig, key, "/v1/keys"), 200, "\"spend_limit\":\"0.008\"", "the list says how much");
    said(post(limited, "/v1/keys", "{\"name\":\"x\"}"), 403, "makes no keys", "a limited key makes no others");
    said(instance(limited, "one"), 202, "ins_", "an instance within the limit");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "bad_request")));
    said(instance(limited, "refused"), 422, "", "one that is refused");
    said(instance(limited, "two"), 202, "ins_", "does not count");
    said(instance(limited, "three"), 403, "\"held\":\"0.0072\"", "one beyond");
    said(rig_post(&rig, limited, "/v1/instances", "limit-1",
                  "{\"name\":\"four\",\"image\":\"tiny\",\"flavor\":\"xs1\"}"),
         403, "spend_limit", "is refused");
    said(instance(key, "five"), 202, "ins_", "another key is not bound by it");
    rig_database(&rig, "UPDATE key_spending SET month = '2020-01'");
    said(rig_post(&rig, limited, "/v1/instances", "limit-1",
                  "{\"name\":\"four\",\"image\":\"tiny\",\"flavor\":\"xs1\"}"),
         202, "ins_", "a month later there is room again");
}

int main(void)
{
    networks();
    rig_start(&rig);
    rig_customer(&rig, "customer", key, account);
    bound_to_addresses();
    bound_to_money();
    bound_when_resized();
    rig_end(&rig);
    return tap_end();
}
