#include "api/addresses.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct network {
    int family;
    uint8_t bytes[16];
    unsigned bits;
};

/* RFC 4291 section 2.5.5.2. */
static void unmap(struct network *network)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (network->family != AF_INET6 || network->bits < 96 || memcmp(network->bytes, mapped, sizeof(mapped)) != 0)
        return;
    network->family = AF_INET;
    network->bits -= 96;
    memmove(network->bytes, network->bytes + 12, 4);
}

static bool network_parse(const char *text, struct network *network)
{
    const char *slash = strchr(text, '/');
    char address[NETWORK_TEXT_MAX + 1];
    unsigned most;

    if (strlen(text) > NETWORK_TEXT_MAX)
        return false;
    snprintf(address, sizeof(address), "%.*s", (int)(slash ? slash - text : (long)strlen(text)), text);
    network->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(network->family, address, network->bytes) != 1)
        return false;
    network->bits = most = network->family == AF_INET ? 32 : 128;
    if (slash) {
        size_t digits = strspn(slash + 1, "0123456789");

        if (digits < 1 || digits > 3 || slash[1 + digits])
            return false;
        network->bits = (unsigned)strtoul(slash + 1, NULL, 10);
    }
    if (network->bits > most)
        return false;
    unmap(network);
    return true;
}

bool network_valid(const char *text)
{
    struct network network;

    return network_parse(text, &network);
}

static bool holds(const struct network *outer, const struct network *inner)
{
    unsigned whole = outer->bits / 8, rest = outer->bits % 8;

    return outer->family == inner->family && outer->bits <= inner->bits &&
           memcmp(outer->bytes, inner->bytes, whole) == 0 &&
           (rest == 0 || (outer->bytes[whole] ^ inner->bytes[whole]) >> (8 - rest) == 0);
}

bool addresses_hold(const char *list, const char *address)
{
    struct network outer, inner;
    char text[NETWORK_TEXT_MAX + 1];

    if (!network_parse(address, &inner))
        return false;
    for (; *list; list += strspn(list, " ")) {
        size_t len = strcspn(list, " ");

        snprintf(text, sizeof(text), "%.*s", (int)len, list);
        if (len <= NETWORK_TEXT_MAX && network_parse(text, &outer) && holds(&outer, &inner))
            return true;
        list += len;
    }
    return false;
}
