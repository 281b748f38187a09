/* The guests' console logs, which xenconsoled writes: DIR/guest-INSTANCE.log,
 * appended to by all incarnations. Offsets count from the first byte ever
 * written; only the last CONSOLE_KEEP_BYTES are sure to be there. */
#ifndef PROVISIONER_CONSOLE_H
#define PROVISIONER_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_KEEP_BYTES  (1 << 20)
#define CONSOLE_READ_MAX    (128 << 10)
#define CONSOLE_OFFSET_MAX  (INT64_C(1) << 52)

/* Bytes ever written; 0 when there is no log. */
int64_t console_size(const char *dir, const char *instance_id);

/* {text, offset, next, size}: at most `limit` bytes from `offset` on (-1: the
 * last ones). What is not UTF-8, and NUL, comes as U+FFFD; a character cut
 * by the limit is left for `next`, where the next read should begin.
 * NULL: out of memory or the file cannot be read (errno). */
json_t *console_read(const char *dir, const char *instance_id, int64_t offset, int64_t limit);

void console_remove(const char *dir, const char *instance_id);

/* For reading byte by byte: the log's descriptor, -1 if there is none yet. */
int console_log_open(const char *dir, const char *instance_id);
/* Where to begin: `from` itself, or the last -from bytes; at the first byte kept if that is gone, at most at the end. */
int64_t console_place(int fd, int64_t from);
/* Whether the byte there, which was read just now, was still kept then. */
bool console_kept(int fd, int64_t offset);

/* A descriptor that is readable when something happened to a log; console_watch_run
 * then trims what has grown too long and tells of each log that changed or is gone (NULL: perhaps of all). */
typedef void console_changed(void *arg, const char *instance_id, bool gone);
int console_watch_open(const char *dir);        /* exits 1 on failure */
void console_watch_run(int fd, const char *dir, console_changed *changed, void *arg);

#endif
