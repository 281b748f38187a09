/* chain.c and note.c: RFC 6962 vectors, every proof of small trees, the
 * canonical profile against other writers, signatures' strictness. */
#include "accountd/chain.h"
#include "accountd/note.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES 130

static struct chain_hash leaf_hashes[LEAVES];

/* The tree as its definition has it, not as chain.c computes it. */
static struct chain_hash tree_head(unsigned from, unsigned to)
{
    unsigned split = 1;
    struct chain_hash left, right;

    if (to - from == 1)
        return leaf_hashes[from];
    while (split * 2 < to - from)
        split *= 2;
    left = tree_head(from, from + split);
    right = tree_head(from + split, to);
    return chain_node_hash(&left, &right);
}

static int node(void *arg, unsigned level, uint64_t index, struct chain_hash *out)
{
    (void)arg;
    *out = tree_head((unsigned)(index << level), (unsigned)((index + 1) << level));
    return 0;
}

static int failing_node(void *arg, unsigned level, uint64_t index, struct chain_hash *out)
{
    (void)arg;
    (void)level;
    (void)index;
    (void)out;
    return -1;
}

/* The eight leaves and heads that certificate-transparency's own tests use. */
static const struct {
    const char *leaf, *head;
} vectors[] = {
    { "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
    { "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
    { "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
    { "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
    { "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
    { "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
    { "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
    { "606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void test_vectors(void)
{
    struct chain_hash head;
    char hex[65];
    uint8_t leaf[32];

    chain_root(0, node, NULL, &head);
    check(strcmp(chain_hash_hex(&head, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0,
          "the head of no leaves");
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        size_t len;

        sodium_hex2bin(leaf, sizeof(leaf), vectors[i].leaf, strlen(vectors[i].leaf), NULL, &len, NULL);
        leaf_hashes[i] = chain_leaf_hash(leaf, len);
        check(chain_root(i + 1, node, NULL, &head) == 0 && strcmp(chain_hash_hex(&head, hex), vectors[i].head) == 0,
              "RFC 6962: the head of %u leaves", i + 1);
    }
}

static void make_leaves(void)
{
    for (unsigned i = 0; i < LEAVES; i++)
        leaf_hashes[i] = chain_leaf_hash(&i, sizeof(i));
}

static void test_roots_and_nodes(void)
{
    bool roots = true, nodes_good = true;

    for (unsigned size = 1; size <= LEAVES; size++) {
        struct chain_hash root, expected = tree_head(0, size), nodes[CHAIN_PROOF_MAX];
        int count = chain_complete(size - 1, &leaf_hashes[size - 1], node, NULL, nodes);

        roots = roots && chain_root(size, node, NULL, &root) == 0 && chain_hash_equal(&root, &expected);
        nodes_good = nodes_good && count == __builtin_ctz(size);
        for (int l = 0; l < count; l++) {
            expected = tree_head(size - (2u << l), size);
            nodes_good = nodes_good && chain_hash_equal(&nodes[l], &expected);
        }
    }
    check(roots, "heads of 1 to %d leaves are the definition's", LEAVES);
    check(nodes_good, "each leaf completes the subtrees that end with it");
}

/* All that must be refused of one good proof. */
static bool tampering_is_seen(unsigned index, unsigned size, struct chain_hash *proof, unsigned len,
                              const struct chain_hash *root)
{
    const struct chain_hash *leaf = &leaf_hashes[index];
    bool seen = true;

    for (unsigned i = 0; i < len; i++) {
        proof[i].bytes[i % 32] ^= 1;
        seen = seen && !chain_proof_verify(leaf, index, size, proof, len, root);
        proof[i].bytes[i % 32] ^= 1;
    }
    seen = seen && (len == 0 || !chain_proof_verify(leaf, index, size, proof, len - 1, root));
    seen = seen && !chain_proof_verify(leaf, index, size, proof, len + 1, root);
    for (unsigned other = 0; other < size + 2; other++)
        seen = seen && (other == index || !chain_proof_verify(leaf, other, size, proof, len, root));
    return seen;
}

static void test_proofs(void)
{
    struct chain_hash proof[CHAIN_PROOF_MAX + 1];
    bool good = true, seen = true;

    for (unsigned size = 1; size <= LEAVES; size++) {
        struct chain_hash root = tree_head(0, size);

        for (unsigned index = 0; index < size; index++) {
            int len = chain_proof(index, size, node, NULL, proof);

            good = good && len >= 0 && chain_proof_verify(&leaf_hashes[index], index, size, proof, (unsigned)len, &root);
            if (size <= 33 || size == LEAVES)
                seen = seen && tampering_is_seen(index, size, proof, (unsigned)len, &root);
        }
    }
    check(good, "every leaf's proof in every tree up to %d leaves verifies", LEAVES);
    check(seen, "no changed, cut, lengthened or moved proof does");
    check(chain_proof(3, 9, failing_node, NULL, proof) == -1, "a node that cannot be read fails the proof");
    check(!chain_proof_verify(&leaf_hashes[0], 0, 0, proof, 0, &leaf_hashes[0]), "nothing is in an empty tree");
}

/* The same object by other writers. `command` reads JSON and writes its canonical form. */
static char *canonical_by(const char *command, const char *json)
{
    char path[] = "/tmp/xs-chain-XXXXXX", line[512], *text = calloc(1, 65536);
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w"), *out;

    fputs(json, file);
    fclose(file);
    snprintf(line, sizeof(line), "%s <%s", command, path);
    out = popen(line, "r");
    if (fread(text, 1, 65535, out) == 0 || pclose(out) != 0)
        text[0] = 0;
    remove(path);
    return text;
}

static void test_canonical(void)
{
    static const char messy[] =
        "{ \"z\": \"last\", \"a1\": 9007199254740991, \"a\": 0,\n \"_u\": true, \"b\": false,"
        " \"c\": \"340282366920938463463374607431768211455\", \"tick\": \" !#$%&'()*+,-./:;<=>?@[]^_`{|}~\" }";
    json_t *fields = json_loads(messy, 0, NULL);
    struct json_why why;
    char *leaf = chain_leaf("use", fields, &why), type[CHAIN_TYPE_BYTES];
    char *jq = canonical_by("jq -cS .", messy);
    char *python = canonical_by("python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin),"
                                "sort_keys=True,separators=(\",\",\":\"),ensure_ascii=False))'", messy);
    json_t *again;

    check(leaf && strncmp(leaf, "xs-usage/v1 use\n", 16) == 0, "a leaf starts with its type");
    check(leaf && strcmp(leaf + 16, jq) == 0, "jq -cS gives the same bytes");
    check(leaf && strcmp(leaf + 16, python) == 0, "python gives the same bytes");
    again = leaf ? chain_leaf_parse(leaf, strlen(leaf), type, &why) : NULL;
    check(again && json_equal(again, fields) && strcmp(type, "use") == 0, "and is read back");
    json_decref(again);
    json_decref(fields);
    free(leaf);
    free(jq);
    free(python);
}

static const char *const outside[] = {
    "{\"a\":1.5}", "{\"a\":null}", "{\"a\":[1]}", "{\"a\":{}}", "{\"A\":1}", "{\"a-b\":1}", "{\"\":1}",
    "{\"a\":-1}", "{\"a\":9007199254740992}", "{\"a\":\"\\u00e9\"}", "{\"a\":\"x\\\"y\"}", "{\"a\":\"x\\\\y\"}",
    "{\"a\":\"\\n\"}", "{\"a\":\"\\u007f\"}",
};

static const char *const not_leaves[] = {
    "", "xs-usage/v1 use", "xs-usage/v1 use\n", "xs-usage/v1 use\n{\"a\":1}", "xs-usage/v1 use\n{\"a\":1}\n\n",
    "xs-usage/v1 use\n{\"a\": 1}\n", "xs-usage/v1 use\n{\"b\":1,\"a\":1}\n", "xs-usage/v1 use\n{\"a\":1,\"a\":1}\n",
    "xs-usage/v1 Use\n{\"a\":1}\n", "xs-usage/v1 \n{\"a\":1}\n", "xs-usage/v2 use\n{\"a\":1}\n",
    "xs-usage/v1 abcdefghijklmnopq\n{\"a\":1}\n", "xs-usage/v1 use\n[1]\n", "xs-usage/v1 use\n{\"a\":01}\n",
    "xs-usage/v1 use\n{\"a\":\"\\u0062\"}\n", "xs-usage/v1 use\r\n{\"a\":1}\n",
};

static void test_profile(void)
{
    struct json_why why;
    char type[CHAIN_TYPE_BYTES];

    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        json_t *fields = json_loads(outside[i], 0, NULL);

        check(fields && !chain_leaf("use", fields, &why), "outside the profile: %s", outside[i]);
        json_decref(fields);
    }
    for (size_t i = 0; i < sizeof(not_leaves) / sizeof(not_leaves[0]); i++)
        check(!chain_leaf_parse(not_leaves[i], strlen(not_leaves[i]), type, &why), "not a leaf: number %zu", i);
}

static struct note_key make_key(uint8_t seed_byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    struct note_key key;

    memset(seed, seed_byte, sizeof(seed));
    crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    return key;
}

/* Every byte of a text, each with one of its bits flipped, must be refused by `good`. */
static bool all_flips_refused(const char *text, bool (*good)(const char *text, void *arg), void *arg)
{
    char *copy = strdup(text);
    bool refused = good(text, arg);

    for (size_t i = 0; refused && text[i]; i++)
        for (int bit = 0; bit < 8 && refused; bit++) {
            copy[i] = (char)(text[i] ^ (1 << bit));
            refused = copy[i] == 0 || !good(copy, arg);
            copy[i] = text[i];
        }
    free(copy);
    return refused;
}

static bool opens(const char *text, void *arg)
{
    struct chain_hash root;
    struct json_why why;
    uint64_t size;

    return note_checkpoint_open(text, "h.example/usage/e1", arg, &size, &root, &why);
}

static void test_checkpoint(void)
{
    struct note_key key = make_key(7), other = make_key(8);
    struct chain_hash root = { { 1, 2, 3 } }, got;
    char *note = note_checkpoint("h.example/usage/e1", 18446744073709551615ull, &root, &key);
    struct json_why why;
    uint64_t size = 0;

    check(note_checkpoint_open(note, "h.example/usage/e1", &key, &size, &got, &why) && size == UINT64_MAX &&
          chain_hash_equal(&root, &got), "a checkpoint is opened");
    check(!note_checkpoint_open(note, "h.example/usage/e1", &other, &size, &got, &why), "not with another key");
    check(!note_checkpoint_open(note, "h.example/usage/e2", &key, &size, &got, &why), "nor for another log");
    check(all_flips_refused(note, opens, &key), "nor with any bit flipped");
    free(note);
}

static void test_vkey(void)
{
    /* The example key of Go's note package, golang.org/x/mod/sumdb/note. */
    static const char vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct note_key key;
    char name[64], *again;

    check(note_vkey_parse(vkey, name, sizeof(name), &key) && strcmp(name, "PeterNeumann") == 0,
          "a verifier key from elsewhere is read, its id included");
    again = note_vkey(name, &key);
    check(strcmp(again, vkey) == 0, "and written the same");
    free(again);
    check(!note_vkey_parse("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", name, sizeof(name),
                           &key), "a wrong id is refused");
    check(!note_vkey_parse(vkey, name, 12, &key), "a name that does not fit is refused");
}

static const char signed_file[] = "the file\n";

static bool fits(const char *text, void *arg)
{
    return note_minisig_verify(text, signed_file, strlen(signed_file), arg);
}

static bool same_key(const char *text, void *arg)
{
    const struct note_key *key = arg;
    struct note_key got;

    return note_minisign_key_parse(text, &got) && memcmp(got.public_key, key->public_key, NOTE_PUBLIC_BYTES) == 0;
}

static void test_minisig(void)
{
    struct note_key key = make_key(9), other = make_key(10);
    char *sig = note_minisig(signed_file, strlen(signed_file), "what it is", &key);
    char *public_key = note_minisign_key(&key);

    check(!note_minisig_verify(sig, signed_file, strlen(signed_file), &other), "a file's signature: not of another key");
    check(!note_minisig_verify(sig, "the File\n", strlen(signed_file), &key), "nor for another file");
    check(all_flips_refused(sig, fits, &key), "nor with any bit flipped, comments included");
    check(all_flips_refused(public_key, same_key, &key), "a public key with any bit flipped is another or none");
    free(sig);
    free(public_key);
}

static void test_proof_text(void)
{
    struct chain_hash proof[2] = { { { 5 } }, { { 6 } } }, got[CHAIN_PROOF_MAX];
    char *text = note_proof(12, proof, 2, "h/usage/e1\n20\n");
    const char *checkpoint;
    unsigned len;
    uint64_t index;

    check(strncmp(text, "c2sp.org/tlog-proof@v1\nindex 12\n", 32) == 0, "a proof file starts as C2SP has it");
    check(note_proof_parse(text, &index, got, &len, &checkpoint) && index == 12 && len == 2 &&
          memcmp(got, proof, sizeof(proof)) == 0 && strcmp(checkpoint, "h/usage/e1\n20\n") == 0, "and is read back");
    check(!note_proof_parse("c2sp.org/tlog-proof@v1\nindex 012\n\n", &index, got, &len, &checkpoint) &&
          !note_proof_parse("c2sp.org/tlog-proof@v1\nindex 12\nAA==\n\n", &index, got, &len, &checkpoint) &&
          !note_proof_parse("c2sp.org/tlog-proof@v1\nindex 12\n", &index, got, &len, &checkpoint),
          "a number, hash or end that is not right is refused");
    free(text);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    test_vectors();
    make_leaves();
    test_roots_and_nodes();
    test_proofs();
    test_canonical();
    test_profile();
    test_checkpoint();
    test_vkey();
    test_minisig();
    test_proof_text();
    return tap_end();
}
