/* A table: few at a time, and each look goes over all of it. */
#include "api/console/tickets.h"

#include <sodium.h>
#include <string.h>

static bool lives(const struct ticket *ticket, int64_t now_ms)
{
    return ticket->id[0] && ticket->expires_ms > now_ms;
}

/* Where a new one of this account goes. */
static struct ticket *place_find(struct tickets *tickets, const char *account_id, int64_t now_ms)
{
    struct ticket *place = NULL, *oldest = NULL;
    unsigned own = 0;

    for (struct ticket *at = tickets->list; at < tickets->list + TICKETS_MAX; at++) {
        if (!lives(at, now_ms)) {
            place = at;
        } else if (strcmp(at->account_id, account_id) == 0) {
            own++;
            if (!oldest || at->expires_ms < oldest->expires_ms)
                oldest = at;
        }
    }
    return own < TICKETS_PER_ACCOUNT ? place : oldest;
}

bool ticket_keep(struct tickets *tickets, struct ticket *ticket, int64_t now_ms)
{
    struct ticket *place = place_find(tickets, ticket->account_id, now_ms);

    if (!place)
        return false;
    id_make("tkt_", ticket->id);
    ticket->expires_ms = now_ms + TICKET_MS;
    *place = *ticket;
    return true;
}

bool ticket_take(struct tickets *tickets, const char *id, const char *key_id, int64_t now_ms, struct ticket *ticket)
{
    size_t bytes = strlen("tkt_") + ID_DIGITS;

    if (!id_valid("tkt_", id))
        return false;
    for (struct ticket *at = tickets->list; at < tickets->list + TICKETS_MAX; at++) {
        if (!lives(at, now_ms) || sodium_memcmp(at->id, id, bytes) != 0 || strcmp(at->key_id, key_id) != 0)
            continue;
        *ticket = *at;
        at->id[0] = 0;
        return true;
    }
    return false;
}
