#include "accountd/log/publish.h"
#include "accountd/log/file.h"
#include "accountd/log/tile.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES     512
#define CHECKPOINT_MAX 65536

struct publish {
    struct store *store;                /* the thread's own connection */
    char dir[PATH_BYTES - TILE_PATH_BYTES];
    uint64_t size;                      /* tiles of so many leaves are there; the thread's own */
    pthread_t thread;
    pthread_mutex_t lock;               /* of what follows; held for no I/O */
    pthread_cond_t wanted;
    char *keys, *signature;
    bool wake, stop;
};

/* Partial tiles of a tile that is full now. */
static void drop_partials(const char *full_path)
{
    char folder[PATH_BYTES + 8], path[PATH_BYTES + 300];
    struct dirent *entry;
    DIR *partials;

    snprintf(folder, sizeof(folder), "%s.p", full_path);
    partials = opendir(folder);
    while (partials && (entry = readdir(partials))) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (partials) {
        closedir(partials);
        rmdir(folder);
    }
}

static int put_tile(struct store *store, const char *dir, unsigned level, uint64_t n, unsigned width)
{
    struct chain_hash hashes[TILE_WIDTH];
    char name[TILE_PATH_BYTES], path[PATH_BYTES];
    size_t bytes = width * CHAIN_HASH_BYTES;
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, tile_path(level, n, width, name));
    if (stat(path, &st) == 0 && (size_t)st.st_size == bytes)
        return 0;
    if (store_nodes(store, 8 * level, n * TILE_WIDTH, width, hashes) || file_put(path, hashes, bytes, 0644))
        return -1;
    if (width == TILE_WIDTH)
        drop_partials(path);
    return 0;
}

static int put_tiles(struct store *store, const char *dir, uint64_t from, uint64_t size)
{
    for (unsigned level = 0; tile_hashes(level, size) > 0; level++) {
        uint64_t total = tile_hashes(level, size);

        for (uint64_t n = tile_hashes(level, from) / TILE_WIDTH; n * TILE_WIDTH < total; n++) {
            uint64_t left = total - n * TILE_WIDTH;

            if (put_tile(store, dir, level, n, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH))
                return -1;
        }
    }
    return 0;
}

/* Another log's files, of before usage.db was lost, are kept beside ours: what
 * was promised can be looked up, and no tile of theirs is taken for ours. */
static int set_aside(const char *dir, const char *note)
{
    char path[PATH_BYTES + 32], aside[PATH_BYTES + 64];
    size_t len, line = strcspn(note, "\n") + 1;
    char *old;

    snprintf(path, sizeof(path), "%s/checkpoint", dir);
    old = file_get(path, CHECKPOINT_MAX, &len);
    if (!old)
        return errno == ENOENT ? 0 : -1;
    if (strncmp(old, note, line) == 0) {
        free(old);
        return 0;
    }
    old[strcspn(old, "\n")] = 0;
    snprintf(aside, sizeof(aside), "%s.%s", dir, strrchr(old, '/') ? strrchr(old, '/') + 1 : "old");
    log_warnx("%s: holds the log %s: kept as %s", dir, old, aside);
    free(old);
    if (rename(dir, aside) == 0)
        return 0;
    log_warn("%s: cannot rename: the new log is not published", dir);
    return -1;
}

static int put_checkpoint(const char *dir, const char *note)
{
    char path[PATH_BYTES + 32];
    size_t len = 0;
    char *old;
    bool same;

    snprintf(path, sizeof(path), "%s/checkpoint", dir);
    old = file_get(path, CHECKPOINT_MAX, &len);
    same = old && strcmp(old, note) == 0;
    free(old);
    return same ? 0 : file_put(path, note, strlen(note), 0644);
}

int publish_files(struct store *store, const char *dir, uint64_t *from)
{
    uint64_t size;
    char *note = NULL;
    int rc = store_head_cosigned(store, &size, &note);

    if (rc <= 0)
        return rc;
    rc = 0;
    if ((*from == 0 && set_aside(dir, note)) || put_tiles(store, dir, *from, size) || put_checkpoint(dir, note))
        rc = -1;
    free(note);
    if (rc == 0)
        *from = size;
    return rc;
}

static int put_keys(const char *dir, const char *keys, const char *signature)
{
    char path[PATH_BYTES + 32];

    /* In this order a reader may find new keys with the old signature, and is told so by it. */
    snprintf(path, sizeof(path), "%s/keys.txt", dir);
    if (file_put(path, keys, strlen(keys), 0644))
        return -1;
    snprintf(path, sizeof(path), "%s/keys.txt.minisig", dir);
    if (signature)
        return file_put(path, signature, strlen(signature), 0644);
    return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* Takes what is wanted, with the lock held, and does it without. */
static void work_off(struct publish *p)
{
    char *keys = p->keys, *signature = p->signature;
    int rc;

    p->keys = p->signature = NULL;
    p->wake = false;
    pthread_mutex_unlock(&p->lock);
    rc = publish_files(p->store, p->dir, &p->size);
    if (rc == 0 && keys)
        rc = put_keys(p->dir, keys, signature);
    if (rc)
        log_warnx("%s: not published; done again with the next head", p->dir);
    pthread_mutex_lock(&p->lock);
    /* Newer ones may have come meanwhile. */
    if (rc && keys && !p->keys) {
        p->keys = keys;
        p->signature = signature;
        return;
    }
    free(keys);
    free(signature);
}

static void *work(void *arg)
{
    struct publish *p = arg;

    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        if (p->wake)
            work_off(p);
        else
            pthread_cond_wait(&p->wanted, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* There from the start, for whoever watches it. */
static int make_dir(const char *dir)
{
    if ((mkdir(dir, 0755) == 0 && chmod(dir, 0755) == 0) || errno == EEXIST)
        return 0;
    log_warn("%s: cannot create", dir);
    return -1;
}

struct publish *publish_new(const char *usage_db, const char *dir)
{
    struct publish *p = calloc(1, sizeof(*p));

    if (!p || snprintf(p->dir, sizeof(p->dir), "%s", dir) >= (int)sizeof(p->dir) || make_dir(dir) ||
        !(p->store = store_open(usage_db))) {
        free(p);
        return NULL;
    }
    p->wake = true;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wanted, NULL);
    if (pthread_create(&p->thread, NULL, work, p) == 0)
        return p;
    log_warnx("%s: no thread to publish the log", dir);
    store_close(p->store);
    free(p);
    return NULL;
}

void publish_wake(struct publish *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->wake = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
}

void publish_keys(struct publish *p, const char *text, const char *signature)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    free(p->keys);
    free(p->signature);
    p->keys = strdup(text);
    p->signature = signature ? strdup(signature) : NULL;
    p->wake = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    store_close(p->store);
    free(p->keys);
    free(p->signature);
    free(p);
}
