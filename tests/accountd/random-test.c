/* Random lives against an oracle of plain sums: domains are born, registered,
 * run, die, are freed; accountd and the host are restarted in between. What is
 * billed never passes what was used, is exactly that for who ended in view,
 * and falls short by at most the interval for whom a host crash took.
 */
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S       1000000000ull
#define SLOTS   6
#define LIVES   200                     /* tags are bytes */
#define STEPS   1500

/* What the oracle knows of one domain. */
struct fate {
    char instance[16];
    unsigned slot;
    uint64_t born_ns, cpu_ns;
    uint64_t cpu_recorded_ns;           /* at a sample whose record must exist: a minute's end before the newest */
    unsigned __int128 page_ns;
    bool registered, live, dead, lost;
};

static struct fate fates[LIVES];
static unsigned born;
static uint64_t state;

static unsigned dice(unsigned sides)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % sides;
}

static struct fate *in_slot(unsigned slot)
{
    for (unsigned i = 0; i < born; i++)
        if (fates[i].slot == slot && (fates[i].live || fates[i].dead))
            return &fates[i];
    return NULL;
}

static void give_birth(struct life *life, unsigned slot)
{
    struct fate *f = &fates[born];

    if (born == LIVES)
        return;
    *f = (struct fate){ .slot = slot, .born_ns = life->now_ns, .live = true };
    snprintf(f->instance, sizeof(f->instance), "ins%u", born);
    life_birth(life, slot, (uint8_t)(born + 1))->pages = dice(100000);
    born++;
}

static uint8_t tag_of(const struct fate *f)
{
    return (uint8_t)(f - fates + 1);
}

static void change_pages(struct life *life, unsigned slot)
{
    struct xs_stats_slot *s = life_slot(life, slot);
    unsigned __int128 integral = (unsigned __int128)s->page_ns_hi << 64 | s->page_ns_lo;

    integral += (unsigned __int128)s->pages * (life->now_ns - s->page_since_ns);
    s->page_ns_lo = (uint64_t)integral;
    s->page_ns_hi = (uint64_t)(integral >> 64);
    s->page_since_ns = life->now_ns;
    s->pages = dice(100000);
}

static void fall_down(struct life *life, struct fate *f)
{
    const struct xs_stats_slot *s;

    life_death(life, f->slot);
    s = life_slot(life, f->slot);
    f->page_ns = (unsigned __int128)s->page_ns_hi << 64 | s->page_ns_lo;
    f->born_ns = s->died_ns - f->born_ns;       /* from now on, how long it lived */
    f->live = false;
    f->dead = true;
}

static void host_restarts(struct life *life)
{
    for (unsigned slot = 2; slot < SLOTS; slot++) {
        struct fate *f = in_slot(slot);

        /* Who died before the crash, but after the newest sample, is lost too. */
        if (f && !(f->dead && life_leaves(life, "acc", f->instance, "end"))) {
            f->lost = true;
            f->live = f->dead = false;
        } else if (f) {
            f->dead = false;
        }
        *life_slot(life, slot) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
    }
    life->boot++;
    life->now_ns = S * (1 + dice(100));
}

static void happen(struct life *life)
{
    unsigned slot = 2 + dice(SLOTS - 2);
    struct fate *f = in_slot(slot);

    if (!f)
        give_birth(life, slot);
    else if (f->live && !f->registered)
        f->registered = life_register(life, "acc", f->instance, tag_of(f)) == LEDGER_OK;
    else if (f->live && dice(8) == 0)
        fall_down(life, f);
    else if (f->live)
        change_pages(life, slot);
    else if (life_leaves(life, f->registered ? "acc" : "host", f->registered ? f->instance : NULL, "end")) {
        journal_freed(&life->a.journal, life_hex(tag_of(f)));
        *life_slot(life, slot) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
        f->dead = false;
    }
}

/* Time passes: whoever lives uses some of it. */
static void run_on(struct life *life, uint64_t ns)
{
    for (unsigned i = 0; i < born; i++)
        if (fates[i].live) {
            uint64_t used = ns / (1 + dice(4));

            fates[i].cpu_ns += used;
            life_slot(life, fates[i].slot)->guest_ns += used - used / 10;
            life_slot(life, fates[i].slot)->hv_ns += used / 10;
        }
}

static bool fits(struct life *life, const struct fate *f)
{
    struct meter_usage b = life_billed(life, "acc", f->instance);
    bool ended = f->registered && !f->live && !f->lost;
    bool good = b.of[METER_CPU_USED] <= f->cpu_ns;

    if (!f->registered)
        good = b.of[METER_CPU_USED] == 0 && b.of[METER_MEMORY_USED] == 0;
    if (f->lost && f->registered)
        good = good && b.of[METER_CPU_USED] >= f->cpu_recorded_ns;
    if (ended && life_leaves(life, "acc", f->instance, "end"))
        good = b.of[METER_CPU_USED] == f->cpu_ns && b.of[METER_MEMORY_USED] == f->page_ns &&
               b.of[METER_VCPU_RESERVED] == (unsigned __int128)f->born_ns * 2;
    if (!good)
        printf("# %s: billed %ju, used %ju\n", f->instance, (uintmax_t)b.of[METER_CPU_USED], (uintmax_t)f->cpu_ns);
    return good;
}

/* At a sample that ended a minute, everything registered has a record of it. */
static void note_records(bool minute_ended)
{
    for (unsigned i = 0; i < born; i++)
        if (fates[i].live && fates[i].registered && minute_ended)
            fates[i].cpu_recorded_ns = fates[i].cpu_ns;
}

static void one_history(uint64_t seed)
{
    struct life life;
    unsigned restarts = 0, crashes = 0, misfits = 0, lost = 0;
    int64_t total = 0;
    bool alive = true;
    json_t *body = NULL;
    struct json_why why;

    memset(fates, 0, sizeof(fates));
    born = 0;
    state = seed;
    life_begin(&life);
    life_account(&life, "acc", 1000000000000000);
    for (unsigned step = 0; step < STEPS && alive; step++) {
        uint64_t ns = S / 2 + dice(20) * S, before = life.now_ns;

        run_on(&life, ns);
        if (dice(100) == 0 && ++restarts)
            alive = life_reopen(&life);
        else if (dice(150) == 0 && ++crashes)
            host_restarts(&life);
        alive = alive && life_step(&life, ns) == 0;
        note_records(life.now_ns / LIFE_INTERVAL_NS > before / LIFE_INTERVAL_NS);
        happen(&life);
    }
    for (unsigned i = 0; i < born; i++) {
        misfits += !fits(&life, &fates[i]);
        lost += fates[i].lost;
    }
    check(alive && born > 50 && crashes > 0 && restarts > 0 && misfits == 0,
          "history %ju: %u lives, %u restarts, %u host crashes that took %u: all billed as they must be",
          (uintmax_t)seed, born, restarts, crashes, lost);
    accountd_settle(&life.a, 0, "acc");
    if (invoice_create(&life.a, "inv", "acc", &body, &why) == LEDGER_OK)
        json_decimal_parse(json_string_value(json_object_get(body, "total_nano")), &total);
    check(total > 0 && life_posted(&life, "acc") == 1000000000000000 - total, "history %ju: the wallet paid the invoice's"
          " %jd nano", (uintmax_t)seed, (intmax_t)total);
    check(life_is_sound(&life), "history %ju: the log and the ledger are sound", (uintmax_t)seed);
    json_decref(body);
    life_end(&life);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        one_history(seed);
    return tap_end();
}
