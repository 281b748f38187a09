/* HTTPS by libmicrohttpd: one epoll thread that only receives and sends.
 * A complete request is answered at once where that needs no waiting; else it is
 * suspended, handed to a worker, and resumed with its answer. Nothing a client does, or fails to do, blocks that thread. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/api.h"
#include "api/tls.h"

/* Binds the socket; exits 1 naming the address when that fails. Before rights are dropped. */
int http_listen(const char *host, const char *port);
/* The port bound, for a configuration that said 0. */
unsigned http_port(int listen_fd);

struct http;
/* Starts the threads; exits 1 on failure. */
struct http *http_start(struct api *api, int listen_fd, const struct tls_pair *tls);
/* Ends requests under way (long polls early) and the threads. */
void http_stop(struct http *http);

#endif
