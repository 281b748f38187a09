/* xs console: the guest's console on this terminal, over the WebSocket of openapi.yaml's console_session_create.
 *
 * The bytes are counted, so that a connection that ends is made anew where it was. The terminal is raw meanwhile: every key
 * is the guest's, but for Ctrl-]. Whatever ends us, a signal too, gives the terminal back as it was. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define DETACH 0x1d                     /* Ctrl-] */
#define HISTORY_BYTES 4096              /* what was written before, for a start */
#define HEAD_BYTES 8192
#define HANDSHAKE_MS 10000
#define QUEUE_MAX 65536
#define PAUSE_S 1

struct console {
    struct wire *wire;
    wslay_event_context_ptr ws;
    char early[HEAD_BYTES];             /* what came with the answer's head */
    size_t early_size, early_used;
    long long offset;                   /* of the next byte; negative: the last so many */
    char reason[32];                    /* why the host ended it; "" it did not say */
    bool gone;
    bool detached;
};

static struct termios terminal_was;
static bool terminal_raw;

static void terminal_restore(void)
{
    if (terminal_raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_was);
    terminal_raw = false;
}

static void terminal_take(void)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal_was) != 0)
        return;
    raw = terminal_was;
    cfmakeraw(&raw);
    atexit(terminal_restore);
    terminal_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* the WebSocket */

