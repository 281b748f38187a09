/* A model of what blkback's core touches: an honest frontend's ring and pages, hv's metered copy, a disk. All of it is one struct
 * without pointers, so that a copy of it is the picture that a kill leaves behind. */
#ifndef TESTS_BLKBACK_WORLD_H
#define TESTS_BLKBACK_WORLD_H

#include "provisioner/blkback/serve.h"

#include <stdbool.h>

#define WORLD_PAGES    16u              /* the guest's, granted to dom0; the reference is the index + 1 */
#define WORLD_SECTORS  64u
#define WORLD_REQUESTS 4096u            /* of one connection */

#define COUNTED(kind, bytes) ((uint64_t)(kind) << 32 | (bytes))

struct world {
    _Alignas(4096) uint8_t ring[RING_PAGES_MAX * 4096];
    enum request_abi abi;
    unsigned ring_pages;                /* 0: one */
    struct ring_state state;
    uint8_t pages[WORLD_PAGES][4096];
    bool readonly_grant[WORLD_PAGES];
    uint8_t disk[WORLD_SECTORS * SECTOR_BYTES];
    /* By seq, since hv counts a number once: COUNTED(kind, bytes), or 0. One word: for the worker it is one step. */
    uint64_t counted[WORLD_REQUESTS];
    uint64_t seq_highest;
    uint32_t req_prod, rsp_cons;        /* the frontend's own */
};

/* The one that the seams act on, and its worker. */
extern struct world *world;
extern struct serve *serve;

/* What is submitted to the disk and not done. */
struct pending {
    bool used;
    enum disk_op op;
    uint8_t *data;
    uint64_t offset, bytes;
};
extern struct pending pending[DISK_TAGS_MAX];

extern unsigned copies_allowed;         /* operations until the limit; UINT_MAX none */
extern void (*at_seam)(void);           /* called where a worker may be killed, or the frontend act; NULL */

/* A worker begins, on what the one before it left. False: refused. */
bool worker_begins(void);
/* Runs it. As serve_run; *notified says if it sent an event. */
int worker_runs(bool *notified);
/* Does one pending operation to the disk, `rc` its outcome, and tells the worker. */
void disk_does(unsigned tag, int rc);
/* The operation reaches the disk though its worker is dead. */
void disk_applies(unsigned tag);
/* Runs and does all that is pending until nothing is. */
int worker_finishes(void);

/* The frontend. */
void frontend_sends(const void *request, size_t bytes);
/* The next answer. */
bool frontend_hears(struct blkif_response *answer);

unsigned counted(enum xs_meter_kind kind);

#endif
