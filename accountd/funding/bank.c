/* What each payment of a statement is, and where its money goes. */
#include "accountd/funding/bank.h"
#include "accountd/cap/alerts.h"
#include "accountd/funding/receipt.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 16
#define WHY_BYTES 200

/* An import while it goes on. */
struct import {
    struct ledger *ledger;
    const struct bank_order *order;
    const struct camt_file *file;
    uint8_t (*keys)[KEY_BYTES];         /* of the payments so far, to count equal ones */
    int64_t credited, suspense, ignored, duplicates, credited_nano, suspense_nano;
    json_t *listed;
};

/* What was decided about a payment. */
struct verdict {
    char id[LEDGER_ID_BYTES], twin[LEDGER_ID_BYTES];
    const char *state;                  /* credited, suspense, ignored, duplicate */
    char account[RECORD_NAME_BYTES];    /* "" unless credited */
    char why[WHY_BYTES];
};

/* Of all texts up to NULL, each with its end: no two lists run into the same bytes. */
static void hash_texts(uint8_t key[static KEY_BYTES], ...)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    const char *text;
    va_list list;

    crypto_hash_sha256_init(&state);
    va_start(list, key);
    while ((text = va_arg(list, const char *)))
        crypto_hash_sha256_update(&state, (const uint8_t *)text, strlen(text) + 1);
    va_end(list);
    crypto_hash_sha256_final(&state, hash);
    memcpy(key, hash, KEY_BYTES);
}

/* Day, amounts, direction: what an entry has whether or not the bank names it. */
static void say_booking(const struct camt_payment *p, char text[static 128])
{
    snprintf(text, 128, "%s %s %" PRIi64 " %" PRIi64 " %u %s", p->booked_on, p->currency, p->entry_nano, p->nano,
             p->part, p->credit ? "CRDT" : "DBIT");
}

static void twin_of(const struct camt_payment *p, uint8_t key[static KEY_BYTES])
{
    char booking[128];

    say_booking(p, booking);
    hash_texts(key, p->account, booking, p->payer, p->payer_iban, p->text, p->reference, p->end_to_end, NULL);
}

/* `class` keeps what is ignored today from hiding the same payment when it is booked tomorrow. */
static void key_of(const struct camt_payment *p, const char *class, uint8_t key[static KEY_BYTES])
{
    const char *reference = p->servicer_ref[0] ? p->servicer_ref : p->entry_ref;
    char booking[128], twin_text[2 * KEY_BYTES + 1];
    uint8_t twin[KEY_BYTES];

    say_booking(p, booking);
    twin_of(p, twin);
    sodium_bin2hex(twin_text, sizeof(twin_text), twin, sizeof(twin));
    hash_texts(key, "xs bank entry", class, p->account, reference, booking, reference[0] ? "" : twin_text, NULL);
}

/* The key, and which of the equal ones in its statement this is. */
static void name(struct import *im, size_t i, const char *class, struct verdict *v)
{
    const struct camt_payment *p = &im->file->payments[i];
    uint8_t twin[KEY_BYTES], id[KEY_BYTES];
    char text[2 * KEY_BYTES + 1], nth[24];
    unsigned count = 0;

    key_of(p, class, im->keys[i]);
    for (size_t j = 0; j < i; j++)
        count += memcmp(im->keys[j], im->keys[i], KEY_BYTES) == 0 &&
                 strcmp(im->file->payments[j].statement, p->statement) == 0;
    snprintf(nth, sizeof(nth), "%u", count);
    sodium_bin2hex(text, sizeof(text), im->keys[i], KEY_BYTES);
    hash_texts(id, text, nth, NULL);
    sodium_bin2hex(v->id, sizeof(v->id), id, sizeof(id));
    twin_of(p, twin);
    sodium_bin2hex(v->twin, sizeof(v->twin), twin, sizeof(twin));
}

/* Why this is no payment to us; false if it is one. */
static bool is_ignored(const struct bank_order *o, const struct camt_payment *p, char why[static WHY_BYTES])
{
    why[0] = 0;
    if (strcmp(p->status, "BOOK") != 0)
        snprintf(why, WHY_BYTES, "status %.40s: not booked yet", p->status);
    else if (strcmp(p->account, o->iban) != 0)
        snprintf(why, WHY_BYTES, "a statement of another account than the host's");
    else if (p->reversal)
        snprintf(why, WHY_BYTES, "the bank reverses an earlier %s", p->credit ? "debit" : "credit");
    else if (!p->credit)
        snprintf(why, WHY_BYTES, "a debit");
    else if (strcmp(p->currency, o->currency) != 0)
        snprintf(why, WHY_BYTES, "in %s: this host bills in %s", p->currency, o->currency);
    else if (p->nano == 0)
        snprintf(why, WHY_BYTES, "of no amount");
    return why[0] != 0;
}

