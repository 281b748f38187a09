#include "tests/accountd/life.h"
#include "common/db.h"
#include "accountd/ledger/db.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *life_prices =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"7\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"1000\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"11\",\"meter\":\"memory_reserved\",\"num_nano\":\"500\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"13\",\"meter\":\"memory_used\",\"num_nano\":\"250\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"17\",\"meter\":\"disk_ops\",\"num_nano\":\"5\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"1000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"1000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":1}";

const char *life_at;

/* Registered for VAT, so that every charge draws some. */
static const char seller[] =
    "{\"name\":\"Test Host GmbH\",\"street\":\"Am Weg 1\",\"postcode\":\"10115\",\"city\":\"Berlin\",\"country\":\"DE\","
    "\"vat_id\":\"DE123456789\",\"email\":\"bill@test.host\",\"iban\":\"DE89370400440532013000\",\"bic\":\"COBADEFFXXX\","
    "\"number_prefix\":\"T\",\"vat_rates\":{\"DE\":1900,\"FR\":2000}}";

static bool read_seller(struct accountd_setup *setup)
{
    json_t *object = json_loads(seller, 0, NULL);
    struct json_why why;
    int rc = seller_read(object, &setup->seller, &why);

    json_decref(object);
    return rc == 0;
}

static bool open_books(struct life *life)
{
    struct accountd_setup setup = { .state_dir = life->dir, .host = "test.host", .interval_ns = LIFE_INTERVAL_NS,
                                    .head_copy = life->head_copy };
    json_t *object = json_loads(life_prices, 0, NULL);
    struct json_why why;
    int rc = rate_book_parse(object, &setup.book, &why);

    setup.price_book = json_canonical(object);
    if (rc == 0 && !read_seller(&setup))
        rc = -1;
    if (rc == 0)
        rc = accountd_open(&life->a, &setup);
    free(setup.price_book);
    json_decref(object);
    return rc == 0;
}

void life_begin(struct life *life)
{
    const char *at = life_at ? life_at : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char path[128];

    memset(life, 0, sizeof(*life));
    snprintf(life->dir, sizeof(life->dir), "%s/xs-life-XXXXXX", at);
    if (sodium_init() < 0 || !mkdtemp(life->dir)) {
        perror("life_begin");
        exit(99);
    }
    snprintf(path, sizeof(path), "%s/bundles", life->dir);
    if (mkdir(path, 0700) != 0 || !open_books(life))
        exit(99);
    life->boot = 1;
    life->now_ns = 1000000000;
    life->a.sample.header.nr_cpus = life->a.sample.cpus = 1;
    life->a.sample.slots = 16;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* No shell: hundreds of lives end in a run. */
void life_end(struct life *life)
{
    accountd_close(&life->a);
    if (nftw(life->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
        exit(99);
}

bool life_reopen(struct life *life)
{
    accountd_close(&life->a);
    return open_books(life);
}

struct xs_stats_slot *life_slot(struct life *life, unsigned index)
{
    return &life->a.sample.slot[index];
}

const char *life_hex(uint8_t tag)
{
    static char text[33];
    uint8_t bytes[16];

    memset(bytes, tag, sizeof(bytes));
    return sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes));
}

struct xs_stats_slot *life_birth(struct life *life, unsigned index, uint8_t tag)
{
    struct xs_stats_slot *slot = life_slot(life, index);

    *slot = (struct xs_stats_slot){ .state = XS_SLOT_LIVE, .domid = index, .born_ns = life->now_ns,
                                    .page_since_ns = life->now_ns, .pages = 1000 };
    memset(slot->incarnation, tag, sizeof(slot->incarnation));
    memset(slot->uuid, tag, sizeof(slot->uuid));
    return slot;
}

void life_death(struct life *life, unsigned index)
{
    struct xs_stats_slot *slot = life_slot(life, index);
    unsigned __int128 integral = (unsigned __int128)slot->page_ns_hi << 64 | slot->page_ns_lo;

    integral += (unsigned __int128)slot->pages * (life->now_ns - slot->page_since_ns);
    slot->page_ns_lo = (uint64_t)integral;
    slot->page_ns_hi = (uint64_t)(integral >> 64);
    slot->died_ns = slot->page_since_ns = life->now_ns;
    slot->pages = 0;
    slot->state = XS_SLOT_FINAL;
}

void life_account(struct life *life, const char *account, int64_t nano)
{
    char id[80];

    snprintf(id, sizeof(id), "first-%s", account);
    if (ledger_account_open(life->a.ledger, account, "A Customer", "EUR", 1) != LEDGER_OK ||
        (nano && ledger_fund(life->a.ledger, id, account, nano, NULL, "voucher", 2) != LEDGER_OK))
        exit(99);
}

enum ledger_result life_register(struct life *life, const char *account, const char *instance, uint8_t tag)
{
    struct ledger_registration r = { .reserved = { 2, 512 }, .price_book = 1 };
    struct meter_usage hour = rate_forecast(&r.reserved, 3600, 100);
    int64_t hold_nano, held_nano, available_nano;
    struct rate_book book;
    char *body;

    snprintf(r.account, sizeof(r.account), "%s", account);
    snprintf(r.instance, sizeof(r.instance), "%s", instance);
    snprintf(r.incarnation, sizeof(r.incarnation), "%s", life_hex(tag));
    snprintf(r.domain_uuid, sizeof(r.domain_uuid), "%s", life_hex(tag));
    if (ledger_price_book(life->a.ledger, 1, &book, &body) != LEDGER_OK || rate_total(&book, NULL, &hour, &hold_nano))
        exit(99);
    free(body);
    return ledger_register(life->a.ledger, &r, hold_nano, 3, &held_nano, &available_nano);
}

int life_step(struct life *life, uint64_t ns)
{
    struct sample *s = &life->a.sample;

    life->now_ns += ns;
    s->now_ns = life->now_ns;
    memset(s->header.boot_id, life->boot, sizeof(s->header.boot_id));
    for (unsigned i = 0; i < s->slots; i++)
        s->slot_read[i] = s->slot[i].state == XS_SLOT_EMPTY ? SAMPLE_EMPTY : SAMPLE_READ;
    life->a.clock = (struct journal_clock){ .utc_ms = (int64_t)(1700000000000 + life->now_ns / 1000000), .error_ms = 5 };
    return accountd_settle(&life->a, 0, NULL);
}

static struct ledger_balance balance(struct life *life, const char *account)
{
    struct ledger_balance b = { -1, -1 };
    char name[129], currency[4];

    ledger_account(life->a.ledger, account, &b, name, currency);
    return b;
}

int64_t life_posted(struct life *life, const char *account)
{
    return balance(life, account).posted_nano;
}

int64_t life_held(struct life *life, const char *account)
{
    return balance(life, account).held_nano;
}

#define CHAINS_MAX 256

struct reading {
    struct meter_usage usage;
    const char *type;
    int count;
    /* the newest record of each incarnation */
    struct record last[CHAINS_MAX];
    struct chain_hash hash[CHAINS_MAX];
    unsigned chains;
    bool sound;
};

static struct record read_record(const char *leaf)
{
    char type[CHAIN_TYPE_BYTES];
    struct json_why why;
    struct record record = { .number = -1 };
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), type, &why);

    if (!fields || record_parse(type, fields, &record, &why))
        fprintf(stderr, "leaf: %s\n", why.text);
    json_decref(fields);
    return record;
}

