/* Operators' commands about money from outside, and about operators. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define STATEMENT_BYTES_MAX (700 * 1024)

int operator_add_command(struct host *host, char **argv)
{
    const char *name, *role = "admin";
    const struct flag flags[] = {{"--role", &role, NULL}, {NULL, NULL, NULL}};
    json_t *body, *operator, *key;
    char path[128];

    args_take(argv, flags, &name, 1, 1, "admin operator add NAME [--role view|support|billing|admin]");
    body = json_pack("{s:s, s:s}", "name", name, "role", role);
    if (!body)
        fail(EXIT_USAGE, "the name is not UTF-8 text");
    operator= ask_post(host, "/v1/admin/operators", body);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/keys", json_text(operator, "id"));
    key = ask_post(host, path, json_pack("{s:s}", "name", name));
    json_object_set(operator, "key", json_object_get(key, "key"));
    if (!json_print(host, operator)) {
        puts(json_text(key, "key"));
        fprintf(stderr, "%s \"%s\": give it to them now, it is not shown again; to log in with a browser they set a\n"
                        "password within a day at %s\n",
                json_text(operator, "id"), name, json_text(operator, "path"));
    }
    json_decref(operator);
    json_decref(key);
    return EXIT_DONE;
}

int operator_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"ID", "id"},
        {"NAME", "name"},
        {"ROLE", "role"},
        {"WHOSE", "operator_id"},
        {"CREATED", "created_at"},
        {"REVOKED", "revoked_at"},
    };

    return list_show(host, argv, "/v1/admin/operators", columns, COUNT(columns), "There are no operators.",
                     "admin operator list");
}

int operator_revoke_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/admin/operators", "an operator", "is revoked", "admin operator revoke ID");
}

int voucher_create_command(struct host *host, char **argv)
{
    const char *amount, *expires = NULL;
    const struct flag flags[] = {{"--expires-at", &expires, NULL}, {NULL, NULL, NULL}};
    json_t *body, *voucher;

    args_take(argv, flags, &amount, 1, 1, "admin voucher AMOUNT [--expires-at 2026-12-31T23:59:59Z]");
    body = json_pack("{s:s}", "amount", amount);
    if (expires)
        json_object_set_new(body, "expires_at", json_string(expires));
    voucher = ask_post(host, "/v1/admin/vouchers", body);
    if (!json_print(host, voucher)) {
        puts(json_text(voucher, "code"));
        fprintf(stderr, "%s, worth %s: whoever has the code has the money; it is not shown again\n",
                json_text(voucher, "id"), json_text(voucher, "amount"));
    }
    json_decref(voucher);
    return EXIT_DONE;
}

int bank_import_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {">LINE", "line"},        {"ENTRY", "entry_id"},      {"STATE", "state"}, {">AMOUNT", "amount"},
        {"CURRENCY", "currency"}, {"CUSTOMER", "account_id"}, {"WHY", "why"},
    };
    const char *file;
    char *text;
    json_t *done;

    args_take(argv, NULL, &file, 1, 1, "admin bank import FILE");
    text = file_text(file, STATEMENT_BYTES_MAX);
    done = ask_post_xml(host, "/v1/admin/bank_imports", text);
    free(text);
    if (!json_print(host, done)) {
        table_print(columns, COUNT(columns), json_object_get(done, "listed"), "The statement has no entries.");
        printf("\n%s: %jd credited (%s), %jd to suspense (%s), %jd ignored, %jd known before\n",
               json_text(done, "id"), (intmax_t)json_integer_value(json_object_get(done, "credited")),
               json_text(done, "credited_amount"), (intmax_t)json_integer_value(json_object_get(done, "suspense")),
               json_text(done, "suspense_amount"), (intmax_t)json_integer_value(json_object_get(done, "ignored")),
               (intmax_t)json_integer_value(json_object_get(done, "duplicates")));
    }
    json_decref(done);
    return EXIT_DONE;
}

int bank_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"ENTRY", "id"},       {"BOOKED", "booked_on"},  {"STATE", "state"},
        {">AMOUNT", "amount"}, {"CURRENCY", "currency"}, {"PAYER", "payer"},
        {"TEXT", "text"},      {"WHY", "why"},           {"CUSTOMER", "customer_id"},
    };
    const char *state = NULL, *after = NULL;
    const struct flag flags[] = {{"--state", &state, NULL}, {"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[160] = "/v1/admin/bank_entries";

    args_take(argv, flags, NULL, 0, 0, "admin bank list [--state suspense] [--after CURSOR]");
    query_add(path, sizeof(path), "--state", state);
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, COUNT(columns), "There are no entries.");
}

/* Takes an entry out of suspense: `field` says what to do with it. */
static int entry_end(struct host *host, char **argv, const char *rest, const char *field, const char *usage)
{
    static const struct column columns[] = {{"entry", "id"}, {"state", "state"}};
    const char *alone[2];
    char path[256];
    json_t *body;

    args_take(argv, NULL, alone, 2, 2, usage);
    snprintf(path, sizeof(path), "/v1/admin/bank_entries/%s/%s", id_check(alone[0], "an entry"), rest);
    body = json_pack("{s:s}", field, alone[1]);
    if (!body)
        fail(EXIT_USAGE, "%s is not UTF-8 text", field);
    return card_show(host, ask_post(host, path, body), columns, COUNT(columns));
}

int bank_assign_command(struct host *host, char **argv)
{
    return entry_end(host, argv, "assign", "customer_id", "admin bank assign ENTRY CUSTOMER");
}

int bank_return_command(struct host *host, char **argv)
{
    return entry_end(host, argv, "return", "reason", "admin bank return ENTRY REASON");
}
