/* Credit notes: an invoice is never changed, what was wrong in it is given back
 * by a document of its own, with entries of its own. */
#include "accountd/invoice.h"
#include "accountd/ledger/chart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The credit note that is being made. */
struct crediting {
    struct accountd *a;
    const struct credit_note *note;
    json_t *invoice;
    const char *account;
    int64_t *left;                      /* of each line of the invoice */
    int64_t before_nano, net_nano;      /* given back by earlier notes, by this one */
    json_t *lines;
    struct tax tax;
    struct json_why *why;
};

static int take_invoice(void *arg, const struct ledger_invoice *row)
{
    struct crediting *c = arg;

    c->invoice = strcmp(row->kind, "invoice") == 0 ? json_loads(row->body, 0, NULL) : NULL;
    return 0;
}

static size_t lines_count(const struct crediting *c)
{
    return json_array_size(json_object_get(c->invoice, "lines"));
}

/* The place of the line that `row` is about; -1. */
static int64_t line_of(const struct crediting *c, const json_t *row)
{
    int64_t line;

    if (json_arg_int(row, "line", 1, (int64_t)lines_count(c), &line, c->why))
        return -1;
    return line - 1;
}

static int take_back(void *arg, const struct ledger_invoice *row)
{
    struct crediting *c = arg;
    json_t *body = json_loads(row->body, 0, NULL), *line;
    int64_t at, nano;
    int rc = body ? 0 : -1;
    size_t i;

    json_array_foreach(json_object_get(body, "lines"), i, line) {
        at = line_of(c, line);
        if (at < 0 || json_arg_decimal(line, "amount_nano", 0, INT64_MAX, &nano, c->why))
            rc = -1;
        if (rc)
            break;
        c->left[at] -= nano;
        c->before_nano += nano;
    }
    json_decref(body);
    return rc;
}

/* What is left of each line after the notes that there are. */
static int read_left(struct crediting *c)
{
    json_t *line;
    size_t i;

    c->left = calloc(lines_count(c) + 1, sizeof(*c->left));
    if (!c->left)
        return -1;
    json_array_foreach(json_object_get(c->invoice, "lines"), i, line)
        if (json_arg_decimal(line, "amount_nano", 0, INT64_MAX, &c->left[i], c->why))
            return -1;
    return ledger_each_credit_note(c->a->ledger, c->note->invoice_id, take_back, c);
}

static enum ledger_result credit_line(struct crediting *c, int64_t at, int64_t nano)
{
    json_t *line = json_array_get(json_object_get(c->invoice, "lines"), (size_t)at);

    if (nano > c->left[at] || nano % RATE_CENT_NANO != 0) {
        snprintf(c->why->text, sizeof(c->why->text), "lines: line %jd: %s", (intmax_t)at + 1,
                 nano > c->left[at] ? "more than is left of it" : "must be whole cents");
        return LEDGER_CONFLICT;
    }
    c->left[at] -= nano;
    c->net_nano += nano;
    line = json_copy(line);
    json_object_set_new(line, "amount_nano", json_decimal(nano));
    json_array_append_new(c->lines, line);
    return LEDGER_OK;
}

static enum ledger_result credit_all(struct crediting *c)
{
    enum ledger_result result = LEDGER_OK;

    for (size_t i = 0; result == LEDGER_OK && i < lines_count(c); i++)
        if (c->left[i])
            result = credit_line(c, (int64_t)i, c->left[i]);
    return result;
}

static enum ledger_result credit_lines(struct crediting *c)
{
    enum ledger_result result = LEDGER_OK;
    json_t *row;
    size_t i;

    c->lines = json_array();
    if (!c->note->lines)
        result = credit_all(c);
    json_array_foreach(c->note->lines, i, row) {
        int64_t at = line_of(c, row), nano;

        if (at < 0 || json_arg_decimal(row, "amount_nano", 1, INT64_MAX, &nano, c->why))
            return LEDGER_CONFLICT;
        result = credit_line(c, at, nano);
        if (result != LEDGER_OK)
            return result;
    }
    if (result == LEDGER_OK && c->net_nano == 0) {
        snprintf(c->why->text, sizeof(c->why->text), "invoice %s: nothing is left to be given back", c->note->invoice_id);
        result = LEDGER_CONFLICT;
    }
    return result;
}

