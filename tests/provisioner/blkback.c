/* blkback's core: what a frontend asks for, honest or not, and kills at every point. */
#include "tests/provisioner/blkback-world.h"
#include "tests/provisioner/tap.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static struct world the_world;

static void world_new(void)
{
    memset(&the_world, 0, sizeof(the_world));
    world = &the_world;
    copies_allowed = UINT_MAX;
    at_seam = NULL;
    for (unsigned i = 0; i < sizeof(world->disk); i++)
        world->disk[i] = (uint8_t)(i / SECTOR_BYTES);
    ((struct blkif_sring *)world->ring)->rsp_event = 1;
    if (!worker_begins())
        abort();
}

static uint64_t next_id = 1000;

/* One page's sectors. */
static struct blkif_request data_request(uint8_t op, uint64_t sector, uint32_t page, uint8_t first, uint8_t last)
{
    struct blkif_request req = { .operation = op, .nr_segments = 1, .id = next_id++, .sector_number = sector };

    req.seg[0] = (struct blkif_request_segment){ .gref = page + 1, .first_sect = first, .last_sect = last };
    return req;
}

static struct blkif_request plain_request(uint8_t op)
{
    return (struct blkif_request){ .operation = op, .id = next_id++ };
}

static struct blkif_request_discard discard_request(uint64_t sector, uint64_t sectors)
{
    return (struct blkif_request_discard){ .operation = BLKIF_OP_DISCARD, .id = next_id++, .sector_number = sector,
                                           .nr_sectors = sectors };
}

/* Its descriptors go into `table`. */
static struct blkif_request_indirect indirect_request(uint8_t op, uint64_t sector, uint32_t table, uint16_t segs,
                                                      uint32_t page)
{
    struct blkif_request_indirect req = { .operation = BLKIF_OP_INDIRECT, .indirect_op = op, .nr_segments = segs,
                                          .id = next_id++, .sector_number = sector };
    struct blkif_request_segment *descriptors = (struct blkif_request_segment *)world->pages[table];

    for (unsigned i = 0; i < segs && i < 512; i++)
        descriptors[i] = (struct blkif_request_segment){ .gref = page + 1 + i % 4, .first_sect = 0, .last_sect = 0 };
    req.indirect_grefs[0] = table + 1;
    return req;
}

#define SEND(request) frontend_sends(&(request), sizeof(request))

static bool answered(uint64_t id, uint8_t op, int status)
{
    struct blkif_response answer;

    if (!frontend_hears(&answer)) {
        printf("# no answer\n");
        return false;
    }
    if (answer.id == id && answer.operation == op && answer.status == status)
        return true;
    printf("# id %lu operation %u status %d\n", (unsigned long)answer.id, answer.operation, answer.status);
    return false;
}

static void honest_requests(void)
{
    struct blkif_request write, read, flush;
    struct blkif_request_discard discard;
    struct blkif_request_indirect indirect;
    bool notified;

    world_new();
    memset(world->pages[0], 0xaa, 4096);
    write = data_request(BLKIF_OP_WRITE, 8, 0, 2, 4);
    SEND(write);
    check(worker_runs(&notified) == 0 && !notified && world->disk[8 * 512] == 8, "a write is copied first");
    disk_does(0, 0);
    worker_runs(&notified);
    check(notified && answered(write.id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY), "written, then answered, with an event");
    check(world->disk[8 * 512 - 1] == 7 && world->disk[8 * 512] == 0xaa && world->disk[11 * 512 - 1] == 0xaa &&
          world->disk[11 * 512] == 11, "exactly its sectors");

    read = data_request(BLKIF_OP_READ, 10, 1, 6, 7);
    SEND(read);
    check(worker_finishes() == 0 && answered(read.id, BLKIF_OP_READ, BLKIF_RSP_OKAY) && world->pages[1][3071] == 0 &&
          world->pages[1][3072] == 0xaa && world->pages[1][3584] == 11, "a read brings them to its page");

    discard = discard_request(8, 3);
    SEND(discard);
    check(worker_finishes() == 0 && answered(discard.id, BLKIF_OP_DISCARD, BLKIF_RSP_OKAY) && world->disk[8 * 512] == 0,
          "a discard");
    flush = plain_request(BLKIF_OP_FLUSH_DISKCACHE);
    SEND(flush);
    check(worker_finishes() == 0 && answered(flush.id, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY), "a flush");

    indirect = indirect_request(BLKIF_OP_READ, 20, 5, 32, 8);
    SEND(indirect);
    check(worker_finishes() == 0 && answered(indirect.id, BLKIF_OP_READ, BLKIF_RSP_OKAY) && world->pages[8][0] == 48 &&
          world->pages[11][0] == 51, "an indirect read of 32 segments, answered as a read");
    check(counted(XS_METER_disk_read) == 2 && counted(XS_METER_disk_write) == 1 && counted(XS_METER_disk_flush) == 1 &&
          counted(XS_METER_disk_discard) == 1 && world->counted[0] == COUNTED(XS_METER_disk_write, 1536) &&
          world->counted[4] == COUNTED(XS_METER_disk_read, 32 * 512),
          "each is counted once, with its bytes");
}

