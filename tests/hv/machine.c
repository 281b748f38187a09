/* The pretend machine: see machine.h. */
#include "tests/hv/machine.h"
#include "tests/hv/harness.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/mm/guestcopy.h"
#include "hv/mm/page.h"
#include "hv/sched/preempt.h"
#include "hv/sched/sched.h"

#include <asm/prctl.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct frame {
    uint32_t refs;
    uint16_t owner;
    bool unsynced;                      /* taken out of a p2m; no p2m_sync since */
};

static struct frame frames[FRAMES];
uint64_t pages_total = FRAMES, pages_free = FRAMES, pages_hv;
static unsigned next_frame = 1, frames_used, allocations_left = ~0u;
static struct pretend *by_id[DOMID_LIMIT];
static struct pretend *unused[64];
static unsigned nr_unused;

struct percpu percpu[CPUS_MAX];
unsigned cpus_online = CPUS_MAX;
uint64_t tsc_base;
uint32_t tsc_mul = 1u << 31, tsc_khz = 2000000;
int32_t tsc_shift;
uint8_t *guest_bytes;
bool guest_unwritable;
unsigned preempt_after, p2m_syncs;
uint64_t hypercall_args[6];
static unsigned preempt_calls;

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    printf("Bail out! panic: ");
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    fflush(stdout);
    abort();
}

void host_yield(void)
{
    syscall(SYS_sched_yield);
}

void machine_be_cpu(unsigned id)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu[id]))
        panic("arch_prctl(ARCH_SET_GS) refused");
}

void machine_init(void)
{
    void *want = (void *)DIRECTMAP_BASE;

    for (unsigned i = 0; i < CPUS_MAX; i++)
        percpu[i] = (struct percpu){ .self = &percpu[i], .id = i, .apic_id = i };
    machine_be_cpu(0);
    if (mmap(want, FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0) != want)
        panic("no place for the frames at %#llx", DIRECTMAP_BASE);
    ASAN_POISON_MEMORY_REGION(want, FRAMES * PAGE_SIZE);
    for (unsigned i = 0; i < FRAMES; i++)
        frames[i].owner = OWNER_FREE;
    guest_bytes = calloc(1, GUEST_BYTES);
}

void machine_fail_after(unsigned n)
{
    allocations_left = n;
}

unsigned machine_frames_used(void)
{
    return frames_used;
}

static bool run_is_free(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (frames[first + i].owner != OWNER_FREE)
            return false;
    }
    return true;
}

static void *run_take(unsigned first, unsigned count, uint16_t owner)
{
    void *p = mfn_to_virt(MFN(first));

    for (unsigned i = 0; i < count; i++)
        frames[first + i] = (struct frame){ .refs = 1, .owner = owner };
    frames_used += count;
    pages_free -= count;
    pages_hv += owner == OWNER_HV ? count : 0;
    next_frame = first + count;
    ASAN_UNPOISON_MEMORY_REGION(p, count * PAGE_SIZE);
    memset(p, 0, count * PAGE_SIZE);
    return p;
}

static void *take(unsigned order, uint16_t owner)
{
    unsigned count = 1u << order;

    for (unsigned tried = 0, at = ROUND_UP(next_frame, count); tried < FRAMES / count; tried++, at += count) {
        if (at + count > FRAMES)
            at = count;
        if (run_is_free(at, count))
            return run_take(at, count, owner);
    }
    return NULL;
}

static void give_back(mfn_t mfn)
{
    pages_hv -= frames[mfn.n].owner == OWNER_HV;
    frames[mfn.n] = (struct frame){ .owner = OWNER_FREE };
    frames_used--;
    pages_free++;
    ASAN_POISON_MEMORY_REGION(mfn_to_virt(mfn), PAGE_SIZE);
}

void *page_alloc_hv(unsigned order)
{
    if (allocations_left != ~0u && allocations_left-- == 0) {
        allocations_left = 0;
        return NULL;
    }
    return take(order, OWNER_HV);
}

void page_free_hv(void *p, unsigned order)
{
    for (unsigned i = 0; i < 1u << order; i++) {
        mfn_t mfn = MFN(virt_to_mfn(p).n + i);

        BUG_ON(frames[mfn.n].owner != OWNER_HV || frames[mfn.n].refs != 1);
        give_back(mfn);
    }
}