/* So that several notes give back together the tax that one would. */
static int tax_of(const struct crediting *c, int64_t *tax_nano)
{
    int64_t before, after;

    if (tax_round(&c->tax, c->before_nano, &before) || tax_round(&c->tax, c->before_nano + c->net_nano, &after))
        return -1;
    *tax_nano = after - before;
    return 0;
}

static enum ledger_result give_back(struct crediting *c, const char *from, const char *what, int64_t nano)
{
    char id[LEDGER_ID_BYTES], refers[96];
    struct ledger_transfer t = { .kind = "posted", .debit = from, .credit = c->account, .amount_nano = nano,
                                 .code = "credit_note", .reason = what, .refers = refers, .at_ms = clock_unix_ms() };

    if (nano == 0)
        return LEDGER_OK;
    snprintf(refers, sizeof(refers), "credit note %s", c->note->credit_note_id);
    t.id = ledger_derive_id(id, "credit note %s %s", c->note->credit_note_id, what);
    return ledger_apply_locked(c->a->ledger, &t);
}

static enum ledger_result give_all_back(struct crediting *c, int64_t tax_nano)
{
    enum ledger_result result = LEDGER_OK;
    char from[64], what[64];
    int64_t nano;
    json_t *line;
    size_t i;

    json_array_foreach(c->lines, i, line) {
        json_arg_decimal(line, "amount_nano", 0, INT64_MAX, &nano, c->why);
        snprintf(from, sizeof(from), LEDGER_REVENUE "%s", json_text(line, "meter"));
        snprintf(what, sizeof(what), "line %jd (%zu)", (intmax_t)json_integer_value(json_object_get(line, "line")), i);
        result = give_back(c, from, what, nano);
        if (result != LEDGER_OK)
            return result;
    }
    snprintf(from, sizeof(from), "tax:%s", c->tax.country);
    return give_back(c, from, from, tax_nano);
}

static json_t *note_body(struct crediting *c, int64_t number, int64_t tax_nano)
{
    json_t *body = invoice_head(c->a, "credit_note", c->note->credit_note_id, c->account, number);
    json_t *rest = json_pack("{s:{s:s, s:O, s:O}, s:s, s:s, s:O, s:o, s:o, s:[o], s:o, s:O, s:O, s:I, s:I, s:I}", "refers", "invoice_id",
                             c->note->invoice_id, "number_text", json_object_get(c->invoice, "number_text"), "issued_ms",
                             json_object_get(c->invoice, "issued_ms"), "reason", c->note->reason, "operator",
                             c->note->operator_id, "lines", c->lines, "details", json_array(), "net_nano",
                             json_decimal(c->net_nano), "tax", tax_json(&c->tax, c->net_nano, tax_nano), "total_nano",
                             json_decimal(c->net_nano + tax_nano), "period_start_ms",
                             json_object_get(c->invoice, "period_start_ms"), "period_end_ms",
                             json_object_get(c->invoice, "period_end_ms"), "from_index",
                             (json_int_t)c->a->head.size, "to_index", (json_int_t)c->a->head.size, "context_index",
                             (json_int_t)c->a->head.size);

    /* What it is about stays as the invoice had it, also when the customer has moved since. */
    if (!body || !rest || json_object_update(body, rest) ||
        json_object_set(body, "buyer", json_object_get(c->invoice, "buyer"))) {
        json_decref(body);
        body = NULL;
    }
    json_decref(rest);
    return body;
}

static enum ledger_result put_locked(struct crediting *c, json_t **body)
{
    struct ledger_invoice row = { .invoice_id = c->note->credit_note_id, .account = c->account, .kind = "credit_note",
                                  .refers_id = c->note->invoice_id, .origin = c->a->head.origin,
                                  .from_idx = c->a->head.size, .to_idx = c->a->head.size,
                                  .head_note = c->a->head.note };
    enum ledger_result result;
    int64_t tax_nano;
    char *text;

    if (tax_of(c, &tax_nano))
        return LEDGER_FAILED;
    result = give_all_back(c, tax_nano);
    if (result != LEDGER_OK)
        return result;
    row.number = ledger_invoice_next_number(c->a->ledger);
    row.ledger_seq = ledger_last_seq(c->a->ledger);
    *body = row.number > 0 ? note_body(c, row.number, tax_nano) : NULL;
    text = *body ? json_canonical(*body) : NULL;
    row.body = text;
    result = text && row.ledger_seq >= 0 ? ledger_invoice_put_locked(c->a->ledger, &row) : LEDGER_FAILED;
    free(text);
    return result;
}

