/* Keys that change while the log goes on, keys.txt and the root key's word on
 * it, and the head that somebody keeps elsewhere. */
#include "accountd/log/file.h"
#include "accountd/log/rotate.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 1, 2)))
static bool shell(const char *fmt, ...)
{
    char command[800];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return system(command) == 0;
}

static bool append(struct life *life, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (head_append(&life->a.head, "gap", json_pack("{s:s, s:i}", "host", "test.host", "n", (int)i)))
            return false;
    return head_sign(&life->a.head, 1) == 0 && charge_run(&life->a) == 0;
}

static char *text_of(struct life *life)
{
    return keys_text(&life->a.keys, life->a.head.host, life->a.head.origin);
}

static unsigned signatures(const char *note)
{
    unsigned count = 0;

    for (const char *at = strstr(note, "\n\n"); at && (at = strstr(at, "\n\xe2\x80\x94 ")); at++)
        count++;
    return count;
}

static bool rotate(struct life *life, enum keys_purpose purpose, uint64_t overlap)
{
    char id[2 * NOTE_KEY_ID_BYTES + 1];
    struct json_why why;
    bool refused;

    rotate_key_id(&life->a, purpose, purpose == KEYS_LOG ? &life->a.keys.log : &life->a.keys.invoice, id);
    return rotate_key(&life->a, purpose, id, overlap, &refused, &why) == 0;
}

/* What keys.txt alone says of the head. */
static bool text_opens(const char *text, const char *note)
{
    const struct note_key *valid[KEYS_OVERLAP];
    struct note_checkpoint read;
    struct chain_hash root;
    struct json_why why;
    struct keys keys;
    char origin[128];
    uint64_t size;
    unsigned count;

    if (!keys_parse(text, &keys, origin, sizeof(origin)) || !note_checkpoint_read(note, &read))
        return false;
    count = keys_find_log(&keys, read.size, valid);
    return note_checkpoint_open_by(note, origin, valid, count, &size, &root, &why);
}

static void test_log_key(void)
{
    struct life life;
    char *before, *during, *after, *first, *text, id[17];
    struct note_key old;
    bool refused;
    struct json_why why;

    life_begin(&life);
    append(&life, 3);
    before = text_of(&life);
    first = strdup(life.a.head.note);
    old = life.a.keys.log;
    rotate_key_id(&life.a, KEYS_LOG, &old, id);
    check(rotate(&life, KEYS_LOG, 5) && memcmp(&old, &life.a.keys.log, sizeof(old)) != 0 &&
          signatures(life.a.head.note) == 2, "a new log key signs beside the old one");
    during = strdup(life.a.head.note);
    check(rotate_key(&life.a, KEYS_LOG, id, 5, &refused, &why) == 0 && strcmp(during, life.a.head.note) == 0,
          "asked again, it is not done again");
    check(!rotate(&life, KEYS_LOG, 5), "no third one while two sign");
    check(life_reopen(&life) && signatures(life.a.head.note) == 2, "a restart knows it from the log");
    append(&life, 6);
    after = strdup(life.a.head.note);
    check(signatures(after) == 1, "when the overlap is over the old key has ended");
    text = text_of(&life);
    check(text_opens(text, first) && text_opens(text, during) && text_opens(text, after),
          "keys.txt says which key signs which head");
    check(text_opens(before, first) && !text_opens(before, after), "the old keys.txt fits the old head alone");
    check(life_reopen(&life) && rotate(&life, KEYS_LOG, 0) && signatures(life.a.head.note) == 1,
          "and again, with no overlap");
    check(rotate_key(&life.a, KEYS_LOG, "deadbeef", 0, &refused, &why) == -1 && refused,
          "a key that is none of ours is refused");
    free(before);
    free(during);
    free(after);
    free(first);
    free(text);
    life_end(&life);
}

