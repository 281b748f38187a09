/* The invoice's lines beside those that its records give. */
#include "accountd/dispute/evidence.h"
#include "accountd/dispute/proofs.h"
#include "accountd/invoice.h"
#include "common/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The evidence that is being put together. */
struct weighing {
    struct accountd *a;
    const struct evidence_request *request;
    const struct ledger_invoice *invoice;
    json_t *body, *lines, *proposed;    /* the verdicts; what is to be given back */
    struct proofs proofs;
    int64_t *credited;                  /* of each line, by credit notes that there are */
    bool unproven, differs;
    json_t *document;
    enum ledger_result result;
    struct json_why *why;
};

json_t *evidence_asked(const struct evidence_request *r)
{
    return json_pack("{s:s, s:I, s:s, s:o}", "invoice_id", r->invoice_id, "line", (json_int_t)r->line, "reason",
                     r->reason, "claim", r->claim ? json_deep_copy(r->claim) : json_null());
}

char *evidence_credit_note_id(const char *dispute_id, char id[static 32])
{
    char text[96];

    snprintf(text, sizeof(text), "dispute %s", dispute_id);
    return id_derive("inv_", text, id);
}

json_t *evidence_proposed(const json_t *credit_note)
{
    json_t *list = json_array(), *line;
    size_t i;

    json_array_foreach(json_object_get(credit_note, "lines"), i, line)
        json_array_append_new(list, json_pack("{s:O, s:O}", "line", json_object_get(line, "line"), "amount_nano",
                                              json_object_get(line, "amount_nano")));
    return list;
}

static enum ledger_result refuse(struct weighing *w, const char *what)
{
    snprintf(w->why->text, sizeof(w->why->text), "invoice %s: %s", w->request->invoice_id, what);
    return LEDGER_CONFLICT;
}

static size_t lines_count(const struct weighing *w)
{
    return json_array_size(json_object_get(w->body, "lines"));
}

static int add_credited(void *arg, const struct ledger_invoice *note)
{
    struct weighing *w = arg;
    json_t *body = json_loads(note->body, 0, NULL), *line;
    struct json_why why;
    int64_t at, nano;
    int rc = body ? 0 : -1;
    size_t i;

    json_array_foreach(json_object_get(body, "lines"), i, line) {
        if (json_arg_int(line, "line", 1, (int64_t)lines_count(w), &at, &why) ||
            json_arg_decimal(line, "amount_nano", 0, INT64_MAX, &nano, &why))
            rc = -1;
        else
            w->credited[at - 1] += nano;
    }
    json_decref(body);
    return rc;
}

static bool is_disputed(const struct weighing *w, int64_t line)
{
    return w->request->line == 0 || w->request->line == line;
}

static void add_verdict(struct weighing *w, int64_t line, const json_t *names, int64_t invoiced, int64_t recomputed,
                        int64_t credited)
{
    char verdict[64] = "same";
    json_t *row =
        json_pack("{s:o, s:O, s:O, s:O, s:o, s:o, s:o, s:o}", "line", line ? json_integer(line) : json_null(), "period",
                  json_object_get(names, "period"), "price_book", json_object_get(names, "price_book"), "meter",
                  json_object_get(names, "meter"), "invoiced_nano", json_decimal(invoiced), "recomputed_nano",
                  json_decimal(recomputed), "credited_nano", json_decimal(credited), "difference_nano",
                  json_decimal(invoiced - recomputed));

    if (w->unproven)
        strcpy(verdict, "unproven");
    else if (invoiced != recomputed)
        snprintf(verdict, sizeof(verdict), "differs by %jd nano", (intmax_t)(invoiced - recomputed));
    if (invoiced != recomputed && is_disputed(w, line))
        w->differs = true;
    json_object_set_new(row, "verdict", json_string(verdict));
    json_array_append_new(w->lines, row);
}

/* Credit notes are of whole cents: what is over one is the customer's, as far as the line has it. */
static void propose(struct weighing *w, int64_t line, int64_t invoiced, int64_t recomputed, int64_t credited)
{
    int64_t more = invoiced - recomputed - credited, left = invoiced - credited;

    if (w->unproven || more <= 0 || !is_disputed(w, line))
        return;
    more += (RATE_CENT_NANO - more % RATE_CENT_NANO) % RATE_CENT_NANO;
    if (more > left)
        more = left - left % RATE_CENT_NANO;
    if (more > 0)
        json_array_append_new(w->proposed, json_pack("{s:I, s:o}", "line", (json_int_t)line, "amount_nano",
                                                     json_decimal(more)));
}

