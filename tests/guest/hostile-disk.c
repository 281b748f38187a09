/* A disk's frontend that lies: in xenstored, in its requests, with its grants, and in the ring itself. */
#include "tests/guest/hostile.h"

#define xen_mb()  __sync_synchronize()
#define xen_rmb() __sync_synchronize()
#define xen_wmb() __sync_synchronize()
#define memset __builtin_memset
#define memcpy __builtin_memcpy
#include <xen/io/blkif.h>

#define RING_REF   8u                   /* of the grant table */
#define DATA_REF   16u
#define SPARE_REF  200u
#define NO_REF     300u                 /* its entry is empty */

static struct frontend disk;
static uint64_t patience_ns;
static blkif_front_ring_t ring;
static uint8_t *ring_page, *data_page;
static uint64_t sectors;

static void nodes_say(void)
{
    frontend_say_number(&disk, "ring-ref", RING_REF);
    frontend_say_number(&disk, "event-channel", disk.port);
    frontend_say(&disk, "protocol", "x86_64-abi");
    frontend_say(&disk, "ring-page-order", "0");
}

static void ring_new(void)
{
    blkif_sring_t *shared;

    ring_page = page_alloc();
    shared = (blkif_sring_t *)ring_page;
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&ring, shared, 4096);
    grant_page(RING_REF, ring_page);
}

static bool connect(void)
{
    char text[24];

    patience_ns = ANSWER_NS;
    if (!frontend_begin(&disk))
        return false;
    ring_new();
    nodes_say();
    frontend_say_number(&disk, "state", XenbusStateInitialised);
    if (!frontend_await(&disk, XenbusStateConnected) || !frontend_read(&disk, "sectors", text, sizeof(text)))
        return false;
    frontend_say_number(&disk, "state", XenbusStateConnected);
    sectors = 0;
    for (const char *c = text; *c; c++)
        sectors = sectors * 10 + (uint64_t)(*c - '0');
    return true;
}

/* An honest read of the first page of the disk, to be spoilt. */
static blkif_request_t *next_request(void)
{
    blkif_request_t *r = RING_GET_REQUEST(&ring, ring.req_prod_pvt);

    ring.req_prod_pvt++;
    memset(r, 0, sizeof(*r));
    r->operation = BLKIF_OP_READ;
    r->nr_segments = 1;
    r->id = ring.req_prod_pvt;
    r->seg[0] = (struct blkif_request_segment){ .gref = DATA_REF, .last_sect = 7 };
    return r;
}

static void push(void)
{
    RING_PUSH_REQUESTS(&ring);
    port_send(&disk);
}

/* The next answer's status, or why there is none. */
static int answer(void)
{
    uint64_t until = clock_ns(0) + patience_ns;

    for (;;) {
        int more;

        if (RING_HAS_UNCONSUMED_RESPONSES(&ring)) {
            ring.rsp_cons++;
            return RING_GET_RESPONSE(&ring, ring.rsp_cons - 1)->status;
        }
        if (frontend_closed(&disk))
            return ANSWER_CLOSED;
        RING_FINAL_CHECK_FOR_RESPONSES(&ring, more);
        if (!more && !frontend_sleep(&disk, until))
            return ANSWER_NONE;
    }
}

/* ---- requests that are wrong: each is answered, and the device lives ---- */

static void past_end(blkif_request_t *r) { r->sector_number = sectors; }
static void across_end(blkif_request_t *r) { r->sector_number = sectors - 1; }
static void sector_wraps(blkif_request_t *r) { r->sector_number = ~3ull; }
static void no_segments(blkif_request_t *r) { r->nr_segments = 0; }
static void many_segments(blkif_request_t *r) { r->nr_segments = 255; }
static void segment_backwards(blkif_request_t *r) { r->seg[0].first_sect = 5, r->seg[0].last_sect = 2; }
static void segment_long(blkif_request_t *r) { r->seg[0].last_sect = 255; }
static void grant_none(blkif_request_t *r) { r->seg[0].gref = NO_REF; }
static void grant_beyond(blkif_request_t *r) { r->seg[0].gref = 0xfffffff0; }
static void unknown_op(blkif_request_t *r) { r->operation = 77; }
static void flush_data(blkif_request_t *r) { r->operation = BLKIF_OP_FLUSH_DISKCACHE; }

static void granted(blkif_request_t *r, uint64_t frame, domid_t domid, uint16_t flags)
{
    grant_set(SPARE_REF, frame, domid, flags);
    r->seg[0].gref = SPARE_REF;
}

static void grant_readonly(blkif_request_t *r)
{
    granted(r, (uint64_t)data_page >> 12, 0, GTF_permit_access | GTF_readonly);
}

