/* The wallet and what is set aside of it, vouchers, budgets, alerts, who is billed. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column entry_columns[] = {
    {"AT", "at"}, {"WHAT", "code"}, {">AMOUNT", "amount"}, {"REASON", "reason"}, {"TRANSFER", "transfer_id"},
};

static void wallet_print(const json_t *wallet)
{
    const char *currency = json_text(wallet, "currency");
    json_t *until = json_object_get(wallet, "lasts_until");

    printf("balance %s %s, held %s, free to use %s\n", json_text(wallet, "balance"), currency,
           json_text(wallet, "held"), json_text(wallet, "available"));
    if (json_is_string(json_object_get(wallet, "burn_per_hour")))
        printf("an hour costs %s %s as things run now%s%.16s\n", json_text(wallet, "burn_per_hour"), currency,
               json_is_string(until) ? "; the money lasts until " : "", json_text(wallet, "lasts_until"));
    if (json_is_string(json_object_get(wallet, "payment_reference")))
        printf("reference for bank transfers: %s\n", json_text(wallet, "payment_reference"));
    putchar('\n');
    table_print(entry_columns, COUNT(entry_columns), json_object_get(wallet, "entries"), "No money has moved yet.");
}

int wallet_command(struct host *host, char **argv)
{
    const char *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[128] = "/v1/wallet/entries";
    json_t *wallet, *next;

    args_take(argv, flags, NULL, 0, 0, "wallet [--after CURSOR]");
    if (after) {
        args_number("--after", after, 0, INT64_C(1) << 52);
        query_add(path, sizeof(path), "--after", after);
        return page_show(host, path, entry_columns, COUNT(entry_columns), "No older entries.");
    }
    wallet = ask_get(host, "/v1/wallet");
    next = json_object_get(wallet, "next_cursor");
    if (!json_print(host, wallet)) {
        wallet_print(wallet);
        if (json_is_integer(next))
            fprintf(stderr, "there is more: --after %jd\n", (intmax_t)json_integer_value(next));
    }
    json_decref(wallet);
    return EXIT_DONE;
}

int holds_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"INSTANCE", "instance_id"},
        {">AMOUNT", "amount"},
        {"PURCHASE ORDER", "purchase_order_id"},
        {"SINCE", "at"},
    };

    return list_show(host, argv, "/v1/holds", columns, COUNT(columns), "Nothing is set aside.", "holds");
}

int voucher_redeem_command(struct host *host, char **argv)
{
    const char *code;
    json_t *redeemed;

    args_take(argv, NULL, &code, 1, 1, "voucher redeem CODE");
    redeemed = ask_post(host, "/v1/vouchers/redeem", json_pack("{s:s}", "code", code));
    if (!json_print(host, redeemed))
        printf("%s  %s; free to use %s\n", json_text(redeemed, "id"), json_text(redeemed, "amount"),
               json_text(redeemed, "available"));
    json_decref(redeemed);
    return EXIT_DONE;
}

static const struct column budget_columns[] = {
    {"ID", "id"},
    {">AMOUNT", "amount"},
    {">SPENT", "spent"},
    {"STEPS %", "steps"},
};

/* "50,80,100" */
static json_t *steps_json(const char *text)
{
    json_t *list = json_array();
    char *copy = strdup(text), *rest = copy;

    for (char *step; (step = strsep(&rest, ",")) != NULL;)
        json_array_append_new(list, json_integer(args_number("--steps", step, 1, 1000)));
    free(copy);
    return list;
}

int budget_create_command(struct host *host, char **argv)
{
    const char *amount, *steps = NULL;
    const struct flag flags[] = {{"--steps", &steps, NULL}, {NULL, NULL, NULL}};
    json_t *body;

    args_take(argv, flags, &amount, 1, 1, "budget create AMOUNT [--steps 50,80,100]");
    body = json_pack("{s:s}", "amount", amount);
    if (steps)
        json_object_set_new(body, "steps", steps_json(steps));
    return card_show(host, ask_post(host, "/v1/budgets", body), budget_columns, COUNT(budget_columns));
}

int budget_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/budgets", budget_columns, COUNT(budget_columns),
                     "There are no budgets. Make one: xs budget create AMOUNT", "budget list");
}

int budget_delete_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/budgets", "a budget", "is gone", "budget delete ID");
}

int alerts_show(struct host *host, char **argv, const char *list, const char *usage)
{
    static const struct column columns[] = {
        {"RAISED", "raised_at"}, {"KIND", "kind"},          {"SUBJECT", "subject"},
        {"DETAIL", "detail"},    {"CLEARED", "cleared_at"}, {"CUSTOMER", "customer_id"},
    };
    const char *after = NULL;
    bool standing = false;
    const struct flag flags[] = {{"--standing", NULL, &standing}, {"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[128];

    args_take(argv, flags, NULL, 0, 0, usage);
    snprintf(path, sizeof(path), "%s", list);
    query_add(path, sizeof(path), "--standing", standing ? "true" : NULL);
    query_add(path, sizeof(path), "--after", after);
    /* A customer's own are nobody else's. */
    return page_show(host, path, columns, COUNT(columns) - (strstr(list, "admin") ? 0 : 1), "There are no alerts.");
}

int alerts_command(struct host *host, char **argv)
{
    return alerts_show(host, argv, "/v1/alerts", "alerts [--standing] [--after CURSOR]");
}

static const struct column details_columns[] = {
    {"name", "name"},       {"street", "street"}, {"postcode", "postcode"}, {"city", "city"},
    {"country", "country"}, {"VAT id", "vat_id"}, {"email", "email"},
};

int details_command(struct host *host, char **argv)
{
    args_take(argv, NULL, NULL, 0, 0, "details");
    return card_show(host, ask_get(host, "/v1/account/billing_details"), details_columns, COUNT(details_columns));
}

int details_set_command(struct host *host, char **argv)
{
    static const char *const names[] = {"name", "street", "postcode", "city", "country", "vat_id", "email"};
    const char *values[COUNT(names)] = {NULL};
    const struct flag flags[] = {
        {"--name", &values[0], NULL},     {"--street", &values[1], NULL},
        {"--postcode", &values[2], NULL}, {"--city", &values[3], NULL},
        {"--country", &values[4], NULL},  {"--vat-id", &values[5], NULL},
        {"--email", &values[6], NULL},    {NULL, NULL, NULL},
    };
    json_t *body = json_object();

    args_take(argv, flags, NULL, 0, 0,
              "details set --name N --street S --postcode P --city C --country DE --email A [--vat-id V]");
    for (size_t i = 0; i < COUNT(names); i++)
        if (values[i] && json_object_set_new(body, names[i], json_string(values[i])) != 0)
            fail(EXIT_USAGE, "%s is not UTF-8 text", names[i]);
    return card_show(host, ask_put(host, "/v1/account/billing_details", body), details_columns, COUNT(details_columns));
}
