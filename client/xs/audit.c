/* The audit log, and whether its chain holds. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "common/json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HASH_BYTES crypto_hash_sha256_BYTES

static const struct column columns[] = {
    {">SEQ", "seq"},   {"AT", "at"},       {"BY", "actor_id"},       {"WHAT", "action"},   {"OF", "object"},
    {">STATUS", "status"}, {"REASON", "reason"}, {"CUSTOMER", "customer_id"}, {"FROM", "address"},
};

int audit_command(struct host *host, char **argv)
{
    const char *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[128] = "/v1/audit_events?order=newest";

    args_take(argv, flags, NULL, 0, 0, "audit [--after SEQ]");
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, 7, "Nothing was done yet.");
}

struct chain {
    int64_t seq;                        /* of the last row looked at */
    uint8_t hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
};

/* What is shown must be what was hashed. */
static void shown_check(const json_t *row, const json_t *record)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)record, name, value) {
        const char *shown = strcmp(name, "account_id") == 0 ? "customer_id" : name;

        if (strcmp(name, "at_ms") == 0 || (strcmp(shown, "customer_id") == 0 && !*json_string_value(value)))
            continue;
        if (!json_equal(json_object_get(row, shown), value))
            fail(EXIT_REFUSED, "row %s: %s is not what was hashed", json_text(row, "record"), shown);
    }
}

static void row_check(struct chain *chain, const json_t *row)
{
    const char *text = json_text(row, "record");
    json_t *record = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    int64_t seq = json_integer_value(json_object_get(record, "seq"));
    crypto_hash_sha256_state state;

    if (seq != chain->seq + 1)
        fail(EXIT_REFUSED, "after row %jd comes row %jd: rows are missing, or were put in", (intmax_t)chain->seq, (intmax_t)seq);
    shown_check(row, record);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, chain->hash, HASH_BYTES);
    crypto_hash_sha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_hash_sha256_final(&state, chain->hash);
    sodium_bin2hex(chain->hex, sizeof(chain->hex), chain->hash, HASH_BYTES);
    if (strcmp(chain->hex, json_text(row, "hash")) != 0)
        fail(EXIT_REFUSED, "row %jd: its hash is not that of what it says and of the row before: it was changed", (intmax_t)seq);
    chain->seq = seq;
    json_decref(record);
}

/* "SEQ:HASH", noted at an earlier time, against the row that has come. */
static bool head_met(const char *head, const struct chain *chain)
{
    char *end;

    if (!head || strtoll(head, &end, 10) != chain->seq)
        return false;
    if (*end != ':' || strcmp(end + 1, chain->hex) != 0)
        fail(EXIT_REFUSED, "row %jd is not the one that %s was", (intmax_t)chain->seq, head);
    return true;
}

static int verify(struct host *host, const char *head)
{
    struct chain chain = {.hex = ""};
    bool more = true, met = !head;
    char path[96];
    json_t *page, *row;
    size_t i;

    while (more) {
        snprintf(path, sizeof(path), "/v1/admin/audit?limit=200&after=%jd", (intmax_t)chain.seq);
        page = ask_get(host, path);
        json_array_foreach(json_object_get(page, "data"), i, row) {
            row_check(&chain, row);
            met |= head_met(head, &chain);
        }
        more = json_is_integer(json_object_get(page, "next_cursor"));
        json_decref(page);
    }
    if (!met)
        fail(EXIT_REFUSED, "the log ends at row %jd, before %s", (intmax_t)chain.seq, head);
    printf("%jd rows, the chain holds\n%jd:%s\n", (intmax_t)chain.seq, (intmax_t)chain.seq, chain.hex);
    return EXIT_DONE;
}

int admin_audit_command(struct host *host, char **argv)
{
    const char *after = NULL, *actor = NULL, *object = NULL, *customer_id = NULL, *head = NULL;
    bool verifying = false;
    const struct flag flags[] = {{"--verify", NULL, &verifying}, {"--head", &head, NULL},
                                 {"--after", &after, NULL},      {"--actor", &actor, NULL},
                                 {"--object", &object, NULL},    {"--customer-id", &customer_id, NULL},
                                 {NULL, NULL, NULL}};
    char path[256] = "/v1/admin/audit?order=newest";

    args_take(argv, flags, NULL, 0, 0,
              "admin audit [--actor ID] [--object ID] [--customer-id C] [--after SEQ], or admin audit --verify [--head SEQ:HASH]");
    if (verifying)
        return verify(host, head);
    query_add(path, sizeof(path), "--after", after);
    query_add(path, sizeof(path), "--actor", actor);
    query_add(path, sizeof(path), "--object", object);
    query_add(path, sizeof(path), "--customer-id", customer_id);
    return page_show(host, path, columns, COUNT(columns), "Nothing was done yet.");
}
