/* Every route of the table for every kind of caller. The examples below say
 * only how a rightful call looks; who may is taken from the table, and a route
 * without an example fails. */
#include "api/people/roles.h"
#include "api/route.h"
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSH_KEY \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS"

#define PASSWORD "a password of the tests"

struct example {
    const char *method;
    const char *pattern;
    const char *thing;                  /* whose id goes for {id} or into the query, thing_id() knows them; "any ...": nobody's in particular */
    const char *body;                   /* INVOICE and CUSTOMER in it become the owner's, NEW a new name, NUMBER a new one */
    int status;                         /* for who may */
};

static const struct example examples[] = {
    { "GET", "/v1/account", NULL, NULL, 200 },
    { "GET", "/v1/images", NULL, NULL, 200 },
    { "GET", "/v1/flavors", NULL, NULL, 200 },
    { "POST", "/v1/quotes", NULL, "{\"flavor\":\"xs1\"}", 200 },
    { "POST", "/v1/instances", NULL, "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", 202 },
    { "GET", "/v1/instances", NULL, NULL, 200 },
    { "GET", "/v1/instances/{id}", "instance", NULL, 200 },
    { "GET", "/v1/instances/{id}/actions", "instance", NULL, 200 },
    { "POST", "/v1/instances/{id}/actions", "instance", "{\"type\":\"reboot\"}", 202 },
    { "GET", "/v1/admin/domains", NULL, NULL, 200 },
    { "GET", "/v1/admin/domains/{id}", "instance", NULL, 200 },
    { "GET", "/v1/admin/domains/{id}/records", "instance", NULL, 200 },
    { "POST", "/v1/admin/domains/{id}/actions", "instance", "{\"type\":\"reboot\",\"reason\":\"r\"}", 202 },
    { "GET", "/v1/admin/domains/{id}/suspension", "instance", NULL, 200 },
    { "POST", "/v1/admin/domains/{id}/suspend", "instance", "{\"reason\":\"r\"}", 200 },
    { "POST", "/v1/admin/domains/{id}/resume", "instance", "{\"reason\":\"r\"}", 204 },
    { "GET", "/v1/actions/{id}", "action", NULL, 200 },
    { "GET", "/v1/instances/{id}/console_log", "instance", NULL, 200 },
    { "POST", "/v1/instances/{id}/console_sessions", "instance", NULL, 201 },
    { "GET", "/v1/console/{ticket}", "any ticket", NULL, 426 },
    { "GET", "/v1/usage", NULL, NULL, 200 },
    { "GET", "/v1/metrics", NULL, NULL, 200 },
    { "GET", "/v1/instances/{id}/usage", "instance", NULL, 200 },
    { "GET", "/v1/instances/{id}/records", "instance", NULL, 200 },
    { "POST", "/v1/invoices", NULL, NULL, 201 },
    { "GET", "/v1/invoices", NULL, NULL, 200 },
    { "GET", "/v1/invoices/{id}", "invoice", NULL, 200 },
    { "GET", "/v1/invoices/{id}/bundle", "invoice", NULL, 200 },
    { "GET", "/v1/wallet", NULL, NULL, 200 },
    { "GET", "/v1/wallet/entries", NULL, NULL, 200 },
    { "POST", "/v1/vouchers/redeem", NULL, "{\"code\":\"XSV-1\"}", 201 },
    { "GET", "/v1/holds", NULL, NULL, 200 },
    { "POST", "/v1/purchase_orders", NULL, "{\"name\":\"p\",\"amount\":\"1.00\"}", 201 },
    { "GET", "/v1/purchase_orders", NULL, NULL, 200 },
    { "GET", "/v1/purchase_orders/{id}", "purchase order", NULL, 200 },
    { "POST", "/v1/purchase_orders/{id}/add", "purchase order", "{\"amount\":\"0.50\"}", 201 },
    { "DELETE", "/v1/purchase_orders/{id}", "purchase order", NULL, 200 },
    { "GET", "/v1/prices", NULL, NULL, 200 },
    { "GET", "/v1/prices/{id}", "any price book", NULL, 200 },
    { "GET", "/v1/usage/summary", NULL, NULL, 200 },
    { "GET", "/v1/usage/records", "instance in the query", NULL, 200 },
    { "GET", "/v1/account/billing_details", NULL, NULL, 200 },
    { "PUT", "/v1/account/billing_details", NULL,
      "{\"name\":\"n\",\"street\":\"s\",\"postcode\":\"p\",\"city\":\"c\",\"country\":\"DE\",\"email\":\"a@b\"}", 200 },
    { "GET", "/v1/invoices/draft", NULL, NULL, 200 },
    { "GET", "/v1/invoices/{id}/files/pdf", "invoice", NULL, 200 },
    { "GET", "/v1/invoices/{id}/files/xml", "invoice", NULL, 404 },
    { "GET", "/v1/invoices/{id}/files/json", "invoice", NULL, 200 },
    { "GET", "/v1/invoices/{id}/files/csv", "invoice", NULL, 200 },
    { "GET", "/v1/credit_notes", NULL, NULL, 200 },
    { "POST", "/v1/disputes", "invoice in the body", "{\"invoice_id\":\"INVOICE\",\"reason\":\"r\"}", 201 },
    { "GET", "/v1/disputes", NULL, NULL, 200 },
    { "GET", "/v1/disputes/{id}", "dispute", NULL, 200 },
    { "POST", "/v1/budgets", NULL, "{\"amount\":\"1.00\"}", 201 },
    { "GET", "/v1/budgets", NULL, NULL, 200 },
    { "DELETE", "/v1/budgets/{id}", "budget", NULL, 204 },
    { "GET", "/v1/alerts", NULL, NULL, 200 },
    { "GET", "/v1/events", NULL, NULL, 200 },
    { "POST", "/v1/webhooks", NULL, "{\"url\":\"https://hooks.example/x\"}", 201 },
    { "GET", "/v1/webhooks", NULL, NULL, 200 },
    { "GET", "/v1/webhooks/{id}", "webhook", NULL, 200 },
    { "PATCH", "/v1/webhooks/{id}", "webhook", "{\"types\":[\"key.*\"]}", 200 },
    { "POST", "/v1/webhooks/{id}/ping", "webhook", NULL, 202 },
    { "GET", "/v1/webhooks/{id}/deliveries", "webhook", NULL, 200 },
    { "POST", "/v1/deliveries/{id}/redeliver", "delivery", NULL, 202 },
    { "DELETE", "/v1/webhooks/{id}", "webhook", NULL, 204 },
    { "GET", "/v1/projects", NULL, NULL, 200 },
    { "POST", "/v1/projects", NULL, "{\"name\":\"NEW\"}", 201 },
    { "GET", "/v1/projects/{id}", "project", NULL, 200 },
    { "PATCH", "/v1/projects/{id}", "project", "{\"name\":\"NEW\"}", 200 },
    { "DELETE", "/v1/projects/{id}", "project", NULL, 204 },
    { "GET", "/v1/members", NULL, NULL, 200 },
    { "GET", "/v1/members/{id}", "member", NULL, 200 },
    { "PATCH", "/v1/members/{id}", "member", "{\"role\":\"viewer\"}", 200 },
    { "DELETE", "/v1/members/{id}", "member", NULL, 204 },
    { "POST", "/v1/invitations", NULL, "{\"email\":\"NEW@example.com\",\"role\":\"viewer\"}", 201 },
    { "GET", "/v1/invitations", NULL, NULL, 200 },
    { "DELETE", "/v1/invitations/{id}", "invitation", NULL, 204 },
    { "POST", "/v1/invitations/lookup", NULL, "{\"token\":\"none\"}", 404 },
    { "POST", "/v1/invitations/accept", NULL, "{\"token\":\"none\",\"password\":\"" PASSWORD "\"}", 404 },
    { "POST", "/v1/keys", NULL, "{\"name\":\"k\"}", 201 },
    { "GET", "/v1/keys", NULL, NULL, 200 },
    { "DELETE", "/v1/keys/{id}", "key", NULL, 204 },
    { "POST", "/v1/signup", NULL, "{\"name\":\"s\",\"email\":\"NEW@example.com\",\"password\":\"" PASSWORD "\"}", 201 },
    { "POST", "/v1/sessions", NULL, "{\"email\":\"other@example.com\",\"password\":\"" PASSWORD "\"}", 201 },
    { "GET", "/v1/sessions", NULL, NULL, 200 },
    { "GET", "/v1/session", NULL, NULL, 200 },
    { "DELETE", "/v1/sessions/{id}", "session", NULL, 204 },
    { "POST", "/v1/user/password", NULL, "{\"password\":\"" PASSWORD "\",\"new_password\":\"" PASSWORD "\"}", 204 },
    { "POST", "/v1/user/totp", NULL, "{\"password\":\"" PASSWORD "\"}", 200 },
    { "POST", "/v1/user/totp/confirm", NULL, "{\"code\":\"none\"}", 422 },
    { "POST", "/v1/user/totp/remove", NULL, "{\"password\":\"p\",\"code\":\"c\"}", 409 },
    { "POST", "/v1/user/email/mail", NULL, NULL, 202 },
    { "POST", "/v1/user/email/verify", NULL, "{\"token\":\"none\"}", 404 },
    { "POST", "/v1/password_resets", NULL, "{\"token\":\"none\",\"password\":\"" PASSWORD "\"}", 404 },
    { "POST", "/v1/password_resets/mail", NULL, "{\"email\":\"NEW@example.com\"}", 202 },
    { "POST", "/v1/admin/user/password", NULL, "{\"password\":\"p\",\"new_password\":\"p\"}", 422 },
    { "POST", "/v1/admin/user/totp", NULL, "{\"password\":\"" PASSWORD "\"}", 409 },
    { "POST", "/v1/admin/user/totp/confirm", NULL, "{\"code\":\"none\"}", 409 },
    { "POST", "/v1/admin/customers/{id}/password_reset", "customer", "{}", 201 },
    { "GET", "/v1/audit_events", NULL, NULL, 200 },
    { "GET", "/v1/admin/audit", NULL, NULL, 200 },
    { "POST", "/v1/admin/sessions", NULL, "{\"name\":\"nobody\",\"password\":\"" PASSWORD "\"}", 401 },
    { "GET", "/v1/admin/session", NULL, NULL, 200 },
    { "GET", "/v1/admin/sessions", NULL, NULL, 200 },
    { "DELETE", "/v1/admin/sessions/{id}", "any session", NULL, 404 },
    { "POST", "/v1/volumes", NULL, "{\"name\":\"v\",\"size_mib\":64}", 201 },
    { "GET", "/v1/volumes", NULL, NULL, 200 },
    { "GET", "/v1/volumes/{id}", "volume", NULL, 200 },
    { "POST", "/v1/volumes/{id}/resize", "volume", "{\"size_mib\":128}", 200 },
    { "POST", "/v1/volumes/{id}/snapshots", "volume", "{\"name\":\"s\"}", 201 },
    { "DELETE", "/v1/volumes/{id}", "volume", NULL, 204 },
    { "GET", "/v1/snapshots", NULL, NULL, 200 },
    { "GET", "/v1/snapshots/{id}", "snapshot", NULL, 200 },
    { "DELETE", "/v1/snapshots/{id}", "snapshot", NULL, 204 },
    { "GET", "/v1/networks", NULL, NULL, 200 },
    { "GET", "/v1/ips", NULL, NULL, 200 },
    { "GET", "/v1/instances/{id}/firewall", "instance", NULL, 200 },
    { "PUT", "/v1/instances/{id}/firewall", "instance", "{\"enabled\":false}", 200 },
    { "POST", "/v1/instances/{id}/forwards", "instance", "{\"guest_port\":80}", 201 },
    { "GET", "/v1/instances/{id}/forwards", "instance", NULL, 200 },
    { "DELETE", "/v1/forwards/{id}", "forward", NULL, 204 },
    { "POST", "/v1/ssh_keys", NULL, "{\"name\":\"NEW\",\"public_key\":\"" SSH_KEY "\"}", 201 },
    { "GET", "/v1/ssh_keys", NULL, NULL, 200 },
    { "DELETE", "/v1/ssh_keys/{id}", "SSH key", NULL, 204 },
    { "PATCH", "/v1/instances/{id}", "instance", "{\"labels\":{\"env\":\"test\"}}", 200 },
    { "DELETE", "/v1/instances/{id}", "instance", NULL, 202 },
    { "POST", "/v1/admin/customers", NULL, "{\"name\":\"c\"}", 201 },
    { "GET", "/v1/admin/customers", NULL, NULL, 200 },
    { "GET", "/v1/admin/customers/{id}", "customer", NULL, 200 },
    { "DELETE", "/v1/admin/keys/{id}", "key", NULL, 204 },
    { "GET", "/v1/admin/customers/{id}/suspension", "customer", NULL, 200 },
    { "POST", "/v1/admin/customers/{id}/suspend", "customer", "{\"reason\":\"r\"}", 200 },
    { "POST", "/v1/admin/customers/{id}/resume", "customer", "{\"reason\":\"r\"}", 204 },
    { "POST", "/v1/admin/customers/{id}/credits", "customer", "{\"amount\":\"1.00\",\"reason\":\"r\"}", 201 },
    { "POST", "/v1/admin/customers/{id}/keys", "customer", "{\"name\":\"k\"}", 201 },
    { "GET", "/v1/admin/host", NULL, NULL, 200 },
    { "GET", "/v1/admin/host/domains", NULL, NULL, 200 },
    { "GET", "/v1/admin/metrics", NULL, NULL, 200 },
    { "GET", "/v1/admin/operators", NULL, NULL, 200 },
    { "POST", "/v1/admin/operators", NULL, "{\"name\":\"NEW\",\"role\":\"view\"}", 201 },
    { "POST", "/v1/admin/operators/{id}/keys", "operator", "{\"name\":\"o\"}", 201 },
    { "GET", "/v1/admin/operators/{id}/role", "operator", NULL, 200 },
    { "PUT", "/v1/admin/operators/{id}/role", "operator", "{\"role\":\"support\"}", 200 },
    { "POST", "/v1/admin/operators/{id}/password_reset", "operator", "{}", 201 },
    { "DELETE", "/v1/admin/operators/{id}", "operator", NULL, 204 },
    { "GET", "/v1/admin/price_books", NULL, NULL, 200 },
    { "POST", "/v1/admin/price_books", NULL, "{\"version\":NUMBER,\"currency\":\"EUR\",\"meters\":[]}", 201 },
    { "GET", "/v1/admin/price_books/{id}", "any price book", NULL, 200 },
    { "GET", "/v1/admin/price_books/{id}/diff", "any proposal", NULL, 200 },
    { "GET", "/v1/admin/price_books/{id}/replay", "any price book", NULL, 422 },
    { "POST", "/v1/admin/price_books/{id}/approve", "any proposal", NULL, 200 },
    { "POST", "/v1/admin/price_books/{id}/withdraw", "any proposal", NULL, 200 },
    { "POST", "/v1/admin/vouchers", NULL, "{\"amount\":\"1.00\"}", 201 },
    { "POST", "/v1/admin/bank_imports", NULL, "<Document/>", 201 },
    { "GET", "/v1/admin/bank_entries", NULL, NULL, 200 },
    { "POST", "/v1/admin/bank_entries/{id}/assign", "any entry", "{\"customer_id\":\"CUSTOMER\"}", 201 },
    { "POST", "/v1/admin/bank_entries/{id}/return", "any entry", "{\"reason\":\"r\"}", 201 },
    { "GET", "/v1/admin/ledger/trial_balance", NULL, NULL, 200 },
    { "GET", "/v1/admin/ledger/accounts/{id}/transfers", "any ledger account", NULL, 200 },
    { "GET", "/v1/admin/log/leaves/{id}", "any leaf", NULL, 200 },
    { "GET", "/v1/admin/ledger/journal", NULL, NULL, 200 },
    { "GET", "/v1/admin/invoices", NULL, NULL, 200 },
    { "GET", "/v1/admin/invoices/{id}", "invoice", NULL, 200 },
    { "GET", "/v1/admin/invoices/{id}/bundle", "invoice", NULL, 200 },
    { "GET", "/v1/admin/credit_notes", NULL, NULL, 200 },
    { "POST", "/v1/admin/credit_notes", NULL, "{\"invoice_id\":\"INVOICE\",\"reason\":\"r\"}", 201 },
    { "GET", "/v1/admin/disputes", NULL, NULL, 200 },
    { "GET", "/v1/admin/disputes/{id}", "dispute", NULL, 200 },
    { "POST", "/v1/admin/disputes/{id}/resolve", "dispute", "{\"outcome\":\"rejected\",\"reason\":\"r\"}", 200 },
    { "GET", "/v1/admin/reconciliation", NULL, NULL, 200 },
    { "GET", "/v1/admin/alerts", NULL, NULL, 200 },
    { "GET", "/v1/admin/events", NULL, NULL, 200 },
    { "GET", "/v1/admin/suspensions", NULL, NULL, 200 },
    { "GET", "/v1/admin/cap", NULL, NULL, 200 },
    { "POST", "/v1/webhooks/payments", NULL, "{}", 200 },
    { "GET", "/log/checkpoint", NULL, NULL, 200 },
    { "GET", "/log/keys.txt", NULL, NULL, 200 },
    { "GET", "/log/keys.txt.minisig", NULL, NULL, 404 },
    { "GET", "/log/tile/{path}", "any tile", NULL, 200 },
    { "GET", "/healthz", NULL, NULL, 200 },
    { "GET", "/openapi.yaml", NULL, NULL, 200 },
    { "GET", "/", NULL, NULL, 404 },                /* the rig has no web pages: tests/api/web.c */
    { "GET", "/portal", NULL, NULL, 404 },
    { "GET", "/portal/", NULL, NULL, 404 },
    { "GET", "/portal/{path}", "any page", NULL, 404 },
    { "GET", "/console", NULL, NULL, 404 },
    { "GET", "/console/", NULL, NULL, 404 },
    { "GET", "/console/{path}", "any page", NULL, 404 },
    { "GET", "/assets/{path}", "any page", NULL, 404 },
};

