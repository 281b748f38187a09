/* Records that somebody changed: bits and bytes, values that keep the canonical
 * form, fields swapped or taken from another record, records in another's
 * place. Whoever reads a record (chain_leaf_parse, record_parse, its audit
 * path to the signed head) refuses every one of them.
 *
 *   mutants-test            200,000 of them
 *   mutants-test --long     a million
 */
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S      1000000000ull
#define LEAVES 64

static struct genuine {
    char *bytes;
    struct chain_hash proof[CHAIN_PROOF_MAX];
    int proof_len;
    bool record;
} genuine[LEAVES];
static uint64_t size;
static struct chain_hash root;
static uint64_t state = 1;

enum stage { BY_FORM, BY_RECORD, BY_PROOF, ACCEPTED, STAGES };

static unsigned dice(uint64_t sides)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((state >> 33) % sides);
}

static int keep_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)arg;
    if (idx >= LEAVES)
        exit(99);
    genuine[idx].bytes = strdup(leaf);
    genuine[idx].record = strcmp(type, "use") == 0 || strcmp(type, "start") == 0 || strcmp(type, "end") == 0;
    return 0;
}

static void make_log(struct life *life)
{
    life_begin(life);
    life_account(life, "acc", 1000000000);
    life_birth(life, 2, 0xaa);
    if (life_register(life, "acc", "ins", 0xaa) != LEDGER_OK)
        exit(99);
    for (unsigned i = 0; i < 30; i++) {
        life_slot(life, 2)->guest_ns += 12345678901;
        life_slot(life, 2)->disk_read_ops += i;
        life_slot(life, 2)->net_tx_bytes += 1000 * i;
        life_step(life, 61 * S);
    }
    life_death(life, 2);
    life_step(life, S);
    size = life->a.head.size;
    store_each_leaf(life->a.store, NULL, NULL, 0, UINT32_MAX, -1, keep_leaf, NULL);
    if (store_root(life->a.store, size, &root))
        exit(99);
    for (uint64_t i = 0; i < size; i++)
        genuine[i].proof_len = store_proof(life->a.store, i, size, genuine[i].proof);
}

static enum stage judge(const char *bytes, size_t len, uint64_t idx)
{
    struct chain_hash hash = chain_leaf_hash(bytes, len);
    char type[CHAIN_TYPE_BYTES];
    struct record record;
    struct json_why why;
    json_t *fields = chain_leaf_parse(bytes, len, type, &why);
    int rc = fields ? record_parse(type, fields, &record, &why) : -1;

    json_decref(fields);
    if (!fields)
        return BY_FORM;
    if (rc)
        return BY_RECORD;
    return chain_proof_verify(&hash, idx, size, genuine[idx].proof, (unsigned)genuine[idx].proof_len, &root) ? ACCEPTED
                                                                                                             : BY_PROOF;
}

static const char *any_key(json_t *fields)
{
    unsigned at = dice(json_object_size(fields));
    void *iter = json_object_iter(fields);

    while (at--)
        iter = json_object_iter_next(fields, iter);
    return json_object_iter_key(iter);
}

/* Another value of the same kind. */
static json_t *other_value(const json_t *value)
{
    char text[160];
    size_t len;

    if (json_is_integer(value))
        return json_integer(json_integer_value(value) + 1 - 2 * (json_int_t)dice(2));
    snprintf(text, sizeof(text), "%s", json_string_value(value) ? json_string_value(value) : "");
    len = strlen(text);
    if (len == 0)
        return json_string("0");
    text[dice(len)] = "0123456789abcdef"[dice(16)];
    return json_string(text);
}

/* In canonical form: a field has another value, two have each other's, or one has another record's. */
static char *change_field(const char *bytes)
{
    char type[CHAIN_TYPE_BYTES], other_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(bytes, strlen(bytes), type, &why), *other, *value;
    const char *key = any_key(fields), *second = any_key(fields), *from;
    char *changed;

    switch (dice(3)) {
    case 0:
        json_object_set_new(fields, key, other_value(json_object_get(fields, key)));
        break;
    case 1:
        value = json_incref(json_object_get(fields, key));
        json_object_set(fields, key, json_object_get(fields, second));
        json_object_set_new(fields, second, value);
        break;
    default:
        from = genuine[dice(size)].bytes;
        other = chain_leaf_parse(from, strlen(from), other_type, &why);
        if (json_object_get(other, key))
            json_object_set(fields, key, json_object_get(other, key));
        json_decref(other);
    }
    changed = chain_leaf(type, fields, &why);
    json_decref(fields);
    return changed;
}

static char *change_bytes(const char *bytes)
{
    size_t len = strlen(bytes), at = dice(len);
    char *changed = malloc(len + 2);

    if (!changed)
        exit(99);
    memcpy(changed, bytes, len + 1);
    switch (dice(3)) {
    case 0: changed[at] ^= (char)(1 << dice(7)); break;
    case 1: memmove(changed + at, changed + at + 1, len - at); break;
    default:
        memmove(changed + at + 1, changed + at, len - at + 1);
        changed[at] = (char)(1 + dice(126));
    }
    return changed;
}

static uint64_t any_record(void)
{
    uint64_t i;

    do
        i = dice(size);
    while (!genuine[i].record);
    return i;
}

static enum stage one(void)
{
    for (;;) {
        uint64_t i = any_record(), place = dice(20) ? i : any_record();
        char *bytes = place != i ? strdup(genuine[i].bytes)
                      : dice(2)  ? change_field(genuine[i].bytes)
                                 : change_bytes(genuine[i].bytes);
        enum stage stage = BY_FORM;
        /* A NUL ends what is compared, so it is compared as text. */
        bool same = bytes && strcmp(bytes, genuine[place].bytes) == 0;

        if (bytes && !same)
            stage = judge(bytes, strlen(bytes), place);
        free(bytes);
        if (!same)
            return stage;
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 && strcmp(argv[1], "--long") == 0 ? 1000000 : 200000, genuine_ones = 0,
             refused[STAGES] = {0};
    struct life life;

    make_log(&life);
    for (uint64_t i = 0; i < size; i++)
        genuine_ones += genuine[i].record && judge(genuine[i].bytes, strlen(genuine[i].bytes), i) == ACCEPTED;
    check(genuine_ones == 32, "%u genuine records are accepted", genuine_ones);
    for (unsigned i = 0; i < count; i++)
        refused[one()]++;
    check(refused[ACCEPTED] == 0,
          "%u changed records: %u refused by their form, %u as records, %u by the signed head; %u accepted", count,
          refused[BY_FORM], refused[BY_RECORD], refused[BY_PROOF], refused[ACCEPTED]);
    check(refused[BY_PROOF] > count / 10 && refused[BY_RECORD] > 0, "many of them were well-formed records");
    for (uint64_t i = 0; i < size; i++)
        free(genuine[i].bytes);
    life_end(&life);
    return tap_end();
}
