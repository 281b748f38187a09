/* Backups that were put back over newer files: each is refused before anything
 * is signed, and the newer files start again. */
#include "tests/accountd/life.h"
#include "accountd/ledger/fund.h"
#include "tests/tap/tap.h"

#include <stdlib.h>

#define S 1000000000ull

static bool in_state(const struct life *life, const char *command)
{
    char text[400];

    snprintf(text, sizeof(text), "cd %s && %s", life->dir, command);
    return system(text) == 0;
}

/* A backup, then an hour of money and use. */
static void make_history(struct life *life)
{
    life_begin(life);
    life_account(life, "acc", 1000000000);
    life_birth(life, 2, 0xaa);
    if (life_register(life, "acc", "ins", 0xaa) != LEDGER_OK || life_step(life, 61 * S) != 0)
        exit(99);
    accountd_close(&life->a);
    if (!in_state(life, "mkdir old && cp usage.db* ledger.db* old") || !life_reopen(life) ||
        ledger_fund(life->a.ledger, "t2", "acc", 77, NULL, "later", 5) != LEDGER_OK || life_step(life, 3600 * S) != 0)
        exit(99);
}

static void refused(const char *files, bool copy_elsewhere)
{
    struct life life;
    char command[300], path[100];
    int64_t posted;
    FILE *out;

    make_history(&life);
    posted = life_posted(&life, "acc");
    snprintf(path, sizeof(path), "%s/head-copy", life.dir);
    out = fopen(path, "we");
    if (!out || fputs(life.a.head.note, out) < 0 || fclose(out) != 0)
        exit(99);
    life.head_copy = copy_elsewhere ? path : NULL;
    accountd_close(&life.a);
    snprintf(command, sizeof(command),
             "mkdir new && cp usage.db* ledger.db* new && for f in %s; do rm -f $f* && cp old/$f* .; done", files);
    check(in_state(&life, command) && !life_reopen(&life), "an old copy of %s%s is refused", files,
          copy_elsewhere ? ", with a head kept elsewhere," : "");
    accountd_close(&life.a);
    check(in_state(&life, "rm -f usage.db* ledger.db* && cp new/* .") && life_reopen(&life) &&
              life_step(&life, 60 * S) == 0 && life_posted(&life, "acc") < posted && life_is_sound(&life),
          "the newer files go on");
    life.head_copy = NULL;
    life_end(&life);
}

/* An entry that came after the newest head, or a charge that came before it: neither order of the two files is an old
 * copy. */
static void not_refused(void)
{
    struct life life;

    make_history(&life);
    check(ledger_fund(life.a.ledger, "t3", "acc", 5, NULL, "after the head", 6) == LEDGER_OK && life_reopen(&life),
          "a ledger that is ahead of the newest head starts");
    life_end(&life);
}

int main(void)
{
    refused("usage.db", false);
    refused("ledger.db", false);
    refused("usage.db ledger.db", true);
    not_refused();
    return tap_end();
}
