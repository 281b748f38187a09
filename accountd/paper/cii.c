/* invoice.xml. BT and BG numbers are EN 16931-1's; the order of elements is the schema's. */
#include "accountd/paper/paper.h"
#include "accountd/paper/read.h"
#include "accountd/paper/words.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUIDELINE "urn:cen.eu:en16931:2017"
#define UN        "urn:un:unece:uncefact:data:standard:"

struct writer {
    xmlTextWriter *xml;
    bool failed;                        /* out of memory, the only way */
};

static void start(struct writer *w, const char *name)
{
    w->failed |= xmlTextWriterStartElement(w->xml, BAD_CAST name) < 0;
}

static void end(struct writer *w)
{
    w->failed |= xmlTextWriterEndElement(w->xml) < 0;
}

static void attribute(struct writer *w, const char *name, const char *value)
{
    w->failed |= xmlTextWriterWriteAttribute(w->xml, BAD_CAST name, BAD_CAST value) < 0;
}

static void put(struct writer *w, const char *name, const char *value)
{
    w->failed |= xmlTextWriterWriteElement(w->xml, BAD_CAST name, BAD_CAST value) < 0;
}

/* What is not known has no element: EN 16931 forbids empty ones (BR-CL, R008). */
static void put_known(struct writer *w, const char *name, const char *value)
{
    if (*value)
        put(w, name, value);
}

static void put_with(struct writer *w, const char *name, const char *key, const char *of, const char *value)
{
    start(w, name);
    attribute(w, key, of);
    w->failed |= xmlTextWriterWriteString(w->xml, BAD_CAST value) < 0;
    end(w);
}

static void put_cents(struct writer *w, const char *name, int64_t nano)
{
    char text[WORDS_BYTES];

    put(w, name, words_cents(nano, text));
}

/* Format 102 is CCYYMMDD (UNTDID 2379), the one that EN 16931 permits. */
static void put_date(struct writer *w, const char *name, const char *string, int64_t at_ms)
{
    char text[WORDS_BYTES];

    start(w, name);
    put_with(w, string, "format", "102", words_time(at_ms, "%Y%m%d", text));
    end(w);
}

/* Both days belong to a period; what ends at midnight ends on the day before. */
static void put_period(struct writer *w, int64_t start_ms, int64_t end_ms)
{
    start(w, "ram:BillingSpecifiedPeriod");
    put_date(w, "ram:StartDateTime", "udt:DateTimeString", start_ms);
    put_date(w, "ram:EndDateTime", "udt:DateTimeString", end_ms > start_ms ? end_ms - 1 : end_ms);
    end(w);
}

static void put_id(struct writer *w, const char *parent, const char *id)
{
    start(w, parent);
    put(w, "ram:ID", id);
    end(w);
}

static void put_document(struct writer *w, const struct paper *p)
{
    static const char *const types[] = { [PAPER_INVOICE] = "380", [PAPER_CREDIT_NOTE] = "381", [PAPER_DRAFT] = "325" };

    start(w, "rsm:ExchangedDocumentContext");
    put_id(w, "ram:GuidelineSpecifiedDocumentContextParameter", GUIDELINE);
    end(w);
    start(w, "rsm:ExchangedDocument");
    put(w, "ram:ID", p->number);
    put(w, "ram:TypeCode", types[p->kind]);
    put_date(w, "ram:IssueDateTime", "udt:DateTimeString", p->issued_ms);
    if (*p->reason) {
        start(w, "ram:IncludedNote");
        put(w, "ram:Content", p->reason);
        end(w);
    }
    end(w);
}

/* Not subject to VAT: neither a rate (BR-O-05) nor VAT ids (BR-O-02) are allowed. */
static bool outside_vat(const struct paper *p)
{
    return strcmp(p->tax.category, "O") == 0;
}

static void put_rate(struct writer *w, const struct paper *p)
{
    char text[WORDS_BYTES];

    if (!outside_vat(p))
        put(w, "ram:RateApplicablePercent",
            words_ratio((unsigned __int128)p->tax.rate_permyriad, 100, 2, false, text));
}

static void put_line_period(struct writer *w, const struct paper *p, const struct paper_line *line)
{
    int64_t start_ms, end_ms;

    words_month(line->period, &start_ms, &end_ms);
    if (p->period_start_ms > start_ms && p->period_start_ms < end_ms)
        start_ms = p->period_start_ms;
    if (p->period_end_ms > start_ms && p->period_end_ms < end_ms)
        end_ms = p->period_end_ms;
    put_period(w, start_ms, end_ms);
}

