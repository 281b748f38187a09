/* accountd in the model, behind billing.h: for jobs.c, where every call is counted and may be the last. */
#include "provisioner/billing.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct billing {
    struct world *w;
};

struct billing *billing_open(const char *socket_path)
{
    struct billing *billing = calloc(1, sizeof(*billing));

    (void)socket_path;
    if (!billing)
        abort();
    billing->w = world_attach(getenv("XS_WORLD"));
    return billing;
}

void billing_close(struct billing *billing)
{
    free(billing);
}

static int refused(struct world *w, const char *verb, struct billing_fault *fault)
{
    if (world_enter(w, verb)) {
        *fault = (struct billing_fault){ "unavailable", "accountd is down" };
        return -1;
    }
    if (!*w->billing_code)
        return 0;
    *fault = (struct billing_fault){ .detail = "the model was told to refuse" };
    snprintf(fault->code, sizeof(fault->code), "%s", w->billing_code);
    return world_leave(w, -1);
}

int billing_register(struct billing *billing, const struct instance *instance, struct billing_fault *fault)
{
    struct world *w = billing->w;

    if (refused(w, "register", fault))
        return -1;
    for (unsigned i = 0; i < w->nr_closed; i++)
        if (!strcmp(w->closed[i].instance_id, instance->instance_id))
            world_broken(w, "an instance was registered after it was closed");
    world_note(w->registered, &w->nr_registered, instance->instance_id, instance->incarnation);
    return world_leave(w, 0);
}

int billing_end(struct billing *billing, const struct instance *instance, struct billing_fault *fault)
{
    struct world *w = billing->w;

    if (refused(w, "close", fault))
        return -1;
    if (world_find(w, instance->domain_uuid))
        world_broken(w, "an instance was closed while its domain lived");
    world_note(w->closed, &w->nr_closed, instance->instance_id, "");
    return world_leave(w, 0);
}
