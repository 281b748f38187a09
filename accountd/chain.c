/* Leaves and the Merkle tree over them. SHA-256 is OpenSSL's, which uses the CPU's instructions for it: libsodium's
 * plain C was a seventh of a record. The low-level calls keep their state on the stack; EVP's would be an allocation a hash. */
#define OPENSSL_API_COMPAT 0x10100000L
#include "accountd/chain.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEGER_MAX 9007199254740991ll  /* 2^53 - 1: what every JSON reader holds exactly */

static void refuse(struct json_why *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct json_why *why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, args);
    va_end(args);
}

/* 70 keys a leaf: strspn makes a table for each. */
static bool is_key(const char *key)
{
    const char *at = key;

    while ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_')
        at++;
    return at > key && *at == 0;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

static bool in_profile(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return is_plain(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return json_integer_value(value) >= 0 && json_integer_value(value) <= INTEGER_MAX;
    case JSON_TRUE:
    case JSON_FALSE:
        return true;
    default:
        return false;
    }
}

static bool is_type(const char *type)
{
    size_t len = strlen(type);

    return len > 0 && len < CHAIN_TYPE_BYTES && strspn(type, "abcdefghijklmnopqrstuvwxyz") == len;
}

char *chain_leaf(const char *type, const json_t *fields, struct json_why *why)
{
    const char *key;
    char *object, *leaf;
    json_t *value;

    if (!is_type(type) || !json_is_object(fields)) {
        refuse(why, "a leaf is a type and an object");
        return NULL;
    }
    json_object_foreach((json_t *)fields, key, value)
        if (!is_key(key) || !in_profile(value)) {
            refuse(why, "%.60s: outside the canonical profile", key);
            return NULL;
        }
    object = json_canonical(fields);
    if (!object || asprintf(&leaf, CHAIN_PREFIX "%s\n%s\n", type, object) < 0) {
        refuse(why, "out of memory");
        leaf = NULL;
    }
    free(object);
    return leaf;
}

static bool take_type(const char *leaf, size_t len, char type[static CHAIN_TYPE_BYTES], size_t *header_len)
{
    size_t prefix_len = strlen(CHAIN_PREFIX), type_len;
    const char *end = memchr(leaf, '\n', len);

    if (!end || len < prefix_len || memcmp(leaf, CHAIN_PREFIX, prefix_len) != 0)
        return false;
    if (end < leaf + prefix_len || end >= leaf + prefix_len + CHAIN_TYPE_BYTES)
        return false;
    type_len = (size_t)(end - leaf) - prefix_len;
    memcpy(type, leaf + prefix_len, type_len);
    type[type_len] = 0;
    *header_len = prefix_len + type_len + 1;
    return is_type(type);
}

json_t *chain_leaf_parse(const char *leaf, size_t len, char type[static CHAIN_TYPE_BYTES], struct json_why *why)
{
    size_t header_len;
    json_t *fields;
    char *again;
    bool same;

    if (!take_type(leaf, len, type, &header_len)) {
        refuse(why, "a leaf starts with \"" CHAIN_PREFIX "TYPE\"");
        return NULL;
    }
    fields = json_loadb(leaf + header_len, len - header_len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(fields)) {
        refuse(why, "a leaf's second line is one JSON object");
        json_decref(fields);
        return NULL;
    }
    again = chain_leaf(type, fields, why);
    same = again && strlen(again) == len && memcmp(again, leaf, len) == 0;
    if (again && !same)
        refuse(why, "the leaf is not in its canonical form");
    free(again);
    if (same)
        return fields;
    json_decref(fields);
    return NULL;
}

struct chain_hash chain_leaf_hash(const void *leaf, size_t len)
{
    SHA256_CTX state;
    struct chain_hash hash;

    SHA256_Init(&state);
    SHA256_Update(&state, (const uint8_t[]){ 0x00 }, 1);
    SHA256_Update(&state, leaf, len);
    SHA256_Final(hash.bytes, &state);
    return hash;
}

struct chain_hash chain_node_hash(const struct chain_hash *left, const struct chain_hash *right)
{
    SHA256_CTX state;
    struct chain_hash hash;

    SHA256_Init(&state);
    SHA256_Update(&state, (const uint8_t[]){ 0x01 }, 1);
    SHA256_Update(&state, left->bytes, CHAIN_HASH_BYTES);
    SHA256_Update(&state, right->bytes, CHAIN_HASH_BYTES);
    SHA256_Final(hash.bytes, &state);
    return hash;
}

bool chain_hash_equal(const struct chain_hash *a, const struct chain_hash *b)
{
    return memcmp(a->bytes, b->bytes, CHAIN_HASH_BYTES) == 0;
}

char *chain_hash_hex(const struct chain_hash *hash, char text[static 2 * CHAIN_HASH_BYTES + 1])
{
    return sodium_bin2hex(text, 2 * CHAIN_HASH_BYTES + 1, hash->bytes, CHAIN_HASH_BYTES);
}

int chain_complete(uint64_t index, const struct chain_hash *leaf, chain_node_fn node, void *arg,
                   struct chain_hash nodes[static CHAIN_PROOF_MAX])
{
    struct chain_hash right = *leaf, left;
    unsigned level = 0;

    /* Each trailing 1 bit of the index is a subtree whose right half is now whole. */
    for (; level < CHAIN_PROOF_MAX - 1 && (index >> level) & 1; level++) {
        if (node(arg, level, (index >> level) - 1, &left))
            return -1;
        right = chain_node_hash(&left, &right);
        nodes[level] = right;
    }
    return (int)level;
}

/* The level of the largest complete subtree that starts at `lo` in a tree of
 * `size` leaves: RFC 6962 splits off the largest power of two, so these run
 * in falling order from the left. */
static unsigned largest_level(uint64_t leaves)
{
    return 63u - (unsigned)__builtin_clzll(leaves);
}

uint64_t chain_split(uint64_t leaves)
{
    return 1ull << largest_level(leaves - 1);
}

int chain_range(uint64_t lo, uint64_t hi, chain_node_fn node, void *arg, struct chain_hash *out)
{
    struct chain_hash part[64];
    unsigned parts = 0;

    while (lo < hi) {
        unsigned level = largest_level(hi - lo);

        if (node(arg, level, lo >> level, &part[parts++]))
            return -1;
        lo += 1ull << level;
    }
    *out = part[--parts];
    while (parts > 0)
        *out = chain_node_hash(&part[--parts], out);
    return 0;
}

int chain_root(uint64_t size, chain_node_fn node, void *arg, struct chain_hash *root)
{
    if (size > 0)
        return chain_range(0, size, node, arg, root);
    SHA256(NULL, 0, root->bytes);
    return 0;
}

int chain_proof(uint64_t index, uint64_t size, chain_node_fn node, void *arg,
                struct chain_hash proof[static CHAIN_PROOF_MAX])
{
    struct chain_hash from_top[CHAIN_PROOF_MAX];
    uint64_t lo = 0, hi = size;
    int len = 0;

    /* RFC 6962 section 2.1.1, from the root down; the path is wanted from the leaf up. */
    while (hi - lo > 1) {
        uint64_t split = lo + chain_split(hi - lo);
        bool go_left = index < split;

        if (chain_range(go_left ? split : lo, go_left ? hi : split, node, arg, &from_top[len++]))
            return -1;
        if (go_left)
            hi = split;
        else
            lo = split;
    }
    for (int i = 0; i < len; i++)
        proof[i] = from_top[len - 1 - i];
    return len;
}

bool chain_proof_verify(const struct chain_hash *leaf, uint64_t index, uint64_t size, const struct chain_hash *proof,
                        unsigned proof_len, const struct chain_hash *root)
{
    uint64_t fn = index, sn = size - 1;
    struct chain_hash r = *leaf;

    if (index >= size)
        return false;
    for (unsigned i = 0; i < proof_len; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            r = chain_node_hash(&proof[i], &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = chain_node_hash(&r, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && chain_hash_equal(&r, root);
}
