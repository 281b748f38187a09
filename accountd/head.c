/* Opening, checking and signing the log. */
#include "accountd/head.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_LEAVES 4096               /* newest leaves rehashed at start */
#define LEDGER_ENTRIES "ledger_entries" /* in usage.db's meta: the newest entry of the ledger when the newest head was signed */

int head_append_locked(struct head *head, const char *type, json_t *fields)
{
    struct json_why why;
    char *leaf = chain_leaf(type, fields, &why);
    struct chain_hash hash;
    uint64_t idx;
    int rc = leaf ? store_append(head->store, type, &(struct store_subject){ 0 }, leaf, &idx, &hash) : -1;

    if (!leaf)
        log_warnx("log: %s leaf: %s", type, why.text);
    free(leaf);
    json_decref(fields);
    return rc;
}

int head_append(struct head *head, const char *type, json_t *fields)
{
    int rc = store_begin(head->store);

    if (rc) {
        json_decref(fields);
        return rc;
    }
    rc = head_append_locked(head, type, fields);
    if (rc)
        store_rollback(head->store);
    return rc ? rc : store_commit(head->store);
}

/* The last log of this host that anybody knows of. */
struct last {
    int epoch;                          /* 0: none */
    char origin[128];
    uint64_t size;
};

static int find_last(struct head *head, const struct head_copy *copy, struct last *last)
{
    uint64_t charged_to;
    char *note = NULL;

    last->epoch = ledger_log_epoch(head->ledger, head->host);
    last->size = 0;
    snprintf(last->origin, sizeof(last->origin), "%s/usage/e%d", head->host, last->epoch);
    if (last->epoch < 0 ||
        (last->epoch > 0 && ledger_log(head->ledger, last->origin, &charged_to, &last->size, &note) != 1))
        return -1;
    free(note);
    if (copy->note && (copy->epoch > last->epoch || (copy->epoch == last->epoch && copy->at.size > last->size))) {
        last->epoch = copy->epoch;
        last->size = copy->at.size;
        snprintf(last->origin, sizeof(last->origin), "%s", copy->at.origin);
    }
    return 0;
}

static json_t *genesis(const struct head *head, const struct last *last, int64_t now_ms)
{
    char *vkey = note_vkey(head->origin, &head->keys->log);
    json_t *fields = json_pack("{s:s, s:s, s:s?, s:o, s:I}", "host", head->host, "origin", head->origin, "log_key",
                               vkey, "invoice_key", json_hex(head->keys->invoice.public_key, NOTE_PUBLIC_BYTES),
                               "created_ms", (json_int_t)now_ms);

    free(vkey);
    if (last->epoch > 0) {
        json_object_set_new(fields, "last_origin", json_string(last->origin));
        json_object_set_new(fields, "last_size", json_integer((json_int_t)last->size));
        log_warnx("log %s: usage.db is new, but %s with %ju leaves is known: going on as a new log", head->origin,
                  last->origin, (uintmax_t)last->size);
    }
    return fields;
}

/* The first leaf of a new log. The origin goes in first: a crash between the
 * two leaves an empty log that is begun again. */
static int begin(struct head *head, const struct head_copy *copy, int64_t now_ms)
{
    struct last last;

    if (find_last(head, copy, &last))
        return -1;
    snprintf(head->origin, sizeof(head->origin), "%s/usage/e%d", head->host, last.epoch + 1);
    if (store_meta_put(head->store, "origin", head->origin) ||
        head_append(head, "genesis", genesis(head, &last, now_ms)))
        return -1;
    return head_sign(head, now_ms);
}

static bool parse_key(const json_t *fields, const char *name, enum keys_purpose purpose, const char *origin,
                      struct note_key *key)
{
    const char *text = json_string_value(json_object_get(fields, name));
    char key_name[128];
    struct json_why why;

