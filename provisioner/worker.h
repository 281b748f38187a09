/* The thread that runs jobs. It has its own handles to the store, the
 * hypervisor, xenstored and accountd, and shares no memory with the control
 * thread: both see the rows of host.db, and wake each other by eventfd. So the
 * control thread always answers at once, accountd's calls included, while a
 * step here waits for accountd. */
#ifndef PROVISIONER_WORKER_H
#define PROVISIONER_WORKER_H

#include "provisioner/job.h"

#include <stdatomic.h>

struct worker {
    struct tools tools;
    int wake_fd;                    /* written when there may be a new job, or stop is set */
    int news_fd;                    /* written by the worker when a job's row has changed */
    atomic_bool settle;             /* accountd has let someone run: compare, then wake_fd */
    atomic_bool stop;
};

/* Runs all jobs until nothing can go on, or forever. Between steps it waits in
 * poll for a new job, an event of a domain, or the time of the next retry. */
void worker_run(struct worker *worker, bool until_idle);

/* Compares what the hypervisor reports with host.db: our domains without an
 * instance are destroyed, instances whose domain is gone or has shut down get
 * the job or the state that this calls for. Instances with an unfinished job
 * are left to it. 0, or -errno: nothing was changed after the failure. */
int reconcile(const struct tools *tools);

/* Once after the start: devices, bridges and ports that an interrupted job
 * left behind, or that nobody needs any more. */
int reconcile_leftovers(const struct tools *tools);

/* Before the threads start: files without a row, and rows whose file was not finished. Exits 1 when the folder cannot be read. */
void reconcile_files(struct store *store, struct volumes *volumes, const struct catalog *catalog);

#endif