static bool same_line(const json_t *names, const struct statement_line *line)
{
    return line->book->version == json_integer_value(json_object_get(names, "price_book")) &&
           strcmp(json_text(names, "period"), line->period) == 0 &&
           strcmp(json_text(names, "meter"), meter_quantities[line->meter].name) == 0;
}

static int64_t recomputed_of(const struct weighing *w, const json_t *names)
{
    const struct statement *s = &w->proofs.statement;

    for (size_t i = 0; i < s->lines_count; i++)
        if (same_line(names, &s->lines[i]))
            return s->lines[i].amount_nano;
    return 0;
}

static bool is_invoiced(const struct weighing *w, const struct statement_line *line)
{
    json_t *names;
    size_t i;

    json_array_foreach(json_object_get(w->body, "lines"), i, names)
        if (same_line(names, line))
            return true;
    return false;
}

/* Lines that the records give and the invoice has not. */
static void weigh_missing(struct weighing *w)
{
    const struct statement *s = &w->proofs.statement;

    for (size_t i = 0; i < s->lines_count; i++) {
        json_t *names;

        if (is_invoiced(w, &s->lines[i]))
            continue;
        names = json_pack("{s:s, s:I, s:s}", "period", s->lines[i].period, "price_book",
                          (json_int_t)s->lines[i].book->version, "meter", meter_quantities[s->lines[i].meter].name);
        add_verdict(w, 0, names, 0, s->lines[i].amount_nano, 0);
        json_decref(names);
    }
}

static enum ledger_result weigh_lines(struct weighing *w)
{
    json_t *names;
    size_t i;

    w->credited = calloc(lines_count(w) + 1, sizeof(*w->credited));
    if (!w->credited || ledger_each_credit_note(w->a->ledger, w->request->invoice_id, add_credited, w))
        return LEDGER_FAILED;
    json_array_foreach(json_object_get(w->body, "lines"), i, names) {
        int64_t invoiced, recomputed;

        if (json_arg_decimal(names, "amount_nano", 0, INT64_MAX, &invoiced, w->why))
            return LEDGER_FAILED;
        recomputed = w->unproven ? invoiced : recomputed_of(w, names);
        add_verdict(w, (int64_t)i + 1, names, invoiced, recomputed, w->credited[i]);
        propose(w, (int64_t)i + 1, invoiced, recomputed, w->credited[i]);
    }
    weigh_missing(w);
    return LEDGER_OK;
}

static json_t *claim_beside(const struct weighing *w, const struct proofs_chain *chain, enum meter_counter counter,
                            unsigned __int128 claimed)
{
    const struct journal_entry *entry = journal_find(&w->a->journal, chain->incarnation);
    unsigned __int128 recorded = chain->to.at[counter];
    json_t *beside = json_deep_copy(w->request->claim);

    json_object_set_new(beside, "recorded_start", json_decimal_u128(chain->from.at[counter]));
    json_object_set_new(beside, "recorded_end", json_decimal_u128(recorded));
    json_object_set_new(beside, "now",
                        entry && entry->seen ? json_decimal_u128(entry->point.at[counter]) : json_null());
    json_object_set_new(beside, "recorded_more", json_decimal_u128(recorded > claimed ? recorded - claimed : 0));
    json_object_set_new(beside, "claimed_more", json_decimal_u128(claimed > recorded ? claimed - recorded : 0));
    return beside;
}

static enum ledger_result weigh_claim(struct weighing *w, json_t **beside)
{
    const json_t *claim = w->request->claim;
    const struct proofs_chain *chain = claim ? proofs_find(&w->proofs, json_text(claim, "incarnation")) : NULL;
    unsigned __int128 claimed;

    *beside = json_null();
    if (!claim)
        return LEDGER_OK;
    for (int c = 0; chain && c < METER_COUNTERS; c++)
        if (strcmp(meter_counter_names[c], json_text(claim, "counter")) == 0 &&
            json_u128_parse(json_text(claim, "value"), &claimed)) {
            *beside = claim_beside(w, chain, c, claimed);
            return LEDGER_OK;
        }
    return refuse(w, "claim: this invoice bills no such incarnation, or records have no such counter, or value is not a"
                     " decimal number");
}

static enum ledger_result draft(struct weighing *w, json_t **body)
{
    char id[32];
    struct credit_note note = { .credit_note_id = evidence_credit_note_id(w->request->dispute_id, id),
                                .invoice_id = w->request->invoice_id, .reason = w->request->reason, .operator_id = "",
                                .lines = w->proposed };

