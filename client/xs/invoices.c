/* Invoices, drafts, credit notes. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column invoice_columns[] = {
    {"ID", "id"},         {"NUMBER", "number_text"},   {"KIND", "kind"},         {"ISSUED", "issued_at"},
    {">NET", "net"},      {">TOTAL", "total"},         {"CURRENCY", "currency"}, {"FROM", "period_start"},
    {"TO", "period_end"}, {"CUSTOMER", "customer_id"},
};
/* All but the customer, whom only operators see. */
#define OWN_COLUMNS (COUNT(invoice_columns) - 1)

static void invoice_print(struct host *host, json_t *invoice)
{
    static const struct column lines[] = {
        {"PERIOD", "period"}, {"METER", "meter"}, {">QUANTITY", "units"}, {"UNIT", "unit"},
        {">BYTES", "bytes"},  {"PRICE", "price"}, {">AMOUNT", "amount"},
    };
    static const struct column details[] = {
        {"PERIOD", "period"}, {"INSTANCE", "instance_id"}, {"METER", "meter"}, {">CHARGED", "charged"},
    };
    static const struct column taxes[] = {
        {"TAX", "category"}, {"COUNTRY", "country"}, {">RATE / 10000", "rate_permyriad"},
        {">OF", "taxable"},  {">AMOUNT", "amount"},  {"REASON", "reason"},
    };
    json_t *rows;

    if (json_print(host, invoice))
        return;
    if (json_is_array(json_object_get(invoice, "lines"))) {
        lines_in_units(json_object_get(invoice, "lines"));
        table_print(lines, COUNT(lines), json_object_get(invoice, "lines"), "This invoice has no lines.");
        putchar('\n');
    }
    if (json_array_size(json_object_get(invoice, "details"))) {
        puts("What each instance had of it, before lines are rounded to cents:");
        table_print(details, COUNT(details), json_object_get(invoice, "details"), "");
        putchar('\n');
    }
    if (json_array_size(json_object_get(invoice, "tax"))) {
        table_print(taxes, COUNT(taxes), json_object_get(invoice, "tax"), "");
        putchar('\n');
    }
    rows = json_pack("[O]", invoice);
    table_print(invoice_columns, OWN_COLUMNS, rows, "");
    json_decref(rows);
}

static int invoice_show(struct host *host, json_t *invoice)
{
    invoice_print(host, invoice);
    json_decref(invoice);
    return EXIT_DONE;
}

int invoice_new_command(struct host *host, char **argv)
{
    args_take(argv, NULL, NULL, 0, 0, "invoice new");
    return invoice_show(host, ask_post(host, "/v1/invoices", NULL));
}

int invoice_draft_command(struct host *host, char **argv)
{
    args_take(argv, NULL, NULL, 0, 0, "invoice draft");
    return invoice_show(host, ask_get(host, "/v1/invoices/draft"));
}

/* A page of invoices or credit notes; `customer` is for operators. */
static int invoices_show(struct host *host, char **argv, const char *list, bool operator, const char * none,
                         const char *usage)
{
    const char *after = NULL, *customer = NULL;
    const struct flag flags[] = {
        {"--after", &after, NULL},
        {operator? "--customer-id" : NULL, &customer, NULL},
        {NULL, NULL, NULL},
    };
    char path[256];

    args_take(argv, flags, NULL, 0, 0, usage);
    snprintf(path, sizeof(path), "%s", list);
    query_add(path, sizeof(path), "--customer-id", customer);
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, invoice_columns, operator? COUNT(invoice_columns) : OWN_COLUMNS, none);
}

int invoice_list_command(struct host *host, char **argv)
{
    return invoices_show(host, argv, "/v1/invoices", false, "There are no invoices. Make one: xs invoice new",
                         "invoice list [--after CURSOR]");
}

int credit_notes_command(struct host *host, char **argv)
{
    return invoices_show(host, argv, "/v1/credit_notes", false, "There are no credit notes.",
                         "credit-notes [--after CURSOR]");
}

int admin_invoices_command(struct host *host, char **argv)
{
    return invoices_show(host, argv, "/v1/admin/invoices", true, "There are no invoices.",
                         "admin invoices [--customer-id C] [--after CURSOR]");
}

int admin_credit_notes_command(struct host *host, char **argv)
{
    return invoices_show(host, argv, "/v1/admin/credit_notes", true, "There are no credit notes.",
                         "admin credit-notes [--customer-id C] [--after CURSOR]");
}

int invoice_show_command(struct host *host, char **argv)
{
    const char *id;
    char path[256];

    args_take(argv, NULL, &id, 1, 1, "invoice show ID");
    snprintf(path, sizeof(path), "/v1/invoices/%s", id_check(id, "an invoice"));
    return invoice_show(host, ask_get(host, path));
}

/* What is at /v1/invoices/ID/`rest` into the file, by default ID.`ending`; returns the file's name. */
static const char *invoice_fetch(struct host *host, char **argv, const char *rest, const char *ending,
                                 char name[static 96], const char *usage)
{
    const char *id, *file = NULL;
    const struct flag flags[] = {{"-o", &file, NULL}, {NULL, NULL, NULL}};
    char path[256];

    args_take(argv, flags, &id, 1, 1, usage);
    snprintf(path, sizeof(path), "/v1/invoices/%s/%s", id_check(id, "an invoice"), rest);
    snprintf(name, 96, "%s.%s", id, ending);
    ask_file(host, path, file ? file : name);
    return file ? file : name;
}

int invoice_get_command(struct host *host, char **argv)
{
    char name[96];
    const char *file = invoice_fetch(host, argv, "bundle", "tar", name, "invoice get ID [-o FILE]");

    fprintf(stderr, "%s: check it with: xs-verify %s\n", file, file);
    return EXIT_DONE;
}

static int invoice_file(struct host *host, char **argv, const char *rest, const char *ending, const char *usage)
{
    char name[96];

    fprintf(stderr, "%s\n", invoice_fetch(host, argv, rest, ending, name, usage));
    return EXIT_DONE;
}

int invoice_pdf_command(struct host *host, char **argv)
{
    return invoice_file(host, argv, "files/pdf", "pdf", "invoice pdf ID [-o FILE]");
}

int invoice_xml_command(struct host *host, char **argv)
{
    return invoice_file(host, argv, "files/xml", "xml", "invoice xml ID [-o FILE]");
}

int invoice_json_command(struct host *host, char **argv)
{
    return invoice_file(host, argv, "files/json", "json", "invoice json ID [-o FILE]");
}

int invoice_csv_command(struct host *host, char **argv)
{
    return invoice_file(host, argv, "files/csv", "csv", "invoice csv ID [-o FILE]");
}

/* An operator's. */
int credit_note_create_command(struct host *host, char **argv)
{
    const char *alone[2], *lines[ARGS_TIMES + 1] = {NULL};
    const struct flag flags[] = {{"--line...", lines, NULL}, {NULL, NULL, NULL}};
    json_t *body;

    args_take(argv, flags, alone, 2, 2, "admin credit-note create INVOICE REASON [--line NUMBER=AMOUNT]...");
    body = json_pack("{s:s, s:s}", "invoice_id", id_check(alone[0], "an invoice"), "reason", alone[1]);
    if (!body)
        fail(EXIT_USAGE, "the reason is not UTF-8 text");
    credit_lines_take(body, lines);
    return invoice_show(host, ask_post(host, "/v1/admin/credit_notes", body));
}
