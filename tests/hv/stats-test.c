/* The stats page and the meter's hypercall: exact charging, the page-time integral, tombstones; a million random steps
 * of four CPUs with everything accounted for to the nanosecond; readers beside writers. */
#include "hv/stats/stats.h"
#include "hv/stats/channel.h"
#include "hv/arch/tsc.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/lib/string.h"
#include "hv/mm/page.h"
#include "tests/hv/harness.h"
#include "tests/hv/machine.h"
#include <xen/grant_table.h>
#include <xs/meter.h>
#include <xs/stats.h>

#include <pthread.h>

typedef unsigned __int128 uint128;

static const uint8_t boot_id[16] = "boot-identifier";

/* As a dom0 process sees them: by frame. */
static struct xs_stats_header *header(void)
{
    return mfn_to_virt(stats_frame(0));
}

static struct xs_stats_slot *slot_at(unsigned i)
{
    unsigned at = header()->slot_offset + i * header()->slot_size;

    return (struct xs_stats_slot *)((char *)mfn_to_virt(stats_frame(at / PAGE_SIZE)) + at % PAGE_SIZE);
}

static struct xs_stats_cpu *cpu_at(unsigned i)
{
    return (struct xs_stats_cpu *)((char *)header() + header()->cpu_offset + i * header()->cpu_size);
}

/* The reader's loop of xs/stats.h. */
static struct xs_stats_slot slot_read(const struct xs_stats_slot *r)
{
    struct xs_stats_slot copy;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);
        copy = *(const volatile struct xs_stats_slot *)r;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&r->seq, __ATOMIC_RELAXED));
    return copy;
}

static struct xs_stats_cpu cpu_read(const struct xs_stats_cpu *r)
{
    struct xs_stats_cpu copy;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);
        copy = *(const volatile struct xs_stats_cpu *)r;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&r->seq, __ATOMIC_RELAXED));
    return copy;
}

static uint128 page_ns(const struct xs_stats_slot *s)
{
    return (uint128)s->page_ns_hi << 64 | s->page_ns_lo;
}

/* A domain as far as the meter knows one. */
static struct domain *metered(unsigned id, unsigned nr_vcpus)
{
    struct pretend *p = calloc(1, sizeof(*p));
    static uint64_t incarnations;

    p->d.id = (domid_t)id;
    incarnations++;
    memcpy(p->d.incarnation, &incarnations, sizeof(incarnations));
    memcpy(p->d.uuid, "uuid", 4);
    p->d.nr_vcpus = nr_vcpus;
    for (unsigned i = 0; i < nr_vcpus; i++) {
        p->vcpus[i] = (struct vcpu){ .domain = &p->d, .id = i };
        p->d.vcpu[i] = &p->vcpus[i];
    }
    return &p->d;
}

static void metered_free(struct domain *d)
{
    free(pretend_of(d));
}

static void test_header(void)
{
    struct xs_stats_header *h;

    stats_pages_free(1, 2);             /* the heap reports before there is a page: ignored */
    stats_init(boot_id, 1700000000ull * NS_PER_SEC);
    h = header();
    ok(h->magic == XS_STATS_MAGIC && h->version == XS_STATS_VERSION, "magic and version");
    ok(h->cpu_offset == XS_STATS_CPU_OFFSET && h->cpu_size == 64 && h->nr_cpus == 0, "where the CPUs are");
    ok(h->slot_offset == XS_STATS_SLOT_OFFSET && h->slot_size == 512 && h->nr_slots == XS_STATS_SLOTS, "and the slots");
    ok(memcmp(h->boot_id, boot_id, 16) == 0 && h->boot_wall_ns == 1700000000ull * NS_PER_SEC, "boot id and wall clock");
    ok(h->tsc_mul == tsc_mul && h->tsc_khz == tsc_khz && h->tsc_base == tsc_base, "how to turn TSC into ns");
    ok(slot_at(0)->state == XS_SLOT_LIVE && slot_at(0)->domid == DOMID_XEN &&
       memcmp(slot_at(0)->incarnation, boot_id, 16) == 0, "slot 0 is hv, its incarnation the boot");
    is(stats_slots_used(), 1, "one slot in use");
    ok(stats_frame(XS_STATS_FRAMES).n == MFN_INVALID.n && stats_frame(~0u).n == MFN_INVALID.n, "no frame beyond the page");
    is((char *)slot_at(511) - (char *)slot_at(0), 511 * 512, "511 slots follow");
    stats_pages_free(123, 45);
    ok(h->pages_free == 123 && h->pages_hv == 45, "free pages and hv's own");
}

