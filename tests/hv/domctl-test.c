/* The toolstack's calls: domctl, sysctl, HVM parameters and context, build_op, xen_version: answers, refusals, and who
 * may ask. */
#include <string.h>

#include "tests/hv/whole.h"
#include "tests/hv/harness.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/include/xs/build.h"
#include "hv/sched/preempt.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/sched.h>
#include <xen/version.h>

static struct domain *guest;            /* 2 vCPUs, GFNs 0 to 99 */

static struct xen_domctl domctl(domid_t id, uint32_t cmd)
{
    return (struct xen_domctl){ .cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = id };
}

static struct xen_sysctl sysctl(uint32_t cmd)
{
    return (struct xen_sysctl){ .cmd = cmd, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
}

static void *array(void)
{
    return whole_at(dom0, ARRAY_GPA);
}

static void who_may_ask(void)
{
    struct xen_domctl op = domctl(guest->id, XEN_DOMCTL_getdomaininfo);
    struct xen_sysctl sys = sysctl(XEN_SYSCTL_physinfo);
    struct xs_build_write w = { .domid = guest->id };

    whole_as(guest);
    is(call_domctl(&op), -EPERM, "a guest asks no domctl");
    is(call_sysctl(&sys), -EPERM, "no sysctl");
    is(call_1(do_build_op, XS_BUILD_write, &w, sizeof(w)), -EPERM, "and builds nobody");
    whole_as(dom0);
    op.interface_version++;
    is(call_domctl(&op), -EACCES, "another version of domctl is not ours");
    sys.interface_version++;
    is(call_sysctl(&sys), -EACCES, "nor of sysctl");
    op = domctl(guest->id, XEN_DOMCTL_hypercall_init);
    is(call_domctl(&op), -ENOSYS, "a domctl we do not have");
    op = domctl(guest->id, ~0u);
    is(call_domctl(&op), -ENOSYS, "or nobody has");
    sys = sysctl(XEN_SYSCTL_tbuf_op);
    is(call_sysctl(&sys), -ENOSYS, "a sysctl we do not have");
    is(do_domctl(0x123456789000ull), -EFAULT, "an argument that is nowhere");
    is(do_sysctl(0x123456789000ull), -EFAULT, "for both");
}

static struct xen_domctl_getdomaininfo info_of(domid_t id)
{
    struct xen_domctl op = domctl(id, XEN_DOMCTL_getdomaininfo);

