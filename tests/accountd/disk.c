#include "tests/accountd/disk-state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR    512

const char *const disk_ending_names[DISK_ENDINGS] = { "kill -9", "a power cut", "a torn power cut",
                                                      "a power cut that reorders" };

_Noreturn void disk_give_up(const char *what)
{
    fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
    _exit(99);
}

int names_find(const struct names *names, const char *path)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->of[i].path, path) == 0)
            return (int)i;
    return -1;
}

void names_put(struct names *names, const char *path, int file)
{
    int i = names_find(names, path);

    if (i < 0 && names->count == NAMES_MAX)
        disk_give_up("too many names");
    if (i < 0)
        i = (int)names->count++;
    snprintf(names->of[i].path, NAME_MAX_, "%s", path);
    names->of[i].file = file;
}

static void names_drop(struct names *names, const char *path)
{
    int i = names_find(names, path);

    if (i >= 0)
        names->of[i] = names->of[--names->count];
}

static void names_apply(struct names *names, const struct change *c)
{
    int i;

    switch (c->what) {
    case CREATE: names_put(names, c->name, c->file); break;
    case MAKE_FOLDER: names_put(names, c->name, -1); break;
    case UNLINK: names_drop(names, c->name); break;
    default:
        i = names_find(names, c->name);
        if (i >= 0) {
            names_put(names, c->to, names->of[i].file);
            names_drop(names, c->name);
        }
    }
}

void content_size(struct content *c, size_t len)
{
    char *bytes;

    if (len > c->len) {
        bytes = realloc(c->bytes, len);
        if (!bytes)
            disk_give_up("memory");
        c->bytes = bytes;
        memset(c->bytes + c->len, 0, len - c->len);
    }
    c->len = len;
}

void content_put(struct content *c, uint64_t at, const char *bytes, size_t len)
{
    if (at + len > c->len)
        content_size(c, at + len);
    if (len)
        memcpy(c->bytes + at, bytes, len);
}

static void content_apply(struct content *c, const struct change *change)
{
    if (change->what == TRUNCATE)
        content_size(c, change->len);
    else
        content_put(c, change->at, change->bytes, change->len);
}

static void pend(struct file *f, const struct change *c)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        f->pending = realloc(f->pending, f->room * sizeof(*f->pending));
        if (!f->pending)
            disk_give_up("memory");
    }
    f->pending[f->count++] = c;
}

static void sync_file(struct file *f)
{
    for (size_t i = 0; i < f->count; i++)
        content_apply(&f->synced, f->pending[i]);
    f->count = 0;
}

static bool is_in(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    return strlen(folder) == len && strncmp(path, folder, len) == 0;
}

static void sync_folder(struct disk *d, const char *folder)
{
    size_t left = 0;

    for (size_t i = 0; i < d->entries_count; i++)
        if (is_in(d->entries[i]->name, folder))
            names_apply(&d->synced, d->entries[i]);
        else
            d->entries[left++] = d->entries[i];
    d->entries_count = left;
}

void disk_apply(struct disk *d, const struct change *c)
{
    switch (c->what) {
    case WRITE:
    case TRUNCATE:
        content_apply(&d->file[c->file].now, c);
        pend(&d->file[c->file], c);
        break;
    case SYNC: sync_file(&d->file[c->file]); break;
    case SYNC_FOLDER: sync_folder(d, c->name); break;
    default:
        if (d->entries_count == sizeof(d->entries) / sizeof(d->entries[0]))
            disk_give_up("too many entries");
        d->entries[d->entries_count++] = c;
        names_apply(&d->now, c);
    }
}

void disk_forget(struct disk *d)
{
    for (int i = 0; d && i < FILES_MAX; i++) {
        free(d->file[i].now.bytes);
        free(d->file[i].synced.bytes);
        free(d->file[i].pending);
    }
    free(d);
}

struct disk *disk_copy(const struct disk *d)
{
    struct disk *c = calloc(1, sizeof(*c));

    if (!c)
        disk_give_up("memory");
    c->now = d->now;
    c->synced = d->synced;
    for (int i = 0; i < FILES_MAX; i++) {
        content_put(&c->file[i].now, 0, d->file[i].now.bytes, d->file[i].now.len);
        content_put(&c->file[i].synced, 0, d->file[i].synced.bytes, d->file[i].synced.len);
    }
    return c;
}

bool disk_is_synced(const struct disk *d)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (d->file[i].count)
            return false;
    return d->entries_count == 0;
}

static uint64_t dice_state;
static uint64_t dice(uint64_t sides)
{
    dice_state = dice_state * 6364136223846793005ull + 1442695040888963407ull;
    return (dice_state >> 33) % sides;
}

/* All up to a point, the last of them not to its end. */
static void tear(struct content *c, const struct file *f)
{
    size_t keep = dice(f->count + 1);

    for (size_t i = 0; i < keep; i++)
        content_apply(c, f->pending[i]);
    if (keep < f->count && f->pending[keep]->what == WRITE)
        content_put(c, f->pending[keep]->at, f->pending[keep]->bytes,
                    dice(f->pending[keep]->len / SECTOR + 1) * SECTOR);
}

static void reorder(struct content *c, const struct file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct change *p = f->pending[i];

        if (p->what == TRUNCATE && dice(2))
            content_size(c, p->len);
        for (uint64_t at = 0; p->what == WRITE && at < p->len; at += SECTOR)
            if (dice(2))
                content_put(c, p->at + at, p->bytes + at, p->len - at < SECTOR ? p->len - at : SECTOR);
    }
}

static void leave_file(const struct file *f, enum disk_ending ending, const char *path)
{
    struct content c = { NULL, 0 };
    FILE *out = fopen(path, "we");

    if (ending == DISK_KILL) {
        content_put(&c, 0, f->now.bytes, f->now.len);
    } else {
        content_put(&c, 0, f->synced.bytes, f->synced.len);
        if (ending == DISK_TORN)
            tear(&c, f);
        if (ending == DISK_REORDERED)
            reorder(&c, f);
    }
    if (!out || fwrite(c.bytes ? c.bytes : "", 1, c.len, out) != c.len || fchmod(fileno(out), 0600) != 0 ||
        fclose(out) != 0)
        disk_give_up(path);
    free(c.bytes);
}

/* Parents before what is in them: their names are shorter. */
static void leave_names(const struct disk *d, const struct names *names, enum disk_ending ending, const char *folder)
{
    char path[300];

    for (size_t len = 1; len < NAME_MAX_; len++)
        for (unsigned i = 0; i < names->count; i++) {
            if (strlen(names->of[i].path) != len)
                continue;
            snprintf(path, sizeof(path), "%s/%s", folder, names->of[i].path);
            if (names->of[i].file < 0 && mkdir(path, 0700) != 0)
                disk_give_up(path);
            /* Its folder's entry may be what is not there. */
            if (names->of[i].file >= 0 && access(path, F_OK) != 0) {
                char parent[300];

                snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
                if (access(parent, F_OK) == 0)
                    leave_file(&d->file[names->of[i].file], ending, path);
            }
        }
}

void disk_leave(const struct disk *d, enum disk_ending ending, uint64_t seed, const char *folder)
{
    struct names names = ending == DISK_KILL ? d->now : d->synced;
    size_t keep;

    dice_state = seed * 0x9e3779b97f4a7c15ull + 1;
    keep = ending == DISK_TORN || ending == DISK_REORDERED ? dice(d->entries_count + 1) : 0;
    for (size_t i = 0; i < keep; i++)
        names_apply(&names, d->entries[i]);
    leave_names(d, &names, ending, folder);
}

