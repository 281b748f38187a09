/* SSHSIG. Verification writes the armor again around the signature that it found, and compares. */
#include "accountd/paper/sshsig.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN        "-----BEGIN SSH SIGNATURE-----\n"
#define END          "-----END SSH SIGNATURE-----\n"
#define LINE         70                 /* as ssh-keygen folds */
#define BLOB_MAX     512
#define NAMESPACE_MAX 256
#define KEY_TYPE     "ssh-ed25519"
#define BASE64       sodium_base64_VARIANT_ORIGINAL

struct blob {
    uint8_t bytes[BLOB_MAX];
    size_t len;
};

static void put(struct blob *b, const void *bytes, size_t len)
{
    memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
}

static void put_u32(struct blob *b, uint32_t value)
{
    put(b, (uint8_t[]){ (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value }, 4);
}

/* RFC 4251's string: its length, its bytes. */
static void put_string(struct blob *b, const void *bytes, size_t len)
{
    put_u32(b, (uint32_t)len);
    put(b, bytes, len);
}

static void put_text(struct blob *b, const char *text)
{
    put_string(b, text, strlen(text));
}

static struct blob public_key(const struct note_key *key)
{
    struct blob b = { .len = 0 };

    put_text(&b, KEY_TYPE);
    put_string(&b, key->public_key, NOTE_PUBLIC_BYTES);
    return b;
}

/* What is signed: the file's hash, bound to the namespace. */
static struct blob to_be_signed(const void *bytes, size_t len, const char *namespace)
{
    struct blob b = { .len = 0 };
    uint8_t hash[crypto_hash_sha512_BYTES];

    crypto_hash_sha512(hash, bytes, len);
    put(&b, "SSHSIG", 6);
    put_text(&b, namespace);
    put_text(&b, "");
    put_text(&b, "sha512");
    put_string(&b, hash, sizeof(hash));
    return b;
}

static struct blob signature_blob(const char *namespace, const struct note_key *key,
                                  const uint8_t sig[static NOTE_SIG_BYTES])
{
    struct blob b = { .len = 0 }, type = { .len = 0 }, public = public_key(key);

    put_text(&type, KEY_TYPE);
    put_string(&type, sig, NOTE_SIG_BYTES);
    put(&b, "SSHSIG", 6);
    put_u32(&b, 1);
    put_string(&b, public.bytes, public.len);
    put_text(&b, namespace);
    put_text(&b, "");
    put_text(&b, "sha512");
    put_string(&b, type.bytes, type.len);
    return b;
}

static char *armor(const struct blob *b)
{
    char *encoded = note_base64(b->bytes, b->len), *text = NULL;
    size_t len;
    FILE *out = encoded ? open_memstream(&text, &len) : NULL;

    if (out) {
        fputs(BEGIN, out);
        for (const char *at = encoded; *at; at += strnlen(at, LINE))
            fprintf(out, "%.*s\n", LINE, at);
        fputs(END, out);
        if (fclose(out)) {
            free(text);
            text = NULL;
        }
    }
    free(encoded);
    return text;
}

char *paper_sshsig(const void *bytes, size_t len, const char *namespace, const struct note_key *key)
{
    struct blob message, blob;
    uint8_t sig[NOTE_SIG_BYTES];

    if (strlen(namespace) > NAMESPACE_MAX)
        return NULL;
    message = to_be_signed(bytes, len, namespace);
    crypto_sign_detached(sig, NULL, message.bytes, message.len, key->secret_key);
    blob = signature_blob(namespace, key, sig);
    return armor(&blob);
}

/* The signature is the blob's last field. */
static bool last_bytes(const char *sig, size_t blob_len, uint8_t out[static NOTE_SIG_BYTES])
{
    uint8_t blob[BLOB_MAX];
    const char *at = strncmp(sig, BEGIN, strlen(BEGIN)) == 0 ? sig + strlen(BEGIN) : NULL;
    const char *end = at ? strstr(at, END) : NULL;
    size_t got;

    if (!end || sodium_base642bin(blob, sizeof(blob), at, (size_t)(end - at), "\n", &got, NULL, BASE64) != 0 ||
        got != blob_len)
        return false;
    memcpy(out, blob + got - NOTE_SIG_BYTES, NOTE_SIG_BYTES);
    return true;
}

bool paper_sshsig_verify(const char *sig, const void *bytes, size_t len, const char *namespace,
                         const struct note_key *key)
{
    uint8_t raw[NOTE_SIG_BYTES] = { 0 };
    struct blob blob, message;
    char *again;
    bool same;

    if (strlen(namespace) > NAMESPACE_MAX)
        return false;
    blob = signature_blob(namespace, key, raw);
    if (!last_bytes(sig, blob.len, raw))
        return false;
    blob = signature_blob(namespace, key, raw);
    again = armor(&blob);
    same = again && strcmp(again, sig) == 0;
    free(again);
    message = to_be_signed(bytes, len, namespace);
    return same && crypto_sign_verify_detached(raw, message.bytes, message.len, key->public_key) == 0;
}

char *paper_ssh_allowed(const char *principal, const char *namespace, const struct note_key *key)
{
    struct blob public = public_key(key);
    char *encoded = note_base64(public.bytes, public.len), *line = NULL;

    if (encoded && asprintf(&line, "%s namespaces=\"%s\" " KEY_TYPE " %s\n", principal, namespace, encoded) < 0)
        line = NULL;
    free(encoded);
    return line;
}
