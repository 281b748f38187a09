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
    const char *kind, *refers_id;       /* invoice, NULL; or credit_note and whose */
    int64_t ledger_seq;                 /* the newest transfer when it was made */
};
int64_t ledger_invoice_next_number(struct ledger *ledger);
enum ledger_result ledger_invoice_put_locked(struct ledger *ledger, const struct ledger_invoice *invoice);
/* OK with the callback's 0, NOT_FOUND. account NULL: whoever's. */
typedef int (*ledger_invoice_fn)(void *arg, const struct ledger_invoice *invoice);
enum ledger_result ledger_invoice_get(struct ledger *ledger, const char *account, const char *invoice_id,
                                      ledger_invoice_fn fn, void *arg);
/* Those with a larger number than `after`, at most limit (-1: all), by number. */
int ledger_each_invoice(struct ledger *ledger, const char *account /* NULL: all */, int64_t after, int64_t limit,
                        ledger_invoice_fn fn, void *arg);
int ledger_each_credit_note(struct ledger *ledger, const char *invoice_id, ledger_invoice_fn fn, void *arg);
/* The kept CAdES signature of a file of the bundle; 1 and *der malloc'd, 0 none, -1. Put fails if there is one. */
int ledger_cades(struct ledger *ledger, const char *invoice_id, const char *file, uint8_t **der, size_t *len);
int ledger_cades_put(struct ledger *ledger, const char *invoice_id, const char *file, const uint8_t *der, size_t len);

#endif
