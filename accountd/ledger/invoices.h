/* Invoices, numbered without holes. */
#ifndef ACCOUNTD_LEDGER_INVOICES_H
#define ACCOUNTD_LEDGER_INVOICES_H

#include "accountd/ledger/ledger.h"

struct ledger_invoice {
    int64_t number;
    const char *invoice_id, *account, *origin;
    uint64_t from_idx, to_idx;
    int64_t carried_nano;
    const char *body, *head_note;
};
int64_t ledger_invoice_next_number(struct ledger *ledger);
/* Where the account's next invoice in this log begins. -1 on failure. */
int64_t ledger_invoice_from(struct ledger *ledger, const char *account, const char *origin);
enum ledger_result ledger_invoice_put_locked(struct ledger *ledger, const struct ledger_invoice *invoice);
/* OK with the callback's 0, NOT_FOUND. account NULL: whoever's. */
typedef int (*ledger_invoice_fn)(void *arg, const struct ledger_invoice *invoice);
enum ledger_result ledger_invoice_get(struct ledger *ledger, const char *account, const char *invoice_id,
                                      ledger_invoice_fn fn, void *arg);
int ledger_each_invoice(struct ledger *ledger, const char *account /* NULL: all */, ledger_invoice_fn fn, void *arg);
/* What the host carried for the account and no invoice has shown yet. -1 on failure. */
int64_t ledger_carried(struct ledger *ledger, const char *account);

#endif
