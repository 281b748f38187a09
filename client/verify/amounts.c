/* Every amount again, from the records and the prices; a credit note's from its own lines. */
#include "accountd/paper/paper.h"
#include "client/verify/check.h"

#include <stdlib.h>
#include <string.h>

static int check_chain_list(struct check *c)
{
    const json_t *list = json_object_get(c->invoice, "chains");

    if (json_array_size(list) != c->billed_count)
        return check_wrong(c, "invoice.json: chains: %zu are named, the records have %zu", json_array_size(list),
                     c->billed_count);
    for (size_t i = 0; i < c->billed_count; i++) {
        const struct chain *chain = &c->chains[c->billed[i]];
        json_t *expected = json_pack("{s:s, s:s, s:I, s:I}", "incarnation", chain->last.incarnation, "instance_id",
                                     chain->last.instance, "first_number", (json_int_t)chain->first.number,
                                     "last_number", (json_int_t)chain->last.number);
        bool same = json_equal(expected, json_array_get(list, i));

        json_decref(expected);
        if (!same)
            return check_wrong(c, "invoice.json: chains: incarnation %s is not stated as its records are",
                         chain->last.incarnation);
    }
    return 0;
}

static int check_rows(struct check *c, const json_t *expected, const char *key)
{
    const json_t *stated = json_object_get(c->invoice, key), *rows = json_object_get(expected, key);
    json_t *row;
    size_t i;

    if (json_array_size(stated) != json_array_size(rows))
        return check_wrong(c, "invoice.json: %zu %s, the records make %zu", json_array_size(stated), key, json_array_size(rows));
    json_array_foreach((json_t *)rows, i, row)
        if (!json_equal(row, json_array_get(stated, i)))
            return check_wrong(c, "invoice.json: %s: row %zu (%s): the records make %s of it, %s nano", key, i + 1,
                         json_text(row, "meter"), json_text(row, "quantity"),
                         json_text(row, strcmp(key, "lines") == 0 ? "amount_nano" : "charged_nano"));
    return 0;
}

static int check_sum(struct check *c, const char *key, int64_t expected)
{
    int64_t stated;

    if (json_arg_decimal(c->invoice, key, 0, INT64_MAX, &stated, c->why))
        return check_wrong_in(c, "invoice.json");
    return stated == expected ? 0 : check_wrong(c, "invoice.json: %s is %jd, the records make %jd", key, (intmax_t)stated,
                                          (intmax_t)expected);
}

static int check_tax(struct check *c)
{
    const json_t *list = json_object_get(c->invoice, "tax");
    json_t *expected;
    bool same;

    if (json_array_size(list) != 1)
        return check_wrong(c, "invoice.json: tax: must have one row");
    if (tax_parse(json_array_get(list, 0), &c->statement.tax, c->why))
        return check_wrong_in(c, "invoice.json");
    if (statement_close(&c->statement, c->why))
        return check_wrong_in(c, "records.jsonl");
    expected = tax_json(&c->statement.tax, c->statement.net_nano, c->statement.tax_nano);
    same = json_equal(expected, json_array_get(list, 0));
    json_decref(expected);
    return same ? 0 : check_wrong(c, "invoice.json: tax: %jd nano at %d of 10,000 make %jd", (intmax_t)c->statement.net_nano,
                            c->statement.tax.rate_permyriad, (intmax_t)c->statement.tax_nano);
}

static int check_totals(struct check *c)
{
    int64_t carried, stated_records;

    if (check_sum(c, "net_nano", c->statement.net_nano) || check_sum(c, "total_nano", c->statement.total_nano) ||
        check_sum(c, "paid_nano", c->statement.total_nano) || check_sum(c, "payable_nano", 0))
        return -1;
    if (json_arg_decimal(c->invoice, "carried_by_host_nano", 0, INT64_MAX, &carried, c->why) ||
        json_arg_int(c->invoice, "records", 0, INT64_MAX, &stated_records, c->why))
        return check_wrong_in(c, "invoice.json");
    if ((size_t)stated_records != c->records)
        return check_wrong(c, "invoice.json: records: %jd stated, %zu are here", (intmax_t)stated_records, c->records);
    if (json_integer_value(json_object_get(c->invoice, "period_start_ms")) != c->statement.t0_ms ||
        json_integer_value(json_object_get(c->invoice, "period_end_ms")) != c->statement.t1_ms)
        return check_wrong(c, "invoice.json: its period is not that of its records");
    return 0;
}

/* The papers say what invoice.json says: XML and CSV are made again. */
static int check_papers(struct check *c)
{
    char *xml = paper_cii(c->invoice, c->why), *csv = xml ? paper_csv(c->invoice, c->why) : NULL;

    if (!csv) {
        free(xml);
        return check_wrong_in(c, "invoice.json");
    }
    /* Both are given away. */
    return check_expect(c, "invoice.xml", xml) | check_expect(c, "lines.csv", csv);
}

int check_amounts(struct check *c)
{
    json_t *expected = json_object();
    int rc = check_chain_list(c) || check_tax(c) || statement_put(&c->statement, expected) ||
             check_rows(c, expected, "lines") || check_rows(c, expected, "details") ? -1 : 0;

    json_decref(expected);
    return rc || check_totals(c) || check_papers(c) ? -1 : 0;
}

/* A credit note gives back what an earlier invoice has; which lines were wrong is not in the records. That
 * its tax is within a cent of its rate: several notes give back together what one would. */
static int check_credit_tax(struct check *c)
{
    int64_t exact, stated, off;

    if (json_array_size(json_object_get(c->invoice, "tax")) != 1 ||
        tax_parse(json_array_get(json_object_get(c->invoice, "tax"), 0), &c->statement.tax, c->why))
        return check_wrong(c, "invoice.json: tax: must be one row as an invoice has it");
    if (tax_round(&c->statement.tax, c->statement.net_nano, &exact) ||
        json_arg_decimal(json_array_get(json_object_get(c->invoice, "tax"), 0), "amount_nano", 0, INT64_MAX, &stated, c->why))
        return check_wrong_in(c, "invoice.json: tax");
    off = stated > exact ? stated - exact : exact - stated;
    if (off > RATE_CENT_NANO || stated % RATE_CENT_NANO)
        return check_wrong(c, "invoice.json: tax: %jd nano, its rate makes %jd", (intmax_t)stated, (intmax_t)exact);
    c->statement.tax_nano = stated;
    c->statement.total_nano = c->statement.net_nano + stated;
    return 0;
}

int check_credit(struct check *c)
{
    json_t *line;
    int64_t nano;
    size_t i;

    json_array_foreach(json_object_get(c->invoice, "lines"), i, line) {
        if (json_arg_decimal(line, "amount_nano", 1, INT64_MAX, &nano, c->why) || nano % RATE_CENT_NANO ||
            __builtin_add_overflow(c->statement.net_nano, nano, &c->statement.net_nano))
            return check_wrong(c, "invoice.json: line %zu: amount_nano: must be whole cents", i + 1);
    }
    c->statement.lines_count = i;
    return check_sum(c, "net_nano", c->statement.net_nano) || check_credit_tax(c) ||
           check_sum(c, "total_nano", c->statement.total_nano) || check_papers(c) ? -1 : 0;
}
