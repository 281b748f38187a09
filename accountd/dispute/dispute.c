#include "accountd/dispute/dispute.h"
#include "accountd/cap/alerts.h"
#include "accountd/dispute/store.h"
#include "accountd/invoice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_SHOWN_MAX (512u << 10) /* a line of the socket holds 1 MiB, and quotes are escaped */

struct known {
    const char *asked;
    bool same;
};

static int compare_asked(void *arg, const struct dispute_row *row)
{
    struct known *known = arg;

    known->same = strcmp(row->request, known->asked) == 0;
    return 0;
}

/* OK: this one is known. NOT_FOUND, or EXISTS_DIFFERENT (another's id too: it is taken). */
static enum ledger_result find_asked(struct accountd *a, const struct evidence_request *r, const char *asked,
                                     struct json_why *why)
{
    struct known known = { .asked = asked };
    enum ledger_result result = dispute_get(a->ledger, r->account, r->dispute_id, compare_asked, &known);

    if (result == LEDGER_NOT_FOUND)
        result = dispute_get(a->ledger, NULL, r->dispute_id, compare_asked, &known) == LEDGER_OK
                     ? LEDGER_EXISTS_DIFFERENT
                     : LEDGER_NOT_FOUND;
    else if (result == LEDGER_OK && !known.same)
        result = LEDGER_EXISTS_DIFFERENT;
    if (result == LEDGER_EXISTS_DIFFERENT)
        snprintf(why->text, sizeof(why->text), "%s: this id was used for another dispute", r->dispute_id);
    return result;
}

static char *alert_key(const char *dispute_id, char key[static 96])
{
    snprintf(key, 96, "dispute %s", dispute_id);
    return key;
}

static int tell_opened(struct accountd *a, const struct evidence_request *r, const char *verdict)
{
    char key[96], subject[200], detail[400];

    snprintf(subject, sizeof(subject), "account %s disputes invoice %s", r->account, r->invoice_id);
    snprintf(detail, sizeof(detail), "Verdict of the records: %s. See dispute %s, then accept or reject it.", verdict,
             r->dispute_id);
    return alert_raise(a->ledger, alert_key(r->dispute_id, key), "dispute", NULL, subject, detail, r->opened_ms);
}

static enum ledger_result put(struct accountd *a, const struct evidence_request *r, const char *asked,
                              const json_t *evidence, const char *document)
{
    char comment[160], *minisig;
    struct dispute_row row = { .dispute_id = r->dispute_id, .account = r->account, .invoice_id = r->invoice_id,
                               .line = r->line, .request = asked, .opened_ms = r->opened_ms, .document = document };
    enum ledger_result result = LEDGER_FAILED;

    snprintf(comment, sizeof(comment), "evidence of dispute %s of %s", r->dispute_id, a->head.host);
    minisig = note_minisig(document, strlen(document), comment, &a->keys.invoice);
    row.minisig = minisig;
    if (ledger_begin(a->ledger) == 0)
        result = ledger_finish(a->ledger, dispute_put_locked(a->ledger, &row) ||
                               tell_opened(a, r, json_text(evidence, "verdict")) ? LEDGER_FAILED : LEDGER_OK);
    free(minisig);
    return result;
}

static enum ledger_result open_new(struct accountd *a, const struct evidence_request *r, const char *asked,
                                   struct json_why *why)
{
    json_t *evidence = NULL;
    enum ledger_result result = evidence_make(a, r, &evidence, why);
    int stands = result == LEDGER_OK ? dispute_stands(a->ledger, r->invoice_id, r->line) : 0;
    char *document;

    if (stands) {
        snprintf(why->text, sizeof(why->text), "invoice %s: a dispute about this is open already", r->invoice_id);
        result = stands < 0 ? LEDGER_FAILED : LEDGER_CONFLICT;
    }
    document = result == LEDGER_OK ? json_canonical(evidence) : NULL;
    if (result == LEDGER_OK)
        result = document ? put(a, r, asked, evidence, document) : LEDGER_FAILED;
    free(document);
    json_decref(evidence);
    return result;
}

enum ledger_result dispute_open(struct accountd *a, const struct evidence_request *r, struct json_why *why)
{
    json_t *object = evidence_asked(r);
    char *asked = json_canonical(object);
    enum ledger_result result = asked ? find_asked(a, r, asked, why) : LEDGER_FAILED;

    if (result == LEDGER_NOT_FOUND)
        result = open_new(a, r, asked, why);
    else if (result == LEDGER_OK)
        result = LEDGER_EXISTS;
    free(asked);
    json_decref(object);
    return result;
}

/* A dispute that is being ended. */
struct ending {
    struct accountd *a;
    const struct dispute_resolution *r;
    struct json_why *why;
    bool ended, same;
    char account[LEDGER_ACCOUNT_BYTES], invoice_id[LEDGER_ACCOUNT_BYTES];
    json_t *lines;
};

static int read_dispute(void *arg, const struct dispute_row *row)
{
    struct ending *e = arg;
    json_t *document = json_loads(row->document, 0, NULL);

    e->ended = row->outcome != NULL;
    e->same = e->ended && strcmp(row->outcome, e->r->outcome) == 0 && strcmp(row->end_reason, e->r->reason) == 0 &&
              strcmp(row->operator_id, e->r->operator_id) == 0;
    snprintf(e->account, sizeof(e->account), "%s", row->account);
    snprintf(e->invoice_id, sizeof(e->invoice_id), "%s", row->invoice_id);
    e->lines = e->r->lines ? json_deep_copy(e->r->lines) : evidence_proposed(json_object_get(document, "credit_note"));
    json_decref(document);
    return e->lines ? 0 : -1;
}

