/* meter: as dom0, metered copies for a guest that does not even run: its memory and its grants are enough. From user
 * mode, where this is the only hypercall there is and the rights of user pages count; with tokens wrong, void and closed;
 * with buffers and grants that are not there; against limits; while the guest dies; and from a second CPU while the
 * channel is closed. What the stats page says is compared with what was moved. */
#include "tests/guest/lib/irq.h"
#include "tests/guest/lib/toolstack.h"

#include <xen/version.h>

#define ESTALE 116
#define EACCES 13

#define GUEST_PAGES 64u
#define FIRST_REF 8u

/* Three pages of 2 MiB far above the kernel: user mode's, what it may only read, and the kernel's own. */
#define USER      0x2000000ul
#define USER_READ 0x2200000ul
#define KERNEL    0x2400000ul

struct arena {
    uint8_t code[4096];
    int64_t result;
    struct xs_meter_copy copy;
    struct xs_meter_op op[XS_METER_OPS_MAX];
    struct xs_meter_seg seg[XS_METER_OPS_MAX];
    uint8_t buffer[16][4096] __attribute__((aligned(4096)));
};
static struct arena *const user = (void *)USER, *const kernel = (void *)KERNEL, *const user_read = (void *)USER_READ;

static uint32_t guest;
static grant_entry_v1_t *grants;
static uint8_t *window;                 /* page 1 of the guest */

/* ---- user mode ---- */

#define PTE_USER   4ull
#define PTE_WRITE  2ull
#define USER_DATA  0x1bull
#define USER_CODE  0x23ull
#define TSS        0x28

extern uint64_t pml4[512];

struct user_call {
    uint64_t number, a, b;
};

/* vmmcall; mov %rax, (%r9); ud2: the fault brings it back */
static const uint8_t user_stub[] = { 0x0f, 0x01, 0xd9, 0x49, 0x89, 0x01, 0x0f, 0x0b };

static void descriptors_load(void)
{
    static struct {
        uint32_t reserved0;
        uint64_t rsp0;
        uint8_t rest[92];
    } __attribute__((packed)) tss;
    static uint64_t gdt[7] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff };
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = { sizeof(gdt) - 1, (uint64_t)gdt };
    uint64_t base = (uint64_t)&tss;

    tss.rsp0 = (uint64_t)page_alloc() + 4096;
    gdt[5] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
    __asm__ volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(TSS));
}

static void user_pages(void)
{
    uint64_t *pdpt = (uint64_t *)(pml4[0] & ~0xfffull), *pd = (uint64_t *)(pdpt[0] & ~0xfffull);

    pml4[0] |= PTE_USER;
    pdpt[0] |= PTE_USER;
    pd[USER >> 21] |= PTE_USER;
    pd[USER_READ >> 21] = (pd[USER_READ >> 21] | PTE_USER) & ~PTE_WRITE;
    __asm__ volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
}

static void enter_user(void *argument)
{
    const struct user_call *c = argument;

    __asm__ volatile("push %[ss]; push %[sp]; push $2; push %[cs]; push %[ip]; iretq"
                     : : [ss] "i"(USER_DATA), [sp] "r"(USER + 2048), [cs] "i"(USER_CODE), [ip] "r"(user->code),
                         "a"(c->number), "D"(c->a), "S"(c->b), "d"(0), "r"(&user->result) : "memory");
}

static long user_hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    struct user_call c = { number, a, b };

    user->result = 0x7777;
    return try(enter_user, &c) == 6 ? user->result : 0x6666;
}

/* ---- the guest ---- */

static void grant(unsigned ref, unsigned page, uint16_t flags)
{
    grants[ref].domid = 0;
    grants[ref].frame = page;
    __atomic_store_n(&grants[ref].flags, flags, __ATOMIC_RELEASE);
}

