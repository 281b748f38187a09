/* Whatever makes or moves something, a thousand times over against the real accountd: the databases have it once. A route
 * that needs an Idempotency-Key and has no row here fails the test. */
#include "api/route.h"
#include "common/id.h"
#include "common/json.h"
#include "tests/api/real.h"
#include "tests/api/repeat.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LEDGER "accountd/ledger.db"
#define API "db/api.db"
#define PASSWORD "correct horse battery"

static struct rig rig;
static char key[64], account[40], instance[40], invoice[40], order[40], volume[40], entry[40], second_entry[40], operator[64],
    operator_id[40];
static unsigned char tried[256];        /* by the route's place in the table */

/* What is counted before and after: rows of a database, or a verb of the stand-in provisioner. */
struct effect {
    const char *database;               /* NULL: `what` is a verb */
    const char *what;
};

#define ROWS(database, table) { database, "SELECT count(*) FROM " table }

static long counted(const struct effect *effect)
{
    return effect->database ? rig_rows(&rig, effect->database, effect->what) : rig_count(&rig, "provisioner", effect->what);
}

/* All money that was moved by somebody's will; use is charged meanwhile, and holds follow it. A credit note is one, of
 * however many lines. */
static const struct effect money = {
    LEDGER, "SELECT count(DISTINCT CASE code WHEN 'credit_note' THEN refers ELSE transfer_id END) FROM transfer"
            " WHERE kind = 'posted' AND code IN"
            " ('fund', 'credit', 'voucher', 'bank', 'card', 'suspense', 'po', 'credit_note')"
};

static void twice_is_once(const struct call *call, int status, const struct effect *effect, int moved)
{
    long before = counted(effect), paid = counted(&money);
    struct repeated repeated = repeat(&rig, call, status);
    char param[PARAM_BYTES], allow[32];
    const struct route *route = route_find("POST", call->path, param, allow);

    tried[route - routes] = 1;
    ok_repeated(&repeated, route->pattern);
    ok_int(counted(effect) - before, 1, "%s: one effect", route->pattern);
    ok_int(counted(&money) - paid, moved, "%s: %d transfers of money", route->pattern, moved);
}

static void once(const char *caller, const char *path, const char *body, struct effect effect, int moved)
{
    char idem[ID_BYTES];
    struct call call = { .method = "POST", .path = path, .key = caller, .body = body, .idem = id_make("tst_", idem) };
    bool instances = strcmp(path, "/v1/instances") == 0;

    twice_is_once(&call, instances ? 202 : 201, &effect, moved);
}

static const char *at(const char *format, const char *id)
{
    static char path[160];

    snprintf(path, sizeof(path), format, id);
    return path;
}

