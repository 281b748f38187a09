/* A tar of few fixed rules, so that a set of files has exactly one archive:
 * POSIX ustar, regular files only, mode 0644, owner 0 and no names, one time
 * for all, entries in the byte order of their names, closed by two zero blocks.
 *
 * The reader accepts what the writer writes and not one byte else.
 */
#ifndef ACCOUNTD_USTAR_H
#define ACCOUNTD_USTAR_H

#include "common/json.h"

#include <stdio.h>

#define USTAR_NAME_BYTES 101

struct ustar_file {
    char name[USTAR_NAME_BYTES];
    char *bytes;                        /* malloc'd, with a zero after the end */
    size_t len;
};
struct ustar {
    struct ustar_file *files;
    size_t count, room;
    int64_t mtime_s;
};

/* Adds a file in any order; steals `bytes` (malloc'd, terminated). -1 and freed when out of memory or `bytes` is NULL. */
int ustar_add(struct ustar *tar, const char *name, char *bytes, size_t len);
int ustar_add_text(struct ustar *tar, const char *name, char *text);
/* Puts the files in order; ustar_find, ustar_write and ustar_pack need them so. */
void ustar_sort(struct ustar *tar);
const struct ustar_file *ustar_find(const struct ustar *tar, const char *name);
/* Writes the archive. 0, or -1 with errno. */
int ustar_write(const struct ustar *tar, FILE *out);
/* The same, malloc'd; NULL when out of memory. */
char *ustar_pack(const struct ustar *tar, size_t *len);
/* -1 with the reason; *tar is empty then. */
int ustar_unpack(const char *archive, size_t len, struct ustar *tar, struct json_why *why);
void ustar_free(struct ustar *tar);

#endif
