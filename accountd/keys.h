/* The log key and the invoice key: made at the first start, one purpose each. */
#ifndef ACCOUNTD_KEYS_H
#define ACCOUNTD_KEYS_H

#include "accountd/note.h"

struct keys {
    struct note_key log, invoice;
};

/* Loads log.key and invoice.key from the directory, making what is missing
 * (mode 0600, durable before it returns). -1 after logging. */
int keys_open(const char *dir, struct keys *keys);
/* 32 random bytes kept as DIR/NAME, made if they are missing: what other secrets of the host are derived from. */
#define KEYS_SEED_BYTES 32
int keys_seed(const char *dir, const char *name, uint8_t seed[static KEYS_SEED_BYTES]);
/* keys.txt: both public keys, as bundles carry them and xs-verify --key reads them. malloc'd. */
char *keys_text(const struct keys *keys, const char *host, const char *origin);
/* Reads keys.txt; the log key's name is the log's origin. False unless it is exactly what keys_text writes. */
bool keys_parse(const char *text, struct keys *keys, char *origin, size_t origin_bytes);

#endif