    if (call_domctl(&op) || op.domain != id)
        op.u.getdomaininfo.domain = DOMID_INVALID;
    return op.u.getdomaininfo;
}

static void domain_infos(void)
{
    struct xen_domctl op = domctl(1, XEN_DOMCTL_getdomaininfo);
    struct xen_domctl_getdomaininfo info = info_of(guest->id);
    struct xen_sysctl sys = sysctl(XEN_SYSCTL_getdomaininfolist);

    is(info.domain, guest->id, "a domain's info is found by its id");
    ok(info.tot_pages == 100 && info.max_pages == 128 && info.max_vcpu_id == 1, "and is right");
    ok(info.flags & XEN_DOMINF_hvm_guest && info.flags & XEN_DOMINF_hap && info.flags & XEN_DOMINF_paused,
       "hvm, hap, paused");
    ok(info.handle[3] == 0xAB && info.nr_online_vcpus == 0, "its handle, no vCPU online");
    guest->vcpu[0]->state_ns[VCPU_RUNNING] = 5;
    guest->vcpu[1]->state_ns[VCPU_RUNNING] = 7;
    is(info_of(guest->id).cpu_time, 12, "CPU time is the vCPUs' together");
    is(call_domctl(&op), 0, "asking from an id on");
    is(op.domain, guest->id, "finds the next domain");
    op = domctl((domid_t)(guest->id + 1), XEN_DOMCTL_getdomaininfo);
    is(call_domctl(&op), -ESRCH, "past the last there is none");
    sys.u.getdomaininfolist.max_domains = 10;
    sys.u.getdomaininfolist.buffer.p = (void *)ARRAY_GPA;
    is(call_sysctl(&sys), 0, "the list of all");
    is(sys.u.getdomaininfolist.num_domains, 2, "is dom0 and the guest");
    ok(((struct xen_domctl_getdomaininfo *)array())[1].domain == guest->id, "in this order");
    sys.u.getdomaininfolist.max_domains = 1;
    ok(call_sysctl(&sys) == 0 && sys.u.getdomaininfolist.num_domains == 1, "never more than there is room for");
    sys.u.getdomaininfolist.buffer.p = (void *)(0x9000ull << PAGE_SHIFT);
    is(call_sysctl(&sys), -EFAULT, "nor where there is none");
}

static void pausing(void)
{
    is(call_domctl_on(guest->id, XEN_DOMCTL_unpausedomain), 0, "a new domain is unpaused");
    is(guest->pause_count, 0, "and may run");
    is(call_domctl_on(guest->id, XEN_DOMCTL_unpausedomain), -EINVAL, "once");
    is(call_domctl_on(guest->id, XEN_DOMCTL_pausedomain), 0, "paused");
    is(call_domctl_on(guest->id, XEN_DOMCTL_pausedomain), 0, "paused again: no change");
    is(guest->pause_count, 1, "control holds it once");
    is(call_domctl_on(0, XEN_DOMCTL_pausedomain), -EINVAL, "dom0 cannot pause itself");
    domain_shutdown(guest, SHUTDOWN_reboot);
    is(info_of(guest->id).flags >> XEN_DOMINF_shutdownshift & 255, SHUTDOWN_reboot, "a shutdown shows its reason");
    guest->shutting_down = false;
    guest->pause_count--;
}

static void limits_and_shares(void)
{
    struct xen_domctl op = domctl(guest->id, XEN_DOMCTL_max_vcpus);

    op.u.max_vcpus.max = 2;
    is(call_domctl(&op), 0, "max_vcpus agrees with creation");
    op.u.max_vcpus.max = 3;
    is(call_domctl(&op), -EINVAL, "or is refused");
    op = domctl(guest->id, XEN_DOMCTL_max_mem);
    op.u.max_mem.max_memkb = ~0ull;
    ok(call_domctl(&op) == 0 && info_of(guest->id).max_pages == WHOLE_FRAMES, "no limit is the machine's");
    op = domctl(guest->id, XEN_DOMCTL_scheduler_op);
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit.weight = 512;
    op.u.scheduler_op.u.credit.cap = 50;
    is(call_domctl(&op), 0, "weight and cap are set");
    op.u.scheduler_op.u.credit.weight = 0;
    op.u.scheduler_op.u.credit.cap = 0xFFFF;
    is(call_domctl(&op), 0, "or left as they are");
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    ok(call_domctl(&op) == 0 && op.u.scheduler_op.u.credit.weight == 512 && op.u.scheduler_op.u.credit.cap == 50,
       "and read back");
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_RTDS;
    is(call_domctl(&op), -EINVAL, "another scheduler is not ours");
}

static void vcpu_answers(void)
{
    struct xen_domctl op = domctl(guest->id, XEN_DOMCTL_getvcpuinfo);

    op.u.getvcpuinfo.vcpu = 1;
    ok(call_domctl(&op) == 0 && op.u.getvcpuinfo.cpu_time == 7, "a vCPU's info");
    op.u.getvcpuinfo.vcpu = 2;
    is(call_domctl(&op), -ESRCH, "of one that exists");
}

static void machine_answers(void)
{
    struct xen_sysctl sys = sysctl(XEN_SYSCTL_physinfo);
    const struct xen_sysctl_physinfo *p = &sys.u.physinfo;

    is(call_sysctl(&sys), 0, "physinfo");
    ok(p->nr_cpus == 1 && p->max_cpu_id == 0 && p->cpu_khz == tsc_khz, "counts CPUs");
    ok(p->total_pages == WHOLE_FRAMES && p->free_pages == pages_free && p->max_mfn == WHOLE_FRAMES - 1, "and pages");
    is(p->capabilities, XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1, "hvm with hap");
}

static long create_with(void (*change)(struct xen_domctl_createdomain *c))
{
    struct xen_domctl op = domctl(0, XEN_DOMCTL_createdomain);
    struct xen_domctl_createdomain *c = &op.u.createdomain;

    *c = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 1, .max_evtchn_port = ~0u, .max_grant_frames = -1,
        .max_maptrack_frames = -1, .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };
    change(c);
    return call_domctl(&op) ?: op.domain;
}

#define CHANGE(name, statement) static void name(struct xen_domctl_createdomain *c) { statement; }
CHANGE(nothing, (void)c)
CHANGE(pv, c->flags = 0)
CHANGE(shadow, c->flags = XEN_DOMCTL_CDF_hvm)
CHANGE(iommu, c->flags |= XEN_DOMCTL_CDF_iommu)
CHANGE(no_vcpu, c->max_vcpus = 0)
CHANGE(vcpus, c->max_vcpus = 1u << 31)
CHANGE(grants_v2, c->grant_opts = XEN_DOMCTL_GRANT_version(2))
CHANGE(full_hvm, c->arch.emulation_flags = XEN_X86_EMU_ALL)
CHANGE(pool, c->cpupool_id = 1)
CHANGE(frames, c->max_grant_frames = 1 << 30)

