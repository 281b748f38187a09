/* Paths of tiles, and the tree read back from them. */
#include "accountd/log/tile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t tile_hashes(unsigned level, uint64_t size)
{
    return level < TILE_LEVELS ? size >> (8 * level) : 0;
}

char *tile_path(unsigned level, uint64_t n, unsigned width, char path[static TILE_PATH_BYTES])
{
    unsigned group[7], groups = 0;
    size_t used = (size_t)snprintf(path, TILE_PATH_BYTES, "tile/%u", level);

    do {
        group[groups++] = (unsigned)(n % 1000);
        n /= 1000;
    } while (n);
    while (groups-- > 0)
        used += (size_t)snprintf(path + used, TILE_PATH_BYTES - used, groups ? "/x%03u" : "/%03u", group[groups]);
    if (width < TILE_WIDTH)
        snprintf(path + used, TILE_PATH_BYTES - used, ".p/%u", width);
    return path;
}

/* One to three digits from *at; -1 if there are none. */
static int take_digits(const char **at, unsigned least, unsigned most)
{
    size_t len = strspn(*at, "0123456789");
    int value = 0;

    if (len < least || len > most)
        return -1;
    for (; len; len--)
        value = value * 10 + (*(*at)++ - '0');
    return value;
}

bool tile_path_valid(const char *path, bool *full)
{
    char again[TILE_PATH_BYTES];
    const char *at = path;
    int level = take_digits(&at, 1, 2), width = TILE_WIDTH, group;
    uint64_t n = 0;
    bool more = true;

    if (level < 0 || level >= TILE_LEVELS)
        return false;
    for (unsigned groups = 0; more; groups++) {
        if (groups == 6 || *at++ != '/')
            return false;
        more = *at == 'x';
        at += more;
        group = take_digits(&at, 3, 3);
        if (group < 0)
            return false;
        n = n * 1000 + (uint64_t)group;
    }
    *full = *at == 0;
    if (!*full) {
        if (strncmp(at, ".p/", 3) != 0)
            return false;
        at += 3;
        width = take_digits(&at, 1, 3);
        if (width < 1 || width >= (int)TILE_WIDTH)
            return false;
    }
    /* Leading zeros, or an empty group in front: another spelling of the same tile. */
    return *at == 0 && strcmp(tile_path((unsigned)level, n, (unsigned)width, again) + strlen("tile/"), path) == 0;
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
