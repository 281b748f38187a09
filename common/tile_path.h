/* Names of the log's tiles (C2SP tlog-tiles): who writes them and who serves them agree here. */
#ifndef COMMON_TILE_PATH_H
#define COMMON_TILE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define TILE_WIDTH      256u            /* hashes in a full tile */
#define TILE_LEVELS     8               /* of 8 tree levels each: 2^64 leaves */
#define TILE_PATH_BYTES 64

/* "tile/0/x001/234" or, narrower than 256, "tile/0/x001/234.p/17". */
char *tile_path(unsigned level, uint64_t n, unsigned width, char path[static TILE_PATH_BYTES]);
/* Whether this is the path of a tile, without "tile/": the only spelling that tile_path gives. */
bool tile_path_valid(const char *path, bool *full);

#endif
