/* Small files that are there whole or not at all, and last. */
#ifndef ACCOUNTD_LOG_FILE_H
#define ACCOUNTD_LOG_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Written under another name, synced, renamed, the folder synced; folders that
 * are missing are made, 0755. -1 after logging; the file is then as it was. */
int file_put(const char *path, const void *bytes, size_t len, mode_t mode);
/* The whole of a regular file of at most `most` bytes, malloc'd and terminated; NULL with errno. */
char *file_get(const char *path, size_t most, size_t *len);

#endif