static void creations(void)
{
    struct counts before = counts_now();
    long id = create_with(nothing);

    ok(id > 0, "defaults are filled in");
    is(call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain), 0, "destroyed");
    is(create_with(pv), -EINVAL, "no PV guests");
    ok(strstr(whole_console, "hvm and hap") != NULL, "and the console says why");
    is(create_with(shadow), -EINVAL, "none without nested paging");
    is(create_with(iommu), -EINVAL, "no pass-through");
    is(create_with(no_vcpu), -EINVAL, "no guest without a vCPU");
    is(create_with(vcpus), -EINVAL, "nor with too many");
    is(create_with(grants_v2), -EINVAL, "no grants of version 2");
    is(create_with(full_hvm), -EINVAL, "no emulated devices");
    is(create_with(pool), -EINVAL, "no other pool");
    is(create_with(frames), -EINVAL, "no endless grant table");
    ok(counts_equal(before, counts_now()), "nothing is left of any");
}

static long param(unsigned cmd, domid_t id, uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = { .domid = id, .index = index, .value = *value };
    long rc = call_1(do_hvm_op, cmd, &p, sizeof(p));

    *value = p.value;
    return rc;
}

static long set(domid_t id, uint32_t index, uint64_t value)
{
    return param(HVMOP_set_param, id, index, &value);
}

static void params(void)
{
    const uint64_t vector = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xF3;
    uint64_t value = 99;

    ok(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_EVTCHN, &value) == 0 && value == 0,
       "dom0 reads 0 for its xenstore port: it runs the store itself");
    is(set(guest->id, HVM_PARAM_STORE_PFN, 0xFEFFC), 0, "the toolstack says where the ring is");
    is(set(guest->id, HVM_PARAM_STORE_PFN, ~0ull), 0, "or that it comes later");
    is(set(guest->id, HVM_PARAM_CONSOLE_PFN, 0xFEFFF), 0, "and the console");
    is(set(guest->id, HVM_NR_PARAMS, 0), -EINVAL, "nor what nobody has");
    is(set(guest->id, 3, 0), -EINVAL, "nor what nobody has any more");
    whole_as(guest);
    value = 0;
    ok(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_CONSOLE_PFN, &value) == 0 && value == 0xFEFFF,
       "the guest finds its console");
    is(set(DOMID_SELF, HVM_PARAM_CONSOLE_PFN, 5), -EPERM, "which it cannot move");
    is(set(DOMID_SELF, HVM_PARAM_STORE_PFN, 5), -EPERM, "nor its store");
    is(param(HVMOP_get_param, 0, HVM_PARAM_STORE_PFN, &value), -EPERM, "nor ask about others");
    is(hvm_callback_vector(guest), 0, "at first there is no callback vector");
    is(set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, vector), 0, "the guest sets one");
    is(hvm_callback_vector(guest), 0xF3, "and gets its events there");
    is(set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, vector & ~0xFFull), -EINVAL, "an exception's vector is refused");
    is(set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, vector | 0x100), -EINVAL, "and a vector that is none");
    is(set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 1ull << 56), -EINVAL, "and a PCI line");
    is(set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 1), 0, "Linux's marker is taken");
    is(hvm_callback_vector(guest), 0, "and is no vector");
    is(call_1(do_hvm_op, HVMOP_pagetable_dying, &value, sizeof(value)), -ENOSYS, "pagetable_dying must fail");
    whole_as(dom0);
}

struct boot_context {
    struct hvm_save_descriptor header_desc;
    struct hvm_save_header header;
    struct hvm_save_descriptor cpu_desc;
    struct hvm_hw_cpu cpu;
    struct hvm_save_descriptor end_desc;
} __attribute__((packed));

static long context(uint32_t cmd, uint32_t size, void *buffer, uint32_t *out)
{
    struct xen_domctl op = domctl(guest->id, cmd);
    long rc;

    op.u.hvmcontext.size = size;
    op.u.hvmcontext.buffer.p = buffer;
    rc = call_domctl(&op);
    if (out)
        *out = op.u.hvmcontext.size;
    return rc;
}