/* Quantities and net price. What is too little for six decimals is billed as one of it. */
static void put_price(struct writer *w, const struct paper_line *line)
{
    const char *code = words_unit_code(line->unit);
    char text[WORDS_BYTES];

    words_ratio(line->quantity, line->per_unit, 6, false, text);
    if (strcmp(text, "0.000000") == 0) {
        strcpy(text, "1");
        code = "C62";
    }
    start(w, "ram:SpecifiedLineTradeAgreement");
    start(w, "ram:NetPriceProductTradePrice");
    put_cents(w, "ram:ChargeAmount", line->amount_nano);
    put_with(w, "ram:BasisQuantity", "unitCode", code, text);
    end(w);
    end(w);
    start(w, "ram:SpecifiedLineTradeDelivery");
    put_with(w, "ram:BilledQuantity", "unitCode", code, text);
    end(w);
}

static void put_product(struct writer *w, const struct paper_line *line)
{
    char *description;

    start(w, "ram:SpecifiedTradeProduct");
    put(w, "ram:SellerAssignedID", line->meter);
    put(w, "ram:Name", words_meter(line->meter).title);
    if (asprintf(&description, "in %s, %s, price book %jd: %s", line->unit, line->period, (intmax_t)line->price_book,
                 line->price) < 0) {
        w->failed = true;
    } else {
        put(w, "ram:Description", description);
        free(description);
    }
    end(w);
}

/* Lines are numbered here: those of a credit note have the numbers of the lines that they correct, which may come
 * twice. */
static void put_line(struct writer *w, const struct paper *p, const struct paper_line *line)
{
    char number[WORDS_BYTES];

    snprintf(number, sizeof(number), "%td", line - p->lines + 1);
    start(w, "ram:IncludedSupplyChainTradeLineItem");
    start(w, "ram:AssociatedDocumentLineDocument");
    put(w, "ram:LineID", number);
    end(w);
    put_product(w, line);
    put_price(w, line);
    start(w, "ram:SpecifiedLineTradeSettlement");
    start(w, "ram:ApplicableTradeTax");
    put(w, "ram:TypeCode", "VAT");
    put(w, "ram:CategoryCode", p->tax.category);
    put_rate(w, p);
    end(w);
    put_line_period(w, p, line);
    start(w, "ram:SpecifiedTradeSettlementLineMonetarySummation");
    put_cents(w, "ram:LineTotalAmount", line->amount_nano);
    end(w);
    end(w);
    end(w);
}

static void put_party(struct writer *w, const char *role, const char *id, const struct paper_party *party, bool vat)
{
    start(w, role);
    put(w, "ram:ID", id);               /* BT-29, BT-46: BR-CO-26 asks for one where there is no VAT id */
    put(w, "ram:Name", party->name);
    start(w, "ram:PostalTradeAddress");
    put_known(w, "ram:PostcodeCode", party->postcode);
    put_known(w, "ram:LineOne", party->street);
    put_known(w, "ram:CityName", party->city);
    put(w, "ram:CountryID", party->country);
    end(w);
    if (*party->email) {
        start(w, "ram:URIUniversalCommunication");
        put_with(w, "ram:URIID", "schemeID", "EM", party->email);
        end(w);
    }
    if (vat && *party->vat_id) {
        start(w, "ram:SpecifiedTaxRegistration");
        put_with(w, "ram:ID", "schemeID", "VA", party->vat_id);
        end(w);
    }
    end(w);
}

static void put_parties(struct writer *w, const struct paper *p)
{
    start(w, "ram:ApplicableHeaderTradeAgreement");
    put(w, "ram:BuyerReference", p->account);
    put_party(w, "ram:SellerTradeParty", p->host, &p->seller, !outside_vat(p));
    put_party(w, "ram:BuyerTradeParty", p->account, &p->buyer, !outside_vat(p));
    end(w);
    put(w, "ram:ApplicableHeaderTradeDelivery", "");
}

static void put_tax(struct writer *w, const struct paper *p)
{
    bool reversed = strcmp(p->tax.category, "AE") == 0, exempt = reversed || outside_vat(p);

    start(w, "ram:ApplicableTradeTax");
    put_cents(w, "ram:CalculatedAmount", p->tax.amount_nano);
    put(w, "ram:TypeCode", "VAT");
    if (exempt)
        put(w, "ram:ExemptionReason", *p->tax.reason ? p->tax.reason : reversed ? "Reverse charge" :
            "Not subject to VAT");
    put_cents(w, "ram:BasisAmount", p->tax.taxable_nano);
    put(w, "ram:CategoryCode", p->tax.category);
    if (exempt)
        put(w, "ram:ExemptionReasonCode", reversed ? "VATEX-EU-AE" : "VATEX-EU-O");
    put_rate(w, p);
    end(w);
}

