/* One file out of a tar (POSIX ustar) that accountd wrote. */
#ifndef API_TAR_H
#define API_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the content of this name begins and how long it is; false if the archive has no such file. */
bool tar_find(int fd, const char *name, uint64_t *offset, size_t *size);

#endif
