/* accountd's paper, as the api sees it: invoices, billing details, disputes; and what tells of money: budgets, alerts,
 * summaries. */
#include "accountd/ustar.h"
#include "common/log.h"
#include "common/clock.h"
#include "tests/api/standin_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *invoices, *details, *disputes, *budgets, *raised;

void invoices_start(void)
{
    invoices = json_object();
    details = json_object();
    disputes = json_object();
    budgets = json_object();
    raised = json_array();
}

static bool theirs(const json_t *thing, const json_t *args)
{
    return thing &&
           (!json_object_get(args, "account_id") || strcmp(text(thing, "account_id"), text(args, "account_id")) == 0);
}

/* The values that are this account's, or everybody's, as a page. */
static json_t *of_account(json_t *things, const json_t *args, const char *name)
{
    json_t *list = json_array(), *thing, *page;
    const char *id;

    json_object_foreach(things, id, thing) if (theirs(thing, args)) json_array_append(list, thing);
    page = page_of(list, args, name);
    json_decref(list);
    return page;
}

/* A tar with the files that can be had by themselves, and enough of them not to fit one write. */
static json_t *bundle_write(const char *invoice_id)
{
    struct ustar tar = {.mtime_s = NOW_MS / 1000};
    char path[4200], *lines = NULL, *archive;
    size_t size, len;
    FILE *file = open_memstream(&lines, &size);

    for (int i = 0; i < 100000; i++)
        fprintf(file, "line %d of %s\n", i, invoice_id);
    fclose(file);
    ustar_add(&tar, "lines.csv", lines, size);
    ustar_add_text(&tar, "invoice.pdf", strdup("%PDF-1.7 of the test"));
    ustar_add_text(&tar, "invoice.json", strdup("{\"format\":\"xs-invoice/v2\"}"));
    ustar_sort(&tar);
    archive = ustar_pack(&tar, &len);
    snprintf(path, sizeof(path), "%s/%s.tar", base, invoice_id);
    file = fopen(path, "we");
    if (!file || fwrite(archive, 1, len, file) != len || fclose(file) != 0)
        fatal("%s", path);
    free(archive);
    ustar_free(&tar);
    return json_string(path);
}

static json_t *invoice_new(const char *kind, const char *id, const char *account, int number)
{
    char text[32];

    snprintf(text, sizeof(text), "XS-2026-%06d", number);
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:I,"
                     " s:[{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s}],"
                     " s:[{s:s, s:s, s:i, s:s, s:s, s:s}]}",
                     "kind", kind, "invoice_id", id, "account_id", account, "number", number, "number_text",
                     number ? text : "DRAFT", "currency", "EUR", "net_nano", "1037451337", "total_nano", "1234567891",
                     "issued_ms", (json_int_t)NOW_MS, "lines", "line", 1, "period", "2026-01", "price_book", 1, "meter",
                     "vcpu_reserved", "unit", "vCPU s", "quantity", "444622", "quantity_per_unit", "1", "price",
                     "7000/3 nano", "amount_nano", "1037451337", "tax", "category", "S", "country", "DE",
                     "rate_permyriad", 1900, "reason", "", "taxable_nano", "1037451337", "amount_nano", "197115754");
}

int stand_invoice_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "invoice_id");
    bool known = json_object_get(invoices, id) != NULL;

    if (changing(&accountd, call))
        return -1;
    if (!known) {
        json_t *invoice = invoice_new("invoice", id, text(args, "account_id"), invoices_count() + 1);

        json_object_set_new(invoice, "issued_ms", json_integer(clock_unix_ms()));
        json_object_set_new(invoices, id, invoice);
    }
    return done(&accountd, call, "invoice_create", !known, json_pack("{s:O}", "invoice", json_object_get(invoices, id)),
                result);
}

int stand_draft(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = json_pack("{s:o}", "invoice", invoice_new("draft", "draft", text(args, "account_id"), 0));
    return 0;
}

int stand_invoices(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = of_account(invoices, args, "invoices");
    return 0;
}

int stand_invoice(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *invoice = json_object_get(invoices, text(args, "invoice_id"));

    if (!theirs(invoice, args))
        return rpc_fail(call, "not_found", "no invoice");
    *result = json_pack("{s:O, s:o}", "invoice", invoice, "bundle_path", bundle_write(text(invoice, "invoice_id")));
    return 0;
}

int stand_details(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *known = json_object_get(details, text(args, "account_id"));

    (void)call;
    *result = known ? json_pack("{s:O}", "details", known)
                    : json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s}}", "details", "name", "", "street", "",
                                "postcode", "", "city", "", "country", "", "vat_id", "", "email", "");
    return 0;
}

int stand_details_set(struct rpc_call *call, json_t *args, json_t **result)
{
    if (strcmp(text(args, "country"), "XX") == 0)
        return rpc_fail(call, "bad_request", "country: there is no XX");
    if (!json_object_get(args, "vat_id"))
        json_object_set_new(args, "vat_id", json_string(""));
    json_object_set(details, text(args, "account_id"), args);
    *result = json_pack("{s:O}", "details", args);
    return 0;
}

