/* The audit log: what is in it, who sees what of it, and that nothing is changed or taken out unseen. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "four words and more"

static struct rig rig;
static struct visitor ann;
static char account[40], user[40];

static void names_take(void)
{
    struct response answer = rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/session", .visitor = &ann});

    snprintf(account, sizeof(account), "%s", answer_text_of(&answer, "account_id"));
    snprintf(user, sizeof(user), "%s", json_string_value(json_object_get(json_object_get(answer.json, "user"), "id")));
    answer_free(&answer);
}

/* Deeds of all kinds, in this order. */
static void deeds(void)
{
    char path[128], idem[ID_BYTES], tested[64], id[40];
    struct response answer;

    ann = rig_signup(&rig, "ann@example.com", PASSWORD);
    names_take();
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"ann@example.com\",\"password\":\"not the password\"}"),
         401, "", "a login fails");
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"ann@example.com\",\"password\":\"" PASSWORD "\"}"), 201,
         "", "one works");
    answer = rig_post_as(&rig, &ann, "/v1/keys", "{\"name\":\"k\"}");
    snprintf(tested, sizeof(tested), "%s", answer_text_of(&answer, "key"));
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    said(rig_get(&rig, tested, "/v1/account"), 200, id, "a read");
    said(rig_post(&rig, tested, "/v1/budgets", id_make("tst_", idem), "{\"amount\":\"1.00\"}"), 201, "bud_",
         "a deed by key");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", account);
    said(rig_post(&rig, rig.operator_key, path, id_make("tst_", idem),
                  "{\"amount\":\"5.00\",\"reason\":\"they waited long\"}"),
         201, "", "an operator's, with a reason");
    said(rig_call(&rig, &(struct call){.method = "DELETE",
                                       .path = "/v1/keys/key_00000000000000000000000000",
                                       .visitor = &ann,
                                       .header = "X-Reason: tidying up"}),
         404, "", "one that is refused");
    answer = rig_call(&rig, &(struct call){.method = "DELETE", .path = "/v1/sessions/current", .visitor = &ann});
    ok_int(answer.status, 204, "logging out");
    answer_free(&answer);
    said(rig_post_as(&rig, &ann, "/v1/keys", "{\"name\":\"k\"}"), 401, "", "what does not come past authentication");
    said(rig_post(&rig, NULL, "/v1/webhooks/payments", NULL, "{}"), 400, "", "and what is no person's");
}

static const char *text_at(const json_t *list, size_t i, const char *field)
{
    const char *text = json_string_value(json_object_get(json_array_get(list, i), field));

    return text ? text : "-";
}

static void row_is(const json_t *list, size_t i, const char *type, const char *actor, const char *action,
                   const char *object, int status)
{
    const json_t *row = json_array_get(list, i);
    const char *made = text_at(list, i, "object");

    ok(strcmp(text_at(list, i, "actor_type"), type) == 0 &&
           (!actor || strcmp(text_at(list, i, "actor_id"), actor) == 0) &&
           strcmp(text_at(list, i, "action"), action) == 0 && strncmp(made, object, strlen(object)) == 0 &&
           json_integer_value(json_object_get(row, "status")) == status,
       "row %zu: %s, %s, %s: %d", i + 1, type, action, object, status);
    if (!json_equal(json_object_get(row, "seq"), NULL) && json_integer_value(json_object_get(row, "status")) != status)
        printf("# %s %s %s\n", text_at(list, i, "actor_type"), text_at(list, i, "action"), made);
}

