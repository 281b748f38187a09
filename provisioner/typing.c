#include "provisioner/typing.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

void typing_start(struct typing *typing, const struct viewers_guests *guests, const char *instance_id, int epoll_fd,
                  void *mark)
{
    *typing = (struct typing){ .guests = guests, .instance_id = instance_id, .epoll_fd = epoll_fd, .mark = mark,
                               .fd = -1 };
}

void typing_end(struct typing *typing)
{
    if (typing->fd >= 0)
        close(typing->fd);              /* and epoll forgets it: nobody else holds it open */
    typing->fd = -1;
    typing->watched = false;
}

/* True if the guest has taken something. */
static bool give(struct typing *typing)
{
    ssize_t size = -1;

    if (typing->fd < 0)
        typing->fd = typing->guests->input_open(typing->guests->arg, typing->instance_id);
    errno = ENOENT;
    if (typing->fd >= 0)
        size = write(typing->fd, typing->bytes + typing->sent, typing->size - typing->sent);
    if (size > 0) {
        typing->sent += (size_t)size;
        return true;
    }
    if (errno == EAGAIN || errno == EINTR)
        return false;
    typing_end(typing);
    return false;
}

static void give_all(struct typing *typing)
{
    while (typing->sent < typing->size && give(typing))
        ;
}

static void watch(struct typing *typing, bool want)
{
    struct epoll_event event = { .events = EPOLLOUT, .data.ptr = typing->mark };

    if (want == typing->watched || typing->fd < 0)
        return;
    typing->watched = want;
    if (epoll_ctl(typing->epoll_fd, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, typing->fd, &event) != 0)
        typing_end(typing);
}

/* A guest that was rebooted has another terminal: what could not go to the old one is tried once more. */
void typing_flush(struct typing *typing)
{
    bool open = typing->fd >= 0;

    give_all(typing);
    if (open && typing->fd < 0)
        give_all(typing);
    if (typing->fd < 0 || typing->sent == typing->size)
        typing->sent = typing->size = 0;
    watch(typing, typing->size > 0);
}
