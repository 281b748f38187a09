/* One-time tickets for consoles. A browser cannot send a header with a WebSocket, and a URL is written down in too many
 * places to be a secret: so a ticket is short-lived, works once, and only for who asked for it.
 *
 * Kept in memory alone: whoever still has one after a restart asks for another. Pure: the time is a parameter. Not
 * locked; the caller is. */
#ifndef API_CONSOLE_TICKETS_H
#define API_CONSOLE_TICKETS_H

#include "common/id.h"

#include <stdbool.h>
#include <stdint.h>

#define TICKET_MS 30000
#define TICKETS_MAX 512
#define TICKETS_PER_ACCOUNT 16          /* one more, and the account's oldest no longer works */

struct ticket {
    char id[ID_BYTES];                  /* "" a free place */
    char key_id[ID_BYTES];              /* the key, or the session, that asked */
    char account_id[ID_BYTES];
    char project_id[ID_BYTES];          /* within which they asked; "" none */
    char instance_id[ID_BYTES];
    int64_t expires_ms;
};

struct tickets {
    struct ticket list[TICKETS_MAX];
};

/* Fills in id and expires_ms and keeps it. False: all places are taken. */
bool ticket_keep(struct tickets *tickets, struct ticket *ticket, int64_t now_ms);

/* True if it was there, for this key or session, and in time: then *ticket is set and it is gone. A ticket of another's
 * stays as it is. */
bool ticket_take(struct tickets *tickets, const char *id, const char *key_id, int64_t now_ms, struct ticket *ticket);

#endif
