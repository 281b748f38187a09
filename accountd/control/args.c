/* Arguments and refusals that the verbs share. */
#include "accountd/control/args.h"

#include <stdio.h>
#include <string.h>

#define VCPUS_MAX      1024
#define MEMORY_MAX_MIB (64 << 20)

struct accountd *control_self;

int control_bad(struct rpc_call *call, const struct json_why *why)
{
    return rpc_fail(call, "bad_request", "%s", why->text);
}

int control_failed(struct rpc_call *call)
{
    return rpc_fail(call, "internal", "the database could not be read or written (is the disk full?): see accountd's log");
}

int control_arg_name(const json_t *args, const char *key, const char **out, struct json_why *why)
{
    if (json_arg_string(args, key, RECORD_NAME_BYTES - 1, out, why))
        return -1;
    if (record_is_name(*out) && (*out)[0] != '.')
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: 1 to 64 of A-Z, a-z, 0-9, '_', '-', '.', not '.' first", key);
    return -1;
}

int control_arg_account(const json_t *args, const char **out, struct json_why *why)
{
    if (control_arg_name(args, "account_id", out, why))
        return -1;
    if (strcmp(*out, RECORD_HOST_ACCOUNT) != 0)
        return 0;
    snprintf(why->text, sizeof(why->text), "account_id: \"host\" is the host's own");
    return -1;
}

int control_refuse(struct rpc_call *call, enum ledger_result result, const char *what)
{
    switch (result) {
    case LEDGER_NOT_FOUND:
        return rpc_fail(call, "not_found", "%s: not known", what);
    case LEDGER_EXISTS_DIFFERENT:
        return rpc_fail(call, "conflict", "%s: used before with other content", what);
    case LEDGER_CONFLICT:
        return rpc_fail(call, "conflict", "%s: closed, or another account's", what);
    default:
        return control_failed(call);
    }
}

bool control_done(enum ledger_result result)
{
    return result == LEDGER_OK || result == LEDGER_EXISTS;
}

int control_arg_page(const json_t *args, int64_t limit_max, int64_t *after, int64_t *limit, struct json_why *why)
{
    *after = 0;
    *limit = limit_max;
    if (json_has(args, "after") && json_arg_int(args, "after", 0, INT64_C(1) << 52, after, why))
        return -1;
    return json_has(args, "limit") ? json_arg_int(args, "limit", 1, limit_max, limit, why) : 0;
}

int control_answer_list(struct rpc_call *call, int rc, const struct control_list *l, const char *name, int64_t limit,
                        json_t **result)
{
    bool full = json_array_size(l->list) == (size_t)limit;

    if (rc) {
        json_decref(l->list);
        return control_failed(call);
    }
    *result = json_pack("{s:o, s:o}", name, l->list, "next", full ? json_integer(l->last) : json_null());
    return 0;
}

int control_arg_reserved(const json_t *args, struct meter_reserved *reserved, struct json_why *why)
{
    int64_t vcpus, memory_mib;

    if (json_arg_int(args, "vcpus", 1, VCPUS_MAX, &vcpus, why) ||
        json_arg_int(args, "memory_mib", 1, MEMORY_MAX_MIB, &memory_mib, why))
        return -1;
    *reserved = (struct meter_reserved){ (uint32_t)vcpus, (uint32_t)memory_mib };
    return 0;
}