static void operators_see(void)
{
    struct response answer = rig_get(&rig, rig.operator_key, "/v1/admin/audit");
    const json_t *list = json_object_get(answer.json, "data");
    char path[128];

    ok_int((long long)json_array_size(list), 8, "eight deeds, and no reads");
    row_is(list, 0, "user", user, "POST /v1/signup", account, 201);
    row_is(list, 1, "anonymous", "", "POST /v1/sessions", user, 401);
    row_is(list, 2, "user", user, "POST /v1/sessions", user, 201);
    row_is(list, 3, "user", user, "POST /v1/keys", "key_", 201);
    row_is(list, 4, "key", NULL, "POST /v1/budgets", "bud_", 201);
    row_is(list, 5, "operator", "opk_bootstrap", "POST /v1/admin/customers/{id}/credits", account, 201);
    row_is(list, 6, "user", user, "DELETE /v1/keys/{id}", "key_0000", 404);
    row_is(list, 7, "user", user, "DELETE /v1/sessions/{id}", "current", 204);
    ok_text(text_at(list, 5, "reason"), "they waited long", "the body's reason");
    ok_text(text_at(list, 6, "reason"), "tidying up", "or the header's");
    ok_text(text_at(list, 1, "customer_id"), account, "a failed login is its account's affair");
    answer_free(&answer);
    said(rig_get(&rig, rig.operator_key, "/v1/admin/audit?actor=opk_bootstrap&order=newest"), 200, "{\"data\":[{\"",
         "by actor");
    snprintf(path, sizeof(path), "/v1/admin/audit?object=%s&customer_id=%s&limit=1", user, account);
    answer = rig_get(&rig, rig.operator_key, path);
    ok(json_array_size(json_object_get(answer.json, "data")) == 1 &&
           json_integer_value(json_object_get(answer.json, "next_cursor")) == 2,
       "by object and customer, in pages");
    answer_free(&answer);
    said(rig_get(&rig, rig.operator_key, "/v1/admin/audit?actor=usr_none"), 200, "\"data\":[]", "nobody's is empty");
    said(rig_get(&rig, rig.operator_key, "/v1/admin/audit?order=up"), 422, "oldest or newest", "an order that is none");
}

static void customers_see(void)
{
    char key[64], other[40];
    struct response answer =
        rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"ann@example.com\",\"password\":\"" PASSWORD "\"}");

    ann = rig_visitor(&answer);
    answer_free(&answer);
    rig_customer(&rig, "other", key, other);
    answer = rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/audit_events", .visitor = &ann});
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), 9,
           "a customer sees what was about the account");
    ok(!strstr(answer.text, "opk_") && strstr(answer.text, "they waited long"), "an operator's deed, but not whose");
    ok(!strstr(answer.text, "\"hash\""), "and no chain, which others' rows are in");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/audit_events");
    ok(answer.status == 200 && !strstr(answer.text, user) && !strstr(answer.text, account), "and nobody else's");
    answer_free(&answer);
}

/* Reasons that are no text, or are cut in the middle of a character. */
static void odd_reasons(void)
{
    char longest[320] = "X-Reason: a";
    struct call call = {.method = "DELETE",
                        .path = "/v1/keys/key_00000000000000000000000000",
                        .visitor = &ann,
                        .header = "X-Reason: \xff\xfe\xff\xfe\xff\xfe"};
    struct response answer;
    const json_t *list;

    while (strlen(longest) < 310)
        strcat(longest, "\xc3\xa4");
    said(rig_call(&rig, &call), 404, "", "a reason that is no text");
    call.header = longest;
    said(rig_call(&rig, &call), 404, "", "a reason that is too long");
    answer = rig_get(&rig, rig.operator_key, "/v1/admin/audit?order=newest&limit=2");
    list = json_object_get(answer.json, "data");
    ok_text(text_at(list, 1, "reason"), "", "the one is left out");
    ok(strlen(text_at(list, 0, "reason")) == 199, "the other ends with a whole character");
    answer_free(&answer);
}

