/* camt.053: which element says what. The two versions differ in where a status,
 * a debtor's name and a transaction's amount stand, and in nothing else that
 * we read. What a single element holds is camt_field.c's. */
#include "accountd/funding/camt.h"
#include "accountd/funding/camt_field.h"

#include <stdlib.h>
#include <string.h>

#define NAMESPACE_PREFIX "urn:iso:std:iso:20022:tech:xsd:camt.053.001."

/* All Ustrd of the transaction, one after the other; what does not fit is cut off between characters. */
static void read_remittance(const xmlNode *transaction, char text[static REFERENCE_TEXT_BYTES])
{
    const xmlNode *line = camt_path(transaction, "RmtInf/Ustrd");
    size_t len = 0;

    text[0] = 0;
    for (; line; line = camt_next(line, "Ustrd")) {
        if (len > 0 && len + 1 < REFERENCE_TEXT_BYTES)
            text[len++] = ' ';
        camt_text(line, text + len, REFERENCE_TEXT_BYTES - len);
        len += strlen(text + len);
    }
    while (len > 0 && len + 4 > REFERENCE_TEXT_BYTES && (text[len - 1] & 0x80))
        text[--len] = 0;
}

/* The first structured creditor reference. */
static int read_reference(const xmlNode *transaction, char *reference, struct json_why *why)
{
    const xmlNode *line = camt_path(transaction, "RmtInf/Strd");

    for (reference[0] = 0; line && !reference[0]; line = camt_next(line, "Strd"))
        if (camt_field_optional(line, "CdtrRefInf/Ref", reference, CAMT_REF_BYTES, why))
            return -1;
    return 0;
}

static int read_details(const xmlNode *transaction, struct camt_payment *p, struct json_why *why)
{
    const xmlNode *parties = camt_child(transaction, "RltdPties");
    char iban[64];

    if (camt_field_optional(parties, camt_path(parties, "Dbtr/Pty") ? "Dbtr/Pty/Nm" : "Dbtr/Nm", p->payer,
                            sizeof(p->payer), why) ||
        camt_field_optional(parties, "DbtrAcct/Id/IBAN", iban, sizeof(iban), why) ||
        camt_field_optional(transaction, "Refs/EndToEndId", p->end_to_end, sizeof(p->end_to_end), why) ||
        read_reference(transaction, p->reference, why))
        return -1;
    /* Shown to the operator, nothing depends on it: a wrong one is left out. */
    if (!iban_parse(iban, p->payer_iban))
        p->payer_iban[0] = 0;
    read_remittance(transaction, p->text);
    return 0;
}

/* NULL with why set. */
static struct camt_payment *add(struct camt_file *file, const struct camt_payment *like, const xmlNode *node,
                                struct json_why *why)
{
    struct camt_payment *grown;

    if (__builtin_add_overflow(file->sum_nano, like->nano, &file->sum_nano)) {
        camt_refuse(why, node, "the amounts of this file are too large");
        return NULL;
    }
    if (file->count == CAMT_PAYMENTS_MAX) {
        camt_refuse(why, node, "a file of more than %d payments is not taken: ask the bank for a shorter period",
                    CAMT_PAYMENTS_MAX);
        return NULL;
    }
    if (file->count == file->room) {
        size_t room = file->room ? file->room * 2 : 16;

        grown = reallocarray(file->payments, room, sizeof(*grown));
        if (!grown) {
            camt_refuse(why, node, "out of memory");
            return NULL;
        }
        file->payments = grown;
        file->room = room;
    }
    file->payments[file->count] = *like;
    return &file->payments[file->count++];
}

static const xmlNode *first_transaction(const xmlNode *details)
{
    for (; details; details = camt_next(details, "NtryDtls"))
        if (camt_child(details, "TxDtls"))
            return camt_child(details, "TxDtls");
    return NULL;
}

static const xmlNode *next_transaction(const xmlNode *transaction)
{
    const xmlNode *next = camt_next(transaction, "TxDtls");

    return next ? next : first_transaction(camt_next(transaction->parent, "NtryDtls"));
}

static const xmlNode *amount_of(const xmlNode *transaction)
{
    const xmlNode *amount = camt_child(transaction, "Amt");

    return amount ? amount : camt_path(transaction, "AmtDtls/TxAmt/Amt");
}

/* A transaction's own amount, if it has one that can be added to its siblings'. 1, 0 none, -1. */
static int read_part(const xmlNode *transaction, const struct camt_payment *entry, int64_t *nano, struct json_why *why)
{
    const xmlNode *amount = amount_of(transaction);
    char currency[4];
    bool credit = entry->credit;

    if (!amount)
        return 0;
    if (camt_field_money(amount, nano, currency, why) ||
        (camt_child(transaction, "CdtDbtInd") && camt_field_credit(transaction, &credit, why)))
        return -1;
    return strcmp(currency, entry->currency) == 0 && credit == entry->credit;
}

/* Whether the entry's transactions can be told apart by their amounts, which must then sum. 1, 0, -1. */
static int parts_sum(const xmlNode *transaction, const struct camt_payment *entry, struct json_why *why)
{
    const xmlNode *first = transaction;
    int64_t sum = 0, nano;

    for (; transaction; transaction = next_transaction(transaction)) {
        int rc = read_part(transaction, entry, &nano, why);

        if (rc != 1)
            return rc;
        if (__builtin_add_overflow(sum, nano, &sum))
            return camt_refuse(why, transaction, "the amounts of this entry are too large");
    }
    return sum == entry->entry_nano ? 1
                                    : camt_refuse(why, first->parent->parent,
                                                  "line %ld: the amounts of its TxDtls do"
                                                  " not sum to Amt",
                                                  xmlGetLineNo(first));
}

