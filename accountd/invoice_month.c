/* Invoices of months that are over. What tells that one is due is the use that
 * is not invoiced and began before this month; so a crash in the middle, or a
 * host that was off for weeks, needs no bookkeeping. */
#include "accountd/invoice.h"
#include "accountd/ledger/sums.h"
#include "common/id.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE 16                      /* accounts a tick: sampling goes on between */

struct due {
    char account[AT_ONCE][RECORD_NAME_BYTES];
    size_t count;
};

static int note_account(void *arg, const char *account)
{
    struct due *due = arg;

    snprintf(due->account[due->count++], RECORD_NAME_BYTES, "%s", account);
    return 0;
}

/* The same use always gets the same id. */
static int invoice_account(struct accountd *a, const char *account)
{
    char text[256], id[ID_BYTES], number[64];
    struct sums_open open;
    struct json_why why;
    enum ledger_result result = sums_open(a->ledger, account, a->head.origin, &open);
    json_t *body = NULL;

    if (result != LEDGER_OK)
        return -1;
    snprintf(text, sizeof(text), "month %s %s %s %jd", account, a->head.origin, open.period, (intmax_t)open.from_idx);
    result = invoice_create(a, id_derive("inv_", text, id), account, &body, &why);
    snprintf(number, sizeof(number), "%s", json_text(body, "number_text"));
    json_decref(body);
    if (result != LEDGER_OK && result != LEDGER_EXISTS) {
        log_warnx("account %s: no invoice for %s: %s", account, open.period, why.text);
        return -1;
    }
    log_info("account %s: invoice %s for %s (%s)", account, number, open.period, id);
    return 0;
}

int invoice_month_run(struct accountd *a)
{
    char month[STATEMENT_PERIOD_BYTES];
    struct due due = { .count = 0 };

    statement_period(a->clock.utc_ms, month);
    if (sums_each_open(a->ledger, a->head.origin, month, AT_ONCE, note_account, &due))
        return -1;
    for (size_t i = 0; i < due.count; i++)
        if (invoice_account(a, due.account[i]))
            return -1;
    return 0;
}
