/* The verbs about guests' firewalls (control.h). Set before the answer, whatever job the instance has: a queue behind a
 * shutdown that takes a minute would leave open what its owner closes. */
#include "provisioner/verbs.h"
#include "provisioner/firewall.h"
#include "provisioner/firewalls.h"

static int answer(struct rpc_call *call, const struct firewall *firewall, json_t **result)
{
    return finish_or_fail(call, json_pack("{s:o}", "firewall", firewall_json(firewall)), result);
}

int firewall_get(struct rpc_call *call, json_t *args, json_t **result)
{
    static const struct firewall none;
    struct instance i;
    json_t *body;
    int rc;

    if (keys_check(call, args, "instance_id") || instance_arg(call, args, &i))
        return -1;
    rc = store_firewall_find(serve.store, i.instance_id, &body);
    if (rc < 0)
        return store_failed(call);
    return rc ? finish_or_fail(call, json_pack("{s:o}", "firewall", body), result) : answer(call, &none, result);
}

int firewall_set(struct rpc_call *call, json_t *args, json_t **result)
{
    static struct firewall firewall;
    struct instance i;
    struct json_why why;
    json_t *body;
    int rc;

    if (keys_check(call, args, "instance_id firewall") || instance_arg(call, args, &i))
        return -1;
    if (firewall_read(json_object_get(args, "firewall"), &firewall, &why))
        return bad(call, &why);
    if (nic_check(call, &i))
        return -1;
    body = firewall_json(&firewall);
    rc = store_firewall_put(serve.store, i.instance_id, body);
    json_decref(body);
    if (rc)
        return store_failed(call);
    if (firewall_apply(serve.store, i.instance_id))
        return rpc_fail(call, "internal", "the firewall is stored and not in force: see the provisioner's log");
    return answer(call, &firewall, result);
}
