/* The control thread: answers the socket. Its own handles, as worker.h says. */
#ifndef PROVISIONER_SERVE_H
#define PROVISIONER_SERVE_H

#include "provisioner/worker.h"

struct serve {
    struct store *store;
    struct xen *xen;
    struct volumes *volumes;
    const struct catalog *catalog;
    const char *console_dir;
    struct worker *worker;
};

struct rpc_server;

/* The server of control.h's verbs. NULL after logging. */
struct rpc_server *control_open(const struct serve *with, const char *socket_path);

/* Answers the callers of `job` whose job has ended or whose time is up.
 * Returns the ms until the next one's time is up, -1 when none waits. */
int64_t control_waiters_run(void);

void serve_wake_worker(const struct serve *serve);

#endif
