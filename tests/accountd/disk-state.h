/* What disk.c and disk-calls.c share: changes, and the folder that they make. */
#ifndef TESTS_ACCOUNTD_DISK_STATE_H
#define TESTS_ACCOUNTD_DISK_STATE_H

#include "tests/accountd/disk.h"

#define FILES_MAX 512
#define NAMES_MAX 128
#define NAME_MAX_ 120

enum what { CREATE, MAKE_FOLDER, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK };

struct change {
    enum what what;
    int file;                           /* CREATE, WRITE, TRUNCATE, SYNC */
    char name[NAME_MAX_], to[NAME_MAX_];        /* relative to the folder */
    uint64_t at, len;
    char *bytes;
};

struct content {
    char *bytes;
    size_t len;
};

struct file {
    struct content now, synced;
    size_t first, count;                /* of what is not synced, in pending */
    const struct change **pending;
    size_t room;
};

struct name {
    char path[NAME_MAX_];
    int file;                           /* -1: a folder */
};

struct names {
    struct name of[NAMES_MAX];
    unsigned count;
};

struct disk {
    size_t next;                        /* change */
    struct file file[FILES_MAX];
    struct names now, synced;
    const struct change *entries[1024]; /* changes of folders that are not synced */
    size_t entries_count;
};

_Noreturn void disk_give_up(const char *what);
int names_find(const struct names *names, const char *path);
void names_put(struct names *names, const char *path, int file);
void content_size(struct content *content, size_t len);
void content_put(struct content *content, uint64_t at, const char *bytes, size_t len);
void disk_apply(struct disk *disk, const struct change *change);
struct disk *disk_copy(const struct disk *disk);
void disk_forget(struct disk *disk);

#endif
