#include "provisioner/devd/record.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[RECORD_PATH_BYTES / 2];

void record_open(const char *directory)
{
    snprintf(folder, sizeof(folder), "%s", directory);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        fatal("%s: cannot create the directory", folder);
}

static char *path_of(const char *name, const char *suffix, char path[static RECORD_PATH_BYTES])
{
    snprintf(path, RECORD_PATH_BYTES, "%s/%s%s", folder, name, suffix);
    return path;
}

char *record_state_path(const char *name, char path[static RECORD_PATH_BYTES])
{
    return path_of(name, ".state", path);
}

int record_save(const char *name, const json_t *agreed)
{
    char path[RECORD_PATH_BYTES], half[RECORD_PATH_BYTES];

    path_of(name, ".json", path);
    path_of(name, ".new", half);
    if (json_dump_file(agreed, half, JSON_COMPACT) != 0 || rename(half, path) != 0)
        return errno ? -errno : -EIO;
    return 0;
}

json_t *record_load(const char *name)
{
    char path[RECORD_PATH_BYTES];
    json_t *agreed = json_load_file(path_of(name, ".json", path), 0, NULL);

    if (json_is_object(agreed))
        return agreed;
    json_decref(agreed);
    return NULL;
}

void record_remove(const char *name)
{
    static const char *const suffixes[] = { ".json", ".new", ".state" };
    char path[RECORD_PATH_BYTES];

    for (unsigned i = 0; i < 3; i++)
        if (unlink(path_of(name, suffixes[i], path)) != 0 && errno != ENOENT)
            log_warn("%s: not removed", path);
}

void record_each(void (*seen)(const char *name))
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char name[64];
        size_t length = strcspn(entry->d_name, ".");

        if (length == 0 || length >= sizeof(name))
            continue;
        memcpy(name, entry->d_name, length);
        name[length] = 0;
        seen(name);
    }
    if (dir)
        closedir(dir);
}