static int tell_ended(struct ending *e, int64_t at_ms)
{
    char key[96], subject[200], detail[2100];

    snprintf(subject, sizeof(subject), "your dispute about invoice %s is %s", e->invoice_id, e->r->outcome);
    snprintf(detail, sizeof(detail), "%s", e->r->reason);
    if (alert_clear(e->a->ledger, alert_key(e->r->dispute_id, key), at_ms))
        return -1;
    strcat(key, " ended");
    return alert_raise(e->a->ledger, key, "dispute", e->account, subject, detail, at_ms);
}

static enum ledger_result end_locked(struct ending *e)
{
    bool accepted = strcmp(e->r->outcome, "accepted") == 0;
    char id[32];
    struct credit_note note = {.credit_note_id = evidence_credit_note_id(e->r->dispute_id, id),
                               .invoice_id = e->invoice_id,
                               .reason = e->r->reason,
                               .operator_id = e->r->operator_id,
                               .lines = e->lines};
    struct dispute_row row = { .dispute_id = e->r->dispute_id, .outcome = e->r->outcome, .end_reason = e->r->reason,
                               .operator_id = e->r->operator_id, .credit_note_id = accepted ? id : NULL,
                               .ended_ms = clock_unix_ms() };
    enum ledger_result result = LEDGER_OK;
    json_t *body = NULL;

    if (accepted)
        result = credit_note_create_locked(e->a, &note, &body, e->why);
    json_decref(body);
    if (result == LEDGER_OK && (dispute_end_put_locked(e->a->ledger, &row) || tell_ended(e, row.ended_ms)))
        result = LEDGER_FAILED;
    return result;
}

static int compare_lines(void *arg, const struct ledger_invoice *credit_note)
{
    struct ending *e = arg;
    json_t *body = json_loads(credit_note->body, 0, NULL), *given = evidence_proposed(body);

    e->same = json_equal(given, e->lines);
    json_decref(given);
    json_decref(body);
    return 0;
}

static enum ledger_result check_end(struct ending *e)
{
    bool accepted = strcmp(e->r->outcome, "accepted") == 0;
    char id[32];

    if (e->ended) {
        if (e->same && accepted &&
            ledger_invoice_get(e->a->ledger, e->account, evidence_credit_note_id(e->r->dispute_id, id), compare_lines,
                               e) != LEDGER_OK)
            return LEDGER_FAILED;
        snprintf(e->why->text, sizeof(e->why->text), "%s: it was ended otherwise", e->r->dispute_id);
        return e->same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    }
    if (accepted ? json_array_size(e->lines) > 0 : !e->r->lines)
        return LEDGER_OK;
    snprintf(e->why->text, sizeof(e->why->text), "%s: lines: %s", e->r->dispute_id,
             accepted ? "the records give what was billed: say what to give back"
                      : "nothing is given back if it is rejected");
    return LEDGER_CONFLICT;
}

enum ledger_result dispute_resolve(struct accountd *a, const struct dispute_resolution *resolution,
                                   struct json_why *why)
{
    struct ending e = { .a = a, .r = resolution, .why = why };
    enum ledger_result result = dispute_get(a->ledger, NULL, resolution->dispute_id, read_dispute, &e);

    if (result == LEDGER_OK)
        result = check_end(&e);
    if (result == LEDGER_OK)
        result = ledger_begin(a->ledger) ? LEDGER_FAILED : ledger_finish(a->ledger, end_locked(&e));
    json_decref(e.lines);
    return result;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *got(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return value ? json_incref(value) : json_null();
}

static void put_evidence(json_t *dispute, const struct dispute_row *row, const json_t *document)
{
    bool shown = strlen(row->document) <= DOCUMENT_SHOWN_MAX;

    json_object_set_new(dispute, "evidence",
                        json_pack("{s:o, s:o, s:o}", "lines", got(document, "lines"), "claim", got(document, "claim"),
                                  "credit_note", got(document, "credit_note")));
    json_object_set_new(dispute, "document", shown ? json_string(row->document) : json_null());
    json_object_set_new(dispute, "signature", json_string(row->minisig));
}

json_t *dispute_json(const struct dispute_row *row, bool all)
{
    json_t *document = json_loads(row->document, 0, NULL), *asked = json_loads(row->request, 0, NULL);
    const json_t *credit_note = json_object_get(document, "credit_note");
    json_t *dispute = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                                "dispute_id", row->dispute_id, "account_id", row->account, "invoice_id",
                                row->invoice_id, "line", row->line ? json_integer(row->line) : json_null(), "reason",
                                got(asked, "reason"), "claim", got(asked, "claim"), "opened_ms",
                                (json_int_t)row->opened_ms, "state", row->outcome ? "resolved" : "open", "outcome",
                                text_or_null(row->outcome), "resolution", text_or_null(row->end_reason), "operator",
                                text_or_null(row->operator_id), "credit_note_id", text_or_null(row->credit_note_id),
                                "resolved_ms", row->outcome ? json_integer(row->ended_ms) : json_null(), "verdict",
                                got(document, "verdict"), "proposed_nano", got(credit_note, "total_nano"));

    if (dispute && all)
        put_evidence(dispute, row, document);
    json_decref(document);
    json_decref(asked);
    return dispute;
}
