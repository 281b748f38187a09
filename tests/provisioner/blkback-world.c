#include "tests/provisioner/blkback-world.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct world *world;
struct serve *serve;
struct pending pending[DISK_TAGS_MAX];
unsigned copies_allowed = UINT_MAX;
void (*at_seam)(void);

static void *memory;

static void seam(void)
{
    if (at_seam)
        at_seam();
}

static int seg_copy(const struct xs_meter_op *op, const struct xs_meter_seg *seg)
{
    bool to_guest = op->kind == XS_METER_disk_read;
    uint8_t *page, *buffer = (uint8_t *)(uintptr_t)seg->buffer;

    if (seg->len == 0 || seg->offset + seg->len > 4096)
        return -EINVAL;
    if (seg->ref == 0 || seg->ref > WORLD_PAGES || (to_guest && world->readonly_grant[seg->ref - 1]))
        return -EPERM;
    page = world->pages[seg->ref - 1] + seg->offset;
    if (to_guest)
        memcpy(page, buffer, seg->len);
    else
        memcpy(buffer, page, seg->len);
    return 0;
}

static void op_copy(struct xs_meter_op *op)
{
    const struct xs_meter_seg *segs = (const struct xs_meter_seg *)(uintptr_t)op->segs;

    op->status = 0;
    op->moved = 0;
    assert(op->nr_segs <= XS_METER_SEGS_MAX);
    for (unsigned i = 0; i < op->nr_segs && !op->status; i++) {
        op->status = (int16_t)seg_copy(op, &segs[i]);
        if (!op->status)
            op->moved += segs[i].len;
    }
    if (op->kind == XS_METER_control)
        return;
    assert(op->seq + XS_METER_WINDOW > world->seq_highest && op->seq < WORLD_REQUESTS);
    if (op->seq > world->seq_highest)
        world->seq_highest = op->seq;
    if (world->counted[op->seq] == 0)
        world->counted[op->seq] = COUNTED(op->kind, op->moved);
}

int meter_copy(const struct meter *meter, struct xs_meter_op *ops, unsigned count, uint64_t *retry_ns)
{
    (void)meter;
    for (unsigned i = 0; i < count; i++) {
        seam();
        if (copies_allowed == 0) {
            *retry_ns = 1000;
            return (int)i;
        }
        copies_allowed -= copies_allowed != UINT_MAX;
        op_copy(&ops[i]);
    }
    seam();
    return (int)count;
}

void disk_submit(struct disk *disk, unsigned tag, enum disk_op op, void *data, uint64_t offset, uint64_t bytes)
{
    (void)disk;
    assert(tag < DISK_TAGS_MAX && !pending[tag].used && (uintptr_t)data % DISK_ALIGN == 0);
    if (op != DISK_FLUSH)
        assert(bytes && offset % SECTOR_BYTES == 0 && bytes % SECTOR_BYTES == 0 &&
               offset + bytes <= WORLD_SECTORS * SECTOR_BYTES);
    if (op == DISK_READ || op == DISK_WRITE)
        assert(bytes <= REQUEST_SEGS_MAX * 4096);
    seam();
    pending[tag] = (struct pending){ .used = true, .op = op, .data = data, .offset = offset, .bytes = bytes };
}

bool worker_begins(void)
{
    static const struct request_limits limits = { .sectors = WORLD_SECTORS, .discard = true, .indirect = true };
    struct meter meter = { 0 };

    if (!memory)
        memory = aligned_alloc(4096, serve_bytes());
    assert(memory);
    memset(pending, 0, sizeof(pending));
    serve = serve_begin(memory, &meter, NULL, world->ring,
                        world->ring_pages ? world->ring_pages : 1, world->abi, &world->state, &limits);
    return serve;
}

int worker_runs(bool *notified)
{
    *notified = false;
    return serve_run(serve, notified);
}

void disk_applies(unsigned tag)
{
    struct pending *p = &pending[tag];

    assert(p->used);
    if (p->op == DISK_READ)
        memcpy(p->data, world->disk + p->offset, p->bytes);
    else if (p->op == DISK_WRITE)
        memcpy(world->disk + p->offset, p->data, p->bytes);
    else if (p->op == DISK_DISCARD)
        memset(world->disk + p->offset, 0, p->bytes);
    p->used = false;
}

void disk_does(unsigned tag, int rc)
{
    if (!rc)
        disk_applies(tag);
    pending[tag].used = false;
    serve_done(serve, tag, rc);
}

int worker_finishes(void)
{
    bool notified, did;
    int rc;

    do {
        rc = worker_runs(&notified);
        did = false;
        for (unsigned tag = 0; tag < DISK_TAGS_MAX; tag++) {
            if (pending[tag].used) {
                disk_does(tag, 0);
                did = true;
            }
        }
    } while (!rc && did);
    return rc;
}

static struct blkif_sring *sring(void)
{
    return (struct blkif_sring *)world->ring;
}

void frontend_sends(const void *request, size_t bytes)
{
    memcpy(&sring()->ring[world->req_prod % 32], request, bytes);
    __atomic_store_n(&sring()->req_prod, ++world->req_prod, __ATOMIC_RELEASE);
}

bool frontend_hears(struct blkif_response *answer)
{
    if (world->rsp_cons == sring()->rsp_prod)
        return false;
    *answer = sring()->ring[world->rsp_cons++ % 32].rsp;
    sring()->rsp_event = world->rsp_cons + 1;
    return true;
}

unsigned counted(enum xs_meter_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < WORLD_REQUESTS; i++)
        count += world->counted[i] >> 32 == kind;
    return count;
}
