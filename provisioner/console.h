/* The guests' console logs, which xenconsoled writes: DIR/guest-INSTANCE.log,
 * appended to by all incarnations. Offsets count from the first byte ever
 * written; only the last CONSOLE_KEEP_BYTES are sure to be there. */
#ifndef PROVISIONER_CONSOLE_H
#define PROVISIONER_CONSOLE_H

#include <jansson.h>
#include <stdint.h>

#define CONSOLE_KEEP_BYTES  (1 << 20)
#define CONSOLE_READ_MAX    (128 << 10)

/* Bytes ever written; 0 when there is no log. */
int64_t console_size(const char *dir, const char *instance_id);

/* {text, offset, next, size}: at most `limit` bytes from `offset` on (-1: the
 * last ones). What is not UTF-8, and NUL, comes as U+FFFD; a character cut
 * by the limit is left for `next`, where the next read should begin.
 * NULL: out of memory or the file cannot be read (errno). */
json_t *console_read(const char *dir, const char *instance_id, int64_t offset, int64_t limit);

void console_remove(const char *dir, const char *instance_id);

/* A descriptor that is readable when a log was written to; console_watch_run
 * then trims what has grown too long. */
int console_watch_open(const char *dir);        /* exits 1 on failure */
void console_watch_run(int fd, const char *dir);

#endif
