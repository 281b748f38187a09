/* HVMOP_set_param and get_param: one row per parameter says who may write and read it. hv itself looks at
 * HVM_PARAM_CALLBACK_IRQ only; the others are a notice board between the toolstack and its guest. */
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

_Static_assert(HVM_NR_PARAMS <= PARAMS_MAX, "every parameter has its word");

static const uint8_t rights[HVM_NR_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = GUEST_GET | GUEST_SET | TOOL,
    [HVM_PARAM_STORE_PFN] = GUEST_GET | TOOL,
    [HVM_PARAM_STORE_EVTCHN] = GUEST_GET | GUEST_SET | TOOL,
    [HVM_PARAM_CONSOLE_PFN] = GUEST_GET | TOOL,
    [HVM_PARAM_CONSOLE_EVTCHN] = GUEST_GET | GUEST_SET | TOOL,
};

#define CALLBACK_TYPE(value) ((value) >> 56)

/* No interrupt, a vector, or the GSI 1 that Linux writes as a mere marker; no GSI or INTx is ever raised. */
static bool callback_valid(uint64_t value)
{
    uint64_t rest = value & ~HVM_PARAM_CALLBACK_IRQ_TYPE_MASK;

    if (CALLBACK_TYPE(value) == HVM_PARAM_CALLBACK_TYPE_VECTOR)
        return rest >= VECTOR_FIRST && rest <= UINT8_MAX;
    return CALLBACK_TYPE(value) == HVM_PARAM_CALLBACK_TYPE_GSI && rest <= 1;
}

uint8_t hvm_callback_vector(const struct domain *d)
{
    uint64_t value = READ_ONCE(d->params[HVM_PARAM_CALLBACK_IRQ]);

    return CALLBACK_TYPE(value) == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)value : 0;
}

static long param_set(struct domain *d, uint32_t index, uint64_t value)
{
    bool is_callback = index == HVM_PARAM_CALLBACK_IRQ;

    if (is_callback && !callback_valid(value))
        return -EINVAL;
    WRITE_ONCE(d->params[index], value);
    /* What became pending before there was a vector shows only now. */
    for (unsigned i = 0; is_callback && i < d->nr_vcpus; i++)
        vcpu_kick(d->vcpu[i]);
    return 0;
}

static long param_op(struct domain *d, unsigned cmd, struct xen_hvm_param *arg)
{
    uint8_t right = d != current_vcpu()->domain ? TOOL : cmd == HVMOP_set_param ? GUEST_SET : GUEST_GET;
    uint32_t index = (uint32_t)index_nospec(arg->index, HVM_NR_PARAMS);

    if (arg->index >= HVM_NR_PARAMS || !rights[index] || d->dying)
        return -EINVAL;
    if (!(rights[index] & right))
        return -EPERM;
    if (cmd == HVMOP_set_param)
        return param_set(d, index, arg->value);
    arg->value = READ_ONCE(d->params[index]);
    return 0;
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
    rc = param_op(d, cmd, &arg);
    domain_put(d);
    return rc || cmd == HVMOP_set_param ? rc : copy_to_guest(arg_va, &arg, sizeof(arg));
}
