/* The hot paths of the money, each a function of its own doing a fixed work once, for callgrind to count
 * (instructions.sh). Keys and salts come out of a counter here; what OpenSSL draws and the clock still vary, in value
 * alone. */
#include "accountd/bundle.h"
#include "client/verify/verify.h"
#include "tests/accountd/fleet.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define S        1000000000ull
#define GUESTS   40                     /* each its own account */
#define INTERVAL 60

/* Called once each, under the name that callgrind sees. */
#define HOT __attribute__((noipa)) static void

static struct life life;
static char bundle_path[512];

static void must(bool good)
{
    if (good)
        return;
    fprintf(stderr, "instructions: failed, see above\n");
    exit(1);
}

static const char *random_name(void)
{
    return "counter";
}

static uint32_t random_word(void)
{
    static uint32_t state = 1;

    return state = state * 1664525u + 1013904223u;
}

static void random_bytes(void *to, const size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)(random_word() >> 24);
}

static randombytes_implementation counter = { .implementation_name = random_name, .random = random_word,
                                              .buf = random_bytes };

static void step(uint64_t ns)
{
    fleet_work(&life, GUESTS + 10, ns);
    must(life_step(&life, ns) == 0);
}

HOT hot_sample(void)
{
    for (int i = 0; i < 20; i++)
        sample_take(life.a.page, &life.a.sample);
}

/* A second in which no record is due. */
HOT hot_second(void)
{
    must(life_step(&life, S) == 0);
    cap_mark(&life.a);
    must(cap_watch(&life.a) == 0);
}

HOT hot_record(void)
{
    const struct journal_entry *e = life.a.journal.entries;

    for (int i = 0; i < 100; i++) {
        struct json_why why;
        json_t *fields = record_fields(&e->last);
        char *leaf = chain_leaf("use", fields, &why);

        must(leaf && chain_leaf_hash(leaf, strlen(leaf)).bytes[0] == e->last_hash.bytes[0]);
        free(leaf);
        json_decref(fields);
    }
}

/* A record of each guest. */
HOT hot_interval(void)
{
    must(journal_take(&life.a.journal, &life.a.sample, &life.a.clock, 0, NULL) == 0);
}

HOT hot_head(void)
{
    must(head_sign(&life.a.head, life.a.clock.utc_ms) == 0);
}

HOT hot_charge(void)
{
    must(charge_run(&life.a) == 0);
}

static struct rate_book tiers(void)
{
    json_t *object = json_loads(fleet_prices, 0, NULL), *list = json_array();
    struct rate_book book;
    struct json_why why;

    /* The book has them in the meters' order but for the first three. */
    for (int i = 0; i < RATE_TIERS_MAX; i++)
        json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "above", json_decimal_u64((uint64_t)i * 1000), "den", "7",
                                              "num_nano", json_decimal_u64(9000000 - (uint64_t)i * 1000003)));
    json_object_set_new(json_array_get(json_object_get(object, "meters"), METER_NET_BYTES_OUT), "tiers", list);
    must(rate_book_parse(object, &book, &why) == 0);
    json_decref(object);
    return book;
}

HOT hot_rate(void)
{
    struct rate_book book = tiers();
    unsigned __int128 before = 0;
    int64_t nano;

    for (int i = 0; i < 1000; i++, before += 9ull << 30)
        must(rate_charge(&book, METER_NET_BYTES_OUT, before, 9ull << 30, &nano) == 0);
}

HOT hot_transfer(void)
{
    for (int i = 0; i < 20; i++) {
        char id[LEDGER_ID_BYTES];

        ledger_derive_id(id, "instructions %d", i);
        must(ledger_apply(life.a.ledger, &(struct ledger_transfer){ .id = id, .kind = "posted", .debit = "acc1",
                                                                    .credit = "revenue:cpu_used", .amount_nano = 1 + i,
                                                                    .code = "usage", .reason = "cpu_used", .refers = "",
                                                                    .at_ms = 1700000000000 }) == LEDGER_OK);
    }
}

/* Of the account with ten instances. */
HOT hot_invoice(void)
{
    json_t *body = NULL;
    struct json_why why;

    must(invoice_create(&life.a, "inv", fleet_account(100, (char[16]){ 0 }), &body, &why) == LEDGER_OK);
    json_decref(body);
}

static int make_bundle(void *arg, const struct ledger_invoice *invoice)
{
    struct json_why why;

    (void)arg;
    return invoice_bundle(&life.a, invoice, bundle_path, sizeof(bundle_path), &why);
}

HOT hot_bundle(void)
{
    must(ledger_invoice_get(life.a.ledger, NULL, "inv", make_bundle, NULL) == LEDGER_OK);
}

HOT hot_verify(const char *archive, size_t len)
{
    struct verify_summary summary;
    struct json_why why = { "" };

    must(verify_bundle(archive, len, NULL, &summary, &why) == 0);
}

static void verify(void)
{
    FILE *in = fopen(bundle_path, "re");
    struct stat st;
    char *bytes;

    must(in && fstat(fileno(in), &st) == 0);
    bytes = malloc((size_t)st.st_size);
    must(bytes && fread(bytes, 1, (size_t)st.st_size, in) == (size_t)st.st_size && fclose(in) == 0);
    hot_verify(bytes, (size_t)st.st_size);
    free(bytes);
}

static void take_page(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/page", life.dir);
    fleet_page(&life, path);
    life.a.page = stats_page_file(path);
}

static void due(void)
{
    fleet_work(&life, GUESTS + 10, INTERVAL * S);
    life.now_ns += INTERVAL * S;
    life.a.sample.now_ns = life.now_ns;
    life.a.clock.utc_ms += 1000 * INTERVAL;
}

int main(void)
{
    json_object_seed(1);
    must(randombytes_set_implementation(&counter) == 0);
    life_prices = fleet_prices;
    life_begin(&life);
    life.a.sample.slots = XS_STATS_SLOTS;
    for (unsigned i = 1; i <= GUESTS; i++)
        fleet_birth(&life, i, i, i);
    for (unsigned i = 0; i < 10; i++)
        fleet_birth(&life, GUESTS + 1 + i, 100 + i, 100);
    step(S);
    step(INTERVAL * S);
    hot_second();
    hot_record();
    due();
    hot_interval();
    hot_head();
    hot_charge();
    hot_rate();
    hot_transfer();
    hot_invoice();
    hot_bundle();
    verify();
    take_page();
    hot_sample();
    life_end(&life);
    return 0;
}