static int add_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct reading *reading = arg;
    struct record record = read_record(leaf);
    struct meter_usage usage;
    struct json_why why;

    (void)idx;
    if (reading->type)
        reading->count += strcmp(type, reading->type) == 0;
    else if (record_usage(&record, &usage, &why) || meter_add(&reading->usage, &usage))
        exit(99);
    return 0;
}

struct meter_usage life_billed(struct life *life, const char *account, const char *instance)
{
    struct reading reading = { .type = NULL };

    store_each_leaf(life->a.store, account, instance, 0, UINT32_MAX, -1, add_leaf, &reading);
    return reading.usage;
}

int life_leaves(struct life *life, const char *account, const char *instance, const char *type)
{
    struct reading reading = { .type = type };

    store_each_leaf(life->a.store, account, instance, 0, UINT32_MAX, -1, add_leaf, &reading);
    return reading.count;
}

static int follow_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct reading *reading = arg;
    struct record record = read_record(leaf);
    struct json_why why = { "" };
    unsigned i = 0;
    bool good;

    (void)idx;
    (void)type;
    while (i < reading->chains && strcmp(reading->last[i].incarnation, record.incarnation) != 0)
        i++;
    good = i < reading->chains ? record_follows(&reading->last[i], &reading->hash[i], &record, &why)
                               : record_is_first(&record, &why);
    if (i == reading->chains && i < CHAINS_MAX - 1)
        reading->chains++;
    if (!good)
        fprintf(stderr, "# %s\n", why.text);
    reading->sound = reading->sound && good;
    reading->last[i] = record;
    reading->hash[i] = chain_leaf_hash(leaf, strlen(leaf));
    return 0;
}

static bool sums_to(sqlite3 *db, const char *sql, int64_t expected)
{
    int64_t got = -1;

    if (db_int(db, &got, sql, "") == 1 && got == expected)
        return true;
    fprintf(stderr, "# %s: %jd\n", sql, (intmax_t)got);
    return false;
}

bool life_is_sound(struct life *life)
{
    static struct reading reading;
    struct chain_hash root, signed_root;
    struct json_why why = { "" };
    uint64_t size;
    sqlite3 *db = life->a.ledger->db;
    const struct note_key *keys[KEYS_OVERLAP];
    unsigned count = keys_find_log(&life->a.keys, life->a.head.size, keys);

    reading = (struct reading){ .sound = true };
    store_each_leaf(life->a.store, "acc", NULL, 0, UINT32_MAX, -1, follow_leaf, &reading);
    if (store_root(life->a.store, life->a.head.size, &root) ||
        !note_checkpoint_open_by(life->a.head.note, life->a.head.origin, keys, count, &size, &signed_root, &why) ||
        !chain_hash_equal(&root, &signed_root) || store_check_leaves(life->a.store, UINT32_MAX)) {
        fprintf(stderr, "# the head does not fit: %s\n", why.text);
        return false;
    }
    return reading.sound && sums_to(db, "SELECT sum(posted_nano) FROM balance", 0) &&
           sums_to(db, "SELECT (SELECT coalesce(sum(charged_nano), 0) FROM registration)"
                   " - (SELECT coalesce(sum(charged_nano), 0) FROM day_sum)", 0) &&
           sums_to(db, "SELECT count(*) FROM balance WHERE overdraft = 0 AND posted_nano < held_nano", 0) &&
           sums_to(db, "SELECT count(*) FROM balance b WHERE posted_nano <>"
                   " (SELECT coalesce(sum(CASE WHEN credit = b.account_id THEN amount_nano ELSE -amount_nano END), 0)"
                   " FROM transfer WHERE kind IN ('posted', 'post') AND b.account_id IN (debit, credit))", 0) &&
           sums_to(db, "SELECT count(*) FROM balance b WHERE held_nano <> (SELECT coalesce(sum(amount_nano), 0)"
                   " FROM transfer p WHERE kind = 'pending' AND debit = b.account_id"
                   " AND NOT EXISTS (SELECT 1 FROM transfer e WHERE e.pending_id = p.transfer_id))", 0);
}
