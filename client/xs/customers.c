/* Operators' commands about one customer. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column about[] = {
    { "name", "name" },
    { "currency", "currency" },
    { "since", "created_at" },
    { "billed as", "billing_details.name" },
    { "country", "billing_details.country" },
    { "VAT id", "billing_details.vat_id" },
    { "balance", "money.balance" },
    { "held", "money.held" },
    { "free", "money.free" },
    { "an hour costs", "money.burn_per_hour" },
    { "lasts until", "money.lasts_until" },
    { "funded, ever", "money.funded" },
    { "spent, ever", "money.spent" },
    { "not invoiced", "money.uninvoiced" },
    { "carried by us", "risk.carried" },
    { "card payments taken back", "risk.payments_taken_back" },
    { "our loss of them", "risk.taken_unpaid" },
    { "disputes open", "risk.disputes_open" },
    { "stopped, times", "risk.stops" },
};

static const struct {
    const char *list, *title;
    struct column columns[5];
} lists[] = {
    { "suspensions", "Stands still", { { "PAYER", "payer" }, { "STATE", "state" }, { "SINCE", "since" }, { "NEXT", "next" } } },
    { "instances", "Instances", { { "ID", "id" }, { "NAME", "name" }, { "FLAVOR", "flavor" }, { "STATE", "state" }, { "WHY", "state_reason" } } },
    { "holds", "Holds", { { "INSTANCE", "instance_id" }, { ">AMOUNT", "amount" }, { "SINCE", "at" } } },
    { "invoices", "Newest invoices", { { "NUMBER", "number_text" }, { "ISSUED", "issued_at" }, { ">TOTAL", "total" }, { "ID", "id" } } },
    { "keys", "Keys", { { "ID", "id" }, { "NAME", "name" }, { "EXPIRES", "expires_at" }, { "REVOKED", "revoked_at" } } },
    { "people", "People", { { "ID", "id" }, { "EMAIL", "email" }, { "NAME", "name" }, { "SECOND FACTOR", "totp" } } },
};

static void list_print(const json_t *customer, size_t which)
{
    const json_t *rows = json_object_get(customer, lists[which].list);
    unsigned count = 0;

    while (count < COUNT(lists[which].columns) && lists[which].columns[count].heading)
        count++;
    if (json_array_size(rows) == 0)
        return;
    printf("\n%s\n", lists[which].title);
    table_print(lists[which].columns, count, rows, "");
}

int customer_show_command(struct host *host, char **argv)
{
    const char *id;
    char path[160];
    json_t *customer;

    args_take(argv, NULL, &id, 1, 1, "admin customer show CUSTOMER");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s", id_check(id, "a customer"));
    customer = ask_get(host, path);
    if (!json_print(host, customer)) {
        card_print(about, COUNT(about), customer);
        for (size_t i = 0; i < COUNT(lists); i++)
            list_print(customer, i);
    }
    json_decref(customer);
    return EXIT_DONE;
}

int customer_key_revoke_command(struct host *host, char **argv)
{
    const char *id;

    args_take(argv, NULL, &id, 1, 1, "admin key revoke ID");
    return thing_delete(host, "/v1/admin/keys", strdup(id_check(id, "a key")), id, "is revoked");
}
