/* stripe-check FILE: gives a running accountd the events of
 * tests/accountd/funding/stripe.cjs and compares its answers. */
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world w;

static void begin(void)
{
    char path[128];
    FILE *out;
    int status;

    world_begin(&w);
    snprintf(path, sizeof(path), "%s/payments", w.dir);
    out = fopen(path, "we");
    if (!out || fputs("{\"stripe\":[\"whsec_of_before_0123456789\",\"whsec_of_today_0123456789\"]}", out) < 0 ||
        fclose(out) != 0 || chmod(path, 0600) != 0)
        exit(99);
    snprintf(path, sizeof(path), "%s/conf", w.dir);
    out = fopen(path, "we");
    if (!out || fprintf(out, "{\"host\":\"test.host\",\"interval_s\":1,\"payments\":\"%s/payments\"}", w.dir) < 0 ||
        fclose(out) != 0 || !world_start(&w, &status))
        exit(99);
    json_decref(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "acc", "name", "Ann", "currency", "EUR"));
}

/* "credited", "credited again", or a refusal's code. */
static void answer(json_t *event, char text[static 64])
{
    json_t *ok = world_ask(&w, "payment_event", "{s:s,s:O,s:O}", "provider", "stripe", "signature",
                           json_object_get(event, "signature"), "body", json_object_get(event, "body"));

    if (ok)
        snprintf(text, 64, "%s%s", json_string_value(json_object_get(ok, "outcome")),
                 json_is_true(json_object_get(ok, "new")) ? "" : " again");
    else
        snprintf(text, 64, "%s", world_code(&w));
    json_decref(ok);
}

static bool wallet_is(const char *nano)
{
    json_t *ok = world_ask(&w, "wallet", "{s:s}", "account_id", "acc");
    const char *posted = json_string_value(json_object_get(ok, "posted_nano"));
    bool is = posted && strcmp(posted, nano) == 0;

    json_decref(ok);
    return is;
}

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
    int duplicates = 0, quiet = 0;
    json_t *event;

    if (!in)
        return 99;
    begin();
    while ((event = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL))) {
        const char *name = json_string_value(json_object_get(event, "name"));
        const char *expect = json_string_value(json_object_get(event, "expect"));
        char got[64];

        answer(event, got);
        if (strncmp(name, "duplicate", 9) == 0) {
            duplicates++;
            quiet += strcmp(got, expect) == 0;
        } else {
            check(strcmp(got, expect) == 0, "%s: %s", name, got);
        }
        json_decref(event);
    }
    check(duplicates == 1000 && quiet == duplicates, "1,000 duplicates under new signatures are known");
    check(wallet_is("20000000000"), "the wallet has what was paid less what was refunded");
    fclose(in);
    world_end(&w);
    return tap_end();
}
