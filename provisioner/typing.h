/* What one viewer types, on its way into its guest: one packet at most, which waits while the guest reads nothing. What is
 * typed while the guest does not run is lost. */
#ifndef PROVISIONER_TYPING_H
#define PROVISIONER_TYPING_H

#include "provisioner/viewers.h"

#include <stddef.h>

struct typing {
    const struct viewers_guests *guests;
    const char *instance_id;
    int epoll_fd;
    void *mark;                         /* what epoll says when the guest may read on */
    int fd;                             /* what the guest reads from; -1: not open */
    bool watched;
    char bytes[VIEWERS_INPUT_MAX];
    size_t size, sent;                  /* size 0: there is room for a packet */
};

/* The pointers outlive it. */
void typing_start(struct typing *typing, const struct viewers_guests *guests, const char *instance_id, int epoll_fd,
                  void *mark);
void typing_end(struct typing *typing);
/* Gives the guest what it takes now, and says to epoll what to wait for. */
void typing_flush(struct typing *typing);

#endif
