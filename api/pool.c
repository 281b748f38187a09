/* A ring of jobs, one lock, one condition. */
#include "api/pool.h"
#include "api/upstream.h"
#include "common/log.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_BYTES (512 * 1024)

struct pool {
    pthread_mutex_t lock;               /* of everything below */
    pthread_cond_t wake;
    void **ring;
    unsigned first, held, room;
    unsigned idle;                      /* threads that wait for a job */
    unsigned queue_max;
    bool ending;

    unsigned threads;                   /* constant once made */
    pthread_t *ids;
    pool_run *run;
    const char *accountd;
    const char *provisioner;
};

static void *work(void *arg)
{
    struct pool *pool = arg;
    struct upstream *up = upstream_new(pool->accountd, pool->provisioner);

    if (!up)
        fatalx("out of memory for a worker thread");
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        void *job;

        pool->idle++;
        while (pool->held == 0 && !pool->ending)
            pthread_cond_wait(&pool->wake, &pool->lock);
        pool->idle--;
        if (pool->held == 0)
            break;
        job = pool->ring[pool->first];
        pool->first = (pool->first + 1) % pool->room;
        pool->held--;
        pthread_mutex_unlock(&pool->lock);
        pool->run(up, job);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    upstream_free(up);
    return NULL;
}

static void threads_start(struct pool *pool)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (unsigned i = 0; i < pool->threads; i++)
        if (pthread_create(&pool->ids[i], &attr, work, pool) != 0)
            fatalx("cannot start worker thread %u of %u", i + 1, pool->threads);
    pthread_attr_destroy(&attr);
}

struct pool *pool_new(unsigned threads, unsigned queue_max, const char *accountd, const char *provisioner,
                      pool_run *run)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        fatalx("out of memory");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->threads = threads;
    pool->queue_max = queue_max;
    pool->room = queue_max + threads;
    pool->ring = calloc(pool->room, sizeof(*pool->ring));
    pool->ids = calloc(threads, sizeof(*pool->ids));
    if (!pool->ring || !pool->ids)
        fatalx("out of memory");
    pool->accountd = accountd;
    pool->provisioner = provisioner;
    pool->run = run;
    threads_start(pool);
    return pool;
}

bool pool_submit(struct pool *pool, void *job)
{
    bool taken;

    pthread_mutex_lock(&pool->lock);
    taken = !pool->ending && pool->held < pool->idle + pool->queue_max && pool->held < pool->room;
    if (taken) {
        pool->ring[(pool->first + pool->held) % pool->room] = job;
        pool->held++;
        pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

void pool_free(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->threads; i++)
        pthread_join(pool->ids[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->ring);
    free(pool->ids);
    free(pool);
}
