/* Verbs of the log: its head, its keys, its witnesses. */
#include "accountd/control/args.h"
#include "accountd/log/rotate.h"

#include <stdlib.h>
#include <string.h>

static char *keys_now(void)
{
    return keys_text(&control_self->keys, control_self->head.host, control_self->head.origin);
}

static int checkpoint(struct rpc_call *call, json_t *args, json_t **result)
{
    char *text = keys_now(), *note = NULL;
    uint64_t size;

    (void)args;
    if (store_head_cosigned(control_self->store, &size, &note) != 1) {
        free(text);
        return control_failed(call);
    }
    *result = json_pack("{s:s, s:s}", "text", note, "keys", text);
    free(text);
    free(note);
    return 0;
}

static int keys(struct rpc_call *call, json_t *args, json_t **result)
{
    char *text = keys_now(), *root_key, *signature;

    (void)call;
    (void)args;
    *result = json_pack("{s:s}", "text", text);
    if (rotate_root_signature_get(control_self, text, &root_key, &signature)) {
        json_object_set_new(*result, "root_key", json_string(root_key));
        json_object_set_new(*result, "signature", json_string(signature));
    }
    free(text);
    free(root_key);
    free(signature);
    return 0;
}

static int key_rotate(struct rpc_call *call, json_t *args, json_t **result)
{
    enum keys_purpose purpose;
    const char *name, *current;
    int64_t overlap;
    bool refused;
    struct json_why why;
    char *text;

    if (json_arg_only(args, "purpose current overlap", &why) || json_arg_string(args, "purpose", 16, &name, &why) ||
        json_arg_string(args, "current", 16, &current, &why) ||
        json_arg_int(args, "overlap", 0, ROTATE_OVERLAP_MAX, &overlap, &why))
        return control_bad(call, &why);
    if (!keys_purpose_parse(name, &purpose))
        return rpc_fail(call, "bad_request", "purpose: must be \"log\" or \"invoice\"");
    if (rotate_key(control_self, purpose, current, (uint64_t)overlap, &refused, &why))
        return rpc_fail(call, refused ? "conflict" : "internal", "%s", why.text);
    text = keys_now();
    *result = json_pack("{s:s}", "keys", text);
    free(text);
    return 0;
}

static int keys_sign(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *root_key, *signature;
    struct json_why why;

    /* Texts of several lines: not json_arg_string's. */
    root_key = json_string_value(json_object_get(args, "root_key"));
    signature = json_string_value(json_object_get(args, "signature"));
    if (json_arg_only(args, "root_key signature", &why))
        return control_bad(call, &why);
    if (!root_key || !signature)
        return rpc_fail(call, "bad_request", "root_key, signature: must be minisign's texts");
    if (rotate_root_signature(control_self, root_key, signature, &why))
        return rpc_fail(call, "conflict", "%s", why.text);
    *result = json_object();
    return 0;
}

static int arg_size(const json_t *args, uint64_t *size, struct json_why *why)
{
    int64_t value;

    if (json_arg_int(args, "size", 1, INT64_MAX, &value, why))
        return -1;
    *size = (uint64_t)value;
    return 0;
}

static int add_cosignature(void *arg, const char *witness, const char *line)
{
    return json_array_append_new(arg, json_pack("{s:s, s:s}", "witness", witness, "line", line));
}

static int cosignatures(struct rpc_call *call, json_t *args, json_t **result)
{
    uint64_t size = control_self->head.size;
    struct json_why why;
    json_t *list;

    if (json_arg_only(args, "size", &why) || (json_has(args, "size") && arg_size(args, &size, &why)))
        return control_bad(call, &why);
    list = json_array();
    if (store_each_cosignature(control_self->store, size, add_cosignature, list)) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_pack("{s:I, s:o}", "size", (json_int_t)size, "cosignatures", list);
    return 0;
}

/* The name of the witness whose line this is, checked against the note; or NULL. */
static const char *signer_of(const char *line, const char *note)
{
    const struct witnesses *witnesses = &control_self->witnesses;
    struct note_checkpoint head;
    uint64_t time_s;

    for (unsigned i = 0; note_checkpoint_read(note, &head) && i < witnesses->count; i++)
        if (note_cosigned_by(line, note, head.body_len, witnesses->of[i].name, &witnesses->of[i].key, &time_s))
            return witnesses->of[i].name;
    return NULL;
}

static int cosignature_add(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *line = json_string_value(json_object_get(args, "line")), *witness;
    char *note = NULL;
    struct json_why why;
    uint64_t size;
    int rc;

    if (json_arg_only(args, "size line", &why) || arg_size(args, &size, &why))
        return control_bad(call, &why);
    rc = line ? store_head_at(control_self->store, size, &note) : 0;
    if (rc < 0)
        return control_failed(call);
    if (rc == 0)
        return rpc_fail(call, line ? "not_found" : "bad_request",
                        line ? "no head of so many leaves was signed" : "line: must be a cosignature with its newline");
    witness = signer_of(line, note);
    free(note);
    if (!witness)
        return rpc_fail(call, "forbidden", "not a cosignature of this head by a witness of witnesses.json");
    if (store_cosignature_put(control_self->store, size, witness, line, clock_unix_ms()))
        return control_failed(call);
    publish_wake(control_self->publish);
    *result = json_pack("{s:s}", "witness", witness);
    return 0;
}

const struct rpc_verb control_log_verbs[] = {
    { "checkpoint", checkpoint, RPC_API },
    { "keys", keys, RPC_API | RPC_ROOT },
    { "key_rotate", key_rotate, RPC_ROOT },
    { "keys_sign", keys_sign, RPC_ROOT },
    { "cosignatures", cosignatures, RPC_API | RPC_ROOT },
    { "cosignature_add", cosignature_add, RPC_COSIGN | RPC_ROOT },
    { NULL, NULL, 0 },
};
