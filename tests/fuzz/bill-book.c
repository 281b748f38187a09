/* Price books and tar archives out of foreign bytes: a book that is read
 * prices without a fault, an archive that is read packs to the same bytes. */
#include "accountd/rate.h"
#include "accountd/ustar.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "price books and archives";
const char *const fuzz_seeds[] = {
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"1\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"1\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_reserved\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_used\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"1\",\"meter\":\"disk_ops\",\"num_nano\":\"0\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":4}",
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"1\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"1\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_reserved\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"free\":\"10\",\"meter\":\"cpu_used\",\"minimum_nano\":\"9\",\"tiers\":[{\"above\":\"0\",\"den\":\"3\",\"num_nano\":\"7\"},"
    "{\"above\":\"20\",\"den\":\"3\",\"num_nano\":\"5\"}],\"unit\":\"CPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_used\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"1\",\"meter\":\"disk_ops\",\"num_nano\":\"0\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],"
    "\"moves_running_at\":\"2027-01-01T00:00:00Z\",\"valid_from\":\"2026-12-01T00:00:00Z\",\"version\":5}",
    "one file\nanother",
    NULL,
};

static void price(const uint8_t *bytes, size_t size)
{
    json_t *object = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    struct rate_book book;
    struct json_why why;
    int64_t floor, rounded, before = 0;
    char text[RATE_TEXT_BYTES];

    if (object && rate_book_parse(object, &book, &why) == 0) {
        for (unsigned shift = 0; shift < 128; shift += 7) {
            unsigned __int128 quantity = (unsigned __int128)1 << shift;

            if (rate_floor(&book, METER_CPU_USED, quantity, &floor) == 0) {
                if (floor < before || (rate_round(&book, METER_CPU_USED, quantity, 1, &rounded) == 0 &&
                                       (rounded < floor || rounded - floor > 1)))
                    abort();
                before = floor;
            }
        }
        if (strlen(rate_price_text(&book, METER_CPU_USED, text)) == RATE_TEXT_BYTES - 1)
            abort();
    }
    json_decref(object);
}

/* An archive of the input, with one byte of it taken from the input's end. */
static void pack(const uint8_t *bytes, size_t size)
{
    struct ustar tar = { .mtime_s = 1 }, again;
    struct json_why why;
    size_t len, again_len, at;
    char *archive, *packed;

    if (size < 4)
        return;
    ustar_add(&tar, "a", strndup((const char *)bytes, size), strnlen((const char *)bytes, size));
    archive = ustar_pack(&tar, &len);
    at = ((size_t)bytes[0] << 8 | bytes[1]) % len;
    archive[at] = (char)bytes[size - 1];
    if (ustar_unpack(archive, len, &again, &why) == 0) {
        packed = ustar_pack(&again, &again_len);
        if (again_len != len || memcmp(packed, archive, len) != 0)
            abort();
        free(packed);
        ustar_free(&again);
    }
    free(archive);
    ustar_free(&tar);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ustar tar;
    struct json_why why;

    price(bytes, size);
    pack(bytes, size);
    if (ustar_unpack((const char *)bytes, size, &tar, &why) == 0)
        ustar_free(&tar);
    return 0;
}
