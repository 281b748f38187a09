/* Disputes: evidence at once, a draft where the records give less, an end that is one transaction. */
#include "accountd/dispute/dispute.h"
#include "accountd/dispute/store.h"
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

static struct life life;
static struct json_why why;

/* An hour of 60 % of a CPU, invoiced. */
static json_t *lived_and_invoiced(void)
{
    json_t *body = NULL;

    life_begin(&life);
    life_account(&life, "acc", 100000000000);
    life_account(&life, "other", 100);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    for (int i = 0; i < 60; i++) {
        life_slot(&life, 2)->guest_ns += 36 * S;
        life_step(&life, 60 * S);
    }
    check(invoice_create(&life.a, "inv", "acc", &body, &why) == LEDGER_OK, "an hour is invoiced");
    return body;
}

static enum ledger_result open_line(const char *id, const char *account, const char *invoice, int64_t line,
                                    const json_t *claim)
{
    struct evidence_request r = { .dispute_id = id, .account = account, .invoice_id = invoice, .reason = "too much",
                                  .line = line, .claim = claim, .opened_ms = 1700000000000 };

    return dispute_open(&life.a, &r, &why);
}

static enum ledger_result end(const char *id, const char *outcome, const char *reason, const json_t *lines)
{
    struct dispute_resolution r = { .dispute_id = id, .operator_id = "op", .outcome = outcome, .reason = reason,
                                    .lines = lines };

    return dispute_resolve(&life.a, &r, &why);
}

struct taken {
    json_t *dispute, *document;
    bool signed_by_us;
};

static int take(void *arg, const struct dispute_row *row)
{
    struct taken *t = arg;

    t->dispute = dispute_json(row, true);
    t->document = json_loads(row->document, 0, NULL);
    t->signed_by_us = note_minisig_verify(row->minisig, row->document, strlen(row->document), &life.a.keys.invoice);
    return 0;
}

static struct taken taken(const char *id)
{
    struct taken t = { NULL, NULL, false };

    dispute_get(life.a.ledger, NULL, id, take, &t);
    return t;
}

static void taken_free(struct taken *t)
{
    json_decref(t->dispute);
    json_decref(t->document);
}

static int64_t nano(const json_t *object, const char *key)
{
    int64_t value = -1;

    json_decimal_parse(json_text(object, key), &value);
    return value;
}

/* Whether both ends of each chain are proven under the invoice's checkpoint. */
static bool is_proven(const json_t *end_of_chain, const json_t *document)
{
    struct chain_hash proof[CHAIN_PROOF_MAX], hash, root;
    const char *leaf = json_text(end_of_chain, "leaf"), *checkpoint;
    uint64_t index, size;
    unsigned len;

    hash = chain_leaf_hash(leaf, strlen(leaf));
    return note_proof_parse(json_text(end_of_chain, "proof"), &index, proof, &len, &checkpoint) &&
           strcmp(checkpoint, json_text(document, "checkpoint")) == 0 &&
           note_checkpoint_open(checkpoint, life.a.head.origin, &life.a.keys.log, &size, &root, &why) &&
           chain_proof_verify(&hash, index, size, proof, len, &root);
}

