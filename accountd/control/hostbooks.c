/* Verbs of the host's own books. */
#include "accountd/control/args.h"

#include <string.h>

#define LIST_MAX 200

static int list_statement(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);

    (void)type;
    if (!fields)
        return -1;
    json_object_set_new(fields, "index", json_integer((json_int_t)idx));
    return json_array_append_new(arg, fields);
}

static int list(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after, limit;
    struct json_why why;
    json_t *rows, *next;

    if (control_arg_page(args, LIST_MAX, &after, &limit, &why))
        return control_bad(call, &why);
    rows = json_array();
    if (store_newest_host_leaves(control_self->store, "books", after ? (uint64_t)after : control_self->head.size, limit,
                                 list_statement, rows)) {
        json_decref(rows);
        return control_failed(call);
    }
    next = json_array_size(rows) == (size_t)limit
        ? json_object_get(json_array_get(rows, (size_t)limit - 1), "index") : json_null();
    *result = json_pack("{s:o, s:O}", "host_books", rows, "next", next);
    return 0;
}

static int now(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *rows;

    (void)args;
    if (hostbooks_now(control_self))
        return rpc_fail(call, "unavailable",
                        "the counters could not be read together, or nothing could be written: ask again,"
                        " and see accountd's log");
    rows = json_array();
    if (store_newest_host_leaves(control_self->store, "books", control_self->head.size, 1, list_statement, rows)) {
        json_decref(rows);
        return control_failed(call);
    }
    *result = json_pack("{s:o}", "statement", json_incref(json_array_get(rows, 0)));
    json_decref(rows);
    return 0;
}

const struct rpc_verb control_hostbooks_verbs[] = {
    { "host_books", list, RPC_API | RPC_ROOT },
    { "host_books_now", now, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};
