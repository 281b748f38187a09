/* An instance's firewall: the provisioner's, who reads what is asked (provisioner/firewall.h) and names the field that is
 * wrong. */
#include "api/instances.h"
#include "api/resources.h"
#include "api/upstream.h"

static enum answer relayed(struct request *rq, struct reply *rp, const char *verb, json_t *firewall)
{
    struct instance_row row;
    json_t *ok;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, verb,
                              json_pack("{s:s, s:O*}", "instance_id", row.instance_id, "firewall", firewall), &ok);
    if (answer != ANSWER_OK)
        return answer;
    rp->json = json_incref(json_object_get(ok, "firewall"));
    json_decref(ok);
    return ANSWER_OK;
}

enum answer firewall_show(struct request *rq, struct reply *rp)
{
    return relayed(rq, rp, "firewall", NULL);
}

enum answer firewall_change(struct request *rq, struct reply *rp)
{
    return relayed(rq, rp, "firewall_set", rq->json);
}