    *body = json_null();
    return json_array_size(w->proposed) ? credit_note_draft(w->a, &note, body, w->why) : LEDGER_OK;
}

static json_t *recomputed(const struct weighing *w)
{
    json_t *object = json_object();

    if (!w->unproven && statement_put(&w->proofs.statement, object) == 0)
        return object;
    json_decref(object);
    return w->unproven ? json_null() : NULL;
}

/* json_pack gives up when any part is missing. */
static int write_document(struct weighing *w, json_t *claim, json_t *credit_note)
{
    const struct evidence_request *r = w->request;
    json_t *rest = json_pack("{s:O, s:o, s:s, s:o}", "lines", w->lines, "claim", claim, "verdict",
                             w->unproven ? "unproven" : w->differs ? "differs" : "same", "credit_note", credit_note);

    w->document = json_pack("{s:s, s:s, s:s, s:I, s:o, s:O, s:s, s:{s:I, s:O, s:I, s:I}, s:o, s:o, s:o}", "format",
                            "xs-dispute/v1", "dispute_id", r->dispute_id, "account_id", r->account, "opened_ms",
                            (json_int_t)r->opened_ms, "request", evidence_asked(r), "invoice", w->body, "checkpoint",
                            w->invoice->head_note, "records", "from_index", (json_int_t)w->invoice->from_idx,
                            "context_index", json_object_get(w->body, "context_index"), "to_index",
                            (json_int_t)w->invoice->to_idx, "count", (json_int_t)w->proofs.records, "chains",
                            proofs_chains(&w->proofs), "price_books", proofs_books(&w->proofs), "recomputed",
                            recomputed(w));
    if (!rest || !w->document || json_object_update(w->document, rest)) {
        json_decref(w->document);
        w->document = NULL;
    }
    json_decref(rest);
    return w->document ? 0 : -1;
}

static enum ledger_result read_records(struct weighing *w)
{
    int64_t context;

    w->proofs.a = w->a;
    w->proofs.invoice = w->invoice;
    w->unproven = strcmp(w->invoice->origin, w->a->head.origin) != 0;
    if (w->unproven)
        return LEDGER_OK;
    if (json_arg_int(w->body, "context_index", 0, INT64_MAX, &context, w->why) ||
        tax_parse(json_array_get(json_object_get(w->body, "tax"), 0), &w->proofs.statement.tax, w->why))
        return LEDGER_FAILED;
    if (proofs_read(&w->proofs, (uint64_t)context) == 0)
        return LEDGER_OK;
    *w->why = w->proofs.why;
    return LEDGER_FAILED;
}

static enum ledger_result weigh(struct weighing *w)
{
    json_t *claim, *credit_note;
    enum ledger_result result;

    if (strcmp(w->invoice->kind, "invoice") != 0 || strcmp(json_text(w->body, "format"), "xs-invoice/v2") != 0)
        return refuse(w, "only an invoice of today's format can be disputed");
    if (w->request->line > (int64_t)lines_count(w))
        return refuse(w, "line: it has not so many lines");
    result = read_records(w);
    if (result == LEDGER_OK)
        result = weigh_lines(w);
    if (result == LEDGER_OK)
        result = weigh_claim(w, &claim);
    if (result == LEDGER_OK)
        result = draft(w, &credit_note);
    return result == LEDGER_OK && write_document(w, claim, credit_note) ? LEDGER_FAILED : result;
}

static int take_invoice(void *arg, const struct ledger_invoice *invoice)
{
    struct weighing *w = arg;

    w->invoice = invoice;
    w->body = json_loads(invoice->body, JSON_REJECT_DUPLICATES, NULL);
    w->result = w->body ? weigh(w) : LEDGER_FAILED;
    proofs_free(&w->proofs);
    json_decref(w->body);
    return 0;
}

enum ledger_result evidence_make(struct accountd *a, const struct evidence_request *request, json_t **document,
                                 struct json_why *why)
{
    struct weighing w = { .a = a, .request = request, .lines = json_array(), .proposed = json_array(), .why = why };
    enum ledger_result result;

    snprintf(why->text, sizeof(why->text), "the evidence could not be read");
    result = ledger_invoice_get(a->ledger, request->account, request->invoice_id, take_invoice, &w);
    json_decref(w.lines);
    json_decref(w.proposed);
    free(w.credited);
    *document = w.document;
    return result == LEDGER_OK ? w.result : result;
}