static void flush_covers_writes(void)
{
    struct blkif_request write[2], flush, later;
    bool notified, fsync_early = false;

    world_new();
    write[0] = data_request(BLKIF_OP_WRITE, 0, 0, 0, 7);
    write[1] = data_request(BLKIF_OP_WRITE, 8, 1, 0, 7);
    flush = plain_request(BLKIF_OP_FLUSH_DISKCACHE);
    later = data_request(BLKIF_OP_WRITE, 16, 2, 0, 7);
    SEND(write[0]);
    SEND(write[1]);
    SEND(flush);
    SEND(later);
    worker_runs(&notified);
    for (unsigned tag = 0; tag < DISK_TAGS_MAX; tag++)
        fsync_early |= pending[tag].used && pending[tag].op == DISK_FLUSH;
    check(!fsync_early && pending[0].used && pending[1].used && pending[3].used, "a flush waits for writes before it");
    disk_does(1, 0);
    worker_runs(&notified);
    check(!pending[2].used, "for all of them");
    disk_does(0, -EIO);
    worker_runs(&notified);
    check(pending[2].used && pending[2].op == DISK_FLUSH, "not for later ones");
    worker_finishes();
    check(answered(write[1].id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY) &&
          answered(write[0].id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR) &&
          answered(flush.id, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY), "EIO is the one request's");
}

/* Linux's frontend takes a failed flush for one that is not supported, tells nobody and flushes no more. */
static void failed_flush(void)
{
    struct blkif_request flush, write, read;
    struct blkif_request_discard discard;
    bool notified;

    world_new();
    flush = plain_request(BLKIF_OP_FLUSH_DISKCACHE);
    SEND(flush);
    worker_runs(&notified);
    worker_runs(&notified);
    disk_does(0, -EIO);
    worker_runs(&notified);
    if (!worker_begins())
        abort();
    write = data_request(BLKIF_OP_WRITE, 8, 1, 0, 7);
    discard = discard_request(16, 8);
    read = data_request(BLKIF_OP_READ, 8, 1, 0, 7);
    SEND(write);
    SEND(discard);
    SEND(read);
    worker_finishes();
    check(answered(flush.id, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_ERROR) &&
          answered(write.id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR) &&
          answered(discard.id, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR) && counted(XS_METER_disk_write) == 0,
          "after a failed flush nothing is written, nor by the next worker");
    check(answered(read.id, BLKIF_OP_READ, BLKIF_RSP_OKAY), "but read");
}

static void bad_requests(void)
{
    struct {
        const char *name;
        struct blkif_request req;
        int status;
    } bad[] = {
        { "past the end", data_request(BLKIF_OP_READ, WORLD_SECTORS - 7, 0, 0, 7), BLKIF_RSP_ERROR },
        { "far past the end", data_request(BLKIF_OP_WRITE, UINT64_MAX - 3, 0, 0, 7), BLKIF_RSP_ERROR },
        { "first above last", data_request(BLKIF_OP_READ, 0, 0, 5, 4), BLKIF_RSP_ERROR },
        { "last past its page", data_request(BLKIF_OP_READ, 0, 0, 0, 8), BLKIF_RSP_ERROR },
        { "a grant that is none", data_request(BLKIF_OP_READ, 0, 76, 0, 7), BLKIF_RSP_ERROR },
        { "a barrier", plain_request(BLKIF_OP_WRITE_BARRIER), BLKIF_RSP_EOPNOTSUPP },
        { "an operation of no kind", plain_request(77), BLKIF_RSP_EOPNOTSUPP },
        { "no segments", plain_request(BLKIF_OP_READ), BLKIF_RSP_ERROR },
        { "12 segments", data_request(BLKIF_OP_WRITE, 0, 0, 0, 7), BLKIF_RSP_ERROR },
        { "a flush with data", data_request(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 7), BLKIF_RSP_ERROR },
        { "reading into a page that may only be read", data_request(BLKIF_OP_READ, 0, 9, 0, 7), BLKIF_RSP_ERROR },
    };
    struct blkif_request_indirect indirect;
    struct blkif_request_discard discard;

    world_new();
    world->readonly_grant[9] = true;
    bad[8].req.nr_segments = 12;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        SEND(bad[i].req);
        check(worker_finishes() == 0 && answered(bad[i].req.id, bad[i].req.operation, bad[i].status), bad[i].name);
    }
    indirect = indirect_request(BLKIF_OP_WRITE, 0, 5, 33, 8);
    SEND(indirect);
    check(worker_finishes() == 0 && answered(indirect.id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR), "33 indirect segments");
    indirect = indirect_request(BLKIF_OP_WRITE, 0, 5, 2, 8);
    indirect.indirect_grefs[0] = 99;
    SEND(indirect);
    check(worker_finishes() == 0 && answered(indirect.id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR),
          "descriptors in a page that is not granted");
    indirect = indirect_request(BLKIF_OP_FLUSH_DISKCACHE, 0, 5, 1, 8);
    SEND(indirect);
    check(worker_finishes() == 0 && answered(indirect.id, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_ERROR), "an indirect flush");
    discard = discard_request(1, UINT64_MAX);
    SEND(discard);
    check(worker_finishes() == 0 && answered(discard.id, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR), "a discard of everything");
    for (unsigned i = 0; i < WORLD_SECTORS; i++)
        if (world->disk[i * 512] != i)
            check(false, "the disk is as it was");
}

