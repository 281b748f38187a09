/* The witness: what it cosigns, each refusal of tlog-witness, forks, and that
 * it remembers across a kill between storing and answering. */
#include "accountd/log/consistency.h"
#include "client/witness/store.h"
#include "client/witness/witness.h"
#include "common/db.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORIGIN "h.example/usage/e1"

static char dir[] = "/tmp/xs-witness-XXXXXX", db_path[64];
static struct note_key log_key, other_key;

/* A log of `size` leaves; from `fork_at` on its leaves are others. */
struct tree {
    unsigned size, fork_at;
};

static struct chain_hash tree_node(const struct tree *tree, unsigned level, uint64_t index)
{
    unsigned leaf[2] = { (unsigned)index, index >= tree->fork_at };
    struct chain_hash left, right;

    if (level == 0)
        return chain_leaf_hash(leaf, sizeof(leaf));
    left = tree_node(tree, level - 1, 2 * index);
    right = tree_node(tree, level - 1, 2 * index + 1);
    return chain_node_hash(&left, &right);
}

static int node(void *arg, unsigned level, uint64_t index, struct chain_hash *out)
{
    *out = tree_node(arg, level, index);
    return 0;
}

static char *request(uint64_t old, struct tree *tree, const char *origin, const struct note_key *key)
{
    struct chain_hash root, proof[CHAIN_PROOF_MAX];
    int len = old <= tree->size ? consistency_proof(old, tree->size, node, tree, proof) : 0;
    char *note, *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    chain_root(tree->size, node, tree, &root);
    note = note_checkpoint(origin, tree->size, &root, key);
    fprintf(out, "old %ju\n", (uintmax_t)old);
    for (int i = 0; i < len; i++) {
        char *hash = note_base64(proof[i].bytes, CHAIN_HASH_BYTES);

        fprintf(out, "%s\n", hash);
        free(hash);
    }
    fprintf(out, "\n%s", note);
    fclose(out);
    free(note);
    return text;
}

/* The status, and what a 200 says is right. */
static int ask_text(struct witness *w, const char *text)
{
    const char *note = strstr(text, "\n\n") + 2;
    struct note_checkpoint head;
    struct witness_reply reply;
    uint64_t time_s;
    int status;

    witness_add_checkpoint(w, text, strlen(text), 1700000000, &reply);
    status = reply.status;
    if (status == 200 && (!note_checkpoint_read(note, &head) ||
                          !note_cosigned_by(reply.body, note, head.body_len, w->name, &w->key, &time_s)))
        status = -1;
    free(reply.body);
    return status;
}

static int ask(struct witness *w, uint64_t old, unsigned size, unsigned fork_at)
{
    struct tree tree = { size, fork_at };
    char *text = request(old, &tree, ORIGIN, &log_key);
    int status = ask_text(w, text);

    free(text);
    return status;
}

static int ask_as(struct witness *w, const char *origin, const struct note_key *key)
{
    struct tree tree = { 5, 1000 };
    char *text = request(0, &tree, origin, key);
    int status = ask_text(w, text);

    free(text);
    return status;
}

static char *conflict_body(struct witness *w, uint64_t old, unsigned size)
{
    struct tree tree = { size, 1000 };
    char *text = request(old, &tree, ORIGIN, &log_key);
    struct witness_reply reply;

    witness_add_checkpoint(w, text, strlen(text), 1, &reply);
    free(text);
    if (reply.status == 409 && strcmp(reply.type, "text/x.tlog.size") == 0)
        return reply.body;
    free(reply.body);
    return strdup("");
}

static struct note_key make_key(uint8_t byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    struct note_key key;

    memset(seed, byte, sizeof(seed));
    crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    return key;
}

static void open_witness(struct witness *w, const char *path)
{
    char *vkey = note_vkey(ORIGIN, &log_key);
    struct json_why why;

    memset(w, 0, sizeof(*w));
    strcpy(w->name, "w.example/1");
    w->key = make_key(7);
    w->db = witness_store_open(path);
    if (!w->db || !witness_add_log(w, vkey, &why))
        exit(99);
    free(vkey);
}

static void test_grows(struct witness *w)
{
    char *body;

    check(ask(w, 0, 5, 1000) == 200, "a first head is cosigned");
    check(ask(w, 5, 9, 1000) == 200 && ask(w, 9, 70, 1000) == 200 && ask(w, 70, 70, 1000) == 200,
          "longer ones with their proofs, and the same again");
    check(ask(w, 5, 70, 1000) == 409, "a proof from another size: 409");
    body = conflict_body(w, 0, 80);
    check(strcmp(body, "70\n") == 0, "with the size that is cosigned");
    free(body);
}

