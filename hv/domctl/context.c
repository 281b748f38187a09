/* HVM context: a stream of records, each a descriptor and its struct (hvm/save.h). A builder reads one to get the header
 * and a template, and writes back HEADER, CPU, END to give a vCPU its first registers, which also brings it up. Records
 * are copied and judged one at a time; a bad one stops there, what came before it stays. */
#include "hv/domctl/domctl.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/sched.h"
#include <xen/hvm/save.h>

/* What arch/svm shows of MTRRs: none, all memory write-back (APM 2, 7.7.2: E and default type WB). */
#define MTRR_DEF_TYPE (1u << 11 | 6u)
#define PAT_RESET 0x0007040600070406ull /* APM 2, 7.8.2 */

static uint32_t record_bytes(uint32_t bytes)
{
    return (uint32_t)sizeof(struct hvm_save_descriptor) + bytes;
}

static uint32_t context_bytes(const struct domain *d)
{
    return record_bytes(sizeof(struct hvm_save_header)) + record_bytes(0) +
           d->nr_vcpus * (record_bytes(sizeof(struct hvm_hw_cpu)) + record_bytes(sizeof(struct hvm_hw_mtrr)));
}

/* Where the stream goes on in the guest's buffer. */
struct stream {
    uint64_t va;
    uint32_t left;
};

static int record_put(struct stream *s, uint16_t type, unsigned instance, const void *record, uint32_t bytes)
{
    struct hvm_save_descriptor desc = { .typecode = type, .instance = (uint16_t)instance, .length = bytes };

    ASSERT(s->left >= record_bytes(bytes));
    if (copy_to_guest(s->va, &desc, sizeof(desc)) || copy_to_guest(s->va + sizeof(desc), record, bytes))
        return -EFAULT;
    s->va += record_bytes(bytes);
    s->left -= record_bytes(bytes);
    return 0;
}

static int records_put(struct domain *d, struct stream *s)
{
    struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION, .gtsc_khz = tsc_khz };
    struct hvm_hw_mtrr mtrr = { .msr_pat_cr = PAT_RESET, .msr_mtrr_def_type = MTRR_DEF_TYPE };
    int rc = record_put(s, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));

    for (unsigned i = 0; !rc && i < d->nr_vcpus; i++) {
        struct hvm_hw_cpu cpu;

        vcpu_context_save(d->vcpu[i], &cpu);
        rc = record_put(s, HVM_SAVE_CODE(CPU), i, &cpu, sizeof(cpu));
    }
    for (unsigned i = 0; !rc && i < d->nr_vcpus; i++)
        rc = record_put(s, HVM_SAVE_CODE(MTRR), i, &mtrr, sizeof(mtrr));
    return rc ? rc : record_put(s, HVM_SAVE_CODE(END), 0, NULL, 0);
}

long context_get(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_hvmcontext *arg = &op->u.hvmcontext;
    struct stream s = { (uint64_t)arg->buffer.p, arg->size };
    long rc;

    if (arg->buffer.p && arg->size < context_bytes(d))
        return -ENOSPC;
    arg->size = context_bytes(d);
    if (!arg->buffer.p)
        return 0;
    domain_pause(d);
    rc = records_put(d, &s);
    domain_unpause(d);
    return rc;
}

static int take(struct stream *s, void *to, uint32_t bytes)
{
    if (s->left < bytes)
        return -EINVAL;
    if (copy_from_guest(to, s->va, bytes))
        return -EFAULT;
    s->va += bytes;
    s->left -= bytes;
    return 0;
}

union record {
    struct hvm_save_header header;
    struct hvm_hw_cpu cpu;
    struct hvm_hw_mtrr mtrr;            /* accepted and not kept: every guest sees the same, PAT starts from reset */
};

/* The next record, of exactly its struct's length. */
static int record_take(struct stream *s, struct hvm_save_descriptor *desc, union record *r)
{
    int rc = take(s, desc, sizeof(*desc));
    uint32_t bytes;

    if (rc)
        return rc;
    switch (desc->typecode) {
    case HVM_SAVE_CODE(HEADER): bytes = sizeof(r->header); break;
    case HVM_SAVE_CODE(CPU): bytes = sizeof(r->cpu); break;
    case HVM_SAVE_CODE(MTRR): bytes = sizeof(r->mtrr); break;
    case HVM_SAVE_CODE(END): bytes = 0; break;
    default: return -EOPNOTSUPP;
    }
    return desc->length == bytes ? take(s, r, bytes) : -EINVAL;
}

static int records_take(struct domain *d, struct stream *s)
{
    struct hvm_save_descriptor desc;
    union record r;
    int rc = record_take(s, &desc, &r);

    if (rc)
        return rc;
    if (desc.typecode != HVM_SAVE_CODE(HEADER) || r.header.magic != HVM_FILE_MAGIC ||
        r.header.version != HVM_FILE_VERSION)
        return -EINVAL;
    while (!(rc = record_take(s, &desc, &r)) && desc.typecode != HVM_SAVE_CODE(END)) {
        struct vcpu *v = d->vcpu[index_nospec(desc.instance, d->nr_vcpus)];

        if (desc.instance >= d->nr_vcpus || desc.typecode == HVM_SAVE_CODE(HEADER))
            return -EINVAL;
        if (desc.typecode != HVM_SAVE_CODE(CPU))
            continue;
        rc = vcpu_context_load(v, &r.cpu);
        if (rc)
            return rc;
        /* It has registers: it may run, as soon as nothing pauses it. */
        if (!v->up)
            sched_vcpu_up(v);
    }
    return rc;
}

/* Each vCPU has one record of each kind at most: nothing longer has to be looked at. */
long context_set(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_hvmcontext *arg = &op->u.hvmcontext;
    struct stream s = { (uint64_t)arg->buffer.p, arg->size };
    long rc;

    if (arg->size > context_bytes(d))
        return -EINVAL;
    domain_pause(d);
    rc = records_take(d, &s);
    domain_unpause(d);
    return rc;
}