/* disputes */

int stand_dispute_open(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "dispute_id");
    json_t *dispute;
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!theirs(json_object_get(invoices, text(args, "invoice_id")), args))
        return rpc_fail(call, "not_found", "invoice_id: no such invoice");
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    if (!known) {
        dispute = json_deep_copy(args);
        json_object_set_new(dispute, "state", json_string("open"));
        json_object_set_new(dispute, "opened_ms", json_integer(NOW_MS));
        json_object_set_new(dispute, "verdict", json_string("same"));
        json_object_set_new(dispute, "proposed_nano", json_null());
        json_object_set_new(dispute, "evidence", json_pack("{s:s}", "recomputed_nano", "1234567891"));
        json_object_set_new(disputes, id, dispute);
    }
    return done(&accountd, call, "dispute_open", !known, json_pack("{s:O}", "dispute", json_object_get(disputes, id)),
                result);
}

int stand_disputes(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = of_account(disputes, args, "disputes");
    return 0;
}

int stand_dispute(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *dispute = json_object_get(disputes, text(args, "dispute_id"));

    if (!theirs(dispute, args))
        return rpc_fail(call, "not_found", "no dispute");
    *result = json_pack("{s:O}", "dispute", dispute);
    return 0;
}

/* The evidence proposes nothing, as where the records give what was billed. */
int stand_dispute_resolve(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *dispute = json_object_get(disputes, text(args, "dispute_id"));
    const json_t *lines = json_object_get(args, "lines");
    bool accepted = strcmp(text(args, "outcome"), "accepted") == 0;
    int64_t nano;

    if (!dispute)
        return rpc_fail(call, "not_found", "no dispute");
    if (accepted == !lines)
        return rpc_fail(call, "conflict", "lines: %s", accepted ? "say what to give back" : "nothing is given back");
    if (accepted && !json_decimal_parse(text(json_array_get(lines, 0), "amount_nano"), &nano))
        return rpc_fail(call, "bad_request", "lines: amount_nano");
    json_object_set_new(dispute, "state", json_string("resolved"));
    json_object_set(dispute, "outcome", json_object_get(args, "outcome"));
    json_object_set(dispute, "operator", json_object_get(args, "operator"));
    *result = json_pack("{s:O}", "dispute", dispute);
    return 0;
}

int stand_credit_note(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *invoice = json_object_get(invoices, text(args, "invoice_id")), *note;
    const char *id = text(args, "credit_note_id");
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!invoice)
        return rpc_fail(call, "not_found", "invoice_id: no such invoice");
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    if (!known) {
        note = invoice_new("credit_note", id, text(invoice, "account_id"), (int)json_object_size(invoices) + 1);
        json_object_set_new(note, "refers", json_pack("{s:s}", "invoice_id", text(args, "invoice_id")));
        json_object_set_new(invoices, id, note);
    }
    return done(&accountd, call, "credit_note_create", !known,
                json_pack("{s:O}", "invoice", json_object_get(invoices, id)), result);
}

/* budgets, alerts, summaries */

int stand_budget_set(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "budget_id");
    int known;

    if (changing(&accountd, call))
        return -1;
    known = json_equal(json_object_get(budgets, id), args);
    if (!json_is_integer(json_array_get(json_object_get(args, "steps"), 0)))
        return rpc_fail(call, "bad_request", "steps: must be whole numbers");
    if (strcmp(text(args, "amount_nano"), "0") == 0)
        json_object_del(budgets, id);
    else
        json_object_set(budgets, id, args);
    return done(&accountd, call, "budget_set", !known, json_object(), result);
}

int stand_budgets(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = of_account(budgets, args, "budgets");
    return 0;
}

int invoices_count(void)
{
    return (int)json_object_size(invoices);
}

int alerts_count(void)
{
    return 2 + (int)json_array_size(raised);
}

void alert_add(const json_t *alert)
{
    json_t *row = json_deep_copy(alert);

    json_object_set_new(row, "number", json_integer(alerts_count() + 1));
    json_object_set_new(row, "key", json_string("k"));
    json_object_set_new(row, "raised_ms", json_integer(clock_unix_ms()));
    json_object_set_new(row, "cleared_ms", json_null());
    json_array_append_new(raised, row);
}

int stand_alerts(struct rpc_call *call, json_t *args, json_t **result)
{
    bool standing = json_is_true(json_object_get(args, "standing"));
    json_t *list = json_array();

    (void)call;
    for (int i = standing ? 2 : 1; i <= 2; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "number", i, "key", "k",
                                              "account_id", text(args, "account_id"), "kind", "balance", "subject",
                                              "wallet", "detail", "less than a day", "raised_ms", (json_int_t)NOW_MS,
                                              "cleared_ms", (json_int_t)(i == 1 ? NOW_MS : 0)));
    json_array_extend(list, raised);
    *result = page_of(list, args, "alerts");
    json_decref(list);
    return 0;
}

int stand_usage_summary(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "rows", "day", text(args, "from_day"), "meter",
                        "vcpu_reserved", "quantity", "444622", "unit", "vCPU s", "amount_nano", "1037451337");
    return 0;
}
