/* io-serve: the other end of io-guest's network load, in dom0: takes and gives datagrams and streams.
 *
 *   io-serve ADDRESS        serves until it is killed; one stream at a time
 */
#include "tests/bench/io/wire.h"

#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (64u * IO_SEGMENT)

static uint8_t buffer[CHUNK];

static int bound(const char *address, int type)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(IO_PORT) };
    int yes = 1;
    int fd = socket(AF_INET, type, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        err(1, "socket");
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
        errx(1, "%s: not an IPv4 address", address);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        err(1, "%s port %d", address, IO_PORT);
    return fd;
}

static void datagram(int fd)
{
    static uint32_t came;
    struct io_datagram message;
    struct sockaddr_in from;
    socklen_t bytes = sizeof(from);

    if (recvfrom(fd, &message, sizeof(message), 0, (struct sockaddr *)&from, &bytes) != sizeof(message))
        return;
    if (message.kind == IO_SOURCE) {
        for (uint32_t i = 0; i < message.count; i++)
            sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&from, bytes);
        return;
    }
    came++;
    if (message.kind == IO_SINK_LAST) {
        message.count = came;
        came = 0;
        sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&from, bytes);
    }
}

static bool take(int fd, uint32_t bytes)
{
    while (bytes > 0) {
        ssize_t got = recv(fd, buffer, bytes < CHUNK ? bytes : CHUNK, 0);

        if (got <= 0)
            return false;
        bytes -= (uint32_t)got;
    }
    return send(fd, buffer, 1, MSG_NOSIGNAL) == 1;
}

static bool give(int fd, uint32_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(fd, buffer, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes -= (uint32_t)sent;
    }
    return true;
}

static bool stream(int fd)
{
    struct io_stream request;

    if (recv(fd, &request, sizeof(request), MSG_WAITALL) != sizeof(request))
        return false;
    return request.kind == IO_TAKE ? take(fd, request.count) : give(fd, request.count);
}

int main(int argc, char **argv)
{
    enum { UDP, LISTEN, STREAM };
    struct pollfd fds[] = { { .events = POLLIN }, { .events = POLLIN }, { .fd = -1, .events = POLLIN } };

    if (argc != 2)
        errx(1, "usage: io-serve ADDRESS");
    fds[UDP].fd = bound(argv[1], SOCK_DGRAM);
    fds[LISTEN].fd = bound(argv[1], SOCK_STREAM);
    if (listen(fds[LISTEN].fd, 1) != 0)
        err(1, "listen");
    for (;;) {
        if (poll(fds, 3, -1) < 0)
            err(1, "poll");
        if (fds[UDP].revents)
            datagram(fds[UDP].fd);
        if (fds[STREAM].revents && !stream(fds[STREAM].fd)) {
            close(fds[STREAM].fd);
            fds[STREAM].fd = -1;
        }
        if (fds[LISTEN].revents && fds[STREAM].fd < 0)
            fds[STREAM].fd = accept(fds[LISTEN].fd, NULL, NULL);
    }
}
