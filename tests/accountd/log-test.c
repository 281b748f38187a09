/* The log as files: consistency proofs, tiles and what is published, notes
 * that more than one key signed. */
#include "accountd/log/consistency.h"
#include "accountd/log/file.h"
#include "accountd/log/publish.h"
#include "accountd/log/tile.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAVES 130

static struct chain_hash leaf_hashes[LEAVES];

/* The tree as its definition has it. */
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

static bool refuses_changes(unsigned from, unsigned to, struct chain_hash *proof, unsigned len,
                            const struct chain_hash *from_root, const struct chain_hash *to_root)
{
    struct chain_hash other = *from_root;
    bool seen = true;

    other.bytes[0] ^= 1;
    seen = seen && (from == 0 || !consistency_verify(from, &other, to, to_root, proof, len));
    for (unsigned i = 0; i < len; i++) {
        proof[i].bytes[i % 32] ^= 0x40;
        seen = seen && !consistency_verify(from, from_root, to, to_root, proof, len);
        proof[i].bytes[i % 32] ^= 0x40;
    }
    seen = seen && (len == 0 || !consistency_verify(from, from_root, to, to_root, proof, len - 1));
    return seen && !consistency_verify(from, from_root, to, to_root, proof, len + 1);
}

static void test_consistency(void)
{
    struct chain_hash proof[CHAIN_PROOF_MAX + 1], none = { { 0 } };
    bool good = true, seen = true;

    memset(proof, 0, sizeof(proof));
    for (unsigned i = 0; i < LEAVES; i++)
        leaf_hashes[i] = chain_leaf_hash(&i, sizeof(i));
    for (unsigned to = 1; to <= LEAVES; to++) {
        struct chain_hash to_root = tree_head(0, to);

        for (unsigned from = 0; from <= to; from++) {
            struct chain_hash from_root = from ? tree_head(0, from) : none;
            int len = consistency_proof(from, to, node, NULL, proof);

            good = good && len >= 0 && consistency_verify(from, &from_root, to, &to_root, proof, (unsigned)len);
            if (to <= 33 || to == LEAVES)
                seen = seen && refuses_changes(from, to, proof, (unsigned)len, &from_root, &to_root);
        }
    }
    check(good, "every tree up to %d leaves is shown to begin with every smaller one", LEAVES);
    check(seen, "no changed, cut or lengthened proof does, nor one for another root");
    check(!consistency_verify(5, &none, 4, &none, proof, 0), "a tree does not begin with a larger one");
}

static void test_paths(void)
{
    static const char *const wrong[] = {
        "",
        "0",
        "0/",
        "0/1",
        "0/01",
        "0/0001",
        "00/001",
        "8/001",
        "0/x001",
        "0/x000/001",
        "0/001/002",
        "0/x001/x002",
        "0/001.p",
        "0/001.p/",
        "0/001.p/0",
        "0/001.p/01",
        "0/001.p/256",
        "0/001.p/1/",
        "0/001/",
        "0/../001",
        "0/001.p/-1",
        "entries/000",
        "0/x001//002",
        "0//001",
        "/0/001",
        "0/001 ",
        "0/x001/x001/x001/x001/x001/x001/001",
        "0/%30",
    };
    char path[TILE_PATH_BYTES];
    bool full;

    check(strcmp(tile_path(0, 1234067, TILE_WIDTH, path), "tile/0/x001/x234/067") == 0,
          "tlog-tiles' example of a path");
    check(tile_path_valid(path + 5, &full) && full, "is one");
    check(strcmp(tile_path(3, 0, 112, path), "tile/3/000.p/112") == 0 && tile_path_valid(path + 5, &full) && !full,
          "so is a partial tile's");
    check(tile_hashes(0, 70000) / 256 == 273 && tile_hashes(0, 70000) % 256 == 112 && tile_hashes(1, 70000) == 273 &&
          tile_hashes(2, 70000) == 1 && tile_hashes(3, 70000) == 0, "tlog-tiles' tree of 70,000");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        check(!tile_path_valid(wrong[i], &full), "not a tile: \"%s\"", wrong[i]);
}

static bool append(struct life *life, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (head_append(&life->a.head, "gap", json_pack("{s:s, s:i}", "host", "test.host", "n", (int)i)))
            return false;
    return head_sign(&life->a.head, 1) == 0;
}

static bool is_there(const char *dir, const char *name)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Every node, proof and the head of the tree, from the files alone. */
static bool files_give_tree(struct life *life, const char *dir, uint64_t size)
{
    struct tile_dir tiles = { dir, size };
    struct chain_hash ours, theirs, proof[CHAIN_PROOF_MAX], proof_again[CHAIN_PROOF_MAX];
    int len;

    if (store_root(life->a.store, size, &ours) || chain_root(size, tile_node, &tiles, &theirs) ||
        !chain_hash_equal(&ours, &theirs))
        return false;
    for (uint64_t i = 0; i < size; i += 37) {
        len = store_proof(life->a.store, i, size, proof);
        if (len < 0 || chain_proof(i, size, tile_node, &tiles, proof_again) != len ||
            memcmp(proof, proof_again, (size_t)len * sizeof(proof[0])) != 0)
            return false;
    }
    return true;
}