static void test_right_invoice(void)
{
    json_t *invoice = lived_and_invoiced(), *row, *claim, *chain;
    json_t *dear = json_pack("[{s:i, s:s}]", "line", 1, "amount_nano", "10000000");
    struct taken t;
    size_t i, same = 0;

    check(open_line("d1", "other", "inv", 0, NULL) == LEDGER_NOT_FOUND, "another's invoice is not found");
    check(open_line("d1", "acc", "nil", 0, NULL) == LEDGER_NOT_FOUND, "nor one that is not there");
    check(open_line("d1", "acc", "inv", 99, NULL) == LEDGER_CONFLICT && strstr(why.text, "line"),
          "nor a line it has not");
    claim =
        json_pack("{s:s, s:s, s:s}", "incarnation", life_hex(0xaa), "counter", "guest_ns", "value", "2160000000007");
    check(open_line("d1", "acc", "inv", 0, claim) == LEDGER_OK, "a dispute is opened");
    t = taken("d1");
    check(t.signed_by_us, "its evidence is signed");
    json_array_foreach(json_object_get(t.document, "lines"), i, row)
        same += strcmp(json_text(row, "verdict"), "same") == 0;
    check(same > 0 && same == json_array_size(json_object_get(invoice, "lines")),
          "each line is recomputed, and the same");
    check(strcmp(json_text(t.document, "verdict"), "same") == 0 &&
              json_is_null(json_object_get(t.document, "credit_note")) &&
              json_equal(json_object_get(json_object_get(t.document, "recomputed"), "lines"),
                         json_object_get(invoice, "lines")) &&
              nano(json_object_get(t.document, "recomputed"), "total_nano") == nano(invoice, "total_nano"),
          "to the cent, so nothing is drafted");
    chain = json_array_get(json_object_get(t.document, "chains"), 0);
    check(is_proven(json_object_get(chain, "first"), t.document) &&
              is_proven(json_object_get(chain, "last"), t.document),
          "both ends of the records are proven under the invoice's checkpoint");
    check(strcmp(json_text(json_object_get(json_object_get(chain, "counters"), "guest_ns"), "end"),
          "2160000000000") == 0 &&
          json_array_size(json_object_get(t.document, "price_books")) == 1, "with the counters and the price book");
    row = json_object_get(t.document, "claim");
    check(strcmp(json_text(row, "recorded_end"), "2160000000000") == 0 &&
          strcmp(json_text(row, "claimed_more"), "7") == 0 &&
          strcmp(json_text(row, "now"), "2160000000000") == 0, "what is claimed stands beside what was recorded");
    taken_free(&t);
    check(open_line("d1", "acc", "inv", 0, claim) == LEDGER_EXISTS && open_line("d1", "acc", "inv", 1, NULL) ==
          LEDGER_EXISTS_DIFFERENT && open_line("d1", "other", "inv", 0, claim) == LEDGER_EXISTS_DIFFERENT,
          "asked again: the same; otherwise refused");
    check(open_line("d2", "acc", "inv", 1, NULL) == LEDGER_CONFLICT, "what is disputed is not disputed twice at once");
    check(end("d1", "accepted", "sorry", NULL) == LEDGER_CONFLICT, "nothing is proposed, so accepting needs lines");
    check(end("d1", "rejected", "as metered", dear) == LEDGER_CONFLICT, "and rejecting takes none");
    check(end("d1", "rejected", "as metered", NULL) == LEDGER_OK && end("d1", "rejected", "as metered", NULL) ==
          LEDGER_EXISTS && end("d1", "accepted", "sorry", dear) == LEDGER_EXISTS_DIFFERENT, "it is rejected, once");
    check(open_line("d2", "acc", "inv", 1, NULL) == LEDGER_OK && open_line("d3", "acc", "inv", 2, NULL) == LEDGER_OK,
          "then lines can be disputed, each for itself");
    json_object_set_new(claim, "incarnation", json_string(life_hex(0xbb)));
    check(open_line("d4", "acc", "inv", 3, claim) == LEDGER_CONFLICT, "a claim about what was not billed is refused");
    json_decref(claim);
    json_decref(dear);
    json_decref(invoice);
    life_end(&life);
}

/* The same invoice, with more on one of its lines, and its entries moved as it says: through the ledger's own verbs. */
static int64_t bill_wrongly(json_t *invoice, size_t line, int64_t more)
{
    json_t *row = json_array_get(json_object_get(invoice, "lines"), line);
    struct ledger_invoice put = { .invoice_id = "wrong", .account = "acc", .origin = life.a.head.origin,
                                  .from_idx = (uint64_t)json_integer_value(json_object_get(invoice, "from_index")),
                                  .to_idx = life.a.head.size, .kind = "invoice", .head_note = life.a.head.note };
    int64_t tax = more * 19 / 100, wallet = life_posted(&life, "acc");
    struct ledger_transfer t = { .id = "wrong", .kind = "posted", .debit = "acc", .credit = "revenue:cpu_used",
                                 .amount_nano = more, .code = "usage", .reason = "", .refers = "" };
    struct ledger_transfer v = { .id = "wrong tax", .kind = "posted", .debit = "acc", .credit = "tax:DE",
                                 .amount_nano = tax, .code = "tax", .reason = "", .refers = "" };
    char *body;

    json_object_set_new(row, "amount_nano", json_decimal(nano(row, "amount_nano") + more));
    json_object_set_new(invoice, "invoice_id", json_string("wrong"));
    json_object_set_new(invoice, "number", json_integer(2));
    body = json_canonical(invoice);
    put.number = ledger_invoice_next_number(life.a.ledger);
    put.body = body;
    check(ledger_begin(life.a.ledger) == 0 && ledger_apply_locked(life.a.ledger, &t) == LEDGER_OK &&
          ledger_apply_locked(life.a.ledger, &v) == LEDGER_OK &&
          ledger_invoice_put_locked(life.a.ledger, &put) == LEDGER_OK && ledger_commit(life.a.ledger) == 0,
          "an invoice is wrong by %jd nano", (intmax_t)more);
    free(body);
    return wallet;
}

