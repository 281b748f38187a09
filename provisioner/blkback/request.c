/* Everything a frontend says is checked here, from our own copy of its bytes. */
#include "provisioner/blkback/request.h"

#include <stddef.h>
#include <string.h>

#define SECTORS_PER_PAGE 8u

/* i386 aligns 64-bit fields to 4 bytes, so all behind the first moves up. */
static const struct layout {
    uint8_t stride, id, sector, segs, discard_sectors, descriptors;
} layouts[] = {
    [ABI_X86_64] = { 112, 8, 16, 24, 24, 28 },
    [ABI_X86_32] = { 108, 4, 12, 20, 20, 24 },
};

_Static_assert(sizeof(struct blkif_request) == 112 && offsetof(struct blkif_request, id) == 8 &&
               offsetof(struct blkif_request, sector_number) == 16 && offsetof(struct blkif_request, seg) == 24,
               "the 64-bit layout is the header's");
_Static_assert(offsetof(struct blkif_request_discard, nr_sectors) == 24 &&
               offsetof(struct blkif_request_indirect, indirect_grefs) == 28 &&
               offsetof(struct blkif_request_indirect, nr_segments) == 2, "the 64-bit layout is the header's");

unsigned request_stride(enum request_abi abi)
{
    return layouts[abi].stride;
}

static uint64_t u64_at(const uint8_t *raw, unsigned at)
{
    uint64_t value;

    memcpy(&value, raw + at, sizeof(value));
    return value;
}

static int range_check(const struct request *req, const struct request_limits *limits)
{
    return req->sectors && req->sectors <= limits->sectors && req->sector <= limits->sectors - req->sectors
               ? 0
               : BLKIF_RSP_ERROR;
}

int request_segments(struct request *req, const struct blkif_request_segment *descriptors,
                     const struct request_limits *limits)
{
    req->sectors = 0;
    for (unsigned i = 0; i < req->nr_segs; i++) {
        struct blkif_request_segment seg = descriptors[i];
        unsigned count = seg.last_sect - seg.first_sect + 1u;

        if (seg.first_sect > seg.last_sect || seg.last_sect >= SECTORS_PER_PAGE)
            return BLKIF_RSP_ERROR;
        req->segs[i].ref = seg.gref;
        req->segs[i].offset = (uint16_t)(seg.first_sect * SECTOR_BYTES);
        req->segs[i].len = (uint16_t)(count * SECTOR_BYTES);
        req->sectors += count;
    }
    return range_check(req, limits);
}

static int read_data(const uint8_t *raw, const struct layout *layout, const struct request_limits *limits,
                     struct request *req)
{
    struct blkif_request_segment segs[BLKIF_MAX_SEGMENTS_PER_REQUEST];

    req->nr_segs = raw[offsetof(struct blkif_request, nr_segments)];
    if (req->nr_segs == 0 || req->nr_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return BLKIF_RSP_ERROR;
    if (req->op == BLKIF_OP_WRITE && limits->readonly)
        return BLKIF_RSP_ERROR;
    memcpy(segs, raw + layout->segs, sizeof(segs));
    return request_segments(req, segs, limits);
}

static int read_indirect(const uint8_t *raw, const struct layout *layout, const struct request_limits *limits,
                         struct request *req)
{
    uint16_t nr_segs;

    req->op = raw[offsetof(struct blkif_request_indirect, indirect_op)];
    if (!limits->indirect)
        return BLKIF_RSP_EOPNOTSUPP;
    if (req->op != BLKIF_OP_READ && (req->op != BLKIF_OP_WRITE || limits->readonly))
        return BLKIF_RSP_ERROR;
    memcpy(&nr_segs, raw + offsetof(struct blkif_request_indirect, nr_segments), sizeof(nr_segs));
    if (nr_segs == 0 || nr_segs > REQUEST_SEGS_MAX)
        return BLKIF_RSP_ERROR;
    req->nr_segs = nr_segs;
    req->indirect = true;
    memcpy(&req->descriptors, raw + layout->descriptors, sizeof(req->descriptors));
    return 0;
}

/* The flag for secure discards is ignored, as the header says for a backend that does not offer them. */
static int read_discard(const uint8_t *raw, const struct layout *layout, const struct request_limits *limits,
                        struct request *req)
{
    if (!limits->discard || limits->readonly)
        return BLKIF_RSP_EOPNOTSUPP;
    req->sectors = u64_at(raw, layout->discard_sectors);
    return range_check(req, limits);
}

int request_read(const uint8_t raw[static REQUEST_RAW_BYTES], enum request_abi abi, const struct request_limits *limits,
                 struct request *req)
{
    const struct layout *layout = &layouts[abi];

    *req = (struct request){ .id = u64_at(raw, layout->id), .op = raw[0], .sector = u64_at(raw, layout->sector) };
    switch (req->op) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE:
        return read_data(raw, layout, limits, req);
    case BLKIF_OP_FLUSH_DISKCACHE:
        return raw[offsetof(struct blkif_request, nr_segments)] ? BLKIF_RSP_ERROR : 0;
    case BLKIF_OP_DISCARD:
        return read_discard(raw, layout, limits, req);
    case BLKIF_OP_INDIRECT:
        return read_indirect(raw, layout, limits, req);
    default:
        return BLKIF_RSP_EOPNOTSUPP;
    }
}
