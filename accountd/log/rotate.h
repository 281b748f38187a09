/* Keys of the log, changed while it runs: rotation, and the root key's word on keys.txt. */
#ifndef ACCOUNTD_LOG_ROTATE_H
#define ACCOUNTD_LOG_ROTATE_H

#include "accountd/accountd.h"

#define ROTATE_OVERLAP_MAX 1000000

/* A new key of this purpose: its file first, then its `key` leaf in the log,
 * then a head. It is valid from the size that has the leaf on. A log key's
 * predecessor signs beside it for `overlap` leaves more; an invoice key's ends
 * at once. `current` is the key to be replaced, as 8 (log) or 16 (invoice) hex
 * digits of its id; if it was replaced already nothing is done: so asking again is safe.
 * 0; -1 and why: *refused says whether it was the caller's or ours (logged). */
int rotate_key(struct accountd *a, enum keys_purpose purpose, const char *current, uint64_t overlap, bool *refused,
               struct json_why *why);
/* The id that `current` means. */
char *rotate_key_id(const struct accountd *a, enum keys_purpose purpose, const struct note_key *key,
                    char id[static 2 * NOTE_KEY_ID_BYTES + 1]);

/* The root key's signature of today's keys.txt, kept and published beside it
 * until keys.txt changes. Both texts are minisign's. -1 and why. */
int rotate_root_signature(struct accountd *a, const char *root_key, const char *signature, struct json_why *why);
/* That signature and its key, malloc'd; false (and both NULL) if there is none for today's keys.txt. */
bool rotate_root_signature_get(struct accountd *a, const char *keys_text, char **root_key, char **signature);

/* keys.txt in state_dir and in what is published. -1 after logging. */
int rotate_write_keys(struct accountd *a);

#endif
