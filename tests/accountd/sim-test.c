/* Ten thousand hosts in simulation, each from a seed: after each, every invariant
 * of the books is found again by the oracle. Seeds that failed once are played
 * first, at the length they failed with. Then the books of one seed are
 * broken on purpose, each invariant in its way, and the oracle must say which: INVARIANTS.md has the table.
 *
 *   sim-test                 10^4 short seeds
 *   sim-test --long          10^4 more, four times as long
 *   sim-test --seed N STEPS  one, and what is wrong with it
 */
#include "tests/accountd/disk.h"
#include "tests/accountd/sim.h"
#include "accountd/ledger/db.h"
#include "tests/tap/tap.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS   10000
#define STEPS   12
#define WORKERS 2

/* 7, 9, 22, 32: a month's invoice whose rounding the purse or wallet could not pay was never made. */
static const struct { uint64_t seed; unsigned steps; } kept[] = { { 7, 40 }, { 9, 40 }, { 22, 40 }, { 32, 40 } };

static struct counts {
    unsigned played, bad, restarts, faults, jumps, lives, deeds, invoices, books;
} *counts;

static bool play(struct sim *sim, uint64_t seed, unsigned steps, bool loud)
{
    unsigned broken;

    sim->loud = loud;
    sim_play(sim, seed, steps);
    broken = sim->alive ? oracle_broken(sim) : 1;
    sim_end(sim);
    if (broken)
        printf("# seed %ju: %s (bits %x): sim-test --seed %ju %u\n", (uintmax_t)seed,
               sim->alive ? "invariants are broken" : "accountd gave up", broken, (uintmax_t)seed, steps);
    return broken == 0;
}

static void count(const struct sim *sim, bool good)
{
    const unsigned more[] = {1,         !good,     sim->restarts, sim->faults, sim->jumps,
                             sim->born, sim->done, sim->invoices, sim->books};

    for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        __atomic_add_fetch((unsigned *)counts + i, more[i], __ATOMIC_SEQ_CST);
}

static void play_all(uint64_t first, unsigned steps)
{
    static struct sim sim;
    bool ended = true;
    int status;

    fflush(stdout);
    for (unsigned worker = 0; worker < WORKERS; worker++)
        if (fork() == 0) {
            /* What daemons of a failing disk log is of no interest. */
            if (!freopen("/dev/null", "w", stderr))
                _exit(99);
            for (uint64_t seed = first + worker; seed < first + SEEDS; seed += WORKERS)
                count(&sim, play(&sim, seed, steps, false));
            fflush(stdout);
            _exit(0);
        }
    while (wait(&status) > 0)
        ended = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    check(ended && counts->played == SEEDS && counts->bad == 0,
          "%u hosts: %u lives, %u restarts, %u failing disks, %u jumps of"
          " the clock, %u payments, %u price books, %u invoices: all invariants hold (%u broken)",
          counts->played, counts->lives, counts->restarts, counts->faults, counts->jumps, counts->deeds, counts->books,
          counts->invoices, counts->bad);
    *counts = (struct counts){ .played = 0 };
}

/* Breaking the books: as root with sqlite3 would. */
static void drop_triggers(sqlite3 *db)
{
    char names[256][80];
    unsigned n = 0;
    sqlite3_stmt *stmt = db_query(db, "SELECT name FROM sqlite_schema WHERE type = 'trigger'", "");

    while (db_next(stmt) == 1 && n < 256)
        snprintf(names[n++], sizeof(names[0]), "DROP TRIGGER %.60s", (const char *)sqlite3_column_text(stmt, 0));
    db_end(stmt);
    while (n)
        if (db_run(db, names[--n], ""))
            exit(99);
}

/* A field of the first such record with another value, in canonical form. */
static void change_leaf(struct sim *sim, const char *which, const char *field, int64_t more)
{
    char path[100], sql[300], text[24], type[CHAIN_TYPE_BYTES];
    struct json_why why;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t idx, n;
    json_t *leaf;
    char *bytes;

    snprintf(path, sizeof(path), "%s/usage.db", sim->life.dir);
    snprintf(sql, sizeof(sql),
             "SELECT idx, bytes FROM leaf WHERE account IN ('ann', 'bob', 'cem') AND %s ORDER BY idx LIMIT 1", which);
    if (sqlite3_open(path, &db) != SQLITE_OK || !(stmt = db_query(db, sql, "")) || db_next(stmt) != 1)
        exit(99);
    idx = sqlite3_column_int64(stmt, 0);
    leaf =
        chain_leaf_parse((const char *)sqlite3_column_text(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1), type, &why);
    db_end(stmt);
    if (json_is_integer(json_object_get(leaf, field))) {
        json_object_set_new(leaf, field, json_integer(json_integer_value(json_object_get(leaf, field)) + more));
    } else {
        n = strtoll(json_string_value(json_object_get(leaf, field)), NULL, 10) + more;
        snprintf(text, sizeof(text), "%jd", (intmax_t)(n > 0 ? n : 0));
        json_object_set_new(leaf, field, json_string(text));
    }
    bytes = chain_leaf(type, leaf, &why);
    drop_triggers(db);
    if (!bytes || db_run(db, "UPDATE leaf SET bytes = ?2 WHERE idx = ?1", "it", idx, bytes))
        exit(99);
    free(bytes);
    json_decref(leaf);
    db_close(db);
}