static void test_invoice_key(void)
{
    struct life life;
    const struct note_key *at;
    struct keys then;
    struct note_key old;
    uint64_t size;
    char *text, *text_then, *first;

    life_begin(&life);
    append(&life, 3);
    first = text_of(&life);
    old = life.a.keys.invoice;
    size = life.a.head.size;
    check(rotate(&life, KEYS_INVOICE, 0) && life_reopen(&life) &&
          memcmp(old.public_key, life.a.keys.invoice.public_key, NOTE_PUBLIC_BYTES) != 0, "a new invoice key, kept");
    at = keys_find_invoice(&life.a.keys, size);
    check(at && memcmp(at->public_key, old.public_key, NOTE_PUBLIC_BYTES) == 0, "what is of before is the old one's");
    at = keys_find_invoice(&life.a.keys, size + 1);
    check(at && memcmp(at->public_key, life.a.keys.invoice.public_key, NOTE_PUBLIC_BYTES) == 0,
          "what comes is the new one's");
    keys_as_of(&life.a.keys, size, &then);
    text_then = keys_text(&then, life.a.head.host, life.a.head.origin);
    check(strcmp(text_then, first) == 0 && memcmp(&then.invoice, &old, sizeof(old)) == 0,
          "as of then nothing has changed");
    text = text_of(&life);
    check(keys_parse(text, &then, life.a.head.origin, sizeof(life.a.head.origin)) && then.invoices_count == 2 &&
          then.logs_count == 1, "keys.txt lists both");
    free(text);
    free(text_then);
    free(first);
    life_end(&life);
}

static bool parses(const char *text)
{
    struct keys keys;
    char origin[128];

    return keys_parse(text, &keys, origin, sizeof(origin));
}

static void test_text_strict(void)
{
    struct life life;
    bool refused = true;
    char *text, *copy;

    life_begin(&life);
    rotate(&life, KEYS_LOG, 0);
    rotate(&life, KEYS_INVOICE, 0);
    text = text_of(&life);
    check(parses(text), "keys.txt of two rotations is read");
    copy = strdup(text);
    /* The host's name stands in the first line and in each origin: one of them alone does not change. */
    for (size_t i = 0; text[i]; i++) {
        copy[i] = text[i] ^ 1;
        refused = refused && (!parses(copy) || (text[i] >= '0' && text[i] <= '9'));
        copy[i] = text[i];
    }
    check(refused, "no changed byte is, but a size: that is what the root key signs");
    free(copy);
    free(text);
    life_end(&life);
}

/* A rotation that ended between the key's file and its leaf. */
static void test_half_rotation(void)
{
    struct life life;
    struct note_key next, again;

    life_begin(&life);
    check(keys_next(life.a.keys_dir, &life.a.keys, KEYS_LOG, &next) == 0 && life_reopen(&life) && append(&life, 1) &&
          signatures(life.a.head.note) == 1 && memcmp(&next, &life.a.keys.log, sizeof(next)) != 0,
          "a key without its leaf is not in use");
    check(keys_next(life.a.keys_dir, &life.a.keys, KEYS_LOG, &again) == 0 && memcmp(&next, &again, sizeof(next)) == 0 &&
              rotate(&life, KEYS_LOG, 0) && memcmp(&next, &life.a.keys.log, sizeof(next)) == 0,
          "the next rotation takes it");
    accountd_close(&life.a);
    check(shell("rm %s/log-2.key", life.a.keys_dir) && !life_reopen(&life), "without the key's file there is no start");
    life_end(&life);
}

static void test_root_key(void)
{
    struct life life;
    struct note_key root;
    char path[200], *text, *public_key, *signature, *got_key, *got;
    struct json_why why;

    life_begin(&life);
    snprintf(path, sizeof(path), "%s/root.key", life.dir);
    keys_file_make(path, &root);
    text = text_of(&life);
    public_key = note_minisign_key(&root);
    signature = note_minisig(text, strlen(text), "keys.txt of test.host", &root);
    check(rotate_root_signature(&life.a, public_key, signature, &why) == 0 &&
          rotate_root_signature_get(&life.a, text, &got_key, &got) && strcmp(got, signature) == 0,
          "the root key's signature of keys.txt is kept");
    free(got_key);
    free(got);
    free(text);
    rotate(&life, KEYS_LOG, 0);
    text = text_of(&life);
    check(!rotate_root_signature_get(&life.a, text, &got_key, &got), "it is not shown with another keys.txt");
    check(rotate_root_signature(&life.a, public_key, signature, &why) == -1, "nor taken for it");
    snprintf(path, sizeof(path), "%s/k", life.dir);
    file_put(path, text, strlen(text), 0644);
    free(signature);
    signature = note_minisig(text, strlen(text), "keys.txt of test.host", &root);
    snprintf(path, sizeof(path), "%s/k.minisig", life.dir);
    file_put(path, signature, strlen(signature), 0644);
    snprintf(path, sizeof(path), "%s/root.pub", life.dir);
    file_put(path, public_key, strlen(public_key), 0644);
    check(shell("cd %s && minisign -qVm k -p root.pub && echo >>k && ! minisign -qVm k -p root.pub 2>err", life.dir),
          "minisign verifies it, and not with a changed byte");
    free(text);
    free(public_key);
    free(signature);
    life_end(&life);
}