static void contexts(void)
{
    struct boot_context *at = array(), boot;
    struct hvm_save_descriptor *mtrr;
    uint32_t size;

    is(context(XEN_DOMCTL_gethvmcontext, 0, NULL, &size), 0, "the size of a context is told");
    is(context(XEN_DOMCTL_gethvmcontext, size - 1, (void *)ARRAY_GPA, NULL), -ENOSPC, "less room is not enough");
    is(context(XEN_DOMCTL_gethvmcontext, size, (void *)ARRAY_GPA, NULL), 0, "the context is read");
    ok(at->header.magic == HVM_FILE_MAGIC && at->cpu_desc.typecode == HVM_SAVE_CODE(CPU), "header, then CPUs");
    mtrr = (void *)((char *)&at->cpu_desc + 2 * (sizeof(at->cpu_desc) + sizeof(at->cpu)));
    ok(mtrr->typecode == HVM_SAVE_CODE(MTRR) && mtrr->instance == 0 && mtrr->length == sizeof(struct hvm_hw_mtrr),
       "then MTRRs");

    memcpy(&boot, at, sizeof(boot));
    boot.end_desc = (struct hvm_save_descriptor){ .typecode = HVM_SAVE_CODE(END) };
    boot.cpu.rip = 0x1000850;
    memcpy(at, &boot, sizeof(boot));
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), 0, "HEADER, CPU, END are taken");
    ok(guest->vcpu[0]->up && !guest->vcpu[1]->up, "which brings vCPU 0 up, and only it");
    is(guest->pause_count, 1, "it still waits for control");
    is(context(XEN_DOMCTL_gethvmcontext, size, (void *)ARRAY_GPA, NULL), 0, "read again");
    is(at->cpu.rip, 0x1000850, "it has the registers");

    for (uint32_t cut = 0; cut < sizeof(boot); cut++) {
        memcpy(at, &boot, sizeof(boot));
        if (context(XEN_DOMCTL_sethvmcontext, cut, (void *)ARRAY_GPA, NULL) != -EINVAL)
            is(cut, ~0u, "a context cut short is refused");
    }
    at->header.magic++;
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), -EINVAL, "a wrong magic");
    *at = boot;
    at->cpu_desc.instance = 2;
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), -EINVAL, "a vCPU that is not there");
    *at = boot;
    at->cpu_desc.length--;
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), -EINVAL, "a record of another length");
    *at = boot;
    at->cpu_desc.typecode = 16;
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), -EOPNOTSUPP, "a record we do not take");
    *at = boot;
    at->cpu.msr_efer = 1 << 12;
    is(context(XEN_DOMCTL_sethvmcontext, sizeof(boot), (void *)ARRAY_GPA, NULL), -EINVAL, "registers that must not be");
    is(context(XEN_DOMCTL_sethvmcontext, ~0u, (void *)ARRAY_GPA, NULL), -EINVAL, "a context of 4 GiB");
}

static long build(unsigned cmd, struct xs_build_write *w)
{
    return call_1(do_build_op, cmd, w, sizeof(*w));
}

static void builds(void)
{
    struct xs_build_write w = { .domid = guest->id, .gpa = 0x5F80, .from = ARRAY_GPA + 8, .bytes = 0x3000 };
    unsigned restarts = whole_restarts;

    for (unsigned i = 0; i < ARRAY_MAX; i++)
        ((uint8_t *)array())[i] = (uint8_t)(i * 7);
    whole_preempt_every = 1;
    is(build(XS_BUILD_write, &w), 0, "an image is written");
    whole_preempt_every = 0;
    ok(whole_restarts - restarts == 3 && w.bytes == 0 && w.gpa == 0x8F80, "frame by frame, with its progress told");
    ok(!memcmp(whole_at(guest, 0x5F80), (char *)array() + 8, 0x80) &&
       !memcmp(whole_at(guest, 0x6000), (char *)array() + 0x88, PAGE_SIZE) &&
       !memcmp(whole_at(guest, 0x8000), (char *)array() + 0x2088, 0xF80), "each byte where it belongs");
    w = (struct xs_build_write){ .domid = guest->id, .gpa = 99 << PAGE_SHIFT, .from = ARRAY_GPA, .bytes = 0x2000 };
    is(build(XS_BUILD_write, &w), -EFAULT, "beyond the guest's memory it stops");
    ok(w.gpa == 100 << PAGE_SHIFT && w.bytes == 0x1000, "and says where");
    w = (struct xs_build_write){ .domid = guest->id, .gpa = ~0ull - 10, .bytes = 0x100 };
    is(build(XS_BUILD_write, &w), -EINVAL, "an end that wraps");
    w = (struct xs_build_write){ .domid = guest->id, .bytes = XS_BUILD_WRITE_MAX + 1 };
    is(build(XS_BUILD_write, &w), -EINVAL, "more than one call may");
    w = (struct xs_build_write){ .domid = 0, .bytes = 1 };
    is(build(XS_BUILD_write, &w), -ESRCH, "dom0 is not built");
    w = (struct xs_build_write){ .domid = 0x10000u + guest->id, .bytes = 1 };
    is(build(XS_BUILD_write, &w), -ESRCH, "an id too long is nobody's");
    w = (struct xs_build_write){ .domid = guest->id, .pad = 1 };
    is(build(XS_BUILD_write, &w), -EINVAL, "padding must be zero");
    call_domctl_on(guest->id, XEN_DOMCTL_unpausedomain);
    w = (struct xs_build_write){ .domid = guest->id };
    is(build(XS_BUILD_write, &w), -EBUSY, "a domain that may run is not written to");
    call_domctl_on(guest->id, XEN_DOMCTL_pausedomain);
    is(build(3, &w), -ENOSYS, "there is one command");
}

