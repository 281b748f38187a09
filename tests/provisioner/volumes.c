/* The files of disks: what is there is whole, clones are what they are clones
 * of, a copy that is cut short leaves nothing, a full disk is said to be full. Once on
 * this machine's file system and, where reflinks are to be had (root, XFS), on one with them. */
#include "provisioner/volumes.h"
#include "common/log.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1l << 20)

static char *dir;
static char folder[128], disk[160];

static char *path_of(const struct volumes *v, enum volumes_kind kind, const char *id)
{
    static char path[PATH_MAX];

    volumes_path(v, kind, id, path);
    return path;
}

static long size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : (long)st.st_size;
}

static void blank(struct volumes *v)
{
    int64_t size, used;

    check(!volumes_make(v, "one", 5) && size_of(path_of(v, VOLUMES_VOLUME, "one")) == 5 * MIB, "a new volume has its size");
    check(!volumes_look(v, VOLUMES_VOLUME, "one", &size, &used) && size == 5 * MIB && used < MIB, "and takes no room");
    sample_poke(path_of(v, VOLUMES_VOLUME, "one"), 3 * MIB, 'x');
    check(!volumes_make(v, "one", 5) && sample_peek(path_of(v, VOLUMES_VOLUME, "one"), 3 * MIB) == 'x',
          "made again, it keeps what it holds");
    check(!volumes_grow(v, "one", 9) && size_of(path_of(v, VOLUMES_VOLUME, "one")) == 9 * MIB &&
          sample_peek(path_of(v, VOLUMES_VOLUME, "one"), 3 * MIB) == 'x', "it grows, and keeps it");
    check(!volumes_grow(v, "one", 2) && size_of(path_of(v, VOLUMES_VOLUME, "one")) == 9 * MIB, "it never shrinks");
    check(volumes_make(v, "huge", INT64_MAX) == -EINVAL && volumes_grow(v, "none", 5) == -ENOENT,
          "sizes beyond reason and volumes that are not there are refused");
}

static void snapshots(struct volumes *v)
{
    check(!volumes_clone(v, VOLUMES_VOLUME, "one", VOLUMES_SNAPSHOT, "s", 9, false), "a snapshot");
    sample_poke(path_of(v, VOLUMES_VOLUME, "one"), 3 * MIB, 'y');
    check(sample_peek(path_of(v, VOLUMES_SNAPSHOT, "s"), 3 * MIB) == 'x' && size_of(path_of(v, VOLUMES_SNAPSHOT, "s")) == 9 * MIB,
          "holds what was, whatever is written later");
    check(!volumes_clone(v, VOLUMES_SNAPSHOT, "s", VOLUMES_VOLUME, "two", 12, false) &&
          sample_peek(path_of(v, VOLUMES_VOLUME, "two"), 3 * MIB) == 'x' && sample_peek(path_of(v, VOLUMES_VOLUME, "two"), 12 * MIB - 1) == 0,
          "a larger volume begins as it and ends in zeros");
    check(volumes_clone(v, VOLUMES_SNAPSHOT, "none", VOLUMES_VOLUME, "three", 12, false) == -ENOENT && !sample_count(folder, "three"),
          "there is no clone of nothing");
    int rc = volumes_clone(v, VOLUMES_VOLUME, "one", VOLUMES_SNAPSHOT, "live", 9, true);
    check(volumes_reflink(v) ? !rc : rc == -EOPNOTSUPP && !sample_count(folder, "live"),
          volumes_reflink(v) ? "a disk in use has snapshots too" : "without reflinks a disk in use has no snapshots");
    check(!volumes_remove(v, VOLUMES_SNAPSHOT, "s") && !sample_count(folder, "snapshot-s.raw") &&
          sample_peek(path_of(v, VOLUMES_VOLUME, "two"), 3 * MIB) == 'x', "a snapshot goes, its clones stay");
    check(!volumes_remove(v, VOLUMES_SNAPSHOT, "s"), "gone twice is gone");
}

static int image_copy(struct volumes *v, unsigned *parts)
{
    int percent = 0, before = 0, rc;

    *parts = 0;
    while ((rc = volumes_image_copy(v, "disk", disk, &percent)) == 1 && percent >= before && ++*parts < 100)
        before = percent;
    return rc;
}

