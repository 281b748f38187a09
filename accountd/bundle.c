/* Texts of a bundle that its writer and its verifier must agree on. */
#include "accountd/bundle.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const bundle_documents[BUNDLE_DOCUMENTS] = { "invoice.json", "invoice.pdf", "invoice.xml", "lines.csv" };

char *bundle_namespace(const json_t *invoice, char namespace[static BUNDLE_NAMESPACE_BYTES])
{
    snprintf(namespace, BUNDLE_NAMESPACE_BYTES, "invoice@%s", json_text(invoice, "host"));
    return namespace;
}

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

char *bundle_comment(const char *file, const json_t *invoice, char text[static 160])
{
    snprintf(text, 160, "%s of invoice %s", file, json_text(invoice, "invoice_id"));
    return text;
}

char *bundle_record_line(uint64_t index, const char *leaf)
{
    json_t *line = json_pack("{s:I, s:s}", "index", (json_int_t)index, "leaf", leaf);
    char *text = line ? json_canonical(line) : NULL;

    json_decref(line);
    return text;
}

/* "HASH  NAME\n", as sha256sum writes it. False for what the list leaves out. */
static bool sum_line(const struct ustar_file *file, char line[static USTAR_NAME_BYTES + 70])
{
    char hex[65];
    uint8_t hash[32];

    if (strncmp(file->name, BUNDLE_SUMS, strlen(BUNDLE_SUMS)) == 0)
        return false;
    SHA256((const uint8_t *)file->bytes, file->len, hash);
    snprintf(line, USTAR_NAME_BYTES + 70, "%s  %s\n", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), file->name);
    return true;
}

char *bundle_sums(const struct ustar *tar)
{
    char *text = NULL, line[USTAR_NAME_BYTES + 70];
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    for (size_t i = 0; i < tar->count; i++)
        if (sum_line(&tar->files[i], line))
            fputs(line, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

const char *bundle_sums_check(const struct ustar *tar, const char *sums)
{
    char line[USTAR_NAME_BYTES + 70];

    for (size_t i = 0; i < tar->count; i++) {
        if (!sum_line(&tar->files[i], line))
            continue;
        if (strncmp(sums, line, strlen(line)) != 0)
            return tar->files[i].name;
        sums += strlen(line);
    }
    return *sums ? BUNDLE_SUMS : NULL;
}
