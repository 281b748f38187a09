/* The log keys and invoice keys of a host, one purpose each, and from which
 * size of the log to which each is valid.
 *
 * The first two are made at the first start. A rotation (log/rotate.h) makes
 * the next one, whose `key` leaf is in the log that it takes over; for a while
 * checkpoints carry both signatures. keys.txt lists them all; an offline root
 * key (minisign's format) signs that file. */
#ifndef ACCOUNTD_KEYS_H
#define ACCOUNTD_KEYS_H

#include "accountd/note.h"

#define KEYS_MAX     32                 /* of each purpose */
#define KEYS_OVERLAP 2                  /* log keys that sign one checkpoint */
#define KEYS_FOREVER UINT64_MAX

/* Valid for trees of from <= size < until leaves. from == until: made, and not in use yet. */
struct keys_span {
    struct note_key key;
    uint64_t from, until;
};

struct keys {
    struct note_key log, invoice;       /* the newest in use */
    struct keys_span logs[KEYS_MAX], invoices[KEYS_MAX];
    unsigned logs_count, invoices_count;
};

enum keys_purpose { KEYS_LOG, KEYS_INVOICE };
const char *keys_purpose_name(enum keys_purpose purpose);      /* "log", "invoice" */
bool keys_purpose_parse(const char *name, enum keys_purpose *purpose);

/* Loads log.key, log-2.key, ... and invoice.key, ... from the directory, making
 * the first of each if it is missing (mode 0600, durable before it returns).
 * The newest are in use until keys_begin and keys_hand_over say more. -1 after logging. */
int keys_open(const char *dir, struct keys *keys);
/* The key after the newest in use: one that is there and not in use, or a new one. -1 after logging. */
int keys_next(const char *dir, struct keys *keys, enum keys_purpose purpose, struct note_key *key);

/* What the log says: the key it began with (NULL: the first), and each hand-over:
 * valid from size `from` on, the one before it until `until`. -1: it is not among them, or out of order. */
int keys_begin(struct keys *keys, enum keys_purpose purpose, const struct note_key *key);
int keys_hand_over(struct keys *keys, enum keys_purpose purpose, const struct note_key *key, uint64_t from,
                   uint64_t until);

/* Those valid for a tree of `size` leaves, oldest first; how many. Pointers into keys. */
unsigned keys_find_log(const struct keys *keys, uint64_t size, const struct note_key *out[static KEYS_OVERLAP]);
/* The invoice key that signs what is made of a tree of `size` leaves, or NULL. */
const struct note_key *keys_find_invoice(const struct keys *keys, uint64_t size);
/* As they were known when the log had `size` leaves: a bundle made again later is the same. */
void keys_as_of(const struct keys *keys, uint64_t size, struct keys *out);

/* keys.txt, as bundles carry it and xs-verify --key reads it. malloc'd. The
 * third line is the newest log key, the last two the newest invoice key; while
 * there was no rotation that is all (v1), otherwise between them one line
 * "PURPOSE FROM UNTIL KEY" for each (v2; UNTIL "-": still valid). */
char *keys_text(const struct keys *keys, const char *host, const char *origin);
/* Reads keys.txt; the log key's name is the log's origin. False unless it is exactly what keys_text writes. */
bool keys_parse(const char *text, struct keys *keys, char *origin, size_t origin_bytes);

/* 32 random bytes kept as DIR/NAME, made if they are missing: what other secrets of the host are derived from. */
#define KEYS_SEED_BYTES 32
int keys_seed(const char *dir, const char *name, uint8_t seed[static KEYS_SEED_BYTES]);
/* Private keys as they lie on disk: 64 hex digits and a newline, mode 0600. -1 after logging. */
int keys_file_make(const char *path, struct note_key *key);
int keys_file_read(const char *path, struct note_key *key);

#endif
