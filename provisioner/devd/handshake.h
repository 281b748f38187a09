/* What passes between the two directories of a device (io/blkif.h, io/netif.h): what is offered, and what the
 * frontend's answer comes to. A frontend's nodes are a stranger's word: numbers are bounded, the rest is compared. */
#ifndef DEVD_HANDSHAKE_H
#define DEVD_HANDSHAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum device_type { DEVICE_VBD, DEVICE_VIF };

struct handshake_why {
    char text[160];
};

/* True and *out, if `text` is a plain decimal number up to max. */
bool handshake_number(const char *text, uint64_t max, uint64_t *out);

/* The nodes that offer the device, `state` not among them. */
json_t *handshake_offer(enum device_type type, const char *backend);
/* The worker's config (backend/worker.h) as far as the two directories say it. NULL: `why` says whose node is wrong. */
json_t *handshake_agree(enum device_type type, const char *backend, const char *frontend, struct handshake_why *why);
/* The nodes that describe a disk to its frontend. */
json_t *handshake_disk(uint64_t sectors, bool readonly);

#endif
