/* How fast the money is: what a second's sample, an interval's records, a month's invoices and a guest-month's bundle
 * cost, through the daemon's own code. Each measure is a process of its own, so that peaks of memory are its own.
 *
 *     billing sample DIR       a tick of the loop in which no record is due, of a full stats page
 *     billing leaves DIR       1,000 records and the signed head over them; then their charging
 *     billing month DIR N      1,000 accounts, each with a guest of N records, invoiced by the monthly run
 *     billing guest BUNDLE     one guest's 43,200 records of 30 days, in memory: the invoice's bundle, copied to BUNDLE
 *
 * DIR is on the disk that is to be measured. Prints a line for each figure: name, wall, CPU (both ms), and after `peak`
 * the process's most resident memory (kB), after `bytes` a size. CPU is of this process, which other load on the
 * machine disturbs far less than the wall. */
#include "accountd/bundle.h"
#include "accountd/ledger/hledger.h"
#include "tests/accountd/fleet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define S      1000000000ull
#define MINUTE (60 * S)
#define DAY    (86400 * S)
#define HALF   500                      /* of the 1,000: they come to the page one half after the other */

struct stopwatch {
    struct timespec wall, cpu;
};

static void must(bool good)
{
    if (good)
        return;
    fprintf(stderr, "billing: failed, see above\n");
    exit(1);
}

static struct stopwatch start(void)
{
    struct stopwatch w;

    clock_gettime(CLOCK_MONOTONIC, &w.wall);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &w.cpu);
    return w;
}

static double ms_between(const struct timespec *a, const struct timespec *b)
{
    return (double)(b->tv_sec - a->tv_sec) * 1e3 + (double)(b->tv_nsec - a->tv_nsec) / 1e6;
}

static void say(const char *name, const struct stopwatch *from, double times)
{
    struct stopwatch now = start();

    printf("%s %.3f %.3f\n", name, ms_between(&from->wall, &now.wall) / times, ms_between(&from->cpu, &now.cpu) / times);
    fflush(stdout);
}

/* From here on the peak is counted anew. */
static void forget_peak(void)
{
    FILE *out = fopen("/proc/self/clear_refs", "we");

    must(out && fputs("5", out) >= 0 && fclose(out) == 0);
}

static void say_peak(const char *name)
{
    char line[128];
    FILE *in = fopen("/proc/self/status", "re");
    long kb = 0;

    while (in && fgets(line, sizeof(line), in))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            printf("%s peak %ld\n", name, kb);
    must(in && fclose(in) == 0);
}

static void begin(struct life *life, const char *dir)
{
    life_at = dir;
    life_prices = fleet_prices;
    life_begin(life);
    life->a.sample.slots = XS_STATS_SLOTS;
}

static void sample(const char *dir)
{
    enum { TIMES = 50 };
    static struct life life;
    struct stopwatch from;
    char path[400];

    begin(&life, dir);
    for (unsigned i = 1; i <= FLEET_PAGE; i++)
        fleet_birth(&life, i, i, i);
    fleet_work(&life, FLEET_PAGE, S);
    snprintf(path, sizeof(path), "%s/page", life.dir);
    fleet_page(&life, path);
    life.a.page = stats_page_file(path);
    life.a.acker = acker_new("/nonexistent");
    /* The first writes what is due, and the rates are of two. */
    for (int i = 0; i < 3; i++)
        must(accountd_tick(&life.a, 0, NULL) == 0);
    from = start();
    for (int i = 0; i < TIMES; i++)
        sample_take(life.a.page, &life.a.sample);
    say("sample-copy", &from, TIMES * FLEET_PAGE / 1000.0);
    from = start();
    for (int i = 0; i < TIMES; i++)
        must(accountd_tick(&life.a, 0, NULL) == 0);
    say("sample-tick", &from, TIMES * FLEET_PAGE / 1000.0);
    must(life.a.samples == TIMES + 3 && life.a.conservation_ok);
    life_end(&life);
}

/* One durable write of a page, as a commit makes. */
static void measure_sync(const char *dir)
{
    enum { TIMES = 20 };
    char path[400], page[4096] = { 0 };
    struct stopwatch from;
    int fd;

    snprintf(path, sizeof(path), "%s/sync", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0);
    from = start();
    for (int i = 0; i < TIMES; i++)
        must(pwrite(fd, page, sizeof(page), i * (off_t)sizeof(page)) == (ssize_t)sizeof(page) && fdatasync(fd) == 0);
    say("sync", &from, TIMES);
    close(fd);
    unlink(path);
}

static void interval(struct life *life)
{
    life->now_ns += MINUTE;
    fleet_work(life, HALF, MINUTE);
    life->a.sample.now_ns = life->now_ns;
    life->a.clock.utc_ms += 60000;
    must(journal_take(&life->a.journal, &life->a.sample, &life->a.clock, 0, NULL) == 0);
}