static void producer_lies(void)
{
    struct blkif_sring *ring;
    bool notified;

    world_new();
    ring = (struct blkif_sring *)world->ring;
    ring->req_prod = 33;
    check(worker_runs(&notified) == -EPROTO, "a producer past the ring");
    world_new();
    ring->req_prod = UINT32_MAX;
    check(worker_runs(&notified) == -EPROTO, "a producer that goes back");
    world_new();
    ring->req_prod = 32;
    check(worker_finishes() == 0, "a full ring of zeros is 32 reads without segments");
    ring->req_prod = 32 + 33;
    check(worker_runs(&notified) == -EPROTO, "a producer past what was answered");
}

/* Answered at once, since its descriptors are in a page that is not granted. */
static void send_hopeless(void)
{
    struct blkif_request_indirect indirect = indirect_request(BLKIF_OP_READ, 0, 15, 1, 0);

    indirect.indirect_grefs[0] = 99;
    SEND(indirect);
}

/* One more while the last one is looked at. */
static void asks_again(void)
{
    if (((struct blkif_sring *)world->ring)->rsp_prod + 1 == world->req_prod)
        send_hopeless();
}

static void never_ceases(void)
{
    bool notified;

    world_new();
    at_seam = asks_again;
    send_hopeless();
    check(worker_runs(&notified) == 0 && serve_limited_ns(serve) == 1, "a frontend that never ceases: others have their turn");
    check(world->req_prod >= 32, "after a while");
    at_seam = NULL;
    serve_retry(serve);
    check(worker_finishes() == 0 && serve_idle(serve) && serve_limited_ns(serve) == 0, "then it goes on");
}

static void limited(void)
{
    struct blkif_request write[3];
    bool notified;

    world_new();
    for (unsigned i = 0; i < 3; i++) {
        write[i] = data_request(BLKIF_OP_WRITE, 8 * i, i, 0, 7);
        SEND(write[i]);
    }
    copies_allowed = 1;
    worker_runs(&notified);
    check(pending[0].used && !pending[1].used && serve_limited_ns(serve) == 1000, "the limit stops the second write");
    copies_allowed = UINT_MAX;
    worker_runs(&notified);
    check(!pending[1].used, "until its time");
    serve_retry(serve);
    check(worker_finishes() == 0 && answered(write[0].id, BLKIF_OP_WRITE, 0) &&
          answered(write[1].id, BLKIF_OP_WRITE, 0) && answered(write[2].id, BLKIF_OP_WRITE, 0) &&
          serve_limited_ns(serve) == 0 && serve_idle(serve), "then all pass, in order");
}

