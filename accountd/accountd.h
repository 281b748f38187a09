/* The daemon's parts, put together by main.c and used by its loop and its socket. */
#ifndef ACCOUNTD_ACCOUNTD_H
#define ACCOUNTD_ACCOUNTD_H

#include "accountd/acker.h"
#include "accountd/cap/cap.h"
#include "accountd/funding/funding.h"
#include "accountd/head.h"
#include "accountd/hostbooks.h"
#include "accountd/journal.h"
#include "accountd/keys.h"
#include "accountd/ledger/cursor.h"
#include "accountd/ledger/fund.h"
#include "accountd/ledger/holds.h"
#include "accountd/ledger/invoices.h"
#include "accountd/ledger/ledger.h"
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/purchase_orders.h"
#include "accountd/ledger/registry.h"
#include "accountd/log/publish.h"
#include "accountd/log/witnesses.h"
#include "accountd/paper/cades.h"
#include "accountd/party.h"
#include "accountd/sample.h"
#include "accountd/store.h"
#include "accountd/tax.h"
#include "common/clock.h"

struct accountd {
    struct stats_page *page;
    struct store *store;
    struct ledger *ledger;
    struct keys keys;
    struct funding funding;
    struct head head;
    struct journal journal;
    struct hostbooks books;
    struct acker *acker;
    struct cap cap;
    int64_t hold_s;                     /* an instance's hold pays for so long at its full */
    struct publish *publish;            /* NULL: nothing is published */
    struct witnesses witnesses;         /* whose cosignatures are taken */
    char state_dir[512], keys_dir[512], bundle_dir[512];
    struct seller seller;
    struct paper_cades cades;           /* signs invoices for those who want X.509 */

    struct sample sample;               /* the newest */
    struct journal_clock clock;         /* when it was taken */
    int64_t samples, misses;
    int64_t sampled_ms;                 /* clock_monotonic_ms of the newest sample, 0 if none */
    bool conservation_ok;
    int unsettled;                      /* samples in a row in which the sums did not meet */
};

/* open.c: databases, keys and log below state_dir, as they were left or new.
 * The price book (canonical JSON and its reading) is published if there is none yet,
 * and proposed if it is newer. -1 after logging what is wrong. */
struct accountd_setup {
    const char *state_dir, *host;
    const char *head_copy;              /* a head kept elsewhere (head.h); NULL: none */
    uint64_t interval_ns;
    struct cap_graces graces;
    int64_t hold_s;
    char *price_book;
    struct rate_book book;
    struct webhook_secrets payments;
    struct seller seller;               /* becomes the daemon's */
};
int accountd_open(struct accountd *a, const struct accountd_setup *setup);
void accountd_close(struct accountd *a);

/* tariff.c: signs and logs what was published and is not signed or logged yet; no head is signed. -1 after logging. */
int tariff_settle(struct accountd *a);

/* lost_log.c: gives back what was charged under logs that are lost and is on no invoice. -1 after logging. */
int lost_log_settle(struct accountd *a);

/* tick.c: samples, settles, and asks for the release of what is final. -1:
 * something could not be made durable; the next tick does it again. */
int accountd_tick(struct accountd *a, int64_t misses, const char *account);
/* What the provisioner has answered since the last time. Call when acker_fd is readable. */
void accountd_answers(struct accountd *a);
/* Of a->sample, taken at a->clock: writes what is due (and of `account`, if
 * not NULL, what is open), signs and charges. */
int accountd_settle(struct accountd *a, int64_t misses, const char *account);

/* charge.c: charges the durable, signed leaves that are not charged yet. */
int charge_run(struct accountd *a);
/* The tax that the account's use bears from its next invoice's first record on. */
int charge_tax(struct accountd *a, const char *account, struct tax *tax);
/* Releases holds of closed instances whose records are all final. */
int charge_release(struct accountd *a);

/* quote_account.c: what an account has used of the book in the month of at_ms. -1 on failure. */
int quote_before(struct accountd *a, const char *account, int64_t version, int64_t at_ms, struct meter_usage *before);
/* What would be drawn beside net_nano more of charges. -1: it does not fit, or the database failed. */
int quote_tax(struct accountd *a, const char *account, int64_t net_nano, struct tax *tax, int64_t *tax_nano);
/* An instance's hold: the most that hold_s of it can cost, tax included. -1 as above. */
int quote_hold(struct accountd *a, const char *account, const struct rate_book *book, const struct meter_reserved *reserved,
               int64_t *hold_nano);

#endif
