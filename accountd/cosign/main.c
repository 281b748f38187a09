/* xs-cosign: carries the published head to the witnesses and their
 * cosignatures to accountd. It holds no key and may do nothing else; what it
 * brings is checked again. accountd itself never talks to the network. */
#include "accountd/control.h"
#include "accountd/cosign/ask.h"
#include "accountd/log/file.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/rpc.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define USER         "xs-cosign"
#define NOTE_MAX     65536
#define RETRY_S      1                  /* doubled with each failure */
#define RETRY_MAX_S  300
#define ACCOUNTD_MS  10000

static const char usage_text[] =
    "usage: xs-cosign [options]\n"
    "  --witnesses FILE   whom to ask (default " WITNESSES_PATH "; not there: nobody)\n"
    "  --public DIR       what accountd publishes (default /var/lib/xs/accountd/public)\n"
    "  --accountd PATH    its socket (default " ACCOUNTD_SOCKET ")\n"
    "  --state-dir DIR    keeps the newest cosigned checkpoint, for accountd's head_copy\n"
    "                     (default /var/lib/xs/cosign)\n"
    "  --user NAME        whom to become when started as root (default xs-cosign)\n";

struct options {
    const char *witnesses, *public_dir, *accountd, *state_dir, *user;
};

/* One witness, and how far we are with it. */
struct asked {
    uint64_t known;                     /* leaves it has cosigned, as far as we know */
    uint64_t done;                      /* this size needs no more asking */
    int64_t retry_at_s;                 /* CLOCK_MONOTONIC; 0: now */
    int64_t delay_s;
};

struct cosign {
    struct options options;
    struct witnesses witnesses;
    struct asked asked[WITNESSES_MAX];
    struct rpc_client *accountd;
    char origin[128];
};

static void parse_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = { { "witnesses", required_argument, NULL, 'w' },
                                           { "public", required_argument, NULL, 'p' },
                                           { "accountd", required_argument, NULL, 'a' },
                                           { "state-dir", required_argument, NULL, 's' },
                                           { "user", required_argument, NULL, 'u' },
                                           { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    int option;

    *options = (struct options){ WITNESSES_PATH, "/var/lib/xs/accountd/public", ACCOUNTD_SOCKET, "/var/lib/xs/cosign",
                                   USER };
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        const char **at = option == 'w' ? &options->witnesses : option == 'p' ? &options->public_dir
                        : option == 'a' ? &options->accountd : option == 's' ? &options->state_dir
                        : option == 'u' ? &options->user : NULL;

        if (option == 'h') {
            fputs(usage_text, stdout);
            exit(0);
        }
        if (!at)
            fatalx("unknown option: see --help");
        *at = optarg;
    }
    if (optind < argc)
        fatalx("%s: not an option: see --help", argv[optind]);
}

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* The newest head that was cosigned, for accountd's next start. Never an older
 * one over a newer one: that is what it is for. */
static void keep_copy(const struct cosign *c, const char *note, const struct note_checkpoint *head, const char *line)
{
    struct note_checkpoint kept;
    char path[512], *old, *text;
    size_t len;
    bool newer;

    snprintf(path, sizeof(path), "%s/checkpoint", c->options.state_dir);
    old = file_get(path, NOTE_MAX, &len);
    newer = old && note_checkpoint_read(old, &kept) && strcmp(kept.origin, head->origin) == 0 && kept.size > head->size;
    free(old);
    if (newer) {
        log_warnx("%s: has a head of %ju leaves, accountd publishes %ju: kept as it is", path, (uintmax_t)kept.size,
                  (uintmax_t)head->size);
        return;
    }
    if (asprintf(&text, "%s%s", note, line) < 0)
        return;
    file_put(path, text, strlen(text), 0644);
    free(text);
}

static int deliver(struct cosign *c, const char *witness, const char *line, uint64_t size)
{
    json_t *error = NULL, *args = json_pack("{s:I, s:s}", "size", (json_int_t)size, "line", line);
    json_t *ok = rpc_call_sync(c->accountd, "cosignature_add", args, ACCOUNTD_MS, &error);
    int rc = ok ? 0 : -1;

    if (!ok)
        log_warnx("witness %s: accountd does not take its cosignature of %ju leaves: %s: %s", witness, (uintmax_t)size,
                  json_text(error, "code"), json_text(error, "detail"));
    json_decref(ok);
    json_decref(error);
    return rc;
}

static void failed(struct asked *asked)
{
    asked->delay_s = asked->delay_s ? asked->delay_s * 2 : RETRY_S;
    if (asked->delay_s > RETRY_MAX_S)
        asked->delay_s = RETRY_MAX_S;
    asked->retry_at_s = now_s() + asked->delay_s;
}

