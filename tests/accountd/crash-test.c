/* Money under kill -9, power cuts and failing disks. The story (story.c) is told
 * once without a break, with every change of the disk written down (disk.h).
 * Then, for each change, the folder is made what the ending leaves right after
 * it; accountd starts on that, goes on from the act that was not
 * acknowledged, and the books must be those of the story without a break: what was
 * acknowledged is there, nothing is there twice. At every 64th point the
 * story is told to its end.
 *
 * Then each act meets a disk that fails at its n-th call: it is refused, not
 * half done, and the next try of the same process succeeds; or it is
 * acknowledged, and then it is there after a restart.
 *
 *   crash-test              every change, all endings; faults at some calls
 *   crash-test --long       twenty seeds for what is left to chance, not four; faults at all calls
 *   crash-test --at N       one change, all endings, with what is logged
 */
#include "tests/accountd/disk.h"
#include "tests/accountd/story.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTS_MAX 64
#define WORKERS  2

static struct moment {
    struct life life;                   /* hv's part of the act has happened, the act has not */
    size_t begun, acknowledged;         /* in changes of the disk */
    char *books;                        /* after it */
} moments[ACTS_MAX];

/* Shared between the workers. */
static struct counts {
    unsigned points[DISK_ENDINGS], wrong[DISK_ENDINGS];
    unsigned faults[DISK_FAULTS], refused[DISK_FAULTS], bad[DISK_FAULTS];
} *counts;

static bool do_act(struct life *life, unsigned k)
{
    disk_clock(story_ms(life));
    life->a.sample.now_ns = life->now_ns;
    return story[k].act(life);
}

/* Tells the story without a break, and remembers each moment of it. */
static bool tell(void)
{
    static struct life life;

    life_prices = story_prices;
    disk_clock(1700000000000);
    life_begin(&life);
    accountd_close(&life.a);
    disk_watch(life.dir);
    if (!life_reopen(&life))
        return false;
    for (unsigned k = 0; k < story_acts; k++) {
        if (story[k].hv)
            story[k].hv(&life);
        moments[k].life = life;
        moments[k].begun = disk_changes();
        if (!do_act(&life, k)) {
            printf("# act %u, %s: refused\n", k, story[k].name);
            return false;
        }
        moments[k].acknowledged = disk_changes();
        moments[k].books = books_text(&life);
    }
    disk_rest();
    life_end(&life);
    return true;
}

/* The host at this moment, with accountd not running. */
static struct life *host_at(unsigned k, const char *dir)
{
    static struct life life;

    life = (struct life){ .now_ns = moments[k].life.now_ns, .boot = moments[k].life.boot };
    life.a.sample = moments[k].life.a.sample;
    life.a.clock = moments[k].life.a.clock;
    snprintf(life.dir, sizeof(life.dir), "%s", dir);
    disk_clock(story_ms(&life));
    return &life;
}

static bool same_books(struct life *life, const char *expected, const char *where)
{
    char *got = books_text(life);
    bool same = strcmp(got, expected) == 0, sound = life_is_sound(life);

    if (!same || !sound)
        printf("# %s: %s%s\n", where, same ? "" : "other books ", sound ? "" : "not sound");
    if (!same)
        books_differ(expected, got);
    free(got);
    return same && sound;
}

/* Starts on what is left, and tells on from act k, `count` acts. */
static bool goes_on(unsigned k, unsigned count, const char *dir, const char *where)
{
    struct life *life;
    bool good = true;

    if (k == story_acts)
        k--;
    life = host_at(k, dir);
    if (!life_reopen(life)) {
        printf("# %s: does not start\n", where);
        accountd_close(&life->a);
        return false;
    }
    for (unsigned i = k; good && i < story_acts && i < k + count; i++) {
        if (i > k && story[i].hv)
            story[i].hv(life);
        good = do_act(life, i);
        if (!good)
            printf("# %s: then %s: refused\n", where, story[i].name);
    }
    good = good && same_books(life, moments[k + count > story_acts ? story_acts - 1 : k + count - 1].books, where);
    accountd_close(&life->a);
    return good;
}

static unsigned act_after(size_t changes)
{
    unsigned k = 0;

    while (k < story_acts && moments[k].acknowledged <= changes)
        k++;
    return k;
}

