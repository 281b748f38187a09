#include "provisioner/blkback/serve.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define BUFFER_BYTES (REQUEST_SEGS_MAX * 4096u)
#define PAGE_BYTES   4096u
/* A frontend that never ceases to ask for what is answered at once must not keep us from hearing devd. */
#define ROUNDS_MAX   64u

enum step {
    STEP_FREE,
    STEP_DESCRIPTORS,                   /* in the queue of copies, for its page of descriptors */
    STEP_COPY,                          /* in the queue of copies */
    STEP_DISK,
    STEP_FLUSH_WAITS,                   /* for the writes before it */
};

struct work {
    struct work *next;                  /* in the free list or the queue of copies */
    struct inflight *entry;
    struct request req;
    enum step step;
    uint32_t resident;                  /* bytes of its buffer that were written to once */
    struct xs_meter_seg segs[REQUEST_SEGS_MAX];
};

struct serve {
    struct meter meter;
    struct disk *disk;
    struct ring ring;
    struct request_limits limits;
    bool stopping;
    uint64_t limited_ns;
    unsigned in_flight, flushes_waiting;
    struct work *free;                  /* last freed first taken: few buffers become resident */
    struct work *copy_head, **copy_tail;
    struct xs_meter_op ops[XS_METER_OPS_MAX];
    struct work works[DISK_TAGS_MAX];
    uint8_t buffers[DISK_TAGS_MAX][BUFFER_BYTES] __attribute__((aligned(DISK_ALIGN)));
};

