/* Connections that have had their time are cut off, whatever they still send.
 *
 * libmicrohttpd's own timeout starts anew with every byte, so a client that
 * sends one now and then would stay for ever. Here each connection has a point
 * in time, moved only by what really happened: connected, answered, done.
 *
 * And when there are many, each that comes ends the one that has been idle
 * longest: silence from hundreds of addresses keeps nobody out. */
#ifndef API_DEADLINE_H
#define API_DEADLINE_H

#include <microhttpd.h>
#include <stdint.h>

struct deadlines;
/* Starts the thread that cuts off; exits 1 if it cannot. */
struct deadlines *deadlines_new(int64_t arrival_ms, unsigned connections_max);
void deadlines_free(struct deadlines *deadlines);

/* For MHD_OPTION_NOTIFY_CONNECTION, with the deadlines as its argument. */
void deadlines_notify(void *deadlines, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode code);

/* From now; 0: none, while we work. Until the next deadline_idle() the connection makes room for nobody. */
void deadline_set(struct deadlines *deadlines, struct MHD_Connection *connection, int64_t from_now_ms);
/* The same, once the client has its answer and owes us the next request. */
void deadline_idle(struct deadlines *deadlines, struct MHD_Connection *connection, int64_t from_now_ms);

#endif