/* PVH GRUB's layout: slots of 108 bytes, fields behind the first word 4 bytes earlier. */
static void thirty_two_bits(void)
{
    struct blkif_sring *ring = (struct blkif_sring *)the_world.ring;
    uint64_t id = 77, sector = 6, answer_id;
    struct blkif_request_segment seg = { .gref = 3, .first_sect = 1, .last_sect = 2 };
    uint8_t *slot;
    int16_t status;

    world_new();
    world->abi = ABI_X86_32;
    worker_begins();
    for (unsigned n = 0; n < 2; n++) {
        slot = world->ring + 64 + n * 108;
        slot[0] = BLKIF_OP_READ;
        slot[1] = 1;
        memcpy(slot + 4, &id, sizeof(id));
        memcpy(slot + 12, &sector, sizeof(sector));
        memcpy(slot + 20, &seg, sizeof(seg));
    }
    ring->req_prod = 2;
    check(worker_finishes() == 0 && ring->rsp_prod == 2 && world->pages[2][511] == 0 && world->pages[2][512] == 6 &&
          world->pages[2][1535] == 7, "requests of a 32-bit frontend");
    memcpy(&answer_id, slot, sizeof(answer_id));
    memcpy(&status, slot + 10, sizeof(status));
    check(answer_id == 77 && slot[8] == BLKIF_OP_READ && status == BLKIF_RSP_OKAY, "are answered where it looks");
}

static void eight_pages(void)
{
    struct blkif_sring *ring = (struct blkif_sring *)the_world.ring;
    struct blkif_request read = data_request(BLKIF_OP_READ, 0, 0, 0, 7);
    bool notified;

    world_new();
    world->ring_pages = RING_PAGES_MAX;
    worker_begins();
    for (unsigned n = 0; n < 256; n++)
        memcpy(&ring->ring[n], &read, sizeof(read));
    ring->req_prod = 256;
    check(worker_finishes() == 0 && ring->rsp_prod == 256 && counted(XS_METER_disk_read) == 256,
          "a ring of eight pages has 256 requests");
    ring->req_prod = 256 + 257;
    check(worker_runs(&notified) == -EPROTO, "and not one more");
}

static uint32_t random_state = 99;