static enum ledger_result read_invoice(struct crediting *c)
{
    enum ledger_result result = ledger_invoice_get(c->a->ledger, NULL, c->note->invoice_id, take_invoice, c);
    const json_t *tax;

    if (result != LEDGER_OK)
        return result;
    if (!c->invoice) {
        snprintf(c->why->text, sizeof(c->why->text), "%s: not an invoice", c->note->invoice_id);
        return LEDGER_CONFLICT;
    }
    tax = json_array_get(json_object_get(c->invoice, "tax"), 0);
    if (!tax) {
        snprintf(c->why->text, sizeof(c->why->text), "invoice %s is of the first format, which knew no credit notes",
                 c->note->invoice_id);
        return LEDGER_CONFLICT;
    }
    c->account = json_text(c->invoice, "account_id");
    return tax_parse(tax, &c->tax, c->why) || read_left(c) ? LEDGER_FAILED : LEDGER_OK;
}

static enum ledger_result credited_lines(struct crediting *c)
{
    enum ledger_result result = read_invoice(c);

    return result == LEDGER_OK ? credit_lines(c) : result;
}

static void crediting_free(struct crediting *c)
{
    json_decref(c->invoice);
    json_decref(c->lines);
    free(c->left);
}

enum ledger_result credit_note_draft(struct accountd *a, const struct credit_note *note, json_t **body,
                                     struct json_why *why)
{
    struct crediting c = { .a = a, .note = note, .why = why };
    enum ledger_result result = credited_lines(&c);
    int64_t tax_nano;

    *body = NULL;
    if (result == LEDGER_OK && tax_of(&c, &tax_nano) == 0)
        *body = note_body(&c, 0, tax_nano);
    crediting_free(&c);
    return result == LEDGER_OK && !*body ? LEDGER_FAILED : result;
}

enum ledger_result credit_note_create_locked(struct accountd *a, const struct credit_note *note, json_t **body,
                                             struct json_why *why)
{
    struct crediting c = { .a = a, .note = note, .why = why };
    enum ledger_result result = credited_lines(&c);

    *body = NULL;
    if (result == LEDGER_OK)
        result = put_locked(&c, body);
    if (result != LEDGER_OK) {
        json_decref(*body);
        *body = NULL;
    }
    crediting_free(&c);
    return result;
}

/* Whether the note that is there gives back what is asked for again. Without lines that is whatever was left then. */
static bool same_note(const json_t *body, const struct credit_note *note)
{
    const json_t *lines = json_object_get(body, "lines"), *line;
    json_t *row;
    size_t i;

    if (strcmp(json_text(json_object_get(body, "refers"), "invoice_id"), note->invoice_id) != 0 ||
        (note->lines && json_array_size(lines) != json_array_size(note->lines)))
        return false;
    json_array_foreach(note->lines, i, row) {
        line = json_array_get(lines, i);
        if (!json_equal(json_object_get(line, "line"), json_object_get(row, "line")) ||
            !json_equal(json_object_get(line, "amount_nano"), json_object_get(row, "amount_nano")))
            return false;
    }
    return true;
}

enum ledger_result credit_note_create(struct accountd *a, const struct credit_note *note, json_t **body,
                                      struct json_why *why)
{
    enum ledger_result result;

    *body = NULL;
    snprintf(why->text, sizeof(why->text), "the database failed");
    result = invoice_known(a, note->credit_note_id, "credit_note", "reason", note->reason, body, why);
    if (result == LEDGER_OK && !same_note(*body, note)) {
        snprintf(why->text, sizeof(why->text), "%s gives back something else: choose a new id", note->credit_note_id);
        json_decref(*body);
        *body = NULL;
        return LEDGER_EXISTS_DIFFERENT;
    }
    if (result != LEDGER_NOT_FOUND)
        return result == LEDGER_OK ? LEDGER_EXISTS : result;
    if (ledger_begin(a->ledger))
        return LEDGER_FAILED;
    result = ledger_finish(a->ledger, credit_note_create_locked(a, note, body, why));
    if (result != LEDGER_OK) {
        json_decref(*body);
        *body = NULL;
    }
    return result;
}