static void test_charging(void)
{
    struct percpu *cpu = &percpu[0];
    struct domain *d = metered(7, 2);
    struct vcpu *v = d->vcpu[1];
    struct xs_stats_slot s;
    struct xs_stats_cpu c;

    stats_cpu_online(cpu, 1000);
    is(header()->nr_cpus, 1, "a CPU comes online");
    is(stats_domain_create(d, 1000), 0, "a domain is born");
    stats_charge_hv(cpu, NULL, 1100);
    stats_charge_idle(cpu, 1500);
    stats_switch_in(cpu, v, 1510, 33);
    stats_charge_guest(cpu, v, 2000);
    stats_charge_hv(cpu, v, 2007);
    v->exits = 3;
    v->hypercalls = 2;
    s = slot_read(slot_at(d->stats_slot));
    ok(s.vcpus_running == 1 && s.running_since_sum_ns == 1510 && s.guest_ns == 0, "running, since its last publish");
    stats_publish(cpu, v);
    s = slot_read(slot_at(d->stats_slot));
    ok(s.guest_ns == 490 && s.hv_ns == 17 && s.wait_ns == 33, "490 ns guest, 10 + 7 ns hv, 33 ns waited");
    ok(s.exits == 3 && s.hypercalls == 2 && v->exits == 0 && v->guest_ns == 0, "exits and hypercalls moved");
    ok(s.vcpus_running == 1 && s.running_since_sum_ns == 2007, "extrapolated from here on");
    stats_charge_guest(cpu, v, 3000);
    stats_switch_out(cpu, v, 3011);
    s = slot_read(slot_at(d->stats_slot));
    ok(s.guest_ns == 490 + 993 && s.hv_ns == 17 + 11 && s.vcpus_running == 0 && s.running_since_sum_ns == 0,
       "the switch's own time belongs to who leaves");
    c = cpu_read(cpu_at(0));
    ok(c.guest_ns == 1483 && c.hv_ns == 128 && c.idle_ns == 400, "the CPU: 1483 guest, 128 hv, 400 idle");
    is(c.guest_ns + c.hv_ns + c.idle_ns, c.charged_until_ns - c.online_ns, "and nothing else since it came online");
    is(slot_read(slot_at(0)).hv_ns, 100, "100 ns were hv's own");
    stats_count(d, STATS_EVENTS_SENT, 2);
    stats_count(d, STATS_EVENTS_RECEIVED, 3);
    stats_count(d, STATS_GRANT_MAPS, 4);
    stats_count(d, STATS_GRANT_UNMAPS, 5);
    stats_count(d, STATS_GRANT_COPIES, 6);
    s = slot_read(slot_at(d->stats_slot));
    ok(s.events_sent == 2 && s.events_received == 3 && s.grant_maps == 4 && s.grant_unmaps == 5 && s.grant_copies == 6,
       "each counter is its own");
    stats_domain_final(d, 4000);
    v->guest_ns = 9;
    stats_publish(cpu, v);
    is(slot_read(slot_at(0)).guest_ns, 9, "what has no slot any more goes to slot 0");
    is(stats_ack(1, d->incarnation), 0, "acknowledged");
    metered_free(d);
}

