/* A disk that remembers what was done to it, and can show what would be left of
 * it at any moment. The program that links it has the C library's calls in
 * front of its own and SQLite's: every write, truncation, sync, rename, creation and removal below
 * one folder is written down, in order, with its bytes.
 *
 * A state is the folder after the first so many changes. What a process that is
 * killed leaves is all of it; what a power cut leaves is what POSIX promises: of
 * a file, what was synced; of a folder, the entries as of its last sync. What was not
 * synced may be gone, be there in part, or be there without what was written before it.
 * One process, one thread.
 */
#ifndef TESTS_ACCOUNTD_DISK_H
#define TESTS_ACCOUNTD_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_ending { DISK_KILL, DISK_CUT, DISK_TORN, DISK_REORDERED, DISK_ENDINGS };
extern const char *const disk_ending_names[DISK_ENDINGS];

/* Writes down what happens below the folder, which is taken to be durable as it is, until disk_rest. */
void disk_watch(const char *folder);
void disk_rest(void);
/* Changes so far. */
size_t disk_changes(void);

/* The folder after the changes that were seen. */
struct disk;
struct disk *disk_first(void);
/* The watched folder as it is. */
const struct disk *disk_now(void);
/* One change more; false if that was the last. */
bool disk_step(struct disk *disk);
/* Nothing is left to chance: every ending leaves the same. */
bool disk_is_synced(const struct disk *disk);
/* Makes the (empty) folder what the ending leaves; `seed` decides what is left to chance. */
void disk_leave(const struct disk *disk, enum disk_ending ending, uint64_t seed, const char *folder);

/* From the next on, of the calls of this kind below the watched folder, those from the n-th to the (n+times-1)-th fail.
 */
enum disk_fault {
    DISK_FULL,                          /* writes and creations: ENOSPC */
    DISK_WRITE_ERROR,                   /* writes, truncations, renames: EIO */
    DISK_SYNC_ERROR,                    /* syncs: EIO, and what was to be synced is gone, as on Linux */
    DISK_READ_ERROR,                    /* reads: EIO */
    DISK_FAULTS
};
extern const char *const disk_fault_names[DISK_FAULTS];
void disk_fail(enum disk_fault fault, unsigned n, unsigned times);
/* Whether one has; no more do. */
bool disk_failed(void);

/* What CLOCK_REALTIME says from now on. */
void disk_clock(int64_t utc_ms);

#endif
