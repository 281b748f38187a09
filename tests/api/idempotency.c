/* The Idempotency-Key: the same request is done once, whatever is lost, killed
 * or sent a thousand times, and its answer is the first one's. */
#include "common/id.h"
#include "tests/api/repeat.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATE "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}"

static struct rig rig;
static char key[64], account[40];

static void replays(void)
{
    int before = rig_count(&rig, "provisioner", "instance_create");
    struct response first = rig_post(&rig, key, "/v1/instances", "replay-1", CREATE);
    struct response again = rig_post(&rig, key, "/v1/instances", "replay-1",
                                   " { \"flavor\": \"xs1\", \"name\": \"n\", \"image\": \"tiny\" } ");
    struct response other;

    ok_int(first.status, 202, "created");
    ok_text(answer_header(&first, "idempotent-replayed"), "", "the first answer is no replay");
    ok_has(answer_header(&first, "location"), "/v1/actions/act_", "Location is the action");
    ok_int(again.status, 202, "the same again, spaced otherwise, is the same request");
    ok_text(answer_header(&again, "idempotent-replayed"), "true", "and says that it is a replay");
    ok_text(answer_header(&again, "location"), answer_header(&first, "location"), "with the same Location");
    ok(json_equal(first.json, again.json), "and the same body");
    other = rig_post(&rig, key, "/v1/instances", "replay-1", "{\"name\":\"m\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    ok_int(other.status, 422, "another body with that key is refused");
    ok_text(answer_text_of(&other, "code"), "idempotency_key_reused", "by its code");
    answer_free(&other);
    other = rig_post(&rig, key, "/v1/invoices", "replay-1", NULL);
    ok_int(other.status, 422, "so is another path");
    answer_free(&other);
    ok_int(rig_count(&rig, "provisioner", "instance_create") - before, 1, "one instance was made");
    answer_free(&first);
    answer_free(&again);
}

static void keys_of_tenants(void)
{
    char other_key[64], other_account[40];
    struct response first, second;

    rig_customer(&rig, "tenant", other_key, other_account);
    first = rig_post(&rig, key, "/v1/instances", "shared", CREATE);
    second = rig_post(&rig, other_key, "/v1/instances", "shared", CREATE);
    ok(first.status == 202 && second.status == 202 &&
           strcmp(answer_text_of(&first, "id"), answer_text_of(&second, "id")) != 0,
       "two customers may use the same Idempotency-Key");
    answer_free(&first);
    answer_free(&second);
}

/* A lost answer: the effect is there, the customer heard 503, and tries again. */
static void lost_answers(void)
{
    static const struct {
        const char *daemon, *verb, *path, *body;
        int status;
        bool by_operator;
    } cases[] = {
        { "provisioner", "instance_create", "/v1/instances", CREATE, 202, false },
        { "accountd", "invoice_create", "/v1/invoices", NULL, 201, false },
        { "accountd", "budget_set", "/v1/budgets", "{\"amount\":\"1.00\"}", 201, false },
        { "accountd", "voucher_redeem", "/v1/vouchers/redeem", "{\"code\":\"XSV-1\"}", 201, false },
        { "accountd", "purchase_order_create", "/v1/purchase_orders", "{\"name\":\"p\",\"amount\":\"1.00\"}", 201, false },
        { "accountd", "account_open", "/v1/admin/customers", "{\"name\":\"c\"}", 201, true },
        { "accountd", "fund", "/v1/admin/customers/%s/credits", "{\"amount\":\"1.00\",\"reason\":\"r\"}", 201, true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *caller = cases[i].by_operator ? rig.operator_key : key;
        int before = rig_count(&rig, cases[i].daemon, cases[i].verb);
        char path[128], idem[ID_BYTES];
        struct response answer;

        snprintf(path, sizeof(path), strstr(cases[i].path, "%s") ? "/v1/admin/customers/%s/credits" : "%s",
                 strstr(cases[i].path, "%s") ? account : cases[i].path);
        id_make("tst_", idem);
        json_decref(rig_order(&rig, cases[i].daemon, json_pack("{s:b}", "lose", 1)));
        answer = rig_post(&rig, caller, path, idem, cases[i].body);
        ok_int(answer.status, 503, "%s: the answer was lost: 503", cases[i].verb);
        ok(json_is_true(json_object_get(answer.json, "retryable")) && *answer_header(&answer, "retry-after"),
           "%s: and that trying again makes sense", cases[i].verb);
        answer_free(&answer);
        answer = rig_post(&rig, caller, path, idem, cases[i].body);
        ok_int(answer.status, cases[i].status, "%s: the second try succeeds", cases[i].verb);
        answer_free(&answer);
        ok_int(rig_count(&rig, cases[i].daemon, cases[i].verb) - before, 1, "%s: with one effect", cases[i].verb);
    }
}

/* kill -9 between the daemon's effect and our stored answer. */
static void killed_between(void)
{
    int before = rig_count(&rig, "provisioner", "instance_create");
    struct response answer;
    char id[40];

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "lose", 1)));
    answer = rig_post(&rig, key, "/v1/instances", "killed-1", CREATE);
    ok_int(answer.status, 503, "the effect is there, its answer is not");
    answer_free(&answer);
    rig_api_stop(&rig, SIGKILL);
    rig_api_start(&rig);
    answer = rig_post(&rig, key, "/v1/instances", "killed-1", CREATE);
    ok_int(answer.status, 202, "after kill -9 and a restart the retry finishes it");
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    ok_int(rig_count(&rig, "provisioner", "instance_create") - before, 1, "as one instance");
    answer = rig_post(&rig, key, "/v1/instances", "killed-1", CREATE);
    ok_text(answer_text_of(&answer, "id"), id, "and replays it");
    answer_free(&answer);
}

