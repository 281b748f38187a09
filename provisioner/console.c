/* xenconsoled holds the file open in append mode and never shortens it. A
 * hole is punched into its beginning instead (fallocate(2)): the space goes
 * back, the offsets stay. */
#include "provisioner/console.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLE_ALIGN 4096

static void path_make(char path[PATH_MAX], const char *dir, const char *instance_id)
{
    snprintf(path, PATH_MAX, "%s/guest-%s.log", dir, instance_id);
}

int64_t console_size(const char *dir, const char *instance_id)
{
    char path[PATH_MAX];
    struct stat st;

    path_make(path, dir, instance_id);
    return stat(path, &st) ? 0 : (int64_t)st.st_size;
}

/* The first byte that is still there. */
static int64_t data_start(int fd, int64_t size)
{
    off_t at = lseek(fd, 0, SEEK_DATA);

    return at < 0 ? size : (int64_t)at;
}

/* Length of the well-formed UTF-8 sequence at `s` (Unicode 15, table 3-7), 0
 * when there is none, -1 when the bytes at hand end inside a good one. */
static int sequence_length(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max;
        int length;
    } forms[] = {
        { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 },
        { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };

    if (s[0] && s[0] < 0x80)
        return 1;
    for (unsigned f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        if (s[0] < forms[f].first_min || s[0] > forms[f].first_max)
            continue;
        for (int i = 1; i < forms[f].length; i++) {
            if ((size_t)i >= left)
                return -1;
            if (s[i] < (i == 1 ? forms[f].second_min : 0x80) || s[i] > (i == 1 ? forms[f].second_max : 0xBF))
                return 0;
        }
        return forms[f].length;
    }
    return 0;
}

/* Returns the bytes taken; *text has room for three times as many as there are. */
static size_t utf8_clean(const uint8_t *raw, size_t bytes, bool at_end, char *text, size_t *text_bytes)
{
    size_t in = 0, out = 0;

    while (in < bytes) {
        int len = sequence_length(raw + in, bytes - in);

        if (len < 0 && !at_end)
            break;
        if (len > 0) {
            memcpy(text + out, raw + in, (size_t)len);
            out += (size_t)len;
            in += (size_t)len;
        } else {
            memcpy(text + out, "\xEF\xBF\xBD", 3);
            out += 3;
            in++;
        }
    }
    *text_bytes = out;
    return in;
}

static json_t *part_read(int fd, int64_t offset, int64_t limit, int64_t size)
{
    int64_t start = data_start(fd, size);
    uint8_t *raw = malloc((size_t)limit);
    char *text = malloc(3 * (size_t)limit);
    json_t *part = NULL;
    ssize_t got = -1;
    size_t taken, text_bytes;

    if (offset < 0)
        offset = size > limit ? size - limit : 0;
    if (offset < start)
        offset = start;
    if (raw && text)
        got = pread(fd, raw, (size_t)limit, (off_t)offset);
    if (got >= 0) {
        taken = utf8_clean(raw, (size_t)got, got < limit, text, &text_bytes);
        part = json_pack("{s:s%, s:I, s:I, s:I}", "text", text, text_bytes, "offset", (json_int_t)offset, "next",
                         (json_int_t)(offset + (int64_t)taken), "size", (json_int_t)size);
    }
    free(raw);
    free(text);
    return part;
}

int console_log_open(const char *dir, const char *instance_id)
{
    char path[PATH_MAX];

    path_make(path, dir, instance_id);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int64_t console_place(int fd, int64_t from)
{
    struct stat st;
    int64_t size = fstat(fd, &st) ? 0 : (int64_t)st.st_size, start = data_start(fd, size);

    if (from < 0)
        from = from < -size ? 0 : size + from;
    if (from < start)
        from = start;
    return from < size ? from : size;
}

bool console_kept(int fd, int64_t offset)
{
    return lseek(fd, (off_t)offset, SEEK_DATA) == (off_t)offset;
}

json_t *console_read(const char *dir, const char *instance_id, int64_t offset, int64_t limit)
{
    char path[PATH_MAX];
    struct stat st;
    json_t *part = NULL;
    int fd;

    path_make(path, dir, instance_id);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno != ENOENT ? NULL
                               : json_pack("{s:s, s:i, s:i, s:i}", "text", "", "offset", 0, "next", 0, "size", 0);
    if (!fstat(fd, &st))
        part = part_read(fd, offset, limit, (int64_t)st.st_size);
    close(fd);
    return part;
}

/* Gives back the disk space of what is older than the part kept. A guest that
 * writes without end must not fill the host's disk. */
static void trim(const char *dir, const char *instance_id)
{
    char path[PATH_MAX];
    struct stat st;
    int fd;

    path_make(path, dir, instance_id);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    /* Twice as much before anything happens, so that a flood costs one call in many. */
    if (!fstat(fd, &st) && st.st_blocks * 512 > 2 * CONSOLE_KEEP_BYTES) {
        off_t hole = (st.st_size - CONSOLE_KEEP_BYTES) / HOLE_ALIGN * HOLE_ALIGN;

        if (hole > 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, hole))
            log_warn("%s: cannot give back the space of old lines, the log stays whole", path);
    }
    close(fd);
}

void console_remove(const char *dir, const char *instance_id)
{
    char path[PATH_MAX];

    path_make(path, dir, instance_id);
    if (unlink(path) && errno != ENOENT)
        log_warn("%s: cannot be removed, left behind", path);
}

int console_watch_open(const char *dir)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, dir, IN_MODIFY | IN_CREATE | IN_DELETE) < 0)
        fatal("%s: cannot watch the console logs", dir);
    return fd;
}

/* The instance whose log this is; false: some other file. */
static bool id_take(const char *name, char id[NAME_MAX + 1])
{
    size_t len = strlen(name);

    if (len <= strlen("guest-.log") || strncmp(name, "guest-", 6) || strcmp(name + len - 4, ".log"))
        return false;
    len -= strlen("guest-.log");
    memcpy(id, name + 6, len);
    id[len] = 0;
    return true;
}

static void event_take(const struct inotify_event *event, const char *dir, console_changed *changed, void *arg)
{
    char id[NAME_MAX + 1];

    if (event->mask & IN_Q_OVERFLOW)
        changed(arg, NULL, false);
    if (!event->len || !id_take(event->name, id))
        return;
    if (!(event->mask & IN_DELETE))
        trim(dir, id);
    changed(arg, id, event->mask & IN_DELETE);
}

void console_watch_run(int fd, const char *dir, console_changed *changed, void *arg)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t got;

    while ((got = read(fd, events, sizeof(events))) > 0) {
        for (char *at = events; at < events + got;) {
            struct inotify_event *event = (struct inotify_event *)at;

            event_take(event, dir, changed, arg);
            at += sizeof(*event) + event->len;
        }
    }
}