static void grant_hole(blkif_request_t *r) { granted(r, 0xfffffff, 0, GTF_permit_access); }
static void grant_other(blkif_request_t *r) { granted(r, (uint64_t)data_page >> 12, 7, GTF_permit_access); }
static void grant_table(blkif_request_t *r) { granted(r, grant_table_frame(), 0, GTF_permit_access); }
static void grant_shared_info(blkif_request_t *r) { granted(r, (uint64_t)shared_info() >> 12, 0, GTF_permit_access); }
static void grant_transitive(blkif_request_t *r) { granted(r, (uint64_t)data_page >> 12, 0, GTF_transitive); }

/* The last of several: those before it are moved, and it is one error. */
static void grant_last(blkif_request_t *r)
{
    r->nr_segments = 3;
    r->seg[1] = r->seg[2] = r->seg[0];
    r->seg[2].gref = NO_REF;
}

static void indirect(blkif_request_t *r, uint8_t op, uint16_t segments, grant_ref_t page)
{
    blkif_request_indirect_t *i = (void *)r;

    memset(i, 0, sizeof(*i));
    i->operation = BLKIF_OP_INDIRECT;
    i->indirect_op = op;
    i->nr_segments = segments;
    for (unsigned n = 0; n < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; n++)
        i->indirect_grefs[n] = page;
}

static void indirect_many(blkif_request_t *r) { indirect(r, BLKIF_OP_READ, 33, DATA_REF); }
static void indirect_most(blkif_request_t *r) { indirect(r, BLKIF_OP_READ, 0xffff, DATA_REF); }
static void indirect_none(blkif_request_t *r) { indirect(r, BLKIF_OP_READ, 0, DATA_REF); }
static void indirect_nowhere(blkif_request_t *r) { indirect(r, BLKIF_OP_READ, 8, NO_REF); }
static void indirect_nested(blkif_request_t *r) { indirect(r, BLKIF_OP_INDIRECT, 8, DATA_REF); }

static void indirect_garbage(blkif_request_t *r)
{
    for (unsigned i = 0; i < 512; i++)
        ((uint64_t *)data_page)[i] = random_next();
    indirect(r, BLKIF_OP_READ, 32, DATA_REF);
}

static void discard_past_end(blkif_request_t *r)
{
    blkif_request_discard_t *d = (void *)r;

    memset(d, 0, sizeof(*d));
    d->operation = BLKIF_OP_DISCARD;
    d->sector_number = 8;
    d->nr_sectors = ~0ull;
}

static const struct {
    const char *name;
    void (*spoil)(blkif_request_t *r);
} requests[] = {
    { "disk-past-end", past_end }, { "disk-across-end", across_end }, { "disk-sector-wraps", sector_wraps },
    { "disk-no-segments", no_segments }, { "disk-many-segments", many_segments },
    { "disk-segment-backwards", segment_backwards }, { "disk-segment-long", segment_long },
    { "disk-grant-none", grant_none }, { "disk-grant-beyond", grant_beyond }, { "disk-grant-readonly", grant_readonly },
    { "disk-grant-hole", grant_hole }, { "disk-grant-other", grant_other }, { "disk-grant-table", grant_table },
    { "disk-grant-shared-info", grant_shared_info }, { "disk-grant-transitive", grant_transitive },
    { "disk-grant-last", grant_last }, { "disk-unknown-op", unknown_op }, { "disk-flush-data", flush_data },
    { "disk-indirect-many", indirect_many }, { "disk-indirect-most", indirect_most },
    { "disk-indirect-none", indirect_none }, { "disk-indirect-nowhere", indirect_nowhere },
    { "disk-indirect-nested", indirect_nested }, { "disk-indirect-garbage", indirect_garbage },
    { "disk-discard-past-end", discard_past_end },
};

static void bad_requests(void)
{
    bool connected = false;

    for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (!wanted(requests[i].name))
            continue;
        connected = connected || connect();
        requests[i].spoil(next_request());
        push();
        done(requests[i].name, answer());
    }
}

/* ---- the ring ---- */

static void ring_overrun(void)
{
    next_request();
    ring.sring->req_prod = ring.req_prod_pvt + 1000;
    port_send(&disk);
}

static void ring_backwards(void)
{
    next_request();
    push();
    answer();
    ring.sring->req_prod -= 5;
    port_send(&disk);
}

static void ring_answers(void)
{
    patience_ns = MAYBE_NS;
    ring.sring->rsp_prod = 0x7fffffff;
    ring.rsp_cons = 0x7fffffff;
    next_request();
    push();
}

static void same_ids(void)
{
    next_request()->id = 42;
    next_request()->id = 42;
    push();
    answer();
}

