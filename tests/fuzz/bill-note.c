/* Checkpoints, proofs, signatures and key files out of foreign bytes. No
 * mutation of what one key signed is accepted, unless nothing was changed. */
#include "accountd/keys.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "checkpoints, proofs, signatures, keys";

const char *const fuzz_seeds[] = {
    "h/usage/e1\n7\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 h/usage/e1 AAAAAAAA\n",
    "c2sp.org/tlog-proof@v1\nindex 3\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nh/usage/e1\n7\n",
    "untrusted comment: signature by key 00\nRWQ=\ntrusted comment: x\nAAAA\n",
    "untrusted comment: minisign public key 9FED41E9DBA0B3F9\nRWT5s6Db6UHtn65gPwRo2UCH6bm/IKg0dNEPbxK488XnXSiGPmFsdmvE\n",
    "# Public keys of h: one key, one purpose.\n# log: signs checkpoints (C2SP signed note, Ed25519).\n"
    "h/usage/e1+fce5d0d3+ATblRVckbrMW+ILVoQtCf+DD+8gQNonwqnlNNwylMItE\n",
    "# Public keys of h: one key, one purpose.\n# log: signs checkpoints (C2SP signed note, Ed25519).\n"
    "h/usage/e1+fce5d0d3+ATblRVckbrMW+ILVoQtCf+DD+8gQNonwqnlNNwylMItE\n"
    "# all: purpose, valid from so many leaves, until so many (- still valid), key.\n"
    "log 0 - h/usage/e1+fce5d0d3+ATblRVckbrMW+ILVoQtCf+DD+8gQNonwqnlNNwylMItE\n"
    "invoice 0 7 RWT5s6Db6UHtn65gPwRo2UCH6bm/IKg0dNEPbxK488XnXSiGPmFsdmvE\n# invoice: signs files\n",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    NULL,
};

static struct note_key key;

static void make_key(void)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

    if (sodium_init() < 0)
        abort();
    crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
}

/* Signs something, changes it by the input, and must find that out. */
static void forge(const char *text, size_t size)
{
    struct chain_hash root = { { 1 } }, got;
    char *note = note_checkpoint("h/usage/e1", 7, &root, &key), *changed = strdup(note);
    size_t at = size ? (unsigned char)text[0] % strlen(note) : 0;
    struct json_why why;
    uint64_t tree_size;

    for (size_t i = 0; i < size && changed[at + i]; i++)
        changed[at + i] = text[i] ? text[i] : 1;
    if (strcmp(note, changed) != 0 && note_checkpoint_open(changed, "h/usage/e1", &key, &tree_size, &got, &why))
        abort();
    free(note);
    free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = strndup((const char *)bytes, size), name[64];
    struct chain_hash root, proof[CHAIN_PROOF_MAX];
    struct note_checkpoint head;
    const char *checkpoint;
    struct json_why why;
    struct keys keys;
    struct note_key parsed;
    uint64_t number;
    unsigned len;

    if (key.secret_key[0] == 0)
        make_key();
    if (note_checkpoint_open(text, "h/usage/e1", &key, &number, &root, &why) ||
        note_minisig_verify(text, "file", 4, &key))
        abort();
    if (note_proof_parse(text, &number, proof, &len, &checkpoint) && len > CHAIN_PROOF_MAX)
        abort();
    if (note_checkpoint_read(text, &head) &&
        (head.body_len > strlen(text) || note_signed_by(text, head.body_len, head.origin, &key)))
        abort();
    if (note_cosigned_by(text, "h/usage/e1\n7\n\n", 13, "w", &key, &number))
        abort();
    note_vkey_parse(text, name, sizeof(name), &parsed);
    note_vkey_parse_of(text, NOTE_COSIGNATURE, name, sizeof(name), &parsed);
    note_minisign_key_parse(text, &parsed);
    keys_parse(text, &keys, name, sizeof(name));
    forge(text, strlen(text));
    free(text);
    return 0;
}