/* The chain again, from what is told: by the words of the contract alone. */
static void chain_holds(void)
{
    struct response answer = rig_get(&rig, rig.operator_key, "/v1/admin/audit?limit=200");
    uint8_t hash[crypto_hash_sha256_BYTES] = {0};
    char hex[2 * sizeof(hash) + 1];
    unsigned wrong = 0;
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(answer.json, "data"), i, row)
    {
        const char *record = json_string_value(json_object_get(row, "record"));
        crypto_hash_sha256_state state;

        crypto_hash_sha256_init(&state);
        crypto_hash_sha256_update(&state, hash, sizeof(hash));
        crypto_hash_sha256_update(&state, (const unsigned char *)record, strlen(record));
        crypto_hash_sha256_final(&state, hash);
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        wrong += strcmp(hex, json_string_value(json_object_get(row, "hash"))) != 0;
    }
    ok(i > 8 && wrong == 0, "each of %zu rows hashes with the one before it", i);
    answer_free(&answer);
}

static int xs(const char *const *words, char *out, size_t size)
{
    const char *argv[12] = {"tests/api/xs", NULL};
    unsigned n = 1;

    while (*words && n < 11)
        argv[n++] = *words++;
    setenv("XS_URL", rig.url, 1);
    setenv("XS_FINGERPRINT", rig.fingerprint, 1);
    setenv("XS_KEY", rig.operator_key, 1);
    return rig_run(argv, "", out, size);
}

static void verified(const char *head, int status, const char *words, const char *what)
{
    const char *with[] = {"admin", "audit", "--verify", "--head", head, NULL};
    const char *without[] = {"admin", "audit", "--verify", NULL};
    char out[4096];
    int got = xs(head ? with : without, out, sizeof(out));

    ok(got == status && strstr(out, words), "%s: %s", what, words);
    if (got != status || !strstr(out, words))
        printf("# %d %s\n", got, out);
}

static bool database_takes(const char *sql)
{
    char command[512], out[512];
    const char *argv[] = {"/bin/sh", "-c", command, NULL};

    snprintf(command, sizeof(command), "sqlite3 %s/db/api.db \"%s\"", rig.dir, sql);
    return rig_run(argv, "", out, sizeof(out)) == 0;
}

static void changed_unseen(void)
{
    char out[4096], head[128], bent[128];
    const char *argv[] = {"admin", "audit", "--verify", NULL};

    xs(argv, out, sizeof(out));
    snprintf(head, sizeof(head), "%s", strchr(out, '\n') ? strchr(out, '\n') + 1 : "");
    head[strcspn(head, "\n")] = 0;
    snprintf(bent, sizeof(bent), "%s", head);
    bent[strlen(bent) - 1] ^= 1;
    verified(head, 0, "the chain holds", "the chain and its head");
    verified(bent, 1, "is not the one", "a head of another chain");
    ok(!database_takes("UPDATE audit SET status = 200 WHERE seq = 2"), "the database changes no row");
    ok(!database_takes("DELETE FROM audit WHERE seq = 2"), "nor deletes one");
    ok(database_takes("DROP TRIGGER audit_unchanged; UPDATE audit SET status = 201 WHERE seq = 2"),
       "who owns the file can");
    verified(NULL, 1, "row 2: its hash", "that is seen");
    ok(database_takes("UPDATE audit SET status = 401 WHERE seq = 2"), "put back as it was");
    verified(head, 0, "the chain holds", "it holds again");
    ok(database_takes("DROP TRIGGER audit_kept; DELETE FROM audit WHERE seq = 3"), "a row is taken out");
    verified(NULL, 1, "rows are missing", "that is seen");
}

static void cut_short(void)
{
    char head[100];

    snprintf(head, sizeof(head), "400:%064d", 0);
    ok(database_takes("DELETE FROM audit WHERE seq >= 3"), "the end is cut off");
    verified(head, 1, "the log ends at row 2", "that is seen by who noted an end");
}

int main(void)
{
    rig_start(&rig);
    deeds();
    operators_see();
    customers_see();
    odd_reasons();
    chain_holds();
    changed_unseen();
    cut_short();
    rig_end(&rig);
    return tap_end();
}