static bool guest_make(void)
{
    long id = domain_create();
    uint64_t gfn = gfn_unused();

    if (id <= 0 || memory_give((uint32_t)id, GUEST_PAGES) != GUEST_PAGES)
        return false;
    guest = (uint32_t)id;
    grants = map_grants(guest);
    window = (uint8_t *)(gfn << 12);
    if (!grants || foreign_map(guest, 4096, gfn))
        return false;
    for (unsigned i = 0; i < 32; i++)
        grant(FIRST_REF + i, i, GTF_permit_access);
    return true;
}

static long open_channel(uint32_t class, uint32_t device, struct xs_meter_copy *with)
{
    struct xs_meter_open op = { .domid = guest, .class = class, .device = device };
    long rc = HC2(XS_HC_METER_OP, XS_METER_open, &op);

    __builtin_memcpy(with->token, op.token, sizeof(with->token));
    with->channel = op.channel;
    return rc;
}

static long close_channel(uint32_t class, uint32_t device)
{
    struct xs_meter_close op = { .domid = guest, .class = class, .device = device };

    return HC2(XS_HC_METER_OP, XS_METER_close, &op);
}

/* Operation i of arena a: n bytes between the guest's page 1 and buffer i. */
static void put(struct arena *a, unsigned i, uint8_t kind, uint64_t seq, uint16_t bytes)
{
    a->op[i] = (struct xs_meter_op){ .seq = seq, .kind = kind, .nr_segs = bytes != 0, .status = 99,
                                     .segs = (uint64_t)&a->seg[i] };
    a->seg[i] = (struct xs_meter_seg){ .ref = FIRST_REF + 1, .len = bytes, .buffer = (uint64_t)a->buffer[i % 16] };
}

static void batch(struct arena *a, unsigned nr_ops)
{
    a->copy.nr_ops = nr_ops;
    a->copy.ops = (uint64_t)a->op;
    a->copy.done = a->copy.pad = 0;
}

static long run(struct arena *a, unsigned nr_ops)
{
    batch(a, nr_ops);
    return HC2(XS_HC_METER_OP, XS_METER_copy, &a->copy);
}

static long user_run(unsigned nr_ops)
{
    batch(user, nr_ops);
    return user_hypercall(XS_HC_METER_OP, XS_METER_copy, (uint64_t)&user->copy);
}

/* The call's answer, or the first operation's status. */
static long run_one(struct arena *a, uint8_t kind, uint64_t seq, uint16_t bytes)
{
    long rc;

    put(a, 0, kind, seq, bytes);
    rc = a == user ? user_run(1) : run(a, 1);
    return rc ? rc : a->op[0].status;
}

