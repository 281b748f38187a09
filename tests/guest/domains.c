/* domains: as dom0, makes guests with the calls of a toolstack, lets them run, looks at what they did, destroys them.
 * Each guest writes a word into its memory and halts for good, which is a power-off. After 200 of them hv holds what it
 * held after the first. Those that spin with interrupts off, fault or stray are stopped too, and ten share the CPUs. */
#include "tests/guest/lib/toolstack.h"

#include <xen/hvm/save.h>
#include <xen/sched.h>
#include "xs/build.h"

#define ROUNDS      200
#define CODE_GPA    0x1000u
#define WORD_GPA    0x2000u
#define WORD        0x600df00du
#define PATIENCE_MS 5000u

/* Flat 32-bit code, as a PVH start finds it (no paging). */
static const uint8_t halts[] = {
    0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x0d, 0xf0, 0x0d, 0x60,     /* movl $WORD, WORD_GPA */
    0xfa, 0xf4,                                                     /* cli; hlt */
    0xeb, 0xfe,                                                     /* jmp . */
};
static const uint8_t spins[] = {
    0xfa,                                                           /* cli */
    0xff, 0x05, 0x00, 0x20, 0x00, 0x00,                             /* incl WORD_GPA */
    0xeb, 0xf8,                                                     /* jmp to incl */
};

static const uint8_t faults[] = { 0x0f, 0x0b };                     /* ud2, and no IDT: a triple fault */
static const uint8_t strays[] = {
    0xc7, 0x05, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00,     /* movl $1, 0x80000000: nothing is there */
    0xfa, 0xf4,                                                     /* cli; hlt */
};
static const uint8_t asks[] = {
    0xb8, 0x3f, 0x00, 0x00, 0x00,                                   /* movl $63, %eax: no such hypercall */
    0x0f, 0x01, 0xd9,                                               /* vmmcall */
    0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x0d, 0xf0, 0x0d, 0x60,     /* movl $WORD, WORD_GPA */
    0xfa, 0xf4,                                                     /* cli; hlt */
};

/* As a boot loader that waits for its disk. */
#define NAPS 20u
static const uint8_t naps[] = {
    0xbe, NAPS, 0x00, 0x00, 0x00,                                   /* movl $NAPS, %esi */
    0xb8, 0x1d, 0x00, 0x00, 0x00,                                   /* movl $29, %eax: sched_op */
    0x31, 0xdb,                                                     /* xorl %ebx, %ebx: yield */
    0x0f, 0x01, 0xd9,                                               /* vmmcall */
    0x85, 0xc0, 0x75, 0xfe,                                         /* testl %eax, %eax; jnz . */
    0x4e, 0x75, 0xef,                                               /* decl %esi; jnz to movl $29 */
    0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,     /* movl $SHUTDOWN_reboot, WORD_GPA */
    0xb8, 0x1d, 0x00, 0x00, 0x00,                                   /* movl $29, %eax */
    0xbb, 0x02, 0x00, 0x00, 0x00,                                   /* movl $2, %ebx: shutdown */
    0xb9, 0x00, 0x20, 0x00, 0x00,                                   /* movl $WORD_GPA, %ecx */
    0x0f, 0x01, 0xd9,                                               /* vmmcall */
    0xeb, 0xfe,                                                     /* jmp . */
};

static long code_write(uint32_t domid, const uint8_t *code, unsigned bytes)
{
    struct xs_build_write w = { .domid = domid, .gpa = CODE_GPA, .from = (uint64_t)code, .bytes = bytes };

    return HC2(XS_HC_BUILD_OP, XS_BUILD_write, &w);
}

