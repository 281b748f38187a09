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
    return id_delete(host, argv, "/v1/admin/keys", "a key", "is revoked", "admin key revoke ID");
}

static char *subject_path(char *path, size_t size, const char *id, const char *verb)
{
    snprintf(path, size, "/v1/admin/%s/%s/%s", strncmp(id, "ins_", 4) == 0 ? "domains" : "customers",
             id_check(id, "a customer or an instance"), verb);
    return path;
}

/* What it would stop, without doing it. */
static int suspension_preview(struct host *host, const char *id)
{
    static const struct column columns[] = { { "INSTANCE", "instance_id" }, { "PAUSED ALREADY", "paused" } };
    char path[160];
    json_t *preview = ask_get(host, subject_path(path, sizeof(path), id, "suspension"));

    if (!json_print(host, preview)) {
        table_print(columns, COUNT(columns), json_object_get(preview, "instances"), "Nothing runs.");
        printf("\nWhat the customer runs brings %s an hour; %s was used and is charged still.\n",
               json_text(preview, "burn_per_hour"), json_text(preview, "uncharged"));
    }
    json_decref(preview);
    return EXIT_DONE;
}

int suspend_admin_command(struct host *host, char **argv)
{
    static const struct column columns[] = { { "customer", "customer_id" }, { "what", "payer" }, { "state", "state" },
                                             { "by", "operator" }, { "reason", "reason" } };
    const char *alone[2] = { NULL, NULL };
    char path[160];

    args_take(argv, NULL, alone, 1, 2, "admin suspend CUSTOMER|INSTANCE [REASON]");
    if (!alone[1])
        return suspension_preview(host, alone[0]);
    return card_show(host, ask_post(host, subject_path(path, sizeof(path), alone[0], "suspend"),
                                    json_pack("{s:s}", "reason", alone[1])),
                     columns, COUNT(columns));
}

int resume_admin_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[160];

    args_take(argv, NULL, alone, 2, 2, "admin resume CUSTOMER|INSTANCE REASON");
    json_decref(ask_post(host, subject_path(path, sizeof(path), alone[0], "resume"), json_pack("{s:s}", "reason", alone[1])));
    if (!host_settings(host)->json)
        printf("%s goes on\n", alone[0]);
    return EXIT_DONE;
}

int domains_command(struct host *host, char **argv)
{
    static const struct column columns[] = { { "ID", "id" }, { "NAME", "name" }, { "CUSTOMER", "customer_id" },
                                             { "STATE", "state" }, { ">DOMID", "domid" }, { "WHY", "state_reason" } };

    return list_show(host, argv, "/v1/admin/domains", columns, COUNT(columns), "There are no instances.", "admin domains");
}
