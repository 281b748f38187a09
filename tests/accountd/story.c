#include "tests/accountd/story.h"
#include "tests/accountd/disk.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "accountd/dispute/dispute.h"
#include "accountd/funding/bank.h"
#include "accountd/funding/payment.h"
#include "accountd/funding/receipt.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/details.h"
#include "accountd/ledger/fund.h"
#include "accountd/ledger/invoices.h"
#include "accountd/ledger/price_proposals.h"
#include "accountd/ledger/purchase_orders.h"
#include "accountd/ledger/registry.h"
#include "accountd/log/file.h"
#include "accountd/log/publish.h"
#include "accountd/log/rotate.h"
#include "client/verify/verify.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S   1000000000ull
#define EUR 1000000000ll

const char *story_prices =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"70000000\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"7\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"10000\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"11\",\"meter\":\"memory_reserved\",\"num_nano\":\"5000\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"13\",\"meter\":\"memory_used\",\"num_nano\":\"2500\",\"unit\":\"GiB-second\"},"
    "{\"free\":\"20\",\"meter\":\"disk_ops\",\"tiers\":[{\"above\":\"0\",\"den\":\"17\",\"num_nano\":\"50000000\"},"
    "{\"above\":\"40\",\"den\":\"17\",\"num_nano\":\"40000000\"}],\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"1000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"minimum_nano\":\"300000000\",\"num_nano\":\"10000000\",\"unit\":"
    "\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":1}";

int64_t story_ms(const struct life *life)
{
    return 1700000000000 + (int64_t)(life->now_ns / 1000000);
}

