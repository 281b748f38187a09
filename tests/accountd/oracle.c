/* The invariants of the books, found again from the rows alone: own parsing of leaves, own
 * sums, own rational arithmetic. Nothing of accountd's computes here; of it, only the hash of a
 * leaf and the opening of a signed note are used. INVARIANTS.md says what each bit is. */
#include "tests/accountd/oracle.h"
#include "accountd/ledger/price_books.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct oracle o;

void broken(unsigned which, const char *what, const char *about)
{
    o.broken |= 1u << which;
    if (o.sim->loud)
        printf("# invariant %u: %s: %s\n", which, what, about);
}

u128 number_of(const json_t *leaf, const char *name, const char *end)
{
    char key[64];
    u128 n = 0;

    snprintf(key, sizeof(key), "%s%s", name, end);
    for (const char *at = json_string_value(json_object_get(leaf, key)); at && *at; at++)
        n = n * 10 + (unsigned)(*at - '0');
    return n;
}

int64_t int_of(const json_t *leaf, const char *key)
{
    return json_integer_value(json_object_get(leaf, key));
}

unsigned account_of(const char *name)
{
    for (unsigned i = 0; i < SIM_ACCOUNTS; i++)
        if (strcmp(sim_accounts[i], name) == 0)
            return i;
    return SIM_ACCOUNTS;
}

static struct chain *chain_of(const char *incarnation)
{
    for (unsigned i = 0; i < o.chains_count; i++)
        if (strcmp(o.chains[i].incarnation, incarnation) == 0)
            return &o.chains[i];
    return NULL;
}

static u128 counter(const json_t *leaf, int c, const char *end)
{
    return c == METER_COUNTERS ? number_of(leaf, end[1] == '0' ? "t0_ns" : "t1_ns", "")
                               : number_of(leaf, meter_counter_names[c], end);
}

static void usage_of(const json_t *leaf, u128 used[METER_QUANTITIES])
{
    u128 d[METER_COUNTERS + 1];

    for (int c = 0; c <= METER_COUNTERS; c++)
        d[c] = counter(leaf, c, "_1") - counter(leaf, c, "_0");
    used[METER_VCPU_RESERVED] = d[METER_COUNTERS] * (u128)int_of(leaf, "vcpus");
    used[METER_MEMORY_RESERVED] = d[METER_COUNTERS] * (u128)int_of(leaf, "memory_mib");
    used[METER_CPU_USED] = d[METER_GUEST_NS] + d[METER_HV_NS];
    used[METER_MEMORY_USED] = d[METER_PAGE_NS];
    used[METER_DISK_OPS] = d[METER_DISK_READ_OPS] + d[METER_DISK_WRITE_OPS] + d[METER_DISK_FLUSH_OPS] +
                           d[METER_DISK_DISCARD_OPS];
    used[METER_DISK_BYTES] = d[METER_DISK_READ_BYTES] + d[METER_DISK_WRITE_BYTES];
    used[METER_NET_PACKETS] = d[METER_NET_RX_PACKETS] + d[METER_NET_TX_PACKETS];
    used[METER_NET_BYTES_OUT] = d[METER_NET_TX_BYTES];
    used[METER_NET_BYTES_IN] = d[METER_NET_RX_BYTES];
}

static void add_to_group(unsigned account, int64_t t0_ms, int64_t book, int meter, u128 quantity)
{
    time_t at = (time_t)(t0_ms / 1000);
    char period[8];
    struct tm tm;
    unsigned i = 0;

    strftime(period, sizeof(period), "%Y-%m", gmtime_r(&at, &tm));
    while (i < o.groups_count && !(o.groups[i].account == account && strcmp(o.groups[i].period, period) == 0 &&
                                   o.groups[i].book == book && o.groups[i].meter == meter))
        i++;
    if (i == GROUPS)
        exit(99);
    if (i == o.groups_count) {
        o.groups_count++;
        o.groups[i] = (struct group){ .account = account, .book = book, .meter = meter };
        strcpy(o.groups[i].period, period);
    }
    o.groups[i].quantity += quantity;
}

/* A newer book that takes running guests over by then. */
static bool moved(int64_t from, int64_t to, int64_t t0_ms)
{
    const char *when = to > from && to < 256 ? json_text(o.books[to], "moves_running_at") : "";
    struct tm tm = { .tm_sec = 0 };

    return sscanf(when, "%d-%d-%dT%d:%d:%dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
                  &tm.tm_sec) == 6 &&
           (tm.tm_year -= 1900, tm.tm_mon--, timegm(&tm)) * 1000 <= t0_ms;
}