enum caller {
    OWNER,
    OTHER,
    ANONYMOUS,
    UNKNOWN,
    GARBLED,
    EXPIRED,
    REVOKED,
    UNSCOPED,
    OPERATOR_KEY,
    PROJECT_KEY,
    OWNER_SESSION,
    OTHER_SESSION,
    OPERATOR_SESSION,
    VIEWER_SESSION,
    ADMIN_MEMBER,
    DEVELOPER_MEMBER,
    BILLING_MEMBER,
    VIEWER_MEMBER,
    PROJECT_MEMBER,
    CALLERS
};

static const char *const caller_names[CALLERS] = { "owner",         "another customer", "nobody",
                                                   "an unknown key", "garbage",         "an expired key",
                                                   "a revoked key", "a key without the scope", "the operator",
                                                   "a key for another project",
                                                   "the owner's session", "another customer's session",
                                                   "an operator's session", "a viewer's session",
                                                   "the account's admin", "the account's developer",
                                                   "the account's billing", "the account's viewer",
                                                   "another project's admin" };

static struct {
    char key[CALLERS][64];
    struct visitor visitors[CALLERS];   /* who has logged in */
    char spare_session[40];
    char scoped[20][64];                /* keys with exactly one scope */
    char account[40], other_account[40];
    char instance[40], action[40], invoice[40], spare_key[40], volume[40], snapshot[40], forward[40], ssh_key[40], order[40], dispute[40], budget[40], record_query[60], webhook[40], delivery[40], operator[40], project[40], home[40], member[40], invitation[40];
} world;