/* Made once, in order to be used; its id. */
static void make(const char *caller, const char *path, const char *body, char id[static 40])
{
    char idem[ID_BYTES];
    struct response answer = rig_post(&rig, caller, path, id_make("tst_", idem), body);

    if (answer.status != 201)
        tap_bail("%s: %d %s", path, answer.status, answer.text ? answer.text : "");
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void machines(void)
{
    once(key, "/v1/instances", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", (struct effect){ NULL, "instance_create" }, 0);
    once(key, "/v1/volumes", "{\"name\":\"v\",\"size_mib\":64}", (struct effect){ NULL, "volume_create" }, 0);
    make(key, "/v1/volumes", "{\"name\":\"w\",\"size_mib\":64}", volume);
    once(key, at("/v1/volumes/%s/snapshots", volume), "{\"name\":\"s\"}", (struct effect){ NULL, "snapshot_create" }, 0);
    once(key, at("/v1/instances/%s/forwards", instance), "{\"guest_port\":80}", (struct effect){ NULL, "forward_create" }, 0);
    once(key, "/v1/ssh_keys",
         "{\"name\":\"k\",\"public_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS\"}",
         (struct effect)ROWS(API, "ssh_keys"), 0);
    once(key, "/v1/keys", "{\"name\":\"k\",\"scopes\":[\"billing:read\"]}", (struct effect)ROWS(API, "keys"), 0);
    once(key, "/v1/projects", "{\"name\":\"p\"}", (struct effect)ROWS(API, "projects"), 0);
    once(key, "/v1/webhooks", "{\"url\":\"https://hooks.example/x\"}", (struct effect)ROWS(API, "webhooks"), 0);
}

static void purses(void)
{
    static const char body[] = "{\"name\":\"p\",\"amount\":\"1.00\",\"ends_at\":\"2099-01-01T00:00:00Z\"}";

    once(key, "/v1/purchase_orders", body, (struct effect)ROWS(LEDGER, "purchase_order"), 1);
    make(key, "/v1/purchase_orders", body, order);
    once(key, at("/v1/purchase_orders/%s/add", order), "{\"amount\":\"0.50\"}", money, 1);
    once(key, "/v1/budgets", "{\"amount\":\"20.00\"}", (struct effect)ROWS(LEDGER, "budget"), 0);
}

static void vouchers(void)
{
    struct response answer = rig_post(&rig, operator, "/v1/admin/vouchers", "voucher", "{\"amount\":\"5.00\"}");
    char body[96];

    snprintf(body, sizeof(body), "{\"code\":\"%s\"}", answer_text_of(&answer, "code"));
    answer_free(&answer);
    once(operator, "/v1/admin/vouchers", "{\"amount\":\"6.00\"}", (struct effect)ROWS(LEDGER, "voucher"), 0);
    once(key, "/v1/vouchers/redeem", body, (struct effect)ROWS(LEDGER, "voucher_redemption"), 1);
}

static bool has_records(const struct response *answer)
{
    return answer->text && strstr(answer->text, "xs-usage/v1 use");
}

static void papers(void)
{
    struct response answer;
    char body[200];

    if (!real_until(&rig, key, at("/v1/usage/records?instance_id=%s", instance), has_records, &answer))
        tap_bail("no records");
    answer_free(&answer);
    once(key, "/v1/invoices", NULL, (struct effect)ROWS(LEDGER, "invoice"), 0);
    answer = rig_get(&rig, key, "/v1/invoices");
    snprintf(invoice, sizeof(invoice), "%s", json_text(json_array_get(json_object_get(answer.json, "data"), 0), "id"));
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"not mine\"}", invoice);
    once(key, "/v1/disputes", body, (struct effect)ROWS(LEDGER, "dispute"), 0);
    once(operator, "/v1/admin/credit_notes", body, (struct effect)ROWS(LEDGER, "invoice WHERE kind = 'credit_note'"), 1);
}

static void people(void)
{
    once(NULL, "/v1/signup", "{\"name\":\"s\",\"email\":\"s@example.com\",\"password\":\"" PASSWORD "\"}",
         (struct effect)ROWS(API, "users"), 0);
    once(operator, "/v1/admin/customers", "{\"name\":\"c\"}", (struct effect)ROWS(API, "customers"), 0);
    once(operator, at("/v1/admin/customers/%s/credits", account), "{\"amount\":\"1.00\",\"reason\":\"r\"}", money, 1);
    once(operator, at("/v1/admin/customers/%s/keys", account), "{\"name\":\"k\"}", (struct effect)ROWS(API, "keys"), 0);
    once(operator, "/v1/admin/operators", "{\"name\":\"Bob\",\"role\":\"view\"}", (struct effect)ROWS(API, "operators"), 0);
    once(operator, at("/v1/admin/operators/%s/keys", operator_id), "{\"name\":\"k\"}", (struct effect)ROWS(API, "operator_keys"), 0);
}

static void price_book(void)
{
    json_t *book = json_load_file(TOP_SRCDIR "/accountd/pricebook.json", 0, NULL);
    char *text;

    json_object_set_new(book, "version", json_integer(2));
    text = json_dumps(book, JSON_COMPACT);
    once(operator, "/v1/admin/price_books", text, (struct effect)ROWS(LEDGER, "price_proposal"), 0);
    free(text);
    json_decref(book);
}

static void entries_find(void)
{
    struct response answer = rig_get(&rig, operator, "/v1/admin/bank_entries?state=suspense");
    json_t *data = json_object_get(answer.json, "data");

    snprintf(entry, sizeof(entry), "%s", json_text(json_array_get(data, 0), "id"));
    snprintf(second_entry, sizeof(second_entry), "%s", json_text(json_array_get(data, 1), "id"));
    answer_free(&answer);
}

static void bank(void)
{
    char *text = rig_file(TOP_SRCDIR "/tests/accountd/funding/unmatched.xml");
    struct call import = { .method = "POST", .path = "/v1/admin/bank_imports", .key = operator, .body = text,
                           .type = "application/xml", .idem = "import" };
    char body[96];

    twice_is_once(&import, 201, &(struct effect)ROWS(LEDGER, "bank_import"), 5);
    free(text);
    entries_find();
    snprintf(body, sizeof(body), "{\"customer_id\":\"%s\"}", account);
    once(operator, at("/v1/admin/bank_entries/%s/assign", entry), body, (struct effect)ROWS(LEDGER, "receipt_end"), 1);
    once(operator, at("/v1/admin/bank_entries/%s/return", second_entry), "{\"reason\":\"r\"}", (struct effect)ROWS(LEDGER, "receipt_end"), 1);
}

/* The provider sends no key; its event has an id. */
static void payment(void)
{
    char body[400], header[256];
    struct call event = { .method = "POST", .path = "/v1/webhooks/payments", .body = body, .header = header };

    real_payment(account, body, header);
    twice_is_once(&event, 200, &(struct effect)ROWS(LEDGER, "payment_event"), 1);
}

static void complete(void)
{
    for (unsigned i = 0; i < routes_count; i++)
        if (routes[i].key == KEY_REQUIRED && !tried[i])
            ok(false, "%s makes something and is not tried here", routes[i].pattern);
}

int main(void)
{
    pid_t accountd;

    rig_start(&rig);
    real_page_write(&rig);
    real_page_enrich(&rig);
    accountd = real_begin(&rig);
    rig_customer(&rig, "duplicates", key, account);
    rig_operator_key(&rig, "Ann", "admin", operator, operator_id);
    if (!real_register(&rig, key, account, instance))
        tap_bail("no guest");
    machines();
    purses();
    vouchers();
    papers();
    people();
    price_book();
    bank();
    payment();
    complete();
    kill(accountd, SIGTERM);
    waitpid(accountd, NULL, 0);
    rig_end(&rig);
    return tap_end();
}