/* The slots are rewritten while the backend reads them. */
static void ring_changing(void)
{
    uint64_t *words = (uint64_t *)ring.sring->ring;

    for (unsigned i = 0; i < 31; i++)
        next_request();
    push();
    for (unsigned i = 0; i < 2000000; i++)
        words[random_next() % 400] = random_next() % 3 ? random_next() : DATA_REF;
    patience_ns = MAYBE_NS;
    ring.rsp_cons = ring.sring->rsp_prod;
    RING_PUSH_REQUESTS(&ring);
    port_send(&disk);
}

/* Data pages are granted no more, and not the guest's any more, as soon as they are asked for. */
static void pages_back(void)
{
    for (unsigned i = 0; i < 16; i++) {
        void *page = page_alloc();

        grant_page(SPARE_REF + i, page);
        next_request()->seg[0].gref = SPARE_REF + i;
        push();
        grant_set(SPARE_REF + i, 0, 0, 0);
        page_give_back(page);
    }
    for (unsigned i = 0; i < 15; i++)
        answer();
}

static void ring_back(void)
{
    for (unsigned i = 0; i < 8; i++)
        next_request();
    push();
    patience_ns = MAYBE_NS;
    grant_set(RING_REF, 0, 0, 0);
    page_give_back(ring_page);
    ring_page = page_alloc();
    ring.sring = (blkif_sring_t *)ring_page;    /* ours is elsewhere now: what the backend answers, it answers itself */
    SHARED_RING_INIT(ring.sring);
    ring.rsp_cons = 0;
    for (unsigned i = 0; i < 100; i++)
        port_send(&disk);
}

static const struct {
    const char *name;
    void (*attack)(void);
} rings[] = {
    { "disk-ring-overrun", ring_overrun }, { "disk-ring-backwards", ring_backwards },
    { "disk-ring-answers", ring_answers }, { "disk-same-ids", same_ids }, { "disk-ring-changing", ring_changing },
    { "disk-pages-back", pages_back }, { "disk-ring-back", ring_back },
};

static void bad_rings(void)
{
    for (unsigned i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        if (!wanted(rings[i].name))
            continue;
        if (!connect()) {
            done_with(rings[i].name, "not connected");
            continue;
        }
        rings[i].attack();
        done(rings[i].name, answer());
    }
}

/* ---- xenstored ---- */

static const struct lie lies[] = {
    { "disk-ref-none", "ring-ref", "300" }, { "disk-ref-beyond", "ring-ref", "4294967295" },
    { "disk-ref-negative", "ring-ref", "-1" }, { "disk-ref-text", "ring-ref", "8 or so" },
    { "disk-ref-huge", "ring-ref", "99999999999999999999999" }, { "disk-ref-empty", "ring-ref", "" },
    { "disk-port-none", "event-channel", "77" }, { "disk-port-beyond", "event-channel", "4294967295" },
    { "disk-port-text", "event-channel", "0x1" }, { "disk-order-huge", "ring-page-order", "31" },
    { "disk-order-alone", "ring-page-order", "2" }, { "disk-order-text", "ring-page-order", "two" },
    { "disk-protocol", "protocol", "pdp11-abi" },
};

static void bad_nodes(void)
{
    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        if (!wanted(lies[i].name))
            continue;
        frontend_begin(&disk);
        ring_new();
        nodes_say();
        frontend_say(&disk, lies[i].node, lies[i].value);
        frontend_say_number(&disk, "state", XenbusStateInitialised);
        done(lies[i].name, frontend_await(&disk, XenbusStateClosed) ? ANSWER_CLOSED : ANSWER_NONE);
    }
}

/* States in an order that no frontend has, without waiting for anybody. */
static void state_jumps(void)
{
    static const char *const states[] = { "4", "0", "5", "3", "6", "9", "-1", "", "one", "4294967297", "2", "7", "8", "3", "1",
                                          "4", "6", "5", "4", "3", "3", "1", "6" };

    if (!wanted("disk-states"))
        return;
    for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        frontend_say(&disk, "state", states[i]);
    done("disk-states", frontend_await(&disk, XenbusStateClosed) ? ANSWER_CLOSED : ANSWER_NONE);
}

static void others_nodes(void)
{
    static const char *const nodes[] = { "params", "mode", "state", "frontend-id", "limit" };
    char path[128];
    bool written = false;

    if (!wanted("disk-others-nodes"))
        return;
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        written |= xs_write(format(path, sizeof(path), "%s/%s", disk.back, nodes[i]), "/etc/shadow");
    done_with("disk-others-nodes", written ? "accepted" : "refused");
}

void disk_attacks(void)
{
    frontend_find(&disk, "vbd/51712");
    data_page = page_alloc();
    grant_page(DATA_REF, data_page);
    bad_requests();
    bad_rings();
    bad_nodes();
    state_jumps();
    others_nodes();
    if (connect()) {
        next_request();
        push();
        done("disk-honest", answer());
    } else {
        done_with("disk-honest", "not connected");
    }
}