static void test_page_time(void)
{
    struct domain *d = metered(7, 1);
    struct xs_stats_slot s;
    unsigned slot;

    d->pages = 10;
    is(stats_domain_create(d, 1000), 0, "born with 10 pages");
    slot = d->stats_slot;
    stats_pages_changed(d, 20, 1500);
    s = slot_read(slot_at(slot));
    ok(page_ns(&s) == 5000 && s.pages == 20 && s.pages_peak == 20 && s.page_since_ns == 1500, "10 pages for 500 ns");
    stats_pages_changed(d, 5, 1400);
    s = slot_read(slot_at(slot));
    ok(page_ns(&s) == 5000 && s.pages == 5 && s.page_since_ns == 1500, "a CPU whose clock lags takes nothing back");
    stats_pages_changed(d, 1ull << 40, 1600);
    stats_pages_changed(d, 3, 1600 + (1ull << 40));
    s = slot_read(slot_at(slot));
    ok(page_ns(&s) == 5500 + ((uint128)1 << 80) && s.pages_peak == 1ull << 40, "2^40 pages for 2^40 ns: 128 bits, exact");
    stats_domain_dying(d, 1700 + (1ull << 40));
    s = slot_read(slot_at(slot));
    ok(page_ns(&s) == 5800 + ((uint128)1 << 80) && s.state == XS_SLOT_DYING && s.died_ns == 1700 + (1ull << 40),
       "it ends when destruction begins");
    stats_pages_changed(d, 1, 5000 + (1ull << 40));
    stats_domain_dying(d, 6000 + (1ull << 40));
    s = slot_read(slot_at(slot));
    ok(page_ns(&s) == 5800 + ((uint128)1 << 80) && s.pages == 1 && s.died_ns == 1700 + (1ull << 40),
       "what comes back later costs nothing");
    stats_domain_final(d, 7000 + (1ull << 40));
    stats_pages_changed(d, 0, 8000 + (1ull << 40));
    s = slot_read(slot_at(slot));
    ok(s.state == XS_SLOT_FINAL && s.pages == 1 && d->stats_slot == 0, "a tombstone does not change");
    is(stats_ack(slot, d->incarnation), 0, "acknowledged");
    s = slot_read(slot_at(slot));
    ok(s.state == XS_SLOT_EMPTY && s.domid == 0 && page_ns(&s) == 0, "and the slot is empty");
    metered_free(d);
}

static void test_acks(void)
{
    static const uint8_t wrong[16] = "wrong";
    struct domain *d = metered(7, 1);
    unsigned slot;

    (void)!stats_domain_create(d, 0);
    slot = d->stats_slot;
    is(stats_ack(slot, d->incarnation), -EBUSY, "a live one is not acknowledged");
    stats_domain_dying(d, 1);
    is(stats_ack(slot, d->incarnation), -EBUSY, "nor a dying one");
    stats_domain_final(d, 2);
    is(stats_ack(slot, wrong), -ENOENT, "nor another incarnation");
    is(stats_ack(0, boot_id), -ENOENT, "nor hv itself");
    is(stats_ack(XS_STATS_SLOTS, d->incarnation), -ENOENT, "nor what is no slot");
    is(stats_ack(~0u, d->incarnation), -ENOENT, "nor 2^32-1");
    is(stats_ack(slot, d->incarnation), 0, "a final one is");
    is(stats_ack(slot, d->incarnation), -ENOENT, "once");
    is(stats_ack(slot, (const uint8_t[16]){ 0 }), -ENOENT, "an empty slot has no incarnation");
    metered_free(d);
}

static void test_slots_run_out(void)
{
    struct domain *d[XS_STATS_SLOTS];
    bool good = true;

    for (unsigned i = 1; i < XS_STATS_SLOTS; i++) {
        d[i] = metered(i, 1);
        good &= stats_domain_create(d[i], i) == 0;
    }
    d[0] = metered(600, 1);
    ok(good, "511 domains have slots");
    is(stats_domain_create(d[0], 600), -ENOSPC, "one more is refused");
    is(stats_slots_used(), XS_STATS_SLOTS, "all are in use");
    stats_domain_final(d[300], 700);
    is(stats_domain_create(d[0], 700), -ENOSPC, "also when one died that nobody acknowledged");
    is(stats_ack(300, d[300]->incarnation), 0, "acknowledged");
    is(stats_domain_create(d[0], 800), 0, "there is room");
    is(d[0]->stats_slot, 300, "in its place");
    for (unsigned i = 0; i < XS_STATS_SLOTS; i++) {
        unsigned slot = d[i]->stats_slot;

        stats_domain_final(d[i], 900);
        good &= slot ? stats_ack(slot, d[i]->incarnation) == 0 : i == 300;
        metered_free(d[i]);
    }
    ok(good && stats_slots_used() == 1, "all are acknowledged");
}

/* The model: four CPUs, six domains of two vCPUs, each with its own books. */
#define CPUS 4u
#define DOMS 6u