static int add_parts(struct camt_file *file, struct camt_payment *entry, const xmlNode *transaction,
                     struct json_why *why)
{
    for (; transaction; transaction = next_transaction(transaction), entry->part++) {
        struct camt_payment *p;

        entry->line = (unsigned)xmlGetLineNo(transaction);
        if (read_part(transaction, entry, &entry->nano, why) < 0)
            return -1;
        p = add(file, entry, transaction, why);
        if (!p || read_details(transaction, p, why))
            return -1;
    }
    return 0;
}

/* An entry without details may say in a line of its own what it is about. */
static int add_entry(struct camt_file *file, const struct camt_payment *entry, const xmlNode *node,
                     const xmlNode *transaction, struct json_why *why)
{
    struct camt_payment *p = add(file, entry, node, why);

    if (!p || (transaction && !entry->unsplit && read_details(transaction, p, why)))
        return -1;
    if (!p->text[0])
        camt_text(camt_child(node, "AddtlNtryInf"), p->text, sizeof(p->text));
    return 0;
}

static int read_entry(struct camt_file *file, struct camt_payment entry, const xmlNode *node, struct json_why *why)
{
    const xmlNode *first = first_transaction(camt_child(node, "NtryDtls")), *amount = camt_child(node, "Amt");
    int parts = 0;

    entry.line = (unsigned)xmlGetLineNo(node);
    if (!amount)
        return camt_refuse(why, node, "Amt is missing");
    if (camt_field_money(amount, &entry.entry_nano, entry.currency, why) ||
        camt_field_credit(node, &entry.credit, why) || camt_field_reversal(node, &entry.reversal, why) ||
        camt_field_status(node, entry.status, why) || camt_field_day(node, "BookgDt", entry.booked_on, why) ||
        camt_field_optional(node, "AcctSvcrRef", entry.servicer_ref, CAMT_REF_BYTES, why) ||
        camt_field_optional(node, "NtryRef", entry.entry_ref, CAMT_REF_BYTES, why))
        return -1;
    entry.nano = entry.entry_nano;
    if (first && next_transaction(first)) {
        parts = parts_sum(first, &entry, why);
        entry.unsplit = parts == 0;
    }
    if (parts < 0)
        return -1;
    return parts ? add_parts(file, &entry, first, why) : add_entry(file, &entry, node, first, why);
}

static int read_statement(struct camt_file *file, const xmlNode *statement, struct json_why *why)
{
    const xmlNode *node = camt_child(statement, "Ntry");
    struct camt_payment entry = { 0 };
    char iban[64];

    if (camt_field_text(statement, "Id", entry.statement, sizeof(entry.statement), why) ||
        camt_field_optional(statement, "Acct/Id/IBAN", iban, sizeof(iban), why))
        return -1;
    if (!camt_path(statement, "Acct/Id"))
        return camt_refuse(why, statement, "Acct/Id is missing");
    if (iban[0] && !iban_parse(iban, entry.account))
        return camt_refuse(why, camt_path(statement, "Acct/Id/IBAN"), "wrong check digits");
    for (; node; node = camt_next(node, "Ntry"))
        if (read_entry(file, entry, node, why))
            return -1;
    return 0;
}

static const xmlNode *message(const xmlDoc *doc, struct json_why *why)
{
    const xmlNode *root = xmlDocGetRootElement(doc), *message;
    const char *space = root->ns ? (const char *)root->ns->href : "";

    if (strcmp((const char *)root->name, "Document") != 0 ||
        strncmp(space, NAMESPACE_PREFIX, strlen(NAMESPACE_PREFIX)) != 0 ||
        (strcmp(space + strlen(NAMESPACE_PREFIX), "02") != 0 && strcmp(space + strlen(NAMESPACE_PREFIX), "08") != 0)) {
        camt_refuse(why, root, "must be a Document of camt.053.001.02 or camt.053.001.08, not of \"%.80s\"", space);
        return NULL;
    }
    message = camt_child(root, "BkToCstmrStmt");
    if (!camt_child(message, "Stmt"))
        camt_refuse(why, root, "BkToCstmrStmt/Stmt is missing");
    return camt_child(message, "Stmt") ? message : NULL;
}

int camt_parse(const char *text, size_t len, struct camt_file *file, struct json_why *why)
{
    const xmlNode *statement;
    xmlDoc *doc;
    int rc = -1;

    *file = (struct camt_file){ 0 };
    if (len == 0 || len > CAMT_BYTES_MAX) {
        snprintf(why->text, sizeof(why->text), "a statement file has 1 to %d bytes, this one has %zu", CAMT_BYTES_MAX,
                 len);
        return -1;
    }
    doc = camt_xml_read(text, len, CAMT_DEPTH_MAX, why);
    if (!doc)
        return -1;
    statement = camt_child(message(doc, why), "Stmt");
    if (statement)
        rc = 0;
    for (; statement && rc == 0; statement = camt_next(statement, "Stmt"))
        rc = read_statement(file, statement, why);
    xmlFreeDoc(doc);
    if (rc)
        camt_free(file);
    return rc;
}

void camt_free(struct camt_file *file)
{
    free(file->payments);
    *file = (struct camt_file){ 0 };
}