    memset(key, 0, sizeof(*key));
    if (purpose == KEYS_INVOICE)
        return json_arg_hex(fields, name, key->public_key, NOTE_PUBLIC_BYTES, &why) == 0;
    return text && note_vkey_parse(text, key_name, sizeof(key_name), key) && strcmp(key_name, origin) == 0;
}

static int take_genesis(struct head *head, const json_t *fields)
{
    struct note_key key;

    if (!parse_key(fields, "log_key", KEYS_LOG, head->origin, &key) || keys_begin(head->keys, KEYS_LOG, &key))
        return -1;
    /* Older logs do not name the invoice key they began with: it was the first. */
    if (!json_has(fields, "invoice_key"))
        return keys_begin(head->keys, KEYS_INVOICE, NULL);
    return parse_key(fields, "invoice_key", KEYS_INVOICE, head->origin, &key)
        ? keys_begin(head->keys, KEYS_INVOICE, &key) : -1;
}

static int take_hand_over(struct head *head, const json_t *fields)
{
    enum keys_purpose purpose;
    int64_t from, until;
    struct note_key key;
    struct json_why why;
    const char *name;

    if (json_arg_string(fields, "purpose", 16, &name, &why) || !keys_purpose_parse(name, &purpose) ||
        json_arg_int(fields, "from", 1, INT64_MAX, &from, &why) ||
        json_arg_int(fields, "until", from, INT64_MAX, &until, &why) ||
        !parse_key(fields, "key", purpose, head->origin, &key))
        return -1;
    return keys_hand_over(head->keys, purpose, &key, (uint64_t)from, (uint64_t)until);
}

static int take_key_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct head *head = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int rc = fields ? (strcmp(type, "genesis") == 0 ? take_genesis(head, fields) : take_hand_over(head, fields)) : -1;

    if (rc)
        log_warnx(
            "log %s: leaf %ju names a key that is not in the folder keys: is this the key that signed it? Restore the"
            " folder from a backup",
            head->origin, (uintmax_t)idx);
    json_decref(fields);
    return rc;
}

/* Whether the note is our head of this size, whose leaves we have. */
static int check_note(const struct head *head, const char *note, uint64_t size, const char *whose)
{
    const struct note_key *keys[KEYS_OVERLAP];
    unsigned count = keys_find_log(head->keys, size, keys);
    struct chain_hash signed_root, root;
    struct json_why why;
    uint64_t noted;

    if (!note_checkpoint_open_by(note, head->origin, keys, count, &noted, &signed_root, &why)) {
        log_warnx("log %s: %s head: %s: is this the key that signed it?", head->origin, whose, why.text);
        return -1;
    }
    if (noted == size && size <= store_size(head->store) && store_root(head->store, size, &root) == 0 &&
        chain_hash_equal(&root, &signed_root))
        return 0;
    log_warnx("log %s: the leaves do not give the head that was signed for %ju of them (%s): refusing to sign; restore"
              " usage.db from a backup", head->origin, (uintmax_t)size, whose);
    return -1;
}

static int check_own_head(struct head *head)
{
    if (store_check_leaves(head->store, CHECK_LEAVES))
        return -1;
    return head->note ? check_note(head, head->note, head->size, "the stored") : 0;
}

/* The ledger's copy must be a head that we still have. */
static int check_ledger_copy(struct head *head)
{
    uint64_t charged_to, size;
    char *note = NULL;
    int rc = ledger_log(head->ledger, head->origin, &charged_to, &size, &note);

    if (rc <= 0)
        return rc;
    if (size > store_size(head->store)) {
        log_warnx("log %s: usage.db has %ju leaves, but %ju were signed: it is an old copy. Restore the newer file, or"
                  " move usage.db away to go on with a new log", head->origin, (uintmax_t)store_size(head->store),
                  (uintmax_t)size);
        rc = -1;
    } else {
        rc = check_note(head, note, size, "the ledger's");
    }
    free(note);
    return rc;
}