/* Takes the account of one thing found in a text. 0, or -1. */
static int take_hit(struct ledger *ledger, enum reference_kind kind, const char *found, struct verdict *v, bool *two)
{
    char account[RECORD_NAME_BYTES] = "";

    if (kind == REFERENCE_CREDITOR) {
        if (store_reference_account(ledger, found, account) < 0)
            return -1;
    } else if (ledger_account_exists(ledger, found)) {
        snprintf(account, sizeof(account), "%s", found);
    }
    if (!account[0])
        return 0;
    *two |= v->account[0] && strcmp(v->account, account) != 0;
    memcpy(v->account, account, sizeof(account));
    return 0;
}

static int match_text(struct ledger *ledger, const char *text, struct verdict *v)
{
    struct reference_scan scan;
    enum reference_kind kind;
    char found[ID_BYTES];
    bool two = false;

    reference_scan_start(&scan, text);
    while ((kind = reference_scan_next(&scan, found)) != REFERENCE_NONE)
        if (take_hit(ledger, kind, found, v, &two))
            return -1;
    if (two) {
        v->account[0] = 0;
        snprintf(v->why, sizeof(v->why), "names more than one account");
    } else if (!v->account[0]) {
        snprintf(v->why, sizeof(v->why), "names no account of this host");
    }
    return 0;
}

/* Whose payment it is: v->account, or v->why. */
static int match(struct ledger *ledger, const struct camt_payment *p, struct verdict *v)
{
    char reference[REFERENCE_BYTES];
    int rc;

    if (p->unsplit) {
        snprintf(v->why, sizeof(v->why), "several transactions without amounts of their own: cannot be divided");
        return 0;
    }
    if (reference_parse(p->reference, reference)) {
        rc = store_reference_account(ledger, reference, v->account);
        if (rc)
            return rc < 0 ? -1 : 0;
    }
    return match_text(ledger, p->text, v);
}

static int judge(struct import *im, size_t i, struct verdict *v)
{
    const struct camt_payment *p = &im->file->payments[i];
    char other[LEDGER_ID_BYTES];
    struct receipt receipt;
    int rc;

    *v = (struct verdict){ 0 };
    v->state = is_ignored(im->order, p, v->why) ? "ignored" : "suspense";
    name(im, i, v->why, v);
    rc = store_receipt(im->ledger, v->id, &receipt);
    if (rc)
        v->state = "duplicate";
    if (rc || v->why[0])
        return rc < 0 ? -1 : 0;
    rc = store_receipt_twin(im->ledger, v->twin, p->statement, p->servicer_ref, other);
    if (rc == 1)
        snprintf(v->why, sizeof(v->why), "may be entry %s again: the bank gave it no reference that tells", other);
    if (rc)
        return rc < 0 ? -1 : 0;
    rc = match(im->ledger, p, v);
    if (v->account[0])
        v->state = "credited";
    return rc;
}

static enum ledger_result keep(struct import *im, const struct camt_payment *p, const struct verdict *v)
{
    const char *account = v->account[0] ? v->account : NULL;
    struct receipt_move move = { v->id, "bank", account, p->nano, im->order->at_ms };
    char transfer[LEDGER_ID_BYTES];
    struct receipt_row row = { .id = v->id, .source = "bank", .origin = im->order->import_id, .statement = p->statement,
                               .servicer_ref = p->servicer_ref, .twin = v->twin, .booked_on = p->booked_on,
                               .nano = p->nano, .currency = p->currency, .payer = p->payer, .payer_iban = p->payer_iban,
                               .text = p->reference[0] ? p->reference : p->text, .state = v->state, .why = v->why,
                               .account = account, .at_ms = im->order->at_ms };

    if (strcmp(v->state, "ignored") != 0) {
        if (receipt_book_locked(im->ledger, &move, transfer) != LEDGER_OK)
            return LEDGER_FAILED;
        row.transfer_id = transfer;
    }
    return store_receipt_put(im->ledger, &row);
}

