/* Consistency proofs: that a tree of `to` leaves begins with the tree of
 * `from` leaves. RFC 6962 section 2.1.2 makes them, RFC 9162 section 2.1.4.2
 * checks them. Pure. */
#ifndef ACCOUNTD_LOG_CONSISTENCY_H
#define ACCOUNTD_LOG_CONSISTENCY_H

#include "accountd/chain.h"

/* Its length, or -1 when a node cannot be read. Empty for from == 0 and from == to; from <= to. */
int consistency_proof(uint64_t from, uint64_t to, chain_node_fn node, void *arg,
                      struct chain_hash proof[static CHAIN_PROOF_MAX]);
bool consistency_verify(uint64_t from, const struct chain_hash *from_root, uint64_t to,
                        const struct chain_hash *to_root, const struct chain_hash *proof, unsigned proof_len);

#endif