static bool all(const uint8_t *at, uint8_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

/* ---- the tests ---- */

static void from_user(void)
{
    unsigned answered = 0;

    for (uint64_t number = 0; number < 64; number++) {
        if (number != XS_HC_METER_OP && user_hypercall(number, 0, (uint64_t)&user->copy) != -EPERM)
            answered++;
    }
    check_equal(answered, 0, "user mode: every other hypercall is refused");
    answered = 0;
    for (uint64_t cmd = 0; cmd < 16; cmd++) {
        if (cmd != XS_METER_copy && user_hypercall(XS_HC_METER_OP, cmd, (uint64_t)&user->copy) != -EPERM)
            answered++;
    }
    check_equal(answered, 0, "user mode: and every other command of this one");
    check_equal(user_hypercall(XS_HC_METER_OP | 1ull << 32, XS_METER_copy, (uint64_t)&user->copy), -EPERM,
                "user mode: a number with something above its 32 bits");
    __builtin_memset(window, 0, 4096);
    __builtin_memset(user->buffer[0], 0xa5, 4096);
    check_equal(run_one(user, XS_METER_disk_read, 0, 4096), 0, "user mode: a page to the guest");
    check(all(window, 0xa5, 4096), "user mode: is there");
    __builtin_memset(window, 0x3c, 4096);
    check_equal(run_one(user, XS_METER_disk_write, 1, 4096), 0, "user mode: a page from the guest");
    check(all(user->buffer[0], 0x3c, 4096), "user mode: is there");
}

/* What user mode may not touch, hv does not touch for it. */
static void user_rights(void)
{
    __builtin_memset(kernel->buffer[0], 0x11, 4096);
    kernel->copy = user->copy;
    put(kernel, 0, XS_METER_disk_write, 2, 512);
    batch(kernel, 1);
    check_equal(user_hypercall(XS_HC_METER_OP, XS_METER_copy, (uint64_t)&kernel->copy), -EFAULT,
                "rights: the kernel's struct");
    batch(user, 1);
    user->copy.ops = (uint64_t)kernel->op;
    check_equal(user_hypercall(XS_HC_METER_OP, XS_METER_copy, (uint64_t)&user->copy), -EFAULT,
                "rights: the kernel's operations");
    check_equal(kernel->op[0].status, 99, "rights: which stay as they are");
    put(user, 0, XS_METER_disk_write, 2, 512);
    user->op[0].segs = (uint64_t)kernel->seg;
    check_equal(user_run(1) ? 1 : user->op[0].status, -EFAULT, "rights: the kernel's segments");
    put(user, 0, XS_METER_disk_write, 2, 512);
    user->seg[0].buffer = (uint64_t)kernel->buffer[0];
    check_equal(user_run(1) ? 1 : user->op[0].status, -EFAULT, "rights: a buffer of the kernel is not written");
    check(all(kernel->buffer[0], 0x11, 4096), "rights: indeed");
    put(user, 0, XS_METER_disk_read, 2, 512);
    user->seg[0].buffer = (uint64_t)kernel->buffer[0];
    check_equal(user_run(1) ? 1 : user->op[0].status, -EFAULT, "rights: nor read");
    put(user, 0, XS_METER_disk_write, 2, 512);
    user->seg[0].buffer = (uint64_t)user_read->buffer[0];
    check_equal(user_run(1) ? 1 : user->op[0].status, -EFAULT, "rights: a read-only page is not written");
    put(user, 0, XS_METER_disk_read, 2, 512);
    user->seg[0].buffer = (uint64_t)user_read->buffer[0];
    check_equal(user_run(1) ? 1 : user->op[0].status, 0, "rights: but read");
    put(user, 0, XS_METER_disk_write, 3, 512);
    user->seg[0].buffer = (uint64_t)user_read->buffer[0] - 256;
    check_equal(user_run(1) ? 1 : user->op[0].status, -EFAULT, "rights: a buffer that ends in one");
}

static void tokens(void)
{
    struct xs_meter_copy old = user->copy;
    struct xs_stats_slot before;

    user->copy.token[15] ^= 1;
    check_equal(run_one(user, XS_METER_disk_write, 10, 512), -EACCES, "tokens: another");
    user->copy.token[15] ^= 1;
    user->copy.channel ^= 1;
    check_equal(run_one(user, XS_METER_disk_write, 10, 512), -EACCES, "tokens: another channel");
    user->copy.channel ^= 1;
    check_equal(run_one(user, XS_METER_disk_write, 10, 512), 0, "tokens: the right one");
    before = *slot_of(guest, XS_SLOT_LIVE);
    check_equal(open_channel(XS_METER_CLASS_disk, 51712, &user->copy), 0, "tokens: a new one");
    check_equal(run_one(user, XS_METER_disk_write, 10, 512), 0, "tokens: number 10 again, with it");
    check_equal(run_one(user, XS_METER_disk_write, 10, 512), -ESTALE, "tokens: and not twice");
    check_equal((int64_t)(slot_of(guest, XS_SLOT_LIVE)->disk_write_ops - before.disk_write_ops), 0,
                "tokens: it is not counted again");
    check_equal((int64_t)(slot_of(guest, XS_SLOT_LIVE)->io_replays - before.io_replays), 1, "tokens: but noted");
    old.nr_ops = 0;
    kernel->copy = old;
    check_equal(run(kernel, 0), -EACCES, "tokens: the old one is void");
}

static void faults(void)
{
    const struct xs_stats_slot *slot = slot_of(guest, XS_SLOT_LIVE);
    uint64_t bytes = slot->disk_read_bytes, ops = slot->disk_read_ops, copies = slot->grant_copies;

    put(user, 0, XS_METER_disk_read, 20, 512);
    user->op[0].nr_segs = 3;
    user->seg[1] = user->seg[2] = user->seg[0];
    user->seg[1].ref = 4;
    grant(4, 2, GTF_permit_access | GTF_readonly);
    put(user, 3, XS_METER_disk_read, 21, 1024);
    put(user, 4, XS_METER_disk_read, 22, 0);
    put(user, 5, 77, 23, 512);
    put(user, 6, XS_METER_net_rx, 23, 512);
    put(user, 7, XS_METER_disk_read, 24, 100);
    user->op[1] = user->op[3];
    user->op[2] = user->op[4];
    user->op[3] = user->op[5];
    user->op[4] = user->op[6];
    user->op[5] = user->op[7];
    check_equal(user_run(6), 0, "faults: six operations, some bad");
    check(user->op[0].status == -EPERM && user->op[0].moved == 512, "faults: up to the page granted read-only: %d, %u",
          (int64_t)user->op[0].status, (uint64_t)user->op[0].moved);
    check(user->op[1].status == 0 && user->op[1].moved == 1024, "faults: the next is done");
    check(user->op[2].status == -EINVAL && user->op[3].status == -EINVAL && user->op[4].status == -EINVAL,
          "faults: no segments, no such kind, not of this class");
    check(user->op[5].status == 0 && user->copy.done == 6, "faults: the last is done");
    check_equal((int64_t)(slot->disk_read_bytes - bytes), 512 + 1024 + 100, "faults: bytes are what was moved");
    check_equal((int64_t)(slot->disk_read_ops - ops), 3, "faults: operations those that moved some");
    check_equal((int64_t)(slot->grant_copies - copies), 3, "faults: in three copies");
}

static void limits(void)
{
    struct xs_meter_limit limit = { .domid = guest, .class = XS_METER_CLASS_disk, .ops_per_s = 100, .burst_ms = 100 };
    uint64_t until;

    check_equal(HC2(XS_HC_METER_OP, XS_METER_limit, &limit), 0, "limits: 100 operations a second");
    for (unsigned i = 0; i < 64; i++)
        put(user, i, XS_METER_disk_write, 100 + i, 512);
    check_equal(user_run(64), 0, "limits: 64 at once");
    check(user->copy.done >= 10 && user->copy.done < 64, "limits: %u are done", (uint64_t)user->copy.done);
    check(user->copy.retry_ns > 0 && user->copy.retry_ns <= 10000001, "limits: the next in %u ns",
          user->copy.retry_ns);
    until = rdtsc() + user->copy.retry_ns / 1000 * stats->tsc_khz / 1000 + stats->tsc_khz / 100;
    while (rdtsc() < until)
        ;
    check(run_one(user, XS_METER_disk_write, 100 + user->copy.done, 512) == 0 && user->copy.done == 1,
          "limits: then it passes");
    limit.ops_per_s = 0;
    check_equal(HC2(XS_HC_METER_OP, XS_METER_limit, &limit), 0, "limits: none");
    check(run_one(user, XS_METER_disk_write, 300, 512) == 0 && run_one(user, XS_METER_disk_write, 301, 512) == 0 &&
          user->copy.done == 1, "limits: all pass");
}

/* ---- a second CPU copies while the first closes ---- */

static volatile uint32_t copied, refused, stop;

void guest_interrupt(uint64_t vector)
{
    (void)vector;
    apic_write(APIC_EOI, 0);
}

void second_cpu(void)
{
    irq_init_second();
    for (uint64_t seq = 1000;; seq++) {
        long rc;

        put(kernel, 0, XS_METER_disk_read, seq, 4096);
        kernel->op[0].nr_segs = 8;
        for (unsigned i = 1; i < 8; i++)
            kernel->seg[i] = kernel->seg[0];
        rc = stop ? 1 : run(kernel, 1);
        if (rc == 0 && kernel->op[0].status == 0)
            copied = copied + 1;
        if (rc == -EACCES)
            refused = refused + 1;
    }
}

static bool passes(volatile uint32_t *word, uint32_t mark)
{
    uint64_t until = rdtsc() + stats->tsc_khz * 5000ull;

    while ((int32_t)(*word - mark) <= 0 && rdtsc() < until)
        __asm__ volatile("pause");
    return (int32_t)(*word - mark) > 0;
}

static void close_beside(void)
{
    unsigned late = 0, closed = 0, rounds = 0;
    uint8_t vector;

    irq_init();
    check_equal(open_channel(XS_METER_CLASS_disk, 768, &kernel->copy), 0, "beside: a channel for the second CPU");
    __builtin_memset(kernel->buffer[0], 0xee, 4096);
    vector = second_prepare();
    apic_write(APIC_ICR, ICR_OTHERS | ICR_INIT);
    apic_write(APIC_ICR, ICR_OTHERS | ICR_SIPI | vector);
    for (; rounds < 100 && passes(&copied, copied + 1); rounds++) {
        closed += close_channel(XS_METER_CLASS_disk, 768) == 0;
        __builtin_memset(window, 0x22, 4096);
        if (!passes(&refused, refused + 1))
            break;
        late += !all(window, 0x22, 4096);
        open_channel(XS_METER_CLASS_disk, 768, &kernel->copy);
    }
    check(rounds == 100 && closed == 100, "beside: %u times closed while it copies", (uint64_t)closed);
    check_equal(late, 0, "beside: nothing arrives after it is closed");
    stop = 1;
}

static void death(void)
{
    struct xs_meter_copy other;
    uint64_t bytes = slot_of(guest, XS_SLOT_LIVE)->disk_write_bytes;

    check_equal(open_channel(XS_METER_CLASS_disk, 51712, &user->copy), 0, "death: a channel");
    check_equal(domctl_on(XEN_DOMCTL_destroydomain, guest), 0, "death: the guest is destroyed, its page held");
    check_equal(run_one(user, XS_METER_disk_write, 2000, 512), -ESRCH, "death: no copy any more");
    check_equal(open_channel(XS_METER_CLASS_disk, 51713, &other), -ESRCH, "death: no channel");
    check_equal((int64_t)slot_of(guest, XS_SLOT_FINAL)->disk_write_bytes, (int64_t)bytes, "death: nothing is counted");
    check_equal(unmap((uint64_t)window >> 12), 0, "death: the page goes");
    check_equal(unmap((uint64_t)grants >> 12), 0, "death: the grants go");
    check_equal(run_one(user, XS_METER_disk_write, 2000, 512), -EACCES, "death: and with it the channel");
    check_equal(acknowledge(guest), 0, "death: acknowledged");
}

void guest_main(void)
{
    struct xs_meter_inventory before, now;

    map_stats();
    descriptors_load();
    user_pages();
    __builtin_memcpy(user->code, user_stub, sizeof(user_stub));
    before = inventory();
    check(guest_make(), "a guest with memory and grants");
    check_equal(open_channel(XS_METER_CLASS_disk, 51712, &user->copy), 0, "a channel for its disk");
    from_user();
    user_rights();
    tokens();
    faults();
    limits();
    close_beside();
    death();
    now = inventory();
    check(now.domains == before.domains && now.pages_owned == before.pages_owned &&
          now.slots_used == before.slots_used, "nothing is left");
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17, "hv still answers");
}