static long registers_set(uint32_t domid)
{
    static struct {
        struct hvm_save_descriptor header_desc;
        struct hvm_save_header header;
        struct hvm_save_descriptor cpu_desc;
        struct hvm_hw_cpu cpu;
        struct hvm_save_descriptor end_desc;
    } __attribute__((packed)) c;
    struct xen_domctl *op = domctl(XEN_DOMCTL_sethvmcontext, domid);

    __builtin_memset(&c, 0, sizeof(c));
    c.header_desc = (struct hvm_save_descriptor){ HVM_SAVE_CODE(HEADER), 0, sizeof(c.header) };
    c.header = (struct hvm_save_header){ .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
    c.cpu_desc = (struct hvm_save_descriptor){ HVM_SAVE_CODE(CPU), 0, sizeof(c.cpu) };
    c.cpu.cr0 = 0x11;
    c.cpu.rip = CODE_GPA;
    c.cpu.rflags = 2;
    c.cpu.cs_arbytes = 0xc9b;
    c.cpu.ds_arbytes = c.cpu.es_arbytes = c.cpu.ss_arbytes = 0xc93;
    c.cpu.cs_limit = c.cpu.ds_limit = c.cpu.es_limit = c.cpu.ss_limit = ~0u;
    c.cpu.tr_arbytes = 0x8b;
    c.cpu.tr_limit = 0x67;
    c.cpu.ldtr_arbytes = 0x82;
    c.cpu.dr6 = 0xffff0ff0;
    c.cpu.dr7 = 0x400;
    op->u.hvmcontext.size = sizeof(c);
    op->u.hvmcontext.buffer.p = (uint8_t *)&c;
    return HC1(__HYPERVISOR_domctl, op);
}

static uint32_t flags_of(uint32_t domid)
{
    struct xen_domctl *op = domctl(XEN_DOMCTL_getdomaininfo, domid);

    return HC1(__HYPERVISOR_domctl, op) || op->domain != domid ? ~0u : op->u.getdomaininfo.flags;
}

/* Gives way until the domain has shut down, or patience ends. */
static uint32_t wait_shutdown(uint32_t domid)
{
    uint64_t until = rdtsc() + stats->tsc_khz * (uint64_t)PATIENCE_MS;
    uint32_t flags;

    do {
        HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
        flags = flags_of(domid);
    } while (!(flags & XEN_DOMINF_shutdown) && rdtsc() < until);
    return flags;
}

/* Up to the unpause; the id, or what failed. */
static long domain_start(const uint8_t *code, unsigned bytes)
{
    long id = domain_create();

    if (id <= 0 || memory_give((uint32_t)id, 64) != 64 || code_write((uint32_t)id, code, bytes) ||
        registers_set((uint32_t)id) || domctl_on(XEN_DOMCTL_unpausedomain, (uint32_t)id))
        return -1;
    return id;
}

static bool round_trip(uint64_t window, bool loud)
{
    long id = domain_start(halts, sizeof(halts));
    volatile uint32_t *word = (void *)(window << 12 | (WORD_GPA & 0xfff));
    uint32_t flags, seen;
    bool good;

    if (id <= 0)
        return false;
    flags = wait_shutdown((uint32_t)id);
    good = foreign_map((uint32_t)id, WORD_GPA, window) == 0;
    seen = good ? *word : 0;
    good &= unmap(window) == 0;
    good &= domctl_on(XEN_DOMCTL_destroydomain, (uint32_t)id) == 0 && acknowledge((uint32_t)id) == 0;
    if (loud) {
        check(flags != ~0u && flags & XEN_DOMINF_shutdown, "a guest that halts for good has shut down: flags %x",
              (uint64_t)flags);
        check_equal(flags >> XEN_DOMINF_shutdownshift & 255, SHUTDOWN_poweroff, "by powering off");
        check_equal(seen, WORD, "its memory holds what it wrote");
        check(good, "it is mapped, unmapped, destroyed, acknowledged");
        check_equal(flags_of((uint32_t)id), ~0u, "and gone");
    }
    return good && seen == WORD && flags & XEN_DOMINF_shutdown;
}

static void spinner(uint64_t window)
{
    long id = domain_start(spins, sizeof(spins));
    volatile uint32_t *word = (void *)(window << 12 | (WORD_GPA & 0xfff));
    uint64_t until;
    uint32_t at_pause;

    if (id <= 0 || foreign_map((uint32_t)id, WORD_GPA, window)) {
        check(false, "a spinning guest is started");
        return;
    }
    for (until = rdtsc() + stats->tsc_khz * (uint64_t)PATIENCE_MS; !*word && rdtsc() < until;)
        HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    check(*word != 0, "a guest that spins with interrupts off runs");
    check_equal(domctl_on(XEN_DOMCTL_pausedomain, (uint32_t)id), 0, "it is paused");
    at_pause = *word;
    for (until = rdtsc() + stats->tsc_khz * 20ull; rdtsc() < until;)
        ;
    check_equal(*word, at_pause, "and stands still");
    check_equal(domctl_on(XEN_DOMCTL_unpausedomain, (uint32_t)id), 0, "it goes on");
    for (until = rdtsc() + stats->tsc_khz * (uint64_t)PATIENCE_MS; *word == at_pause && rdtsc() < until;)
        HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    check(*word != at_pause, "counting");
    check_equal(domctl_on(XEN_DOMCTL_destroydomain, (uint32_t)id), 0, "destroyed while it runs");
    at_pause = *word;
    for (until = rdtsc() + stats->tsc_khz * 20ull; rdtsc() < until;)
        ;
    check_equal(*word, at_pause, "it is still");
    check(flags_of((uint32_t)id) != ~0u && flags_of((uint32_t)id) & XEN_DOMINF_dying, "dying as long as dom0 maps its page");
    check_equal(unmap(window), 0, "unmapped");
    check_equal(flags_of((uint32_t)id), ~0u, "it is gone");
    check_equal(acknowledge((uint32_t)id), 0, "acknowledged");
}

static void ends_with(const uint8_t *code, unsigned bytes, unsigned reason, const char *name)
{
    long id = domain_start(code, bytes);
    uint32_t flags = id > 0 ? wait_shutdown((uint32_t)id) : 0;

    check(flags != ~0u && flags & XEN_DOMINF_shutdown && (flags >> XEN_DOMINF_shutdownshift & 255) == reason,
          "%s: flags %x", name, (uint64_t)flags);
    check(id > 0 && domctl_on(XEN_DOMCTL_destroydomain, (uint32_t)id) == 0 && acknowledge((uint32_t)id) == 0,
          "it is destroyed and acknowledged");
}

#define CROWD 10u

/* Ten that want a CPU all the time: each gets some. */
static void crowd(void)
{
    static long id[CROWD];
    static uint64_t window[CROWD];
    uint64_t until = rdtsc() + stats->tsc_khz * (uint64_t)PATIENCE_MS;
    unsigned started = 0, moving, destroyed = 0;

    for (unsigned i = 0; i < CROWD; i++) {
        if (!window[i])
            window[i] = gfn_unused();
        id[i] = domain_start(spins, sizeof(spins));
        started += id[i] > 0 && foreign_map((uint32_t)id[i], WORD_GPA, window[i]) == 0;
    }
    check_equal(started, CROWD, "ten guests spin at once");
    do {
        HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
        moving = 0;
        for (unsigned i = 0; i < CROWD; i++)
            moving += *(volatile uint32_t *)(window[i] << 12) != 0;
    } while (moving < CROWD && rdtsc() < until);
    check_equal(moving, CROWD, "each of them comes to run");
    for (unsigned i = 0; i < CROWD; i++) {
        unmap(window[i]);
        destroyed += domctl_on(XEN_DOMCTL_destroydomain, (uint32_t)id[i]) == 0 && acknowledge((uint32_t)id[i]) == 0;
    }
    check_equal(destroyed, CROWD, "all are destroyed while they run");
}

static void check_inventory(const struct xs_meter_inventory *before, const struct xs_meter_inventory *now)
{
    check_equal((int64_t)now->pages_free, (int64_t)before->pages_free, "free pages as before");
    check_equal((int64_t)now->pages_hv, (int64_t)before->pages_hv, "hv's pages as before");
    check_equal(now->domains, before->domains, "domains as before");
    check_equal(now->vcpus, before->vcpus, "vCPUs as before");
    check_equal(now->ports, before->ports, "ports as before");
    check_equal(now->foreign_maps, before->foreign_maps, "foreign maps as before");
    check_equal(now->slots_used, before->slots_used, "slots as before");
}

void guest_main(void)
{
    struct xs_meter_inventory before, now;
    uint64_t window = gfn_unused(), begun;
    unsigned good = 0;

    if (!guest_is_dom0()) {
        check_equal(domain_create(), -EPERM, "a guest makes no domains");
        return;
    }
    map_stats();
    check(round_trip(window, true), "a first guest lives and dies");
    before = inventory();
    check(before.domains == 1 && before.pages_free > 0, "hv counts: %u pages free, %u its own", before.pages_free,
          before.pages_hv);
    for (unsigned i = 0; i < ROUNDS; i++)
        good += round_trip(window, false);
    check_equal(good, ROUNDS, "200 guests live and die");
    now = inventory();
    check_inventory(&before, &now);
    spinner(window);
    ends_with(faults, sizeof(faults), SHUTDOWN_crash, "a triple fault is a crash");
    ends_with(strays, sizeof(strays), SHUTDOWN_poweroff, "a write to where nothing is goes nowhere");
    ends_with(asks, sizeof(asks), SHUTDOWN_poweroff, "a hypercall that is none is just refused");
    begun = rdtsc();
    ends_with(naps, sizeof(naps), SHUTDOWN_reboot, "32-bit code yields, and says how it ends");
    check(rdtsc() - begun >= NAPS * stats->tsc_khz / 10, "it has slept 0.1 ms each time, not spun");
    now = inventory();
    check_inventory(&before, &now);
    crowd();                            /* its windows need a table that stays */
    before = inventory();
    crowd();
    now = inventory();
    check_inventory(&before, &now);
}
