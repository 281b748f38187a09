/* A minimal client of xenstored over the domain's ring (io/xs_wire.h): one request at a time, watches as a reason to wake
 * up. For guests. */
#ifndef TESTS_GUEST_XENSTORE_H
#define TESTS_GUEST_XENSTORE_H

#include "tests/guest/lib/guest.h"

#include <xen/event_channel.h>

void xs_start(void);

/* Paths without a leading / are below the domain's own directory. False: refused, or not there. */
bool xs_read(const char *path, char *value, size_t room);       /* NUL-terminated, cut to fit */
bool xs_write(const char *path, const char *value);
bool xs_watch(const char *path);

/* Sleeps until a watch fires, `port` (0: none) has an event, or the time has passed: then false. */
bool xs_sleep(evtchn_port_t port, uint64_t until_ns);

#endif
