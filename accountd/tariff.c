/* What a published price book brings with it: the invoice key's signature, kept in the ledger, and a leaf in the log,
 * which fixes what the book says from then on. */
#include "accountd/accountd.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sign_book(struct accountd *a, int64_t version, const char *body)
{
    char comment[160], *minisig;
    enum ledger_result result = price_book_signature(a->ledger, version, &minisig);

    if (result == LEDGER_NOT_FOUND) {
        snprintf(comment, sizeof(comment), "price book %jd of %s", (intmax_t)version, a->head.host);
        minisig = note_minisig(body, strlen(body), comment, &a->keys.invoice);
        result = price_book_sign(a->ledger, version, minisig);
    }
    free(minisig);
    return result == LEDGER_OK ? 0 : -1;
}

static int log_book(struct accountd *a, const struct rate_book *book, const char *body)
{
    uint8_t hash[32];
    char part[40];
    uint64_t idx;
    int known;

    snprintf(part, sizeof(part), "\"version\":%jd}", (intmax_t)book->version);
    known = store_find_leaf(a->store, "tariff", part, &idx);
    if (known)
        return known == 1 ? 0 : -1;
    crypto_hash_sha256(hash, (const uint8_t *)body, strlen(body));
    return head_append(&a->head, "tariff",
                       json_pack("{s:s, s:o, s:s, s:I}", "host", a->head.host, "sha256", json_hex(hash, sizeof(hash)),
                                 "currency", book->currency, "version", (json_int_t)book->version));
}

static int settle_book(void *arg, const struct rate_book *book, const char *body)
{
    struct accountd *a = arg;

    return sign_book(a, book->version, body) || log_book(a, book, body) ? -1 : 0;
}

int tariff_settle(struct accountd *a)
{
    return ledger_each_price_book(a->ledger, settle_book, a);
}
