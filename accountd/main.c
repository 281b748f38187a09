/* accountd: meter reader, bank and notary.
 *
 * Starts as root to map the stats page, then is xs-accountd for good: it keeps
 * a read-only mapping, its databases, its keys and its socket, and no way to
 * ask hv for anything.
 */
#include "accountd/accountd.h"
#include "accountd/config.h"
#include "accountd/control/listen.h"
#include "accountd/log/rotate.h"
#include "common/daemon.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define USER      "xs-accountd"
#define API_USER  "xs-api"
#define SAMPLE_S  1

struct paths {
    char bundles[512], socket[512], pid[512];
};

static void make_paths(const struct config *c, struct paths *p)
{
    snprintf(p->bundles, sizeof(p->bundles), "%s/bundles", c->state_dir);
    snprintf(p->socket, sizeof(p->socket), "%s/accountd.sock", c->run_dir);
    snprintf(p->pid, sizeof(p->pid), "%s/accountd.pid", c->run_dir);
}

/* Bundles are read by api through its group; the directory passes it on. */
static void share_bundles(const char *path)
{
    uid_t uid, api_uid;
    gid_t gid, api_gid;

    if (geteuid() != 0 || !daemon_user(USER, &uid, &gid) || !daemon_user(API_USER, &api_uid, &api_gid))
        return;
    if (chown(path, uid, api_gid) != 0 || chmod(path, 02750) != 0)
        fatal("%s: cannot give it to group %s", path, API_USER);
}

/* Shared with the other daemons; made if it is not there. Our socket is bound
 * in it when we are no longer root. */
static void make_run_dir(const char *path)
{
    uid_t uid;
    gid_t gid;

    if (mkdir(path, 0775) != 0) {
        if (errno != EEXIST)
            fatal("%s: cannot create (its parent must exist)", path);
        return;
    }
    if (geteuid() == 0 && daemon_user(USER, &uid, &gid) && (chown(path, 0, gid) != 0 || chmod(path, 0775) != 0))
        fatal("%s: cannot give it to group %s", path, USER);
}

/* Everything that needs root, before there is anything to lose. */
static void start_as_root(struct accountd *a, const struct config *c, const struct paths *p)
{
    umask(027);
    make_run_dir(c->run_dir);
    daemon_lock(p->pid);
    if (mkdir(c->state_dir, 0755) != 0 && errno != EEXIST)
        fatal("%s: cannot create (its parent must exist)", c->state_dir);
    daemon_mkdir(c->state_dir, 0755, c->stats_file ? NULL : USER);
    daemon_mkdir(p->bundles, 0750, c->stats_file ? NULL : USER);
    if (!c->stats_file)
        share_bundles(p->bundles);
    a->page = c->stats_file ? stats_page_file(c->stats_file) : stats_page_xen();
}

/* What anyone may read: the log's files and the public keys. */
static void start_publishing(struct accountd *a)
{
    char usage_db[600], dir[600];

    snprintf(usage_db, sizeof(usage_db), "%s/usage.db", a->state_dir);
    snprintf(dir, sizeof(dir), "%s/public", a->state_dir);
    a->publish = publish_new(usage_db, dir);
    if (!a->publish || rotate_write_keys(a))
        fatalx("%s: the log cannot be published", dir);
}

static int make_timer(void)
{
    struct itimerspec each = { .it_interval.tv_sec = SAMPLE_S, .it_value.tv_nsec = 1 };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd < 0 || timerfd_settime(fd, 0, &each, NULL) != 0)
        fatal("cannot make a timer");
    return fd;
}

static void on_timer(struct accountd *a, int timer)
{
    uint64_t turns;

    if (read(timer, &turns, sizeof(turns)) != sizeof(turns))
        return;
    if (accountd_tick(a, (int64_t)turns - 1, NULL))
        log_warnx("sample %jd: not everything was made durable, it is done again with the next", (intmax_t)a->samples);
}

static void loop(struct accountd *a, struct rpc_server *server, int signals, int timer)
{
    struct pollfd on[] = { { .fd = signals, .events = POLLIN }, { .fd = timer, .events = POLLIN },
                           { .fd = rpc_server_fd(server), .events = POLLIN }, { .fd = acker_fd(a->acker), .events = POLLIN } };

    while (!(on[0].revents & POLLIN)) {
        if (poll(on, sizeof(on) / sizeof(on[0]), -1) < 0 && errno != EINTR)
            fatal("poll");
        if (on[1].revents & POLLIN)
            on_timer(a, timer);
        if (on[2].revents & POLLIN)
            rpc_server_run(server);
        if (on[3].revents & POLLIN)
            accountd_answers(a);
        control_news_run();
    }
    log_info("stopping: what is open goes on from its last record at the next start");
}

int main(int argc, char **argv)
{
    static struct accountd a;
    struct accountd_setup setup;
    struct config config;
    struct paths paths;
    struct rpc_server *server;
    int signals, timer;

    log_init("xs-accountd");
    daemon_sodium_start();
    config_read(&config, argc, argv);
    setup = (struct accountd_setup){ .state_dir = config.state_dir, .host = config.host,
                                     .head_copy = config.head_copy,
                                     .graces = config.graces, .hold_s = config.hold_s,
                                     .interval_ns = (uint64_t)config.interval_s * 1000000000u };
    setup.payments = config.payments;
    setup.price_book = config_price_book(&config, &setup.book);
    config_seller(&config, &setup.seller);
    make_paths(&config, &paths);
    start_as_root(&a, &config, &paths);
    /* From a file, nothing needed root: whoever tests us stays who they are. */
    if (!config.stats_file)
        daemon_drop(USER);
    signals = daemon_signal_fd();
    a.witnesses = config.witnesses;
    if (accountd_open(&a, &setup))
        fatalx("%s: not as it must be to go on: nothing was changed", config.state_dir);
    free(setup.price_book);
    start_publishing(&a);
    a.acker = acker_new(config.provisioner_socket);
    timer = make_timer();
    /* The first sample is taken before anyone can ask. */
    if (accountd_tick(&a, 0, NULL))
        fatalx("the first sample could not be recorded");
    server = control_listen(&a, paths.socket);
    if (!server)
        fatalx("%s: no socket", paths.socket);
    daemon_ready();
    loop(&a, server, signals, timer);
    if (hostbooks_now(&a))
        log_warnx("books: no statement at this stop: the next one is of the time since the last");
    rpc_server_free(server);
    acker_free(a.acker);
    publish_free(a.publish);
    accountd_close(&a);
    stats_page_free(a.page);
    return 0;
}