static void ask_one(struct cosign *c, unsigned i, const char *note, const struct note_checkpoint *head)
{
    const struct witness_known *witness = &c->witnesses.of[i];
    struct asked *asked = &c->asked[i];
    char *line;

    switch (ask_witness(witness, c->options.public_dir, note, head, &asked->known, &line)) {
    case ASK_COSIGNED:
        if (deliver(c, witness->name, line, head->size)) {
            failed(asked);
            break;
        }
        keep_copy(c, note, head, line);
        *asked = (struct asked){ .known = head->size, .done = head->size };
        break;
    case ASK_AHEAD:
        log_warnx("witness %s: has cosigned MORE than the %ju leaves of %s: the databases are an old backup, or the "
                  "log key is"
                  " in two hands. Stop accountd, restore the newer files or move usage.db away",
                  witness->name, (uintmax_t)head->size, head->origin);
        asked->done = head->size;
        break;
    case ASK_FORK:
        log_warnx(
            "witness %s: has cosigned another log than this one of %ju leaves (%s): it FORKED. Stop accountd, and move"
            " usage.db away to go on with a new log",
            witness->name, (uintmax_t)head->size, head->origin);
        asked->done = head->size;
        break;
    case ASK_FAILED:
        failed(asked);
        break;
    }
    free(line);
}

/* Another log than before: what the witnesses know of the old one says nothing. */
static void follow_origin(struct cosign *c, const struct note_checkpoint *head)
{
    if (strcmp(c->origin, head->origin) == 0)
        return;
    memset(c->asked, 0, sizeof(c->asked));
    snprintf(c->origin, sizeof(c->origin), "%s", head->origin);
}

/* Asks whom there is to ask; how many ms until the next of them is due, -1: none. */
static int ask_due(struct cosign *c)
{
    struct note_checkpoint head;
    char path[512], *note;
    int64_t next_s = 0;
    size_t len;

    snprintf(path, sizeof(path), "%s/checkpoint", c->options.public_dir);
    note = file_get(path, NOTE_MAX, &len);
    if (!note || !note_checkpoint_read(note, &head)) {
        free(note);
        return -1;
    }
    follow_origin(c, &head);
    for (unsigned i = 0; i < c->witnesses.count; i++) {
        if (c->asked[i].done != head.size && c->asked[i].retry_at_s <= now_s())
            ask_one(c, i, note, &head);
        if (c->asked[i].done != head.size && (next_s == 0 || c->asked[i].retry_at_s < next_s))
            next_s = c->asked[i].retry_at_s;
    }
    free(note);
    if (next_s == 0)
        return -1;
    return next_s > now_s() ? (int)(next_s - now_s()) * 1000 : 0;
}

/* accountd renames a new checkpoint into place. The folder it is in may be renamed too, when a new log begins. */
static int watch(const struct cosign *c)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0)
        fatal("inotify");
    if (inotify_add_watch(fd, c->options.public_dir, IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR) < 0)
        fatal("%s: cannot watch (accountd makes it when it starts)", c->options.public_dir);
    return fd;
}

/* Takes what is there to read; true if the folder itself is another now. */
static bool drain(int fd)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool moved = false;
    ssize_t n;

    while ((n = read(fd, events, sizeof(events))) > 0)
        for (char *at = events; at < events + n; at += sizeof(struct inotify_event) + ((struct inotify_event *)at)->len)
            moved = moved || ((struct inotify_event *)at)->mask & IN_MOVE_SELF;
    return moved;
}

static void loop(struct cosign *c, int signals)
{
    struct pollfd on[] = { { .fd = signals, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
    int wait_ms = -1;

    /* No witnesses: there is nothing to do, and no reason to be started again and again. */
    if (c->witnesses.count)
        on[1].fd = watch(c);
    while (!(on[0].revents & POLLIN)) {
        if (c->witnesses.count)
            wait_ms = ask_due(c);
        if (poll(on, 2, wait_ms) < 0 && errno != EINTR)
            fatal("poll");
        if (on[1].revents && drain(on[1].fd))
            fatalx("%s: was renamed: a new log began; starting again", c->options.public_dir);
    }
}

int main(int argc, char **argv)
{
    static struct cosign c;
    struct json_why why;
    int signals;

    log_init("xs-cosign");
    daemon_sodium_start();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        fatalx("libcurl does not start");
    parse_options(&c.options, argc, argv);
    if (witnesses_read(c.options.witnesses, &c.witnesses, &why))
        fatalx("%s: %s", c.options.witnesses, why.text);
    daemon_mkdir(c.options.state_dir, 0755, c.options.user);
    daemon_drop(c.options.user);
    signals = daemon_signal_fd();
    c.accountd = rpc_client_new(c.options.accountd);
    if (!c.accountd)
        fatalx("out of memory");
    daemon_ready();
    log_info("%u witnesses", c.witnesses.count);
    loop(&c, signals);
    rpc_client_free(c.accountd);
    curl_global_cleanup();
    return 0;
}
