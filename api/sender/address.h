/* Which addresses a webhook may lead to: those that anyone on the internet could reach as well, no others. It is asked
 * about the very address that is about to be connected to, after the name was resolved, so that a name which leads
 * somewhere else the second time (DNS rebinding) gains nothing. */
#ifndef API_SENDER_ADDRESS_H
#define API_SENDER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

bool address_allowed(const struct sockaddr *address);

#endif