static void follow(struct chain *c, const char *type, const json_t *leaf)
{
    const char *incarnation = c->incarnation;
    char prev[65];

    if (int_of(leaf, "number") != c->number + 1 || strcmp(c->type, "end") == 0 || strcmp(c->type, "gap") == 0)
        broken(INV_TELESCOPING, "numbers have a hole or go on after the end", incarnation);
    sodium_bin2hex(prev, sizeof(prev), c->hash.bytes, CHAIN_HASH_BYTES);
    if (strcmp(prev, json_text(leaf, "prev")) != 0)
        broken(INV_TELESCOPING, "prev is not the record before", incarnation);
    for (int i = 0; i <= METER_COUNTERS; i++)
        if (counter(leaf, i, "_0") != c->at[i])
            broken(INV_TELESCOPING, "begins elsewhere than the record before ended", incarnation);
    if (c->vcpus != int_of(leaf, "vcpus") || c->memory != int_of(leaf, "memory_mib") ||
        strcmp(c->account, json_text(leaf, "account")) || strcmp(c->instance, json_text(leaf, "instance")) != 0 ||
        (strcmp(type, "gap") != 0 && strcmp(c->boot, json_text(leaf, "boot")) != 0))
        broken(INV_SEGMENTS, "size, owner or boot changed inside a chain", incarnation);
    if (c->book != int_of(leaf, "price_book") && !moved(c->book, int_of(leaf, "price_book"), int_of(leaf, "t0_ms")))
        broken(INV_SEGMENTS, "the price book changed and nothing moved it", incarnation);
}

static void bill(struct chain *c, const char *type, const json_t *leaf)
{
    bool bills =
        (strcmp(type, "use") == 0 || strcmp(type, "end") == 0) && strcmp(json_text(leaf, "flags"), RECORD_UNPAID) != 0;
    u128 used[METER_QUANTITIES];
    unsigned account = account_of(c->account);

    for (int i = 0; bills && i <= METER_COUNTERS; i++)
        if (counter(leaf, i, "_1") < counter(leaf, i, "_0")) {
            broken(INV_COUNTERS, "a counter fell and was billed", c->incarnation);
            bills = false;
        }
    if (!bills)
        return;
    usage_of(leaf, used);
    for (int q = 0; q < METER_QUANTITIES; q++) {
        c->used[q] += used[q];
        if (account < SIM_ACCOUNTS && used[q])
            add_to_group(account, int_of(leaf, "t0_ms"), int_of(leaf, "price_book"), q, used[q]);
    }
}

static void take_record(const char *type, const json_t *leaf, const char *bytes)
{
    struct chain *c = chain_of(json_text(leaf, "incarnation"));

    if (c) {
        follow(c, type, leaf);
    } else {
        if (o.chains_count == CHAINS)
            exit(99);
        c = &o.chains[o.chains_count++];
        *c = (struct chain){ .vcpus = int_of(leaf, "vcpus"), .memory = int_of(leaf, "memory_mib") };
        snprintf(c->incarnation, sizeof(c->incarnation), "%s", json_text(leaf, "incarnation"));
        snprintf(c->account, sizeof(c->account), "%s", json_text(leaf, "account"));
        snprintf(c->instance, sizeof(c->instance), "%s", json_text(leaf, "instance"));
        snprintf(c->boot, sizeof(c->boot), "%s", json_text(leaf, "boot"));
        if (int_of(leaf, "number") != 0 || strcmp(type, "start") != 0)
            broken(INV_TELESCOPING, "a chain does not begin with its start", c->incarnation);
    }
    bill(c, type, leaf);
    c->number = int_of(leaf, "number");
    c->book = int_of(leaf, "price_book");
    snprintf(c->type, sizeof(c->type), "%s", type);
    for (int i = 0; i <= METER_COUNTERS; i++)
        c->at[i] = counter(leaf, i, "_1");
    c->hash = chain_leaf_hash(bytes, strlen(bytes));
    free(c->leaf);
    c->leaf = strdup(bytes);
}