static bool done(enum ledger_result r)
{
    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

/* hv's side: time goes on, counters grow. */
static void born(struct life *l)
{
    life_birth(l, 2, 0xaa);
}

static void second_born(struct life *l)
{
    life_birth(l, 3, 0xbb);
}

static void runs(struct life *l)
{
    l->now_ns += 61 * S;
    for (unsigned slot = 2; slot < 4; slot++)
        if (life_slot(l, slot)->state == XS_SLOT_LIVE) {
            life_slot(l, slot)->guest_ns += 12345678901 * slot;
            life_slot(l, slot)->disk_write_ops += 11;
            life_slot(l, slot)->net_tx_bytes += 123456789 * slot;
        }
}

static void month_passes(struct life *l)
{
    runs(l);
    l->now_ns += 17ull * 86400 * S;
}

static void dies(struct life *l)
{
    runs(l);
    life_death(l, 2);
}

static void second_dies(struct life *l)
{
    runs(l);
    life_death(l, 3);
}

static void freed(struct life *l)
{
    l->now_ns += S;
    *life_slot(l, 2) = *life_slot(l, 3) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
}

/* Accounts and money from outside. */
static bool open_account(struct life *l)
{
    return done(ledger_account_open(l->a.ledger, "acc", "Ann", "EUR", story_ms(l)));
}

static bool say_details(struct life *l)
{
    static const char text[] = "{\"name\":\"Ann\",\"country\":\"FR\"}";
    json_t *object = json_loads(text, 0, NULL);
    struct json_why why;
    json_t *party = party_read(object, PARTY_BUYER_KEYS, "", &why);
    enum ledger_result r = ledger_details_put(l->a.ledger, "acc", party, story_ms(l));

    json_decref(party);
    json_decref(object);
    return done(r);
}

static bool fund(struct life *l)
{
    return done(ledger_fund(l->a.ledger, "t1", "acc", 500 * EUR, "opr", "as agreed", story_ms(l)));
}

static bool make_voucher(struct life *l)
{
    struct voucher_order order = { "v1", "opr", 7 * EUR, 0, story_ms(l) };
    char code[VOUCHER_CODE_BYTES];

    return done(voucher_create(l->a.ledger, l->a.funding.voucher_key, &order, code));
}

static bool redeem(struct life *l)
{
    struct voucher_order order = { "v1", "opr", 7 * EUR, 0, story_ms(l) };
    char code[VOUCHER_CODE_BYTES];
    int64_t nano;

    return done(voucher_create(l->a.ledger, l->a.funding.voucher_key, &order, code)) &&
           done(voucher_redeem(l->a.ledger, "t2", "acc", code, story_ms(l), &nano)) && nano == 7 * EUR;
}

#define ENTRY(amount, ref, text)                                                                                       \
    "<Ntry><Amt Ccy=\"EUR\">" amount "</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"                       \
    "<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>" ref "</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>" text   \
    "</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
static const char statement_text[] =
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId>"
    "<CreDtTm>2026-11-20T20:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>2026-11-20T20:00:00</"
    "CreDtTm><Acct><Id><IBAN>"
    "DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>" ENTRY("10", "A1", "%s") ENTRY("20.05", "A2", "whoever")
        ENTRY("3", "A3", "nobody") "</Stmt></BkToCstmrStmt></Document>";

static bool import_statement(struct life *l)
{
    struct bank_order order = { "imp1", "opr", "0123456789012345678901234567890123456789012345678901234567890123",
                                "DE02120300000000202051", "EUR", story_ms(l) };
    char reference[REFERENCE_BYTES], text[4096];
    struct camt_file file;
    struct json_why why;
    json_t *report = NULL;
    enum ledger_result r;

    snprintf(text, sizeof(text), statement_text, reference_of_account("acc", reference));
    if (camt_parse(text, strlen(text), &file, &why)) {
        fprintf(stderr, "camt: %s\n", why.text);
        exit(99);
    }
    r = bank_import(l->a.ledger, &order, &file, &report);
    camt_free(&file);
    json_decref(report);
    return done(r);
}

/* The receipts in suspense have derived ids: the first that is there still, or the act was done. */
static bool end_receipt(struct life *l, const char *transfer, int64_t amount, const char *account)
{
    struct receipt_order order = { transfer, "", "opr", "as she wrote", account, story_ms(l) };
    sqlite3_stmt *stmt = db_query(l->a.ledger->db, "SELECT receipt_id FROM receipt WHERE amount_nano = ?1 AND"
                                  " source = 'bank'", "i", amount);
    char id[80] = "";

    if (db_next(stmt) == 1)
        snprintf(id, sizeof(id), "%s", (const char *)sqlite3_column_text(stmt, 0));
    db_end(stmt);
    order.receipt_id = id;
    return done(receipt_end(l->a.ledger, &order));
}

static bool assign_receipt(struct life *l)
{
    return end_receipt(l, "t3", 20050000000, "acc");
}

static bool return_receipt(struct life *l)
{
    return end_receipt(l, "t4", 3000000000, NULL);
}

static bool provider_says(struct life *l, const char *body)
{
    struct webhook_event event;
    struct json_why why;
    char outcome[PAYMENT_OUTCOME_BYTES];

    if (webhook_parse(body, strlen(body), &event, &why)) {
        fprintf(stderr, "event: %s\n", why.text);
        exit(99);
    }
    return done(payment_apply(l->a.ledger, "EUR", &event, body, story_ms(l), outcome));
}

static bool card_pays(struct life *l)
{
    return provider_says(
        l, "{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\","
           "\"amount_received\":5000,\"currency\":\"eur\",\"metadata\":{\"account_id\":\"acc\"}}}}");
}

static bool card_is_refunded(struct life *l)
{
    return provider_says(
        l, "{\"id\":\"evt_2\",\"type\":\"charge.refunded\",\"data\":{\"object\":{\"id\":\"ch_1\","
           "\"payment_intent\":\"pi_1\",\"amount\":5000,\"amount_refunded\":1500,\"currency\":\"eur\"}}}");
}

/* Purchase orders and launches. */
static bool create_order(struct life *l)
{
    struct purchase_order order = { .id = "po1", .account = "acc", .name = "a project", .amount_nano = 50 * EUR };
    int64_t available;

    return done(purchase_order_create(l->a.ledger, &order, story_ms(l), &available));
}

static bool add_to_order(struct life *l)
{
    int64_t available;

    return done(purchase_order_add(l->a.ledger, "t5", "po1", "acc", 5 * EUR, story_ms(l), &available));
}

static bool close_order(struct life *l)
{
    return done(purchase_order_close(l->a.ledger, "po1", "acc", story_ms(l)));
}

static bool settle(struct life *l)
{
    return life_step(l, 0) == 0 && invoice_month_run(&l->a) == 0;
}

static bool launch(struct life *l)
{
    return done(life_register(l, "acc", "ins", 0xaa));
}

static bool launch_on_order(struct life *l)
{
    struct ledger_registration r = { .account = "acc", .instance = "job", .reserved = { 1, 256 }, .price_book = 1,
                                     .payer = "po:po1" };
    int64_t held, available;

    snprintf(r.incarnation, sizeof(r.incarnation), "%s", life_hex(0xbb));
    snprintf(r.domain_uuid, sizeof(r.domain_uuid), "%s", life_hex(0xbb));
    return done(ledger_register(l->a.ledger, &r, 3 * EUR, story_ms(l), &held, &available));
}

static bool close_instances(struct life *l)
{
    return done(ledger_instance_close(l->a.ledger, "ins")) && done(ledger_instance_close(l->a.ledger, "job"));
}

static bool restart(struct life *l)
{
    return life_reopen(l);
}

/* Invoices. */
static bool invoice(struct life *l, const char *id)
{
    json_t *body = NULL;
    struct json_why why;
    enum ledger_result r;

    if (accountd_settle(&l->a, 0, "acc"))
        return false;
    r = invoice_create(&l->a, id, "acc", &body, &why);
    json_decref(body);
    return done(r);
}

static bool invoice_first(struct life *l)
{
    return invoice(l, "inv1");
}

static bool invoice_last(struct life *l)
{
    return invoice(l, "inv2");
}

static bool credit(struct life *l)
{
    struct credit_note note = { "cn1", "inv1", "a promise", "opr", NULL };
    json_t *body = NULL;
    struct json_why why;
    enum ledger_result r = credit_note_create(&l->a, &note, &body, &why);

    json_decref(body);
    return done(r);
}

static bool dispute(struct life *l)
{
    struct evidence_request request = { .dispute_id = "dsp1", .account = "acc", .invoice_id = "inv1",
                                        .reason = "too much", .line = 3, .opened_ms = story_ms(l) };
    struct json_why why;

    return done(dispute_open(&l->a, &request, &why));
}

/* A cent of its line is given back, though the records say what was billed: the first that has so much. */
static bool accept_dispute(struct life *l)
{
    json_t *lines = json_pack("[{s:i, s:s}]", "line", 3, "amount_nano", "10000000");
    struct dispute_resolution resolution = { "dsp1", "opr", "accepted", "as a favour", lines };
    struct json_why why;
    enum ledger_result r = dispute_resolve(&l->a, &resolution, &why);

    json_decref(lines);
    return done(r);
}

static int bundle_one(void *arg, const struct ledger_invoice *row)
{
    struct life *l = arg;
    char path[600];
    struct json_why why;
    struct verify_summary summary;
    size_t len;
    char *bytes;
    int rc = invoice_bundle(&l->a, row, path, sizeof(path), &why);

    if (rc)
        return -1;
    bytes = file_get(path, 1u << 24, &len);
    rc = bytes ? verify_bundle(bytes, len, NULL, &summary, &why) : -1;
    if (bytes && rc)
        fprintf(stderr, "# bundle: %s\n", why.text);
    free(bytes);
    return rc;
}

static bool bundle(struct life *l)
{
    return ledger_invoice_get(l->a.ledger, "acc", "inv1", bundle_one, l) == LEDGER_OK;
}

/* Prices, keys, what is published. */
static bool propose(struct life *l)
{
    json_t *book = json_loads(life_prices, 0, NULL);
    char *body;
    enum ledger_result r;

    json_object_set_new(book, "version", json_integer(2));
    body = json_canonical(book);
    r = price_propose(l->a.ledger, 2, body, "ann", story_ms(l));
    free(body);
    json_decref(book);
    return done(r);
}

static bool approve(struct life *l)
{
    return done(price_publish(l->a.ledger, 2, "bob", story_ms(l))) && tariff_settle(&l->a) == 0 &&
           head_sign(&l->a.head, story_ms(l)) == 0;
}

/* The key that is to be replaced is the first: its caller read it once. */
static bool rotate(struct life *l, enum keys_purpose purpose)
{
    const struct keys_span *first = purpose == KEYS_LOG ? l->a.keys.logs : l->a.keys.invoices;
    char id[2 * NOTE_KEY_ID_BYTES + 1];
    struct json_why why;
    bool refused;

    return rotate_key(&l->a, purpose, rotate_key_id(&l->a, purpose, &first->key, id), 5, &refused, &why) == 0;
}

static bool rotate_log(struct life *l)
{
    return rotate(l, KEYS_LOG);
}

static bool rotate_invoice(struct life *l)
{
    return rotate(l, KEYS_INVOICE);
}

static bool publish(struct life *l)
{
    char path[100], *bytes, *note = NULL;
    uint64_t from = 0, size;
    size_t len;
    bool good;

    snprintf(path, sizeof(path), "%s/public", l->dir);
    if (publish_files(l->a.store, path, &from))
        return false;
    snprintf(path, sizeof(path), "%s/public/checkpoint", l->dir);
    bytes = file_get(path, 1u << 16, &len);
    good = bytes && store_head_cosigned(l->a.store, &size, &note) == 1 && strcmp(note, bytes) == 0;
    free(bytes);
    free(note);
    return good;
}

static bool alert(struct life *l)
{
    return alert_raise(l->a.ledger, "test", "test", "acc", "low", "nearly nothing is left", story_ms(l)) == 0;
}

/* The cap's rows, as it writes them: a payer's and its instance's, and both gone when there is money again. */
static bool suspend(struct life *l)
{
    struct cap_payer payer = { .payer = "acc", .account = "acc", .state = CAP_SUSPENDED, .since_ms = story_ms(l) };
    struct cap_instance instance = { .instance = "ins", .payer = "acc", .held = true };

    return cap_payer_put(l->a.ledger, &payer) == 0 && cap_instance_put(l->a.ledger, &instance) == 0;
}

static bool resume(struct life *l)
{
    return cap_instance_drop(l->a.ledger, "ins") == 0 && cap_payer_drop(l->a.ledger, "acc") == 0;
}

static bool bar(struct life *l)
{
    struct cap_bar bar = { "ins", "acc", "opr", "an attack", story_ms(l) };

    return done(cap_bar_put(&l->a, &bar));
}

static bool unbar(struct life *l)
{
    enum ledger_result r = cap_bar_drop(&l->a, "ins");

    return r == LEDGER_OK || r == LEDGER_NOT_FOUND;
}

static bool set_budget(struct life *l)
{
    struct budget budget = { "b1", "acc", 100 * EUR, { 50, 80 }, 2 };

    return done(budget_put(l->a.ledger, &budget));
}

const struct act story[] = {
    { "account", NULL, open_account }, { "details", NULL, say_details }, { "credit", NULL, fund },
    { "voucher", NULL, make_voucher }, { "redeem", NULL, redeem }, { "bank statement", NULL, import_statement },
    { "assign", NULL, assign_receipt }, { "return", NULL, return_receipt }, { "card", NULL, card_pays },
    { "order", NULL, create_order }, { "add to order", NULL, add_to_order },
    { "first sample", born, settle }, { "launch", NULL, launch }, { "start", runs, settle },
    { "launch on order", second_born, launch_on_order }, { "interval", runs, settle }, { "interval", runs, settle },
    { "publish", NULL, publish }, { "invoice", runs, invoice_first }, { "bundle", NULL, bundle },
    { "dispute", NULL, dispute }, { "accept dispute", NULL, accept_dispute }, { "card refund", NULL, card_is_refunded },
    { "propose prices", NULL, propose }, { "approve prices", NULL, approve },
    { "restart", NULL, restart }, { "interval", runs, settle }, { "rotate log key", NULL, rotate_log },
    { "interval", runs, settle }, { "rotate invoice key", NULL, rotate_invoice }, { "publish", NULL, publish },
    { "month end", month_passes, settle }, { "alert", NULL, alert }, { "budget", NULL, set_budget },
    { "suspend", NULL, suspend }, { "resume", NULL, resume }, { "operator suspends", NULL, bar },
    { "operator lets go on", NULL, unbar }, { "credit note", NULL, credit },
    { "end", dies, settle }, { "end on order", second_dies, settle }, { "freed", freed, settle },
    { "close", NULL, close_instances }, { "release holds", NULL, settle }, { "close order", NULL, close_order },
    { "last invoice", runs, invoice_last }, { "publish", NULL, publish }, { "restart", NULL, restart },
};
const unsigned story_acts = sizeof(story) / sizeof(story[0]);
