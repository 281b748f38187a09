/* The usage log's pure part: a leaf's bytes, hashes, tree heads and proofs.
 * No I/O, no clock, no keys (those are note.h).
 *
 * A leaf is "xs-usage/v1 TYPE\n", one flat JSON object in the canonical
 * profile, "\n". The profile: keys [a-z0-9_] in byte order, no spaces, no
 * floats, nulls or nesting, strings of printable ASCII that need no escapes,
 * integers from 0 to 2^53-1; wider counters are decimal strings. There
 * jansson, jq -cS, python and RFC 8785 agree on the bytes.
 *
 * The tree is RFC 6962 section 2.1. Nodes of complete subtrees are named by
 * (level, index): node (0, i) is the hash of leaf i, node (l, i) covers the
 * leaves i*2^l up to (i+1)*2^l.
 */
#ifndef ACCOUNTD_CHAIN_H
#define ACCOUNTD_CHAIN_H

#include "common/json.h"

#define CHAIN_HASH_BYTES 32
#define CHAIN_PROOF_MAX  64
#define CHAIN_TYPE_BYTES 16
#define CHAIN_PREFIX     "xs-usage/v1 "

struct chain_hash {
    uint8_t bytes[CHAIN_HASH_BYTES];
};

/* The leaf's bytes, malloc'd and terminated; NULL with the reason if the fields leave the profile. */
char *chain_leaf(const char *type, const json_t *fields, struct json_why *why);
/* The other way, strict: the fields must give exactly these bytes again. New reference, NULL with the reason. */
json_t *chain_leaf_parse(const char *leaf, size_t len, char type[static CHAIN_TYPE_BYTES], struct json_why *why);

struct chain_hash chain_leaf_hash(const void *leaf, size_t len);
struct chain_hash chain_node_hash(const struct chain_hash *left, const struct chain_hash *right);
bool chain_hash_equal(const struct chain_hash *a, const struct chain_hash *b);
char *chain_hash_hex(const struct chain_hash *hash, char text[static 2 * CHAIN_HASH_BYTES + 1]);

/* Fetches the node of a complete subtree; 0, or -1 which the callers below pass on. */
typedef int (*chain_node_fn)(void *arg, unsigned level, uint64_t index, struct chain_hash *out);

/* The nodes that leaf `index` completes above level 0: nodes[l-1] is (l, index >> l). Returns how many, or -1. */
int chain_complete(uint64_t index, const struct chain_hash *leaf, chain_node_fn node, void *arg,
                   struct chain_hash nodes[static CHAIN_PROOF_MAX]);
/* The head of leaves lo to hi (lo < hi), lo a multiple of every power of two that RFC 6962 splits off. */
int chain_range(uint64_t lo, uint64_t hi, chain_node_fn node, void *arg, struct chain_hash *out);
/* The head of the first `size` leaves; of none, SHA-256 of nothing. */
int chain_root(uint64_t size, chain_node_fn node, void *arg, struct chain_hash *root);
/* The audit path of leaf `index` in the tree of `size` leaves (index < size), leaf side first. Its length, or -1. */
int chain_proof(uint64_t index, uint64_t size, chain_node_fn node, void *arg,
                struct chain_hash proof[static CHAIN_PROOF_MAX]);
/* RFC 9162 section 2.1.3.2. */
bool chain_proof_verify(const struct chain_hash *leaf, uint64_t index, uint64_t size, const struct chain_hash *proof,
                        unsigned proof_len, const struct chain_hash *root);
/* The largest power of two below `leaves` (at least 2): where RFC 6962 splits. */
uint64_t chain_split(uint64_t leaves);

#endif