static void duplicates(const char *daemon, const char *verb, const char *caller, const char *path, const char *body,
                       int status)
{
    int before = rig_count(&rig, daemon, verb);
    char idem[ID_BYTES];
    struct call call = { .method = "POST", .path = path, .key = caller, .body = body, .idem = id_make("tst_", idem) };
    struct repeated repeated = repeat(&rig, &call, status);

    ok_repeated(&repeated, verb);
    ok_int(rig_count(&rig, daemon, verb) - before, 1, "%s: one effect", verb);
}

static void refusals_are_kept(void)
{
    struct response answer;
    int instances, after;

    answer = rig_get(&rig, key, "/v1/instances");
    instances = (int)json_array_size(json_object_get(answer.json, "data"));
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "insufficient_funds")));
    answer = rig_post(&rig, key, "/v1/instances", "refused-1", CREATE);
    ok_int(answer.status, 402, "insufficient funds");
    ok_text(json_string_value(json_object_get(json_object_get(answer.json, "context"), "needed")), "2.00",
            "what is needed is money, not nano");
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/instances", "refused-1", CREATE);
    ok(answer.status == 402 && strcmp(answer_header(&answer, "idempotent-replayed"), "true") == 0,
       "a final refusal is replayed");
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "capacity_unavailable")));
    answer = rig_post(&rig, key, "/v1/instances", "full-1", CREATE);
    ok(answer.status == 503 && json_is_true(json_object_get(answer.json, "retryable")), "no room now is retryable");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/instances");
    after = (int)json_array_size(json_object_get(answer.json, "data"));
    ok_int(after, instances, "neither left anything in the list");
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/instances", "full-1", CREATE);
    ok_int(answer.status, 202, "and is done when there is room");
    answer_free(&answer);
}

/* The answer was lost and nobody tried again: what runs, and is billed, must be seen. */
static void lost_is_seen(void)
{
    struct response answer;
    size_t before, after;

    answer = rig_get(&rig, key, "/v1/instances");
    before = json_array_size(json_object_get(answer.json, "data"));
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "lose", 1)));
    answer = rig_post(&rig, key, "/v1/instances", "never-again", CREATE);
    ok_int(answer.status, 503, "an answer is lost");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/instances");
    after = json_array_size(json_object_get(answer.json, "data"));
    ok_int((long long)after, (long long)before + 1, "the instance that runs is in the list");
    answer_free(&answer);
}

int main(void)
{
    char path[128];

    rig_start(&rig);
    rig_customer(&rig, "main", key, account);
    replays();
    keys_of_tenants();
    lost_answers();
    lost_is_seen();
    killed_between();
    duplicates("provisioner", "instance_create", key, "/v1/instances", CREATE, 202);
    duplicates("accountd", "invoice_create", key, "/v1/invoices", NULL, 201);
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", account);
    duplicates("accountd", "fund", rig.operator_key, path, "{\"amount\":\"1.00\",\"reason\":\"r\"}", 201);
    refusals_are_kept();
    rig_end(&rig);
    return tap_end();
}
