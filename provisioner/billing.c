#include "provisioner/billing.h"
#include "common/log.h"
#include "common/rpc.h"
#include "provisioner/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 10000

struct billing {
    struct rpc_client *client;
};

struct billing *billing_open(const char *socket_path)
{
    struct billing *billing = calloc(1, sizeof(*billing));

    if (billing)
        billing->client = rpc_client_new(socket_path);
    if (!billing || !billing->client)
        fatalx("out of memory");
    return billing;
}

void billing_close(struct billing *billing)
{
    rpc_client_free(billing->client);
    free(billing);
}

static int call(struct billing *billing, const char *verb, json_t *args, struct billing_fault *fault)
{
    json_t *error = NULL;
    json_t *ok;
    const char *code = NULL, *detail = NULL;

    if (!args) {
        *fault = (struct billing_fault){ "unavailable", "out of memory" };
        return -1;
    }
    ok = rpc_call_sync(billing->client, verb, args, TIMEOUT_MS, &error);
    if (ok) {
        json_decref(ok);
        return 0;
    }
    json_unpack(error, "{s?s, s?s}", "code", &code, "detail", &detail);
    snprintf(fault->code, sizeof(fault->code), "%s", code ? code : "internal");
    snprintf(fault->detail, sizeof(fault->detail), "%s", detail ? detail : "accountd gave no reason");
    json_decref(error);
    return -1;
}

int billing_register(struct billing *billing, const struct instance *i, struct billing_fault *fault)
{
    char uuid[2 * sizeof(i->domain_uuid) + 1];      /* without dashes, as records have it */
    json_t *args;

    hex_text(i->domain_uuid, sizeof(i->domain_uuid), uuid);
    args = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "account_id", i->account_id, "instance_id", i->instance_id,
                     "domain_uuid", uuid, "incarnation", i->incarnation, "vcpus", (json_int_t)i->vcpus, "memory_mib",
                     (json_int_t)i->memory_mib);
    if (*i->purchase_order_id)
        json_object_set_new(args, "purchase_order_id", json_string(i->purchase_order_id));
    return call(billing, "instance_register", args, fault);
}

int billing_end(struct billing *billing, const struct instance *i, struct billing_fault *fault)
{
    return call(billing, "instance_close", json_pack("{s:s}", "instance_id", i->instance_id), fault);
}