static unsigned below(unsigned bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

/* An honest guest's load with a kill now and then: every request is answered once, the disk holds what was written, the
 * counts are the guest's own. Each request in flight has its own page and its own sectors. */
#define LANES 8u

static struct {
    bool busy;
    uint64_t id;
    uint8_t op;
    uint8_t fill;                       /* what a write writes */
    uint8_t holds;                      /* what the lane's sectors hold */
} lanes[LANES];

static unsigned sent[8], kills, answers_wrong;
static jmp_buf killed;
static unsigned kill_in;

static void maybe_killed(void)
{
    if (kill_in && --kill_in == 0)
        longjmp(killed, 1);
}

static void lane_sends(unsigned n)
{
    static const uint8_t ops[] = { BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD };
    uint8_t op = ops[below(5)];
    struct blkif_request_discard discard = discard_request(n * 8, 8);
    struct blkif_request_indirect indirect;
    struct blkif_request req = op == BLKIF_OP_FLUSH_DISKCACHE ? plain_request(op) : data_request(op, n * 8, n, 0, 7);

    lanes[n].busy = true;
    lanes[n].op = op;
    lanes[n].id = req.id;
    lanes[n].fill = (uint8_t)(1 + below(255));
    sent[op]++;
    if (op == BLKIF_OP_WRITE || op == BLKIF_OP_READ)
        memset(world->pages[n], op == BLKIF_OP_WRITE ? lanes[n].fill : 0xee, 4096);
    if (op == BLKIF_OP_DISCARD) {
        discard.id = req.id;
        SEND(discard);
    } else if ((op == BLKIF_OP_READ || op == BLKIF_OP_WRITE) && below(2)) {
        indirect = indirect_request(op, n * 8, LANES + n, 1, n);
        ((struct blkif_request_segment *)world->pages[LANES + n])->last_sect = 7;
        indirect.id = req.id;
        SEND(indirect);
    } else {
        SEND(req);
    }
}

static void lane_hears(const struct blkif_response *answer)
{
    for (unsigned n = 0; n < LANES; n++) {
        if (!lanes[n].busy || lanes[n].id != answer->id)
            continue;
        lanes[n].busy = false;
        if (answer->operation != lanes[n].op || answer->status != BLKIF_RSP_OKAY)
            answers_wrong++;
        if (lanes[n].op == BLKIF_OP_WRITE)
            lanes[n].holds = lanes[n].fill;
        if (lanes[n].op == BLKIF_OP_DISCARD)
            lanes[n].holds = 0;
        if (lanes[n].op == BLKIF_OP_READ && (world->pages[n][0] != lanes[n].holds || world->pages[n][4095] != lanes[n].holds))
            answers_wrong++;
        return;
    }
    answers_wrong++;                    /* no such request, or its second answer */
}

/* A part of the load; ends by itself or in `killed`. */
static void load_goes_on(void)
{
    struct blkif_response answer;
    bool notified;

    for (unsigned n = 0; n < LANES; n++)
        if (!lanes[n].busy && below(3) && world->req_prod < WORLD_REQUESTS - LANES)
            lane_sends(n);
    copies_allowed = below(4) ? UINT_MAX : below(4);
    if (serve_limited_ns(serve) && below(2))
        serve_retry(serve);
    worker_runs(&notified);
    for (unsigned tag = 0; tag < DISK_TAGS_MAX; tag++)
        if (pending[tag].used && below(2))
            disk_does(tag, 0);
    while (frontend_hears(&answer))
        lane_hears(&answer);
}

/* What was under way may still reach the disk; then its lock is free. */
static void worker_dies(void)
{
    kills++;
    for (unsigned tag = 0; tag < DISK_TAGS_MAX; tag++)
        if (pending[tag].used && below(2))
            disk_applies(tag);
    kill_in = 0;
    if (!worker_begins())
        answers_wrong++;
}

static unsigned lanes_wrong(void)
{
    unsigned wrong = 0;

    for (unsigned n = 0; n < LANES; n++)
        wrong += lanes[n].busy || world->disk[n * 4096] != lanes[n].holds || world->disk[n * 4096 + 4095] != lanes[n].holds;
    return wrong;
}

static void killed_at_random(void)
{
    struct blkif_response answer;

    world_new();
    memset(lanes, 0, sizeof(lanes));
    memset(world->disk, 0, sizeof(world->disk));
    memset(sent, 0, sizeof(sent));
    while (world->req_prod < WORLD_REQUESTS - LANES) {
        if (setjmp(killed) == 0) {
            at_seam = maybe_killed;
            kill_in = below(3) ? 0 : 1 + below(12);
            load_goes_on();
            if (below(8) == 0)
                worker_dies();          /* between two rounds */
        } else {
            worker_dies();
        }
    }
    at_seam = NULL;
    copies_allowed = UINT_MAX;
    serve_retry(serve);
    check(worker_finishes() == 0 && serve_idle(serve), "the load ends");
    while (frontend_hears(&answer))
        lane_hears(&answer);
    printf("# %u requests, %u kills\n", world->req_prod, kills);
    check(kills > 500, "workers were killed often");
    check(answers_wrong == 0, "every request was answered once, without an error");
    check(lanes_wrong() == 0, "every acknowledged write is on the disk");
    check(counted(XS_METER_disk_read) == sent[BLKIF_OP_READ] && counted(XS_METER_disk_write) == sent[BLKIF_OP_WRITE] &&
          counted(XS_METER_disk_flush) == sent[BLKIF_OP_FLUSH_DISKCACHE] &&
          counted(XS_METER_disk_discard) == sent[BLKIF_OP_DISCARD], "each kind was counted as often as the guest asked for it");
}

/* Rings and states of garbage: nothing but answers comes of it. The model's assertions watch the disk and the meter. */
static void garbage(void)
{
    unsigned refused = 0, broken = 0, served = 0;
    bool notified;

    for (unsigned round = 0; round < 20000; round++) {
        struct blkif_sring *ring;

        world_new();
        ring = (struct blkif_sring *)world->ring;
        for (unsigned i = 64; i < 4096; i += 1 + below(40))
            world->ring[i] = (uint8_t)(below(2) ? below(16) : below(256));
        ring->req_prod = below(40);
        if (round % 4 == 0) {
            for (unsigned n = below(6); n; n--) {
                struct inflight *entry = &world->state.table[below(below(2) ? 4 : RING_INFLIGHT)];

                entry->phase = (uint8_t)below(4);
                entry->seq = below(8);
                entry->answer = below(2) ? below(8) : below(100000);
                memcpy(entry->raw, world->ring + 64 + below(1000), sizeof(entry->raw));
            }
            world->state.req_next = below(12);
            world->state.rsp_next = below(12);
            ring->rsp_prod = below(12);
            if (!worker_begins()) {
                refused++;
                continue;
            }
        }
        if (worker_finishes() != 0 || worker_runs(&notified) != 0)
            broken++;
        else
            served++;
        if (ring->rsp_prod > 64 + 40)
            check(false, "no more answers than requests");
    }
    printf("# %u states refused, %u rings broken, %u served\n", refused, broken, served);
    check(refused > 100 && broken > 100 && served > 1000, "20,000 rings and states of garbage do no harm");
}

int main(void)
{
    honest_requests();
    flush_covers_writes();
    failed_flush();
    bad_requests();
    producer_lies();
    limited();
    never_ceases();
    thirty_two_bits();
    eight_pages();
    killed_at_random();
    garbage();
    return tap_end();
}
