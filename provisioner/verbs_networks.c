/* The verbs about networks and forwarded ports (control.h). Rows only: bridges and
 * rules are the worker's to set. */
#include "provisioner/verbs.h"
#include "provisioner/network.h"

#include <stdio.h>
#include <string.h>

json_t *nic_json(const struct nic *nic)
{
    char ipv4[16];

    network_address_text(ipv4, (unsigned)nic->number, (unsigned)nic->host);
    return json_pack("{s:s, s:s, s:s}", "mac", nic->mac, "ipv4", ipv4, "network_id", nic->network_id);
}

json_t *forward_json(const struct forward *f)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:s, s:I}", "forward_id", f->forward_id, "instance_id", f->instance_id,
                     "protocol", "tcp", "guest_port", (json_int_t)f->guest_port, "host", serve.catalog->public_host,
                     "port", (json_int_t)f->port);
}

int network_get(struct rpc_call *call, json_t *args, json_t **result)
{
    char subnet[16], gateway[16], range[24];
    const char *account_id;
    struct refusal refusal;
    struct network n;
    int64_t used;
    int rc;

    if (keys_check(call, args, "account_id") || id_arg(call, args, "account_id", &account_id))
        return -1;
    rc = store_network_make(serve.store, account_id, clock_unix_ms(), &n, &refusal);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    if (store_network_used(serve.store, n.network_id, &used))
        return store_failed(call);
    network_address_text(subnet, (unsigned)n.number, 0);
    network_address_text(gateway, (unsigned)n.number, 1);
    snprintf(range, sizeof(range), "%s/24", subnet);
    return finish_or_fail(call, json_pack("{s:{s:s, s:s, s:s, s:s, s:I}}", "network", "network_id", n.network_id,
                                          "account_id", n.account_id, "ipv4_subnet", range, "gateway", gateway,
                                          "addresses_used", (json_int_t)used), result);
}

static int ports_changed(struct rpc_call *call, const char *instance_id)
{
    if (job_add_internal(serve.store, "ports", instance_id, ""))
        return store_failed(call);
    serve_wake_worker(&serve);
    return 0;
}

int nic_check(struct rpc_call *call, const struct instance *i)
{
    struct nic nic;
    int rc = store_nic_find(serve.store, i->instance_id, &nic);

    if (rc < 0)
        return store_failed(call);
    if (i->state == STATE_DELETED)
        return rpc_fail(call, "conflict", "the instance is deleted");
    return rc ? 0 : rpc_fail(call, "conflict", "the instance has no network");
}

int forward_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *forward_id;
    struct refusal refusal;
    struct instance i;
    struct limits limits;
    struct json_why why;
    struct forward f = { .port = 0 };
    int rc;

    if (keys_check(call, args, "forward_id instance_id guest_port") || id_arg(call, args, "forward_id", &forward_id) ||
        instance_arg(call, args, &i))
        return -1;
    if (json_arg_int(args, "guest_port", 1, 65535, &f.guest_port, &why))
        return bad(call, &why);
    if (nic_check(call, &i) || limits_read(call, &limits))
        return -1;
    snprintf(f.forward_id, sizeof(f.forward_id), "%s", forward_id);
    snprintf(f.instance_id, sizeof(f.instance_id), "%s", i.instance_id);
    rc = store_forward_add(serve.store, &f, i.account_id, clock_unix_ms(), &limits, &refusal);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    if (rc == 1 && ports_changed(call, f.instance_id))
        return -1;
    return finish_or_fail(call, json_pack("{s:o}", "forward", forward_json(&f)), result);
}

int forward_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *forward_id;
    struct forward f;
    bool deleted;
    int rc;

    if (keys_check(call, args, "forward_id") || id_arg(call, args, "forward_id", &forward_id))
        return -1;
    rc = store_forward_find(serve.store, forward_id, &f, &deleted);
    if (rc != 1)
        return rc ? store_failed(call) : rpc_fail(call, "not_found", "forward_id: no forward %s", forward_id);
    if (!deleted && (store_forward_delete(serve.store, forward_id) ? store_failed(call) : ports_changed(call, f.instance_id)))
        return -1;
    return finish_or_fail(call, json_object(), result);
}
