/* The guests' consoles, to look at and to type into: the socket /run/xs/console.sock, SOCK_SEQPACKET; who may connect
 * is root and xs-api, and whose an instance is, is for them to know.
 *
 * One connection is one viewer of one console. Its first packet is {"instance_id":"ins_...","replay_from":N}: N >= 0 is
 * the offset of the first byte that it wants (console.h: what is no longer kept is left out, past the end is the end),
 * N < 0 asks for the last -N bytes. Every later packet, at most VIEWERS_INPUT_MAX bytes, is typed into the guest as it
 * is; what is typed while the guest does not run is lost.
 *
 * What comes back are packets of at most VIEWERS_PACKET_MAX bytes, told apart by the first one:
 *   'j'   a JSON object: {"offset":N}, once, first: where the bytes begin. Or, last: {"closed":"deleted"} the instance is
 *         gone, {"closed":"slow"} what the viewer had not taken yet is no longer kept; {"error":{"code","detail"}}:
 *         bad_request, not_found.
 *   'b'   the next bytes of the console, over all incarnations of the instance.
 *
 * Bytes come from the log, not from the guest: each viewer has its own place in it, so nobody's slowness holds up the
 * guest or another viewer, and nothing is kept in memory for them. What is typed goes to the pty that xenconsoled has
 * made for the guest; while the guest reads nothing, that viewer's packets wait in its socket.
 */
#ifndef PROVISIONER_VIEWERS_H
#define PROVISIONER_VIEWERS_H

#include <stdbool.h>

#define CONSOLE_SOCKET "/run/xs/console.sock"
#define VIEWERS_MAX 80
#define VIEWERS_INPUT_MAX 4096
#define VIEWERS_PACKET_MAX (1 + 16384)

struct viewers_guests {
    bool (*known)(void *arg, const char *instance_id);
    /* Opens what its guest reads from, non-blocking; -1: it does not run. */
    int (*input_open)(void *arg, const char *instance_id);
    void *arg;
};

struct viewers;

/* NULL after logging. It also keeps the logs in `console_dir` from growing too long. */
struct viewers *viewers_new(const char *socket_path, const char *console_dir, const struct viewers_guests *guests);
int viewers_fd(const struct viewers *viewers);  /* an epoll fd: readable when there is work */
void viewers_run(struct viewers *viewers);      /* handles what is ready, never blocks */
void viewers_free(struct viewers *viewers);

#endif
