/* xs-provisioner: start, then three threads: this one answers the socket, one
 * runs the jobs (worker.h), one serves the consoles (viewers.h). Runs as root, because the nodes in /dev/xen
 * belong to root and a hypercall needs one of them, but with one of root's
 * capabilities only (bridges and forwarded ports are dom0's network); it opens
 * nothing that a customer names. */
#include "common/daemon.h"
#include "common/log.h"
#include "common/rpc.h"
#include "accountd/control.h"
#include "provisioner/console_input.h"
#include "provisioner/control.h"
#include "provisioner/network.h"
#include "provisioner/serve.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct options {
    const char *state_dir, *run_dir, *catalog, *console_dir, *volume_dir, *accountd;
};

/* Made from the options. */
struct paths {
    char db[PATH_MAX], lock[PATH_MAX], socket[PATH_MAX], consoles[PATH_MAX], accountd[PATH_MAX];
};

static const char usage[] =
    "usage: xs-provisioner [--state-dir DIR] [--run-dir DIR] [--catalog FILE]\n"
    "                      [--console-dir DIR] [--volume-dir DIR] [--accountd SOCKET]\n";

static void options_read(struct options *o, int argc, char **argv)
{
    static const struct option long_options[] = {
        { "state-dir", required_argument, NULL, 's' }, { "run-dir", required_argument, NULL, 'r' },
        { "catalog", required_argument, NULL, 'c' },   { "console-dir", required_argument, NULL, 'l' },
        { "volume-dir", required_argument, NULL, 'v' }, { "accountd", required_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    *o = (struct options){ "/var/lib/xs/provisioner", "/run/xs", "/etc/xs/catalog.json", "/var/log/xen/console",
                            "/var/lib/xs/volumes", NULL };
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 's': o->state_dir = optarg; break;
        case 'r': o->run_dir = optarg; break;
        case 'c': o->catalog = optarg; break;
        case 'l': o->console_dir = optarg; break;
        case 'v': o->volume_dir = optarg; break;
        case 'a': o->accountd = optarg; break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(1);
        }
    }
    if (optind != argc)
        fatalx("%s: no such argument; see --help", argv[optind]);
}

static void path_in(char path[PATH_MAX], const char *dir, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        fatalx("%.100s...: the path is too long", dir);
}

static void paths_make(struct paths *p, const struct options *o)
{
    path_in(p->db, o->state_dir, "host.db");
    path_in(p->lock, o->run_dir, "provisioner.pid");
    path_in(p->socket, o->run_dir, "provisioner.sock");
    path_in(p->consoles, o->run_dir, "console.sock");
    path_in(p->accountd, o->run_dir, "accountd.sock");
    if (o->accountd && snprintf(p->accountd, PATH_MAX, "%s", o->accountd) >= PATH_MAX)
        fatalx("%.100s...: the path is too long", o->accountd);
}

/* The user stays root, who owns the nodes and files that are opened; what root
 * may beyond that (capabilities(7)) is given up, now and for whatever is
 * executed (nft), before anything is read. What stays is the right to dom0's network. */
