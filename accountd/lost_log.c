/* What was charged under a log that is lost and was on no invoice yet can no longer be proven: it is given back.
 * Account by account, with the end of its sums in the same transaction, so a crash between two of them goes on where it
 * was. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/ledger/chart.h"
#include "accountd/ledger/sums.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

/* One account's way out of a lost log. */
struct refund {
    struct accountd *a;
    char account[RECORD_NAME_BYTES], origin[128];
    struct sums_open open;
    int64_t carried_nano;               /* of what the host paid itself, not returned to it yet */
    int64_t returned_nano;              /* to the customer */
};

static enum ledger_result move(struct refund *f, const char *from, const char *to, const char *what, int64_t nano)
{
    char id[LEDGER_ID_BYTES], refers[160];
    struct ledger_transfer t = { .kind = "posted", .debit = from, .credit = to, .amount_nano = nano, .code = "refund",
                                 .reason = what, .refers = refers, .at_ms = clock_unix_ms() };

    if (nano == 0)
        return LEDGER_OK;
    snprintf(refers, sizeof(refers), "log %s", f->origin);
    t.id =
        ledger_derive_id(id, "lost log %s %s %jd %s %s", f->origin, f->account, (intmax_t)f->open.from_idx, what, to);
    return ledger_apply_locked(f->a->ledger, &t);
}

/* What the host carried was never the customer's money: it goes back to the host first. */
static enum ledger_result give_back(struct refund *f, const char *from, const char *what, int64_t nano)
{
    int64_t own_nano = nano < f->carried_nano ? nano : f->carried_nano;
    enum ledger_result result = move(f, from, LEDGER_CARRIED, what, own_nano);

    f->carried_nano -= own_nano;
    f->returned_nano += nano - own_nano;
    return result == LEDGER_OK ? move(f, from, f->account, what, nano - own_nano) : result;
}

static enum ledger_result give_tax_back(struct refund *f)
{
    char tax[16];

    if (f->open.tax_nano == 0)
        return LEDGER_OK;
    snprintf(tax, sizeof(tax), LEDGER_TAX "%s", f->open.tax.country);
    return give_back(f, tax, "tax that no record proves any more", f->open.tax_nano);
}

static int tell(const struct refund *f)
{
    char key[320], subject[200], detail[400];
    int64_t now_ms = clock_unix_ms();

    snprintf(key, sizeof(key), "lost log %s", f->origin);
    snprintf(subject, sizeof(subject), "log %s is lost", f->origin);
    if (alert_raise(
            f->a->ledger, key, "lost_log", NULL, subject,
            "What it proved and no invoice had yet was given back to each"
            " account from host:refunds and the tax accounts (transfers with code refund). Bundles that were not made"
            " before cannot be made any more.",
            now_ms))
        return -1;
    snprintf(key, sizeof(key), "lost log %s %s", f->origin, f->account);
    snprintf(subject, sizeof(subject), "the records of your use since your last invoice are lost");
    snprintf(detail, sizeof(detail),
             "The host lost the log %s. What was charged by it and not invoiced yet, %jd nano, is back"
             " in your wallet.",
             f->origin, (intmax_t)f->returned_nano);
    return alert_raise(f->a->ledger, key, "lost_log", f->account, subject, detail, now_ms);
}

static enum ledger_result refund_locked(struct refund *f)
{
    enum ledger_result result = sums_open(f->a->ledger, f->account, f->origin, &f->open);

    f->carried_nano = f->open.carried_nano;
    if (result == LEDGER_OK)
        result = give_back(f, LEDGER_REFUNDS, "use that no record proves any more", f->open.net_nano);
    if (result == LEDGER_OK)
        result = give_tax_back(f);
    if (result == LEDGER_OK && (sums_close_locked(f->a->ledger, f->account, f->origin) || tell(f)))
        result = LEDGER_FAILED;
    return result;
}

int lost_log_settle(struct accountd *a)
{
    struct refund f = { .a = a };
    int rc;

    while ((rc = sums_any_lost(a->ledger, a->head.origin, f.account, f.origin)) == 1) {
        f.returned_nano = 0;
        if (ledger_begin(a->ledger) || ledger_finish(a->ledger, refund_locked(&f)) != LEDGER_OK) {
            log_warnx("log %s is lost: what account %s paid by it could not be given back", f.origin, f.account);
            return -1;
        }
        log_warnx("log %s is lost: account %s has back %jd nano that were on no invoice yet", f.origin, f.account,
                  (intmax_t)f.returned_nano);
    }
    return rc;
}
