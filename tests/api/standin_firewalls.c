/* Firewalls as provisioner/control.h has them, read by the provisioner's own code, so that what is refused is refused as
 * there. */
#include "tests/api/standin_inside.h"
#include "provisioner/firewall.h"

static json_t *firewalls;               /* by instance */

static json_t *shown(const char *instance_id)
{
    static const struct firewall none;
    json_t *known = json_object_get(firewalls, instance_id);

    return json_pack("{s:o}", "firewall", known ? json_incref(known) : firewall_json(&none));
}

int stand_firewall(struct rpc_call *call, json_t *args, json_t **result)
{
    if (!json_object_get(instances, text(args, "instance_id")))
        return rpc_fail(call, "not_found", "no instance");
    *result = shown(text(args, "instance_id"));
    return 0;
}

int stand_firewall_set(struct rpc_call *call, json_t *args, json_t **result)
{
    static struct firewall firewall;
    const char *id = text(args, "instance_id");
    const json_t *instance = json_object_get(instances, id);
    struct json_why why;
    json_t *wanted;
    bool changed;

    if (changing(&provisioner, call))
        return -1;
    if (!instance)
        return rpc_fail(call, "not_found", "no instance");
    if (firewall_read(json_object_get(args, "firewall"), &firewall, &why))
        return rpc_fail(call, "bad_request", "%s", why.text);
    if (!firewalls)
        firewalls = json_object();
    wanted = firewall_json(&firewall);
    changed = !json_equal(wanted, json_object_get(firewalls, id));
    json_object_set_new(firewalls, id, wanted);
    if (changed)
        change_add(instance, NULL, "firewall_changed");
    return done(&provisioner, call, "firewall_set", changed, shown(id), result);
}