static int64_t forks_kept(struct witness *w)
{
    int64_t count = -1;

    db_int(w->db, &count, "SELECT count(*) FROM fork", "");
    return count;
}

static void test_forks(struct witness *w)
{
    check(ask(w, 70, 70, 60) == 409 && forks_kept(w) == 1, "another head of the size that is cosigned: 409, and kept");
    check(ask(w, 70, 90, 60) == 422, "a longer log that does not begin with it: 422");
    check(ask(w, 40, 40, 1000) == 409, "a shorter log: 409");
    check(ask(w, 70, 90, 1000) == 200, "the log that goes on is cosigned all the same");
}

static int with(struct witness *w, const char *good, const char *from, const char *to)
{
    const char *at = strstr(good, from);
    char *text;
    int status;

    if (!at || asprintf(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)) < 0)
        exit(99);
    status = ask_text(w, text);
    free(text);
    return status;
}

static void test_refusals(struct witness *w)
{
    struct tree tree = { 120, 1000 };
    char *good = request(90, &tree, ORIGIN, &log_key), many[70 * 45 + 1] = "";
    char third[48];

    snprintf(third, sizeof(third), "%.45s", strchr(good, '\n') + 1);
    check(ask_as(w, "h.example/usage/e2", &log_key) == 404, "a log that is not ours: 404");
    check(ask_as(w, ORIGIN, &other_key) == 403, "not signed by the key we trust: 403");
    check(with(w, good, "old 90", "old 121") == 400, "an old size above the new one: 400");
    check(with(w, good, "old 90", "old 090") == 400 && with(w, good, "old 90", "new 90") == 400 &&
          with(w, good, "old 90", "old 99999999999999999999") == 400, "sizes spelled otherwise: 400");
    check(with(w, good, third, "") == 422, "a proof with a line less: 422");
    for (int i = 0; i < 64; i++)
        strcat(many, third);
    check(with(w, good, third, many) == 400, "more than 63 lines: 400");
    check(with(w, good, third, "AAAA\n") == 400, "a hash that is none: 400");
    check(with(w, good, "\n\n", "\n \n\n") == 400, "something between proof and checkpoint: 400");
    check(with(w, good, "\n120\n", "\n121\n") == 403, "a checkpoint that was changed: 403");
    check(ask_text(w, good) == 200, "(the request itself is good)");
    free(good);
}

/* It ends between the commit and the answer, as kill -9 would end it. */
static void test_killed(struct witness *w)
{
    pid_t pid;
    int status;
    char *body;

    db_close(w->db);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        open_witness(w, db_path);
        ask(w, 120, 150, 1000);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    open_witness(w, db_path);
    body = conflict_body(w, 120, 160);
    check(strcmp(body, "150\n") == 0, "killed before the answer, it knows what it stored");
    free(body);
    check(ask(w, 120, 150, 140) == 409, "so nobody gets its word for a fork of it");
    check(ask(w, 150, 150, 1000) == 200, "and who asks again gets it for the same head");
}

static void test_two_keys(struct witness *w)
{
    char *vkey = note_vkey(ORIGIN, &other_key);
    struct tree tree = { 200, 1000 };
    struct json_why why;
    char *text;

    check(witness_add_log(w, vkey, &why) && !witness_add_log(w, "nonsense", &why), "a log may have two keys");
    text = request(150, &tree, ORIGIN, &other_key);
    check(ask_text(w, text) == 200, "either will do");
    free(text);
    free(vkey);
}

static void test_independent(void)
{
    struct witness second;
    char path[80];

    snprintf(path, sizeof(path), "%s/second.db", dir);
    open_witness(&second, path);
    check(ask(&second, 0, 70, 60) == 200, "another witness, shown the other branch first, would cosign that one");
    check(ask(&second, 70, 70, 1000) == 409, "and not this one: nobody gets both for both");
    db_close(second.db);
}

int main(void)
{
    struct witness w;
    char command[80];

    if (sodium_init() < 0 || !mkdtemp(dir))
        return 99;
    snprintf(db_path, sizeof(db_path), "%s/witness.db", dir);
    log_key = make_key(1);
    other_key = make_key(2);
    open_witness(&w, db_path);
    test_grows(&w);
    test_forks(&w);
    test_refusals(&w);
    test_killed(&w);
    test_two_keys(&w);
    test_independent();
    db_close(w.db);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) == 0 ? tap_end() : 99;
}
