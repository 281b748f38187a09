/* In place of api/sender/address.c: the sender under test may call this machine, and nobody else. */
#include "api/sender/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

bool address_allowed(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

    return address->sa_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}
