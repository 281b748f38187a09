/* Verbs of the log. */
#include "accountd/control/args.h"

#include <stdlib.h>

static int checkpoint(struct rpc_call *call, json_t *args, json_t **result)
{
    char *keys = keys_text(&control_self->keys, control_self->head.host, control_self->head.origin);

    (void)call;
    (void)args;
    *result = json_pack("{s:s, s:s}", "text", control_self->head.note, "keys", keys);
    free(keys);
    return 0;
}

const struct rpc_verb control_log_verbs[] = {
    { "checkpoint", checkpoint, RPC_API },
    { NULL, NULL, 0 },
};
