/* Generated requests, from the table and from a fixed start: right ones, bent
 * ones, nonsense. None may make the api fail (5xx) or answer off its contract.
 * GENERATED_RUNS asks for another number than 50,000. */
#include "api/auth.h"
#include "api/route.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct visitor visitor;
static char keys[2][64], accounts[2][40], instances[2][40];
static uint64_t state = UINT64_C(88172645463325252);

static size_t below(size_t bound)
{
    /* xorshift64*, Vigna 2016. */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * UINT64_C(2685821657736338717)) >> 20) % bound;
}

static const char *one_of(const char *const *list)
{
    size_t count = 0;

    while (list[count])
        count++;
    return list[below(count)];
}

/* A value for any field: sometimes what belongs there, often not. */
static json_t *value_make(const char *name, int depth)
{
    static const char *const texts[] = { "web-1", "tiny", "xs1", "xs2", "12.50", "EUR", "start", "reboot", "shutdown",
                                         "suspend", "resume", "power_off", "instances:read", "-", "", "\xe2\x80\xae",
                                         "../..", "' OR 1=1 --", "<script>", "0.0000000001", "99999999999", NULL };
    static const double numbers[] = { 0, 1, -1, 64, 65, 1.5, 1e15, 1e18, -1e308, 3600 };
    json_t *list;

    switch (below(10)) {
    case 0:
        return json_real(numbers[below(10)]);
    case 1:
        return json_integer((json_int_t)below(4096) - 64);
    case 2:
        return below(2) ? json_null() : json_true();
    case 3:
        list = json_array();
        for (size_t n = depth < 3 ? below(4) : 0; n; n--)
            json_array_append_new(list, value_make(name, depth + 1));
        return list;
    case 4:
        return depth < 3 ? json_pack("{s:o}", name, value_make(name, depth + 1)) : json_object();
    default:
        return json_string(one_of(texts));
    }
}

static char *body_make(void)
{
    static const char *const names[] = { "name",     "image",   "flavor", "cmdline", "type",   "vcpus",   "memory_mib", "seconds",
                                         "currency", "amount",  "reason", "scopes",  "colour", "expires_in_seconds",
                                         "cpu_percent", "disk_mib", "volumes", "network", "ssh_keys", "user_data", "forward_ports", "size_mib",
                                         "snapshot_id", "volume_id", "read_only", "guest_port", "public_key", "code", "ends_at", "invoice_id", "line", "steps", "country", "street", "email", "vat_id", "customer_id",
                                         "lines", "outcome", "enabled", "inbound", "outbound", "version", "meters", "expires_at",
                                         "purchase_order_id", "password", "new_password", "role", NULL };
    static const char *const rights[] = { "{\"name\":\"g\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", "{\"type\":\"reboot\"}",
                                          "{\"name\":\"k\",\"scopes\":[\"keys:read\"]}", "{\"flavor\":\"xs1\"}",
                                          "{\"amount\":\"0.01\",\"reason\":\"g\"}",
                                          "{\"name\":\"g\",\"image\":\"disk\",\"flavor\":\"xs1\",\"ssh_keys\":[],\"disk_mib\":2048}",
                                          "{\"name\":\"g\",\"size_mib\":8}", "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22\"}]}", "{\"guest_port\":22}", "{\"email\":\"third@example.com\",\"password\":\"not this one\"}",
                                          "{\"name\":\"g\",\"email\":\"g@example.com\",\"password\":\"words that are many\"}",
                                          "{\"name\":\"g\",\"public_key\":\"ssh-ed25519 AAAA\"}", "{\"code\":\"XSV-1\"}",
                                          "{\"name\":\"g\",\"amount\":\"0.01\",\"ends_at\":\"2036-01-01T00:00:00Z\"}", NULL };
    json_t *body = json_loads(one_of(rights), 0, NULL);
    char *text;

    for (size_t n = below(3); n; n--) {
        const char *name = one_of(names);

        json_object_set_new(body, name, value_make(name, 0));
    }
    text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    /* Now and then bytes are lost or bent on the way. */
    if (below(8) == 0)
        text[below(strlen(text) + 1)] = 0;
    if (below(8) == 0 && *text)
        text[below(strlen(text))] = (char)(below(255) + 1);
    return text;
}

