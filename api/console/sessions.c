/* Consoles: the ticket, and the handshake that turns a connection into a viewer's (hub.h). */
#include "api/api.h"
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