static void images(struct volumes *v)
{
    unsigned parts;

    check(volumes_image_clone(v, "disk", disk, "root", 40) == -ENOENT, "an image is not cloned before it is copied");
    check(!image_copy(v, &parts) && (parts == 2 || volumes_reflink(v)), "an image is copied in parts");
    check(!image_copy(v, &parts) && !parts, "and only once");
    check(!volumes_image_clone(v, "disk", disk, "root", 40) && size_of(path_of(v, VOLUMES_VOLUME, "root")) == 40 * MIB &&
          sample_peek(path_of(v, VOLUMES_VOLUME, "root"), 0) == 'a' && sample_peek(path_of(v, VOLUMES_VOLUME, "root"), 12 * MIB + 65535) == 'b' &&
          sample_peek(path_of(v, VOLUMES_VOLUME, "root"), 24 * MIB) == 'c' && sample_peek(path_of(v, VOLUMES_VOLUME, "root"), 20 * MIB) == 0,
          "a root volume is what the image is");
    sample_disk(dir);
    sample_poke(disk, 5, 'z');
    check(volumes_image_clone(v, "disk", disk, "root2", 40) == -ENOENT, "a new image of the old name is another one");
    volumes_image_copy(v, "disk", disk, &(int){ 0 });
    check(volumes_image_copy(v, "gone", "/nonexistent", &(int){ 0 }) == -ENOENT, "an image that is not there is said to be");
    check(!image_copy(v, &parts) && sample_count(folder, "image-disk-") == 2, "a copy goes on where it was");
}

static bool known(void *context, enum volumes_kind kind, const char *id)
{
    (void)context;
    return kind == VOLUMES_VOLUME && !strcmp(id, "one");
}

static void swept(struct volumes *v)
{
    char path[256];

    check(!volumes_write(v, VOLUMES_SEED, "ins", "seed", 4) && !volumes_write(v, VOLUMES_SEED, "ins", "seeds", 5) &&
          size_of(path_of(v, VOLUMES_SEED, "ins")) == 5, "a seed is replaced as a whole");
    for (const char *const *name = (const char *const[]){ "volume-x.raw.new", "keep.txt", "volume-.raw", NULL }; *name; name++) {
        snprintf(path, sizeof(path), "%s/%s", folder, *name);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    check(!volumes_sweep(v, known, NULL) && sample_count(folder, ".") == 3 && sample_count(folder, "volume-one.raw") && sample_count(folder, "keep.txt"),
          "swept: what is not known or not finished goes, what is not ours stays");
}

static void held(struct volumes *v)
{
    int fd = open(path_of(v, VOLUMES_VOLUME, "one"), O_RDONLY);

    check(!volumes_busy(v, VOLUMES_VOLUME, "one") && !volumes_busy(v, VOLUMES_VOLUME, "none"), "a file nobody holds is free");
    flock(fd, LOCK_SH | LOCK_NB);
    check(volumes_busy(v, VOLUMES_VOLUME, "one") == 1, "one that a backend holds is not");
    close(fd);
    check(!volumes_busy(v, VOLUMES_VOLUME, "one"), "until it lets go");
}

static void full(struct volumes *v)
{
    struct rlimit before, tiny;
    unsigned parts;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tiny = (struct rlimit){ 20 * MIB, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &tiny);
    sample_poke(disk, 6, 'q');                 /* one that is not there yet */
    int image = image_copy(v, &parts), blank_rc = volumes_make(v, "big", 30), grown = volumes_grow(v, "one", 30);
    setrlimit(RLIMIT_FSIZE, &before);
    check((image == -EFBIG || volumes_reflink(v)) && blank_rc == -EFBIG && grown == -EFBIG && !sample_count(folder, "[.]new") &&
          !sample_count(folder, "volume-big"), "no room: refused, and nothing half made stays");
    check(!volumes_make(v, "big", 30) && !image_copy(v, &parts), "with room again it is done");
}

static void all(void)
{
    struct volumes *v;

    sample_disk(dir);
    v = volumes_open(folder);
    printf("# %s: reflinks: %s\n", folder, volumes_reflink(v) ? "yes" : "no");
    blank(v);
    snapshots(v);
    images(v);
    swept(v);
    held(v);
    full(v);
    volumes_close(v);
}

/* mount(8), not mount(2): it finds a loop device. */
static bool xfs_mount(void)
{
    char command[512];

    snprintf(command, sizeof(command), "{ truncate -s 400M %s/xfs.img && mkfs.xfs -q %s/xfs.img && mkdir %s/xfs && "
             "mount -o loop %s/xfs.img %s/xfs; } >/dev/null 2>&1", dir, dir, dir, dir, dir);
    return !system(command);
}

int main(void)
{
    char command[160];

    log_init("volumes");
    dir = sample_dir();
    snprintf(disk, sizeof(disk), "%s/disk.raw", dir);
    snprintf(folder, sizeof(folder), "%s/volumes", dir);
    all();
    snprintf(folder, sizeof(folder), "%s/xfs/volumes", dir);
    if (xfs_mount()) {
        all();
        snprintf(command, sizeof(command), "umount %s/xfs", dir);
        if (system(command))
            warnx("%s", command);
    } else {
        puts("# no XFS can be mounted here: reflinks not tried");
    }
    return tap_end();
}
