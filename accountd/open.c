/* Opening the books in the order in which they depend on each other: keys, the
 * two databases, prices, the log, what was open in it, what was not charged. */
#include "accountd/accountd.h"
#include "accountd/ledger/price_proposals.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

static int open_databases(struct accountd *a, const char *state_dir, const char *host)
{
    char path[512];

    snprintf(a->state_dir, sizeof(a->state_dir), "%s", state_dir);
    snprintf(a->keys_dir, sizeof(a->keys_dir), "%s/keys", state_dir);
    if (keys_open(a->keys_dir, &a->keys) || keys_seed(a->keys_dir, "voucher.key", a->funding.voucher_key) ||
        paper_cades_open(a->keys_dir, host, clock_unix_ms(), &a->cades))
        return -1;
    snprintf(path, sizeof(path), "%s/usage.db", state_dir);
    a->store = store_open(path);
    snprintf(path, sizeof(path), "%s/ledger.db", state_dir);
    a->ledger = a->store ? ledger_open(path) : NULL;
    return a->ledger ? 0 : -1;
}

/* A book that is newer than what is published waits for an operator: two people change prices. */
static int propose_prices(struct accountd *a, const struct accountd_setup *setup)
{
    const struct rate_book *now = price_book_at(a->ledger, clock_unix_ms());
    intmax_t version = (intmax_t)setup->book.version;

    if (now && strcmp(now->currency, setup->book.currency) != 0) {
        log_warnx("price book: version %jd: currency: this host bills in %s", version, now->currency);
        return -1;
    }
    switch (price_propose(a->ledger, setup->book.version, setup->price_book, PRICE_CONFIG_OPERATOR, clock_unix_ms())) {
    case LEDGER_OK:
        log_info("price book: version %jd of the configured file is proposed: an operator publishes it", version);
        return 0;
    case LEDGER_EXISTS:
        return 0;
    case LEDGER_EXISTS_DIFFERENT:
        log_warnx("price book: version %jd was proposed with other prices than the configured file has: ignored, give the"
                  " file's a new version", version);
        return 0;
    case LEDGER_CONFLICT:
        log_warnx("price book: version %jd of the configured file is below what is published: ignored", version);
        return 0;
    default:
        return -1;
    }
}

static int publish_prices(struct accountd *a, const struct accountd_setup *setup)
{
    enum ledger_result result;

    if (setup->book.valid_from_ms > clock_unix_ms() && !price_book_at(a->ledger, clock_unix_ms())) {
        log_warnx("price book: version %jd: valid_from: the first price book must be valid at once",
                  (intmax_t)setup->book.version);
        return -1;
    }
    result = price_book_first(a->ledger, setup->book.version, setup->price_book, clock_unix_ms());
    if (result == LEDGER_CONFLICT)
        return propose_prices(a, setup);
    if (result == LEDGER_EXISTS_DIFFERENT)
        log_warnx("price book: version %jd was published with other prices: a price book never changes, give it a new"
                  " version", (intmax_t)setup->book.version);
    return result == LEDGER_OK || result == LEDGER_EXISTS ? 0 : -1;
}

int accountd_open(struct accountd *a, const struct accountd_setup *setup)
{
    a->hold_s = setup->hold_s;
    snprintf(a->bundle_dir, sizeof(a->bundle_dir), "%s/bundles", setup->state_dir);
    a->conservation_ok = true;
    a->funding.secrets = setup->payments;
    a->seller = setup->seller;
    if (open_databases(a, setup->state_dir, setup->host) || publish_prices(a, setup))
        return -1;
    if (head_open(&a->head, a->store, a->ledger, &a->keys, setup->host, setup->head_copy, clock_unix_ms()) ||
        tariff_settle(a) || head_sign(&a->head, clock_unix_ms()))
        return -1;
    if (journal_open(&a->journal, &a->head, setup->interval_ns) || charge_run(a) || hostbooks_open(a) ||
        lost_log_settle(a))
        return -1;
    return cap_open(a, &setup->graces);
}

void accountd_close(struct accountd *a)
{
    cap_close(a);
    hostbooks_close(a);
    journal_close(&a->journal);
    seller_free(&a->seller);
    paper_cades_close(&a->cades);
    head_close(&a->head);
    if (a->store)
        store_close(a->store);
    if (a->ledger)
        ledger_close(a->ledger);
    a->store = NULL;
    a->ledger = NULL;
}
