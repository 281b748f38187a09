/* Invoices out of foreign JSON: what is accepted is well-formed XML, rows of one width, and pages; the rest is
 * refused. */
#include "accountd/paper/paper.h"
#include "tests/fuzz/fuzz.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "invoices as XML, CSV and PDF";
const char *const fuzz_seeds[] = {
    "{\"format\":\"xs-invoice/v2\",\"kind\":\"invoice\",\"invoice_id\":\"inv_1\",\"number_text\":\"XS-1\",\"host"
    "\":\"h\",\"account_id\":\"acc_1\",\"currency\":\"EUR\",\"issued_ms\":1796104800000,\"period_start_ms\":17"
    "93491200000,\"period_end_ms\":1796083200000,\"seller\":{\"name\":\"S\",\"street\":\"a\",\"postcode\":\"1\""
    ",\"city\":\"B\",\"country\":\"DE\",\"vat_id\":\"DE1\",\"email\":\"e@x\",\"iban\":\"DE89370400440532013000\",\"b"
    "ic\":\"COBADEFFXXX\"},\"buyer\":{\"name\":\"Ąβ, \\\"c\\\"\",\"street\":\"\",\"postcode\":\"\",\"city\":\"\",\"countr"
    "y\":\"\",\"vat_id\":\"\",\"email\":\"\"},\"lines\":[{\"line\":1,\"period\":\"2026-11\",\"price_book\":1,\"meter\""
    ":\"cpu_used\",\"unit\":\"CPU-second\",\"quantity\":\"2039040370370367\",\"quantity_per_unit\":\"1000000"
    "000\",\"price\":\"1\",\"amount_nano\":\"4760000000\"},{\"line\":2,\"period\":\"2026-11\",\"price_book\":1,\""
    "meter\":\"net_bytes_out\",\"unit\":\"GiB\",\"quantity\":\"333546\",\"quantity_per_unit\":\"1073741824\",\""
    "price\":\"1\",\"amount_nano\":\"0\"}],\"details\":[{\"period\":\"2026-11\",\"price_book\":1,\"instance_id\""
    ":\"ins_1\",\"meter\":\"cpu_used\",\"quantity\":\"2039040370370367\",\"charged_nano\":\"4757760863\"},{\"p"
    "eriod\":\"2026-11\",\"price_book\":1,\"instance_id\":\"ins_1\",\"meter\":\"net_bytes_out\",\"quantity\":\""
    "333546\",\"charged_nano\":\"6\"}],\"net_nano\":\"4760000000\",\"tax\":[{\"category\":\"S\",\"country\":\"DE\""
    ",\"rate_permyriad\":1900,\"reason\":\"\",\"taxable_nano\":\"4760000000\",\"amount_nano\":\"900000000\"}]"
    ",\"total_nano\":\"5660000000\",\"paid_nano\":\"5660000000\",\"payable_nano\":\"0\",\"payment_reference\""
    ":\"RF68XS4711ANNA\"}",
    "{\"format\":\"xs-invoice/v2\",\"kind\":\"credit_note\",\"invoice_id\":\"inv_1\",\"number_text\":\"XS-1\",\""
    "host\":\"h\",\"account_id\":\"acc_1\",\"currency\":\"EUR\",\"issued_ms\":1796104800000,\"period_start_ms"
    "\":1793491200000,\"period_end_ms\":1796083200000,\"seller\":{\"name\":\"S\",\"street\":\"a\",\"postcode\""
    ":\"1\",\"city\":\"B\",\"country\":\"DE\",\"vat_id\":\"DE1\",\"email\":\"e@x\",\"iban\":\"DE89370400440532013000"
    "\",\"bic\":\"COBADEFFXXX\"},\"buyer\":{\"name\":\"Ąβ, \\\"c\\\"\",\"street\":\"\",\"postcode\":\"\",\"city\":\"\",\"co"
    "untry\":\"\",\"vat_id\":\"PL1\",\"email\":\"\"},\"lines\":[{\"line\":1,\"period\":\"2026-11\",\"price_book\":1,"
    "\"meter\":\"cpu_used\",\"unit\":\"CPU-second\",\"quantity\":\"2039040370370367\",\"quantity_per_unit\":\""
    "1000000000\",\"price\":\"1\",\"amount_nano\":\"4760000000\"},{\"line\":2,\"period\":\"2026-11\",\"price_bo"
    "ok\":1,\"meter\":\"net_bytes_out\",\"unit\":\"GiB\",\"quantity\":\"333546\",\"quantity_per_unit\":\"107374"
    "1824\",\"price\":\"1\",\"amount_nano\":\"0\"}],\"details\":[],\"net_nano\":\"4760000000\",\"tax\":[{\"catego"
    "ry\":\"AE\",\"country\":\"PL\",\"rate_permyriad\":0,\"reason\":\"Reverse charge\",\"taxable_nano\":\"47600"
    "00000\",\"amount_nano\":\"0\"}],\"total_nano\":\"4760000000\",\"paid_nano\":\"4760000000\",\"payable_nan"
    "o\":\"0\",\"payment_reference\":\"RF68XS4711ANNA\",\"reason\":\"r\",\"refers\":{\"number_text\":\"XS-0\",\"i"
    "ssued_ms\":1}}",
    NULL,
};

static void check_xml(const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);

    if (!doc)
        abort();
    xmlFreeDoc(doc);
}

/* Each record has as many commas outside quotes as the first. */
static void check_csv(const char *csv)
{
    unsigned commas = 0, wanted = 0;
    bool quoted = false;

    for (; *csv; csv++) {
        quoted ^= *csv == '"';
        commas += !quoted && *csv == ',';
        if (quoted || *csv != '\n')
            continue;
        if (wanted && commas != wanted)
            abort();
        wanted = commas;
        commas = 0;
    }
    if (quoted || commas)
        abort();
}

/* A PDF takes a hundred times as long as the others: one in sixty, always the same ones, is made. */
static bool chosen(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < size; i++)
        hash = hash * 31 + bytes[i];
    return hash % 61 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *invoice = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    struct json_why why = { "" };
    char *xml = invoice ? paper_cii(invoice, &why) : NULL, *csv = xml ? paper_csv(invoice, &why) : NULL;
    size_t len;

    if (invoice && !xml && !why.text[0])
        abort();
    if (csv) {
        check_xml(xml);
        check_csv(csv);
        if (chosen(bytes, size))
            free(paper_pdf(invoice, &len, &why));
    }
    free(xml);
    free(csv);
    json_decref(invoice);
    return 0;
}
