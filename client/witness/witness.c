#include "client/witness/witness.h"
#include "accountd/log/consistency.h"
#include "client/witness/store.h"
#include "common/db.h"
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    uint64_t old_size;
    struct chain_hash proof[WITNESS_PROOF_LINES];
    unsigned proof_len;
    const char *note;
    struct note_checkpoint head;
};

static void answer(struct witness_reply *reply, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void answer(struct witness_reply *reply, int status, const char *type, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&reply->body, fmt, args) < 0)
        reply->body = NULL;
    va_end(args);
    reply->status = reply->body ? status : 500;
    reply->type = type;
}

static void refuse(struct witness_reply *reply, int status, const char *text)
{
    answer(reply, status, "text/plain; charset=utf-8", "%s\n", text);
}

/* The body of a 409 is the size that we have cosigned. */
static void conflict(struct witness_reply *reply, uint64_t size)
{
    answer(reply, 409, "text/x.tlog.size", "%ju\n", (uintmax_t)size);
}

bool witness_add_log(struct witness *w, const char *vkey, struct json_why *why)
{
    if (w->logs_count == WITNESS_LOGS_MAX) {
        snprintf(why->text, sizeof(why->text), "more than %d logs", WITNESS_LOGS_MAX);
        return false;
    }
    if (!note_vkey_parse(vkey, w->logs[w->logs_count].origin, sizeof(w->logs[0].origin), &w->logs[w->logs_count].key)) {
        snprintf(why->text, sizeof(why->text),
                 "not a log's verifier key (NAME+HEX+BASE64): take the third line of keys.txt");
        return false;
    }
    w->logs_count++;
    return true;
}

static const char *take_old(const char *at, uint64_t *size)
{
    char digits[24];
    size_t len;
    unsigned __int128 value;

    if (strncmp(at, "old ", 4) != 0)
        return NULL;
    at += 4;
    len = strspn(at, "0123456789");
    if (len >= sizeof(digits) || at[len] != '\n')
        return NULL;
    memcpy(digits, at, len);
    digits[len] = 0;
    /* SQLite's integers, and no tree is that large. */
    if (!json_u128_parse(digits, &value) || value > INT64_MAX)
        return NULL;
    *size = (uint64_t)value;
    return at + len + 1;
}

static bool parse(const char *body, size_t len, struct request *rq)
{
    const char *at = memchr(body, 0, len) ? NULL : take_old(body, &rq->old_size);

    for (rq->proof_len = 0; at && *at != '\n'; rq->proof_len++) {
        size_t line = strcspn(at, "\n");

        if (rq->proof_len == WITNESS_PROOF_LINES || at[line] != '\n' ||
            !note_unbase64(at, line, rq->proof[rq->proof_len].bytes, CHAIN_HASH_BYTES))
            return false;
        at += line + 1;
    }
    rq->note = at ? at + 1 : NULL;
    return at && note_checkpoint_read(rq->note, &rq->head) && rq->head.size <= INT64_MAX &&
           rq->old_size <= rq->head.size;
}

/* 0, or the status that says why not. */
static int check_signer(const struct witness *w, const struct request *rq)
{
    bool known = false;

    for (unsigned i = 0; i < w->logs_count; i++) {
        if (strcmp(w->logs[i].origin, rq->head.origin) != 0)
            continue;
        known = true;
        if (note_signed_by(rq->note, rq->head.body_len, rq->head.origin, &w->logs[i].key))
            return 0;
    }
    return known ? 403 : 404;
}

static bool proof_fits(const struct request *rq, const struct witness_log *last)
{
    struct chain_hash empty;

    chain_root(0, NULL, NULL, &empty);
    if (rq->head.size == 0 && !chain_hash_equal(&rq->head.root, &empty))
        return false;
    return consistency_verify(rq->old_size, &last->root, rq->head.size, &rq->head.root, rq->proof, rq->proof_len);
}

/* Inside the transaction: what is compared is what is replaced. */
static int decide(struct witness *w, const struct request *rq, struct witness_log *last, int64_t now_s,
                  struct witness_reply *reply)
{
    int rc = witness_store_get(w->db, rq->head.origin, last);

    if (rc < 0)
        return -1;
    if (rc == 1 && rq->head.size == last->size && !chain_hash_equal(&rq->head.root, &last->root)) {
        log_warnx(
            "log %s: two heads of %ju leaves: the log FORKED, or its key is in two hands: both are kept in witness.db,"
            " table fork",
            rq->head.origin, (uintmax_t)last->size);
        conflict(reply, last->size);
        return witness_store_fork(w->db, rq->head.origin, rq->note, last->note, now_s);
    }
    if (rq->old_size != last->size) {
        conflict(reply, last->size);
        return 0;
    }
    if (!proof_fits(rq, last)) {
        log_warnx("log %s: %ju leaves were not shown to begin with the %ju that are cosigned", rq->head.origin,
                  (uintmax_t)rq->head.size, (uintmax_t)last->size);
        refuse(reply, 422, "the consistency proof does not verify");
        return 0;
    }
    return witness_store_put(w->db, rq->head.origin, rq->head.size, &rq->head.root, rq->note);
}

static void cosign(struct witness *w, const struct request *rq, int64_t now_s, struct witness_reply *reply)
{
    char *line = note_cosign(rq->note, rq->head.body_len, w->name, &w->key, (uint64_t)now_s);

    if (line)
        answer(reply, 200, "text/plain; charset=utf-8", "%s", line);
    else
        refuse(reply, 500, "out of memory");
    free(line);
}

void witness_add_checkpoint(struct witness *w, const char *body, size_t len, int64_t now_s, struct witness_reply *reply)
{
    struct witness_log last = { .size = 0 };
    struct request rq;
    int status;

    memset(reply, 0, sizeof(*reply));
    if (!parse(body, len, &rq)) {
        refuse(reply, 400, "not an add-checkpoint request: see c2sp.org/tlog-witness");
        return;
    }
    status = check_signer(w, &rq);
    if (status) {
        refuse(reply, status,
               status == 404 ? "not a log that is witnessed here" : "no trusted key signed this checkpoint");
        return;
    }
    if (db_begin(w->db) || decide(w, &rq, &last, now_s, reply)) {
        db_rollback(w->db);
        free(reply->body);
        reply->status = 0;
    } else if (db_commit(w->db) == 0 && reply->status == 0) {
        /* Durable: only now it may be said. */
        cosign(w, &rq, now_s, reply);
    }
    if (reply->status == 0)
        refuse(reply, 500, "the witness cannot write its database");
    free(last.note);
}
