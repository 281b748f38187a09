/* At the start, before anything is served: what a crash left between a row and
 * its file. A row that was never answered for is dropped (whoever asked asks again),
 * one that was to go goes, and files that no row knows are removed. */
#include "provisioner/worker.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

struct files {
    struct store *store;
    struct volumes *volumes;
    const struct catalog *catalog;
    /* Collected first: changing a table while reading it may show a row twice. */
    struct volume *disks;
    struct snapshot *snapshots;
    size_t nr_disks, nr_snapshots;
};

/* Room for one more of `each` bytes behind `count`. */
static void *one_more(void *list, size_t count, size_t each)
{
    void *more = reallocarray(list, count + 1, each);

    if (!more)
        fatalx("out of memory");
    return more;
}

static int disk_collect(void *context, const struct volume *v)
{
    struct files *f = context;

    f->disks = one_more(f->disks, f->nr_disks, sizeof(*f->disks));
    f->disks[f->nr_disks++] = *v;
    return 0;
}

static int snapshot_collect(void *context, const struct snapshot *s)
{
    struct files *f = context;

    f->snapshots = one_more(f->snapshots, f->nr_snapshots, sizeof(*f->snapshots));
    f->snapshots[f->nr_snapshots++] = *s;
    return 0;
}

/* 0, or -errno. One that waits for its image was answered for, and so was a root. */
static int disk_settle(const struct files *f, const struct volume *v)
{
    int rc;

    if (v->state == FILE_READY || (v->state == FILE_CREATING && *v->image))
        return 0;
    rc = volumes_remove(f->volumes, VOLUMES_VOLUME, v->volume_id);
    if (rc)
        return rc;
    return v->state == FILE_CREATING ? store_volume_drop(f->store, v->volume_id)
                                     : store_volume_mark(f->store, v->volume_id, FILE_DELETED);
}

static int snapshot_settle(const struct files *f, const struct snapshot *s)
{
    int rc;

    if (s->state == FILE_READY)
        return 0;
    rc = volumes_remove(f->volumes, VOLUMES_SNAPSHOT, s->snapshot_id);
    if (rc)
        return rc;
    return s->state == FILE_CREATING ? store_snapshot_drop(f->store, s->snapshot_id)
                                     : store_snapshot_mark(f->store, s->snapshot_id, FILE_DELETED);
}

static bool image_known(const struct catalog *catalog, const char *tag)
{
    for (size_t i = 0; i < catalog->nr_images; i++) {
        const struct image *m = &catalog->images[i];
        char today[128];

        if (m->disk_path && m->available && !volumes_image_tag(m->id, m->disk_path, today, sizeof(today)) &&
            !strcmp(today, tag))
            return true;
    }
    return false;
}

/* When in doubt, it stays. */
static bool file_known(void *context, enum volumes_kind kind, const char *id)
{
    const struct files *f = context;
    struct snapshot s;
    struct instance i;
    struct volume v;
    int rc;

    switch (kind) {
    case VOLUMES_VOLUME:
        rc = store_volume_find(f->store, id, &v);
        return rc < 0 || (rc == 1 && v.state != FILE_DELETED);
    case VOLUMES_SNAPSHOT:
        rc = store_snapshot_find(f->store, id, &s);
        return rc < 0 || (rc == 1 && s.state != FILE_DELETED);
    case VOLUMES_SEED:
        rc = store_instance_find(f->store, id, &i);
        return rc < 0 || (rc == 1 && i.state != STATE_DELETED);
    default:
        return image_known(f->catalog, id);
    }
}

void reconcile_files(struct store *store, struct volumes *volumes, const struct catalog *catalog)
{
    struct files f = { .store = store, .volumes = volumes, .catalog = catalog };
    int rc = store_volumes(store, NULL, disk_collect, &f);

    if (!rc)
        rc = store_snapshots(store, NULL, snapshot_collect, &f);
    for (size_t i = 0; i < f.nr_disks; i++)
        if (disk_settle(&f, &f.disks[i]))
            log_warnx("volume %s: not settled, left as it is", f.disks[i].volume_id);
    for (size_t i = 0; i < f.nr_snapshots; i++)
        if (snapshot_settle(&f, &f.snapshots[i]))
            log_warnx("snapshot %s: not settled, left as it is", f.snapshots[i].snapshot_id);
    free(f.disks);
    free(f.snapshots);
    if (rc)
        fatalx("the volumes cannot be listed (see above)");
    rc = volumes_sweep(volumes, file_known, &f);
    if (rc)
        log_warnx("files that nothing knows: %s; looked at again at the next start", strerror(-rc));
}