int head_epoch(const char *origin, const char *host)
{
    size_t len = strlen(host);
    int64_t epoch;

    if (strncmp(origin, host, len) != 0 || strncmp(origin + len, "/usage/e", 8) != 0 ||
        !json_decimal_parse(origin + len + 8, &epoch) || epoch < 1 || epoch > INT32_MAX)
        return -1;
    return (int)epoch;
}

/* Without its newest entries it would be charged again, but payments and invoices would be gone. */
static int check_ledger_entries(struct head *head)
{
    int64_t entries = ledger_last_seq(head->ledger), known = 0;
    char *text = NULL;
    int rc = store_meta(head->store, LEDGER_ENTRIES, &text);

    if (rc == 1 && !json_decimal_parse(text, &known))
        rc = -1;
    free(text);
    if (rc < 0 || entries < 0)
        return -1;
    if (entries >= known)
        return 0;
    log_warnx("log %s: ledger.db has %jd entries, but had %jd: it is an old copy. Restore the newer file; if that is lost, move"
              " usage.db away to go on with a new log and what this one has", head->origin, (intmax_t)entries, (intmax_t)known);
    return -1;
}

static int check_host(struct head *head)
{
    if (head_epoch(head->origin, head->host) > 0)
        return 0;
    log_warnx("config: host is \"%s\", but usage.db is the log %s: correct the one or move the other", head->host,
              head->origin);
    return -1;
}

static int go_on(struct head *head, const char *copy_path, const struct head_copy *copy, int64_t now_ms)
{
    if (check_host(head) || store_each_host_leaf(head->store, "genesis", take_key_leaf, head) ||
        store_each_host_leaf(head->store, "key", take_key_leaf, head) ||
        store_head(head->store, &head->size, &head->note) < 0 || check_own_head(head) || check_ledger_copy(head) ||
        check_ledger_entries(head) || head_copy_check(head, copy_path, copy))
        return -1;
    return head_sign(head, now_ms);
}

int head_open(struct head *head, struct store *store, struct ledger *ledger, struct keys *keys, const char *host,
              const char *copy_path, int64_t now_ms)
{
    struct head_copy copy = { .note = NULL };
    char *origin = NULL;
    int rc;

    *head = (struct head){ .store = store, .ledger = ledger, .keys = keys };
    snprintf(head->host, sizeof(head->host), "%s", host);
    if (copy_path && head_copy_read(copy_path, host, keys, &copy))
        return -1;
    rc = store_meta(store, "origin", &origin);
    if (rc == 1)
        snprintf(head->origin, sizeof(head->origin), "%s", origin);
    free(origin);
    if (rc >= 0)
        rc = store_size(store) == 0 ? begin(head, &copy, now_ms) : go_on(head, copy_path, &copy, now_ms);
    free(copy.note);
    return rc < 0 ? -1 : 0;
}

/* With it, how far the ledger was by then: an old copy of that file is told by it. */
static int put_head(struct head *head, uint64_t size, const char *note, int64_t now_ms)
{
    int64_t entries = ledger_last_seq(head->ledger);
    char text[24];

    snprintf(text, sizeof(text), "%jd", (intmax_t)entries);
    if (entries < 0 || store_begin(head->store))
        return -1;
    if (store_head_put(head->store, size, note, now_ms) || store_meta_put(head->store, LEDGER_ENTRIES, text)) {
        store_rollback(head->store);
        return -1;
    }
    return store_commit(head->store);
}

int head_sign(struct head *head, int64_t now_ms)
{
    const struct note_key *keys[KEYS_OVERLAP];
    uint64_t size = store_size(head->store);
    struct chain_hash root;
    unsigned count;
    char *note;

    if (head->note && head->size == size)
        return 0;
    count = keys_find_log(head->keys, size, keys);
    if (store_root(head->store, size, &root))
        return -1;
    note = count ? note_checkpoint_by(head->origin, size, &root, keys, count) : NULL;
    if (!note || put_head(head, size, note, now_ms)) {
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
