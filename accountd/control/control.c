/* The socket; accountd/control.h is its specification. Verbs check arguments,
 * rules are the ledger's and the invoices'. */
#include "accountd/control.h"
#include "accountd/control/args.h"
#include "accountd/control/listen.h"
#include "common/log.h"

#include <stdlib.h>

static json_t *cpus_json(const struct sample *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < s->cpus; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "guest_ns", json_decimal_u64(s->cpu[i].guest_ns),
                                              "hv_ns", json_decimal_u64(s->cpu[i].hv_ns), "idle_ns",
                                              json_decimal_u64(s->cpu[i].idle_ns)));
    return list;
}

static int status(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    (void)args;
    *result = json_pack("{s:I, s:I, s:I, s:b, s:o, s:I, s:s, s:s}", "samples", (json_int_t)control_self->samples, "misses",
                        (json_int_t)control_self->misses, "last_sample_age_ms",
                        (json_int_t)(clock_monotonic_ms() - control_self->sampled_ms), "conservation_ok",
                        control_self->conservation_ok, "cpus", cpus_json(&control_self->sample), "log_size",
                        (json_int_t)control_self->head.size, "origin", control_self->head.origin, "version", PACKAGE_VERSION);
    return 0;
}

static const struct rpc_verb status_verbs[] = {
    { "status", status, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};

static const struct rpc_verb *const families[] = {
    control_wallet_verbs,
    control_price_verbs,
    control_proposal_verbs,
    control_quote_verbs,
    control_replay_verbs,
    control_instance_verbs,
    control_usage_verbs,
    control_summary_verbs,
    control_invoice_verbs,
    control_dispute_verbs,
    control_hostbooks_verbs,
    control_log_verbs,
    control_news_verbs,
    control_purchase_order_verbs,
    control_book_verbs,
    control_cap_verbs,
    control_customer_verbs,
    control_domain_verbs,
    control_funding_verbs,
    status_verbs,
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* One table of all families; it lives as long as the socket does. */
static const struct rpc_verb *all_verbs(void)
{
    static struct rpc_verb *all;
    size_t count = 0, room = 1;

    for (size_t f = 0; f < FAMILIES; f++)
        for (const struct rpc_verb *verb = families[f]; verb->name; verb++)
            room++;
    free(all);
    all = calloc(room, sizeof(*all));
    if (!all)
        fatal("verbs");
    for (size_t f = 0; f < FAMILIES; f++)
        for (const struct rpc_verb *verb = families[f]; verb->name; verb++)
            all[count++] = *verb;
    return all;
}

struct rpc_server *control_listen(struct accountd *a, const char *path)
{
    control_self = a;
    return rpc_server_new(path, 0666, all_verbs());
}
