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
#define NOTE_ID_BYTES    4
#define PROOF_HEADER     "c2sp.org/tlog-proof@v1\nindex "
#define SIGNATURES_MAX   64              /* lines of one note that we look at */

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
bool note_unbase64(const char *text, size_t text_len, uint8_t *out, size_t bytes)
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

static void note_id(const char *name, enum note_alg alg, const struct note_key *key, uint8_t id[NOTE_ID_BYTES])
{
    crypto_hash_sha256_state state;
    uint8_t hash[32];

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
    crypto_hash_sha256_update(&state, (const uint8_t[]){ '\n', (uint8_t)alg }, 2);
    crypto_hash_sha256_update(&state, key->public_key, NOTE_PUBLIC_BYTES);
    crypto_hash_sha256_final(&state, hash);
    memcpy(id, hash, NOTE_ID_BYTES);
}

char *note_vkey_of(const char *name, enum note_alg alg, const struct note_key *key)
{
    uint8_t id[NOTE_ID_BYTES], bytes[1 + NOTE_PUBLIC_BYTES] = { (uint8_t)alg };
    char *text, *encoded;

    note_id(name, alg, key, id);
    memcpy(bytes + 1, key->public_key, NOTE_PUBLIC_BYTES);
    encoded = note_base64(bytes, sizeof(bytes));
    text = encoded ? format("%s+%02x%02x%02x%02x+%s", name, id[0], id[1], id[2], id[3], encoded) : NULL;
    free(encoded);
    return text;
}

char *note_vkey(const char *name, const struct note_key *key)
{
    return note_vkey_of(name, NOTE_ED25519, key);
}

/* Signed-note: no spaces and no plus in a key's name. */
static bool is_name(const char *name)
{
    return *name && strcspn(name, " \t\r\n+") == strlen(name);
}

bool note_vkey_parse_of(const char *vkey, enum note_alg alg, char *name, size_t name_bytes, struct note_key *key)
{
    const char *plus = strchr(vkey, '+');
    const char *encoded = plus ? strchr(plus + 1, '+') : NULL;
    uint8_t bytes[1 + NOTE_PUBLIC_BYTES];
    char *again;
    bool same;

    if (!encoded || (size_t)(plus - vkey) >= name_bytes ||
        !note_unbase64(encoded + 1, strlen(encoded + 1), bytes, sizeof(bytes)))
        return false;
    memcpy(name, vkey, (size_t)(plus - vkey));
    name[plus - vkey] = 0;
    memset(key, 0, sizeof(*key));
    memcpy(key->public_key, bytes + 1, NOTE_PUBLIC_BYTES);
    again = note_vkey_of(name, alg, key);
    same = again && strcmp(again, vkey) == 0 && is_name(name);
    free(again);
    return same;
}

bool note_vkey_parse(const char *vkey, char *name, size_t name_bytes, struct note_key *key)
{
    return note_vkey_parse_of(vkey, NOTE_ED25519, name, name_bytes, key);
}

static char *checkpoint_text(const char *origin, uint64_t size, const struct chain_hash *root)
{
    char *encoded = note_base64(root->bytes, CHAIN_HASH_BYTES);
    char *text = encoded ? format("%s\n%ju\n%s\n", origin, (uintmax_t)size, encoded) : NULL;

    free(encoded);
    return text;
}

/* "— NAME base64(id || payload)\n" */
static char *signature_line(const char *name, const uint8_t *bytes, size_t len)
{
    char *encoded = note_base64(bytes, len);
    char *line = encoded ? format(NOTE_DASH "%s %s\n", name, encoded) : NULL;

    free(encoded);
    return line;
}

static char *sign_line(const char *body, const char *name, const struct note_key *key)
{
    uint8_t bytes[NOTE_ID_BYTES + NOTE_SIG_BYTES];

    note_id(name, NOTE_ED25519, key, bytes);
    crypto_sign_detached(bytes + NOTE_ID_BYTES, NULL, (const uint8_t *)body, strlen(body), key->secret_key);
    return signature_line(name, bytes, sizeof(bytes));
}

char *note_checkpoint_by(const char *origin, uint64_t size, const struct chain_hash *root,
                         const struct note_key *const *keys, unsigned count)
{
    char *body = checkpoint_text(origin, size, root);
    char *note = body ? format("%s\n", body) : NULL;

    for (unsigned i = 0; note && i < count; i++) {
        char *line = sign_line(body, origin, keys[i]);
        char *longer = line ? format("%s%s", note, line) : NULL;

        free(line);
        free(note);
        note = longer;
    }
    free(body);
    return note;
}

char *note_checkpoint(const char *origin, uint64_t size, const struct chain_hash *root, const struct note_key *key)
{
    return note_checkpoint_by(origin, size, root, &key, 1);
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

    return at[len] == '\n' && note_unbase64(at, len, out->bytes, CHAIN_HASH_BYTES) ? at + len + 1 : NULL;
}

static const char *take_text(const char *at, const char *text)
{
    size_t len = strlen(text);

    return at && strncmp(at, text, len) == 0 ? at + len : NULL;
}