static void leaves(const char *dir)
{
    enum { ROUNDS = 10 };
    static struct life life;
    double writing[2] = { 0 }, charging[2] = { 0 };

    begin(&life, dir);
    for (unsigned i = 1; i <= HALF; i++)
        fleet_birth(&life, i, i, i);
    must(life_step(&life, S) == 0);
    measure_sync(life.dir);
    for (int i = 0; i < ROUNDS; i++) {
        struct stopwatch a = start(), b, c;
        uint64_t size = life.a.head.size;

        interval(&life);
        interval(&life);
        must(head_sign(&life.a.head, life.a.clock.utc_ms) == 0 && life.a.head.size == size + 2 * HALF);
        b = start();
        must(charge_run(&life.a) == 0);
        c = start();
        writing[0] += ms_between(&a.wall, &b.wall) / ROUNDS;
        writing[1] += ms_between(&a.cpu, &b.cpu) / ROUNDS;
        charging[0] += ms_between(&b.wall, &c.wall) / ROUNDS;
        charging[1] += ms_between(&b.cpu, &c.cpu) / ROUNDS;
    }
    printf("leaves %.3f %.3f\ncharge %.3f %.3f\n", writing[0], writing[1], charging[0], charging[1]);
    life_end(&life);
}

/* Twelve days of a half's guests. */
static void live_on(struct life *life, unsigned first, unsigned records)
{
    for (unsigned i = 1; i <= HALF; i++)
        fleet_birth(life, i, first + i, first + i);
    for (unsigned step = 0; step < records; step++) {
        must(life_step(life, S) == 0);
        fleet_work(life, HALF, 12 * DAY / records);
        life->now_ns += 12 * DAY / records;
    }
    for (unsigned i = 1; i <= HALF; i++)
        life_death(life, i);
    must(life_step(life, S) == 0);
    for (unsigned i = 1; i <= HALF; i++)
        *life_slot(life, i) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
}

static int count_invoice(void *arg, const struct ledger_invoice *invoice)
{
    (void)invoice;
    ++*(int *)arg;
    return 0;
}

static int make_bundle(void *arg, const struct ledger_invoice *invoice)
{
    struct { struct accountd *a; char path[512]; } *got = arg;
    struct json_why why;

    return invoice_bundle(got->a, invoice, got->path, sizeof(got->path), &why);
}

/* The life begins on 2023-11-14. */
#define TO_DECEMBER (17 * DAY)
#define TO_JANUARY  (32 * DAY)

static void month(const char *dir, unsigned records)
{
    static struct life life;
    struct { struct accountd *a; char path[512]; } got = { .a = &life.a };
    struct stopwatch from;
    char name[32];
    int invoices = 0;

    begin(&life, dir);
    life.now_ns += TO_DECEMBER;
    for (unsigned half = 0; half < 2; half++)
        live_on(&life, half * HALF, records);
    life.now_ns = TO_DECEMBER + TO_JANUARY;
    must(life_step(&life, S) == 0);
    from = start();
    for (int before = -1; before < invoices;) {
        before = invoices;
        invoices = 0;
        must(invoice_month_run(&life.a) == 0 && ledger_each_invoice(life.a.ledger, NULL, 0, -1, count_invoice, &invoices) == 0);
    }
    snprintf(name, sizeof(name), "month-%u", records);
    say(name, &from, 1);
    must(invoices == 2 * HALF);
    from = start();
    must(ledger_each_invoice(life.a.ledger, "acc7", 0, -1, make_bundle, &got) == 0);
    snprintf(name, sizeof(name), "bundle-%u", records);
    say(name, &from, 1);
    life_end(&life);
}

static void copy_to(const char *from, const char *to)
{
    char command[1100];

    snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
    must(system(command) == 0);
}

static int make_journal(struct life *life, const char *account)
{
    char path[128];
    struct stat st;
    FILE *out;

    snprintf(path, sizeof(path), "%s/journal", life->dir);
    out = fopen(path, "we");
    must(out && hledger_write(life->a.ledger, account, 0, out) == 0 && fclose(out) == 0 && stat(path, &st) == 0);
    printf("journal bytes %jd\n", (intmax_t)st.st_size);
    return 0;
}

static void guest(const char *bundle)
{
    enum { MINUTES = 30 * 24 * 60 };
    static struct life life;
    struct { struct accountd *a; char path[512]; } got = { .a = &life.a };
    json_t *invoice = NULL;
    struct json_why why;
    struct stopwatch from;

    begin(&life, NULL);
    life.now_ns += TO_DECEMBER;
    fleet_birth(&life, 1, 1, 1);
    from = start();
    must(life_step(&life, S) == 0);
    for (int i = 0; i < MINUTES; i++) {
        fleet_work(&life, 1, MINUTE);
        must(life_step(&life, MINUTE) == 0);
    }
    say("guest-month-live", &from, 1);
    must(invoice_create(&life.a, "inv", fleet_account(1, (char[16]){ 0 }), &invoice, &why) == LEDGER_OK);
    json_decref(invoice);
    forget_peak();
    from = start();
    must(ledger_each_invoice(life.a.ledger, "acc1", 0, -1, make_bundle, &got) == 0);
    say("bundle", &from, 1);
    say_peak("bundle");
    copy_to(got.path, bundle);
    forget_peak();
    from = start();
    make_journal(&life, "acc1");
    say("journal", &from, 1);
    say_peak("journal");
    life_end(&life);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "sample") == 0)
        sample(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "leaves") == 0)
        leaves(argv[2]);
    else if (argc == 4 && strcmp(argv[1], "month") == 0 && atoi(argv[3]) > 0)
        month(argv[2], (unsigned)atoi(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "guest") == 0)
        guest(argv[2]);
    else
        return fprintf(stderr, "usage: billing sample|leaves DIR, billing month DIR RECORDS, billing guest BUNDLE\n"), 2;
    return 0;
}