bool page_get(mfn_t mfn)
{
    if (mfn.n >= FRAMES || frames[mfn.n].owner >= DOMID_LIMIT)
        return false;
    __atomic_fetch_add(&frames[mfn.n].refs, 1, __ATOMIC_SEQ_CST);
    return true;
}

void page_put(mfn_t mfn)
{
    struct frame *f = &frames[mfn.n];
    struct pretend *owner;

    BUG_ON(mfn.n >= FRAMES || f->owner >= DOMID_LIMIT || !f->refs);
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_SEQ_CST))
        return;
    BUG_ON(f->unsynced);
    owner = by_id[f->owner];
    give_back(mfn);
    if (--owner->d.pages == 0)
        domain_put(&owner->d);
}

uint32_t machine_refs(mfn_t mfn)
{
    return frames[mfn.n].refs;
}

uint64_t machine_owned(const struct domain *d)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < FRAMES; i++)
        count += frames[i].owner == d->id;
    return count;
}

struct pretend *pretend_of(const struct domain *d)
{
    return CONTAINER_OF(d, struct pretend, d);
}

mfn_t machine_mfn(const struct domain *d, unsigned gfn)
{
    return pretend_of(d)->map[gfn].mfn;
}

static void give_ram(struct pretend *p)
{
    p->d.refs++;                        /* one while pages > 0 */
    for (unsigned i = 0; i < GFNS; i++) {
        p->map[i] = (struct p2m_entry){ MFN_INVALID, P2M_NONE };
        if (i >= RAM_GFNS)
            continue;
        p->map[i] = (struct p2m_entry){ virt_to_mfn(take(0, p->d.id)), P2M_RAM };
        p->d.pages++;
    }
}

struct domain *machine_domain(domid_t id, unsigned nr_vcpus)
{
    struct pretend *p = calloc(1, sizeof(*p));

    BUG_ON(by_id[id]);
    p->d.id = id;
    p->d.privileged = id == 0;
    p->d.refs = 1;
    p->d.nr_vcpus = nr_vcpus;
    p->d.max_evtchn_port = 1023;
    p->d.max_grant_frames = 4;
    p->d.max_maptrack = 4;
    p->d.shared_info = take(0, OWNER_HV);
    by_id[id] = p;
    for (unsigned i = 0; i < nr_vcpus; i++) {
        p->vcpus[i] = (struct vcpu){ .domain = &p->d, .id = i, .info = &p->d.shared_info->vcpu_info[i] };
        p->d.vcpu[i] = &p->vcpus[i];
    }
    give_ram(p);
    return &p->d;
}

void machine_kill(struct domain *d)
{
    struct pretend *p = pretend_of(d);

    for (unsigned i = 0; i < GFNS; i++) {
        BUG_ON(p->map[i].type == P2M_GRANT_RW || p->map[i].type == P2M_GRANT_RO);
        if (p->map[i].type == P2M_RAM)
            page_put(p->map[i].mfn);
        p->map[i].type = P2M_NONE;
    }
    domain_put(d);
}

unsigned machine_reap(void (*free_modules)(struct domain *d))
{
    unsigned count = nr_unused;

    for (unsigned i = 0; i < count; i++) {
        struct pretend *p = unused[i];

        free_modules(&p->d);
        page_free_hv(p->d.shared_info, 0);
        by_id[p->d.id] = NULL;
        free(p);
    }
    nr_unused = 0;
    return count;
}

void machine_run(struct domain *d)
{
    this_cpu()->current = d->vcpu[0];
}

struct domain *domain_get(domid_t id)
{
    struct pretend *p = id < DOMID_LIMIT ? by_id[id] : NULL;

    if (!p || !READ_ONCE(p->d.refs))
        return NULL;
    domain_ref(&p->d);
    return &p->d;
}

struct domain *domain_get_from(domid_t first)
{
    for (unsigned id = first; id < DOMID_LIMIT; id++) {
        struct domain *d = domain_get((domid_t)id);

        if (d)
            return d;
    }
    return NULL;
}

