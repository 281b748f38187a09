#!/usr/bin/env python3
"""focus.py LINES.csv INVOICE.json: that the rows are RFC 4180's and add up, to the nano, to what the invoice says."""
import csv
import json
import sys
from decimal import Decimal

COLUMNS = """BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodStart BillingPeriodEnd
ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodStart ChargePeriodEnd ConsumedQuantity
ConsumedUnit ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingCategory PricingQuantity PricingUnit
ProviderName PublisherName ResourceId ResourceType ServiceCategory ServiceName SkuId x_InvoiceId x_InvoiceNumber x_Period x_PriceBook x_Price x_Quantity
x_QuantityPerUnit""".split()
NANO = Decimal(10) ** 9

invoice = json.load(open(sys.argv[2]))
data = open(sys.argv[1], newline="", encoding="utf-8").read()
rows = list(csv.DictReader(data.splitlines(keepends=True), strict=True))
sign = -1 if invoice["kind"] == "credit_note" else 1


def total(rows):
    return sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))


def same(what, got, wanted):
    if got != wanted:
        sys.exit("%s: %s, wanted %s" % (what, got, wanted))


same("lines that end in CR LF", data.count("\r\n"), data.count("\n"))
same("columns", list(rows[0]), COLUMNS)
for row in rows:
    same("fields in %s" % row["SkuId"], None in row or None in row.values(), False)
    same("account", row["BillingAccountId"], invoice["account_id"])
    same("a period", row["ChargePeriodStart"] <= row["ChargePeriodEnd"], True)
    if row["ChargeCategory"] == "Usage":
        exact = Decimal(row["x_Quantity"]) / Decimal(row["x_QuantityPerUnit"])
        same("ConsumedQuantity", abs(Decimal(row["ConsumedQuantity"]) - exact) <= Decimal("1e-9"), True)
same("the sum", total(rows) * NANO, sign * Decimal(invoice["total_nano"]))
tax = [r for r in rows if r["ChargeCategory"] == "Tax"]
same("tax", total(tax) * NANO, sign * Decimal(invoice["tax"][0]["amount_nano"]))
for line in invoice["lines"]:
    key = (line["period"], str(line["price_book"]), line["meter"])
    mine = [r for r in rows if (r["x_Period"], r["x_PriceBook"], r["SkuId"]) == key]
    same("line %d" % line["line"], total(mine) * NANO, sign * Decimal(line["amount_nano"]))
categories = {"Credit", "Tax"} if sign < 0 else {"Usage", "Adjustment", "Tax"}
same("other categories", {r["ChargeCategory"] for r in rows} - categories, set())
same("Usage rows", sum(r["ChargeCategory"] == "Usage" for r in rows), len(invoice["details"]))
