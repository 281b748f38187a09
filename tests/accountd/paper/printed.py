#!/usr/bin/env python3
"""printed.py INVOICE.pdf INVOICE.json: what a person reads on the pages is what the invoice says, amount by amount."""
import json
import re
import subprocess
import sys
from decimal import Decimal

invoice = json.load(open(sys.argv[2]))
# A draft's letters across the page would tear the lines of a layout apart.
order = "-raw" if invoice["kind"] == "draft" else "-layout"
read = subprocess.run(["pdftotext", order, sys.argv[1], "-"], capture_output=True, check=True)
pages = read.stdout.decode()
if read.stderr:
    sys.exit("pdftotext warns: %s" % read.stderr.decode())
lines = pages.replace("\f", "\n").splitlines()
words = " ".join(pages.split())
KINDS = {"invoice": "Invoice ", "credit_note": "Credit note ", "draft": "Draft of an invoice"}


def money(nano):
    return "{:,.2f}".format(Decimal(nano) / 10 ** 9)


def wanted(what, text, where=words):
    if text not in where:
        sys.exit("%s: %r is not printed" % (what, text))


def last_of(start):
    found = [line for line in lines if re.search(start, line)]
    if len(found) != 1:
        sys.exit("%r stands on %d lines" % (start, len(found)))
    return found[0].split()[-1]


def same(what, got, text):
    if got != text:
        sys.exit("%s: %s is printed, %s is meant" % (what, got, text))


wanted("kind", KINDS[invoice["kind"]] + (invoice["number_text"] if invoice["kind"] != "draft" else ""))
# A row ends in its amount: two decimals in the table of lines, nine in the details.
rows = [line.split()[-1] for line in lines if re.search(r"(second|operation|packet|GiB)\b.*\d\.\d\d$", line)]
if invoice["kind"] == "draft":
    rows = re.findall(r" per \S+\s([\d,]+\.\d\d)\n", pages)
same("amounts", rows, [money(line["amount_nano"]) for line in invoice["lines"]])
exact = sorted(line.split()[-1] for line in lines if re.search(r"\d\.\d{9}$", line))
same("details", exact, sorted("{:.9f}".format(Decimal(d["charged_nano"]) / 10 ** 9) for d in invoice["details"]))
tax = invoice["tax"][0]
same("net", last_of(r"\bNet +\d"), money(invoice["net_nano"]))
same("VAT", last_of(r"\bVAT \d+ %|VAT, "), money(tax["amount_nano"]))
same("total", last_of(r"\bTotal( credited)? +EUR"), money(invoice["total_nano"]))
carried = int(invoice.get("carried_by_host_nano", 0))
paid = int(invoice.get("paid_nano", invoice["total_nano"]))
same("paid", last_of(r"(Paid from|Returned to) your prepaid wallet"), money(paid - carried))
if carried:
    same("carried", last_of(r"Paid by us"), money(carried))
same("due", last_of(r"\bAmount due"), money(invoice.get("payable_nano", 0)))
if tax["rate_permyriad"]:
    wanted("rate", "VAT %d %%" % (tax["rate_permyriad"] // 100))
wanted("reason of the tax", tax["reason"].split(" (")[0].split()[0] if tax["reason"] else "")
if "carried_by_host_nano" in invoice:
    wanted("carried", "EUR " + money(invoice["carried_by_host_nano"]))
for party in (invoice["seller"], invoice["buyer"]):
    for key in ("street", "city", "vat_id", "name"):
        for word in party[key].split():
            wanted(key, word)
if invoice["kind"] == "credit_note":
    wanted("what it corrects", "For invoice %s of 1 December 2026." % invoice["refers"]["number_text"])
    wanted("why", invoice["reason"])
count = pages.count("\f")
for page in range(count):
    wanted("page number", "%d/%d" % (page + 1, count), pages.split("\f")[page].replace(" ", ""))
if invoice["kind"] == "draft":
    same("letters across the page", words.count("D R A F T"), count)