static bool keep_copy(struct life *life, const char *path)
{
    return file_put(path, life->a.head.note, strlen(life->a.head.note), 0644) == 0;
}

/* All of both databases as they were, write-ahead logs included. */
static bool back_up(struct life *life, const char *what)
{
    return shell("cd %s && sh -c '%s'", life->dir, what);
}

static void test_old_backup(void)
{
    struct life life;
    char copy[200], *signed_before;

    life_begin(&life);
    snprintf(copy, sizeof(copy), "%s/elsewhere", life.dir);
    life.head_copy = copy;
    append(&life, 3);
    check(life_reopen(&life), "no copy yet: it starts, and says so");
    accountd_close(&life.a);
    check(back_up(&life, "mkdir old && cp usage.db* ledger.db* old") && life_reopen(&life) && append(&life, 4) &&
          keep_copy(&life, copy) && life_reopen(&life), "with the newest head it starts");
    signed_before = strdup(life.a.head.note);
    accountd_close(&life.a);
    check(back_up(&life, "mkdir new && mv usage.db* ledger.db* new && cp old/* .") && !life_reopen(&life),
          "a restored old backup of both databases refuses to sign");
    accountd_close(&life.a);
    life.head_copy = NULL;
    check(life_reopen(&life) && append(&life, 4) && strcmp(life.a.head.note, signed_before) == 0,
          "(without the copy it would go unnoticed: the same leaves, as it happens, give the same head)");
    append(&life, 1);
    accountd_close(&life.a);
    check(back_up(&life, "rm usage.db* ledger.db* && cp old/* . && rm usage.db*") && (life.head_copy = copy) &&
          life_reopen(&life) && strcmp(life.a.head.origin, "test.host/usage/e2") == 0,
          "usage.db moved away, a new log begins");
    {
        uint64_t idx;

        check(store_find_leaf(life.a.store, "genesis", "\"last_origin\":\"test.host/usage/e1\",\"last_size\":9",
                              &idx) == 1,
              "whose first leaf names the last head known, the copy's");
    }
    check(life_reopen(&life), "the copy of the log before does not stop it");
    free(signed_before);
    life_end(&life);
}

static void test_fork(void)
{
    struct life life;
    char copy[200];

    life_begin(&life);
    snprintf(copy, sizeof(copy), "%s/elsewhere", life.dir);
    accountd_close(&life.a);
    check(back_up(&life, "mkdir old && cp usage.db* ledger.db* old") && life_reopen(&life) && append(&life, 4) &&
          keep_copy(&life, copy), "a log that goes on one way");
    accountd_close(&life.a);
    check(back_up(&life, "rm usage.db* ledger.db* && cp old/* .") && life_reopen(&life) &&
          head_append(&life.a.head, "gap", json_pack("{s:s}", "host", "other")) == 0 && append(&life, 5),
          "and, unseen, another");
    life.head_copy = copy;
    check(!life_reopen(&life), "is stopped by the copy of the first");
    accountd_close(&life.a);
    check(shell("echo nonsense >%s", copy) && !life_reopen(&life), "so it is by a copy that is none");
    life_end(&life);
}

int main(void)
{
    if (sodium_init() < 0)
        return 99;
    test_log_key();
    test_invoice_key();
    test_text_strict();
    test_half_rotation();
    test_root_key();
    test_old_backup();
    test_fork();
    return tap_end();
}
