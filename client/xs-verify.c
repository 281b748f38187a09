/* xs-verify BUNDLE: is this invoice what the host's log and prices make of it?
 * Needs no network and no other file; --key brings the keys to trust. */
#include "accountd/note.h"
#include "client/verify/verify.h"
#include "common/log.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1ll << 30)

static const char usage_text[] =
    "usage: xs-verify [--key KEYS.TXT [--root ROOT.PUB]] BUNDLE.tar\n"
    "Checks signatures, the records' place in the signed log, their chains, and every\n"
    "amount. Exit 0: all is right. 1: the first thing that is wrong is named.\n"
    "  --key FILE  the host's keys.txt, got by another way than the bundle\n"
    "  --root FILE the host's root key (minisign's format): KEYS.TXT.minisig must be its\n"
    "              signature of KEYS.TXT. Then keys.txt itself may come from anywhere\n";

static char *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "re");
    struct stat st;
    char *bytes;

    if (!in || fstat(fileno(in), &st) != 0)
        fatal("%s: cannot open", path);
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
        fatalx("%s: not a file, or larger than 1 GiB", path);
    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes || fread(bytes, 1, (size_t)st.st_size, in) != (size_t)st.st_size)
        fatal("%s: cannot read", path);
    fclose(in);
    bytes[st.st_size] = 0;
    *len = (size_t)st.st_size;
    return bytes;
}

/* keys.txt, and with a root key its word that it is the host's. Exits 1 if that is not so. */
static char *read_keys(const char *keys_path, const char *root_path)
{
    char path[4096], *root_text, *signature, *text;
    struct note_key root;
    size_t len;

    text = read_file(keys_path, &len);
    if (!root_path)
        return text;
    root_text = read_file(root_path, &len);
    snprintf(path, sizeof(path), "%s.minisig", keys_path);
    signature = read_file(path, &len);
    if (!note_minisign_key_parse(root_text, &root))
        fatalx("%s: not a public key in minisign's format", root_path);
    if (!note_minisig_verify(signature, text, strlen(text), &root))
        fatalx("%s: not the root key's signature of %s", path, keys_path);
    free(root_text);
    free(signature);
    return text;
}

static void report(const struct verify_summary *s, bool trusted)
{
    printf("invoice %s of %s for account %s: right\n", s->invoice_id, s->host, s->account);
    printf("  %zu records are in the signed log and follow each other\n", s->records);
    printf("  %zu lines recomputed from them: %jd.%02jd %s with tax\n", s->lines, (intmax_t)(s->total_nano / 1000000000),
           (intmax_t)(s->total_nano / 10000000 % 100), s->currency);
    if (!trusted)
        printf("  note: checked with the keys inside the bundle; give --key to check who signed\n");
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "key", required_argument, NULL, 'k' },
                                             { "root", required_argument, NULL, 'r' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    struct verify_summary summary;
    struct json_why why = { "" };
    const char *keys_path = NULL, *root_path = NULL;
    char *archive, *trusted;
    size_t len;
    int option, rc;

    log_init("xs-verify");
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'k' && option != 'r') {
            fputs(usage_text, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
        *(option == 'k' ? &keys_path : &root_path) = optarg;
    }
    if (optind != argc - 1 || (root_path && !keys_path)) {
        fputs(usage_text, stderr);
        return 2;
    }
    if (sodium_init() < 0)
        fatalx("libsodium does not start");
    trusted = keys_path ? read_keys(keys_path, root_path) : NULL;
    archive = read_file(argv[optind], &len);
    rc = verify_bundle(archive, len, trusted, &summary, &why);
    if (rc)
        fprintf(stderr, "%s: WRONG: %s\n", argv[optind], why.text);
    else
        report(&summary, trusted != NULL);
    free(archive);
    free(trusted);
    return rc ? 1 : 0;
}