static ssize_t ws_recv(wslay_event_context_ptr ws, uint8_t *bytes, size_t size, int flags, void *arg)
{
    struct console *console = arg;
    size_t early = console->early_size - console->early_used;
    ssize_t got;

    (void)flags;
    if (early) {
        got = (ssize_t)(early < size ? early : size);
        memcpy(bytes, console->early + console->early_used, (size_t)got);
        console->early_used += (size_t)got;
        return got;
    }
    got = wire_recv(console->wire, bytes, size);
    if (got > 0)
        return got;
    console->gone = got == 0 || errno != EAGAIN;
    wslay_event_set_error(ws, console->gone ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t ws_send(wslay_event_context_ptr ws, const uint8_t *bytes, size_t size, int flags, void *arg)
{
    struct console *console = arg;
    ssize_t sent = wire_send(console->wire, bytes, size);

    (void)flags;
    if (sent >= 0)
        return sent;
    console->gone = errno != EAGAIN;
    wslay_event_set_error(ws, console->gone ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static int ws_mask(wslay_event_context_ptr ws, uint8_t *bytes, size_t size, void *arg)
{
    (void)ws;
    (void)arg;
    randombytes_buf(bytes, size);
    return 0;
}

static void word_take(struct console *console, const json_t *word)
{
    const json_t *offset = json_object_get(word, "offset");

    if (offset)
        console->offset = json_integer_value(offset);
    if (*json_text(word, "closed"))
        snprintf(console->reason, sizeof(console->reason), "%s", json_text(word, "closed"));
}

static void ws_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *message, void *arg)
{
    struct console *console = arg;
    json_t *word;

    (void)ws;
    if (message->opcode == WSLAY_BINARY_FRAME) {
        if (fwrite(message->msg, 1, message->msg_length, stdout) != message->msg_length || fflush(stdout) != 0)
            fail(EXIT_REFUSED, "the output could not be written");
        console->offset += (long long)message->msg_length;
    } else if (message->opcode == WSLAY_TEXT_FRAME) {
        word = json_loadb((const char *)message->msg, message->msg_length, 0, NULL);
        word_take(console, word);
        json_decref(word);
    }
}

static void say(struct console *console, uint8_t opcode, const void *bytes, size_t size)
{
    const struct wslay_event_msg message = { opcode, bytes, size };

    wslay_event_queue_msg(console->ws, &message);
}

static void size_say(struct console *console)
{
    struct winsize size;
    char text[80];

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_col || !size.ws_row)
        return;
    say(console, WSLAY_TEXT_FRAME, text, (size_t)snprintf(text, sizeof(text), "{\"resize\":{\"cols\":%u,\"rows\":%u}}",
                                                        size.ws_col < 1000u ? size.ws_col : 1000u,
                                                        size.ws_row < 1000u ? size.ws_row : 1000u));
}

/* the handshake */

static void wire_wait(struct console *console, short events)
{
    struct pollfd at = { .fd = wire_fd(console->wire), .events = events };

    if (poll(&at, 1, HANDSHAKE_MS) != 1)
        fail(EXIT_CONNECTION, "the host does not answer");
}

static void head_send(struct console *console, const char *path, const struct settings *settings)
{
    char head[1024], key[32];
    unsigned char bytes[16];
    size_t sent = 0, size;

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(key, sizeof(key), bytes, sizeof(bytes), sodium_base64_VARIANT_ORIGINAL);
    size = (size_t)snprintf(head, sizeof(head),
                            "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
                            path, strstr(settings->url, "://") ? strstr(settings->url, "://") + 3 : "", settings->key, key);
    if (size >= sizeof(head))
        fail(EXIT_USAGE, "the host's address or the key is too long");
    while (sent < size) {
        ssize_t n = wire_send(console->wire, head + sent, size - sent);

        if (n < 0 && errno != EAGAIN)
            fail(EXIT_CONNECTION, "the connection ended");
        if (n < 0)
            wire_wait(console, POLLOUT);
        sent += n > 0 ? (size_t)n : 0;
    }
}

/* More of the answer into `early`; false: there is no more, or no room for it. */
static bool more_read(struct console *console)
{
    size_t room = sizeof(console->early) - 1 - console->early_size;
    ssize_t n;

    if (!room)
        return false;
    while ((n = wire_recv(console->wire, console->early + console->early_size, room)) < 0 && errno == EAGAIN)
        wire_wait(console, POLLIN);
    console->early_size += n > 0 ? (size_t)n : 0;
    console->early[console->early_size] = 0;
    return n > 0;
}

/* A refusal is one JSON object, which is whole when it can be read; what does not begin as one is not our host's. */
static _Noreturn void refused(struct console *console, const char *body)
{
    json_t *problem;

    while (!(problem = json_loads(body, 0, NULL)) && (!*body || *body == '{') && more_read(console))
        ;
    json_decref(problem);
    problem_fail(strtol(console->early + strlen("HTTP/1.1 "), NULL, 10), body);
}

/* What follows the head stays as `early`. The certificate has said who answers, so 101 is enough. */
static void head_read(struct console *console)
{
    char *end = NULL;

    console->early_size = console->early_used = 0;
    while (!end && more_read(console))
        end = strstr(console->early, "\r\n\r\n");
    if (!end || strncmp(console->early, "HTTP/1.1 ", strlen("HTTP/1.1 ")) != 0)
        fail(EXIT_LATER, "the connection ended before the console was there");
    if (strncmp(console->early, "HTTP/1.1 101 ", strlen("HTTP/1.1 101 ")) != 0)
        refused(console, end + 4);
    console->early_used = (size_t)(end + 4 - console->early);
}

static void console_connect(struct console *console, struct host *host, const char *instance_id)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = ws_recv, .send_callback = ws_send, .genmask_callback = ws_mask, .on_msg_recv_callback = ws_message
    };
    char path[160], first[64];
    json_t *session;

    snprintf(path, sizeof(path), "/v1/instances/%s/console_sessions", instance_id);
    session = ask_post(host, path, NULL);
    console->reason[0] = 0;
    console->gone = false;
    console->wire = wire_open(host);
    head_send(console, json_text(session, "url"), host_settings(host));
    head_read(console);
    json_decref(session);
    if (wslay_event_context_client_init(&console->ws, &callbacks, console) != 0)
        fail(EXIT_CONNECTION, "out of memory");
    say(console, WSLAY_TEXT_FRAME, first,
        (size_t)snprintf(first, sizeof(first), "{\"replay_from\":%lld}", console->offset));
    size_say(console);
}

