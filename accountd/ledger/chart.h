/* The chart of accounts: the host's own side of every transfer. */
#ifndef ACCOUNTD_LEDGER_CHART_H
#define ACCOUNTD_LEDGER_CHART_H

#include "accountd/ledger/ledger.h"

enum chart_kind { CHART_ASSET, CHART_LIABILITY, CHART_INCOME, CHART_EXPENSE };

struct chart_row {
    const char *account;                /* ends with ':': all that begin with it */
    enum chart_kind kind;               /* in the host's books */
    const char *host_name;              /* in the host's journal, without the part after a prefix */
    const char *customer_name;          /* in a customer's */
};
/* The row of an account; customers' wallets have one too. */
const struct chart_row *chart_find(const char *account);
/* "asset", "liability", "income", "expense". */
const char *chart_kind_name(enum chart_kind kind);
/* What follows the row's prefix; the account itself for a wallet, "" for an account with a row of its own. */
const char *chart_suffix(const struct chart_row *row, const char *account);

/* Opens all of the host's accounts whose names are fixed. OK or FAILED. */
enum ledger_result chart_open(struct ledger *ledger);
/* Opens one that is the host's and whose name is formed (a meter's, a country's). OK, or NOT_FOUND: the chart has no
 * such account. */
enum ledger_result chart_open_one_locked(struct ledger *ledger, const char *account, int64_t at_ms);

#endif