static int take_leaf(void *arg, uint64_t idx, const char *type, const char *bytes)
{
    json_t *leaf = json_loads(strchr(bytes, '\n'), JSON_REJECT_DUPLICATES, NULL);

    (void)arg;
    if (idx != o.leaves_count || !leaf || idx == LEAVES)
        broken(INV_LOG, "the log has a hole", "leaf");
    else
        o.leaves[o.leaves_count++] = chain_leaf_hash(bytes, strlen(bytes));
    if (leaf && json_object_get(leaf, "incarnation"))
        take_record(type, leaf, bytes);
    json_decref(leaf);
    return 0;
}

static int take_book(void *arg, const struct rate_book *book, const char *body)
{
    (void)arg;
    if (book->version < 256)
        o.books[book->version] = json_loads(body, 0, NULL);
    return 0;
}

/* RFC 6962 section 2.1, as it is written there. */
static struct chain_hash tree(uint64_t from, uint64_t to)
{
    uint8_t bytes[1 + 2 * CHAIN_HASH_BYTES] = { 1 };
    struct chain_hash left, right;
    uint64_t k = 1;

    if (to - from == 1)
        return o.leaves[from];
    while (2 * k < to - from)
        k *= 2;
    left = tree(from, from + k);
    right = tree(from + k, to);
    memcpy(bytes + 1, left.bytes, CHAIN_HASH_BYTES);
    memcpy(bytes + 1 + CHAIN_HASH_BYTES, right.bytes, CHAIN_HASH_BYTES);
    crypto_hash_sha256(left.bytes, bytes, sizeof(bytes));
    return left;
}

static void check_log(void)
{
    struct accountd *a = &o.sim->life.a;
    struct chain_hash root, signed_root;
    struct json_why why;
    uint64_t size;

    if (!o.leaves_count ||
        !note_checkpoint_open(a->head.note, a->head.origin, &a->keys.log, &size, &signed_root, &why) ||
        size != o.leaves_count || (root = tree(0, size), !chain_hash_equal(&root, &signed_root)))
        broken(INV_LOG, "the signed head is not the root of the leaves", a->head.origin);
}

static void check_truth(void)
{
    u128 billed = 0;

    for (unsigned i = 0; i < o.chains_count; i++) {
        const struct chain *c = &o.chains[i];
        unsigned tag = 0;
        const struct sim_life *l;

        billed += c->used[METER_CPU_USED];
        if (sscanf(c->incarnation, "%2x", &tag) != 1 || tag < 1 || tag > o.sim->born)
            continue;
        l = &o.sim->lives[tag - 1];
        if (c->used[METER_CPU_USED] > l->cpu_ns)
            broken(INV_CONSERVED, "more was billed than was used", c->incarnation);
        if (strcmp(c->type, "end") == 0 && !l->fell &&
            (c->used[METER_CPU_USED] != l->cpu_ns || c->used[METER_MEMORY_USED] != l->page_ns ||
             c->used[METER_VCPU_RESERVED] != (u128)(l->died_ns - l->born_ns) * (u128)c->vcpus))
            broken(INV_CONSERVED, "a life that ended in view is not billed exactly", c->incarnation);
    }
    for (unsigned i = 0; i < o.sim->born; i++)
        if (o.sim->lives[i].registered && !o.sim->lives[i].lost) {
            const struct chain *c = chain_of(life_hex((uint8_t)(i + 1)));

            if (!c || strcmp(c->type, "end") != 0)
                broken(INV_CONSERVED, "a life that ended in view has no end", life_hex((uint8_t)(i + 1)));
        }
    if (billed > o.sim->cpu_total_ns)
        broken(INV_CONSERVED, "more CPU time in all than the CPUs ran", "host");
}

unsigned oracle_broken(struct sim *sim)
{
    o.sim = sim;
    o.broken = 0;
    o.groups_count = o.chains_count = 0;
    o.leaves_count = 0;
    ledger_each_price_book(sim->life.a.ledger, take_book, NULL);
    store_each_leaf(sim->life.a.store, NULL, NULL, 0, UINT32_MAX, -1, take_leaf, NULL);
    check_log();
    oracle_ledger();
    check_truth();
    for (unsigned i = 0; i < o.chains_count; i++)
        free(o.chains[i].leaf);
    for (unsigned i = 0; i < 256; i++) {
        json_decref(o.books[i]);
        o.books[i] = NULL;
    }
    return o.broken;
}