static void versions(void)
{
    char text[1024];
    struct xen_feature_info f = { 0 };

    is(do_xen_version(XENVER_version, 0), 4 << 16 | 17, "the ABI of 4.17");
    ok(call_1(do_xen_version, XENVER_extraversion, text, 16) == 0 && !strcmp(text, "-xs"), "by us");
    ok(call_1(do_xen_version, XENVER_capabilities, text, 1024) == 0 && strstr(text, "hvm-3.0-x86_32 "),
       "libxenguest finds the capability that it looks for");
    is(do_xen_version(99, 0), -ENOSYS, "nothing else");
    is(call_1(do_xen_version, XENVER_get_features, &f, sizeof(f)), 0, "features");
    ok(f.submap & 1 << XENFEAT_dom0 && f.submap & 1 << XENFEAT_hvm_callback_vector &&
       !(f.submap & 1 << XENFEAT_hvm_pirqs), "dom0's, with callback vector, without pirqs");
    f.submap_idx = 1;
    is(call_1(do_xen_version, XENVER_get_features, &f, sizeof(f)), -EINVAL, "one word of them");
    whole_as(guest);
    f = (struct xen_feature_info){ 0 };
    ok(call_1(do_xen_version, XENVER_get_features, &f, sizeof(f)) == 0 && !(f.submap & 1 << XENFEAT_dom0),
       "a guest is not dom0");
    ok(call_1(do_xen_version, XENVER_guest_handle, text, 16) == 0 && (uint8_t)text[15] == 0xAB, "it knows its handle");
    whole_as(dom0);
}

/* domctls of random bits: whatever they do is undone by destroying the guests. */
static void wild_domctls(void)
{
    static const uint64_t odd[] = { 0, 1, 2, 31, 32, 0xFFFF, ~0u, ARRAY_GPA, 0x9000ull << PAGE_SHIFT, ~0ull, 1ull << 63 };
    uint64_t seed = 54;
    unsigned calls;

    for (calls = 0; calls < 50000; calls++) {
        struct xen_domctl op = domctl((domid_t)(random_below(&seed, 8) ? random_below(&seed, 40) : random_next(&seed)),
                                      random_below(&seed, 90));
        uint64_t *words = (uint64_t *)op.u.pad;

        for (unsigned w = 0; w < 16; w++)
            words[w] = odd[random_below(&seed, sizeof(odd) / sizeof(*odd))] << (random_below(&seed, 2) * 32);
        whole_preempt_every = random_below(&seed, 3);
        if (op.cmd == XEN_DOMCTL_unpausedomain || op.domain == 0)
            continue;
        call_domctl(&op);
        if (calls % 64 == 0)
            guest_create(0, 1 + random_below(&seed, 3), 1);
        if (calls % 4096 == 0)
            counts_now();
    }
    whole_preempt_every = 0;
    is(calls, 50000, "domctls of random arguments all return");
}

int main(void)
{
    struct counts before;
    long id;

    whole_start();
    before = counts_now();
    id = guest_create(0, 2, 128);
    guest = domain_get((domid_t)id);
    is(guest_populate((domid_t)id, 0, 100), 100, "a guest to ask about");
    who_may_ask();
    domain_infos();
    pausing();
    limits_and_shares();
    vcpu_answers();
    machine_answers();
    creations();
    params();
    contexts();
    builds();
    versions();
    domain_put(guest);
    wild_domctls();
    for (struct domain *d; (d = domain_get_from(1)); ) {
        id = d->id;
        domain_put(d);
        call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain);
    }
    ok(counts_equal(before, counts_now()), "when all guests are destroyed nothing is left of them");
    return tap_end();
}
