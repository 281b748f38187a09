/* Text formats of signatures. Verification builds the text that signing would
 * have built and compares it, or is as strict: a file with one right reading
 * has no byte that may be changed. */
#include "accountd/note.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64           sodium_base64_VARIANT_ORIGINAL
#define NOTE_DASH        "\xe2\x80\x94 "  /* U+2014, as signed-note has it */
#define NOTE_ALG_ED25519 0x01
#define NOTE_ID_BYTES    4
#define PROOF_HEADER     "c2sp.org/tlog-proof@v1\nindex "
#define UNTRUSTED        "untrusted comment: "
#define TRUSTED          "trusted comment: "
#define TRUSTED_MAX      256

/* A printf into fresh memory; NULL when there is none. */
static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *fmt, ...)
{
    char *text;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

char *note_base64(const void *bytes, size_t len)
{
    size_t text_bytes = sodium_base64_encoded_len(len, BASE64);
    char *text = malloc(text_bytes);

    return text ? sodium_bin2base64(text, text_bytes, bytes, len, BASE64) : NULL;
}

/* Exactly `bytes` bytes from exactly text_len characters, spelled the one
 * right way. Encoding again is the check: libsodium 1.0.18 reads some bytes
 * above 0x7f as digits. */
static bool unbase64(const char *text, size_t text_len, uint8_t *out, size_t bytes)
{
    char *again;
    size_t got;
    bool same;

    if (sodium_base642bin(out, bytes, text, text_len, NULL, &got, NULL, BASE64) != 0 || got != bytes)
        return false;
    again = note_base64(out, bytes);
    same = again && strlen(again) == text_len && memcmp(again, text, text_len) == 0;
    free(again);
    return same;
}

static void note_id(const char *name, const struct note_key *key, uint8_t id[NOTE_ID_BYTES])
{
    crypto_hash_sha256_state state;
    uint8_t hash[32];

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
    crypto_hash_sha256_update(&state, (const uint8_t[]){ '\n', NOTE_ALG_ED25519 }, 2);
    crypto_hash_sha256_update(&state, key->public_key, NOTE_PUBLIC_BYTES);
    crypto_hash_sha256_final(&state, hash);
    memcpy(id, hash, NOTE_ID_BYTES);
}

char *note_vkey(const char *name, const struct note_key *key)
{
    uint8_t id[NOTE_ID_BYTES], bytes[1 + NOTE_PUBLIC_BYTES] = { NOTE_ALG_ED25519 };
    char *text, *encoded;

    note_id(name, key, id);
    memcpy(bytes + 1, key->public_key, NOTE_PUBLIC_BYTES);
    encoded = note_base64(bytes, sizeof(bytes));
    text = encoded ? format("%s+%02x%02x%02x%02x+%s", name, id[0], id[1], id[2], id[3], encoded) : NULL;
    free(encoded);
    return text;
}

bool note_vkey_parse(const char *vkey, char *name, size_t name_bytes, struct note_key *key)
{
    const char *plus = strchr(vkey, '+');
    const char *encoded = plus ? strchr(plus + 1, '+') : NULL;
    uint8_t bytes[1 + NOTE_PUBLIC_BYTES];
    char *again;
    bool same;

    if (!encoded || (size_t)(plus - vkey) >= name_bytes ||
        !unbase64(encoded + 1, strlen(encoded + 1), bytes, sizeof(bytes)))
        return false;
    memcpy(name, vkey, (size_t)(plus - vkey));
    name[plus - vkey] = 0;
    memset(key, 0, sizeof(*key));
    memcpy(key->public_key, bytes + 1, NOTE_PUBLIC_BYTES);
    again = note_vkey(name, key);
    same = again && strcmp(again, vkey) == 0;
    free(again);
    return same;
}

static char *checkpoint_text(const char *origin, uint64_t size, const struct chain_hash *root)
{
    char *encoded = note_base64(root->bytes, CHAIN_HASH_BYTES);
    char *text = encoded ? format("%s\n%ju\n%s\n", origin, (uintmax_t)size, encoded) : NULL;

    free(encoded);
    return text;
}

char *note_checkpoint(const char *origin, uint64_t size, const struct chain_hash *root, const struct note_key *key)
{
    char *text = checkpoint_text(origin, size, root), *encoded, *note;
    uint8_t bytes[NOTE_ID_BYTES + NOTE_SIG_BYTES];

    if (!text)
        return NULL;
    note_id(origin, key, bytes);
    crypto_sign_detached(bytes + NOTE_ID_BYTES, NULL, (const uint8_t *)text, strlen(text), key->secret_key);
    encoded = note_base64(bytes, sizeof(bytes));
    note = encoded ? format("%s\n" NOTE_DASH "%s %s\n", text, origin, encoded) : NULL;
    free(encoded);
    free(text);
    return note;
}

/* A decimal number and its newline, spelled the one right way. */
static const char *take_number(const char *at, uint64_t *out)
{
    char digits[21];
    size_t len = strspn(at, "0123456789");
    unsigned __int128 value;

    if (len >= sizeof(digits) || at[len] != '\n')
        return NULL;
    memcpy(digits, at, len);
    digits[len] = 0;
    if (!json_u128_parse(digits, &value) || value > UINT64_MAX)
        return NULL;
    *out = (uint64_t)value;
    return at + len + 1;
}

static const char *take_hash(const char *at, struct chain_hash *out)
{
    size_t len = strcspn(at, "\n");

    return at[len] == '\n' && unbase64(at, len, out->bytes, CHAIN_HASH_BYTES) ? at + len + 1 : NULL;
}

static const char *take_text(const char *at, const char *text)
{
    size_t len = strlen(text);

    return at && strncmp(at, text, len) == 0 ? at + len : NULL;
}

static bool verify_signature(const char *at, const char *note, size_t text_len, const char *origin,
                             const struct note_key *key)
{
    uint8_t bytes[NOTE_ID_BYTES + NOTE_SIG_BYTES], id[NOTE_ID_BYTES];
    size_t len = strcspn(at, "\n");

    note_id(origin, key, id);
    return at[len] == '\n' && at[len + 1] == 0 && unbase64(at, len, bytes, sizeof(bytes)) &&
           memcmp(bytes, id, NOTE_ID_BYTES) == 0 &&
           crypto_sign_verify_detached(bytes + NOTE_ID_BYTES, (const uint8_t *)note, text_len, key->public_key) == 0;
}

bool note_checkpoint_open(const char *note, const char *origin, const struct note_key *key, uint64_t *size,
                          struct chain_hash *root, struct json_why *why)
{
    const char *at = take_text(take_text(note, origin), "\n"), *signature;
    size_t text_len;

    if (at)
        at = take_number(at, size);
    if (at)
        at = take_hash(at, root);
    text_len = at ? (size_t)(at - note) : 0;
    signature = take_text(take_text(take_text(at, "\n" NOTE_DASH), origin), " ");
    if (!signature) {
        snprintf(why->text, sizeof(why->text), "not a checkpoint of %.100s", origin);
        return false;
    }
    if (verify_signature(signature, note, text_len, origin, key))
        return true;
    snprintf(why->text, sizeof(why->text), "the log key's signature does not fit");
    return false;
}

char *note_proof(uint64_t index, const struct chain_hash *proof, unsigned proof_len, const char *checkpoint)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return NULL;
    fprintf(out, PROOF_HEADER "%ju\n", (uintmax_t)index);
    for (unsigned i = 0; i < proof_len; i++) {
        char *encoded = note_base64(proof[i].bytes, CHAIN_HASH_BYTES);

        fprintf(out, "%s\n", encoded ? encoded : "");
        free(encoded);
    }
    fprintf(out, "\n%s", checkpoint);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

bool note_proof_parse(const char *text, uint64_t *index, struct chain_hash proof[static CHAIN_PROOF_MAX],
                      unsigned *proof_len, const char **checkpoint)
{
    const char *at = take_text(text, PROOF_HEADER);

    if (at)
        at = take_number(at, index);
    for (*proof_len = 0; at && *at != '\n'; (*proof_len)++) {
        if (*proof_len == CHAIN_PROOF_MAX)
            return false;
        at = take_hash(at, &proof[*proof_len]);
    }
    if (!at)
        return false;
    *checkpoint = at + 1;
    return true;
}

static void minisign_id(const struct note_key *key, uint8_t id[NOTE_KEY_ID_BYTES])
{
    uint8_t hash[32];

    crypto_hash_sha256(hash, key->public_key, NOTE_PUBLIC_BYTES);
    memcpy(id, hash, NOTE_KEY_ID_BYTES);
}

/* minisign prints its key ids as little-endian numbers. */
static void id_text(const uint8_t id[NOTE_KEY_ID_BYTES], char text[static 17])
{
    for (int i = 0; i < NOTE_KEY_ID_BYTES; i++)
        sprintf(text + 2 * i, "%02X", id[NOTE_KEY_ID_BYTES - 1 - i]);
}

/* "Ed", key id, then the key or the signature. */
static char *minisign_blob(const struct note_key *key, const uint8_t *payload, size_t len)
{
    uint8_t bytes[2 + NOTE_KEY_ID_BYTES + NOTE_SIG_BYTES] = { 'E', 'd' };

    minisign_id(key, bytes + 2);
    memcpy(bytes + 2 + NOTE_KEY_ID_BYTES, payload, len);
    return note_base64(bytes, 2 + NOTE_KEY_ID_BYTES + len);
}

static char *minisig_text(const struct note_key *key, const uint8_t sig[NOTE_SIG_BYTES],
                          const uint8_t global[NOTE_SIG_BYTES], const char *trusted_comment)
{
    uint8_t id[NOTE_KEY_ID_BYTES];
    char hex[17], *first, *second, *text = NULL;

    minisign_id(key, id);
    id_text(id, hex);
    first = minisign_blob(key, sig, NOTE_SIG_BYTES);
    second = note_base64(global, NOTE_SIG_BYTES);
    if (first && second)
        text = format(UNTRUSTED "signature by key %s\n%s\n" TRUSTED "%s\n%s\n", hex, first, trusted_comment, second);
    free(first);
    free(second);
    return text;
}

/* What the second signature covers: the first one and the comment. */
static size_t global_message(uint8_t message[NOTE_SIG_BYTES + TRUSTED_MAX], const uint8_t sig[NOTE_SIG_BYTES],
                             const char *trusted_comment)
{
    size_t len = strlen(trusted_comment);

    memcpy(message, sig, NOTE_SIG_BYTES);
    memcpy(message + NOTE_SIG_BYTES, trusted_comment, len);
    return NOTE_SIG_BYTES + len;
}

char *note_minisig(const void *file, size_t len, const char *trusted_comment, const struct note_key *key)
{
    uint8_t sig[NOTE_SIG_BYTES], global[NOTE_SIG_BYTES], message[NOTE_SIG_BYTES + TRUSTED_MAX];

    if (strlen(trusted_comment) >= TRUSTED_MAX)
        return NULL;
    crypto_sign_detached(sig, NULL, file, len, key->secret_key);
    crypto_sign_detached(global, NULL, message, global_message(message, sig, trusted_comment), key->secret_key);
    return minisig_text(key, sig, global, trusted_comment);
}

/* The four lines of a signature file, terminated, in `copy`. */
static bool split_lines(char *copy, char *line[4])
{
    for (int i = 0; i < 4; i++) {
        char *end = strchr(copy, '\n');

        if (!end)
            return false;
        *end = 0;
        line[i] = copy;
        copy = end + 1;
    }
    return *copy == 0;
}

static bool minisig_check(char *line[4], const char *sig, const void *file, size_t len, const struct note_key *key)
{
    uint8_t blob[2 + NOTE_KEY_ID_BYTES + NOTE_SIG_BYTES], global[NOTE_SIG_BYTES];
    uint8_t message[NOTE_SIG_BYTES + TRUSTED_MAX];
    const uint8_t *first = blob + 2 + NOTE_KEY_ID_BYTES;
    const char *comment = take_text(line[2], TRUSTED);
    char *again;
    bool same;

    if (!comment || strlen(comment) >= TRUSTED_MAX || !unbase64(line[1], strlen(line[1]), blob, sizeof(blob)) ||
        !unbase64(line[3], strlen(line[3]), global, sizeof(global)))
        return false;
    if (crypto_sign_verify_detached(first, file, len, key->public_key) != 0 ||
        crypto_sign_verify_detached(global, message, global_message(message, first, comment), key->public_key) != 0)
        return false;
    again = minisig_text(key, first, global, comment);
    same = again && strcmp(again, sig) == 0;
    free(again);
    return same;
}

bool note_minisig_verify(const char *sig, const void *file, size_t len, const struct note_key *key)
{
    char *copy = strdup(sig), *line[4];
    bool good = copy && split_lines(copy, line) && minisig_check(line, sig, file, len, key);

    free(copy);
    return good;
}

char *note_minisign_key(const struct note_key *key)
{
    uint8_t id[NOTE_KEY_ID_BYTES];
    char hex[17], *encoded = minisign_blob(key, key->public_key, NOTE_PUBLIC_BYTES), *text;

    minisign_id(key, id);
    id_text(id, hex);
    text = encoded ? format(UNTRUSTED "minisign public key %s\n%s\n", hex, encoded) : NULL;
    free(encoded);
    return text;
}

bool note_minisign_key_parse(const char *text, struct note_key *key)
{
    uint8_t blob[2 + NOTE_KEY_ID_BYTES + NOTE_PUBLIC_BYTES];
    const char *line = strchr(text, '\n');
    char *again;
    bool same;

    if (!line || !unbase64(line + 1, strcspn(line + 1, "\n"), blob, sizeof(blob)))
        return false;
    memset(key, 0, sizeof(*key));
    memcpy(key->public_key, blob + 2 + NOTE_KEY_ID_BYTES, NOTE_PUBLIC_BYTES);
    again = note_minisign_key(key);
    same = again && strcmp(again, text) == 0;
    free(again);
    return same;
}

char *note_pem(const struct note_key *key)
{
    /* RFC 8410 section 4: SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING key }. */
    uint8_t der[12 + NOTE_PUBLIC_BYTES] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
    char *encoded, *text;

    memcpy(der + 12, key->public_key, NOTE_PUBLIC_BYTES);
    encoded = note_base64(der, sizeof(der));
    text = encoded ? format("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", encoded) : NULL;
    free(encoded);
    return text;
}
