/* Reads invoice.json, and checks what no single field can say: that it adds up. */
#include "accountd/paper/read.h"
#include "accountd/paper/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES  400
#define PRICE_MAX_BYTES 1300            /* eight tiers, in words (RATE_TEXT_BYTES) */
#define LAST_MS         253402300799999 /* the end of the year 9999 */
#define PER_UNIT_MAX    1000000000000000000u

static const char *text(struct reader *r, const char *key)
{
    return reader_text(r, key, NAME_MAX_BYTES);
}

/* It must be there, and may be "". */
static const char *text_or_none(struct reader *r, const char *key)
{
    const json_t *value = json_object_get(r->at, key);

    return value && json_is_string(value) && json_string_length(value) == 0 ? "" : text(r, key);
}

static int64_t cents(struct reader *r, const char *key)
{
    int64_t out = reader_nano(r, key);

    if (out % PAPER_CENT_NANO)
        reader_refuse(r, key, "must be whole cents, a multiple of %d nano", PAPER_CENT_NANO);
    return out;
}

static bool is_country(const char *code)
{
    return strlen(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z';
}

static bool is_period(const char *period)
{
    static const char pattern[] = "dddd-dd";
    int year, month;

    for (size_t i = 0; i < sizeof(pattern); i++)
        if (pattern[i] == 'd' ? period[i] < '0' || period[i] > '9' : period[i] != pattern[i])
            return false;
    return sscanf(period, "%4d-%2d", &year, &month) == 2 && year > 1969 && month >= 1 && month <= 12;
}

static void read_party(struct reader *r, const char *key, struct paper_party *party, bool named)
{
    struct reader in = reader_inside(r, json_object_get(r->at, key), "%s.", key);

    party->name = named ? text(&in, "name") : text_or_none(&in, "name");
    party->street = text_or_none(&in, "street");
    party->postcode = text_or_none(&in, "postcode");
    party->city = text_or_none(&in, "city");
    party->country = text_or_none(&in, "country");
    party->vat_id = text_or_none(&in, "vat_id");
    party->email = text_or_none(&in, "email");
    if ((named || *party->country) && !is_country(party->country))
        reader_refuse(&in, "country", "must be two capital letters (ISO 3166-1), such as DE");
    r->failed = in.failed;
}

static void read_seller(struct reader *r, struct paper *p)
{
    struct reader in;

    read_party(r, "seller", &p->seller, true);
    in = reader_inside(r, json_object_get(r->at, "seller"), "seller.");
    p->iban = text_or_none(&in, "iban");
    p->bic = text_or_none(&in, "bic");
    if (strlen(p->iban) > 34 || strspn(p->iban, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != strlen(p->iban))
        reader_refuse(&in, "iban", "must be at most 34 capital letters and digits, without blanks");
    if (*p->bic && strlen(p->bic) != 8 && strlen(p->bic) != 11)
        reader_refuse(&in, "bic", "must have 8 or 11 characters");
    r->failed = in.failed;
}

static void read_line(struct reader *r, struct paper_line *line)
{
    line->period = text(r, "period");
    line->price_book = reader_integer(r, "price_book", 1, INT32_MAX);
    line->meter = text(r, "meter");
    line->unit = text(r, "unit");
    line->quantity = reader_quantity(r, "quantity");
    line->per_unit = reader_quantity(r, "quantity_per_unit");
    line->price = reader_text(r, "price", PRICE_MAX_BYTES);
    line->amount_nano = cents(r, "amount_nano");
    line->detailed_nano = 0;
    if (!r->failed && !is_period(line->period))
        reader_refuse(r, "period", "must be a month such as 2026-11");
    if (!r->failed && (line->per_unit == 0 || line->per_unit > PER_UNIT_MAX))
        reader_refuse(r, "quantity_per_unit", "must be from 1 to 10^18");
}

static void read_lines(struct reader *r, struct paper *p)
{
    const json_t *lines = reader_array(r, "lines", 1, 100000);

    if (r->failed)
        return;
    p->lines = calloc(json_array_size(lines), sizeof(*p->lines));
    if (!p->lines)
        reader_refuse(r, "lines", "out of memory");
    for (size_t i = 0; i < json_array_size(lines) && !r->failed; i++) {
        struct reader in = reader_inside(r, json_array_get(lines, i), "lines[%zu].", i);

        read_line(&in, &p->lines[i]);
        p->lines_count = i + 1;
        r->failed = in.failed;
    }
}

static struct paper_line *find_line(const struct paper *p, const char *period, int64_t price_book, const char *meter)
{
    for (size_t i = 0; i < p->lines_count; i++)
        if (p->lines[i].price_book == price_book && strcmp(p->lines[i].meter, meter) == 0 &&
            strcmp(p->lines[i].period, period) == 0)
            return &p->lines[i];
    return NULL;
}

static void read_detail(struct reader *r, const struct paper *p, struct paper_detail *detail)
{
    const char *period = text(r, "period"), *meter = text(r, "meter");
    int64_t price_book = reader_integer(r, "price_book", 1, INT32_MAX);
    struct paper_line *line = r->failed ? NULL : find_line(p, period, price_book, meter);

    detail->instance = text(r, "instance_id");
    detail->quantity = reader_quantity(r, "quantity");
    detail->charged_nano = reader_nano(r, "charged_nano");
    detail->line = line;
    if (!line)
        reader_refuse(r, "meter", "no line has this period, price book and meter");
    else if (__builtin_add_overflow(line->detailed_nano, detail->charged_nano, &line->detailed_nano))
        reader_refuse(r, "charged_nano", "the sum does not fit");
}

static void read_details(struct reader *r, struct paper *p)
{
    const json_t *details = reader_array(r, "details", 0, 10000000);
    size_t count = r->failed ? 0 : json_array_size(details);

    p->details = count ? calloc(count, sizeof(*p->details)) : NULL;
    if (count && !p->details)
        reader_refuse(r, "details", "out of memory");
    for (size_t i = 0; i < count && !r->failed; i++) {
        struct reader in = reader_inside(r, json_array_get(details, i), "details[%zu].", i);

        read_detail(&in, p, &p->details[i]);
        p->details_count = i + 1;
        r->failed = in.failed;
    }
}

static bool is_category(const char *category)
{
    return strcmp(category, "S") == 0 || strcmp(category, "AE") == 0 || strcmp(category, "O") == 0 ||
           strcmp(category, "Z") == 0;
}

static void check_tax_amount(struct reader *r, const struct paper_tax *tax)
{
    __int128 exact = (__int128)tax->taxable_nano * tax->rate_permyriad;
    __int128 off = (__int128)tax->amount_nano * 10000 - exact;

    if ((*tax->category == 'S') != (tax->rate_permyriad > 0))
        reader_refuse(r, "rate_permyriad", "category %s and rate %" PRId64 " do not go together", tax->category,
               tax->rate_permyriad);
    if (off > (__int128)PAPER_CENT_NANO * 10000 || -off > (__int128)PAPER_CENT_NANO * 10000 ||
        (tax->rate_permyriad == 0 && tax->amount_nano))
        reader_refuse(r, "amount_nano", "is not the rate of taxable_nano, to a cent");
}

static void read_tax(struct reader *r, struct paper *p)
{
    const json_t *taxes = reader_array(r, "tax", 1, 1);
    struct reader in = reader_inside(r, json_array_get(taxes, 0), "tax[0].");
    struct paper_tax *tax = &p->tax;

    tax->category = text(&in, "category");
    tax->country = text(&in, "country");
    tax->rate_permyriad = reader_integer(&in, "rate_permyriad", 0, 10000);
    tax->reason = text_or_none(&in, "reason");
    tax->taxable_nano = cents(&in, "taxable_nano");
    tax->amount_nano = cents(&in, "amount_nano");
    if (!in.failed && !is_category(tax->category))
        reader_refuse(&in, "category", "must be S, AE, O or Z");
    if (!in.failed && !is_country(tax->country))
        reader_refuse(&in, "country", "must be two capital letters (ISO 3166-1), such as DE");
    if (!in.failed)
        check_tax_amount(&in, tax);
    r->failed = in.failed;
}

static void check_vat_ids(struct reader *r, const struct paper *p)
{
    const char *category = p->tax.category;

    if ((*category == 'S' || *category == 'A') && !*p->seller.vat_id)
        reader_refuse(r, "seller.vat_id", "is needed to charge VAT or to reverse its charge");
    if (*category == 'A' && !*p->buyer.vat_id)
        reader_refuse(r, "buyer.vat_id", "is needed to reverse the charge of VAT");
}

static void check_sums(struct reader *r, const struct paper *p)
{
    int64_t net = 0, total, paid;
    bool fits = true;

    for (size_t i = 0; i < p->lines_count; i++)
        fits = fits && !__builtin_add_overflow(net, p->lines[i].amount_nano, &net);
    if (!fits || net != p->net_nano)
        reader_refuse(r, "net_nano", "is not the sum of the lines");
    if (p->tax.taxable_nano != p->net_nano)
        reader_refuse(r, "tax[0].taxable_nano", "is not net_nano");
    if (__builtin_add_overflow(p->net_nano, p->tax.amount_nano, &total) || total != p->total_nano)
        reader_refuse(r, "total_nano", "is not net_nano and the tax");
    if (__builtin_add_overflow(p->paid_nano, p->payable_nano, &paid) || paid != p->total_nano)
        reader_refuse(r, "paid_nano", "and payable_nano are not total_nano");
}

/* What a credit note gives back is in the wallet when it is written: it need not say so. */
static void read_payment(struct reader *r, struct paper *p)
{
    int64_t carried_nano = json_has(r->at, "carried_by_host_nano") ? reader_nano(r, "carried_by_host_nano") : 0;

    if (p->kind == PAPER_CREDIT_NOTE && !json_has(r->at, "paid_nano")) {
        p->paid_nano = p->total_nano;
        return;
    }
    p->paid_nano = cents(r, "paid_nano");
    p->payable_nano = cents(r, "payable_nano");
    /* It was paid nano by nano; lines that are rounded down can come to less. */
    p->carried_nano = carried_nano < p->paid_nano ? carried_nano / PAPER_CENT_NANO * PAPER_CENT_NANO : p->paid_nano;
}

static void read_amounts(struct reader *r, struct paper *p)
{
    p->net_nano = cents(r, "net_nano");
    read_tax(r, p);
    p->total_nano = cents(r, "total_nano");
    read_payment(r, p);
    if (r->failed)
        return;
    check_sums(r, p);
    check_vat_ids(r, p);
}

static void read_kind(struct reader *r, struct paper *p)
{
    const char *kind = text(r, "kind");
    struct reader in;

    if (strcmp(kind, "invoice") == 0)
        p->kind = PAPER_INVOICE;
    else if (strcmp(kind, "credit_note") == 0)
        p->kind = PAPER_CREDIT_NOTE;
    else if (strcmp(kind, "draft") == 0)
        p->kind = PAPER_DRAFT;
    else
        reader_refuse(r, "kind", "must be invoice, credit_note or draft");
    p->refers_number = p->reason = "";
    if (p->kind != PAPER_CREDIT_NOTE || r->failed)
        return;
    p->reason = text(r, "reason");
    in = reader_inside(r, json_object_get(r->at, "refers"), "refers.");
    p->refers_number = text(&in, "number_text");
    p->refers_issued_ms = reader_integer(&in, "issued_ms", 0, LAST_MS);
    r->failed = r->failed || in.failed;
}

static void read_head(struct reader *r, struct paper *p)
{
    const char *format = text(r, "format");

    if (!r->failed && strcmp(format, "xs-invoice/v2") != 0)
        reader_refuse(r, "format", "must be xs-invoice/v2");
    read_kind(r, p);
    p->id = text(r, "invoice_id");
    p->number = text(r, "number_text");
    p->host = text(r, "host");
    p->account = text(r, "account_id");
    p->currency = text(r, "currency");
    if (!r->failed && strcmp(p->currency, "EUR") != 0)
        reader_refuse(r, "currency", "must be EUR");
    p->issued_ms = reader_integer(r, "issued_ms", 0, LAST_MS);
    p->period_start_ms = reader_integer(r, "period_start_ms", 0, LAST_MS);
    p->period_end_ms = reader_integer(r, "period_end_ms", p->period_start_ms, LAST_MS);
    p->payment_reference = text_or_none(r, "payment_reference");
}

int paper_read(const json_t *invoice, struct paper *p, struct json_why *why)
{
    struct reader r = { .at = invoice, .why = why };

    memset(p, 0, sizeof(*p));
    if (!json_is_object(invoice)) {
        reader_refuse(&r, "invoice", "must be an object");
        return -1;
    }
    read_head(&r, p);
    read_seller(&r, p);
    read_party(&r, "buyer", &p->buyer, false);
    read_lines(&r, p);
    read_details(&r, p);
    read_amounts(&r, p);
    if (r.failed)
        return -1;
    /* Somebody who never said who he is still has a bill: it names the account and where it is taxed. */
    if (!*p->buyer.name)
        p->buyer.name = p->account;
    if (!*p->buyer.country)
        p->buyer.country = p->tax.country;
    return 0;
}

void paper_free(struct paper *p)
{
    free(p->lines);
    free(p->details);
    p->lines = NULL;
    p->details = NULL;
}
