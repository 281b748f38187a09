/* Sockets of this machine alone (unix(7)), as all daemons make them: non-blocking, closed on exec. */
#ifndef COMMON_LOCAL_SOCKET_H
#define COMMON_LOCAL_SOCKET_H

#include <sys/types.h>

/* Listens at this path, for who `mode` lets; a leftover there goes, since the pid lock says that nobody else listens.
 * `type` is SOCK_STREAM or SOCK_SEQPACKET. -1 with errno. */
int local_listen(const char *path, int type, mode_t mode, int backlog);
/* Connects to who listens there. -1 with errno, EAGAIN: too many wait. */
int local_connect(const char *path, int type);

#endif
