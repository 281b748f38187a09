/* All who look at consoles now: one thread for all of them.
 *
 * A viewer's place is taken before its handshake is answered, so that the answer can be no. With the answer, the
 * connection leaves libmicrohttpd (which goes on encrypting it), and the thread has it until it is over. */
#ifndef API_CONSOLE_HUB_H
#define API_CONSOLE_HUB_H

#include "api/auth.h"
#include "api/deadline.h"
#include "api/reply.h"

#include <microhttpd.h>

#define VIEWERS_PER_INSTANCE 4
#define VIEWERS_ALL 64

struct store;
struct hub;
struct place;

/* Starts the thread; exits 1 if it cannot. `upstream` is the provisioner's console socket. */
struct hub *hub_new(struct store *store, const char *upstream);
/* All are told that it is over for now; who comes later is turned away. Before libmicrohttpd stops. */
void hub_stop(struct hub *hub);
/* After libmicrohttpd has let go of all connections. */
void hub_free(struct hub *hub);

/* ANSWER_OK and *place for this key or session, which must hold as long as the console is looked at; or what is
 * exhausted. */
enum answer hub_place(struct hub *hub, struct reply *rp, const struct principal *who, const char *instance_id,
                      struct place **place);
/* Of one whose handshake was not answered. */
void place_free(struct place *place);
/* The connection is this viewer's. libmicrohttpd's thread. */
struct upgraded {
    struct MHD_Connection *connection;
    struct MHD_UpgradeResponseHandle *handle;
    struct deadlines *deadlines;
    MHD_socket fd;
};
void place_take(struct place *place, const struct upgraded *upgraded, const char *early, size_t early_size);

#endif