int domain_get_target(domid_t id, struct domain **out)
{
    struct domain *own = current_vcpu()->domain;

    if (id != DOMID_SELF && id != own->id && !own->privileged)
        return -EPERM;
    *out = domain_get(id == DOMID_SELF ? own->id : id);
    return *out ? 0 : -ESRCH;
}

void domain_ref(struct domain *d)
{
    BUG_ON(__atomic_fetch_add(&d->refs, 1, __ATOMIC_SEQ_CST) == 0);
}

void domain_put(struct domain *d)
{
    uint32_t before = __atomic_fetch_sub(&d->refs, 1, __ATOMIC_SEQ_CST);

    BUG_ON(!before);
    if (before == 1)
        unused[nr_unused++] = pretend_of(d);
}

static struct p2m_entry *entry_at(struct domain *d, gfn_t gfn)
{
    return gfn.n < GFNS ? &pretend_of(d)->map[gfn.n] : NULL;
}

int p2m_add(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type)
{
    struct p2m_entry *e = entry_at(d, gfn);

    if (!e || order)
        return -EINVAL;
    if (e->type != P2M_NONE)
        return -EEXIST;
    if (allocations_left == 0)
        return -ENOMEM;
    *e = (struct p2m_entry){ mfn, type };
    return 0;
}

int p2m_remove(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *old)
{
    struct p2m_entry *e = entry_at(d, gfn);

    if (!e || e->type == P2M_NONE)
        return -ENOENT;
    if (!(types & 1u << e->type))
        return -EBUSY;
    *old = *e;
    frames[e->mfn.n].unsynced = true;
    e->type = P2M_NONE;
    return 0;
}

void p2m_entry_put(struct p2m_entry old)
{
    BUG_ON(frames[old.mfn.n].unsynced);
    page_put(old.mfn);
}

void p2m_sync(struct domain *d)
{
    BUG_ON(d->p2m.lock.owner);
    p2m_syncs++;
    for (unsigned i = 0; i < FRAMES; i++)
        frames[i].unsynced = false;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
    struct p2m_entry *e = entry_at(d, gfn);

    return e ? *e : (struct p2m_entry){ MFN_INVALID, P2M_NONE };
}

static int get_page(struct domain *d, gfn_t gfn, bool own, bool write, mfn_t *mfn)
{
    struct p2m_entry e = p2m_lookup(d, gfn);

    if (own ? e.type != P2M_RAM : e.type != P2M_RAM && e.type != P2M_GRANT_RW && e.type != P2M_GRANT_RO)
        return -ENOENT;
    if (write && e.type == P2M_GRANT_RO)
        return -EPERM;
    if (!page_get(e.mfn))
        return -ENOENT;
    *mfn = e.mfn;
    return 0;
}

int p2m_get_page(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn)
{
    return get_page(d, gfn, false, write, mfn);
}

int p2m_get_own_page(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
    return get_page(d, gfn, true, true, mfn);
}

int copy_from_guest(void *to, uint64_t from_va, size_t bytes)
{
    if (from_va > GUEST_BYTES || bytes > GUEST_BYTES - from_va)
        return -EFAULT;
    memcpy(to, guest_bytes + from_va, bytes);
    return 0;
}

int copy_to_guest(uint64_t to_va, const void *from, size_t bytes)
{
    if (guest_unwritable || to_va > GUEST_BYTES || bytes > GUEST_BYTES - to_va)
        return -EFAULT;
    memcpy(guest_bytes + to_va, from, bytes);
    return 0;
}

bool hypercall_preempt(void)
{
    return preempt_after && ++preempt_calls % preempt_after == 0;
}

void vcpu_hypercall_set_arg(struct vcpu *v, unsigned n, uint64_t value)
{
    BUG_ON(v != current_vcpu());
    hypercall_args[n] = value;
}

void vcpu_kick(struct vcpu *v)
{
    __atomic_fetch_add(&pretend_of(v->domain)->kicks[v->id], 1, __ATOMIC_RELAXED);
}

void sched_wake(struct vcpu *v)
{
    __atomic_fetch_add(&pretend_of(v->domain)->wakes[v->id], 1, __ATOMIC_RELAXED);
}
