/* The host that the browser's tests visit: the real api and accountd, a stand-in provisioner, and customers who have used
 * something. Prints one line of JSON (url, keys, ids) on stdout and serves until its standard input ends.
 *
 *     rig WEB      WEB is the folder that host/web made */
#include "common/id.h"
#include "common/json.h"
#include "tests/api/real.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct rig rig;
static char key[64], account[40], other[64], other_account[40], instance[40], operator[64];

static void made(const char *who, const char *path, const char *body)
{
    char idem[ID_BYTES];
    struct response answer = rig_post(&rig, who, path, id_make("tst_", idem), body);

    if (answer.status < 200 || answer.status > 299)
        tap_bail("%s: %d %s", path, answer.status, answer.text ? answer.text : "");
    answer_free(&answer);
}

static bool has_records(const struct response *answer)
{
    return answer->text && strstr(answer->text, "tlog-proof@v1") && strstr(answer->text, "xs-usage/v1 use");
}

/* What a customer of some weeks has: money of several kinds, a purchase order, budgets, keys, an invoice, a dispute. */
static void customer_live(void)
{
    struct response answer;
    char path[160], body[256];

    snprintf(path, sizeof(path), "/v1/usage/records?instance_id=%s", instance);
    if (!real_until(&rig, key, path, has_records, &answer))
        tap_bail("no records");
    answer_free(&answer);
    made(key, "/v1/purchase_orders", "{\"name\":\"Research 2027\",\"amount\":\"3.00\",\"ends_at\":\"2099-01-01T00:00:00Z\"}");
    made(key, "/v1/budgets", "{\"amount\":\"20.00\",\"steps\":[50,80,100]}");
    made(key, "/v1/ssh_keys",
         "{\"name\":\"laptop\",\"public_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS\"}");
    made(key, "/v1/keys", "{\"name\":\"Monitoring\",\"scopes\":[\"instances:read\",\"billing:read\"]}");
    rig_instance(&rig, key, "web-1", body);
    answer = rig_post(&rig, key, "/v1/invoices", "rig-invoice", NULL);
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"The guest was off on Monday\",\"line\":1}", answer_text_of(&answer, "id"));
    if (answer.status != 201)
        tap_bail("no invoice: %s", answer.text);
    answer_free(&answer);
    made(key, "/v1/disputes", body);
}

static void operator_live(void)
{
    char path[160];
    json_t *book = json_load_file(TOP_SRCDIR "/accountd/pricebook.json", 0, NULL);
    json_t *meter = json_array_get(json_object_get(book, "meters"), 0);
    char *text;

    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", other_account);
    made(rig.operator_key, path, "{\"amount\":\"250.00\",\"reason\":\"Welcome\"}");
    made(rig.operator_key, "/v1/admin/vouchers", "{\"amount\":\"5.00\"}");
    json_object_set_new(book, "version", json_integer(2));
    json_object_set_new(meter, "num_nano", json_string("1200"));
    text = json_dumps(book, JSON_COMPACT);
    made(operator, "/v1/admin/price_books", text);
    free(text);
    json_decref(book);
}

/* For what reads it in a language without YAML. */
static void contract_write(void)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/openapi.json", rig.dir);
    if (json_dump_file(rig.contract, path, 0) != 0)
        tap_bail("%s", path);
}

static void say(int out)
{
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "url", rig.url, "key", key, "account", account,
                              "other_key", other, "instance", instance, "operator_key", rig.operator_key,
                              "second_operator_key", operator, "dir", rig.dir);
    char *text = json_dumps(facts, JSON_COMPACT);

    dprintf(out, "%s\n", text);
    free(text);
    json_decref(facts);
}

int main(int argc, char **argv)
{
    int out = dup(1);
    char web[600], id[40], end;
    pid_t accountd;

    if (argc != 2 || out < 0 || dup2(2, 1) < 0)     /* checks of the rig itself go to stderr */
        tap_bail("usage: rig WEB");
    rig_start(&rig);
    real_page_write(&rig);
    real_page_enrich(&rig);
    snprintf(web, sizeof(web), "\"%s\"", argv[1]);
    rig_config_set(&rig, "web", web);
    accountd = real_begin(&rig);
    rig_customer(&rig, "Ada Ltd", key, account);
    rig_customer(&rig, "Bell & Sons", other, other_account);
    rig_operator_key(&rig, "Ann", "admin", operator, id);
    if (!real_register(&rig, key, account, instance))
        tap_bail("no guest");
    customer_live();
    operator_live();
    contract_write();
    say(out);
    while (read(0, &end, 1) > 0)
        ;
    kill(accountd, SIGTERM);
    waitpid(accountd, NULL, 0);
    rig_end(&rig);
    return tap_end();
}
