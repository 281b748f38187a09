/* From where a key may be used: networks such as "192.0.2.0/24", "2001:db8::/32", or one address. Pure. */
#ifndef API_ADDRESSES_H
#define API_ADDRESSES_H

#include <stdbool.h>

#define ADDRESSES_MAX 10
#define NETWORK_TEXT_MAX 43 /* the longest IPv6 address and "/128" */

bool network_valid(const char *text);
/* True if one of the networks in the list, which spaces separate, holds all of this address or network. An IPv4
 * address that came as IPv6 (::ffff:192.0.2.1) is an IPv4 address. */
bool addresses_hold(const char *list, const char *address);

#endif
