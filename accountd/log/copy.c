/* The head that somebody keeps outside of our databases: a witness's customer,
 * xs-cosign, another machine. It can only stop us. */
#include "accountd/head.h"
#include "accountd/log/file.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>

#define COPY_MAX 65536

static bool signed_by_us(const struct head_copy *copy, const struct keys *keys)
{
    for (unsigned i = 0; i < keys->logs_count; i++)
        if (note_signed_by(copy->note, copy->at.body_len, copy->at.origin, &keys->logs[i].key))
            return true;
    return false;
}

int head_copy_read(const char *path, const char *host, const struct keys *keys, struct head_copy *copy)
{
    size_t len;

    copy->note = file_get(path, COPY_MAX, &len);
    if (!copy->note && errno == ENOENT) {
        log_warnx("head_copy %s: not there: nothing outside tells whether the databases are an old backup", path);
        return 0;
    }
    if (!copy->note) {
        log_warn("head_copy %s: cannot read", path);
        return -1;
    }
    if (note_checkpoint_read(copy->note, &copy->at) && (copy->epoch = head_epoch(copy->at.origin, host)) > 0 &&
        signed_by_us(copy, keys))
        return 0;
    log_warnx("head_copy %s: not a checkpoint of a log of %s, signed by one of its keys: correct or remove the file",
              path, host);
    free(copy->note);
    copy->note = NULL;
    return -1;
}

int head_copy_check(const struct head *head, const char *path, const struct head_copy *copy)
{
    int epoch = head_epoch(head->origin, head->host);
    struct chain_hash root;

    if (!copy->note || copy->epoch < epoch)
        return 0;
    if (copy->epoch > epoch || copy->at.size > store_size(head->store)) {
        log_warnx(
            "log %s: the databases have %ju leaves, but %s with %ju leaves was signed (head_copy %s): they are an old"
            " backup: refusing to sign. Restore the newer files, or move usage.db away to go on with a new log",
            head->origin, (uintmax_t)store_size(head->store), copy->at.origin, (uintmax_t)copy->at.size, path);
        return -1;
    }
    if (store_root(head->store, copy->at.size, &root) == 0 && chain_hash_equal(&root, &copy->at.root))
        return 0;
    log_warnx(
        "log %s: usage.db is not the log whose head of %ju leaves is in head_copy %s: refusing to sign. Restore the"
        " right file, or move usage.db away to go on with a new log",
        head->origin, (uintmax_t)copy->at.size, path);
    return -1;
}
