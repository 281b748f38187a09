/* What io-guest (in the guest) and io-serve (in dom0) say to one another. */
#ifndef TESTS_BENCH_IO_WIRE_H
#define TESTS_BENCH_IO_WIRE_H

#include <stdint.h>

#define IO_PORT    7001                 /* UDP and TCP */
#define IO_SEGMENT 1448                 /* TCP payload of a full frame at an MTU of 1,500 with timestamps */

enum io_kind {
    IO_SINK = 1,                        /* datagram: to be counted */
    IO_SINK_LAST,                       /* datagram: to be counted; answered with how many came since the last one */
    IO_SOURCE,                          /* answered with `count` datagrams, or `count` bytes on a stream */
    IO_TAKE,                            /* stream: `count` bytes follow; answered with one byte */
};

/* A datagram; 22 bytes make a frame of 64 (Ethernet 14, IPv4 20, UDP 8). */
struct io_datagram {
    uint32_t kind;                      /* enum io_kind */
    uint32_t count;
    uint8_t pad[14];
} __attribute__((packed));

struct io_stream {
    uint32_t kind;                      /* enum io_kind */
    uint32_t count;
};

_Static_assert(sizeof(struct io_datagram) == 22, "64 bytes on the wire");

#endif
