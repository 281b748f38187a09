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

static int header_put(struct stream *s)
{
    struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION, .gtsc_khz = tsc_khz };

    return record_put(s, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
}

static int cpu_put(struct stream *s, struct vcpu *v)
{
    struct hvm_hw_cpu cpu = { 0 };

    vcpu_context_save(v, &cpu);
    return record_put(s, HVM_SAVE_CODE(CPU), v->id, &cpu, sizeof(cpu));
}

static int mtrr_put(struct stream *s, const struct vcpu *v)
{
    struct hvm_hw_mtrr mtrr = { .msr_pat_cr = PAT_RESET, .msr_mtrr_def_type = MTRR_DEF_TYPE };

    return record_put(s, HVM_SAVE_CODE(MTRR), v->id, &mtrr, sizeof(mtrr));
}

static int records_put(struct domain *d, struct stream *s)
{
    int rc = header_put(s);

    for (unsigned i = 0; !rc && i < d->nr_vcpus; i++)
        rc = cpu_put(s, d->vcpu[i]);
    for (unsigned i = 0; !rc && i < d->nr_vcpus; i++)
        rc = mtrr_put(s, d->vcpu[i]);
    return rc ? rc : record_put(s, HVM_SAVE_CODE(END), 0, NULL, 0);
}

long context_get(struct domain *d, struct xen_domctl_hvmcontext *arg)
{
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

/* The body of a record, whose length must be exactly that of its struct. */
static int body_get(struct stream *s, const struct hvm_save_descriptor *desc, void *record, uint32_t bytes)
{
    if (desc->length != bytes || s->left < bytes)
        return -EINVAL;
    if (copy_from_guest(record, s->va, bytes))
        return -EFAULT;
    s->va += bytes;
    s->left -= bytes;
    return 0;
}

static int desc_get(struct stream *s, struct hvm_save_descriptor *desc)
{
    if (s->left < sizeof(*desc))
        return -EINVAL;
    if (copy_from_guest(desc, s->va, sizeof(*desc)))
        return -EFAULT;
    s->va += sizeof(*desc);
    s->left -= sizeof(*desc);
    return 0;
}

static int header_get(struct stream *s)
{
    struct hvm_save_descriptor desc;
    struct hvm_save_header header;
    int rc = desc_get(s, &desc);

    if (!rc && desc.typecode != HVM_SAVE_CODE(HEADER))
        rc = -EINVAL;
    if (!rc)
        rc = body_get(s, &desc, &header, sizeof(header));
    if (!rc && (header.magic != HVM_FILE_MAGIC || header.version != HVM_FILE_VERSION))
        rc = -EINVAL;
    return rc;
}

/* The vCPU has registers: it may run, as soon as nothing pauses it. */
static int cpu_get(struct domain *d, struct stream *s, const struct hvm_save_descriptor *desc)
{
    struct hvm_hw_cpu cpu;
    struct vcpu *v;
    int rc;

    if (desc->instance >= d->nr_vcpus)
        return -EINVAL;
    v = d->vcpu[index_nospec(desc->instance, d->nr_vcpus)];
    rc = body_get(s, desc, &cpu, sizeof(cpu));
    if (!rc)
        rc = vcpu_context_load(v, &cpu);
    if (rc)
        return rc;
    if (!v->up)
        sched_vcpu_up(v);
    return 0;
}

/* Accepted and not kept: every guest sees the same MTRRs, and PAT starts from its reset value. */
static int mtrr_get(struct domain *d, struct stream *s, const struct hvm_save_descriptor *desc)
{
    struct hvm_hw_mtrr mtrr;

    return desc->instance < d->nr_vcpus ? body_get(s, desc, &mtrr, sizeof(mtrr)) : -EINVAL;
}

static int records_get(struct domain *d, struct stream *s)
{
    struct hvm_save_descriptor desc;
    int rc = header_get(s);

    while (!rc) {
        rc = desc_get(s, &desc);
        if (rc)
            return rc;
        switch (desc.typecode) {
        case HVM_SAVE_CODE(END):
            return desc.length ? -EINVAL : 0;
        case HVM_SAVE_CODE(CPU):
            rc = cpu_get(d, s, &desc);
            break;
        case HVM_SAVE_CODE(MTRR):
            rc = mtrr_get(d, s, &desc);
            break;
        default:
            return -EOPNOTSUPP;
        }
    }
    return rc;
}

/* Each vCPU has one record of each kind at most: nothing longer has to be looked at. */
long context_set(struct domain *d, const struct xen_domctl_hvmcontext *arg)
{
    struct stream s = { (uint64_t)arg->buffer.p, arg->size };
    long rc;

    if (arg->size > context_bytes(d))
        return -EINVAL;
    domain_pause(d);
    rc = records_get(d, &s);
    domain_unpause(d);
    return rc;
}