static const struct mutation {
    unsigned invariant;
    const char *name;
    const char *sql;                    /* in ledger.db; or NULL */
    const char *leaf, *field;           /* which record, and what of it */
    int64_t more;
} mutations[] = {
    {INV_COUNTERS, "a counter falls in a record that bills", NULL, "type = 'end' AND number > 1", "guest_ns_1",
     INT64_MIN / 4},
    {INV_TELESCOPING, "a record begins a nanosecond late", NULL, "number > 0", "t0_ns", 1},
    {INV_TELESCOPING, "a number is skipped", NULL, "number > 0", "number", 1},
    {INV_ONCE, "a charge is posted again under another id",
     "INSERT INTO transfer SELECT (SELECT max(seq) + 1 FROM transfer), 'again',"
     " kind, debit, credit, amount_nano, pending_id, code, reason, refers, at_ms, expires_ms FROM transfer WHERE code "
     "= 'usage'"
     " LIMIT 1",
     NULL, NULL, 0},
    {INV_ONCE, "an acknowledged payment is gone", "DELETE FROM transfer WHERE transfer_id GLOB 'f[0-9]*'", NULL, NULL,
     0},
    {INV_KEY_AND_EFFECT, "the cursor stayed behind the charges", "UPDATE log SET charged_to = charged_to - 1", NULL,
     NULL, 0},
    {INV_AMOUNTS, "a charge is a nano too much",
     "UPDATE transfer SET amount_nano = amount_nano + 1 WHERE seq ="
     " (SELECT min(seq) FROM transfer WHERE code = 'usage')",
     NULL, NULL, 0},
    {INV_AMOUNTS, "an invoice number is missing",
     "UPDATE invoice SET number = number + 1 WHERE number ="
     " (SELECT max(number) FROM invoice)",
     NULL, NULL, 0},
    {INV_BALANCED, "a balance is a nano off",
     "UPDATE balance SET posted_nano = posted_nano + 1 WHERE account_id = 'ann'", NULL, NULL, 0},
    {INV_BALANCED, "a wallet was below zero for a while",
     "UPDATE transfer SET seq = seq + 1000000 WHERE transfer_id GLOB 'f[0-9]*'"
     " OR code = 'carried'",
     NULL, NULL, 0},
    {INV_SEGMENTS, "a size changes inside a chain", NULL, "number > 0", "vcpus", 1},
    {INV_SEGMENTS, "a price book changes inside a chain", NULL, "number > 0", "price_book", 1},
    {INV_APART, "use is booked as reservation",
     "UPDATE transfer SET credit = 'revenue:vcpu_reserved' WHERE code = 'usage'"
     " AND credit = 'revenue:cpu_used'",
     NULL, NULL, 0},
    {INV_CONSERVED, "a record has more than the CPUs ran", NULL, "type = 'end' AND number > 1", "guest_ns_1",
     1000000000000000},
    {INV_LOG, "a leaf is another than was signed", NULL, "number > 0", "samples", 1},
};

static void mutate(struct sim *sim, const struct mutation *m)
{
    unsigned broken;

    sim->loud = false;
    sim_play(sim, 11, 60);
    broken = oracle_broken(sim);
    if (!check(sim->alive && broken == 0, "before \"%s\" all is well (%x)", m->name, broken)) {
        sim_end(sim);
        return;
    }
    if (m->sql) {
        drop_triggers(sim->life.a.ledger->db);
        if (db_run(sim->life.a.ledger->db, "PRAGMA foreign_keys = OFF", "") ||
            db_run(sim->life.a.ledger->db, m->sql, ""))
            exit(99);
    } else {
        change_leaf(sim, m->leaf, m->field, m->more);
    }
    broken = oracle_broken(sim);
    check(broken & 1u << m->invariant, "%s: invariant %u is found broken (%x)", m->name, m->invariant, broken);
    sim_end(sim);
}

int main(int argc, char **argv)
{
    static struct sim sim;

    /* Seeds take and give back the same memory. */
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        return 99;
    if (argc > 3 && strcmp(argv[1], "--seed") == 0) {
        check(play(&sim, strtoull(argv[2], NULL, 10), (unsigned)atoi(argv[3]), true), "seed %s", argv[2]);
        return tap_end();
    }
    for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        check(play(&sim, kept[i].seed, kept[i].steps, true), "seed %ju, which failed once", (uintmax_t)kept[i].seed);
    for (unsigned i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++)
        mutate(&sim, &mutations[i]);
    play_all(1000, STEPS);
    if (argc > 1 && strcmp(argv[1], "--long") == 0)
        play_all(1000 + SEEDS, 4 * STEPS);
    return tap_end();
}
