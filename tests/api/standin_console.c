/* The consoles of the stand-in provisioner: its own code (provisioner/viewers.c) over guests that write back what is
 * typed, and of "flood N", so many KiB of letters. "deaf" reads nothing more. */
#include "common/log.h"
#include "provisioner/viewers.h"
#include "tests/api/standin_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUESTS_MAX 64

struct guest {
    char instance_id[64];               /* "" none */
    int read_fd, write_fd;
    bool deaf;
};

static struct guest guests[GUESTS_MAX];
static struct viewers *viewers;
static char console_dir[4200];

static const json_t *alive(const char *instance_id)
{
    const json_t *instance = json_object_get(instances, instance_id);

    return strcmp(text(instance, "state"), "deleted") == 0 ? NULL : instance;
}

static bool known(void *arg, const char *instance_id)
{
    (void)arg;
    return alive(instance_id) != NULL;
}

static struct guest *guest_of(const char *instance_id)
{
    struct guest *free_place = NULL;
    int ends[2];

    for (struct guest *guest = guests; guest < guests + GUESTS_MAX; guest++) {
        if (strcmp(guest->instance_id, instance_id) == 0)
            return guest;
        if (!guest->instance_id[0])
            free_place = guest;
    }
    if (!free_place || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        fatalx("no more guests");
    *free_place = (struct guest){ .read_fd = ends[0], .write_fd = ends[1] };
    snprintf(free_place->instance_id, sizeof(free_place->instance_id), "%s", instance_id);
    return free_place;
}

static int input_open(void *arg, const char *instance_id)
{
    (void)arg;
    if (!alive(instance_id) || strcmp(text(alive(instance_id), "state"), "running") != 0)
        return -1;
    return fcntl(guest_of(instance_id)->write_fd, F_DUPFD_CLOEXEC, 0);
}

static void guest_writes(const char *instance_id, const char *bytes, size_t size)
{
    char path[4300];
    int fd;

    snprintf(path, sizeof(path), "%s/guest-%s.log", console_dir, instance_id);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        fatal("%s", path);
    close(fd);
}

static void flood(const char *instance_id, long kib)
{
    static char letters[1024];

    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 26);
    for (; kib > 0; kib--)
        guest_writes(instance_id, letters, sizeof(letters));
}

static void guest_read(struct guest *guest)
{
    char typed[65537];
    ssize_t size = read(guest->read_fd, typed, sizeof(typed) - 1);

    if (size <= 0)
        return;
    typed[size] = 0;
    guest->deaf = strcmp(typed, "deaf") == 0;
    if (strncmp(typed, "flood ", 6) == 0)
        flood(guest->instance_id, strtol(typed + 6, NULL, 10));
    else
        guest_writes(guest->instance_id, typed, (size_t)size);
}

void consoles_start(void)
{
    static const struct viewers_guests how = { .known = known, .input_open = input_open };
    char path[4300];

    snprintf(console_dir, sizeof(console_dir), "%s/console", base);
    snprintf(path, sizeof(path), "%s/console.sock", base);
    mkdir(console_dir, 0700);
    viewers = viewers_new(path, console_dir, &how);
    if (!viewers)
        fatalx("%s", path);
}

unsigned consoles_fds(struct pollfd *fds)
{
    unsigned count = 0;

    fds[count++] = (struct pollfd){ .fd = viewers_fd(viewers), .events = POLLIN };
    for (struct guest *guest = guests; guest < guests + GUESTS_MAX; guest++)
        if (guest->instance_id[0] && !guest->deaf && count < CONSOLES_FDS)
            fds[count++] = (struct pollfd){ .fd = guest->read_fd, .events = POLLIN };
    return count;
}

void consoles_run(void)
{
    for (struct guest *guest = guests; guest < guests + GUESTS_MAX; guest++)
        if (guest->instance_id[0] && !guest->deaf)
            guest_read(guest);
    viewers_run(viewers);
}

void console_delete(const char *instance_id)
{
    char path[4300];

    snprintf(path, sizeof(path), "%s/guest-%s.log", console_dir, instance_id);
    unlink(path);
}