static void path_make(const struct route *route, char *out, size_t size)
{
    const char *ids[] = { instances[0], instances[1], accounts[0], accounts[1], "ins_1", "act_", "inv_00000000000000000000000000",
                          "x%20y", "%00", "%ff%fe", "..", "acc_zzzzzzzzzzzzzzzzzzzzzzzzzz", NULL };
    static const char *const queries[] = { "", "", "", "?wait=0", "?wait=1", "?wait=31", "?limit=0", "?limit=1000", "?offset=99999999999",
                                           "?offset=-1", "?after=1", "?x=y", "?wait", "?=", "?limit=%00", "?from=2026-01-01", "?by=day", "?from=x&to=%ff", "?instance_id=ins_1",
                                           "?standing=true", "?customer_id=acc_1&period=2026-11", "?against=1", "?state=suspense", NULL };
    const char *brace = strchr(route->pattern, '{');

    if (brace)
        snprintf(out, size, "%.*s%s%s%s", (int)(brace - route->pattern), route->pattern, one_of(ids), strchr(brace, '}') + 1,
                 one_of(queries));
    else
        snprintf(out, size, "%s%s", route->pattern, one_of(queries));
}

/* What is wrong with the answer, NULL if nothing. */
static const char *fault_of(const struct response *answer)
{
    if (answer->status == 0)
        return "no answer";
    /* The model's host has four ports to give away: that they are gone is no fault. */
    if (answer->status >= 500 && strcmp(answer_text_of(answer, "code"), "capacity_unavailable") != 0)
        return "a fault of ours";
    if (answer->status >= 400 && !*answer_text_of(answer, "code"))
        return "a refusal that is no problem+json";
    if (answer->status >= 400 && !*answer_text_of(answer, "detail"))
        return "a refusal without words";
    if (!*answer_header(answer, "x-request-id"))
        return "no X-Request-Id";
    return NULL;
}

static bool request_try(char *told, size_t told_size)
{
    static const char *const types[] = { NULL, NULL, NULL, "application/json; charset=utf-8", "text/plain", "", "application/xml" };
    const char *callers[] = { keys[0], keys[0], keys[0], keys[1], rig.operator_key, "xs_live_bad", "" };
    const struct route *route = &routes[below(routes_count)];
    char path[512], idem[32];
    struct call call = { .method = below(20) ? route->method : "PUT", .path = path };
    struct response answer;
    const char *fault;
    char *body = NULL;

    path_make(route, path, sizeof(path));
    call.key = below(20) ? callers[below(7)] : NULL;
    if (below(4) == 0) {
        call.key = NULL;
        call.visitor = &visitor;
    }
    if (route->body ? below(10) : !below(10))
        call.body = body = body_make();
    if (body)
        call.type = types[below(7)];
    snprintf(idem, sizeof(idem), "g-%zu", below(400));
    if (below(10))
        call.idem = idem;
    answer = rig_call(&rig, &call);
    fault = fault_of(&answer);
    if (fault)
        snprintf(told, told_size, "%s: %s %s body %s: %d %.300s", fault, call.method, path, body ? body : "-",
                 answer.status, answer.text ? answer.text : "");
    answer_free(&answer);
    free(body);
    return !fault;
}

int main(void)
{
    const char *runs_text = getenv("GENERATED_RUNS");
    long runs = runs_text ? strtol(runs_text, NULL, 10) : 50000, faults = 0;
    char told[1500];

    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        rig_customer(&rig, i ? "second" : "first", keys[i], accounts[i]);
        rig_instance(&rig, keys[i], "g", instances[i]);
    }
    visitor = rig_signup(&rig, "third@example.com", "a password of the tests");
    for (long i = 0; i < runs; i++)
        if (!request_try(told, sizeof(told)) && faults++ < 10)
            printf("# %s\n", told);
    ok_int(faults, 0, "%ld generated requests: none made the api fail", runs);
    rig_end(&rig);
    return tap_end();
}
