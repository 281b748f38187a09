/* RFC 4253 section 6.6 (RSA), RFC 5656 section 3.1 (ECDSA), RFC 8709 section 4
 * (Ed25519), OpenSSH's PROTOCOL.u2f (keys in hardware). DSA is not taken: sshd has dropped it. */
#include "api/ssh_key.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOB_BYTES_MAX 3072
#define COMMENT_BYTES_MAX 200
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384
#define POINT_UNCOMPRESSED 4            /* SEC 1, section 2.3.3 */
#define APPLICATION_BYTES_MAX 128

/* What is left of the blob. */
struct blob {
    const uint8_t *at;
    size_t left;
};

struct field {
    const uint8_t *bytes;
    size_t size;
};

/* uint32 length, bytes. False at a field that passes the end. */
static bool field_next(struct blob *blob, struct field *field)
{
    size_t size;

    if (blob->left < 4)
        return false;
    size = (size_t)blob->at[0] << 24 | (size_t)blob->at[1] << 16 | (size_t)blob->at[2] << 8 | blob->at[3];
    if (size > blob->left - 4)
        return false;
    *field = (struct field){ blob->at + 4, size };
    blob->at += 4 + size;
    blob->left -= 4 + size;
    return true;
}

static bool field_is(const struct field *field, const char *text)
{
    return field->size == strlen(text) && memcmp(field->bytes, text, field->size) == 0;
}

/* Bits of a positive mpint in its only form; 0 if it is none (RFC 4251 section 5). */
static unsigned mpint_bits(const struct field *field)
{
    const uint8_t *at = field->bytes;
    size_t size = field->size;
    unsigned bits;

    if (size == 0 || at[0] & 0x80)
        return 0;
    if (at[0] == 0) {
        if (size == 1 || !(at[1] & 0x80))
            return 0;
        at++;
        size--;
    }
    bits = 8 * (unsigned)size;
    for (uint8_t top = at[0]; !(top & 0x80); top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

static unsigned rsa_bits(struct blob *blob)
{
    struct field e, n;
    unsigned e_bits, bits;

    if (!field_next(blob, &e) || !field_next(blob, &n))
        return 0;
    e_bits = mpint_bits(&e);
    bits = mpint_bits(&n);
    if (e_bits < 2 || e_bits > 64 || !(e.bytes[e.size - 1] & 1) || !bits || !(n.bytes[n.size - 1] & 1))
        return 0;
    return bits;
}

/* What is accepted, and what the blob holds behind the type's name. RSA has no fixed size. */
static const struct key_type {
    const char *name;
    const char *curve;                  /* NULL: no name of a curve before the point */
    size_t point_bytes;
    unsigned bits;
    bool application;                   /* in hardware: an application's name follows */
} key_types[] = {
    { "ssh-ed25519", NULL, 32, 256, false },
    { "ssh-rsa", NULL, 0, 0, false },
    { "ecdsa-sha2-nistp256", "nistp256", 65, 256, false },
    { "ecdsa-sha2-nistp384", "nistp384", 97, 384, false },
    { "ecdsa-sha2-nistp521", "nistp521", 133, 521, false },
    { "sk-ssh-ed25519@openssh.com", NULL, 32, 256, true },
    { "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 65, 256, true },
};

static const struct key_type *type_find(const char *name)
{
    for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++)
        if (strcmp(key_types[i].name, name) == 0)
            return &key_types[i];
    return NULL;
}

/* The key's bits if what follows the type's name in the blob is of that type, 0 if not. */
static unsigned blob_bits(const struct key_type *type, struct blob *blob)
{
    struct field curve, point, application;

    if (!type->point_bytes)
        return rsa_bits(blob);
    if (type->curve && (!field_next(blob, &curve) || !field_is(&curve, type->curve)))
        return 0;
    if (!field_next(blob, &point) || point.size != type->point_bytes)
        return 0;
    if (type->curve && point.bytes[0] != POINT_UNCOMPRESSED)
        return 0;
    if (type->application &&
        (!field_next(blob, &application) || application.size == 0 || application.size > APPLICATION_BYTES_MAX))
        return 0;
    return type->bits;
}

static bool fail(char *why, size_t why_size, const char *text)
{
    snprintf(why, why_size, "%s", text);
    return false;
}

/* The words of the line; the comment may have spaces. */
struct words {
    const char *digits;
    int digits_len;
    const char *comment;
    int comment_len;
};

static bool words_find(const char *text, struct ssh_key *key, struct words *words, char *why, size_t why_size)
{
    size_t len, end = strlen(text);

    if (strstr(text, "PRIVATE KEY"))
        return fail(why, why_size,
                    "this is the private key, which nobody else should see: send the file that ends in .pub");
    while (end && strchr(" \t\r\n", text[end - 1]))
        end--;
    for (size_t i = 0; i < end; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return fail(why, why_size, "must be one line, without control characters");
    len = strcspn(text, " ");
    snprintf(key->type, sizeof(key->type), "%.*s", (int)(len < end ? len : end), text);
    if (!type_find(key->type))
        return fail(why, why_size, "must begin with ssh-ed25519, ssh-rsa (2048 bits or more) or ecdsa-sha2-nistp256, "
                                   "-nistp384, -nistp521: send the line of a .pub file");
    words->digits = text + len + strspn(text + len, " ");
    words->digits_len = (int)strcspn(words->digits, " ");
    words->comment = words->digits + words->digits_len + strspn(words->digits + words->digits_len, " ");
    if (words->digits_len > (int)(text + end - words->digits))
        words->digits_len = (int)(text + end - words->digits);
    words->comment_len = words->comment < text + end ? (int)(text + end - words->comment) : 0;
    if (words->digits_len <= 0)
        return fail(why, why_size, "nothing follows the type: send the whole line");
    if (words->comment_len > COMMENT_BYTES_MAX)
        return fail(why, why_size, "its comment is longer than 200 bytes");
    return true;
}

bool ssh_key_parse(const char *text, struct ssh_key *key, char *why, size_t why_size)
{
    uint8_t bytes[BLOB_BYTES_MAX], hash[crypto_hash_sha256_BYTES];
    struct words words;
    struct blob blob = { .at = bytes };
    struct field name;

    text += strspn(text, " \t\r\n");
    if (!words_find(text, key, &words, why, why_size))
        return false;
    if (sodium_base642bin(bytes, sizeof(bytes), words.digits, (size_t)words.digits_len, NULL, &blob.left, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return fail(why, why_size, "what follows the type is not base64, or too long: was the line cut?");
    crypto_hash_sha256(hash, bytes, blob.left);
    if (!field_next(&blob, &name) || !field_is(&name, key->type))
        return fail(why, why_size, "the key inside is not of the type that the line names");
    key->bits = blob_bits(type_find(key->type), &blob);
    if (!key->bits || blob.left)
        return fail(why, why_size, "the key inside is damaged: was the line cut?");
    if (strcmp(key->type, "ssh-rsa") == 0 && (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX))
        return fail(why, why_size, "an RSA key must have 2048 to 16384 bits; better: ssh-keygen -t ed25519");
    snprintf(key->line, sizeof(key->line), "%s %.*s%s%.*s", key->type, words.digits_len, words.digits,
             words.comment_len ? " " : "", words.comment_len, words.comment);
    memcpy(key->fingerprint, "SHA256:", 7);
    sodium_bin2base64(key->fingerprint + 7, sizeof(key->fingerprint) - 7, hash, sizeof(hash),
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    return true;
}