static void key_make(struct rig *rig, const char *key, const char *body, char text[static 64], char id[static 40])
{
    char idem[ID_BYTES];
    struct response answer = rig_post(rig, key, "/v1/keys", id_make("tst_", idem), body);

    if (answer.status != 201)
        tap_bail("no key: %d %s", answer.status, answer.text);
    snprintf(text, 64, "%s", answer_text_of(&answer, "key"));
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void keys_make(struct rig *rig)
{
    char id[40], path[128], body[128];
    struct response answer;

    for (unsigned i = 0; scope_names[i]; i++) {
        snprintf(body, sizeof(body), "{\"name\":\"one\",\"scopes\":[\"%s\"]}", scope_names[i]);
        key_make(rig, world.key[OWNER], body, world.scoped[i], id);
    }
    key_make(rig, world.key[OWNER], "{\"name\":\"spare\"}", world.key[UNKNOWN], world.spare_key);
    key_make(rig, world.key[OWNER], "{\"name\":\"old\"}", world.key[EXPIRED], id);
    snprintf(body, sizeof(body), "UPDATE keys SET expires_ms = 1000 WHERE key_id = '%s'", id);
    rig_database(rig, body);
    key_make(rig, world.key[OWNER], "{\"name\":\"revoked\"}", world.key[REVOKED], id);
    snprintf(path, sizeof(path), "/v1/keys/%s", id);
    answer = rig_call(rig, &(struct call){ .method = "DELETE", .path = path, .key = world.key[OWNER] });
    ok_int(answer.status, 204, "a key is revoked");
    answer_free(&answer);
    snprintf(world.key[UNKNOWN], 64, "xs_live_%040d", 7);
    snprintf(world.key[GARBLED], 64, "xs_live_short");
    snprintf(world.key[OPERATOR_KEY], 64, "%s", rig->operator_key);
}

static void thing_make(struct rig *rig, const char *path, const char *body, char id[static 40])
{
    char idem[ID_BYTES];
    struct response answer = rig_post(rig, world.key[OWNER], path, id_make("tst_", idem), body);

    if (answer.status != 201)
        tap_bail("%s: %d %s", path, answer.status, answer.text);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

/* A customer who signed up, with money and a key for everything. */
static struct visitor visitor_make(struct rig *rig, const char *email, char key[static 64], char account[static 40])
{
    struct visitor visitor = rig_signup(rig, email, PASSWORD);
    struct response answer;
    char idem[ID_BYTES], path[128];

    answer = rig_call(rig, &(struct call){ .method = "POST", .path = "/v1/keys", .visitor = &visitor,
                                           .idem = id_make("tst_", idem), .body = "{\"name\":\"all\"}" });
    snprintf(key, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
    answer = rig_get(rig, key, "/v1/account");
    snprintf(account, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", account);
    answer = rig_post(rig, rig->operator_key, path, id_make("tst_", idem), "{\"amount\":\"1000.00\",\"reason\":\"r\"}");
    if (answer.status != 201)
        tap_bail("no credit: %d %s", answer.status, answer.text);
    answer_free(&answer);
    return visitor;
}

static void spare_session_make(struct rig *rig)
{
    struct response answer = rig_post(rig, NULL, "/v1/sessions", NULL,
                                      "{\"email\":\"owner@example.com\",\"password\":\"" PASSWORD "\"}");

    snprintf(world.spare_session, sizeof(world.spare_session), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

/* Invited by the owner and logged in. `project` NULL: the whole account. */
static struct visitor member_make(struct rig *rig, const char *email, const char *role, const char *project)
{
    char body[256];
    struct response answer;
    struct visitor visitor;

    snprintf(body, sizeof(body), "{\"email\":\"%s\",\"role\":\"%s\"%s%s%s}", email, role,
             project ? ",\"project_id\":\"" : "", project ? project : "", project ? "\"" : "");
    answer = rig_post(rig, world.key[OWNER], "/v1/invitations", NULL, body);
    snprintf(world.invitation, sizeof(world.invitation), "%s", answer_text_of(&answer, "id"));
    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"name\":\"%s\",\"password\":\"" PASSWORD "\"}",
             answer_text_of(&answer, "token"), role);
    answer_free(&answer);
    answer = rig_post(rig, NULL, "/v1/invitations/accept", NULL, body);
    if (answer.status != 201)
        tap_bail("no member: %d %s", answer.status, answer.text);
    visitor = rig_visitor(&answer);
    answer_free(&answer);
    return visitor;
}

/* People with each role, somebody with one to lose, and somebody who is only invited. */
static void members_make(struct rig *rig)
{
    struct response answer;
    char body[128], id[40];

    thing_make(rig, "/v1/projects", "{\"name\":\"spare\"}", world.project);
    thing_make(rig, "/v1/projects", "{\"name\":\"home\"}", world.home);
    snprintf(body, sizeof(body), "{\"name\":\"home\",\"project_id\":\"%s\"}", world.home);
    key_make(rig, world.key[OWNER], body, world.key[PROJECT_KEY], id);
    world.visitors[ADMIN_MEMBER] = member_make(rig, "admin@example.com", "admin", NULL);
    world.visitors[DEVELOPER_MEMBER] = member_make(rig, "developer@example.com", "developer", NULL);
    world.visitors[BILLING_MEMBER] = member_make(rig, "billing@example.com", "billing", NULL);
    world.visitors[VIEWER_MEMBER] = member_make(rig, "viewer@example.com", "viewer", NULL);
    world.visitors[PROJECT_MEMBER] = member_make(rig, "project@example.com", "admin", world.home);
    member_make(rig, "spare@example.com", "viewer", NULL);
    answer = rig_get(rig, world.key[OWNER], "/v1/members");
    snprintf(world.member, sizeof(world.member), "%s",
             json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 6), "id")));
    answer_free(&answer);
    answer = rig_post(rig, world.key[OWNER], "/v1/invitations", NULL, "{\"email\":\"w@example.com\",\"role\":\"viewer\"}");
    snprintf(world.invitation, sizeof(world.invitation), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void world_make(struct rig *rig)
{
    char idem[ID_BYTES], path[128];
    struct response answer;

    world.visitors[OWNER_SESSION] = visitor_make(rig, "owner@example.com", world.key[OWNER], world.account);
    world.visitors[OTHER_SESSION] = visitor_make(rig, "other@example.com", world.key[OTHER], world.other_account);
    world.visitors[OPERATOR_SESSION] = rig_operator(rig, "admin", "admin", PASSWORD);
    world.visitors[VIEWER_SESSION] = rig_operator(rig, "viewer", "view", PASSWORD);
    spare_session_make(rig);
    keys_make(rig);
    members_make(rig);
    answer = rig_post(rig, world.key[OWNER], "/v1/instances", id_make("tst_", idem),
                      "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    snprintf(world.instance, sizeof(world.instance), "%s", answer_text_of(&answer, "id"));
    snprintf(world.action, sizeof(world.action), "%s",
             json_string_value(json_object_get(json_object_get(answer.json, "action"), "id")));
    answer_free(&answer);
    thing_make(rig, "/v1/invoices", NULL, world.invoice);
    thing_make(rig, "/v1/volumes", "{\"name\":\"w\",\"size_mib\":64}", world.volume);
    snprintf(path, sizeof(path), "/v1/volumes/%s/snapshots", world.volume);
    thing_make(rig, path, "{\"name\":\"w\"}", world.snapshot);
    snprintf(path, sizeof(path), "/v1/instances/%s/forwards", world.instance);
    thing_make(rig, path, "{\"guest_port\":22}", world.forward);
    snprintf(path, sizeof(path), "{\"invoice_id\":\"%s\",\"reason\":\"r\"}", world.invoice);
    thing_make(rig, "/v1/disputes", path, world.dispute);
    thing_make(rig, "/v1/budgets", "{\"amount\":\"1.00\"}", world.budget);
    snprintf(world.record_query, sizeof(world.record_query), "?instance_id=%s", world.instance);
    answer = rig_post(rig, rig->operator_key, "/v1/admin/operators", id_make("tst_", idem),
                      "{\"name\":\"w\",\"role\":\"view\"}");
    snprintf(world.operator, sizeof(world.operator), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    thing_make(rig, "/v1/webhooks", "{\"url\":\"https://hooks.example/x\"}", world.webhook);
    snprintf(path, sizeof(path), "/v1/webhooks/%s/ping", world.webhook);
    answer = rig_post(rig, world.key[OWNER], path, NULL, NULL);
    snprintf(world.delivery, sizeof(world.delivery), "%lld",
             (long long)json_integer_value(json_object_get(answer.json, "id")));
    answer_free(&answer);
    thing_make(rig, "/v1/purchase_orders", "{\"name\":\"w\",\"amount\":\"1.00\"}", world.order);
    thing_make(rig, "/v1/ssh_keys", "{\"name\":\"w\",\"public_key\":\"" SSH_KEY "\"}", world.ssh_key);
}

static const struct example *example_of(const struct route *route)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        if (strcmp(examples[i].method, route->method) == 0 && strcmp(examples[i].pattern, route->pattern) == 0)
            return &examples[i];
    return NULL;
}

static const struct route *route_of(const struct example *example)
{
    for (unsigned i = 0; i < routes_count; i++)
        if (strcmp(routes[i].method, example->method) == 0 && strcmp(routes[i].pattern, example->pattern) == 0)
            return &routes[i];
    return NULL;
}

static const char *thing_id(const char *thing)
{
    static const struct {
        const char *thing;
        const char *id;
    } things[] = {
        { "instance", world.instance }, { "action", world.action },   { "invoice", world.invoice },
        { "key", world.spare_key },     { "customer", world.account }, { "volume", world.volume },
        { "snapshot", world.snapshot }, { "forward", world.forward },  { "SSH key", world.ssh_key },
        { "purchase order", world.order }, { "any price book", "1" }, { "any proposal", "9" }, { "any entry", "e2" },
        { "any ledger account", "revenue:vcpu_used" }, { "any leaf", "1" }, { "operator", world.operator }, { "any tile", "0/000" }, { "any page", "home" },
        { "any ticket", "tkt_00000000000000000000000000" },
        { "project", world.project }, { "member", world.member }, { "invitation", world.invitation },
        { "webhook", world.webhook }, { "delivery", world.delivery }, { "dispute", world.dispute }, { "session", world.spare_session }, { "any session", world.spare_session }, { "budget", world.budget },    { "instance in the query", world.record_query },
    };

    for (size_t i = 0; thing && i < sizeof(things) / sizeof(things[0]); i++)
        if (strcmp(things[i].thing, thing) == 0)
            return things[i].id;
    return "";
}

static unsigned caller_role(enum caller caller)
{
    switch (caller) {
    case ANONYMOUS:
    case UNKNOWN:
    case GARBLED:
    case EXPIRED:
    case REVOKED:
        return ROLE_ANONYMOUS;
    case OPERATOR_KEY:
    case OPERATOR_SESSION:
    case VIEWER_SESSION:
        return ROLE_OPERATOR;
    default:
        return ROLE_CUSTOMER;
    }
}

static bool is_session(enum caller caller)
{
    return caller >= OWNER_SESSION;
}

/* A customer's who may, of the owner's things or of their own. */
static int customers(const struct route *route, const struct example *example, bool owner)
{
    if (!(route->who & ROLE_CUSTOMER))
        return 403;
    return !owner && example->thing && strncmp(example->thing, "any ", 4) != 0 ? 404 : example->status;
}

#define SKIP 0

/* A role's, or a project's key's, by the table and what the role stands for. What they may do is left to the owner: it
 * can be done once. `scopes` of the whole account, or, where they are bound, of another project than the example's. */
static int limited(const struct route *route, const struct example *example, unsigned scopes, bool bound)
{
    if (!(route->who & ROLE_CUSTOMER))
        return 403;
    if (!(route->who & ROLE_ANONYMOUS) &&
        (route->scope & ~SCOPE_FLAGS & ~scopes || (bound && route->scope & ACCOUNT_WIDE)))
        return 403;
    if (bound && strcmp(route->method, "DELETE") == 0 && strstr(route->pattern, "ssh_keys"))
        return 403; /* it is the whole account's */
    if (bound && example->thing && strncmp(example->thing, "any ", 4) != 0 && !(route->scope & SESSION_ONLY))
        return 404;
    return strcmp(route->method, "GET") == 0 ? example->status : SKIP;
}

/* What this caller must get, by the table alone. */
static int expected(const struct route *route, const struct example *example, enum caller caller)
{
    /* The operators' cookie is another one: this says nothing there. */
    if (is_session(caller) && !(route->who & ROLE_ANONYMOUS) && !(caller_role(caller) & route->who))
        return 401;
    if (caller == VIEWER_SESSION && route->who == ROLE_OPERATOR && (route->scope & ~SCOPE_FLAGS) > RANK_VIEW)
        return 403;
    if (!is_session(caller) && caller_role(caller) & route->who && route->scope & SESSION_ONLY)
        return 403;
    switch (caller) {
    case ANONYMOUS:
        return route->who & ROLE_ANONYMOUS ? example->status : 401;
    case UNKNOWN:
    case GARBLED:
    case EXPIRED:
    case REVOKED:
        return 401;
    case OPERATOR_KEY:
    case OPERATOR_SESSION:
    case VIEWER_SESSION:
        return route->who & ROLE_OPERATOR ? example->status : 403;
    case ADMIN_MEMBER:
        return limited(route, example, member_role_scopes(MEMBER_ADMIN), false);
    case DEVELOPER_MEMBER:
        return limited(route, example, member_role_scopes(MEMBER_DEVELOPER), false);
    case BILLING_MEMBER:
        return limited(route, example, member_role_scopes(MEMBER_BILLING), false);
    case VIEWER_MEMBER:
        return limited(route, example, member_role_scopes(MEMBER_VIEWER), false);
    case PROJECT_MEMBER:
        return limited(route, example, member_role_scopes(MEMBER_ADMIN), true);
    case PROJECT_KEY:
        return limited(route, example, SCOPE_ALL, true);
    case UNSCOPED:
        return route->who & ROLE_CUSTOMER ? (route->scope ? 403 : example->status) : 403;
    default:
        return customers(route, example, caller == OWNER || caller == OWNER_SESSION);
    }
}

static const char *code_expected(const struct route *route, enum caller caller, int status)
{
    if (caller == EXPIRED)
        return "key_expired";
    if (caller == REVOKED)
        return "key_revoked";
    if (status == 401)
        return route->who & ROLE_ANONYMOUS ? NULL : "unauthenticated";
    if (status == 403)
        return caller == UNSCOPED || caller == PROJECT_KEY || caller > VIEWER_SESSION ? NULL
               : caller == VIEWER_SESSION                                             ? "role_missing"
                                                                                      : "wrong_role";
    return status == 404 ? "not_found" : NULL;
}

/* A customer's key with every scope but the route's. */
static const char *key_for(const struct route *route, enum caller caller)
{
    if (caller == ANONYMOUS || is_session(caller))
        return NULL;
    if (caller == UNSCOPED)
        for (unsigned i = 0; scope_names[i]; i++)
            if ((route->scope & ~SCOPE_FLAGS) != 1u << i)
                return world.scoped[i];
    return world.key[caller];
}

static bool tells_of_owner(const struct response *answer)
{
    const char *secrets[] = { world.account, world.instance, world.invoice, world.spare_key, world.action,
                              world.volume,  world.snapshot, world.forward, world.ssh_key, world.order,
                              world.dispute, world.budget };

    for (size_t i = 0; answer->text && i < sizeof(secrets) / sizeof(secrets[0]); i++)
        if (strstr(answer->text, secrets[i]))
            return true;
    return false;
}

/* The example's body with the owner's ids in it, and a name that nothing has. */
static const char *body_of(const struct example *example, char out[static 256])
{
    static unsigned names;
    char name[32], number[32];
    const struct {
        const char *word;
        const char *meant;
    } words[] = { { "INVOICE", world.invoice }, { "CUSTOMER", world.account }, { "NEW", name }, { "NUMBER", number } };

    snprintf(name, sizeof(name), "new-%u", names++);
    snprintf(number, sizeof(number), "%u", 100 + names);
    for (size_t i = 0; example->body && i < sizeof(words) / sizeof(words[0]); i++) {
        const char *at = strstr(example->body, words[i].word);

        if (!at)
            continue;
        snprintf(out, 256, "%.*s%s%s", (int)(at - example->body), example->body, words[i].meant,
                 at + strlen(words[i].word));
        return out;
    }
    return example->body;
}

/* To who is bound to another project, the things of this one are nobody's. */
static bool tells_of_things(const struct response *answer)
{
    const char *things[] = { world.instance, world.action, world.volume, world.snapshot, world.forward, world.spare_key };

    for (size_t i = 0; answer->text && i < sizeof(things) / sizeof(things[0]); i++)
        if (strstr(answer->text, things[i]))
            return true;
    return false;
}

static const char *type_of(const struct route *route)
{
    return route->body == BODY_XML ? "application/xml" : NULL;
}

static void cell_check(struct rig *rig, const struct route *route, const struct example *example, enum caller caller)
{
    char path[256], idem[ID_BYTES], body[256];
    const char *brace = strchr(example->pattern, '{');
    int want = expected(route, example, caller);
    struct response answer;

    if (want == SKIP)
        return;
    snprintf(path, sizeof(path), "%.*s%s%s", brace ? (int)(brace - example->pattern) : (int)strlen(example->pattern),
             example->pattern, thing_id(example->thing), brace ? strchr(brace, '}') + 1 : "");
    answer = rig_call(rig, &(struct call){ .method = example->method, .path = path, .key = key_for(route, caller),
                                           .body = body_of(example, body), .type = type_of(route),
                                           .header = route->body == BODY_RAW ? "Stripe-Signature: t=1,v1=good" : NULL,
                                           .visitor = is_session(caller) ? &world.visitors[caller] : NULL,
                                           .idem = route->key ? id_make("tst_", idem) : NULL });
    ok_int(answer.status, want, "%s %s for %s: %d", example->method, example->pattern, caller_names[caller], want);
    if (code_expected(route, caller, want))
        ok_text(answer_text_of(&answer, "code"), code_expected(route, caller, want), "%s %s for %s: the code",
                example->method, example->pattern, caller_names[caller]);
    /* What one asked for in vain is in one's own log. */
    if ((caller == OTHER || caller == OTHER_SESSION) && strcmp(example->pattern, "/v1/audit_events") != 0)
        ok(!tells_of_owner(&answer), "%s %s for %s: nothing of the owner's is in it", example->method,
           example->pattern, caller_names[caller]);
    if (caller == PROJECT_MEMBER || caller == PROJECT_KEY)
        ok(!tells_of_things(&answer), "%s %s for %s: nothing of the other project's is in it", example->method,
           example->pattern, caller_names[caller]);
    answer_free(&answer);
}

int main(void)
{
    struct rig rig;

    rig_start(&rig);
    world_make(&rig);
    for (unsigned i = 0; i < routes_count; i++)
        ok(example_of(&routes[i]) != NULL, "%s %s has an example here", routes[i].method, routes[i].pattern);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct route *route = route_of(&examples[i]);

        if (!ok(route != NULL, "the example %s %s has a route", examples[i].method, examples[i].pattern))
            continue;
        /* The owner last: its delete is real, and its session's would be. */
        for (int caller = CALLERS - 1; caller >= 0; caller--)
            if (caller != OWNER_SESSION || strcmp(route->method, "DELETE") != 0 || route->scope & SESSION_ONLY)
                cell_check(&rig, route, &examples[i], (enum caller)caller);
    }
    rig_end(&rig);
    return tap_end();
}