static struct books {
    struct domain *d;
    uint64_t guest_ns, hv_ns, wait_ns, exits;
    uint128 page_ns;
    uint64_t pages_since_ns;
    bool live;
} books[DOMS];

static struct vcpu *on_cpu[CPUS];
static uint64_t acked_guest_ns, acked_hv_ns;
static uint64_t seed = 0x5eed0004, latest_ns;

static unsigned pick(unsigned n)
{
    return random_below(&seed, n);
}

static struct books *books_of(const struct vcpu *v)
{
    for (unsigned i = 0; i < DOMS; i++) {
        if (books[i].d == v->domain)
            return &books[i];
    }
    abort();
}

/* CPUs are a little apart, as calibrated clocks are. */
static uint64_t tick(struct percpu *cpu)
{
    uint64_t now = MAX(cpu->charged_until_ns + pick(5000), latest_ns > 100 ? latest_ns - 100 : 0);

    latest_ns = MAX(latest_ns, now);
    return now;
}

static void step_charge(struct percpu *cpu)
{
    struct vcpu *v = on_cpu[cpu->id];
    uint64_t now = tick(cpu), delta = now - cpu->charged_until_ns;

    if (!v && pick(2)) {
        stats_charge_idle(cpu, now);
    } else if (v && pick(2)) {
        stats_charge_guest(cpu, v, now);
        books_of(v)->guest_ns += delta;
        v->exits++;
        books_of(v)->exits++;
    } else {
        stats_charge_hv(cpu, v, now);
        if (v)
            books_of(v)->hv_ns += delta;
    }
}

static bool runs_somewhere(const struct vcpu *v)
{
    for (unsigned i = 0; i < CPUS; i++) {
        if (on_cpu[i] == v)
            return true;
    }
    return false;
}

static void switch_out(struct percpu *cpu)
{
    uint64_t now = tick(cpu);

    books_of(on_cpu[cpu->id])->hv_ns += now - cpu->charged_until_ns;
    stats_switch_out(cpu, on_cpu[cpu->id], now);
    on_cpu[cpu->id] = NULL;
}

static void step_switch(struct percpu *cpu)
{
    struct books *b = &books[pick(DOMS)];
    struct vcpu *v = b->d->vcpu[pick(2)];
    uint64_t now, waited = pick(1000);

    if (on_cpu[cpu->id])
        switch_out(cpu);
    if (!b->live || runs_somewhere(v) || !pick(3))
        return;
    now = tick(cpu);
    b->hv_ns += now - cpu->charged_until_ns;
    b->wait_ns += waited;
    stats_switch_in(cpu, v, now, waited);
    on_cpu[cpu->id] = v;
}

static void books_pages(struct books *b, uint64_t now)
{
    if (now <= b->pages_since_ns)
        return;
    b->page_ns += (uint128)b->d->pages * (now - b->pages_since_ns);
    b->pages_since_ns = now;
}

static void step_pages(struct percpu *cpu)
{
    struct books *b = &books[pick(DOMS)];
    uint64_t now = cpu->charged_until_ns;

    if (!b->live)
        return;
    books_pages(b, now);
    b->d->pages = pick(1u << 30);
    stats_pages_changed(b->d, b->d->pages, now);
}

static void birth(unsigned i, uint64_t now)
{
    books[i] = (struct books){ .d = metered(1 + i, 2), .live = true, .pages_since_ns = now };
    if (stats_domain_create(books[i].d, now))
        abort();
}

static bool slot_agrees(const struct books *b)
{
    struct xs_stats_slot s = slot_read(slot_at(b->d->stats_slot));

    return s.guest_ns == b->guest_ns && s.hv_ns == b->hv_ns && s.wait_ns == b->wait_ns && s.exits == b->exits &&
           page_ns(&s) == b->page_ns && (!b->live || s.pages == b->d->pages);
}

/* One dies, its tombstone is checked and acknowledged, another comes. */
static bool step_death(struct percpu *cpu)
{
    unsigned i = pick(DOMS), slot;
    struct xs_stats_slot s;
    struct books *b = &books[i];

    if (pick(50))
        return true;
    for (unsigned c = 0; c < CPUS; c++) {
        if (on_cpu[c] && on_cpu[c]->domain == b->d)
            switch_out(&percpu[c]);
    }
    books_pages(b, cpu->charged_until_ns);
    stats_domain_dying(b->d, cpu->charged_until_ns);
    b->live = false;
    if (!slot_agrees(b))
        return false;
    slot = b->d->stats_slot;
    stats_domain_final(b->d, cpu->charged_until_ns);
    s = slot_read(slot_at(slot));
    acked_guest_ns += s.guest_ns;
    acked_hv_ns += s.hv_ns;
    if (stats_ack(slot, b->d->incarnation))
        return false;
    metered_free(b->d);
    birth(i, cpu->charged_until_ns);
    return true;
}

