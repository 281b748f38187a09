/* Opening the books in the order in which they depend on each other: keys, the
 * two databases, prices, the log, what was open in it, what was not charged. */
#include "accountd/accountd.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static int open_databases(struct accountd *a, const char *state_dir)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/keys", state_dir);
    if (keys_open(path, &a->keys))
        return -1;
    snprintf(path, sizeof(path), "%s/usage.db", state_dir);
    a->store = store_open(path);
    snprintf(path, sizeof(path), "%s/ledger.db", state_dir);
    a->ledger = a->store ? ledger_open(path) : NULL;
    return a->ledger ? 0 : -1;
}

static int publish_prices(struct accountd *a, const struct accountd_setup *setup)
{
    enum ledger_result result = ledger_price_book_publish(a->ledger, setup->book.version, setup->price_book,
                                                          clock_utc_ms());

    if (result == LEDGER_EXISTS_DIFFERENT)
        log_warnx("price book: version %jd was published with other prices: a price book never changes, give it a new"
                  " version", (intmax_t)setup->book.version);
    return result == LEDGER_OK || result == LEDGER_EXISTS ? 0 : -1;
}

/* Each price book has a leaf in this log: what it says is fixed from then on. */
static int log_tariff(void *arg, const struct rate_book *book, const char *body)
{
    struct accountd *a = arg;
    uint8_t hash[32];
    char part[40];
    uint64_t idx;
    int known;

    snprintf(part, sizeof(part), "\"version\":%jd}", (intmax_t)book->version);
    known = store_find_leaf(a->store, "tariff", part, &idx);
    if (known)
        return known == 1 ? 0 : -1;
    crypto_hash_sha256(hash, (const uint8_t *)body, strlen(body));
    return head_append(&a->head, "tariff", json_pack("{s:s, s:o, s:s, s:I}", "host", a->head.host, "sha256",
                                                     json_hex(hash, sizeof(hash)), "currency", book->currency, "version",
                                                     (json_int_t)book->version));
}

int accountd_open(struct accountd *a, const struct accountd_setup *setup)
{
    snprintf(a->bundle_dir, sizeof(a->bundle_dir), "%s/bundles", setup->state_dir);
    a->conservation_ok = true;
    if (open_databases(a, setup->state_dir) || publish_prices(a, setup))
        return -1;
    if (head_open(&a->head, a->store, a->ledger, &a->keys.log, setup->host, clock_utc_ms()) ||
        ledger_each_price_book(a->ledger, log_tariff, a) || head_sign(&a->head, clock_utc_ms()))
        return -1;
    return journal_open(&a->journal, &a->head, setup->interval_ns) || charge_run(a) ? -1 : 0;
}

void accountd_close(struct accountd *a)
{
    journal_close(&a->journal);
    head_close(&a->head);
    if (a->store)
        store_close(a->store);
    if (a->ledger)
        ledger_close(a->ledger);
    a->store = NULL;
    a->ledger = NULL;
}