/* The signature line at `at`, spelled the one right way, by this key; the end of it, or NULL. */
static const char *take_signature(const char *at, const char *note, size_t body_len, const char *name,
                                  const struct note_key *key)
{
    uint8_t bytes[NOTE_ID_BYTES + NOTE_SIG_BYTES], id[NOTE_ID_BYTES];
    size_t len;

    at = take_text(take_text(take_text(at, NOTE_DASH), name), " ");
    len = at ? strcspn(at, "\n") : 0;
    note_id(name, NOTE_ED25519, key, id);
    return at && at[len] == '\n' && note_unbase64(at, len, bytes, sizeof(bytes)) &&
           memcmp(bytes, id, NOTE_ID_BYTES) == 0 &&
           crypto_sign_verify_detached(bytes + NOTE_ID_BYTES, (const uint8_t *)note, body_len, key->public_key) == 0
           ? at + len + 1 : NULL;
}

bool note_checkpoint_open_by(const char *note, const char *origin, const struct note_key *const *keys, unsigned count,
                             uint64_t *size, struct chain_hash *root, struct json_why *why)
{
    const char *at = take_text(take_text(note, origin), "\n");
    size_t body_len;

    if (at)
        at = take_number(at, size);
    if (at)
        at = take_hash(at, root);
    body_len = at ? (size_t)(at - note) : 0;
    at = take_text(at, "\n");
    if (!at) {
        snprintf(why->text, sizeof(why->text), "not a checkpoint of %.100s", origin);
        return false;
    }
    for (unsigned i = 0; at && i < count; i++)
        at = take_signature(at, note, body_len, origin, keys[i]);
    if (at && *at == 0 && count)
        return true;
    snprintf(why->text, sizeof(why->text), "the log key's signature does not fit");
    return false;
}

bool note_checkpoint_open(const char *note, const char *origin, const struct note_key *key, uint64_t *size,
                          struct chain_hash *root, struct json_why *why)
{
    return note_checkpoint_open_by(note, origin, &key, 1, size, root, why);
}

bool note_checkpoint_read(const char *note, struct note_checkpoint *out)
{
    size_t len = strcspn(note, "\n");
    const char *at = note + len, *blank = strstr(note, "\n\n");

    if (len == 0 || len >= sizeof(out->origin) || *at != '\n' || !blank)
        return false;
    memcpy(out->origin, note, len);
    out->origin[len] = 0;
    at = take_number(at + 1, &out->size);
    at = at ? take_hash(at, &out->root) : NULL;
    /* Extension lines, if there are any, are signed with the rest. */
    if (!at || at > blank + 1)
        return false;
    out->body_len = (size_t)(blank + 1 - note);
    return blank[2] != 0;
}

bool note_signed_by(const char *note, size_t body_len, const char *name, const struct note_key *key)
{
    const char *at = note + body_len + 1;

    for (unsigned i = 0; *at && i < SIGNATURES_MAX; i++) {
        if (take_signature(at, note, body_len, name, key))
            return true;
        at = strchr(at, '\n');
        if (!at)
            return false;
        at++;
    }
    return false;
}

/* What a cosignature signs: the time, and the note's body. */
static char *cosigned_text(const char *note, size_t body_len, uint64_t time_s)
{
    return format("cosignature/v1\ntime %ju\n%.*s", (uintmax_t)time_s, (int)body_len, note);
}

char *note_cosign(const char *note, size_t body_len, const char *name, const struct note_key *key, uint64_t time_s)
{
    uint8_t bytes[NOTE_ID_BYTES + 8 + NOTE_SIG_BYTES];
    char *text = cosigned_text(note, body_len, time_s);

    if (!text)
        return NULL;
    note_id(name, NOTE_COSIGNATURE, key, bytes);
    for (int i = 0; i < 8; i++)
        bytes[NOTE_ID_BYTES + i] = (uint8_t)(time_s >> (56 - 8 * i));
    crypto_sign_detached(bytes + NOTE_ID_BYTES + 8, NULL, (const uint8_t *)text, strlen(text), key->secret_key);
    free(text);
    return signature_line(name, bytes, sizeof(bytes));
}

bool note_cosigned_by(const char *line, const char *note, size_t body_len, const char *name, const struct note_key *key,
                      uint64_t *time_s)
{
    uint8_t bytes[NOTE_ID_BYTES + 8 + NOTE_SIG_BYTES], id[NOTE_ID_BYTES];
    const char *at = take_text(take_text(take_text(line, NOTE_DASH), name), " ");
    size_t len = at ? strcspn(at, "\n") : 0;
    char *text;
    bool good;

    note_id(name, NOTE_COSIGNATURE, key, id);
    if (!at || strcmp(at + len, "\n") != 0 || !note_unbase64(at, len, bytes, sizeof(bytes)) ||
        memcmp(bytes, id, NOTE_ID_BYTES) != 0)
        return false;
    for (int i = *time_s = 0; i < 8; i++)
        *time_s = *time_s << 8 | bytes[NOTE_ID_BYTES + i];
    if (*time_s > INT64_MAX)
        return false;
    text = cosigned_text(note, body_len, *time_s);
    good = text && crypto_sign_verify_detached(bytes + NOTE_ID_BYTES + 8, (const uint8_t *)text, strlen(text),
                                               key->public_key) == 0;
    free(text);
    return good;
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

