/* Bundles of before, during and after a rotation of both keys: each verifies
 * with the keys that were valid then, and with those that a customer knows. */
#include "accountd/bundle.h"
#include "accountd/log/file.h"
#include "accountd/log/rotate.h"
#include "client/verify/verify.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S 1000000000ull

struct got {
    struct accountd *a;
    char path[512];
};

static int bundle_of(void *arg, const struct ledger_invoice *invoice)
{
    struct got *got = arg;
    struct json_why why;

    return invoice_bundle(got->a, invoice, got->path, sizeof(got->path), &why);
}

/* The bundle's bytes, written anew. */
static char *bundle(struct life *life, const char *id, size_t *len)
{
    struct got got = { .a = &life->a };
    char *bytes;

    if (ledger_invoice_get(life->a.ledger, "acc", id, bundle_of, &got) != LEDGER_OK)
        return NULL;
    bytes = file_get(got.path, 1 << 24, len);
    unlink(got.path);
    return bytes;
}

static bool create(struct life *life, const char *id)
{
    json_t *body = NULL;
    struct json_why why;
    enum ledger_result result;

    life_slot(life, 2)->guest_ns += 5 * S;
    life_step(life, 10 * S);
    life->a.sample.now_ns = life->now_ns;
    accountd_settle(&life->a, 0, "acc");
    result = invoice_create(&life->a, id, "acc", &body, &why);
    json_decref(body);
    return result == LEDGER_OK;
}

static bool rotate(struct life *life, enum keys_purpose purpose, uint64_t overlap)
{
    char id[2 * NOTE_KEY_ID_BYTES + 1];
    struct json_why why;
    bool refused;

    rotate_key_id(&life->a, purpose, purpose == KEYS_LOG ? &life->a.keys.log : &life->a.keys.invoice, id);
    return rotate_key(&life->a, purpose, id, overlap, &refused, &why) == 0;
}

static bool verifies(const char *bytes, size_t len, const char *keys)
{
    struct verify_summary summary;
    struct json_why why = { "" };
    bool good = bytes && verify_bundle(bytes, len, keys, &summary, &why) == 0;

    if (!good)
        printf("# %s\n", why.text);
    return good;
}

static char *text_of(struct life *life)
{
    return keys_text(&life->a.keys, life->a.head.host, life->a.head.origin);
}

static void append(struct life *life, unsigned count)
{
    while (count--)
        if (head_append(&life->a.head, "gap", json_pack("{s:s}", "host", "test.host")))
            exit(99);
}

static void check_newest(struct life *life, const char *id, const char *first, const char *when)
{
    char *keys = text_of(life);
    size_t len;
    char *bytes = bundle(life, id, &len);

    check(verifies(bytes, len, NULL) && verifies(bytes, len, keys), "a bundle of %s verifies, with today's keys.txt too", when);
    check(!verifies(bytes, len, first), "not with the keys.txt of before the rotation");
    free(bytes);
    free(keys);
}

int main(void)
{
    struct life life;
    char *first, *before, *again, *now;
    size_t len, again_len;

    life_begin(&life);
    life_account(&life, "acc", 1000000000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    life_step(&life, S);
    first = text_of(&life);
    check(create(&life, "inv1"), "an invoice");
    before = bundle(&life, "inv1", &len);
    check(verifies(before, len, first), "its bundle verifies");
    check(rotate(&life, KEYS_LOG, 20) && rotate(&life, KEYS_INVOICE, 0) && create(&life, "inv2"), "both keys change");
    check_newest(&life, "inv2", first, "while two log keys sign");
    append(&life, 25);
    check(create(&life, "inv3"), "when the old log key has ended");
    check_newest(&life, "inv3", first, "after it");
    now = text_of(&life);
    check(verifies(before, len, now), "the first bundle verifies with today's keys.txt");
    again = bundle(&life, "inv1", &again_len);
    check(again && again_len == len && memcmp(again, before, len) == 0, "and made again it is the same");
    free(first);
    free(before);
    free(again);
    free(now);
    life_end(&life);
    return tap_end();
}
