/* Verbs of invoices. */
#include "accountd/control/args.h"
#include "accountd/invoice.h"

#include <stdlib.h>
#include <string.h>

static int create(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_balance balance;
    const char *invoice_id, *account;
    char name[129], currency[4];
    struct json_why why = { "" };
    enum ledger_result rc;
    json_t *body = NULL;

    if (control_arg_name(args, "invoice_id", &invoice_id, &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    if (accountd_tick(control_self, 0, account))
        return control_failed(call);
    rc = invoice_create(control_self, invoice_id, account, &body, &why);
    if (rc == LEDGER_CONFLICT || rc == LEDGER_EXISTS_DIFFERENT)
        return rpc_fail(call, "conflict", "%s", why.text);
    if (!control_done(rc))
        return rpc_fail(call, "internal", "invoice %s: %s", invoice_id, why.text[0] ? why.text : "the database failed");
    *result = json_pack("{s:o}", "invoice", body);
    return 0;
}

static int put_invoice(void *arg, const struct ledger_invoice *invoice)
{
    json_t *body = json_loads(invoice->body, 0, NULL);

    /* A list shows what was billed; its details are one invoice_get away. */
    json_object_del(body, "chains");
    json_object_del(body, "lines");
    return json_array_append_new(arg, body);
}

static int invoice_list(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct json_why why;
    json_t *list;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    list = json_array();
    if (ledger_each_invoice(control_self->ledger, account, put_invoice, list)) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_pack("{s:o}", "invoices", list);
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
    const char *account, *invoice_id;
    struct got got = { .why = { "" } };
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_account(args, &account, &why) || control_arg_name(args, "invoice_id", &invoice_id, &why))
        return control_bad(call, &why);
    rc = ledger_invoice_get(control_self->ledger, account, invoice_id, get_invoice, &got);
    if (rc == LEDGER_FAILED && got.why.text[0])
        return rpc_fail(call, "internal", "%s", got.why.text);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, invoice_id);
    *result = json_pack("{s:o, s:s}", "invoice", got.body, "bundle_path", got.path);
    return 0;
}

const struct rpc_verb control_invoice_verbs[] = {
    { "invoice_create", create, RPC_API },
    { "invoice_list", invoice_list, RPC_API },
    { "invoice_get", invoice_get, RPC_API },
    { NULL, NULL, 0 },
};