size_t serve_bytes(void)
{
    return (sizeof(struct serve) + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

static uint8_t *buffer_of(struct serve *serve, const struct work *work)
{
    return serve->buffers[work - serve->works];
}

static bool moves_data(const struct work *work)
{
    return work->req.op == BLKIF_OP_READ || work->req.op == BLKIF_OP_WRITE;
}

static void submit(struct serve *serve, struct work *work, enum disk_op op)
{
    work->step = STEP_DISK;
    disk_submit(serve->disk, (unsigned)(work - serve->works), op, buffer_of(serve, work),
                work->req.sector * SECTOR_BYTES, work->req.sectors * SECTOR_BYTES);
}

static void copy_queue(struct serve *serve, struct work *work, enum step step)
{
    work->step = step;
    work->next = NULL;
    *serve->copy_tail = work;
    serve->copy_tail = &work->next;
}

/* A write or discard taken before this flush is still under way. */
static bool must_wait(const struct serve *serve, const struct work *flush)
{
    for (unsigned i = 0; i < DISK_TAGS_MAX; i++) {
        const struct work *work = &serve->works[i];

        if (work->step != STEP_FREE && work->entry->seq < flush->entry->seq &&
            (work->req.op == BLKIF_OP_WRITE || work->req.op == BLKIF_OP_DISCARD))
            return true;
    }
    return false;
}

static void flush(struct serve *serve, struct work *work)
{
    if (must_wait(serve, work)) {
        work->step = STEP_FLUSH_WAITS;
        serve->flushes_waiting++;
    } else {
        submit(serve, work, DISK_FLUSH);
    }
}

static void flushes_look(struct serve *serve)
{
    for (unsigned i = 0; i < DISK_TAGS_MAX && serve->flushes_waiting; i++) {
        struct work *work = &serve->works[i];

        if (work->step != STEP_FLUSH_WAITS || must_wait(serve, work))
            continue;
        serve->flushes_waiting--;
        submit(serve, work, DISK_FLUSH);
    }
}

static void answer(struct serve *serve, struct work *work, int status)
{
    ring_answer(&serve->ring, work->entry, &work->req, status);
    work->step = STEP_FREE;
    work->next = serve->free;
    serve->free = work;
    serve->in_flight--;
    flushes_look(serve);
}

/* Its segments are known. */
static void begin_data(struct serve *serve, struct work *work)
{
    if (work->req.op == BLKIF_OP_READ)
        submit(serve, work, DISK_READ);
    else
        copy_queue(serve, work, STEP_COPY);
}

static void begin(struct serve *serve, struct inflight *entry)
{
    struct work *work = serve->free;
    int status;

    serve->free = work->next;
    serve->in_flight++;
    work->entry = entry;
    status = request_read(entry->raw, serve->ring.abi, &serve->limits, &work->req);
    if (!status && serve->ring.state->flush_failed && work->req.op != BLKIF_OP_READ)
        status = BLKIF_RSP_ERROR;
    if (status)
        answer(serve, work, status);
    else if (work->req.indirect)
        copy_queue(serve, work, STEP_DESCRIPTORS);
    else
        begin_data(serve, work);
}

static uint8_t kind_of(const struct work *work)
{
    switch (work->req.op) {
    case BLKIF_OP_READ:
        return XS_METER_disk_read;
    case BLKIF_OP_WRITE:
        return XS_METER_disk_write;
    case BLKIF_OP_FLUSH_DISKCACHE:
        return XS_METER_disk_flush;
    default:
        return XS_METER_disk_discard;
    }
}

/* What hv is to write to must be there. The kernel's own reads see to that by themselves. */
static void make_resident(struct serve *serve, struct work *work, uint64_t bytes)
{
    for (; work->resident < bytes; work->resident += PAGE_BYTES)
        *(volatile uint8_t *)(buffer_of(serve, work) + work->resident) = 0;
}

static void op_fill(struct serve *serve, struct work *work, struct xs_meter_op *op)
{
    uint64_t at = (uintptr_t)buffer_of(serve, work);

    *op = (struct xs_meter_op){ .seq = work->entry->seq, .segs = (uintptr_t)work->segs };
    if (work->step == STEP_DESCRIPTORS) {
        op->kind = XS_METER_control;
        op->nr_segs = 1;
        make_resident(serve, work, PAGE_BYTES);
        work->segs[0] = (struct xs_meter_seg){ .ref = work->req.descriptors, .buffer = at };
        work->segs[0].len = (uint16_t)(work->req.nr_segs * sizeof(struct blkif_request_segment));
        return;
    }
    op->kind = kind_of(work);
    op->nr_segs = moves_data(work) ? (uint8_t)work->req.nr_segs : 0;
    if (work->req.op == BLKIF_OP_WRITE)
        make_resident(serve, work, work->req.sectors * SECTOR_BYTES);
    for (unsigned i = 0; i < op->nr_segs; i++) {
        const struct request_seg *seg = &work->req.segs[i];

        work->segs[i] = (struct xs_meter_seg){ .ref = seg->ref, .offset = seg->offset, .len = seg->len, .buffer = at };
        at += seg->len;
    }
}

static void copied(struct serve *serve, struct work *work, int status)
{
    if (!status && work->step == STEP_DESCRIPTORS) {
        status = request_segments(&work->req, (const void *)buffer_of(serve, work), &serve->limits);
        if (!status) {
            begin_data(serve, work);
            return;
        }
    }
    if (status || work->req.op == BLKIF_OP_READ)
        answer(serve, work, status ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY);
    else if (work->req.op == BLKIF_OP_FLUSH_DISKCACHE)
        flush(serve, work);
    else
        submit(serve, work, work->req.op == BLKIF_OP_WRITE ? DISK_WRITE : DISK_DISCARD);
}

/* One call of the meter for all that wait, up to its maximum. */
static int copy_batch(struct serve *serve)
{
    unsigned count = 0;
    int done;

    for (struct work *work = serve->copy_head; work && count < XS_METER_OPS_MAX; work = work->next)
        op_fill(serve, work, &serve->ops[count++]);
    done = meter_copy(&serve->meter, serve->ops, count, &serve->limited_ns);
    if (done < 0)
        return done;
    if ((unsigned)done == count)
        serve->limited_ns = 0;
    else if (!serve->limited_ns)
        serve->limited_ns = 1;
    for (int i = 0; i < done; i++) {
        struct work *work = serve->copy_head;

        serve->copy_head = work->next;
        if (!serve->copy_head)
            serve->copy_tail = &serve->copy_head;
        copied(serve, work, serve->ops[i].status);
    }
    return 0;
}

static int take_all(struct serve *serve)
{
    struct inflight *entry;
    int rc = 0;

    while (serve->free && (rc = ring_take(&serve->ring, &entry)) == 1)
        begin(serve, entry);
    return rc < 0 ? rc : 0;
}

int serve_run(struct serve *serve, bool *notify)
{
    unsigned rounds = 0;
    int rc;

    do {
        if (rounds++ == ROUNDS_MAX) {
            serve->limited_ns = serve->limited_ns ? serve->limited_ns : 1;
            return 0;
        }
        rc = serve->stopping ? 0 : take_all(serve);
        while (!rc && serve->copy_head && !serve->limited_ns)
            rc = copy_batch(serve);
        if (ring_publish(&serve->ring))
            *notify = true;
    } while (!rc && !serve->stopping && serve->free && ring_await(&serve->ring));
    return rc;
}

void serve_done(struct serve *serve, unsigned tag, int result)
{
    struct work *work = &serve->works[tag];

    if (result && work->req.op == BLKIF_OP_FLUSH_DISKCACHE)
        serve->ring.state->flush_failed = 1;
    if (result == -EOPNOTSUPP && work->req.op == BLKIF_OP_DISCARD)
        answer(serve, work, BLKIF_RSP_EOPNOTSUPP);
    else if (result)
        answer(serve, work, BLKIF_RSP_ERROR);
    else if (work->req.op == BLKIF_OP_READ)
        copy_queue(serve, work, STEP_COPY);
    else
        answer(serve, work, BLKIF_RSP_OKAY);
}

uint64_t serve_limited_ns(const struct serve *serve)
{
    return serve->limited_ns;
}

void serve_retry(struct serve *serve)
{
    serve->limited_ns = 0;
}

void serve_resize(struct serve *serve, uint64_t sectors)
{
    serve->limits.sectors = sectors;
}

void serve_stop(struct serve *serve)
{
    serve->stopping = true;
}

bool serve_idle(const struct serve *serve)
{
    return serve->in_flight == 0;
}

struct serve *serve_begin(void *memory, const struct meter *meter, struct disk *disk, void *ring_pages,
                          unsigned nr_pages, enum request_abi abi, struct ring_state *state,
                          const struct request_limits *limits)
{
    struct serve *serve = memory;
    struct inflight *entry;
    uint64_t seq = 0;

    memset(serve, 0, offsetof(struct serve, buffers));
    serve->meter = *meter;
    serve->disk = disk;
    serve->limits = *limits;
    serve->copy_tail = &serve->copy_head;
    for (unsigned i = DISK_TAGS_MAX; i--;) {
        serve->works[i].next = serve->free;
        serve->free = &serve->works[i];
    }
    if (ring_open(&serve->ring, ring_pages, nr_pages, abi, state) != 0)
        return NULL;
    while ((entry = ring_retake(&serve->ring, &seq))) {
        if (!serve->free)
            return NULL;
        begin(serve, entry);
    }
    return serve;
}
