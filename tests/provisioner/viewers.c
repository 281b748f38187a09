/* The consoles' socket, in this process and one turn at a time: where a viewer begins, that all see the same bytes, that
 * who does not read or write holds up nobody, what is typed, and how it ends. */
#include "provisioner/viewers.h"
#include "common/log.h"
#include "provisioner/console.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static char *dir, console_dir[128], socket_path[128], log_path[160];
static struct viewers *viewers;
static int guest_fd = -1;               /* the guest's end of its terminal; -1: it does not run */
static unsigned opens;

static bool known(void *arg, const char *instance_id)
{
    (void)arg;
    return !strcmp(instance_id, "ins_1") || !strcmp(instance_id, "ins_2");
}

static int input_open(void *arg, const char *instance_id)
{
    (void)arg;
    (void)instance_id;
    opens++;
    return guest_fd < 0 ? -1 : open(ptsname(guest_fd), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static void guest_start(void)
{
    struct termios raw;
    int tty;

    guest_fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (guest_fd < 0 || grantpt(guest_fd) || unlockpt(guest_fd) || (tty = open(ptsname(guest_fd), O_RDWR | O_NOCTTY)) < 0 ||
        tcgetattr(tty, &raw))
        err(1, "pty");
    cfmakeraw(&raw);
    if (tcsetattr(tty, TCSANOW, &raw))
        err(1, "pty");
    close(tty);
}

static void guest_end(void)
{
    close(guest_fd);
    guest_fd = -1;
}

/* What was typed has come through the terminal. The kernel hands it over in a work item of its own, so that a read right
 * after the write may find nothing or a part of it. Anything more that has come is a difference too. */
static bool guest_reads(const char *text)
{
    struct pollfd at = { .fd = guest_fd, .events = POLLIN };
    size_t size = strlen(text), used = 0;
    char got[512];

    while (used < size && poll(&at, 1, PATIENCE_MS) == 1) {
        ssize_t part = read(guest_fd, got + used, sizeof(got) - used);

        if (part < 0 && errno != EAGAIN)
            err(1, "the guest's terminal");
        used += part > 0 ? (size_t)part : 0;
    }
    if (used == size && !memcmp(got, text, size))
        return true;
    printf("# \"%.*s\"\n", (int)used, got);
    return false;
}

static void guest_writes(const char *bytes, size_t size)
{
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        err(1, "%s", log_path);
    close(fd);
}

/* Until there is nothing more to do. */
static void settle(void)
{
    struct pollfd at = { .fd = viewers_fd(viewers), .events = POLLIN };

    while (poll(&at, 1, 0) == 1)
        viewers_run(viewers);
}

static int viewer_connect(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(at.sun_path, socket_path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
        err(1, "%s", socket_path);
    return fd;
}

static void type(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        err(1, "send");
    settle();
}

/* All that has come, up to the first packet of the other kind; its kind, 0: none, -1: the end. */
static int received(int fd, char *out, size_t size)
{
    char packet[VIEWERS_PACKET_MAX + 1];
    size_t used = 0;
    ssize_t got;
    int kind = 0;

    while ((got = recv(fd, packet, sizeof(packet) - 1, kind ? MSG_PEEK : 0)) > 0) {
        if (kind && packet[0] != kind)
            break;
        if (kind && recv(fd, packet, sizeof(packet) - 1, 0) != got)
            errx(1, "recv");
        kind = packet[0];
        if (used + (size_t)got > size)
            errx(1, "more than was expected");
        memcpy(out + used, packet + 1, (size_t)got - 1);
        used += (size_t)got - 1;
        settle();
    }
    out[used] = 0;
    return kind ? kind : got < 0 && errno == EAGAIN ? 0 : -1;
}

static int open_at(const char *instance_id, const char *from)
{
    char request[128];
    int fd = viewer_connect();

    snprintf(request, sizeof(request), "{\"instance_id\":\"%s\",\"replay_from\":%s}", instance_id, from);
    type(fd, request);
    return fd;
}

static bool next_is(int fd, int kind, const char *text)
{
    static char got[8 << 20];

    if (received(fd, got, sizeof(got)) == kind && !strcmp(got, text))
        return true;
    printf("# \"%.200s\"\n", got);
    return false;
}

static bool ended(int fd)
{
    char got[1024];
    bool end = received(fd, got, sizeof(got)) == -1;

    close(fd);
    settle();
    return end;
}

static void refusals(void)
{
    static const struct {
        const char *request, *answer;
    } wrong[] = {
        { "x", "{\"error\":{\"code\":\"bad_request\",\"detail\":\"the first packet must be a JSON object\"}}" },
        { "{\"instance_id\":\"ins_9\",\"replay_from\":0}",
          "{\"error\":{\"code\":\"not_found\",\"detail\":\"instance_id: no such instance\"}}" },
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int fd = viewer_connect();

        type(fd, wrong[i].request);
        check(next_is(fd, 'j', wrong[i].answer) && ended(fd), wrong[i].request);
    }
    int fd = open_at("ins_1", "\"0\"");
    char got[512];
    check(received(fd, got, sizeof(got)) == 'j' && strstr(got, "replay_from") && ended(fd), "an offset that is no number");
}

static void places(void)
{
    int early = open_at("ins_1", "0"), fd;

    check(next_is(early, 'j', "{\"offset\":0}"), "before the guest has written anything: from the beginning");
    settle();
    guest_writes("first\n", 6);
    settle();
    check(next_is(early, 'b', "first\n"), "a log that begins later is seen");
    fd = open_at("ins_1", "2");
    check(next_is(fd, 'j', "{\"offset\":2}") && next_is(fd, 'b', "rst\n"), "from an offset");
    guest_writes("more", 4);
    settle();
    check(next_is(fd, 'b', "more") && next_is(early, 'b', "more"), "two viewers see the same");
    close(fd);
    settle();
    fd = open_at("ins_1", "-3");
    check(next_is(fd, 'j', "{\"offset\":7}") && next_is(fd, 'b', "ore"), "the last bytes");
    close(fd);
    fd = open_at("ins_1", "1000000");
    check(next_is(fd, 'j', "{\"offset\":10}") && !received(fd, (char[512]){ 0 }, 512), "past the end is the end");
    close(fd);
    close(early);
    settle();
}

static void typing(void)
{
    char got[512];
    int one = open_at("ins_1", "1000000"), two = open_at("ins_1", "1000000");

    received(one, got, sizeof(got));
    received(two, got, sizeof(got));
    type(one, "lost");
    guest_start();
    type(one, "ls");
    type(two, "\x03");
    check(guest_reads("ls\x03"), "what two type arrives, as it is; what was typed before the guest ran does not");
    guest_end();
    guest_start();
    type(one, "after");
    check(guest_reads("after"), "the next incarnation gets what is typed then");
    check(opens == 4, "its terminal is opened once for each viewer and life, and for the one that found none");
    guest_end();
    close(one);
    close(two);
    settle();
}

/* A guest that reads nothing: its terminal fills, then the viewer's socket; the viewer who only looks goes on. */
static void blocked(void)
{
    static char block[VIEWERS_INPUT_MAX], got[1 << 20];
    int one = open_at("ins_1", "1000000"), two = open_at("ins_1", "1000000");
    size_t typed = 0, arrived = 0;
    ssize_t size;

    received(one, got, sizeof(got));
    received(two, got, sizeof(got));
    guest_start();
    memset(block, 'x', sizeof(block));
    while (send(one, block, sizeof(block), MSG_NOSIGNAL) > 0) {
        typed += sizeof(block);
        settle();
    }
    check(errno == EAGAIN && typed > 0, "a guest that does not read holds up who types");
    guest_writes("!", 1);
    settle();
    check(next_is(two, 'b', "!"), "and nobody else");
    while (arrived < typed && ((size = read(guest_fd, got, sizeof(got))) > 0 || errno == EAGAIN)) {
        arrived += size > 0 ? (size_t)size : 0;
        settle();
    }
    check(arrived == typed, "when it reads, all that was typed arrives");
    close(one);
    settle();
    check(!received(two, got, sizeof(got)), "a viewer who leaves takes nobody along");
    guest_end();
    close(two);
    settle();
}

static void slow(void)
{
    static char flood[1 << 20], got[8 << 20];
    int reader = open_at("ins_1", "1000000"), sleeper = open_at("ins_1", "1000000");
    size_t written = 0, read_bytes = 0;

    received(reader, got, sizeof(got));
    received(sleeper, got, sizeof(got));
    memset(flood, 'f', sizeof(flood));
    for (int i = 0; i < 6; i++) {
        guest_writes(flood, sizeof(flood));
        written += sizeof(flood);
        settle();
        if (received(reader, got, sizeof(got)) == 'b')
            read_bytes += strlen(got);
    }
    check(read_bytes == written, "a flood is seen whole by who reads");
    check(received(sleeper, got, sizeof(got)) == 'b' && strlen(got) < written, "who slept gets what its socket held");
    check(next_is(sleeper, 'j', "{\"closed\":\"slow\"}") && ended(sleeper), "and is told that it was too slow");
    int fd = open_at("ins_1", "0");
    check(received(fd, got, sizeof(got)) == 'j' && strtoll(got + strlen("{\"offset\":"), NULL, 10) > 0,
          "what is no longer kept is left out");
    check(received(fd, got, sizeof(got)) == 'b' && strlen(got) >= CONSOLE_KEEP_BYTES, "what is kept comes whole");
    close(fd);
    close(reader);
    settle();
}

/* places() has written 10 bytes, blocked() one, slow() 6 MiB. */
#define DELETED_OFFSET "{\"offset\":6291466}"

static void deletion(void)
{
    int fd = open_at("ins_1", "-1"), other = open_at("ins_2", "0");

    check(next_is(fd, 'j', DELETED_OFFSET), "the last byte of a long log has its own offset");
    guest_writes("bye", 3);
    console_remove(console_dir, "ins_1");
    settle();
    check(next_is(fd, 'b', "fbye") && next_is(fd, 'j', "{\"closed\":\"deleted\"}") && ended(fd),
          "a deleted instance's last words, and why it ends");
    check(next_is(other, 'j', "{\"offset\":0}") && !received(other, (char[512]){ 0 }, 512), "another's viewer stays");
    close(other);
    settle();
}

int main(void)
{
    static const struct viewers_guests guests = { .known = known, .input_open = input_open };

    log_init("viewers");
    dir = sample_dir();
    sample_files(dir);
    snprintf(console_dir, sizeof(console_dir), "%s/console", dir);
    snprintf(socket_path, sizeof(socket_path), "%s/run/console.sock", dir);
    snprintf(log_path, sizeof(log_path), "%s/guest-ins_1.log", console_dir);
    viewers = viewers_new(socket_path, console_dir, &guests);
    if (!viewers)
        errx(1, "no socket");
    refusals();
    places();
    typing();
    blocked();
    slow();
    deletion();
    viewers_free(viewers);
    return tap_end();
}
