/* One blkif request: from the bytes in its ring slot to what it asks for, checked. Pure. */
#ifndef BLKBACK_REQUEST_H
#define BLKBACK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <xs/meter.h>
#include <xen/xen.h>
#include <xen/io/blkif.h>

#define REQUEST_RAW_BYTES 112u          /* the longer of the two layouts */
#define REQUEST_SEGS_MAX  32u           /* feature-max-indirect-segments */
#define SECTOR_BYTES      512u

_Static_assert(REQUEST_SEGS_MAX <= XS_METER_SEGS_MAX, "one request is one metered operation");

/* The frontend's word size decides where fields lie: PVH GRUB is a 32-bit program. */
enum request_abi { ABI_X86_64, ABI_X86_32 };

unsigned request_stride(enum request_abi abi);  /* bytes of a ring slot */

struct request_limits {
    uint64_t sectors;                   /* of the disk */
    bool readonly, discard, indirect;
};

struct request_seg {
    uint32_t ref;
    uint16_t offset, len;               /* bytes within the page */
};

struct request {
    uint64_t id;
    uint8_t op;                         /* BLKIF_OP_READ, _WRITE, _FLUSH_DISKCACHE or _DISCARD; what the answer names */
    bool indirect;                      /* its segments are in page `descriptors`, not yet here */
    uint32_t descriptors;               /* grant reference */
    unsigned nr_segs;
    uint64_t sector, sectors;
    struct request_seg segs[REQUEST_SEGS_MAX];
};

/* 0, or the status to answer with: BLKIF_RSP_ERROR, BLKIF_RSP_EOPNOTSUPP. `id` and `op` are set in any case. */
int request_read(const uint8_t raw[static REQUEST_RAW_BYTES], enum request_abi abi, const struct request_limits *limits,
                 struct request *req);

/* Takes the segments of an indirect request from our copy of its page of descriptors. As request_read. */
int request_segments(struct request *req, const struct blkif_request_segment *descriptors,
                     const struct request_limits *limits);

#endif
