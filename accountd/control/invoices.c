/* Verbs of invoices, credit notes, and who the customer is on them. */
#include "accountd/control/args.h"
#include "accountd/invoice.h"
#include "accountd/ledger/details.h"
#include "accountd/ledger/sums.h"
#include "common/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX        1000
#define REASON_MAX      256
#define CREDIT_LINES_MAX 1000

/* The account exists; otherwise the call is refused. */
static int known_account(struct rpc_call *call, const char *account)
{
    struct ledger_balance balance;
    char name[129], currency[4];
    enum ledger_result rc = ledger_account(control_self->ledger, account, &balance, name, currency);

    return rc == LEDGER_OK ? 0 : control_refuse(call, rc, account);
}

static int fault(struct rpc_call *call, enum ledger_result rc, const char *id, const struct json_why *why)
{
    if (rc == LEDGER_CONFLICT || rc == LEDGER_EXISTS_DIFFERENT)
        return rpc_fail(call, "conflict", "%s", why->text);
    if (rc == LEDGER_NOT_FOUND)
        return control_refuse(call, rc, id);
    return rpc_fail(call, "internal", "%s: %s", id, why->text[0] ? why->text : "the database failed");
}

static int create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *invoice_id, *account;
    struct json_why why = { "" };
    enum ledger_result rc;
    json_t *body = NULL;

    if (control_arg_name(args, "invoice_id", &invoice_id, &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (known_account(call, account))
        return -1;
    if (accountd_tick(control_self, 0, account))
        return control_failed(call);
    rc = invoice_create(control_self, invoice_id, account, &body, &why);
    if (!control_done(rc))
        return fault(call, rc, invoice_id, &why);
    *result = json_pack("{s:o}", "invoice", body);
    return 0;
}

static int draft(struct rpc_call *call, json_t *args, json_t **result)
{
    struct json_why why = { "" };
    const char *account;
    json_t *body;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (known_account(call, account))
        return -1;
    body = invoice_draft(control_self, account, &why);
    if (!body)
        return fault(call, LEDGER_FAILED, account, &why);
    *result = json_pack("{s:o}", "invoice", body);
    return 0;
}

static int put_invoice(void *arg, const struct ledger_invoice *invoice)
{
    json_t *body = json_loads(invoice->body, 0, NULL);

    /* A list shows what was billed; its details are one invoice_get away. */
    json_object_del(body, "chains");
    json_object_del(body, "lines");
    json_object_del(body, "details");
    return json_array_append_new(arg, body);
}

static int invoice_list(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after = 0, limit = 100;
    const char *account = NULL;
    struct json_why why;
    json_t *list, *next;

    if ((json_has(args, "account_id") && control_arg_account(args, &account, &why)) ||
        (json_has(args, "after") && json_arg_int(args, "after", 0, INT64_MAX - 1, &after, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, LIST_MAX, &limit, &why)))
        return control_bad(call, &why);
    list = json_array();
    if (ledger_each_invoice(control_self->ledger, account, after, limit, put_invoice, list)) {
        json_decref(list);
        return control_failed(call);
    }
    next = json_array_size(list) == (size_t)limit
        ? json_object_get(json_array_get(list, (size_t)limit - 1), "number") : json_null();
    *result = json_pack("{s:o, s:O}", "invoices", list, "next", next);
    return 0;
}

struct got {
    json_t *body;
    char path[512];
    struct json_why why;
};

static int get_invoice(void *arg, const struct ledger_invoice *invoice)
{
    struct got *got = arg;

    if (invoice_bundle(control_self, invoice, got->path, sizeof(got->path), &got->why))
        return -1;
    got->body = json_loads(invoice->body, 0, NULL);
    return got->body ? 0 : -1;
}

static int invoice_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account = NULL, *invoice_id;
    struct got got = { .why = { "" } };
    struct json_why why;
    enum ledger_result rc;

    if ((json_has(args, "account_id") && control_arg_account(args, &account, &why)) ||
        control_arg_name(args, "invoice_id", &invoice_id, &why))
        return control_bad(call, &why);
    rc = ledger_invoice_get(control_self->ledger, account, invoice_id, get_invoice, &got);
    if (rc == LEDGER_FAILED && got.why.text[0])
        return rpc_fail(call, "internal", "%s", got.why.text);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, invoice_id);
    *result = json_pack("{s:o, s:s}", "invoice", got.body, "bundle_path", got.path);
    return 0;
}

