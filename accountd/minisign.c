/* minisign's and openssl's formats of keys and signatures. As in note.c:
 * verification builds the text that signing would have built. */
#include "accountd/note.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNTRUSTED   "untrusted comment: "
#define TRUSTED     "trusted comment: "
#define TRUSTED_MAX 256

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
    if (first && second && asprintf(&text, UNTRUSTED "signature by key %s\n%s\n" TRUSTED "%s\n%s\n", hex, first,
                                    trusted_comment, second) < 0)
        text = NULL;
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
    const char *comment = strncmp(line[2], TRUSTED, strlen(TRUSTED)) == 0 ? line[2] + strlen(TRUSTED) : NULL;
    char *again;
    bool same;

    if (!comment || strlen(comment) >= TRUSTED_MAX || !note_unbase64(line[1], strlen(line[1]), blob, sizeof(blob)) ||
        !note_unbase64(line[3], strlen(line[3]), global, sizeof(global)))
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
    char hex[17], *encoded = minisign_blob(key, key->public_key, NOTE_PUBLIC_BYTES), *text = NULL;

    minisign_id(key, id);
    id_text(id, hex);
    if (encoded && asprintf(&text, UNTRUSTED "minisign public key %s\n%s\n", hex, encoded) < 0)
        text = NULL;
    free(encoded);
    return text;
}

bool note_minisign_key_parse(const char *text, struct note_key *key)
{
    uint8_t blob[2 + NOTE_KEY_ID_BYTES + NOTE_PUBLIC_BYTES];
    const char *line = strchr(text, '\n');
    char *again;
    bool same;

    if (!line || !note_unbase64(line + 1, strcspn(line + 1, "\n"), blob, sizeof(blob)))
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
    char *encoded, *text = NULL;

    memcpy(der + 12, key->public_key, NOTE_PUBLIC_BYTES);
    encoded = note_base64(der, sizeof(der));
    if (encoded && asprintf(&text, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", encoded) < 0)
        text = NULL;
    free(encoded);
    return text;
}
