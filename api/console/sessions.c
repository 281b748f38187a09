/* Consoles: the ticket, and the handshake that turns a connection into a viewer's (hub.h). */
#include "api/api.h"
#include "api/console/hub.h"
#include "api/instances.h"
#include "api/present.h"
#include "api/resources.h"

#include <stdio.h>

enum answer console_session_create(struct request *rq, struct reply *rp)
{
    struct ticket ticket = { 0 };
    struct instance_row row;
    char url[64];
    enum answer answer = instance_own(rq, rp, &row);
    bool kept;

    if (answer != ANSWER_OK)
        return answer;
    if (row.gone_ms)
        return reply_fail(rp, ANSWER_CONFLICT, "the instance is deleted: it has no console any more");
    snprintf(ticket.key_id, sizeof(ticket.key_id), "%s", rq->who.key_id);
    snprintf(ticket.account_id, sizeof(ticket.account_id), "%s", rq->who.account_id);
    snprintf(ticket.project_id, sizeof(ticket.project_id), "%s", rq->who.project_id);
    snprintf(ticket.instance_id, sizeof(ticket.instance_id), "%s", row.instance_id);
    pthread_mutex_lock(&rq->api->ticket_lock);
    kept = ticket_keep(&rq->api->tickets, &ticket, rq->now_ms);
    pthread_mutex_unlock(&rq->api->ticket_lock);
    if (!kept)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many consoles are being opened: try again in a moment");
    snprintf(url, sizeof(url), "/v1/console/%s", ticket.id);
    rp->json = json_pack("{s:s, s:s, s:o}", "ticket", ticket.id, "url", url, "expires_at",
                         time_json(ticket.expires_ms));
    return ANSWER_CREATED;
}

static enum answer handshake_read(struct request *rq, struct reply *rp)
{
    switch (handshake_check(&rq->handshake)) {
    case HANDSHAKE_GOOD:
        break;
    case HANDSHAKE_NONE:
        return reply_fail(rp, ANSWER_UPGRADE_REQUIRED,
                          "open this as a WebSocket: Upgrade: websocket, Sec-WebSocket-Version: " WEBSOCKET_VERSION);
    case HANDSHAKE_BROKEN:
        return reply_fail(rp, ANSWER_MALFORMED, "Sec-WebSocket-Key: must be 16 bytes in base 64");
    }
    if (!origin_is_ours(rq->origin, rq->host))
        return reply_fail(rp, ANSWER_CSRF, "the Origin header names another site");
    return ANSWER_OK;
}

/* The ticket is gone with the first good handshake, even if there is no room then: what is known is not used twice. It
 * stands for X-Project and the scope, which whoever asked for it had a moment ago; roles that end take their sessions
 * along. */
enum answer console_open(struct request *rq, struct reply *rp)
{
    struct ticket ticket;
    struct instance_row row;
    enum answer answer = handshake_read(rq, rp);
    bool good;

    if (answer != ANSWER_OK)
        return answer;
    pthread_mutex_lock(&rq->api->ticket_lock);
    good = ticket_take(&rq->api->tickets, rq->param, rq->who.key_id, rq->now_ms, &ticket);
    pthread_mutex_unlock(&rq->api->ticket_lock);
    if (!good)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such ticket: each works once, for %d s, for who asked for it",
                          TICKET_MS / 1000);
    snprintf(rq->who.project_id, sizeof(rq->who.project_id), "%s", ticket.project_id);
    answer = instance_find(rq, rp, ticket.instance_id, &row);
    if (answer == ANSWER_OK)
        answer = hub_place(rq->api->consoles, rp, &rq->who, row.instance_id, &rp->console);
    if (answer != ANSWER_OK)
        return answer;
    handshake_accept(rq->handshake.key, rp->websocket_accept);
    return ANSWER_SWITCHING;
}
