/* The disk's file, and the loop that waits: all by io_uring, so a confined worker needs one system call for both.
 * The tests of serve.c bring their own disk_submit. */
#ifndef BLKBACK_DISK_H
#define BLKBACK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_TAGS_MAX 64u               /* operations under way at once */

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD };

struct disk;

/* As root: opens and locks the file, shared when read-only; waits some seconds for whoever holds it (writes of a
 * dead worker that are still under way). Ends the worker, saying why, when that fails. */
struct disk *disk_open(const char *path, bool readonly);
uint64_t disk_sectors(const struct disk *disk);

/* Starts it. `data` is DISK_ALIGN-aligned and stays until disk_next gives the tag back. */
#define DISK_ALIGN 4096u
void disk_submit(struct disk *disk, unsigned tag, enum disk_op op, void *data, uint64_t offset, uint64_t bytes);

/* Also wait for: a descriptor to be readable (until the end of the process); this much time to pass (once). */
void disk_watch(struct disk *disk, int fd);
void disk_timer(struct disk *disk, uint64_t ns);

enum disk_event_kind { DISK_NOTHING, DISK_DONE, DISK_READABLE, DISK_TIMER };
struct disk_event {
    enum disk_event_kind kind;
    unsigned tag;                       /* DISK_DONE */
    int result;                         /* DISK_DONE: 0 all of it, or -errno; a file that ends early is -EIO */
    int fd;                             /* DISK_READABLE */
};
/* Sends what was submitted and waits for an event. */
void disk_wait(struct disk *disk);
/* The next event that is there; DISK_NOTHING: no more. */
struct disk_event disk_next(struct disk *disk);

#endif
