#include "common/tile_path.h"

#include <stdio.h>
#include <string.h>

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
