/* The files behind disks: raw, sparse, in one folder:
 *     volume-ID.raw  snapshot-ID.raw  seed-ID.raw  image-ID-TAG.raw
 * and NAME.new while one is being made. A name is there when its content is
 * whole and durable, and gone when it is gone for good.
 *
 * Snapshots and clones are reflinks (FICLONE; XFS): atomic, their cost that of
 * a list of extents, and every file stays one that stock tools read. On a file
 * system without them, clones are copies, and a disk in use has no snapshots.
 *
 * Verbs return 0 or -errno, unless said otherwise, and can be repeated. A
 * struct volumes belongs to one thread. Which files there should be is in
 * host.db: the row comes before the file and goes after it.
 */
#ifndef PROVISIONER_VOLUMES_H
#define PROVISIONER_VOLUMES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum volumes_kind { VOLUMES_VOLUME, VOLUMES_SNAPSHOT, VOLUMES_SEED, VOLUMES_IMAGE, VOLUMES_KINDS };

struct volumes;

/* Exits 1 when the folder cannot be made or opened. */
struct volumes *volumes_open(const char *dir);
void volumes_close(struct volumes *v);
bool volumes_reflink(const struct volumes *v);

/* What a backend opens. */
void volumes_path(const struct volumes *v, enum volumes_kind kind, const char *id, char path[PATH_MAX]);

int volumes_make(struct volumes *v, const char *volume_id, int64_t size_mib);
/* -EOPNOTSUPP: `in_use` and no reflinks. A clone larger than its source ends in zeros. */
int volumes_clone(struct volumes *v, enum volumes_kind from, const char *from_id, enum volumes_kind to,
                  const char *to_id, int64_t size_mib, bool in_use);
/* Replaces what is there. */
int volumes_write(struct volumes *v, enum volumes_kind kind, const char *id, const void *bytes, size_t count);
int volumes_grow(struct volumes *v, const char *volume_id, int64_t size_mib);
int volumes_remove(struct volumes *v, enum volumes_kind kind, const char *id);

/* size_bytes as a guest sees it; used_bytes on the disk, also when shared with others. */
int volumes_look(struct volumes *v, enum volumes_kind kind, const char *id, int64_t *size_bytes, int64_t *used_bytes);
/* 1: a backend holds it; 0 free or not there. */
int volumes_busy(struct volumes *v, enum volumes_kind kind, const char *id);

/* The folder's file system. images_mib is what copies of images take. */
struct volumes_room {
    int64_t total_mib, free_mib, images_mib;
};
int volumes_room(struct volumes *v, struct volumes_room *room);

/* Images lie on another, read-only disk, out of a reflink's reach: each is
 * copied into the folder once. This copies for a moment: 1 there is more to copy
 * (*percent is done), 0 the image is in the folder. */
int volumes_image_copy(struct volumes *v, const char *image_id, const char *path, int *percent);
/* volume_id as a clone of the copied image. -ENOENT: not copied. */
int volumes_image_clone(struct volumes *v, const char *image_id, const char *path, const char *volume_id,
                        int64_t size_mib);

/* Removes unfinished files, and those of which `known` says no. Others than these kinds stay. For
 * VOLUMES_IMAGE the id is "ID-TAG"; volumes_image_tag tells that of today. */
int volumes_sweep(struct volumes *v, bool (*known)(void *context, enum volumes_kind kind, const char *id), void *context);
int volumes_image_tag(const char *image_id, const char *path, char *tag, size_t bytes);

#endif
