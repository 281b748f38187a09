/* Tiles: the log's hashes as static files (C2SP tlog-tiles), 256 hashes of one
 * tree level in each; level L holds the nodes (8 * L, i) of chain.h. Names and
 * arithmetic, and reading nodes back out of a folder of them.
 *
 * Entry bundles (tile/entries/) are not published: our leaves are customers'
 * usage. Hashes are, and each leaf has a salt, so that nobody can guess what
 * was hashed. A customer's own leaves come by the api and in bundles. */
#ifndef ACCOUNTD_LOG_TILE_H
#define ACCOUNTD_LOG_TILE_H

#include "accountd/chain.h"

#define TILE_WIDTH      256u
#define TILE_LEVELS     8               /* of 8 tree levels each: 2^64 leaves */
#define TILE_PATH_BYTES 64

/* Hashes of level `level` in a tree of `size` leaves. */
uint64_t tile_hashes(unsigned level, uint64_t size);
/* "tile/0/x001/234" or, narrower than 256, "tile/0/x001/234.p/17". */
char *tile_path(unsigned level, uint64_t n, unsigned width, char path[static TILE_PATH_BYTES]);
/* Whether this is the path of a tile, without "tile/": the only spelling that tile_path gives. */
bool tile_path_valid(const char *path, bool *full);

/* Nodes of the tree of `size` leaves, out of the tiles below `dir`. */
struct tile_dir {
    const char *dir;
    uint64_t size;
};
/* A chain_node_fn; arg is a struct tile_dir. -1 if the tile is missing or short. */
int tile_node(void *arg, unsigned level, uint64_t index, struct chain_hash *out);

#endif