static size_t line_of(const json_t *invoice, const char *meter)
{
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(invoice, "lines"), i, row)
        if (strcmp(json_text(row, "meter"), meter) == 0)
            break;
    return i;
}

static int64_t count(const char *sql)
{
    int64_t n = -1;

    db_int(life.a.ledger->db, &n, sql, "");
    return n;
}

static void test_wrong_invoice(void)
{
    json_t *invoice = lived_and_invoiced(), *draft, *row, *less;
    size_t line = line_of(invoice, "cpu_used");
    int64_t before = bill_wrongly(invoice, line, 1000000000), numbers;
    char id[32];
    struct taken t;

    check(open_line("dw", "acc", "wrong", 0, NULL) == LEDGER_OK, "it is disputed");
    t = taken("dw");
    row = json_array_get(json_object_get(t.document, "lines"), line);
    draft = json_object_get(t.document, "credit_note");
    check(strcmp(json_text(row, "verdict"), "differs by 1000000000 nano") == 0 &&
              strcmp(json_text(t.document, "verdict"), "differs") == 0,
          "the line differs by exactly that");
    check(json_array_size(json_object_get(draft, "lines")) == 1 && nano(draft, "net_nano") == 1000000000 &&
          nano(draft, "total_nano") == 1190000000 && strcmp(json_text(draft, "number_text"), "DRAFT") == 0 &&
          strcmp(json_text(t.dispute, "proposed_nano"), "1190000000") == 0,
          "a credit note over it and its tax is drafted");
    check(count("SELECT count(*) FROM invoice") == 2 && life_posted(&life, "acc") == before - 1190000000,
          "and nothing is issued or moved yet");
    taken_free(&t);
    check(open_line("dx", "acc", "wrong", (int64_t)line + 1, NULL) == LEDGER_CONFLICT, "its line is disputed with it");
    /* The last statement of the transaction fails, as if killed there: then nothing of it is there. */
    db_run(life.a.ledger->db, "CREATE TRIGGER stop BEFORE INSERT ON alert BEGIN SELECT RAISE(ABORT, 'killed'); END",
           "");
    check(end("dw", "accepted", "you are right", NULL) == LEDGER_FAILED && count("SELECT count(*) FROM invoice") == 2 &&
          count("SELECT count(*) FROM dispute_end") == 0 && life_posted(&life, "acc") == before - 1190000000,
          "cut off before its end, no part of the acceptance is there");
    db_run(life.a.ledger->db, "DROP TRIGGER stop", "");
    check(life_reopen(&life) && end("dw", "accepted", "you are right", NULL) == LEDGER_OK &&
          life_posted(&life, "acc") == before, "accepted after a restart, the wallet has it back to the nano");
    numbers = count("SELECT max(number) FROM invoice");
    check(end("dw", "accepted", "you are right", NULL) == LEDGER_EXISTS && life_posted(&life, "acc") == before &&
          count("SELECT max(number) FROM invoice") == numbers && numbers == 3, "accepted again: nothing");
    less = json_pack("[{s:i, s:s}]", "line", (int)line + 1, "amount_nano", "10000000");
    check(end("dw", "accepted", "you are right", less) == LEDGER_EXISTS_DIFFERENT, "not with other lines");
    json_decref(less);
    t = taken("dw");
    check(strcmp(json_text(t.dispute, "credit_note_id"), evidence_credit_note_id("dw", id)) == 0 &&
          strcmp(json_text(t.dispute, "outcome"), "accepted") == 0, "it names its credit note");
    taken_free(&t);
    check(count("SELECT count(*) FROM alert WHERE cleared_ms IS NULL AND account_id IS NULL AND kind = 'dispute'") ==
                  0 &&
              count("SELECT count(*) FROM alert WHERE account_id = 'acc' AND kind = 'dispute'") == 1,
          "the operator's alert is over, the customer is told");
    check(open_line("dy", "acc", "wrong", 0, NULL) == LEDGER_OK, "disputed again after it was given back");
    t = taken("dy");
    check(json_is_null(json_object_get(t.document, "credit_note")), "nothing more is proposed");
    taken_free(&t);
    check(life_is_sound(&life), "the log and the ledger are sound");
    json_decref(invoice);
    life_end(&life);
}

int main(void)
{
    test_right_invoice();
    test_wrong_invoice();
    return tap_end();
}
