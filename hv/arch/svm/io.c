/* Port accesses that exit. There is nothing behind them: reads float high, but for the few that a kernel polls. */
#include "hv/arch/svm/svm.h"
#include "hv/lib/string.h"

#define IOIO_IN     (1u << 0)           /* APM 2, 15.10.2 */
#define IOIO_STRING (1u << 2)
#define IOIO_REP    (1u << 3)
#define IOIO_SIZE(info) ((info) >> 4 & 7)

void svm_ioio(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    uint32_t info = (uint32_t)s->vmcb->exitinfo1;
    /* A PIT counter that is never 0xFF ends Linux's calibration loop at its first look (100,000 exits otherwise). */
    uint32_t value = (uint16_t)(info >> 16) == 0x42 ? 0 : UINT32_MAX;

    if (info & IOIO_STRING) {
        /* INS and OUTS to nothing: the count runs out, memory stays as it is. */
        if (info & IOIO_REP)
            s->regs.rcx = 0;
    } else if (info & IOIO_IN) {
        if (IOIO_SIZE(info) == 4)
            s->vmcb->rax = value;
        else
            memcpy(&s->vmcb->rax, &value, IOIO_SIZE(info));
    }
    s->vmcb->rip = s->vmcb->exitinfo2;
    s->vmcb->interrupt_shadow = 0;
}