static int credit(struct rpc_call *call, json_t *args, json_t **result)
{
    struct credit_note note = { .lines = json_object_get(args, "lines") };
    struct json_why why = { "" };
    enum ledger_result rc;
    json_t *body = NULL;

    if (control_arg_name(args, "credit_note_id", &note.credit_note_id, &why) ||
        control_arg_name(args, "invoice_id", &note.invoice_id, &why) ||
        json_arg_string(args, "reason", REASON_MAX, &note.reason, &why) ||
        control_arg_name(args, "operator", &note.operator_id, &why))
        return control_bad(call, &why);
    if (note.lines && (!json_is_array(note.lines) || json_array_size(note.lines) > CREDIT_LINES_MAX))
        return rpc_fail(call, "bad_request", "lines: must be an array of at most %d", CREDIT_LINES_MAX);
    rc = credit_note_create(control_self, &note, &body, &why);
    if (!control_done(rc))
        return fault(call, rc, note.invoice_id, &why);
    *result = json_pack("{s:o}", "invoice", body);
    return 0;
}

static int details(struct rpc_call *call, json_t *args, json_t **result)
{
    struct json_why why;
    const char *account;
    json_t *party;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (known_account(call, account))
        return -1;
    party = ledger_details(control_self->ledger, account);
    if (!party)
        return control_failed(call);
    *result = json_pack("{s:s, s:o}", "account_id", account, "details", party);
    return 0;
}

/* What was used under the old details is invoiced under them: tax may change with the new ones. */
static int close_use(struct rpc_call *call, const char *account)
{
    char text[256], id[ID_BYTES];
    struct sums_open open;
    struct json_why why = { "" };
    enum ledger_result rc;
    json_t *body = NULL;

    if (accountd_tick(control_self, 0, account))
        return control_failed(call);
    rc = sums_open(control_self->ledger, account, control_self->head.origin, &open);
    if (rc == LEDGER_NOT_FOUND)
        return 0;
    snprintf(text, sizeof(text), "details %s %s %jd", account, control_self->head.origin, (intmax_t)open.from_idx);
    if (rc == LEDGER_OK)
        rc = invoice_create(control_self, id_derive("inv_", text, id), account, &body, &why);
    json_decref(body);
    return control_done(rc) ? 0 : fault(call, rc, account, &why);
}

/* Before other details are written. */
static int change_details(struct rpc_call *call, const char *account, const json_t *party)
{
    json_t *before = ledger_details(control_self->ledger, account);
    int rc = 0;

    if (!before)
        return control_failed(call);
    if (!json_equal(before, party))
        rc = close_use(call, account);
    json_decref(before);
    return rc;
}

static int details_set(struct rpc_call *call, json_t *args, json_t **result)
{
    struct json_why why;
    const char *account;
    enum ledger_result rc;
    json_t *party;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    party = party_read(args, PARTY_BUYER_KEYS, "account_id", &why);
    if (!party)
        return control_bad(call, &why);
    if (known_account(call, account) || change_details(call, account, party)) {
        json_decref(party);
        return -1;
    }
    rc = ledger_details_put(control_self->ledger, account, party, clock_unix_ms());
    *result = control_done(rc) ? json_pack("{s:s, s:o}", "account_id", account, "details", party) : NULL;
    return *result ? 0 : control_failed(call);
}

const struct rpc_verb control_invoice_verbs[] = {
    { "account_details", details, RPC_API },
    { "account_details_set", details_set, RPC_API },
    { "invoice_draft", draft, RPC_API },
    { "invoice_create", create, RPC_API },
    { "invoice_list", invoice_list, RPC_API },
    { "invoice_get", invoice_get, RPC_API },
    { "credit_note_create", credit, RPC_API },
    { NULL, NULL, 0 },
};
