/* The key and the certificate that CAdES signatures are made with. The key is written first: a crash in between
 * leaves a key that has signed nothing, and the next start makes its certificate. */
#include "accountd/paper/cades.h"
#include "accountd/log/file.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 500
#define YEARS      10
#define TEXT_BYTES 8192

/* The memory BIO's bytes, terminated. malloc'd. */
static char *text_of(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);

    return len > 0 ? strndup(bytes, (size_t)len) : NULL;
}

static int put_file(const char *path, const char *text, mode_t mode)
{
    int rc = file_put(path, text, strlen(text), mode);

    if (rc == 0)
        log_info("%s: made", path);
    return rc;
}

/* 1 if it is not there, -1 after logging. */
static int read_whole(const char *path, bool secret, char text[static TEXT_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t got = -1;

    if (fd < 0 && errno == ENOENT)
        return 1;
    if (fd < 0 || fstat(fd, &st) != 0)
        log_warn("%s: cannot open it", path);
    else if (secret && st.st_mode & 077)
        log_warnx("%s: others may read this key: chmod 600 it, and think of it as known", path);
    else if ((got = read(fd, text, TEXT_BYTES - 1)) < 0)
        log_warn("%s: cannot read it", path);
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return -1;
    text[got] = 0;
    return 0;
}

static int make_key(const char *path, EVP_PKEY **key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    int rc = -1;

    *key = EVP_EC_gen("P-256");
    if (bio && *key && PEM_write_bio_PKCS8PrivateKey(bio, *key, NULL, NULL, 0, NULL, NULL) == 1)
        text = text_of(bio);
    if (text) {
        rc = put_file(path, text, 0600);
        OPENSSL_cleanse(text, strlen(text));
    } else {
        log_warnx("%s: OpenSSL cannot make a P-256 key", path);
    }
    free(text);
    BIO_free(bio);
    return rc;
}

static int open_key(const char *path, EVP_PKEY **key)
{
    char text[TEXT_BYTES];
    int rc = read_whole(path, true, text);
    BIO *bio;

    if (rc)
        return rc > 0 ? make_key(path, key) : -1;
    bio = BIO_new_mem_buf(text, -1);
    *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    OPENSSL_cleanse(text, sizeof(text));
    if (!*key || !EVP_PKEY_is_a(*key, "EC") || EVP_PKEY_get_bits(*key) != 256) {
        log_warnx("%s: damaged: a P-256 key in PEM is expected. Restore it from a backup", path);
        return -1;
    }
    return 0;
}

static int add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int good;

    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* RFC 5280. No key may be certified by it, and it signs documents alone. */
static int fill(X509 *certificate, EVP_PKEY *key, const char *host, int64_t now_ms)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    time_t now_s = (time_t)(now_ms / 1000);
    BIGNUM *serial = BN_new();
    char subject[65];                   /* ub-common-name */
    int good;

    snprintf(subject, sizeof(subject), "%.55s invoices", host);
    good = serial && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) &&
           X509_set_version(certificate, X509_VERSION_3) &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0) &&
           X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
           X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &now_s) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), YEARS * 3652 / 10, 0, &now_s) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,nonRepudiation") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") && X509_sign(certificate, key, EVP_sha256());
    BN_free(serial);
    return good ? 0 : -1;
}

static int make_certificate(const char *path, const char *host, int64_t now_ms, struct paper_cades *cades)
{
    char *text = NULL;
    int rc = -1;

    cades->certificate = X509_new();
    if (cades->certificate && fill(cades->certificate, cades->key, host, now_ms) == 0)
        text = paper_cades_pem(cades);
    if (text)
        rc = put_file(path, text, 0644);
    else
        log_warnx("%s: OpenSSL cannot make a certificate", path);
    free(text);
    return rc;
}

static int read_certificate(const char *path, const char *text, struct paper_cades *cades)
{
    BIO *bio = BIO_new_mem_buf(text, -1);

    cades->certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!cades->certificate)
        log_warnx("%s: damaged: an X.509 certificate in PEM is expected. Restore it from a backup", path);
    else if (X509_check_private_key(cades->certificate, cades->key) != 1)
        log_warnx("%s: is not the certificate of the key beside it. Restore both from one backup", path);
    else
        return 0;
    return -1;
}

int paper_cades_open(const char *dir, const char *host, int64_t now_ms, struct paper_cades *cades)
{
    char key_path[PATH_BYTES], path[PATH_BYTES], text[TEXT_BYTES];
    int there;

    *cades = (struct paper_cades){ NULL, NULL };
    snprintf(key_path, sizeof(key_path), "%s/invoice-x509.key", dir);
    snprintf(path, sizeof(path), "%s/invoice-x509.pem", dir);
    there = read_whole(path, false, text);
    if (there < 0)
        return -1;
    if (there == 0 && access(key_path, F_OK) != 0) {
        log_warn("%s: the key of the certificate beside it: restore it from a backup", key_path);
        return -1;
    }
    if (open_key(key_path, &cades->key))
        return -1;
    return there == 0 ? read_certificate(path, text, cades) : make_certificate(path, host, now_ms, cades);
}

void paper_cades_close(struct paper_cades *cades)
{
    EVP_PKEY_free(cades->key);
    X509_free(cades->certificate);
    *cades = (struct paper_cades){ NULL, NULL };
}

char *paper_cades_pem(const struct paper_cades *cades)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio && PEM_write_bio_X509(bio, cades->certificate) == 1 ? text_of(bio) : NULL;

    BIO_free(bio);
    return text;
}
