/* Durable transfers a second through ledger.h, beside SQLite alone: a table of
 * the same columns without index, check or trigger, one prepared INSERT, the
 * same disk, WAL and synchronous=FULL. Both take turns, round by round, in one
 * process, so that what the disk does meanwhile is done to both.
 *
 *     ledger DIR [ROUNDS]
 *
 * The ledger looks up the id, both accounts and the money, keeps three indexes and two
 * balances; SQLite alone does none of it. Prints a line for each measure: name, ours, theirs (a second). */
#include "accountd/ledger/ledger.h"
#include "common/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ALONE 200                       /* commits in a turn */
#define BATCH 1000                      /* transfers in a batch */
#define CUSTOMERS 100

static const struct db_migration plain_table[] = {
    { "0001-plain", "CREATE TABLE plain (seq INTEGER PRIMARY KEY, transfer_id TEXT, kind TEXT, debit TEXT, credit TEXT,"
                    " amount_nano INTEGER, pending_id TEXT, code TEXT, reason TEXT, refers TEXT, at_ms INTEGER,"
                    " expires_ms INTEGER) STRICT" },
};

static struct ledger *ledger;
static sqlite3 *plain;
static sqlite3_stmt *plain_insert;
static uint64_t made;                   /* transfers so far */

static void must(bool good)
{
    if (good)
        return;
    fprintf(stderr, "ledger: failed, see above\n");
    exit(1);
}

static void name_customer(char name[static 16], uint64_t number)
{
    snprintf(name, 16, "acc_%" PRIu64, number % CUSTOMERS);
}

/* A charge, as metering makes them. */
static void with_charge(void (*fn)(const struct ledger_transfer *t))
{
    char id[LEDGER_ID_BYTES], debit[16], refers[64];
    uint64_t number = made++;

    name_customer(debit, number);
    snprintf(refers, sizeof(refers), "leaf bench.host/usage/e1 %" PRIu64, number / 7);
    ledger_derive_id(id, "charge %" PRIu64, number);
    fn(&(struct ledger_transfer){ .id = id, .kind = "posted", .debit = debit, .credit = "revenue:cpu_used",
                                  .amount_nano = 1 + (int64_t)(number % 999), .code = "usage", .reason = "cpu_used",
                                  .refers = refers, .at_ms = 1700000000000 + (int64_t)number });
}

static void ours_locked(const struct ledger_transfer *t)
{
    must(ledger_apply_locked(ledger, t) == LEDGER_OK);
}

static void ours_alone(const struct ledger_transfer *t)
{
    must(ledger_apply(ledger, t) == LEDGER_OK);
}

/* The texts outlive the step, so none is copied. */
static void plain_text(int column, const char *text)
{
    must(sqlite3_bind_text(plain_insert, column, text, -1, SQLITE_STATIC) == SQLITE_OK);
}

static void plain_locked(const struct ledger_transfer *t)
{
    plain_text(1, t->id);
    plain_text(2, t->kind);
    plain_text(3, t->debit);
    plain_text(4, t->credit);
    must(sqlite3_bind_int64(plain_insert, 5, t->amount_nano) == SQLITE_OK);
    plain_text(6, t->pending_id);
    plain_text(7, t->code);
    plain_text(8, t->reason);
    plain_text(9, t->refers);
    must(sqlite3_bind_int64(plain_insert, 10, t->at_ms) == SQLITE_OK);
    must(sqlite3_step(plain_insert) == SQLITE_DONE);
    must(sqlite3_reset(plain_insert) == SQLITE_OK);
}

static void ours_batch(void)
{
    must(ledger_begin(ledger) == 0);
    for (int i = 0; i < BATCH; i++)
        with_charge(ours_locked);
    must(ledger_commit(ledger) == 0);
}

static void plain_batch(void)
{
    must(db_begin(plain) == 0);
    for (int i = 0; i < BATCH; i++)
        with_charge(plain_locked);
    must(db_commit(plain) == 0);
}

static void ours_one_by_one(void)
{
    for (int i = 0; i < ALONE; i++)
        with_charge(ours_alone);
}

/* A statement by itself is a transaction. */
static void plain_one_by_one(void)
{
    for (int i = 0; i < ALONE; i++)
        with_charge(plain_locked);
}

static double seconds_of(void (*turn)(void))
{
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    turn();
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void measure(const char *name, int rounds, int transfers, void (*ours)(void), void (*theirs)(void))
{
    double ours_s = 0, theirs_s = 0;

    /* A turn each that is not counted: the files grow for the first time. */
    ours();
    theirs();
    for (int i = 0; i < rounds; i++) {
        ours_s += seconds_of(ours);
        theirs_s += seconds_of(theirs);
    }
    printf("%s %.0f %.0f\n", name, rounds * transfers / ours_s, rounds * transfers / theirs_s);
    fflush(stdout);
}

static void open_both(const char *dir)
{
    char path[512], name[16];

    snprintf(path, sizeof(path), "%s/ledger.db", dir);
    ledger = ledger_open(path);
    snprintf(path, sizeof(path), "%s/plain.db", dir);
    plain = db_open(path, plain_table, 1);
    must(ledger && plain);
    must(sqlite3_prepare_v3(plain, "INSERT INTO plain VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL)", -1,
                            SQLITE_PREPARE_PERSISTENT, &plain_insert, NULL) == SQLITE_OK);
    for (uint64_t i = 0; i < CUSTOMERS; i++) {
        name_customer(name, i);
        must(ledger_account_open(ledger, name, "A Customer", LEDGER_CURRENCY, 1) == LEDGER_OK);
        must(ledger_apply(ledger, &(struct ledger_transfer){.id = name,
                                                            .kind = "posted",
                                                            .debit = LEDGER_DEPOSITS_BANK,
                                                            .credit = name,
                                                            .amount_nano = LEDGER_AMOUNT_MAX / 1000,
                                                            .code = "bank",
                                                            .reason = "",
                                                            .refers = ""}) == LEDGER_OK);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 20;
    char differs[LEDGER_ACCOUNT_BYTES];
    struct timespec a, b;

    if (argc < 2 || rounds < 1) {
        fprintf(stderr, "usage: ledger DIR [ROUNDS]\n");
        return 2;
    }
    open_both(argv[1]);
    measure("alone", rounds, ALONE, ours_one_by_one, plain_one_by_one);
    measure("batched", rounds, BATCH, ours_batch, plain_batch);
    clock_gettime(CLOCK_MONOTONIC, &a);
    must(ledger_audit(ledger, differs) == LEDGER_OK);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("audit %.0f %" PRId64 "\n", (double)ledger_last_seq(ledger) / ((double)(b.tv_sec - a.tv_sec) +
           (double)(b.tv_nsec - a.tv_nsec) / 1e9), ledger_last_seq(ledger));
    sqlite3_finalize(plain_insert);
    db_close(plain);
    ledger_close(ledger);
    return 0;
}
