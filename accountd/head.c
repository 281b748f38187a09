/* Opening, checking and signing the log. */
#include "accountd/head.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_LEAVES 4096               /* newest leaves rehashed at start */

int head_append(struct head *head, const char *type, json_t *fields)
{
    struct json_why why;
    char *leaf = chain_leaf(type, fields, &why);
    struct chain_hash hash;
    uint64_t idx;
    int rc = -1;

    if (!leaf)
        log_warnx("log: %s leaf: %s", type, why.text);
    else if (store_begin(head->store) == 0) {
        rc = store_append(head->store, type, &(struct store_subject){ 0 }, leaf, &idx, &hash);
        if (rc)
            store_rollback(head->store);
        else
            rc = store_commit(head->store);
    }
    free(leaf);
    json_decref(fields);
    return rc;
}

/* The first leaf of a new log. The origin goes in first: a crash between the
 * two leaves an empty log that is begun again. */
static int begin(struct head *head, const char *host, int64_t now_ms)
{
    int epoch = ledger_log_epoch(head->ledger, host);
    char *vkey, last_origin[128], *last_note = NULL;
    uint64_t charged_to = 0, last_size = 0;
    json_t *fields;
    int rc;

    if (epoch < 0)
        return -1;
    snprintf(last_origin, sizeof(last_origin), "%s/usage/e%d", host, epoch);
    if (epoch > 0 && ledger_log(head->ledger, last_origin, &charged_to, &last_size, &last_note) != 1)
        return -1;
    snprintf(head->origin, sizeof(head->origin), "%s/usage/e%d", host, epoch + 1);
    vkey = note_vkey(head->origin, head->key);
    fields = json_pack("{s:s, s:s, s:s?, s:I}", "host", host, "origin", head->origin, "log_key", vkey, "created_ms",
                       (json_int_t)now_ms);
    if (epoch > 0) {
        json_object_set_new(fields, "last_origin", json_string(last_origin));
        json_object_set_new(fields, "last_size", json_integer((json_int_t)last_size));
        log_warnx("log %s: usage.db is new, but the ledger knows %s with %ju leaves: going on as a new log", head->origin,
                  last_origin, (uintmax_t)last_size);
    }
    rc = store_meta_put(head->store, "origin", head->origin);
    if (rc == 0)
        rc = head_append(head, "genesis", fields);
    else
        json_decref(fields);
    free(vkey);
    free(last_note);
    return rc;
}

static int check_own_head(struct head *head)
{
    struct chain_hash signed_root, root;
    struct json_why why;
    uint64_t size;

    if (store_check_leaves(head->store, CHECK_LEAVES))
        return -1;
    if (!head->note)
        return 0;
    if (!note_checkpoint_open(head->note, head->origin, head->key, &size, &signed_root, &why)) {
        log_warnx("log %s: stored head: %s: is this the key that signed it?", head->origin, why.text);
        return -1;
    }
    if (size != head->size || size > store_size(head->store) || store_root(head->store, size, &root) ||
        !chain_hash_equal(&root, &signed_root)) {
        log_warnx("log %s: the leaves do not give the head that was signed for %ju of them: refusing to sign; restore"
                  " usage.db from a backup", head->origin, (uintmax_t)head->size);
        return -1;
    }
    return 0;
}

/* The ledger's copy must be a head that we still have. */
static int check_ledger_copy(struct head *head)
{
    char *note = NULL;
    uint64_t charged_to, size;
    struct chain_hash copy_root, root;
    struct json_why why;
    int rc = ledger_log(head->ledger, head->origin, &charged_to, &size, &note);

    if (rc == 0)
        return 0;
    if (rc < 0)
        return -1;
    rc = -1;
    if (size > store_size(head->store))
        log_warnx("log %s: usage.db has %ju leaves, but %ju were signed: it is an old copy. Restore the newer file, or"
                  " move usage.db away to go on with a new log", head->origin, (uintmax_t)store_size(head->store),
                  (uintmax_t)size);
    else if (!note_checkpoint_open(note, head->origin, head->key, &size, &copy_root, &why))
        log_warnx("log %s: the ledger's copy of the head: %s", head->origin, why.text);
    else if (store_root(head->store, size, &root) || !chain_hash_equal(&root, &copy_root))
        log_warnx("log %s: usage.db is not the log whose head of %ju leaves the ledger has: refusing to sign",
                  head->origin, (uintmax_t)size);
    else
        rc = 0;
    free(note);
    return rc;
}

static int check_host(struct head *head, const char *host)
{
    size_t len = strlen(host);

    if (strncmp(head->origin, host, len) == 0 && strncmp(head->origin + len, "/usage/e", 8) == 0)
        return 0;
    log_warnx("config: host is \"%s\", but usage.db is the log %s: correct the one or move the other", host, head->origin);
    return -1;
}

int head_open(struct head *head, struct store *store, struct ledger *ledger, const struct note_key *key,
              const char *host, int64_t now_ms)
{
    char *origin = NULL;
    int rc;

    *head = (struct head){ .store = store, .ledger = ledger, .key = key };
    snprintf(head->host, sizeof(head->host), "%s", host);
    rc = store_meta(store, "origin", &origin);
    if (rc == 1)
        snprintf(head->origin, sizeof(head->origin), "%s", origin);
    free(origin);
    if (rc < 0)
        return -1;
    if (store_size(store) == 0)
        return begin(head, host, now_ms) ? -1 : head_sign(head, now_ms);
    if (check_host(head, host) || store_head(store, &head->size, &head->note) < 0 || check_own_head(head) ||
        check_ledger_copy(head))
        return -1;
    return head_sign(head, now_ms);
}

int head_sign(struct head *head, int64_t now_ms)
{
    uint64_t size = store_size(head->store);
    struct chain_hash root;
    char *note;

    if (head->note && head->size == size)
        return 0;
    if (store_root(head->store, size, &root))
        return -1;
    note = note_checkpoint(head->origin, size, &root, head->key);
    if (!note || store_head_put(head->store, size, note, now_ms)) {
        free(note);
        return -1;
    }
    free(head->note);
    head->note = note;
    head->size = size;
    return 0;
}

void head_close(struct head *head)
{
    free(head->note);
    head->note = NULL;
}
