/* Operators' commands about the ledger, and what they watch. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int ledger_balance_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"ACCOUNT", "account"},
        {"KIND", "kind"},
        {">DEBIT", "debit"},
        {">CREDIT", "credit"},
    };
    json_t *balance;
    bool sound;

    args_take(argv, NULL, NULL, 0, 0, "admin ledger balance");
    balance = ask_get(host, "/v1/admin/ledger/trial_balance");
    sound = json_is_true(json_object_get(balance, "sound"));
    if (!json_print(host, balance)) {
        table_print(columns, COUNT(columns), json_object_get(balance, "accounts"), "The ledger has no accounts.");
        printf("\ndebit %s, credit %s; ", json_text(balance, "debit"), json_text(balance, "credit"));
        if (sound)
            puts("the entries add up to the balances");
        else
            printf("the entries do NOT add up to the balance of %s\n", json_text(balance, "differs"));
    }
    json_decref(balance);
    return sound ? EXIT_DONE : EXIT_REFUSED;
}

int ledger_transfers_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {">SEQ", "seq"},       {"AT", "at"},     {"KIND", "kind"},     {"DEBIT", "debit"}, {"CREDIT", "credit"},
        {">AMOUNT", "amount"}, {"CODE", "code"}, {"REASON", "reason"}, {"TRANSFER", "id"},
    };
    const char *account, *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[256];

    args_take(argv, flags, &account, 1, 1, "admin ledger transfers ACCOUNT [--after CURSOR]");
    if (strspn(account, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") != strlen(account) ||
        strlen(account) > 63)
        fail(EXIT_USAGE, "\"%s\" is no account of the ledger: xs admin ledger balance shows them", account);
    snprintf(path, sizeof(path), "/v1/admin/ledger/accounts/%s/transfers", account);
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, COUNT(columns), "Nothing has moved on it.");
}

int ledger_journal_command(struct host *host, char **argv)
{
    const char *file = "ledger.journal", *customer = NULL;
    const struct flag flags[] = {{"-o", &file, NULL}, {"--customer-id", &customer, NULL}, {NULL, NULL, NULL}};
    char path[160] = "/v1/admin/ledger/journal";

    args_take(argv, flags, NULL, 0, 0, "admin ledger journal [--customer-id C] [-o FILE]");
    query_add(path, sizeof(path), "--customer-id", customer);
    ask_file(host, path, file);
    fprintf(stderr, "%s: check it with: hledger -f %s check --strict\n", file, file);
    return EXIT_DONE;
}

int reconciliation_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"FROM", "from"},   {"TO", "to"},           {">CUSTOMERS ns", "customers_ns"}, {">DOM0 ns", "dom0_ns"},
        {">HV ns", "hv_ns"}, {">IDLE ns", "idle_ns"}, {">SKEW ns", "skew_ns"},           {">CHARGED", "charged"},
        {"DRIFT", "drift"},
    };
    const char *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[160] = "/v1/admin/reconciliation";

    args_take(argv, flags, NULL, 0, 0, "admin reconciliation [--after CURSOR]");
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, COUNT(columns), "No hour of the host's books is closed yet.");
}

int admin_alerts_command(struct host *host, char **argv)
{
    return alerts_show(host, argv, "/v1/admin/alerts", "admin alerts [--standing] [--after CURSOR]");
}

int suspensions_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"CUSTOMER", "customer_id"}, {"PAYER", "payer"}, {"STATE", "state"}, {"BY", "by"},
        {"SINCE", "since"}, {"THEN", "next"}, {">IN MS", "next_in_ms"}, {"REASON", "reason"},
    };

    return list_show(host, argv, "/v1/admin/suspensions", columns, COUNT(columns),
                     "Nobody stands still.", "admin suspensions");
}

int cap_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"loop, ms", "loop_ms"},
        {"stops", "stops"},
        {"money gone to stopped, ms: half within", "p50_ms"},
        {"99 of 100 within", "p99_ms"},
        {"all within", "max_ms"},
        {"memory is kept for, s", "grace_suspended_s"},
        {"disks after that for, s", "retention_s"},
        {"largest overshoot, carried by the host", "overshoot_max"},
    };

    args_take(argv, NULL, NULL, 0, 0, "admin cap");
    return card_show(host, ask_get(host, "/v1/admin/cap"), columns, COUNT(columns));
}
