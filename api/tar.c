#include "api/tar.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 512

/* The fields that matter here, POSIX.1-2017 pax, "ustar Interchange Format". */
struct header {
    char name[100];
    char unused[24];
    char size[12];
    char rest[BLOCK - 136];
};

bool tar_find(int fd, const char *name, uint64_t *offset, size_t *size)
{
    struct header header;
    uint64_t at = 0;

    while (pread(fd, &header, sizeof(header), (off_t)at) == sizeof(header) && header.name[0]) {
        char octal[sizeof(header.size) + 1] = "";
        uint64_t len;

        memcpy(octal, header.size, sizeof(header.size));
        len = strtoull(octal, NULL, 8);
        at += BLOCK;
        if (strncmp(header.name, name, sizeof(header.name)) == 0) {
            *offset = at;
            *size = (size_t)len;
            return true;
        }
        at += (len + BLOCK - 1) / BLOCK * BLOCK;
    }
    return false;
}
