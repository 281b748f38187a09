/* blkif requests: whatever the bytes, what passes is inside the disk and its pages. */
#include "provisioner/blkback/request.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

/* A byte of limits and layout, the slot's bytes, then the page of descriptors; each byte XOR '0', so that seeds are text and "0" is
 * zero. */
const char *const fuzz_name = "blkif requests";
const char *const fuzz_seeds[] = {
    "0" "11000000" "idididid" "@0000000" "90000700" "80001200",                     /* a write */
    "1" "0200" "idididid" "@0000000" "90000700" "80001200",                         /* a read, 32-bit */
    "0" "30000000" "idididid" "00000000",                                           /* a flush */
    "2" "50000000" "idididid" "@0000000" "A0000000",                                /* a discard */
    "0" "61200000" "idididid" "@0000000" "00005000" "0000000000000000000000000000"  /* indirect: two segments */
    "00000000000000000000000000000000000000000000" "90000700" "80001200",
    NULL,
};

#define DISK_SECTORS 2048u

static void promises(const struct request *req, const struct request_limits *limits)
{
    uint64_t bytes = 0;

    assert(req->op == BLKIF_OP_READ || req->op == BLKIF_OP_WRITE || req->op == BLKIF_OP_FLUSH_DISKCACHE ||
           req->op == BLKIF_OP_DISCARD);
    if (req->op == BLKIF_OP_FLUSH_DISKCACHE)
        return;
    assert(req->sectors > 0 && req->sectors <= limits->sectors && req->sector <= limits->sectors &&
           req->sector + req->sectors <= limits->sectors);
    assert(req->op == BLKIF_OP_READ || !limits->readonly);
    if (req->op == BLKIF_OP_DISCARD) {
        assert(limits->discard);
        return;
    }
    assert(req->nr_segs > 0 && req->nr_segs <= REQUEST_SEGS_MAX);
    for (unsigned i = 0; i < req->nr_segs; i++) {
        assert(req->segs[i].len > 0 && req->segs[i].offset + req->segs[i].len <= 4096);
        bytes += req->segs[i].len;
    }
    assert(bytes == req->sectors * SECTOR_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct blkif_request_segment descriptors[REQUEST_SEGS_MAX] = { 0 };
    uint8_t input[1 + REQUEST_RAW_BYTES + sizeof(descriptors)], *raw = input + 1;
    struct request_limits limits = { .sectors = DISK_SECTORS };
    struct request req;

    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = i < size ? bytes[i] ^ '0' : 0;
    limits.readonly = input[0] & 4;
    limits.discard = input[0] & 2;
    limits.indirect = true;
    memcpy(descriptors, raw + REQUEST_RAW_BYTES, sizeof(descriptors));
    if (request_read(raw, input[0] & 1 ? ABI_X86_32 : ABI_X86_64, &limits, &req) != 0)
        return 0;
    if (req.indirect && request_segments(&req, descriptors, &limits) != 0)
        return 0;
    promises(&req, &limits);
    return 0;
}
