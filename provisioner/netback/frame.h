/* The headers of an Ethernet frame, as offsets into it. Pure; the bytes may be anything. */
#ifndef PROVISIONER_NETBACK_FRAME_H
#define PROVISIONER_NETBACK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 14u                /* Ethernet's */

struct frame {
    const uint8_t *bytes;
    size_t len;
    uint16_t ethertype;
    size_t l4;                          /* IP: where its payload begins; 0: not IP, or a later fragment */
    size_t end;                         /* IP: where the packet ends by its own length; what follows is padding */
    uint8_t protocol;                   /* IP: what is at l4 */
    bool fragment;
    bool hop_by_hop;                    /* IPv6: with that one extension header before l4 */
};

/* NULL, or why this is no frame that could be judged: its headers are cut
 * off or contradict its length. */
const char *frame_parse(struct frame *frame, const uint8_t *bytes, size_t len);

static inline uint16_t frame_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t frame_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif
