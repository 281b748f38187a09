/* usage.db: all of its SQL. The log and the incarnations open in it.
 *
 * Functions return 0 or -1; an error has been logged by common/db. Appending
 * happens between store_begin and store_commit; whoever gets -1 calls
 * store_rollback and keeps its own state as it was.
 */
#ifndef ACCOUNTD_STORE_H
#define ACCOUNTD_STORE_H

#include "accountd/chain.h"

struct store;

struct store *store_open(const char *path);
void store_close(struct store *store);

/* Facts about the log; 1 and *value malloc'd, 0 not set, -1. */
int store_meta(struct store *store, const char *key, char **value);
int store_meta_put(struct store *store, const char *key, const char *value);

int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* What a leaf is about; all NULL and -1 if it is about the host. */
struct store_subject {
    const char *account, *instance, *incarnation;
    int64_t number;
};
/* Appends the leaf and the subtrees it completes. */
int store_append(struct store *store, const char *type, const struct store_subject *subject, const char *leaf,
                 uint64_t *idx, struct chain_hash *hash);
uint64_t store_size(const struct store *store);

/* `count` nodes of one level (chain.h) from `first` on; -1 and logged if one is missing. */
int store_nodes(struct store *store, unsigned level, uint64_t first, unsigned count, struct chain_hash *out);
int store_root(struct store *store, uint64_t size, struct chain_hash *root);
/* Length of the audit path, or -1. */
int store_proof(struct store *store, uint64_t index, uint64_t size, struct chain_hash proof[static CHAIN_PROOF_MAX]);
/* Recomputes the newest `count` leaves' hashes from their bytes; -1 and logged at the first that differs. */
int store_check_leaves(struct store *store, uint64_t count);

/* The newest signed head; 1, 0 none, -1. note is malloc'd. */
int store_head(struct store *store, uint64_t *size, char **note);
int store_head_put(struct store *store, uint64_t size, const char *note, int64_t at_ms);
/* The one of this size; likewise. */
int store_head_at(struct store *store, uint64_t size, char **note);
/* As store_head, with the witnesses' lines under it. */
int store_head_cosigned(struct store *store, uint64_t *size, char **note);
/* A witness's line on the head of `size` leaves; its newer one takes the place of its older one. */
int store_cosignature_put(struct store *store, uint64_t size, const char *witness, const char *line, int64_t at_ms);
typedef int (*store_cosignature_fn)(void *arg, const char *witness, const char *line);
int store_each_cosignature(struct store *store, uint64_t size, store_cosignature_fn fn, void *arg);

struct store_incarnation {
    const char *incarnation, *account, *instance;
    const char *state;                  /* open, ended, freed, lost */
    unsigned slot;
};
/* With its first leaf. */
int store_incarnation_add(struct store *store, const struct store_incarnation *row);
int store_incarnation_state(struct store *store, const char *incarnation, const char *state);
/* 1 and its state, 0 if it has no leaf, -1. */
int store_incarnation_get_state(struct store *store, const char *incarnation, char state[static 8]);

/* Walks stop at the first -1 of the callback and give it back. Pointers live during the call. */
typedef int (*store_incarnation_fn)(void *arg, const struct store_incarnation *row, const char *last_leaf);
int store_each_unfinished(struct store *store, store_incarnation_fn fn, void *arg);
int store_each_of_account(struct store *store, const char *account, const char *instance /* NULL: all */,
                          store_incarnation_fn fn, void *arg);

typedef int (*store_leaf_fn)(void *arg, uint64_t idx, const char *type, const char *leaf);
/* Leaves from <= idx < to of the account (NULL: of all, the host's too), at most limit. */
int store_each_leaf(struct store *store, const char *account, const char *instance, uint64_t from, uint64_t to,
                    int64_t limit, store_leaf_fn fn, void *arg);
/* Leaves of this type about the host. */
int store_each_host_leaf(struct store *store, const char *type, store_leaf_fn fn, void *arg);
/* The newest `limit` of them before `before`, newest first. */
int store_newest_host_leaves(struct store *store, const char *type, uint64_t before, int64_t limit, store_leaf_fn fn,
                             void *arg);
/* The first leaf of this type whose bytes contain `part`; 1, 0, -1. */
int store_find_leaf(struct store *store, const char *type, const char *part, uint64_t *idx);

#endif
