/* VERIFY.txt. The commands were run against minisign 0.11, signify-openbsd 31,
 * OpenSSH 9.2, OpenSSL 3.0, libxml2 2.9, hledger 1.25, coreutils, jq and python3 of
 * Debian 12; a test runs them again out of this text. */
#include "accountd/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char files_text[] =
    "How to check %s %s of %s without our software\n"
    "\n"
    "Lines that begin with four spaces are commands for a POSIX shell in this\n"
    "directory; each must succeed. They use sha256sum, minisign (or signify),\n"
    "ssh-keygen, openssl, xmllint, hledger, jq, base64 and python3. xs-verify does the same and more by itself.\n"
    "\n"
    "0. Get keys.txt from %s by another way than this bundle, once, and compare\n"
    "   it with the one here. Every other check hangs on these two keys.\n"
    "\n"
    "1. The files are whole, and the list of them is signed by the invoice key:\n"
    "\n"
    "    sha256sum --quiet --strict -c SHA256SUMS\n"
    "    tail -n 2 keys.txt > invoice.pub\n"
    "    minisign -Vm SHA256SUMS -p invoice.pub\n"
    "    for file in invoice.json invoice.pdf invoice.xml lines.csv; do\n"
    "        minisign -Vm $file -p invoice.pub\n"
    "    done\n"
    "\n"
    "   The same with signify, with openssl alone, with ssh-keygen, and as CAdES by the certificate that SHA256SUMS names:\n"
    "\n"
    "    for file in invoice.json invoice.pdf invoice.xml lines.csv; do\n"
    "        signify-openbsd -V -p invoice.pub -x $file.minisig -m $file\n"
    "        sed -n 2p $file.minisig | base64 -d | tail -c 64 > raw.sig\n"
    "        openssl pkeyutl -verify -pubin -inkey invoice-key.pem -rawin -in $file -sigfile raw.sig\n"
    "        ssh-keygen -Y verify -f allowed_signers -I %s -n invoice@%s -s $file.sshsig < $file\n"
    "        openssl cms -verify -cades -binary -inform DER -in $file.p7s -content $file -CAfile invoice-cert.pem"
    " -no_check_time -out /dev/null\n"
    "    done\n"
    "    test \"$(openssl pkey -pubin -in invoice-key.pem -outform DER | tail -c 32 | base64)\" ="
    " \"$(tail -n 1 invoice.pub | base64 -d | tail -c 32 | base64)\"\n"
    "    test \"$(cut -d ' ' -f 4 allowed_signers | base64 -d | tail -c 32 | base64)\" ="
    " \"$(tail -n 1 invoice.pub | base64 -d | tail -c 32 | base64)\"\n"
    "\n"
    "   The XML is well-formed (its schema is Factur-X's, profile EN 16931), and the journal's sums hold:\n"
    "\n"
    "    xmllint --noout invoice.xml\n"
    "    hledger -f ledger.journal check --strict\n"
    "\n"
    "2. The head of the usage log is signed by the log key:\n"
    "\n"
    "    sed '/^$/,$d' checkpoint > checkpoint.text\n"
    "    tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > checkpoint.sig\n"
    "    openssl pkeyutl -verify -pubin -inkey log-key.pem -rawin -in checkpoint.text -sigfile checkpoint.sig\n"
    "    test \"$(openssl pkey -pubin -in log-key.pem -outform DER | tail -c 32 | base64)\" ="
    " \"$(sed -n 3p keys.txt | cut -d + -f 3- | base64 -d | tail -c 32 | base64)\"\n"
    "\n";

