/* Texts of a bundle that its writer and its verifier must agree on. */
#include "accountd/bundle.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bundle_proof_name(uint64_t index, char name[static USTAR_NAME_BYTES])
{
    snprintf(name, USTAR_NAME_BYTES, "proofs/%012ju.tlog-proof", (uintmax_t)index);
    return name;
}

char *bundle_book_name(int64_t version, char name[static USTAR_NAME_BYTES])
{
    snprintf(name, USTAR_NAME_BYTES, "pricebook-%jd.json", (intmax_t)version);
    return name;
}

static const char *field(const json_t *invoice, const char *key)
{
    const char *text = json_string_value(json_object_get(invoice, key));

    return text ? text : "";
}

char *bundle_comment(const char *file, const json_t *invoice, char text[static 160])
{
    snprintf(text, 160, "%s of invoice %s", file, field(invoice, "invoice_id"));
    return text;
}

char *bundle_record_line(uint64_t index, const char *leaf)
{
    json_t *line = json_pack("{s:I, s:s}", "index", (json_int_t)index, "leaf", leaf);
    char *text = line ? json_canonical(line) : NULL;

    json_decref(line);
    return text;
}

char *bundle_sums(const struct ustar *tar)
{
    char *text = NULL, hex[65];
    uint8_t hash[32];
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    for (size_t i = 0; i < tar->count; i++) {
        if (strncmp(tar->files[i].name, BUNDLE_SUMS, strlen(BUNDLE_SUMS)) == 0)
            continue;
        crypto_hash_sha256(hash, (const uint8_t *)tar->files[i].bytes, tar->files[i].len);
        fprintf(out, "%s  %s\n", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), tar->files[i].name);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* The commands were run against minisign 0.11, signify-openbsd 31, OpenSSL 3.0,
 * coreutils and jq of Debian 12; a test runs them again out of this text. */
static const char verify_text[] =
    "How to check invoice %s of %s without our software\n"
    "\n"
    "Lines that begin with four spaces are commands for a POSIX shell in this\n"
    "directory; each must succeed. They use sha256sum, minisign (or signify),\n"
    "openssl, jq, base64 and awk. xs-verify does the same and more by itself.\n"
    "\n"
    "0. Get keys.txt from %s by another way than this bundle, once, and compare\n"
    "   it with the one here. Every other check hangs on these two keys.\n"
    "\n"
    "1. The files are whole, and the list of them is signed by the invoice key:\n"
    "\n"
    "    sha256sum --quiet --strict -c SHA256SUMS\n"
    "    tail -n 2 keys.txt > invoice.pub\n"
    "    minisign -Vm SHA256SUMS -p invoice.pub\n"
    "    minisign -Vm invoice.json -p invoice.pub\n"
    "    minisign -Vm lines.csv -p invoice.pub\n"
    "\n"
    "   The same with signify, and with openssl:\n"
    "\n"
    "    signify-openbsd -V -p invoice.pub -x invoice.json.minisig -m invoice.json\n"
    "    sed -n 2p invoice.json.minisig | base64 -d | tail -c 64 > invoice.json.sig\n"
    "    openssl pkeyutl -verify -pubin -inkey invoice-key.pem -rawin -in invoice.json -sigfile invoice.json.sig\n"
    "    test \"$(openssl pkey -pubin -in invoice-key.pem -outform DER | tail -c 32 | base64)\" ="
    " \"$(tail -n 1 invoice.pub | base64 -d | tail -c 32 | base64)\"\n"
    "\n"
    "2. The head of the usage log is signed by the log key:\n"
    "\n"
    "    sed '/^$/,$d' checkpoint > checkpoint.text\n"
    "    tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > checkpoint.sig\n"
    "    openssl pkeyutl -verify -pubin -inkey log-key.pem -rawin -in checkpoint.text -sigfile checkpoint.sig\n"
    "    test \"$(openssl pkey -pubin -in log-key.pem -outform DER | tail -c 32 | base64)\" ="
    " \"$(sed -n 3p keys.txt | cut -d + -f 3- | base64 -d | tail -c 32 | base64)\"\n"
    "\n"
    "3. The records are in that log: each leaf's hash with the hashes of its file in\n"
    "   proofs/ (C2SP tlog-proof) gives the root in checkpoint (RFC 9162, section 2.1.3.2):\n"
    "\n"
    "    included() {\n"
    "        i=$(sed -n \"$1p\" records.jsonl | jq .index)\n"
    "        n=$(($(sed -n 2p checkpoint) - 1))\n"
    "        proof=proofs/$(printf %%012d $i).tlog-proof\n"
    "        (printf '\\000'; sed -n \"$1p\" records.jsonl | jq -j .leaf) | openssl dgst -sha256 -binary > node\n"
    "        for hash in $(sed -n '3,/^$/p' $proof); do\n"
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
    "    for line in $(seq $(wc -l < records.jsonl)); do included $line; done\n"
    "\n"
    "4. The amounts are the records times the prices. Each line of the invoice,\n"
    "   in whole nano (10^-9 %s), is the sum of quantities x price_num_nano /\n"
    "   (price_den x quantity_per_unit), rounded once, half to even. That the lines make the total:\n"
    "\n"
    "    test \"$(jq -r '.lines[].amount_nano' invoice.json | awk '{ s += $1 } END { printf \"%%.0f\", s }')\" ="
    " \"$(jq -r .total_nano invoice.json)\"\n";

char *bundle_verify_text(const json_t *invoice)
{
    char *text;

    if (asprintf(&text, verify_text, field(invoice, "invoice_id"), field(invoice, "host"), field(invoice, "host"),
                 field(invoice, "currency")) < 0)
        return NULL;
    return text;
}
