/* Who may: the account, its keys, and the operator's commands. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column customer_columns[] = {
    { "ID", "id" }, { "NAME", "name" }, { "CURRENCY", "currency" }, { "CREATED", "created_at" },
};

int account_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "id", "id" },         { "name", "name" },      { "currency", "currency" }, { "created", "created_at" },
        { "this key", "key.id" }, { "scopes", "key.scopes" }, { "expires", "key.expires_at" },
    };
    json_t *account;

    args_take(argv, NULL, NULL, 0, 0, "account");
    account = ask_get(host, "/v1/account");
    if (!json_print(host, account))
        card_print(columns, COUNT(columns), account);
    json_decref(account);
    return EXIT_DONE;
}

int keys_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },           { "NAME", "name" },           { "CREATED", "created_at" },
        { "EXPIRES", "expires_at" }, { "REVOKED", "revoked_at" }, { "SCOPES", "scopes" },
        { "FROM", "addresses" },  { ">SPEND LIMIT", "spend_limit" },
    };

    return list_show(host, argv, "/v1/keys", columns, COUNT(columns), "There are no keys.", "keys list");
}

/* "a,b" to ["a","b"]. */
static json_t *words_array(const char *words)
{
    char *copy = strdup(words), *rest = copy;
    json_t *list = json_array();

    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        json_array_append_new(list, json_string(word));
    free(copy);
    return list;
}

static json_t *key_body(const char *name, const char *scopes, const char *days)
{
    json_t *body = json_pack("{s:s}", "name", name);

    if (!body)
        fail(EXIT_USAGE, "the name is not UTF-8 text");
    if (days)
        json_object_set_new(body, "expires_in_seconds", json_integer(86400 * args_number("--days", days, 1, 3660)));
    if (scopes)
        json_object_set_new(body, "scopes", words_array(scopes));
    return body;
}

static int key_show(struct host *host, json_t *key)
{
    if (!json_print(host, key)) {
        puts(json_text(key, "key"));
        fprintf(stderr, "%s \"%s\": keep it now, it is not shown again\n", json_text(key, "id"),
                json_text(key, "name"));
    }
    json_decref(key);
    return EXIT_DONE;
}

int keys_new_command(struct host *host, char **argv)
{
    const char *name, *scopes = NULL, *days = NULL, *from = NULL, *limit = NULL;
    const struct flag flags[] = { { "--scopes", &scopes, NULL }, { "--days", &days, NULL }, { "--from", &from, NULL },
                                  { "--spend-limit", &limit, NULL }, { NULL, NULL, NULL } };
    json_t *body;

    args_take(argv, flags, &name, 1, 1, "keys new NAME [--scopes A,B] [--days N] [--from 192.0.2.0/24,...] [--spend-limit AMOUNT]");
    body = key_body(name, scopes, days);
    if (from)
        json_object_set_new(body, "addresses", words_array(from));
    if (limit)
        json_object_set_new(body, "spend_limit", json_string(limit));
    return key_show(host, ask_post(host, "/v1/keys", body));
}

int keys_revoke_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/keys", "a key", "is revoked", "keys revoke ID");
}

int customer_add_command(struct host *host, char **argv)
{
    const char *name, *currency = "EUR";
    const struct flag flags[] = { { "--currency", &currency, NULL }, { NULL, NULL, NULL } };
    json_t *customer;

    args_take(argv, flags, &name, 1, 1, "admin customer add NAME [--currency EUR]");
    customer = ask_post(host, "/v1/admin/customers", json_pack("{s:s, s:s}", "name", name, "currency", currency));
    if (!json_print(host, customer))
        card_print(customer_columns, COUNT(customer_columns), customer);
    json_decref(customer);
    return EXIT_DONE;
}

int customer_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/admin/customers?limit=200", customer_columns, COUNT(customer_columns),
                     "There are no customers. Make one: xs admin customer add NAME", "admin customer list");
}

int customer_key_command(struct host *host, char **argv)
{
    const char *alone[2], *scopes = NULL, *days = NULL;
    const struct flag flags[] = { { "--scopes", &scopes, NULL }, { "--days", &days, NULL }, { NULL, NULL, NULL } };
    char path[256];

    args_take(argv, flags, alone, 2, 2, "admin key CUSTOMER NAME [--scopes A,B] [--days N]");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/keys", id_check(alone[0], "a customer"));
    return key_show(host, ask_post(host, path, key_body(alone[1], scopes, days)));
}

int credit_command(struct host *host, char **argv)
{
    const char *alone[2], *reason = "operator credit";
    const struct flag flags[] = { { "--reason", &reason, NULL }, { NULL, NULL, NULL } };
    char path[256];
    json_t *credit;

    args_take(argv, flags, alone, 2, 2, "admin credit CUSTOMER AMOUNT [--reason TEXT]");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", id_check(alone[0], "a customer"));
    credit = ask_post(host, path, json_pack("{s:s, s:s}", "amount", alone[1], "reason", reason));
    if (!json_print(host, credit))
        printf("%s  credited %s; balance %s, held %s, free to use %s\n", json_text(credit, "id"),
               json_text(credit, "amount"), json_text(credit, "balance"), json_text(credit, "held"),
               json_text(credit, "available"));
    json_decref(credit);
    return EXIT_DONE;
}

int host_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "hypervisor", "host.hv_version" },
        { "CPUs", "host.cpus" },
        { "pages", "host.pages_total" },
        { "pages free", "host.pages_free" },
        { "domains", "host.domains" },
        { "guests at most", "host.guests_max" },
        { "meter samples", "meter.samples" },
        { "samples missed", "meter.misses" },
        { "last sample, ms ago", "meter.last_sample_age_ms" },
        { "books close", "meter.conservation_ok" },
        { "log size", "meter.log_size" },
        { "log origin", "meter.origin" },
    };
    json_t *answer;

    args_take(argv, NULL, NULL, 0, 0, "admin host");
    answer = ask_get(host, "/v1/admin/host");
    if (!json_print(host, answer))
        card_print(columns, COUNT(columns), answer);
    json_decref(answer);
    return EXIT_DONE;
}
