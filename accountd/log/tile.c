/* The tree read back from tiles. */
#include "accountd/log/tile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t tile_hashes(unsigned level, uint64_t size)
{
    return level < TILE_LEVELS ? size >> (8 * level) : 0;
}

/* `count` hashes of the tile from `offset` on. */
static int read_hashes(const struct tile_dir *tiles, unsigned level, uint64_t n, unsigned width, unsigned offset,
                       unsigned count, struct chain_hash *out)
{
    char name[TILE_PATH_BYTES], path[512];
    ssize_t bytes = (ssize_t)(count * CHAIN_HASH_BYTES);
    int fd, rc = -1;

    snprintf(path, sizeof(path), "%s/%s", tiles->dir, tile_path(level, n, width, name));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (pread(fd, out, (size_t)bytes, (off_t)offset * CHAIN_HASH_BYTES) == bytes)
        rc = 0;
    close(fd);
    return rc;
}

int tile_node(void *arg, unsigned level, uint64_t index, struct chain_hash *out)
{
    const struct tile_dir *tiles = arg;
    unsigned above = level % 8, count = 1u << above, tile_level = level / 8;
    uint64_t first = index << above, total = tile_hashes(tile_level, tiles->size), n = first / TILE_WIDTH;
    unsigned width = total - n * TILE_WIDTH < TILE_WIDTH ? (unsigned)(total - n * TILE_WIDTH) : TILE_WIDTH;
    struct chain_hash hashes[TILE_WIDTH];

    if (first + count > total)
        return -1;
    /* A partial tile may be gone when the full one is there. */
    if (read_hashes(tiles, tile_level, n, width, (unsigned)(first % TILE_WIDTH), count, hashes) &&
        read_hashes(tiles, tile_level, n, TILE_WIDTH, (unsigned)(first % TILE_WIDTH), count, hashes))
        return -1;
    for (; count > 1; count /= 2)
        for (unsigned i = 0; i < count / 2; i++)
            hashes[i] = chain_node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
    *out = hashes[0];
    return 0;
}
