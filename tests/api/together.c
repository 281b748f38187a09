/* The api with the real accountd: what one says, the other understands, and
 * what customers see of it holds to the contract. */
#include "common/id.h"
#include "tests/api/real.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct rig rig;
static char key[64], account[40], instance[40];
static pid_t accountd;

static bool is_running(const struct response *answer)
{
    return answer->status == 200 && strcmp(answer_text_of(answer, "state"), "running") == 0 &&
           strcmp(answer_text_of(answer, "exits"), "0") != 0;
}

static bool has_use(const struct response *answer)
{
    return answer->text && strstr(answer->text, "xs-usage/v1 use");
}

static void money(void)
{
    struct response answer = rig_get(&rig, key, "/v1/wallet");

    ok_text(answer_text_of(&answer, "balance"), "10.00", "the credit is in the wallet");
    ok(strcmp(answer_text_of(&answer, "held"), "0.00") != 0, "a launch holds money (%s)", answer_text_of(&answer, "held"));
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/quotes", NULL, "{\"vcpus\":2,\"memory_mib\":256,\"seconds\":60}");
    ok(answer.status == 200 && json_array_size(json_object_get(answer.json, "lines")) > 0, "a quote has lines");
    answer_free(&answer);
    answer = rig_post(&rig, rig.operator_key, "/v1/admin/customers", "usd", "{\"name\":\"n\",\"currency\":\"USD\"}");
    ok_int(answer.status, 422, "another currency is refused");
    ok_has(answer.text, "\"field\":\"currency\"", "by its field");
    answer_free(&answer);
}

static void usage(void)
{
    struct response answer;
    char path[128];

    snprintf(path, sizeof(path), "/v1/instances/%s/usage", instance);
    ok(real_until(&rig, key, path, is_running, &answer), "usage says that it runs");
    ok_text(answer_text_of(&answer, "exits"), "12345", "and what hv counted");
    ok(json_array_size(json_object_get(answer.json, "meters_running")) > 0, "and which meters run");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s", instance);
    answer = rig_get(&rig, key, path);
    ok(json_array_size(json_object_get(answer.json, "meters_running")) > 0, "the instance says it too");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s/records", instance);
    ok(real_until(&rig, key, path, has_use, &answer), "records of its use come");
    answer_free(&answer);
}

static void invoices(void)
{
    struct response invoice = rig_post(&rig, key, "/v1/invoices", "inv", NULL), answer;
    char path[128];

    ok_int(invoice.status, 201, "an invoice is made");
    ok(strcmp(answer_text_of(&invoice, "total"), "") != 0, "with a total (%s)", answer_text_of(&invoice, "total"));
    ok(json_array_size(json_object_get(invoice.json, "lines")) > 0, "and lines");
    answer = rig_get(&rig, key, "/v1/invoices");
    ok_has(answer.text, answer_text_of(&invoice, "id"), "it is in the list");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/bundle", answer_text_of(&invoice, "id"));
    answer = rig_get(&rig, key, path);
    ok(answer.status == 200 && answer.size > 1024 && memcmp(answer.text + 257, "ustar", 5) == 0, "its bundle is a tar");
    answer_free(&answer);
    answer_free(&invoice);
    answer = rig_get(&rig, NULL, "/log/checkpoint");
    ok_has(answer.text, "test-host/usage/e1\n", "the log's head is there for all");
    answer_free(&answer);
}

static void host(void)
{
    struct response answer = rig_get(&rig, rig.operator_key, "/v1/admin/host");

    ok(json_integer_value(json_object_get(json_object_get(answer.json, "meter"), "samples")) > 0,
       "the operator sees the meter");
    answer_free(&answer);
}

/* kill -9 in between: the api waits for it, and nothing is doubled. */
static void restarted(void)
{
    struct response answer;

    kill(accountd, SIGKILL);
    waitpid(accountd, NULL, 0);
    answer = rig_get(&rig, key, "/v1/wallet");
    ok(answer.status == 503 && json_is_true(json_object_get(answer.json, "retryable")), "without accountd: 503, retryable");
    answer_free(&answer);
    accountd = real_accountd_start(&rig);
    ok(real_until(&rig, key, "/v1/wallet", real_is_ok, &answer), "it comes back");
    ok_int((long long)json_array_size(json_object_get(answer.json, "entries")) > 0, 1, "with its entries");
    answer_free(&answer);
}

int main(void)
{
    struct response answer;

    rig_start(&rig);
    real_page_write(&rig);
    accountd = real_accountd_start(&rig);
    ok(real_until(&rig, NULL, "/healthz", real_is_ok, &answer), "both answer");
    answer_free(&answer);
    rig_customer(&rig, "main", key, account);
    ok(real_register(&rig, key, account, instance), "the instance is registered under the api's ids");
    money();
    usage();
    invoices();
    host();
    restarted();
    kill(accountd, SIGTERM);
    waitpid(accountd, NULL, 0);
    rig_end(&rig);
    return tap_end();
}