/* The host's money went, and whose it was is not the statement's to say. */
static int warn_of_reversal(struct import *im, const struct camt_payment *p, const struct verdict *v)
{
    char key[64], subject[160], detail[400];

    if (!p->reversal || p->credit || strcmp(p->status, "BOOK") != 0 || strcmp(p->account, im->order->iban) != 0)
        return 0;
    snprintf(key, sizeof(key), "bank-reversal %s", v->id);
    snprintf(subject, sizeof(subject), "the bank took back %" PRIi64 ".%02d %s", p->nano / 1000000000,
             (int)(p->nano % 1000000000 / 10000000), p->currency);
    snprintf(detail, sizeof(detail),
             "Entry %s of statement %.35s, booked %s. A customer's wallet may still have this money:"
             " find the payment by the bank's reference %.35s and settle it with the customer.",
             v->id, p->statement, p->booked_on, p->servicer_ref);
    return alert_raise(im->ledger, key, "bank_reversal", NULL, subject, detail, im->order->at_ms);
}

static void report(struct import *im, const struct camt_payment *p, const struct verdict *v)
{
    json_t *line;

    if (strcmp(v->state, "credited") == 0) {
        im->credited++;
        im->credited_nano += p->nano;
    } else if (strcmp(v->state, "suspense") == 0) {
        im->suspense++;
        im->suspense_nano += p->nano;
    } else if (strcmp(v->state, "ignored") == 0) {
        im->ignored++;
    } else {
        im->duplicates++;
    }
    if (json_array_size(im->listed) >= BANK_LISTED_MAX)
        return;
    line = json_pack("{s:I, s:s, s:s, s:o, s:s}", "line", (json_int_t)p->line, "entry_id", v->id, "state", v->state,
                     "amount_nano", json_decimal(p->nano), "currency", p->currency);
    if (v->account[0])
        json_object_set_new(line, "account_id", json_string(v->account));
    if (v->why[0])
        json_object_set_new(line, "why", json_string(v->why));
    json_array_append_new(im->listed, line);
}

static enum ledger_result book_all(struct import *im)
{
    struct verdict v;

    for (size_t i = 0; i < im->file->count; i++) {
        const struct camt_payment *p = &im->file->payments[i];

        if (judge(im, i, &v))
            return LEDGER_FAILED;
        if (strcmp(v.state, "duplicate") != 0 && (keep(im, p, &v) != LEDGER_OK || warn_of_reversal(im, p, &v)))
            return LEDGER_FAILED;
        report(im, p, &v);
    }
    return LEDGER_OK;
}

static json_t *report_json(const struct import *im)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:O}", "import_id", im->order->import_id, "entries",
                     (json_int_t)im->file->count, "credited", (json_int_t)im->credited, "suspense",
                     (json_int_t)im->suspense, "ignored", (json_int_t)im->ignored, "duplicates",
                     (json_int_t)im->duplicates, "credited_nano", json_decimal(im->credited_nano), "suspense_nano",
                     json_decimal(im->suspense_nano), "listed", im->listed);
}

static enum ledger_result import_new(struct import *im, json_t **report)
{
    enum ledger_result result = store_references_fill(im->ledger) ? LEDGER_FAILED : book_all(im);
    char *text;

    if (result != LEDGER_OK)
        return result;
    *report = report_json(im);
    text = json_canonical(*report);
    result = text ? store_import_put(im->ledger, im->order->import_id, im->order->sha256, im->order->operator_id, text,
                                     im->order->at_ms) : LEDGER_FAILED;
    free(text);
    return result;
}

/* NOT_FOUND, or what was answered to this import before. */
static enum ledger_result import_again(struct ledger *ledger, const struct bank_order *order, json_t **report)
{
    char sha256[65], *text;
    int rc = store_import(ledger, order->import_id, sha256, &text);

    if (rc != 1)
        return rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
    *report = strcmp(sha256, order->sha256) == 0 ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return *report ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
}

enum ledger_result bank_import(struct ledger *ledger, const struct bank_order *order, const struct camt_file *file,
                               json_t **report)
{
    struct import im = { .ledger = ledger, .order = order, .file = file, .listed = json_array() };
    enum ledger_result result;

    *report = NULL;
    im.keys = calloc(file->count + 1, sizeof(*im.keys));
    if (!im.keys || ledger_begin(ledger)) {
        result = LEDGER_FAILED;
    } else {
        result = import_again(ledger, order, report);
        if (result == LEDGER_NOT_FOUND)
            result = import_new(&im, report);
        result = ledger_finish(ledger, result);
    }
    if (result != LEDGER_OK && result != LEDGER_EXISTS) {
        json_decref(*report);
        *report = NULL;
    }
    json_decref(im.listed);
    free(im.keys);
    return result;
}