static void capabilities_drop(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct few[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        fatal("no_new_privs");
    if (syscall(SYS_capget, &header, few))
        fatal("capabilities cannot be read");
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        few[i].permitted &= i ? 0 : 1u << CAP_NET_ADMIN;
        few[i].effective = few[i].permitted;
        few[i].inheritable = 0;
    }
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (cap != CAP_NET_ADMIN && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
            fatal("capability %d cannot be given up", cap);
    if (syscall(SYS_capset, &header, few))
        fatal("capabilities cannot be given up");
}

/* The machine that dom0 runs on may forward other ports than the catalogue says. */
static void ports_read(struct catalog *catalog)
{
    char cmdline[4096] = "";
    FILE *f = fopen("/proc/cmdline", "r");

    if (f && !fgets(cmdline, sizeof(cmdline), f))
        cmdline[0] = 0;
    if (f)
        fclose(f);
    if (catalog_ports(catalog, cmdline))
        fatalx("/proc/cmdline: xs.forward must be FIRST-LAST, at most %u ports", NETWORK_FORWARDS_MAX);
}

static int event_fd(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        fatal("eventfd");
    return fd;
}

void serve_wake_worker(const struct serve *serve)
{
    if (eventfd_write(serve->worker->wake_fd, 1))
        log_warn("eventfd: the worker is woken late");
}

static void *worker_thread(void *worker)
{
    worker_run(worker, false);
    return NULL;
}

static pthread_t worker_begin(struct worker *worker, const struct options *o, const struct paths *paths,
                              const struct catalog *catalog)
{
    pthread_t thread;

    worker->tools = (struct tools){
        .store = store_open(paths->db),
        .xen = xen_open(),
        .xenstore = xenstore_open(),
        .billing = billing_open(paths->accountd),
        .volumes = volumes_open(o->volume_dir),
        .catalog = catalog,
        .console_dir = o->console_dir,
    };
    worker->wake_fd = event_fd();
    worker->news_fd = event_fd();
    if (pthread_create(&thread, NULL, worker_thread, worker))
        fatal("cannot start a thread");
    return thread;
}

/* The consoles' thread: neither money's word nor a job waits for what guests write. */
struct consoles {
    struct console_input input;
    struct viewers *viewers;
    pthread_t thread;
    int stop_fd;
};

static void *consoles_thread(void *arg)
{
    const struct consoles *consoles = arg;
    struct pollfd at[] = { { .fd = consoles->stop_fd, .events = POLLIN },
                           { .fd = viewers_fd(consoles->viewers), .events = POLLIN } };

    do {
        if (poll(at, 2, -1) < 0 && errno != EINTR)
            fatal("poll");
        if (at[1].revents)
            viewers_run(consoles->viewers);
    } while (!at[0].revents);
    return NULL;
}

static void consoles_begin(struct consoles *consoles, const struct options *o, const struct paths *paths)
{
    struct viewers_guests guests = console_input_guests(&consoles->input);

    consoles->input = (struct console_input){ .store = store_open(paths->db), .xen = xen_open() };
    consoles->viewers = viewers_new(paths->consoles, o->console_dir, &guests);
    if (!consoles->viewers)
        fatalx("the consoles' socket cannot be opened (see above)");
    consoles->stop_fd = event_fd();
    if (pthread_create(&consoles->thread, NULL, consoles_thread, consoles))
        fatal("cannot start a thread");
}

static void consoles_end(struct consoles *consoles)
{
    eventfd_write(consoles->stop_fd, 1);
    pthread_join(consoles->thread, NULL);
    viewers_free(consoles->viewers);
    close(consoles->stop_fd);
    xen_close(consoles->input.xen);
    store_close(consoles->input.store);
}

static void loop(struct rpc_server *server, const struct serve *serve, int signal_fd)
{
    struct pollfd at[] = { { .fd = signal_fd, .events = POLLIN },
                           { .fd = rpc_server_fd(server), .events = POLLIN },
                           { .fd = serve->worker->news_fd, .events = POLLIN } };
    eventfd_t ignored;

    do {
        int64_t left_ms = control_waiters_run();

        if (poll(at, 3, (int)left_ms) < 0 && errno != EINTR)
            fatal("poll");
        if (at[1].revents)
            rpc_server_run(server);
        if (at[2].revents)
            eventfd_read(serve->worker->news_fd, &ignored);
    } while (!at[0].revents);
}

static void worker_end(struct worker *worker, pthread_t thread)
{
    atomic_store(&worker->stop, true);
    eventfd_write(worker->wake_fd, 1);
    pthread_join(thread, NULL);
    volumes_close(worker->tools.volumes);
    billing_close(worker->tools.billing);
    xenstore_close(worker->tools.xenstore);
    xen_close(worker->tools.xen);
    store_close(worker->tools.store);
}

int main(int argc, char **argv)
{
    static struct paths paths;
    struct options o;
    struct catalog catalog;
    struct catalog_fault fault;
    struct worker worker = { 0 };
    struct serve serve;
    struct rpc_server *server;
    pthread_t thread;
    struct consoles consoles;
    int signal_fd;

    log_init("xs-provisioner");
    options_read(&o, argc, argv);
    paths_make(&paths, &o);
    capabilities_drop();
    daemon_sodium_start();
    daemon_mkdir(o.state_dir, 0700, NULL);
    daemon_lock(paths.lock);
    if (catalog_load(&catalog, o.catalog, &fault))
        fatalx("%s", fault.text);
    ports_read(&catalog);
    signal_fd = daemon_signal_fd();             /* before the thread, which inherits the mask */
    daemon_mkdir(o.console_dir, 0700, NULL);
    serve = (struct serve){ .store = store_open(paths.db), .xen = xen_open(), .volumes = volumes_open(o.volume_dir),
                            .catalog = &catalog, .console_dir = o.console_dir, .worker = &worker };
    if (!volumes_reflink(serve.volumes))
        log_warnx("%s: no reflinks on this file system: clones are copies, attached volumes have no snapshots", o.volume_dir);
    reconcile_files(serve.store, serve.volumes, &catalog);
    thread = worker_begin(&worker, &o, &paths, &catalog);
    server = control_open(&serve, paths.socket);
    if (!server)
        fatalx("the socket cannot be opened (see above)");
    consoles_begin(&consoles, &o, &paths);
    daemon_ready();
    loop(server, &serve, signal_fd);
    consoles_end(&consoles);
    rpc_server_free(server);
    worker_end(&worker, thread);
    volumes_close(serve.volumes);
    store_close(serve.store);
    xen_close(serve.xen);
    catalog_free(&catalog);
    return 0;
}
