/* What the parts of the check share: the bundle, what is known of it so far,
 * and how a part says what is wrong. */
#ifndef CLIENT_VERIFY_CHECK_H
#define CLIENT_VERIFY_CHECK_H

#include "accountd/keys.h"
#include "accountd/statement.h"
#include "accountd/ustar.h"

/* A leaf whose place in the log has a proof of its own. */
struct proven {
    uint64_t index;
    struct chain_hash hash;
};

/* One incarnation's chain, as far as it has been read. Each record names the
 * one before it by its hash, so the places of three prove the places of all:
 * the last that was invoiced before, the first and the last of this invoice. */
struct chain {
    struct record first, last;          /* first: of this invoice */
    struct proven before, begin, end;
    bool has_before, is_billed;
};

struct check {
    struct ustar tar;
    struct keys keys;
    char origin[128];
    json_t *invoice;
    bool is_credit_note;
    uint64_t size;                      /* leaves under the checkpoint */
    struct chain_hash root;
    const char *checkpoint;
    const struct rate_book **books;
    size_t books_count, tariffs_count;
    int64_t tariff_version;             /* of the last tariff leaf */
    struct chain *chains;
    size_t chains_count;
    size_t *billed;                     /* those that are invoiced, in the order of the log */
    size_t billed_count;
    uint64_t from, context;             /* where the invoice begins in the log, and what counts for its prices */
    size_t proofs;
    struct statement statement;
    size_t records, leaves;
    uint64_t next_index;                /* records stand in the order of the log */
    struct json_why *why;
};

/* -1, with the reason. */
int check_wrong(struct check *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with the reason that is in `why` already. */
int check_wrong_in(struct check *check, const char *where);
/* A file of the bundle as text; NULL with the reason. */
const char *check_text(struct check *check, const char *name);
/* That a file says exactly this; steals `expected`. */
int check_expect(struct check *check, const char *name, char *expected);
/* A file that is one JSON object in canonical form; new reference, NULL with the reason. */
json_t *check_canonical(struct check *check, const char *name);

/* files.c: NAME.minisig against NAME, which is there. */
int check_minisig(struct check *check, const char *name);

/* The parts, in their order. 0, or -1 with the reason. */
int check_keys(struct check *check);                        /* files.c: keys.txt */
int check_signatures(struct check *check);
int check_texts(struct check *check);
int check_checkpoint(struct check *check, const char *trusted_keys);
int check_books(struct check *check);                       /* records.c */
void check_books_free(struct check *check);
int check_records(struct check *check);
int check_names(struct check *check);                       /* files.c: nothing else rides along */
int check_amounts(struct check *check);                     /* amounts.c */
int check_credit(struct check *check);                      /* of a credit note */

#endif