/* Nothing in flight: publish all, then every sum must agree. */
static bool conserved(void)
{
    uint64_t cpus_guest = 0, cpus_hv = 0, slots_guest = acked_guest_ns, slots_hv = acked_hv_ns;
    bool good = true;

    for (unsigned i = 0; i < CPUS; i++) {
        struct xs_stats_cpu c;

        stats_publish(&percpu[i], on_cpu[i]);
        c = cpu_read(cpu_at(i));
        good &= c.guest_ns + c.hv_ns + c.idle_ns == c.charged_until_ns - c.online_ns;
        cpus_guest += c.guest_ns;
        cpus_hv += c.hv_ns;
    }
    for (unsigned i = 0; i < XS_STATS_SLOTS; i++) {
        slots_guest += slot_at(i)->guest_ns;
        slots_hv += slot_at(i)->hv_ns;
    }
    for (unsigned i = 0; i < DOMS; i++) {
        books_pages(&books[i], latest_ns);
        stats_pages_changed(books[i].d, books[i].d->pages, latest_ns);
        good &= slot_agrees(&books[i]);
    }
    return good && cpus_guest == slots_guest && cpus_hv == slots_hv;
}

/* What a reader extrapolates to a later instant: the charged time, and each running vCPU since its last charge. */
static bool extrapolates(void)
{
    uint64_t now = latest_ns + 12345;

    for (unsigned i = 0; i < DOMS; i++) {
        struct xs_stats_slot s = slot_read(slot_at(books[i].d->stats_slot));
        uint64_t want = books[i].guest_ns;

        for (unsigned c = 0; c < CPUS; c++) {
            if (on_cpu[c] && on_cpu[c]->domain == books[i].d)
                want += now - percpu[c].charged_until_ns;
        }
        if (s.guest_ns + s.vcpus_running * now - s.running_since_sum_ns != want)
            return false;
    }
    return true;
}

static void test_conservation(void)
{
    bool good = true;
    unsigned step;

    /* The CPUs come online anew: what slot 0 has from the tests above is none of theirs. */
    acked_guest_ns = -slot_at(0)->guest_ns;
    acked_hv_ns = -slot_at(0)->hv_ns;
    for (unsigned i = 0; i < CPUS; i++)
        stats_cpu_online(&percpu[i], 10000 + i);
    latest_ns = 10000;
    for (unsigned i = 0; i < DOMS; i++)
        birth(i, 10000);
    for (step = 0; step < 1000000 && good; step++) {
        struct percpu *cpu = &percpu[pick(CPUS)];

        switch (pick(8)) {
        default:
            step_charge(cpu);
            break;
        case 4:
            step_switch(cpu);
            break;
        case 5:
            stats_publish(cpu, on_cpu[cpu->id]);
            break;
        case 6:
            step_pages(cpu);
            break;
        case 7:
            good = step_death(cpu);
            break;
        }
        if (step % 500 == 0)
            good = good && conserved() && extrapolates();
    }
    ok(good, "a million random steps: slots, CPUs and books agree to the nanosecond, page-time included");
    if (!good)
        printf("# at step %u\n", step);
    ok(acked_guest_ns > 0 && slot_at(0)->hv_ns > 0, "with many deaths and time of hv's own in it");
    for (unsigned i = 0; i < CPUS; i++) {
        if (on_cpu[i])
            switch_out(&percpu[i]);
    }
    for (unsigned i = 0; i < DOMS; i++) {
        unsigned slot = books[i].d->stats_slot;

        stats_domain_final(books[i].d, latest_ns);
        (void)!stats_ack(slot, books[i].d->incarnation);
        metered_free(books[i].d);
    }
}

/* Two CPUs charge and switch the vCPUs of one domain as fast as they can, a third changes its pages; readers check
 * on every copy what can only hold if it is consistent. */
