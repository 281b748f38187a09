/* The verb that shows the newest sample of the stats page, slot by slot. */
#include "accountd/control/args.h"

#include <sodium.h>

static const struct journal_entry *entry_of(const struct xs_stats_slot *slot)
{
    char incarnation[RECORD_HEX_BYTES];

    sodium_bin2hex(incarnation, sizeof(incarnation), slot->incarnation, sizeof(slot->incarnation));
    return journal_find(&control_self->journal, incarnation);
}

static json_t *slot_json(unsigned index, const struct xs_stats_slot *slot)
{
    const struct journal_entry *e = entry_of(slot);
    json_t *o = json_pack("{s:I, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "slot", (json_int_t)index, "domid",
                          (json_int_t)slot->domid, "state", slot->state == XS_SLOT_LIVE ? "live" : "tombstone",
                          "vcpus_running", (json_int_t)slot->vcpus_running, "pages", (json_int_t)slot->pages,
                          "guest_ns", json_decimal_u64(slot->guest_ns), "hv_ns", json_decimal_u64(slot->hv_ns),
                          "wait_ns", json_decimal_u64(slot->wait_ns), "exits", json_decimal_u64(slot->exits),
                          "hypercalls", json_decimal_u64(slot->hypercalls));

    if (!e || !e->started)
        return o;
    json_object_set_new(o, "account_id", json_string(e->last.account));
    json_object_set_new(o, "instance_id", json_string(e->last.instance));
    json_object_set_new(o, "paused", json_boolean(e->unpaid));
    json_object_set_new(o, "record_age_ms", json_integer((json_int_t)(control_self->clock.utc_ms - e->last.t1_ms)));
    return o;
}

static int domains(struct rpc_call *call, json_t *args, json_t **result)
{
    const struct sample *s = &control_self->sample;
    json_t *list = json_array();

    (void)call;
    (void)args;
    for (uint32_t i = 0; i < s->slots; i++)
        if (s->slot_read[i] == SAMPLE_READ)
            json_array_append_new(list, slot_json(i, &s->slot[i]));
    *result = json_pack("{s:o, s:o, s:I, s:I, s:s}", "domains", list, "sampled_ns", json_decimal_u64(s->now_ns), "as_of_ms",
                        (json_int_t)control_self->clock.utc_ms, "clock_error_ms",
                        (json_int_t)control_self->clock.error_ms, "checkpoint",
                        control_self->head.note ? control_self->head.note : "");
    return 0;
}

const struct rpc_verb control_domain_verbs[] = {
    { "domains", domains, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};
