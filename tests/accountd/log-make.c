/* log-make DIR: what accountd publishes of a log with a rotated key and a
 * witness, for the checks of others (log-go): public/, and beside it heads of
 * before, a leaf with its proof, a consistency proof, the witness's key. */
#include "accountd/log/consistency.h"
#include "accountd/log/file.h"
#include "accountd/log/publish.h"
#include "accountd/log/rotate.h"
#include "accountd/log/tile.h"
#include "tests/accountd/life.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dir;

static void put(const char *name, const char *text)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (!text || file_put(path, text, strlen(text), 0644))
        exit(1);
}

static void append(struct life *life, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (head_append(&life->a.head, "gap", json_pack("{s:s, s:i}", "host", "test.host", "n", (int)i)))
            exit(1);
    if (head_sign(&life->a.head, 1))
        exit(1);
}

static void put_hashes(const char *name, const struct chain_hash *proof, int len)
{
    char text[CHAIN_PROOF_MAX * 46 + 1] = "";

    for (int i = 0; i < len; i++) {
        char *hash = note_base64(proof[i].bytes, CHAIN_HASH_BYTES);

        strcat(strcat(text, hash), "\n");
        free(hash);
    }
    put(name, text);
}

static int put_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    char text[24];

    (void)arg;
    (void)type;
    snprintf(text, sizeof(text), "%ju\n", (uintmax_t)idx);
    put("leaf.index", text);
    put("leaf", leaf);
    return 0;
}

static void rotate(struct life *life)
{
    char id[2 * NOTE_KEY_ID_BYTES + 1];
    struct json_why why;
    bool refused;

    rotate_key_id(&life->a, KEYS_LOG, &life->a.keys.log, id);
    if (rotate_key(&life->a, KEYS_LOG, id, 20, &refused, &why))
        exit(1);
}

static void cosign(struct life *life)
{
    struct note_key witness;
    struct note_checkpoint head;
    char path[300], *vkey, *line;

    snprintf(path, sizeof(path), "%s/witness.key", dir);
    if (keys_file_make(path, &witness) || !note_checkpoint_read(life->a.head.note, &head))
        exit(1);
    vkey = note_vkey_of("w.example/1", NOTE_COSIGNATURE, &witness);
    put("witness.vkey", vkey);
    line = note_cosign(life->a.head.note, head.body_len, "w.example/1", &witness, 1700000000);
    if (store_cosignature_put(life->a.store, head.size, "w.example/1", line, 1))
        exit(1);
    free(vkey);
    free(line);
}

static void publish(struct life *life, uint64_t old_size)
{
    struct chain_hash proof[CHAIN_PROOF_MAX];
    struct tile_dir tiles;
    char path[300], *keys;
    uint64_t from = 0;

    snprintf(path, sizeof(path), "%s/public", dir);
    if (publish_files(life->a.store, path, &from))
        exit(1);
    tiles = (struct tile_dir){ path, from };
    put_hashes("leaf.proof", proof, chain_proof(300, from, tile_node, &tiles, proof));
    put_hashes("tree.proof", proof, consistency_proof(old_size, from, tile_node, &tiles, proof));
    keys = keys_text(&life->a.keys, life->a.head.host, life->a.head.origin);
    put("public/keys.txt", keys);
    free(keys);
}

int main(int argc, char **argv)
{
    struct life life;
    uint64_t old_size;

    if (argc != 2)
        return 2;
    dir = argv[1];
    life_begin(&life);
    append(&life, 400);
    old_size = life.a.head.size;
    put("old-checkpoint", life.a.head.note);
    rotate(&life);
    put("both-checkpoint", life.a.head.note);
    append(&life, 400);
    if (store_each_leaf(life.a.store, NULL, NULL, 300, 301, 1, put_leaf, NULL))
        return 1;
    cosign(&life);
    publish(&life, old_size);
    life_end(&life);
    return 0;
}