#define TURNS 20000u
static volatile bool race_over;
static struct domain *raced;

static void *charger(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    struct percpu *cpu = &percpu[id];
    struct vcpu *v = raced->vcpu[id];

    machine_be_cpu(id);
    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t now = cpu->charged_until_ns;

        stats_switch_in(cpu, v, now + 10, 1);
        stats_charge_guest(cpu, v, now + 20);
        stats_switch_out(cpu, v, now + 40);
        stats_charge_idle(cpu, now + 50);
    }
    return NULL;
}

/* The domain's whole memory comes and goes: pages * 1000 ns each time, so that page_ns stays a multiple of 1000. */
static void *pager(void *arg)
{
    uint64_t now = raced->born_ns;

    machine_be_cpu((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < TURNS; i++) {
        now += 1000;
        stats_pages_changed(raced, now % 3 ? 7 : 0, now);
        stats_count(raced, STATS_EVENTS_SENT, 1);
    }
    return NULL;
}

static bool copy_right(const struct xs_stats_slot *s, const struct xs_stats_slot *before)
{
    /* Each turn of a charger publishes 10 ns guest, 30 ns hv and 1 ns waited; the wait goes in when it starts. */
    if (s->hv_ns != 3 * s->guest_ns || s->wait_ns * 10 != s->guest_ns + 10 * s->vcpus_running)
        return false;
    if (s->vcpus_running > 2 || (s->vcpus_running == 0) != (s->running_since_sum_ns == 0))
        return false;
    if (page_ns(s) % 7000 || (s->page_since_ns - raced->born_ns) % 1000)
        return false;
    return s->guest_ns >= before->guest_ns && page_ns(s) >= page_ns(before) && s->events_sent >= before->events_sent;
}

static unsigned reading;                /* readers that have a copy */
static bool torn;

static void *reader(void *arg)
{
    struct xs_stats_slot before = { .seq = 0 };
    uintptr_t copies = 0;

    (void)arg;
    while (!race_over) {
        struct xs_stats_slot s = slot_read(slot_at(raced->stats_slot));
        struct xs_stats_cpu c = cpu_read(cpu_at(copies % 2));

        if (!copy_right(&s, &before) || c.guest_ns + c.hv_ns + c.idle_ns != c.charged_until_ns - c.online_ns)
            __atomic_store_n(&torn, true, __ATOMIC_RELAXED);
        before = s;
        if (copies++ == 0)
            __atomic_add_fetch(&reading, 1, __ATOMIC_RELEASE);
    }
    return (void *)copies;
}

static void test_readers(void)
{
    pthread_t chargers[2], readers[2], pages;
    void *copies[2];
    bool good = true;

    raced = metered(9, 2);
    raced->born_ns = latest_ns - latest_ns % 3000;
    if (stats_domain_create(raced, raced->born_ns))
        abort();
    for (unsigned i = 0; i < 2; i++)
        stats_cpu_online(&percpu[i], latest_ns);
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_create(&readers[i], NULL, reader, NULL) == 0;
    while (good && __atomic_load_n(&reading, __ATOMIC_ACQUIRE) < 2)     /* else the writers may be through before */
        sched_yield();
    good &= pthread_create(&pages, NULL, pager, (void *)2) == 0;
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_create(&chargers[i], NULL, charger, (void *)(uintptr_t)i) == 0;
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_join(chargers[i], NULL) == 0;
    good &= pthread_join(pages, NULL) == 0;
    race_over = true;
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_join(readers[i], &copies[i]) == 0;
    ok(good && !torn, "two readers beside three writers never see half an update (%lu copies)",
       (unsigned long)copies[0] + (unsigned long)copies[1]);
    is(slot_read(slot_at(raced->stats_slot)).guest_ns, 2 * TURNS * 10, "and nothing is lost among the writers");
    stats_domain_final(raced, latest_ns);
    metered_free(raced);
}

/* The commands on channels are meter-test's. */
static long refuse(uint64_t arg_va)
{
    return arg_va ? -EFAULT : -ESRCH;
}
long meter_op_open(uint64_t) __attribute__((alias("refuse")));
long meter_op_close(uint64_t) __attribute__((alias("refuse")));
long meter_op_limit(uint64_t) __attribute__((alias("refuse")));
long meter_op_copy(uint64_t) __attribute__((alias("refuse")));

static long meter(struct domain *d, unsigned cmd, void *arg, size_t bytes)
{
    long rc;

    machine_run(d);
    memcpy(guest_bytes, arg, bytes);
    rc = do_meter_op(cmd, 0);
    memcpy(arg, guest_bytes, bytes);
    return rc;
}

static struct domain *whole(domid_t id, unsigned nr_vcpus)
{
    struct domain *d = machine_domain(id, nr_vcpus);

    memset(d->incarnation, 0x40 + id, sizeof(d->incarnation));
    if (evtchn_init(d) || gnttab_init(d) || stats_domain_create(d, latest_ns))
        abort();
    return d;
}

static void test_meter_op(void)
{
    struct xs_meter_inventory inv, before;
    struct domain *d0 = whole(0, 2), *u = whole(1, 3);
    struct xs_meter_ack ack = { .slot = u->stats_slot };
    struct evtchn_alloc_unbound port = { .dom = DOMID_SELF };
    struct gnttab_map_grant_ref map = { .host_addr = 300ul << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 8, .dom = 1 };
    mfn_t table;

    is(meter(u, XS_METER_inventory, &before, sizeof(before)), -EPERM, "only dom0 may ask");
    is(meter(u, XS_METER_copy, &before, sizeof(before)), -EPERM, "or copy");
    is(meter(d0, 99, &before, sizeof(before)), -ENOSYS, "no such command");
    is(do_meter_op(XS_METER_ack, GUEST_BYTES - 1), -EFAULT, "an argument that cannot be read");
    is(do_meter_op(XS_METER_inventory, GUEST_BYTES - 1), -EFAULT, "or written");
    is(meter(d0, XS_METER_inventory, &before, sizeof(before)), 0, "inventory");
    ok(before.domains == 2 && before.vcpus == 5 && before.ports == 0 && before.grant_maps == 0 &&
       before.pages_owned == 2 * RAM_GFNS && before.pages_free == pages_free && before.pages_hv == pages_hv,
       "two domains, five vCPUs, their memory, no ports, no maps");
    is(before.slots_used, stats_slots_used(), "and the slots");
    memcpy(guest_bytes, &port, sizeof(port));
    machine_run(u);
    (void)do_event_channel_op(EVTCHNOP_alloc_unbound, 0);
    (void)do_event_channel_op(EVTCHNOP_alloc_unbound, 0);
    (void)!gnttab_frame(u, 0, &table);
    ((struct grant_entry_v1 *)mfn_to_virt(table))[8] = (struct grant_entry_v1){ GTF_permit_access, 0, 5 };
    machine_run(d0);
    memcpy(guest_bytes, &map, sizeof(map));
    (void)do_grant_table_op(GNTTABOP_map_grant_ref, 0, 1);
    d0->p2m.foreign_maps = 3;
    (void)meter(d0, XS_METER_inventory, &inv, sizeof(inv));
    ok(inv.ports == 2 && inv.grant_maps == 1 && inv.foreign_maps == 3, "then two ports, a map, three foreign maps");
    memcpy(ack.incarnation, u->incarnation, sizeof(ack.incarnation));
    is(meter(u, XS_METER_ack, &ack, sizeof(ack)), -EPERM, "only dom0 acknowledges");
    is(meter(d0, XS_METER_ack, &ack, sizeof(ack)), -EBUSY, "not while it lives");
    stats_domain_final(u, latest_ns);
    is(meter(d0, XS_METER_ack, &ack, sizeof(ack)), 0, "then it does");
    is(meter(d0, XS_METER_ack, &ack, sizeof(ack)), -ENOENT, "once");
    u->dead = true;
    (void)meter(d0, XS_METER_inventory, &inv, sizeof(inv));
    ok(inv.domains == 1 && inv.vcpus == 2 && inv.pages_owned == 2 * RAM_GFNS,
       "a dead domain is none, but what memory it still has counts");
    is(slot_at(d0->stats_slot)->grant_maps, 1, "the map is in dom0's slot");
}

int main(void)
{
    machine_init();
    test_header();
    test_charging();
    test_page_time();
    test_acks();
    test_slots_run_out();
    test_conservation();
    test_readers();
    test_meter_op();
    return tap_end();
}
