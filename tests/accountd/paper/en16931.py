#!/usr/bin/env python3
"""en16931.py FILE.xml: the arithmetic and VAT rules of EN 16931-1 that a schema cannot say, from the XML alone.

Prints the rules that do not hold, by their names in the standard (section 6.4), and exits 1 if there are any.
"""
import sys
import xml.etree.ElementTree as ET
from decimal import ROUND_HALF_UP, Decimal

NS = {prefix: "urn:un:unece:uncefact:data:standard:%s:100" % name for prefix, name in (
    ("rsm", "CrossIndustryInvoice"), ("ram", "ReusableAggregateBusinessInformationEntity"),
    ("udt", "UnqualifiedDataType"), ("qdt", "QualifiedDataType"))}
CENT = Decimal("0.01")
LINE_TOTAL = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
LINE_RATE = "SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent"
broken = []


def rule(name, holds):
    if not holds:
        broken.append(name)


def path(names):
    return "/".join("ram:" + name for name in names.split("/"))


def text(node, names):
    found = node.find(path(names), NS)
    return None if found is None else found.text


def amount(node, names, default=None):
    found = text(node, names)
    return default if found is None else Decimal(found)


def cents(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def vat_id(party):
    return party.find("ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']", NS)


def check_lines(lines):
    for line in lines:
        price = line.find(path("SpecifiedLineTradeAgreement/NetPriceProductTradePrice"), NS)
        billed = line.find(path("SpecifiedLineTradeDelivery/BilledQuantity"), NS)
        basis = price.find("ram:BasisQuantity", NS)
        total = amount(line, LINE_TOTAL)
        rule("BR-22", billed is not None and Decimal(billed.text) > 0)
        rule("BR-23", billed.get("unitCode"))
        rule("BR-25", text(line, "SpecifiedTradeProduct/Name"))
        rule("BR-27", amount(price, "ChargeAmount") >= 0)
        rule("BT-150", basis.get("unitCode") == billed.get("unitCode"))
        # What PEPPOL-EN16931-R120 asks: quantity x net price / base quantity is the line's amount.
        rule("R120", cents(Decimal(billed.text) * amount(price, "ChargeAmount") / Decimal(basis.text)) == total)
        rule("BR-DEC-23", total == cents(total))


def check_sums(lines, head):
    sums = head.find("ram:SpecifiedTradeSettlementHeaderMonetarySummation", NS)
    taxes = head.findall("ram:ApplicableTradeTax", NS)
    net = sum(amount(line, LINE_TOTAL) for line in lines)
    allowance, charge = amount(sums, "AllowanceTotalAmount", Decimal(0)), amount(sums, "ChargeTotalAmount", Decimal(0))
    tax_total = amount(sums, "TaxTotalAmount")
    rule("BR-CO-10", amount(sums, "LineTotalAmount") == net)
    rule("BR-CO-11", allowance == 0 and head.find("ram:SpecifiedTradeAllowanceCharge", NS) is None)
    rule("BR-CO-12", charge == 0)
    rule("BR-CO-13", amount(sums, "TaxBasisTotalAmount") == amount(sums, "LineTotalAmount") - allowance + charge)
    rule("BR-CO-14", tax_total == sum(amount(tax, "CalculatedAmount") for tax in taxes))
    rule("BR-CO-15", amount(sums, "GrandTotalAmount") == amount(sums, "TaxBasisTotalAmount") + tax_total)
    rule("BR-CO-16", amount(sums, "DuePayableAmount") == amount(sums, "GrandTotalAmount") -
         amount(sums, "TotalPrepaidAmount", Decimal(0)))
    rule("BR-CO-18", taxes)
    for node in sums:
        rule("BR-DEC", Decimal(node.text) == cents(Decimal(node.text)))
    rule("BR-53", sums.find("ram:TaxTotalAmount", NS).get("currencyID") == text(head, "InvoiceCurrencyCode"))


def check_tax(tax, lines, seller, buyer):
    category, rate = text(tax, "CategoryCode"), amount(tax, "RateApplicablePercent")
    mine = [line for line in lines
            if text(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode") == category]
    basis = sum(amount(line, LINE_TOTAL) for line in mine)
    exempt = text(tax, "ExemptionReason"), text(tax, "ExemptionReasonCode")
    # A cent of slack: half-cents are rounded to even, and the notes that credit an invoice share the cents of its tax.
    rule("BR-CO-17", abs(amount(tax, "CalculatedAmount") - amount(tax, "BasisAmount") * (rate or 0) / 100) <= CENT)
    rule("BR-%s-01" % category, len(mine) == len(lines))
    rule("BR-%s-08" % category, amount(tax, "BasisAmount") == basis)
    for line in mine:
        rule("BR-%s-05" % category, rate == amount(line, LINE_RATE))
    if category == "S":
        rule("BR-S-02", vat_id(seller) is not None)
        rule("BR-S-05", rate is not None and rate > 0)
        rule("BR-S-10", exempt == (None, None))
    elif category == "AE":
        rule("BR-AE-02", vat_id(seller) is not None and vat_id(buyer) is not None)
        rule("BR-AE-05", rate == 0)
        rule("BR-AE-09", amount(tax, "CalculatedAmount") == 0)
        rule("BR-AE-10", exempt[0] and exempt[1] == "VATEX-EU-AE")
    elif category == "O":
        rule("BR-O-02", vat_id(seller) is None and vat_id(buyer) is None)
        rule("BR-O-05", rate is None)
        rule("BR-O-09", amount(tax, "CalculatedAmount") == 0)
        rule("BR-O-10", exempt[0] and exempt[1] == "VATEX-EU-O")
    elif category == "Z":
        rule("BR-Z-05", rate == 0)
        rule("BR-Z-10", exempt == (None, None))
    else:
        rule("BR-CL-17", False)


def check(root):
    trade = root.find("rsm:SupplyChainTradeTransaction", NS)
    lines = trade.findall("ram:IncludedSupplyChainTradeLineItem", NS)
    head = trade.find("ram:ApplicableHeaderTradeSettlement", NS)
    seller = trade.find(path("ApplicableHeaderTradeAgreement/SellerTradeParty"), NS)
    buyer = trade.find(path("ApplicableHeaderTradeAgreement/BuyerTradeParty"), NS)
    document = root.find("rsm:ExchangedDocument", NS)
    guideline = root.find(".//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", NS)
    rule("BR-01", guideline.text == "urn:cen.eu:en16931:2017")
    rule("BR-02", text(document, "ID"))
    rule("BR-04", text(document, "TypeCode") in ("380", "381", "325"))
    for party, name, country in ((seller, "BR-06", "BR-09"), (buyer, "BR-07", "BR-11")):
        rule(name, text(party, "Name"))
        rule(country, text(party, "PostalTradeAddress/CountryID"))
    rule("BR-16", lines)
    rule("BR-CO-26", vat_id(seller) is not None or text(seller, "ID"))
    rule("BR-55", text(document, "TypeCode") != "381" or text(head, "InvoiceReferencedDocument/IssuerAssignedID"))
    for means in head.findall("ram:SpecifiedTradeSettlementPaymentMeans", NS):
        rule("BR-50", text(means, "TypeCode") == "58" and text(means, "PayeePartyCreditorFinancialAccount/IBANID"))
    check_lines(lines)
    check_sums(lines, head)
    for tax in head.findall("ram:ApplicableTradeTax", NS):
        check_tax(tax, lines, seller, buyer)


check(ET.parse(sys.argv[1]).getroot())
for name in sorted(set(broken)):
    print(name, "does not hold")
sys.exit(1 if broken else 0)
