/* Tiles: the log's hashes as static files (C2SP tlog-tiles), 256 hashes of one
 * tree level in each; level L holds the nodes (8 * L, i) of chain.h. Reading
 * nodes back out of a folder of them; their names are common/tile_path.h.
 *
 * Entry bundles (tile/entries/) are not published: our leaves are customers'
 * usage. Hashes are, and each leaf has a salt, so that nobody can guess what
 * was hashed. A customer's own leaves come by the api and in bundles. */
#ifndef ACCOUNTD_LOG_TILE_H
#define ACCOUNTD_LOG_TILE_H

#include "accountd/chain.h"
#include "common/tile_path.h"

/* Hashes of level `level` in a tree of `size` leaves. */
uint64_t tile_hashes(unsigned level, uint64_t size);

/* Nodes of the tree of `size` leaves, out of the tiles below `dir`. */
struct tile_dir {
    const char *dir;
    uint64_t size;
};
/* A chain_node_fn; arg is a struct tile_dir. -1 if the tile is missing or short. */
int tile_node(void *arg, unsigned level, uint64_t index, struct chain_hash *out);

#endif
