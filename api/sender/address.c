/* IANA's registries of special-purpose addresses (RFC 6890 and its successors), all that is not "globally reachable",
 * multicast, and every way of writing an IPv4 address inside an IPv6 one. */
#include "api/sender/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    const char *first;
    unsigned bits;
};

static const struct range ranges4[] = {
    { "0.0.0.0", 8 },        /* this network, RFC 791 */
    { "10.0.0.0", 8 },       /* private, RFC 1918 */
    { "100.64.0.0", 10 },    /* shared, RFC 6598 */
    { "127.0.0.0", 8 },      /* loopback */
    { "169.254.0.0", 16 },   /* link-local, RFC 3927 */
    { "172.16.0.0", 12 },    /* private */
    { "192.0.0.0", 24 },     /* protocol assignments, RFC 6890 */
    { "192.0.2.0", 24 },     /* documentation, RFC 5737 */
    { "192.88.99.0", 24 },   /* 6to4 relays, RFC 7526 */
    { "192.168.0.0", 16 },   /* private */
    { "198.18.0.0", 15 },    /* benchmarks, RFC 2544 */
    { "198.51.100.0", 24 },  /* documentation */
    { "203.0.113.0", 24 },   /* documentation */
    { "224.0.0.0", 4 },      /* multicast */
    { "240.0.0.0", 4 },      /* reserved, and the broadcast */
};

/* Only 2000::/3 is given out; of that, not these. */
static const struct range ranges6[] = {
    { "2001::", 23 },        /* Teredo and other assignments, RFC 2928 */
    { "2001:db8::", 32 },    /* documentation, RFC 3849 */
    { "2002::", 16 },        /* 6to4: an IPv4 address inside, RFC 3056 */
    { "3fff::", 20 },        /* documentation, RFC 9637 */
};

static bool inside(const uint8_t *address, const uint8_t *first, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address, first, whole) == 0 &&
           (!rest || ((address[whole] ^ first[whole]) >> (8 - rest)) == 0);
}

static bool among(const uint8_t *address, int family, const struct range *ranges, size_t count)
{
    uint8_t first[16];

    for (size_t i = 0; i < count; i++)
        if (inet_pton(family, ranges[i].first, first) == 1 && inside(address, first, ranges[i].bits))
            return true;
    return false;
}

bool address_allowed(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        return !among((const uint8_t *)&in->sin_addr, AF_INET, ranges4, sizeof(ranges4) / sizeof(ranges4[0]));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;

        return (in->sin6_addr.s6_addr[0] & 0xe0) == 0x20 &&
               !among(in->sin6_addr.s6_addr, AF_INET6, ranges6, sizeof(ranges6) / sizeof(ranges6[0]));
    }
    return false;
}
