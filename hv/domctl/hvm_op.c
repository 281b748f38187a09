/* HVMOP_set_param and get_param: one row per parameter says who may write and read it and what it may hold. hv itself
 * looks at HVM_PARAM_CALLBACK_IRQ only; the others are a notice board between the toolstack and its guest. */
#include "hv/domctl/hvm_op.h"
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/mm/guestcopy.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define VECTOR_FIRST 0x10               /* below are the CPU's own exceptions (APM 2, 16.6.1) */

enum {
    GUEST_GET = 1,                      /* a domain of its own */
    GUEST_SET = 2,
    TOOL = 4,                           /* the control domain, both */
};

struct param {
    uint8_t who;
    uint8_t is_callback;
    uint64_t value_max;
};

#define GFN_LIMIT (1ull << 40)          /* 52-bit physical addresses (APM 2, 5.3) */
#define GFN_NONE_OK UINT64_MAX          /* ~0: the toolstack's "not yet" */

_Static_assert(HVM_NR_PARAMS <= PARAMS_MAX, "every parameter has its word");

static const struct param params[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = { GUEST_GET | GUEST_SET | TOOL, 1, UINT64_MAX },
    [HVM_PARAM_STORE_PFN] = { GUEST_GET | TOOL, 0, GFN_NONE_OK },
    [HVM_PARAM_STORE_EVTCHN] = { GUEST_GET | GUEST_SET | TOOL, 0, UINT32_MAX },
    [HVM_PARAM_IOREQ_PFN] = { TOOL, 0, GFN_LIMIT },
    [HVM_PARAM_BUFIOREQ_PFN] = { TOOL, 0, GFN_LIMIT },
    [HVM_PARAM_VIRIDIAN] = { TOOL, 0, 0 },
    [HVM_PARAM_TIMER_MODE] = { TOOL, 0, HVMPTM_one_missed_tick_pending },
    [HVM_PARAM_HPET_ENABLED] = { TOOL, 0, 0 },
    [HVM_PARAM_IDENT_PT] = { TOOL, 0, UINT64_MAX },
    [HVM_PARAM_ACPI_S_STATE] = { TOOL, 0, 0 },
    [HVM_PARAM_VM86_TSS] = { GUEST_SET | GUEST_GET | TOOL, 0, UINT32_MAX },
    [HVM_PARAM_VPT_ALIGN] = { TOOL, 0, 1 },
    [HVM_PARAM_CONSOLE_PFN] = { GUEST_GET | TOOL, 0, GFN_NONE_OK },
    [HVM_PARAM_CONSOLE_EVTCHN] = { GUEST_GET | GUEST_SET | TOOL, 0, UINT32_MAX },
    [HVM_PARAM_ACPI_IOPORTS_LOCATION] = { GUEST_SET | GUEST_GET | TOOL, 0, 1 },
    [HVM_PARAM_PAGING_RING_PFN] = { TOOL, 0, GFN_LIMIT },
    [HVM_PARAM_MONITOR_RING_PFN] = { TOOL, 0, GFN_LIMIT },
    [HVM_PARAM_SHARING_RING_PFN] = { TOOL, 0, GFN_LIMIT },
    [HVM_PARAM_VM_GENERATION_ID_ADDR] = { GUEST_SET | GUEST_GET | TOOL, 0, UINT64_MAX },
    [HVM_PARAM_ALTP2M] = { GUEST_GET | TOOL, 0, XEN_ALTP2M_disabled },
    [HVM_PARAM_X87_FIP_WIDTH] = { GUEST_SET | GUEST_GET | TOOL, 0, 8 },
    [HVM_PARAM_VM86_TSS_SIZED] = { GUEST_SET | GUEST_GET | TOOL, 0, UINT64_MAX },
    [HVM_PARAM_MCA_CAP] = { TOOL, 0, 0 },
};

static uint8_t callback_type(uint64_t value)
{
    return value >> 56;
}

/* No interrupt, a vector, or the GSI 1 that Linux writes as a mere marker; no GSI or INTx is ever raised. */
static bool callback_valid(uint64_t value)
{
    uint64_t rest = value & ~HVM_PARAM_CALLBACK_IRQ_TYPE_MASK;

    switch (callback_type(value)) {
    case HVM_PARAM_CALLBACK_TYPE_GSI:
        return rest <= 1;
    case HVM_PARAM_CALLBACK_TYPE_VECTOR:
        return rest >= VECTOR_FIRST && rest <= UINT8_MAX;
    default:
        return false;
    }
}

uint8_t hvm_callback_vector(const struct domain *d)
{
    uint64_t value = READ_ONCE(d->params[HVM_PARAM_CALLBACK_IRQ]);

    return callback_type(value) == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)value : 0;
}

/* A row's right for the current domain to touch d's parameter. 0; -EINVAL no such parameter; -EPERM. */
static long param_check(const struct domain *d, uint32_t index, uint8_t right, const struct param **row)
{
    const struct domain *own = current_vcpu()->domain;

    if (index >= HVM_NR_PARAMS)
        return -EINVAL;
    *row = &params[index_nospec(index, HVM_NR_PARAMS)];
    if (!(*row)->who)
        return -EINVAL;
    if ((*row)->who & (d == own ? right : TOOL))
        return 0;
    return -EPERM;
}

static long param_set(struct domain *d, const struct xen_hvm_param *arg)
{
    const struct param *row;
    long rc = param_check(d, arg->index, GUEST_SET, &row);

    if (rc)
        return rc;
    if (arg->value > row->value_max || (row->is_callback && !callback_valid(arg->value)))
        return -EINVAL;
    spin_lock(&d->lock);
    WRITE_ONCE(d->params[arg->index], arg->value);
    spin_unlock(&d->lock);
    /* What became pending before there was a vector shows only now. */
    for (unsigned i = 0; row->is_callback && i < d->nr_vcpus; i++)
        vcpu_kick(d->vcpu[i]);
    return 0;
}

static long param_get(struct domain *d, struct xen_hvm_param *arg, uint64_t arg_va)
{
    const struct param *row;
    long rc = param_check(d, arg->index, GUEST_GET, &row);

    if (rc)
        return rc;
    spin_lock(&d->lock);
    arg->value = d->params[index_nospec(arg->index, HVM_NR_PARAMS)];
    spin_unlock(&d->lock);
    return copy_to_guest(arg_va, arg, sizeof(*arg));
}

long do_hvm_op(unsigned cmd, uint64_t arg_va)
{
    struct xen_hvm_param arg;
    struct domain *d;
    long rc;

    if (cmd != HVMOP_set_param && cmd != HVMOP_get_param)
        return -ENOSYS;
    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    rc = domain_get_target(arg.domid, &d);
    if (rc)
        return rc;
    if (d->dying)
        rc = -EINVAL;
    else
        rc = cmd == HVMOP_set_param ? param_set(d, &arg) : param_get(d, &arg, arg_va);
    domain_put(d);
    return rc;
}
