/* Signatures: C2SP signed notes and checkpoints for the log, minisign's format
 * for invoices. Pure, but for the keys handed in.
 *
 * One key, one purpose: the log key signs checkpoints and nothing else, the
 * invoice key signs files and nothing else.
 */
#ifndef ACCOUNTD_NOTE_H
#define ACCOUNTD_NOTE_H

#include "accountd/chain.h"

#define NOTE_PUBLIC_BYTES 32
#define NOTE_SECRET_BYTES 64
#define NOTE_SIG_BYTES    64
#define NOTE_KEY_ID_BYTES 8             /* minisign's; a note uses 4 of its own */

struct note_key {
    uint8_t public_key[NOTE_PUBLIC_BYTES];
    uint8_t secret_key[NOTE_SECRET_BYTES];  /* zero in a verifier */
};

/* A note's kinds of signature: its own, and a witness's (C2SP tlog-cosignature, "cosignature/v1"). */
enum note_alg { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };

/* "NAME+hex+base64": a signed note's verifier key. malloc'd. */
char *note_vkey(const char *name, const struct note_key *key);
bool note_vkey_parse(const char *vkey, char *name, size_t name_bytes, struct note_key *key);
char *note_vkey_of(const char *name, enum note_alg alg, const struct note_key *key);
bool note_vkey_parse_of(const char *vkey, enum note_alg alg, char *name, size_t name_bytes, struct note_key *key);

/* The checkpoint of origin, signed under the origin's name. malloc'd. */
char *note_checkpoint(const char *origin, uint64_t size, const struct chain_hash *root, const struct note_key *key);
/* Strict: exactly the three lines, one signature, by this key. False with the reason. */
bool note_checkpoint_open(const char *note, const char *origin, const struct note_key *key, uint64_t *size,
                          struct chain_hash *root, struct json_why *why);
/* The same while a key hands over to the next: one signature by each, in this order. */
char *note_checkpoint_by(const char *origin, uint64_t size, const struct chain_hash *root,
                         const struct note_key *const *keys, unsigned count);
bool note_checkpoint_open_by(const char *note, const char *origin, const struct note_key *const *keys, unsigned count,
                             uint64_t *size, struct chain_hash *root, struct json_why *why);

/* Anybody's checkpoint (C2SP tlog-checkpoint), as a witness gets it: extension
 * lines and signatures of other keys may be there. Checks no signature. */
struct note_checkpoint {
    char origin[128];
    uint64_t size;
    struct chain_hash root;
    size_t body_len;                    /* what is signed: up to the empty line */
};
bool note_checkpoint_read(const char *note, struct note_checkpoint *out);
/* Whether one of the note's signatures is this key's, and right. */
bool note_signed_by(const char *note, size_t body_len, const char *name, const struct note_key *key);
/* A cosignature/v1 line of the note, its newline included. malloc'd. time_s: POSIX seconds. */
char *note_cosign(const char *note, size_t body_len, const char *name, const struct note_key *key, uint64_t time_s);
bool note_cosigned_by(const char *line, const char *note, size_t body_len, const char *name, const struct note_key *key,
                      uint64_t *time_s);

/* A C2SP tlog-proof file. malloc'd. */
char *note_proof(uint64_t index, const struct chain_hash *proof, unsigned proof_len, const char *checkpoint);
/* Strict; *checkpoint points into text. */
bool note_proof_parse(const char *text, uint64_t *index, struct chain_hash proof[static CHAIN_PROOF_MAX],
                      unsigned *proof_len, const char **checkpoint);

/* minisign's legacy format (raw Ed25519 over the file itself), which
 * `minisign -V` and `signify -V` accept. malloc'd. The comment is signed too. */
char *note_minisig(const void *file, size_t len, const char *trusted_comment, const struct note_key *key);
/* Strict: only the bytes that note_minisig would have written. */
bool note_minisig_verify(const char *sig, const void *file, size_t len, const struct note_key *key);
/* The key file for both tools, and SubjectPublicKeyInfo (RFC 8410) for openssl. malloc'd. */
char *note_minisign_key(const struct note_key *key);
bool note_minisign_key_parse(const char *text, struct note_key *key);
char *note_pem(const struct note_key *key);

/* Standard base64 with padding, malloc'd. */
char *note_base64(const void *bytes, size_t len);
/* Exactly `bytes` bytes from exactly text_len characters, spelled the one right way. */
bool note_unbase64(const char *text, size_t text_len, uint8_t *out, size_t bytes);

#endif