static const char records_text[] =
    "3. The records are in that log. Each file in proofs/ (C2SP tlog-proof) is for one leaf: its hash with the\n"
    "   hashes of the file gives the root in checkpoint (RFC 9162, section 2.1.3.2). Each record names the one before\n"
    "   it by its hash, so the first and the last of each incarnation prove those between, which step 4 looks at:\n"
    "\n"
    "    included() {\n"
    "        i=$(sed -n 's/^index //p' $1)\n"
    "        n=$(($(sed -n 2p checkpoint) - 1))\n"
    "        jq -j --argjson i $i 'select(.index == $i) | .leaf' records.jsonl > leaf; test -s leaf\n"
    "        (printf '\\000'; cat leaf) | openssl dgst -sha256 -binary > node\n"
    "        for hash in $(sed -n '3,/^$/p' $1); do\n"
    "            echo $hash | base64 -d > side\n"
    "            if [ $((i & 1)) = 1 ] || [ $i = $n ]; then\n"
    "                (printf '\\001'; cat side node) | openssl dgst -sha256 -binary > up\n"
    "                while [ $((i & 1)) = 0 ] && [ $i != 0 ]; do i=$((i >> 1)); n=$((n >> 1)); done\n"
    "            else\n"
    "                (printf '\\001'; cat node side) | openssl dgst -sha256 -binary > up\n"
    "            fi\n"
    "            mv up node; i=$((i >> 1)); n=$((n >> 1))\n"
    "        done\n"
    "        test $n = 0 && test \"$(base64 < node)\" = \"$(sed -n 3p checkpoint)\"\n"
    "    }\n"
    "    for proof in proofs/*; do included $proof; done\n"
    "\n"
    "4. The amounts are the records times the prices. A line of the invoice is one meter in one month under one price\n"
    "   book: F(before + quantity) - F(before), where F adds up the tiers exactly and is rounded half to even to a cent.\n"
    "   This computes every line and the tax from the records, and follows the records from one to the next:\n"
    "\n"
    "    python3 - <<'END'\n"
    "    import datetime, glob, hashlib, json\n"
    "    from collections import defaultdict\n"
    "    from fractions import Fraction as Q\n"
    "    inv = json.load(open('invoice.json'))\n"
    "    books = {b['version']: {m['meter']: m for m in b['meters']} for b in\n"
    "             (json.load(open(f)) for f in glob.glob('pricebook-*.json'))}\n"
    "    UNIT = {'vcpu_reserved': 10**9, 'memory_reserved': 1024 * 10**9, 'cpu_used': 10**9, 'memory_used': 2**18 * 10**9,\n"
    "            'disk_ops': 1, 'disk_bytes': 2**30, 'net_packets': 1, 'net_bytes_out': 2**30, 'net_bytes_in': 2**30}\n"
    "    SUM = {'cpu_used': 'guest_ns hv_ns', 'memory_used': 'page_ns', 'net_packets': 'net_rx_packets net_tx_packets',\n"
    "           'disk_ops': 'disk_read_ops disk_write_ops disk_flush_ops disk_discard_ops', 'disk_bytes':\n"
    "           'disk_read_bytes disk_write_bytes', 'net_bytes_out': 'net_tx_bytes', 'net_bytes_in': 'net_rx_bytes'}\n"
    "    def cents(version, meter, used):\n"
    "        m = books[version][meter]\n"
    "        tiers = m.get('tiers') or [dict(m, above='0')]\n"
    "        edges = [int(t['above']) * UNIT[meter] for t in tiers] + [max(used, 0)]\n"
    "        free = int(m.get('free', '0')) * UNIT[meter]\n"
    "        nano = Q(0)\n"
    "        for i, t in enumerate(tiers):\n"
    "            low, high = max(edges[i], free), min(used, edges[i + 1]) if i + 1 < len(tiers) else used\n"
    "            nano += max(high - low, 0) * Q(int(t['num_nano']), int(t['den']) * UNIT[meter])\n"
    "        return round(max(nano, int(m.get('minimum_nano', '0')) if used else 0) / 10**7) * 10**7\n"
    "    before, used, last = defaultdict(int), defaultdict(int), {}\n"
    "    for text in open('records.jsonl'):\n"
    "        row = json.loads(text)\n"
    "        kind, body = row['leaf'].split('\\n')[:2]\n"
    "        kind, r = kind.split(' ')[1], json.loads(body)\n"
    "        if kind == 'tariff':\n"
    "            continue\n"
    "        link, number, end = last.get(r['incarnation'], (r['prev'], r['number'] - 1, None))\n"
    "        assert (r['prev'], r['number']) == (link, number + 1), 'records do not follow each other'\n"
    "        assert end in (None, {k: r[k + '_0'] for k in end or ()}), 'counters do not follow each other'\n"
    "        last[r['incarnation']] = (hashlib.sha256(b'\\0' + row['leaf'].encode()).hexdigest(), r['number'],\n"
    "                                  {k[:-2]: r[k] for k in r if k.endswith('_1')})\n"
    "        if kind not in ('use', 'end') or r['flags'] == 'billing_suspended':\n"
    "            continue\n"
    "        ns = int(r['t1_ns']) - int(r['t0_ns'])\n"
    "        had = {m: sum(int(r[c + '_1']) - int(r[c + '_0']) for c in SUM[m].split()) for m in SUM}\n"
    "        had.update(vcpu_reserved=ns * r['vcpus'], memory_reserved=ns * r['memory_mib'])\n"
    "        month = datetime.datetime.utcfromtimestamp(r['t0_ms'] // 1000).strftime('%Y-%m')\n"
    "        for m in had:\n"
    "            (before if row['index'] < inv['from_index'] else used)[month, r['price_book'], m] += had[m]\n"
    "    lines = {(l['period'], l['price_book'], l['meter']): l for l in inv['lines']}\n"
    "    assert set(lines) == {k for k in used if used[k]}, 'lines are missing or too many'\n"
    "    for k, l in lines.items():\n"
    "        amount = cents(*k[1:], before[k] + used[k]) - cents(*k[1:], before[k])\n"
    "        assert (int(l['quantity_before']), int(l['quantity']), int(l['amount_nano'])) == (before[k], used[k], amount), k\n"
    "    net = sum(int(l['amount_nano']) for l in inv['lines'])\n"
    "    tax = round(Q(net * inv['tax'][0]['rate_permyriad'], 10**11)) * 10**7\n"
    "    assert [int(inv['net_nano']), int(inv['tax'][0]['amount_nano']), int(inv['total_nano'])] == [net, tax, net + tax]\n"
    "    END\n";

static const char credit_text[] =
    "3. A credit note gives back what invoice %s (%s) took: its own lines say how much of which, and why.\n"
    "\n"
    "    python3 - <<'END'\n"
    "    import json\n"
    "    inv = json.load(open('invoice.json'))\n"
    "    net = sum(int(l['amount_nano']) for l in inv['lines'])\n"
    "    tax = int(inv['tax'][0]['amount_nano'])\n"
    "    assert abs(net * inv['tax'][0]['rate_permyriad'] - tax * 10000) <= 10**7 * 10000, 'tax'\n"
    "    assert [int(inv['net_nano']), int(inv['total_nano'])] == [net, net + tax]\n"
    "    END\n";

char *bundle_verify_text(const json_t *invoice)
{
    bool credit = strcmp(json_text(invoice, "kind"), "credit_note") == 0;
    const json_t *refers = json_object_get(invoice, "refers");
    const char *host = json_text(invoice, "host");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    fprintf(out, files_text, credit ? "credit note" : "invoice", json_text(invoice, "invoice_id"), host, host, host,
            host);
    if (credit)
        fprintf(out, credit_text, json_text(refers, "invoice_id"), json_text(refers, "number_text"));
    else
        fputs(records_text, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
