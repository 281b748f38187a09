/* The real accountd, run as a process: a test writes the stats file as hv
 * would, plays the provisioner on its socket, and asks as api would.
 *
 * Nothing here waits by the clock alone: each wait is for something that
 * accountd says or a process does, and gives up after DEADLINE_S.
 */
#ifndef TESTS_ACCOUNTD_WORLD_H
#define TESTS_ACCOUNTD_WORLD_H

#include "common/rpc.h"

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <xs/stats.h>

#define WORLD_DEADLINE_S 30

struct world {
    char dir[64];
    uint8_t *page;                      /* the stats file, mapped */
    pid_t accountd;                     /* 0: not running */
    struct rpc_client *client;
    json_t *error;                      /* of the last world_ask that failed */
    char log[128];                      /* path of accountd's stderr */
    const char *prices;                 /* the configured price book; NULL: accountd/pricebook.json */
    const char *seller;                 /* likewise; NULL: accountd/seller.json */

    pthread_t provisioner;
    struct rpc_server *server;
    int stop[2];                        /* a pipe: closing it ends the provisioner */
    unsigned acks;                      /* tombstones freed; read with __atomic */
    unsigned suspends;                  /* instances that accountd asked to suspend; likewise */
    bool refuse_acks;                   /* the provisioner answers `unavailable` */
};

void world_begin(struct world *w);
void world_end(struct world *w);

/* Runs accountd. True when it is ready; false when it has ended, *status set. */
bool world_start(struct world *w, int *status);
/* Signals it and waits for its end; its status. */
int world_kill(struct world *w, int signal);
/* Runs a second one beside it to its end; its status. */
int world_run(struct world *w);
/* Whether accountd's stderr holds this text. */
bool world_logged(const struct world *w, const char *text);

/* The ok object, or NULL and w->error. */
json_t *world_ask(struct world *w, const char *verb, const char *args_format, ...);
/* The error's code, "" if it was none. */
const char *world_code(const struct world *w);

/* Writes a slot or CPU under its sequence word, as hv does. */
void world_slot(struct world *w, unsigned index, const struct xs_stats_slot *slot);
void world_cpu(struct world *w, unsigned index, uint64_t guest_ns, uint64_t hv_ns, uint64_t idle_ns);
struct xs_stats_slot world_live(uint8_t tag, unsigned domid);
const char *world_hex(uint8_t tag);
/* Waits until accountd has taken two more samples; false at the deadline. */
bool world_sampled(struct world *w);
/* Waits until accountd has asked the provisioner to suspend something. */
bool world_suspended(struct world *w);
/* Waits until hv's slot is empty: its end is durable and the provisioner was told. */
bool world_freed(struct world *w, unsigned index);

#endif
