/* What a disk's and a network's frontend have in common: grants, a port, the two directories in xenstored. It states
 * whatever it is told to; for guests that lie. */
#ifndef TESTS_GUEST_FRONTEND_H
#define TESTS_GUEST_FRONTEND_H

#include "tests/guest/lib/xenstore.h"

#include <xen/grant_table.h>
#include <xen/io/xenbus.h>

struct frontend {
    char front[40], back[80];           /* directories */
    evtchn_port_t port;
};

/* A word of the command line that begins with `key=`: what follows. */
const char *cmdline_word(const char *key, char *to, size_t room);

/* Waits until the device (say "vbd/51712") has a backend. */
void frontend_find(struct frontend *f, const char *device);
/* Begins anew: state Initialising, then waits until the backend offers. False: it does not. */
bool frontend_begin(struct frontend *f);
bool frontend_read(const struct frontend *f, const char *node, char *value, size_t room);      /* the backend's node */
void frontend_say(const struct frontend *f, const char *node, const char *value);
void frontend_say_number(const struct frontend *f, const char *node, uint64_t value);
/* Waits for a state of the backend; false after patience, or when it is Closed instead. */
bool frontend_await(const struct frontend *f, enum xenbus_state state);
bool frontend_closed(const struct frontend *f);
/* Sleeps until something happens here; false: it is late. */
bool frontend_sleep(const struct frontend *f, uint64_t until_ns);

void port_open(struct frontend *f);     /* a new one, the old one is closed */
void port_send(const struct frontend *f);

/* Entry `ref` of the grant table grants `frame` to `domid`; flags 0 takes it back. */
void grant_set(grant_ref_t ref, uint64_t frame, domid_t domid, uint16_t flags);
static inline void grant_page(grant_ref_t ref, const void *page)
{
    grant_set(ref, (uint64_t)page >> 12, 0, GTF_permit_access);
}
uint64_t grant_table_frame(void);
void page_give_back(void *page);        /* to the hypervisor, whoever maps it */

#define PATIENCE_NS 30000000000ull

#endif