static void test_publish(void)
{
    struct life life;
    char dir[100], path[300];
    uint64_t from = 0;
    struct stat st;
    size_t len;
    char *text;

    life_begin(&life);
    snprintf(dir, sizeof(dir), "%s/public", life.dir);
    check(append(&life, 300) && publish_files(life.a.store, dir, &from) == 0 && from == life.a.head.size,
          "%ju leaves are published", (uintmax_t)from);
    check(is_there(dir, "tile/0/000") && is_there(dir, "tile/1/000.p/1") && files_give_tree(&life, dir, from),
          "the tiles give the tree and its proofs");
    snprintf(path, sizeof(path), "%s/checkpoint", dir);
    text = file_get(path, 10000, &len);
    check(text && strcmp(text, life.a.head.note) == 0, "the checkpoint is the signed head");
    free(text);
    check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0644, "anyone may read it");
    check(append(&life, 400) && publish_files(life.a.store, dir, &from) == 0 && files_give_tree(&life, dir, from),
          "what comes is added");
    check(is_there(dir, "tile/0/001") && !is_there(dir, "tile/0/001.p"), "partial tiles go when the full one is there");
    snprintf(path, sizeof(path), "%s/tile/0/000", dir);
    check(truncate(path, 100) == 0 && !files_give_tree(&life, dir, from), "a tile cut short is not a tile");
    from = 0;
    check(publish_files(life.a.store, dir, &from) == 0 && files_give_tree(&life, dir, from),
          "and is made again at a start");
    life_end(&life);
}

static void test_new_origin(void)
{
    struct life life;
    char dir[100], path[200];
    uint64_t from = 0;

    life_begin(&life);
    snprintf(dir, sizeof(dir), "%s/public", life.dir);
    append(&life, 300);
    publish_files(life.a.store, dir, &from);
    charge_run(&life.a);
    accountd_close(&life.a);
    snprintf(path, sizeof(path), "%s/usage.db", life.dir);
    unlink(path);
    from = 0;
    check(life_reopen(&life) && strcmp(life.a.head.origin, "test.host/usage/e2") == 0 &&
          publish_files(life.a.store, dir, &from) == 0 && files_give_tree(&life, dir, from) &&
          !is_there(dir, "tile/0/000"), "a new log's files take the place of the old one's");
    snprintf(path, sizeof(path), "%s.e1", dir);
    check(is_there(path, "tile/0/000") && is_there(path, "checkpoint"), "which are kept beside them");
    life_end(&life);
}

static struct note_key make_key(uint8_t byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    struct note_key key;

    memset(seed, byte, sizeof(seed));
    crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    return key;
}

static void test_two_signatures(void)
{
    struct note_key old = make_key(1), new = make_key(2), other = make_key(3);
    const struct note_key *both[] = { &old, &new }, *wrong[] = { &new, &old };
    struct chain_hash root = { { 9 } }, got;
    struct note_checkpoint read;
    struct json_why why;
    uint64_t size;
    char *note = note_checkpoint_by("h/usage/e1", 7, &root, both, 2);

    check(note_checkpoint_open_by(note, "h/usage/e1", both, 2, &size, &got, &why) && size == 7,
          "two keys sign one head");
    check(!note_checkpoint_open_by(note, "h/usage/e1", both, 1, &size, &got, &why) &&
          !note_checkpoint_open_by(note, "h/usage/e1", wrong, 2, &size, &got, &why), "exactly these, in this order");
    check(note_checkpoint_read(note, &read) && read.size == 7 &&
              note_signed_by(note, read.body_len, "h/usage/e1", &new) &&
              note_signed_by(note, read.body_len, "h/usage/e1", &old) &&
              !note_signed_by(note, read.body_len, "h/usage/e1", &other),
          "either is found by who knows one of them");
    free(note);
}

static bool cosigned(const char *line, const char *note, const struct note_key *key)
{
    struct note_checkpoint read;
    uint64_t time_s;

    return note_checkpoint_read(note, &read) &&
           note_cosigned_by(line, note, read.body_len, "w.example/1", key, &time_s) && time_s == 1700000000;
}

static void test_cosignature(void)
{
    struct note_key log = make_key(4), witness = make_key(5), parsed;
    struct chain_hash root = { { 9 } };
    char *note = note_checkpoint("h/usage/e1", 7, &root, &log), *other = note_checkpoint("h/usage/e1", 8, &root, &log);
    char *vkey = note_vkey_of("w.example/1", NOTE_COSIGNATURE, &witness), *line, name[64];
    struct note_checkpoint read;
    bool flips = true;

    note_checkpoint_read(note, &read);
    line = note_cosign(note, read.body_len, "w.example/1", &witness, 1700000000);
    check(cosigned(line, note, &witness) && !cosigned(line, other, &witness) && !cosigned(line, note, &log),
          "a cosignature is of one key, for one head");
    for (size_t i = 0; line[i]; i++) {
        line[i] ^= 4;
        flips = flips && !cosigned(line, note, &witness);
        line[i] ^= 4;
    }
    check(flips, "and of no other spelling");
    check(note_vkey_parse_of(vkey, NOTE_COSIGNATURE, name, sizeof(name), &parsed) && strcmp(name, "w.example/1") == 0 &&
          !note_vkey_parse(vkey, name, sizeof(name), &parsed), "a witness's key is not taken for a log's");
    free(line);
    free(vkey);
    free(note);
    free(other);
}

int main(void)
{
    if (sodium_init() < 0)
        return 99;
    test_consistency();
    test_paths();
    test_publish();
    test_new_origin();
    test_two_signatures();
    test_cosignature();
    return tap_end();
}
