/* A viewer's WebSocket: whatever a browser sends, what is kept for it stays bounded, and it ends in time. */
#include "api/console/viewer.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *const fuzz_name = "frames of consoles";
/* Masked with zeros, so that the text is what it looks like. */
const char *const fuzz_seeds[] = {
    "\x81\x91....{\"replay_from\":0}",
    "\x81\x93....{\"replay_from\":-10}\x82\x82....ls\x88\x82....xx",
    "\x01\x85....{\"rep\x80\x85....lay_f\x89\x81....p",
    "\x82\xfe\x3f\xff....",
    "\x82\xff\x01\x01\x01\x01\x01\x01\x01\x01....",
    NULL,
};

static char path[] = "/tmp/xs-fuzz-console-XXXXXX/sock";
static int listener = -1;

static void listener_remove(void)
{
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

static void listener_make(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char *slash = strrchr(path, '/');

    *slash = 0;
    if (!mkdtemp(path))
        abort();
    *slash = '/';
    strcpy(at.sun_path, path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 1) != 0)
        abort();
    atexit(listener_remove);
}

/* What the seeds' dots stand for. */
static void unmask(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i++)
        if (memcmp(bytes + i, "....", 4) == 0)
            memset(bytes + i, 0, 4);
}

static bool work(struct viewer *viewer, int up_fd, int64_t now_ms)
{
    char packet[4097];
    bool on = viewer_work(viewer, now_ms);
    ssize_t size;

    assert(viewer->input_size <= sizeof(viewer->input));
    assert(wslay_event_get_queued_msg_length(viewer->ws) <= VIEWER_QUEUE_MAX);
    while (up_fd >= 0 && (size = recv(up_fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0)
        assert(size <= 4096);
    return on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *early = malloc(size + 1);
    struct viewer *viewer = malloc(sizeof(*viewer));
    int64_t now = 1000;
    int ends[2], up_fd;
    bool on;

    if (listener < 0)
        listener_make();
    if (!early || !viewer || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    memcpy(early, data, size);
    unmask(early, size);
    assert(viewer_start(viewer, "ins_1", path, ends[0], (char *)early, size, now) == 0);
    on = work(viewer, -1, now);
    up_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (up_fd >= 0) {                   /* perhaps it has left already */
        send(up_fd, "j{\"offset\":7}", 13, MSG_NOSIGNAL);
        send(up_fd, "bytes", 5, MSG_NOSIGNAL);
    }
    for (int i = 0; on && i < 4; i++)
        on = work(viewer, up_fd, ++now);
    /* It takes all that it is sent and says nothing more: then it is over when its time is. */
    for (int i = 0; on && i < 400; i++) {
        char taken[65536];

        while (recv(ends[1], taken, sizeof(taken), MSG_DONTWAIT) > 0)
            ;
        on = work(viewer, up_fd, now += 1000);
    }
    assert(!on);
    viewer_end(viewer);
    if (up_fd >= 0)
        close(up_fd);
    close(ends[0]);
    close(ends[1]);
    free(viewer);
    return 0;
}
