/* HTTP in front of the witness: one thread, POST /add-checkpoint and nothing
 * else. Without TLS: a reverse proxy or an https-bastion brings that, and
 * needs none of the witness's secrets. */
#ifndef CLIENT_WITNESS_HTTP_H
#define CLIENT_WITNESS_HTTP_H

#include "client/witness/witness.h"

struct witness_http;
/* Binds ADDRESS:PORT (port 0: any) and starts its thread, which alone uses `witness` from now on. NULL after logging.
 */
struct witness_http *witness_http_start(struct witness *witness, const char *address, uint16_t port);
uint16_t witness_http_port(const struct witness_http *http);
void witness_http_stop(struct witness_http *http);

#endif
