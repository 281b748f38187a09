/* Worker threads. The HTTP thread never blocks; workers may.
 *
 * There are two pools of this kind. Short requests: a few threads and a queue;
 * a daemon that hangs can hold at most these. Long polls: a thread each, no
 * queue; when all are taken a poll is answered at once instead of waiting.
 * Threads rather than an event loop over the sockets: SQLite and the sockets'
 * client block, a handler reads from top to bottom, and the number of requests
 * at once is bounded anyway. */
#ifndef API_POOL_H
#define API_POOL_H

#include <stdbool.h>

struct upstream;

typedef void pool_run(struct upstream *up, void *job);

struct pool;
struct pool *pool_new(unsigned threads, unsigned queue_max, const char *accountd, const char *provisioner,
                      pool_run *run);
/* False if no thread is idle and the queue is full. Any thread. */
bool pool_submit(struct pool *pool, void *job);
/* Runs what is queued, then ends the threads. */
void pool_free(struct pool *pool);

#endif
