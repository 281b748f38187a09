/* libmicrohttpd would take an expired certificate and let every client fail
 * with its own riddle; here the operator reads the reason once. */
#include "api/tls.h"
#include "common/log.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEM_BYTES_MAX (256 * 1024)
#define CHAIN_MAX 8
#define RENEW "make a new one and start again"

static char *file_read(const char *path, const char *what)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, PEM_BYTES_MAX + 1);
    size_t len;

    if (!file)
        fatal("%s: cannot open the %s", path, what);
    if (!text)
        fatalx("out of memory");
    len = fread(text, 1, PEM_BYTES_MAX, file);
    if (ferror(file))
        fatal("%s: cannot read the %s", path, what);
    if (len == 0 || len == PEM_BYTES_MAX)
        fatalx("%s: the %s is %s: put a PEM file there", path, what, len ? "too large" : "empty");
    fclose(file);
    return text;
}

static const char *day(time_t when, char out[static 16])
{
    struct tm utc;

    if (!gmtime_r(&when, &utc) || strftime(out, 16, "%Y-%m-%d", &utc) == 0)
        strcpy(out, "?");
    return out;
}

static void times_check(gnutls_x509_crt_t crt, const char *path)
{
    time_t now = time(NULL);
    time_t from = gnutls_x509_crt_get_activation_time(crt);
    time_t to = gnutls_x509_crt_get_expiration_time(crt);
    char text[16];

    if (to < now)
        fatalx("%s: the certificate expired on %s: " RENEW, path, day(to, text));
    if (from > now)
        fatalx("%s: the certificate is not valid before %s: check this machine's clock, or " RENEW, path,
               day(from, text));
}

static void must(int rc, const char *path, const char *what)
{
    if (rc < 0)
        fatalx("%s: not a usable %s: %s", path, what, gnutls_strerror(rc));
}

/* The key's id is a hash of its public half: equal exactly if they belong together. */
static void pair_check(gnutls_x509_crt_t crt, const char *crt_path, const struct tls_pair *pair, const char *key_path)
{
    gnutls_datum_t pem = { (unsigned char *)pair->private_key, (unsigned)strlen(pair->private_key) };
    unsigned char crt_id[64], key_id[64];
    size_t crt_len = sizeof(crt_id), key_len = sizeof(key_id);
    gnutls_x509_privkey_t key;

    must(gnutls_x509_privkey_init(&key), key_path, "private key");
    must(gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), key_path, "private key");
    must(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_len), key_path, "private key");
    must(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, crt_id, &crt_len), crt_path, "certificate");
    gnutls_x509_privkey_deinit(key);
    if (crt_len != key_len || memcmp(crt_id, key_id, key_len) != 0)
        fatalx("%s: this private key does not belong to the certificate %s: put the pair that was made together",
               key_path, crt_path);
}

void tls_load(struct tls_pair *pair, const char *certificate_path, const char *key_path)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    gnutls_datum_t pem;
    unsigned count = CHAIN_MAX;
    unsigned char hash[32];
    size_t hash_len = sizeof(hash);

    pair->certificate = file_read(certificate_path, "certificate");
    pair->private_key = file_read(key_path, "private key");
    pem = (gnutls_datum_t){ (unsigned char *)pair->certificate, (unsigned)strlen(pair->certificate) };
    must(gnutls_x509_crt_list_import(chain, &count, &pem, GNUTLS_X509_FMT_PEM, 0), certificate_path,
               "certificate");
    for (unsigned i = 0; i < count; i++)
        times_check(chain[i], certificate_path);
    pair_check(chain[0], certificate_path, pair, key_path);
    must(gnutls_x509_crt_get_fingerprint(chain[0], GNUTLS_DIG_SHA256, hash, &hash_len), certificate_path,
               "certificate");
    sodium_bin2hex(pair->fingerprint, sizeof(pair->fingerprint), hash, sizeof(hash));
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
}

void tls_free(struct tls_pair *pair)
{
    sodium_memzero(pair->private_key, strlen(pair->private_key));
    free(pair->certificate);
    free(pair->private_key);
}
