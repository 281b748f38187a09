#include "accountd/log/rotate.h"
#include "accountd/log/file.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *rotate_key_id(const struct accountd *a, enum keys_purpose purpose, const struct note_key *key,
                    char id[static 2 * NOTE_KEY_ID_BYTES + 1])
{
    char *text = purpose == KEYS_LOG ? note_vkey(a->head.origin, key) : note_minisign_key(key);
    /* "NAME+ID+KEY", or "untrusted comment: minisign public key ID". */
    const char *at = text ? (purpose == KEYS_LOG ? strchr(text, '+') + 1 : strstr(text, "key ") + 4) : "";

    snprintf(id, 2 * NOTE_KEY_ID_BYTES + 1, "%.*s", purpose == KEYS_LOG ? 8 : 2 * NOTE_KEY_ID_BYTES, at);
    free(text);
    return id;
}

/* Which key `current` names: 1 the newest, 0 an older one, -1 none of ours. */
static int which(const struct accountd *a, enum keys_purpose purpose, const char *current)
{
    const struct keys_span *spans = purpose == KEYS_LOG ? a->keys.logs : a->keys.invoices;
    unsigned count = purpose == KEYS_LOG ? a->keys.logs_count : a->keys.invoices_count;
    char id[2 * NOTE_KEY_ID_BYTES + 1];

    for (unsigned i = 0; i < count; i++)
        if (spans[i].from < spans[i].until && strcmp(rotate_key_id(a, purpose, &spans[i].key, id), current) == 0)
            return spans[i].until == KEYS_FOREVER;
    return -1;
}

static json_t *leaf_of(const struct accountd *a, enum keys_purpose purpose, const struct note_key *key, uint64_t from,
                       uint64_t until)
{
    char *vkey = purpose == KEYS_LOG ? note_vkey(a->head.origin, key) : NULL;
    json_t *fields = json_pack("{s:s, s:s, s:o, s:I, s:I}", "host", a->head.host, "purpose", keys_purpose_name(purpose),
                               "key", vkey ? json_string(vkey) : json_hex(key->public_key, NOTE_PUBLIC_BYTES), "from",
                               (json_int_t)from, "until", (json_int_t)until);

    free(vkey);
    return fields;
}

/* Between the leaf and the head below a crash is harmless: the start reads the leaf. */
static int hand_over(struct accountd *a, enum keys_purpose purpose, const struct note_key *key, uint64_t overlap)
{
    uint64_t from = store_size(a->store) + 1, until = from + (purpose == KEYS_LOG ? overlap : 0);

    if (head_append(&a->head, "key", leaf_of(a, purpose, key, from, until)) ||
        keys_hand_over(&a->keys, purpose, key, from, until) || head_sign(&a->head, clock_unix_ms()) ||
        rotate_write_keys(a))
        return -1;
    publish_wake(a->publish);
    log_info("keys: the %s key is a new one from %ju leaves on", keys_purpose_name(purpose), (uintmax_t)from);
    return 0;
}

int rotate_key(struct accountd *a, enum keys_purpose purpose, const char *current, uint64_t overlap, bool *refused,
               struct json_why *why)
{
    const struct note_key *valid[KEYS_OVERLAP];
    struct note_key key;
    int is = which(a, purpose, current);

    *refused = true;
    if (is == 0)
        return 0;
    if (is < 0) {
        snprintf(why->text, sizeof(why->text), "%.20s is no %s key of this host: see keys.txt", current,
                 keys_purpose_name(purpose));
        return -1;
    }
    if (purpose == KEYS_LOG && keys_find_log(&a->keys, store_size(a->store) + 1, valid) > 1) {
        snprintf(why->text, sizeof(why->text), "the key before it still signs: keys.txt says until how many leaves");
        return -1;
    }
    *refused = false;
    snprintf(why->text, sizeof(why->text), "the new key could not be made durable: accountd's log says why");
    return keys_next(a->keys_dir, &a->keys, purpose, &key) || hand_over(a, purpose, &key, overlap) ? -1 : 0;
}

static bool signature_fits(const char *keys_text, const char *root_key, const char *signature)
{
    struct note_key root;

    return note_minisign_key_parse(root_key, &root) &&
           note_minisig_verify(signature, keys_text, strlen(keys_text), &root);
}

int rotate_root_signature(struct accountd *a, const char *root_key, const char *signature, struct json_why *why)
{
    char *text = keys_text(&a->keys, a->head.host, a->head.origin);
    bool good = text && signature_fits(text, root_key, signature);

    free(text);
    if (!good) {
        snprintf(why->text, sizeof(why->text), "not this key's signature of keys.txt as it is now");
        return -1;
    }
    snprintf(why->text, sizeof(why->text), "the signature could not be made durable: accountd's log says why");
    if (store_meta_put(a->store, "root_key", root_key) || store_meta_put(a->store, "keys_signature", signature))
        return -1;
    return rotate_write_keys(a);
}

bool rotate_root_signature_get(struct accountd *a, const char *text, char **root_key, char **signature)
{
    *root_key = *signature = NULL;
    if (store_meta(a->store, "root_key", root_key) == 1 && store_meta(a->store, "keys_signature", signature) == 1 &&
        signature_fits(text, *root_key, *signature))
        return true;
    free(*root_key);
    free(*signature);
    *root_key = *signature = NULL;
    return false;
}

int rotate_write_keys(struct accountd *a)
{
    char *text = keys_text(&a->keys, a->head.host, a->head.origin), path[600], *root_key, *signature;
    int rc;

    snprintf(path, sizeof(path), "%s/keys.txt", a->state_dir);
    rc = text ? file_put(path, text, strlen(text), 0644) : -1;
    if (rc == 0) {
        rotate_root_signature_get(a, text, &root_key, &signature);
        publish_keys(a->publish, text, signature);
        free(root_key);
        free(signature);
    }
    free(text);
    return rc;
}