static bool one_point(const struct disk *disk, size_t n, enum disk_ending ending, uint64_t seed)
{
    unsigned k = act_after(n);
    struct life work = { .dir = "" };
    char where[160];
    bool good;

    snprintf(where, sizeof(where), "%s after change %zu, in %s (crash-test --at %zu)", disk_ending_names[ending], n,
             story[k < story_acts ? k : k - 1].name, n);
    strcpy(work.dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/xs-left-XXXXXX" : "/tmp/xs-left-XXXXXX");
    if (!mkdtemp(work.dir))
        exit(99);
    disk_leave(disk, ending, seed, work.dir);
    good = goes_on(k, n % 64 == 0 ? story_acts : 1, work.dir, where);
    life_end(&work);
    return good;
}

static void all_points(unsigned worker, unsigned seeds)
{
    struct disk *disk = disk_first();
    size_t n = 0;

    do {
        if (n % WORKERS != worker)
            continue;
        for (enum disk_ending e = DISK_KILL; e < DISK_ENDINGS; e++)
            for (unsigned seed = 0; seed < (e < DISK_TORN ? 1 : seeds); seed++) {
                bool good = e != DISK_KILL && disk_is_synced(disk) ? true : one_point(disk, n, e, n + seed);

                __atomic_add_fetch(&counts->points[e], e == DISK_KILL || !disk_is_synced(disk), __ATOMIC_SEQ_CST);
                __atomic_add_fetch(&counts->wrong[e], !good, __ATOMIC_SEQ_CST);
            }
    } while (n++, disk_step(disk));
}

/* The act with the disk failing at its n-th call; *hit: it has that many. */
static bool one_fault(const struct disk *disk, unsigned k, enum disk_fault fault, unsigned n, bool *hit, bool *refused)
{
    struct life work = { .dir = "/dev/shm/xs-fail-XXXXXX" }, *life;
    char where[160];
    bool good;

    if (access("/dev/shm", W_OK) != 0)
        strcpy(work.dir, "/tmp/xs-fail-XXXXXX");
    if (!mkdtemp(work.dir))
        exit(99);
    snprintf(where, sizeof(where), "%s at call %u of %s (act %u)", disk_fault_names[fault], n, story[k].name, k);
    disk_leave(disk, DISK_KILL, 0, work.dir);
    life = host_at(k, work.dir);
    disk_watch(work.dir);
    if (!life_reopen(life))
        exit(99);
    disk_fail(fault, n, fault == DISK_FULL ? 5 : 1);
    good = do_act(life, k);
    *hit = disk_failed();
    *refused = !good;
    if (!good && story[k].act == story[story_acts - 1].act)
        accountd_close(&life->a);
    good = good || do_act(life, k);
    if (!good)
        printf("# %s: refused again\n", where);
    good = good && same_books(life, moments[k].books, where);
    accountd_close(&life->a);
    disk_rest();
    good = good && life_reopen(life) && same_books(life, moments[k].books, where);
    accountd_close(&life->a);
    life_end(&work);
    return good;
}

static void faults_of(const struct disk *disk, unsigned k, enum disk_fault fault, unsigned stride)
{
    for (unsigned n = 1;; n += n < 4 ? 1 : stride) {
        bool hit, refused, good = one_fault(disk, k, fault, n, &hit, &refused);

        if (!hit && good)
            return;
        __atomic_add_fetch(&counts->faults[fault], 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&counts->refused[fault], refused, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&counts->bad[fault], !good, __ATOMIC_SEQ_CST);
        if (!hit)
            return;
    }
}

/* The disks are made first: watching anew forgets the story's changes. */
static void all_faults(unsigned worker, unsigned stride)
{
    static struct disk *disks[ACTS_MAX];

    for (unsigned k = worker; k < story_acts; k += WORKERS) {
        size_t n = 0;

        disks[k] = disk_first();
        while (n++ < moments[k].begun)
            disk_step(disks[k]);
    }
    for (unsigned k = worker; k < story_acts; k += WORKERS)
        for (enum disk_fault fault = DISK_FULL; fault < DISK_FAULTS; fault++)
            faults_of(disks[k], k, fault, stride);
}

/* The same in each worker, whose logs are of no interest: errors are what it is about. */
static bool in_workers(void (*work)(unsigned worker, unsigned how), unsigned how)
{
    bool good = true;
    int status;

    fflush(stdout);
    for (unsigned worker = 0; worker < WORKERS; worker++)
        if (fork() == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(99);
            work(worker, how);
            fflush(stdout);
            _exit(0);
        }
    while (wait(&status) > 0)
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return good;
}

static int at_one(size_t n)
{
    struct disk *disk = disk_first();

    for (size_t i = 0; i < n; i++)
        disk_step(disk);
    for (enum disk_ending e = DISK_KILL; e < DISK_ENDINGS; e++)
        check(one_point(disk, n, e, n), "%s at change %zu", disk_ending_names[e], n);
    return tap_end();
}

int main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "--long") == 0;
    unsigned total = 0;

    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED || story_acts > ACTS_MAX)
        return 99;
    if (!check(tell(), "the story without a break: %u acts", story_acts))
        return tap_end();
    if (argc > 2 && strcmp(argv[1], "--at") == 0)
        return at_one((size_t)atoi(argv[2]));
    check(in_workers(all_points, all ? 20 : 4), "%zu changes of the disk", disk_changes());
    for (enum disk_ending e = DISK_KILL; e < DISK_ENDINGS; e++) {
        check(counts->points[e] > 100 && counts->wrong[e] == 0, "%s at %u points: the books are the same (%u wrong)",
              disk_ending_names[e], counts->points[e], counts->wrong[e]);
        total += counts->points[e];
    }
    check(in_workers(all_faults, all ? 1 : 9), "every act on a failing disk");
    for (enum disk_fault f = DISK_FULL; f < DISK_FAULTS; f++) {
        check(counts->faults[f] > 50 && counts->refused[f] > 0 && counts->bad[f] == 0,
              "%s, %u times: %u refused, and done at the next try (%u wrong)", disk_fault_names[f], counts->faults[f],
              counts->refused[f], counts->bad[f]);
        total += counts->faults[f];
    }
    check(total >= 10000, "%u points in all", total);
    return tap_end();
}