/* 58: SEPA credit transfer (UNTDID 4461), how the wallet is filled. */
static void put_means(struct writer *w, const struct paper *p)
{
    if (!*p->iban)
        return;
    start(w, "ram:SpecifiedTradeSettlementPaymentMeans");
    put(w, "ram:TypeCode", "58");
    start(w, "ram:PayeePartyCreditorFinancialAccount");
    put(w, "ram:IBANID", p->iban);
    put(w, "ram:AccountName", p->seller.name);
    end(w);
    if (*p->bic) {
        start(w, "ram:PayeeSpecifiedCreditorFinancialInstitution");
        put(w, "ram:BICID", p->bic);
        end(w);
    }
    end(w);
}

static void put_sums(struct writer *w, const struct paper *p)
{
    char text[WORDS_BYTES];

    start(w, "ram:SpecifiedTradeSettlementHeaderMonetarySummation");
    put_cents(w, "ram:LineTotalAmount", p->net_nano);
    put_cents(w, "ram:ChargeTotalAmount", 0);
    put_cents(w, "ram:AllowanceTotalAmount", 0);
    put_cents(w, "ram:TaxBasisTotalAmount", p->net_nano);
    put_with(w, "ram:TaxTotalAmount", "currencyID", p->currency, words_cents(p->tax.amount_nano, text));
    put_cents(w, "ram:GrandTotalAmount", p->total_nano);
    put_cents(w, "ram:TotalPrepaidAmount", p->paid_nano);
    put_cents(w, "ram:DuePayableAmount", p->payable_nano);
    end(w);
}

static void put_settlement(struct writer *w, const struct paper *p)
{
    start(w, "ram:ApplicableHeaderTradeSettlement");
    put_known(w, "ram:PaymentReference", p->payment_reference);
    put(w, "ram:InvoiceCurrencyCode", p->currency);
    put_means(w, p);
    put_tax(w, p);
    put_period(w, p->period_start_ms, p->period_end_ms);
    start(w, "ram:SpecifiedTradePaymentTerms");
    put(w, "ram:Description", p->kind == PAPER_CREDIT_NOTE ? "Returned to the prepaid wallet" :
        "Paid from the prepaid wallet");
    end(w);
    put_sums(w, p);
    if (p->kind == PAPER_CREDIT_NOTE) {
        start(w, "ram:InvoiceReferencedDocument");
        put(w, "ram:IssuerAssignedID", p->refers_number);
        put_date(w, "ram:FormattedIssueDateTime", "qdt:DateTimeString", p->refers_issued_ms);
        end(w);
    }
    end(w);
}

static void put_invoice(struct writer *w, const struct paper *p)
{
    start(w, "rsm:CrossIndustryInvoice");
    attribute(w, "xmlns:rsm", UN "CrossIndustryInvoice:100");
    attribute(w, "xmlns:ram", UN "ReusableAggregateBusinessInformationEntity:100");
    attribute(w, "xmlns:qdt", UN "QualifiedDataType:100");
    attribute(w, "xmlns:udt", UN "UnqualifiedDataType:100");
    put_document(w, p);
    start(w, "rsm:SupplyChainTradeTransaction");
    for (size_t i = 0; i < p->lines_count; i++)
        put_line(w, p, &p->lines[i]);
    put_parties(w, p);
    put_settlement(w, p);
    end(w);
    end(w);
}

static char *write_invoice(const struct paper *p)
{
    xmlBuffer *buffer = xmlBufferCreate();
    struct writer w = { buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL, false };
    char *text = NULL;

    if (w.xml) {
        w.failed = xmlTextWriterSetIndent(w.xml, 1) < 0 || xmlTextWriterStartDocument(w.xml, NULL, "UTF-8", NULL) < 0;
        put_invoice(&w, p);
        w.failed |= xmlTextWriterEndDocument(w.xml) < 0;
        xmlFreeTextWriter(w.xml);       /* flushes */
        text = w.failed ? NULL : strdup((const char *)xmlBufferContent(buffer));
    }
    if (buffer)
        xmlBufferFree(buffer);
    return text;
}

char *paper_cii(const json_t *invoice, struct json_why *why)
{
    struct paper paper;
    char *text = NULL;

    if (paper_read(invoice, &paper, why) == 0) {
        text = write_invoice(&paper);
        if (!text)
            snprintf(why->text, sizeof(why->text), "invoice.xml: out of memory");
    }
    paper_free(&paper);
    return text;
}