static void console_end(struct console *console)
{
    wslay_event_context_free(console->ws);
    wire_close(console->wire);
}

/* typing */

static void typed_take(struct console *console)
{
    char bytes[1024], *end;
    ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    end = size > 0 ? memchr(bytes, DETACH, (size_t)size) : NULL;
    console->detached = size <= 0 || end;
    if (end)
        size = end - bytes;
    if (size > 0)
        say(console, WSLAY_BINARY_FRAME, bytes, (size_t)size);
    if (console->detached)
        wslay_event_queue_close(console->ws, 1000, NULL, 0);
}

static void signal_take(struct console *console, int signal_fd)
{
    struct signalfd_siginfo got;

    if (read(signal_fd, &got, sizeof(got)) != sizeof(got))
        return;
    if (got.ssi_signo == SIGWINCH)
        size_say(console);
    else
        exit(128 + (int)got.ssi_signo);
}

/* What has come already is read before anything is waited for: TLS may hold it, and poll does not see that. */
static bool exchange(struct console *console)
{
    if (wslay_event_want_read(console->ws) && wslay_event_recv(console->ws) != 0)
        console->gone = true;
    if (wslay_event_want_write(console->ws) && wslay_event_send(console->ws) != 0)
        console->gone = true;
    return !console->gone && (wslay_event_want_read(console->ws) || wslay_event_want_write(console->ws));
}

static void console_run(struct console *console, int signal_fd)
{
    while (exchange(console)) {
        bool listens = !console->detached && wslay_event_get_queued_msg_length(console->ws) < QUEUE_MAX;
        struct pollfd at[] = {
            { .fd = wire_fd(console->wire), .events = POLLIN | (wslay_event_want_write(console->ws) ? POLLOUT : 0) },
            { .fd = signal_fd, .events = POLLIN },
            { .fd = listens ? STDIN_FILENO : -1, .events = POLLIN },
        };

        if (poll(at, 3, -1) < 0 && errno != EINTR)
            fail(EXIT_CONNECTION, "poll: %s", strerror(errno));
        if (at[1].revents)
            signal_take(console, signal_fd);
        if (at[2].revents)
            typed_take(console);
    }
}

static int signals_open(void)
{
    sigset_t signals;
    int fd;

    sigemptyset(&signals);
    for (const int *signal = (const int[]){ SIGWINCH, SIGTERM, SIGHUP, SIGINT, 0 }; *signal; signal++)
        sigaddset(&signals, *signal);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        fail(EXIT_CONNECTION, "signalfd: %s", strerror(errno));
    return fd;
}

/* Whether to come again: only what passes by itself is worth it. */
static bool passing(const struct console *console)
{
    return !console->detached && (!console->reason[0] || strcmp(console->reason, "unavailable") == 0 ||
                                  strcmp(console->reason, "slow") == 0);
}

int console_command(struct host *host, char **argv)
{
    static struct console console = { .offset = -HISTORY_BYTES };
    const struct timespec pause = { .tv_sec = PAUSE_S };
    const char *which;
    char *id;
    int signal_fd;

    args_take(argv, NULL, &which, 1, 1, "console INSTANCE");
    if (sodium_init() < 0)
        fail(EXIT_CONNECTION, "libsodium does not start");
    id = instance_resolve(host, which);
    signal_fd = signals_open();
    console_connect(&console, host, id);
    fprintf(stderr, "xs: the console of %s; Ctrl-] ends this\r\n", which);
    terminal_take();
    for (;;) {
        console_run(&console, signal_fd);
        console_end(&console);
        if (!passing(&console))
            break;
        nanosleep(&pause, NULL);            /* between tries, not for an order of things */
        console_connect(&console, host, id);
    }
    terminal_restore();
    fprintf(stderr, "\nxs: %s\n", console.detached ? "detached" : console.reason);
    close(signal_fd);
    free(id);
    return console.detached ? EXIT_DONE : EXIT_REFUSED;
}
