/* One turn of the loop: sample, record, sign, charge, free. In this order,
 * each step on what the step before made durable. */
#include "accountd/accountd.h"
#include "accountd/invoice.h"
#include "common/log.h"

#include <string.h>
#include <sys/timex.h>

/* hv charges a CPU and a slot one after the other, and we read them at two
 * instants: so much may be between the sums, and only for so many samples. */
#define SETTLE_NS_PER_CPU 100000000ull
#define UNSETTLED_MAX     3

static struct journal_clock read_clock(void)
{
    struct timex t = { .modes = 0 };
    struct journal_clock clock = { .utc_ms = clock_unix_ms() };

    /* The kernel's own bound; unsynchronised, it grows to 16 s. */
    clock.error_ms = adjtimex(&t) < 0 || t.maxerror < 0 ? 16000 : t.maxerror / 1000;
    return clock;
}

static bool cpus_conserved(const struct sample *s)
{
    for (uint32_t i = 0; i < s->cpus; i++)
        if (s->cpu_read[i] && !meter_cpu_conserved(&s->cpu[i])) {
            const struct xs_stats_cpu *c = &s->cpu[i];

            log_warnx("cpu %u: books do not close: guest %ju + hv %ju + idle %ju is not %ju - %ju ns", i,
                      (uintmax_t)c->guest_ns, (uintmax_t)c->hv_ns, (uintmax_t)c->idle_ns,
                      (uintmax_t)c->charged_until_ns, (uintmax_t)c->online_ns);
            return false;
        }
    return true;
}

/* What all slots together claim to have run can never pass what the CPUs ran.
 * The other way does not hold here: freed slots are no longer on the page. */
static bool slots_within_cpus(const struct sample *s)
{
    unsigned __int128 slots = 0, cpus = (unsigned __int128)s->cpus * SETTLE_NS_PER_CPU;

    for (uint32_t i = 0; i < s->cpus; i++) {
        if (!s->cpu_read[i])
            return true;
        cpus += (unsigned __int128)s->cpu[i].guest_ns + s->cpu[i].hv_ns;
    }
    for (uint32_t i = 0; i < s->slots; i++)
        if (s->slot_read[i] == SAMPLE_READ)
            slots += (unsigned __int128)s->slot[i].guest_ns + s->slot[i].hv_ns;
    return slots <= cpus;
}

static void check_conservation(struct accountd *a)
{
    bool ok = cpus_conserved(&a->sample);

    a->unsettled = slots_within_cpus(&a->sample) ? 0 : a->unsettled + 1;
    if (a->unsettled >= UNSETTLED_MAX)
        ok = false;
    if (a->unsettled == UNSETTLED_MAX)
        log_warnx("conservation: the domains' CPU time passes what the CPUs ran: the meter is wrong");
    if (ok && !a->conservation_ok)
        log_info("conservation: the books close again");
    a->conservation_ok = ok;
}

static void take_sample(struct accountd *a, int64_t misses)
{
    sample_take(a->page, &a->sample);
    a->clock = read_clock();
    a->sampled_ms = clock_monotonic_ms();
    a->samples++;
    a->misses += misses;
    check_conservation(a);
}

/* Who has been paused, or runs again, turns its records by a sample of this moment. */
void accountd_answers(struct accountd *a)
{
    char incarnation[RECORD_HEX_BYTES];

    while (acker_done(a->acker, incarnation))
        journal_freed(&a->journal, incarnation);
    if (cap_answers(a))
        accountd_tick(a, 0, NULL);
}

/* Ended entries: ask for their slots, and forget those that hv has freed. */
static void free_tombstones(struct accountd *a)
{
    for (const struct journal_entry *e = a->journal.entries, *next; e; e = next) {
        next = e->next;
        if (!e->ended)
            continue;
        if (e->seen)
            acker_ask(a->acker, e->slot_index, e->incarnation);
        else if (e->slot_index >= a->sample.slots || a->sample.slot_read[e->slot_index] != SAMPLE_TORN)
            journal_freed(&a->journal, e->incarnation);
    }
}

int accountd_settle(struct accountd *a, int64_t misses, const char *account)
{
    uint64_t size = a->head.size;

    if (journal_take(&a->journal, &a->sample, &a->clock, misses, account) || head_sign(&a->head, a->clock.utc_ms))
        return -1;
    if (a->head.size != size)
        publish_wake(a->publish);
    /* Last: what has just been released may go back with the rest of its purchase order. */
    return charge_run(a) || charge_release(a) || ledger_expire(a->ledger, a->clock.utc_ms) < 0 ||
           purchase_order_expire(a->ledger, a->clock.utc_ms) ? -1 : 0;
}

/* The host's books, when they are due: a leaf of its own, with a head. */
static int state_books(struct accountd *a)
{
    int rc = hostbooks_run(a);

    if (rc != 1)
        return rc;
    if (head_sign(&a->head, a->clock.utc_ms))
        return -1;
    publish_wake(a->publish);
    return charge_run(a);
}

int accountd_tick(struct accountd *a, int64_t misses, const char *account)
{
    int rc;

    take_sample(a, misses);
    cap_answers(a);
    cap_mark(a);
    rc = accountd_settle(a, misses, account);
    if (rc == 0)
        rc = cap_watch(a);
    if (rc == 0)
        rc = invoice_month_run(a);
    if (rc == 0)
        rc = state_books(a);
    /* An entry is marked as ended when its end is durable: hv's copy is not
     * needed then, whatever else went wrong. */
    free_tombstones(a);
    return rc;
}
