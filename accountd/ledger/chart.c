/* One table; a row serves the driver, the trial balance and the journal. */
#include "accountd/ledger/chart.h"
#include "accountd/meter.h"

#include <stdio.h>
#include <string.h>

static const struct chart_row wallet = { "", CHART_LIABILITY, "liabilities:customers:", "assets:wallet:" };

static const struct chart_row chart[] = {
    { LEDGER_DEPOSITS_BANK, CHART_ASSET, "assets:deposits:bank", "equity:deposits:bank" },
    { LEDGER_DEPOSITS_CARD, CHART_ASSET, "assets:deposits:card", "equity:deposits:card" },
    { LEDGER_DEPOSITS_CREDIT, CHART_EXPENSE, "expenses:credits given", "equity:deposits:credit" },
    /* Funding went here before deposits were told apart. */
    { "host:deposits", CHART_ASSET, "assets:deposits:other", "equity:deposits:other" },
    { LEDGER_SUSPENSE, CHART_LIABILITY, "liabilities:suspense", "equity:suspense" },
    { LEDGER_CARRIED, CHART_EXPENSE, "expenses:carried for customers", "income:carried by the host" },
    { LEDGER_HOLDS, CHART_LIABILITY, "liabilities:holds posted", "expenses:holds posted" },
    { LEDGER_ROUNDING, CHART_INCOME, "income:rounding", "expenses:rounding" },
    { LEDGER_REFUNDS, CHART_EXPENSE, "expenses:refunds", "income:refunds" },
    { LEDGER_REVENUE, CHART_INCOME, "income:usage:", "expenses:usage:" },
    { LEDGER_TAX, CHART_LIABILITY, "liabilities:tax:", "expenses:tax:" },
    { LEDGER_PURSE, CHART_LIABILITY, "liabilities:purchase orders:", "assets:purchase orders:" },
};
#define ROWS (sizeof(chart) / sizeof(chart[0]))

static bool is_prefix(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && text[len - 1] == ':';
}

const struct chart_row *chart_find(const char *account)
{
    for (size_t i = 0; i < ROWS; i++)
        if (is_prefix(chart[i].account) ? strncmp(account, chart[i].account, strlen(chart[i].account)) == 0
                                        : strcmp(account, chart[i].account) == 0)
            return &chart[i];
    return strchr(account, ':') ? NULL : &wallet;
}

const char *chart_kind_name(enum chart_kind kind)
{
    static const char *const names[] = { "asset", "liability", "income", "expense" };

    return names[kind];
}

const char *chart_suffix(const struct chart_row *row, const char *account)
{
    return is_prefix(row->account) || row == &wallet ? account + strlen(row->account) : "";
}

static bool is_country(const char *text)
{
    return strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

static bool is_meter(const char *text)
{
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (strcmp(text, meter_quantities[q].name) == 0)
            return true;
    return false;
}

static enum ledger_result open_locked(struct ledger *ledger, const char *name, int64_t at_ms)
{
    struct ledger_account account = { .currency = LEDGER_CURRENCY, .overdraft = true };
    enum ledger_result result;

    snprintf(account.id, sizeof(account.id), "%s", name);
    snprintf(account.name, sizeof(account.name), "%s", name);
    result = ledger_account_put_locked(ledger, &account, at_ms);
    return result == LEDGER_EXISTS ? LEDGER_OK : result;
}

enum ledger_result chart_open_one_locked(struct ledger *ledger, const char *account, int64_t at_ms)
{
    const struct chart_row *row = chart_find(account);
    const char *suffix = row ? chart_suffix(row, account) : NULL;

    if (!row || !(strcmp(row->account, LEDGER_TAX) == 0 ? is_country(suffix)
                  : strcmp(row->account, LEDGER_REVENUE) == 0 && is_meter(suffix)))
        return LEDGER_NOT_FOUND;
    return open_locked(ledger, account, at_ms);
}

static enum ledger_result open_all_locked(struct ledger *ledger)
{
    enum ledger_result result = LEDGER_OK;
    char revenue[LEDGER_ACCOUNT_BYTES];

    for (size_t i = 0; i < ROWS && result == LEDGER_OK; i++)
        if (!is_prefix(chart[i].account))
            result = open_locked(ledger, chart[i].account, 0);
    for (int q = 0; q < METER_QUANTITIES && result == LEDGER_OK; q++) {
        snprintf(revenue, sizeof(revenue), LEDGER_REVENUE "%s", meter_quantities[q].name);
        result = open_locked(ledger, revenue, 0);
    }
    return result;
}

enum ledger_result chart_open(struct ledger *ledger)
{
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, open_all_locked(ledger));
}
