/* build_op (xs/build.h): a new domain's image goes into its frames without ever being mapped in dom0. */
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include <xs/build.h>

/* The piece of the copy that lies in one frame of d. 0; -EFAULT on either side. */
static int write_piece(struct domain *d, const struct xs_build_write *w, size_t bytes)
{
    mfn_t mfn;
    void *to;
    int rc;

    if (p2m_get_own_page(d, GFN(w->gpa >> PAGE_SHIFT), &mfn))
        return -EFAULT;
    to = (char *)mfn_to_virt(mfn) + (w->gpa & ~PAGE_MASK);
    rc = copy_from_guest(to, w->from, bytes);
    page_put(mfn);
    return rc;
}

/* Advances w by what was done, also when it fails. */
static long write_run(struct domain *d, struct xs_build_write *w)
{
    while (w->bytes) {
        size_t bytes = MIN(w->bytes, PAGE_SIZE - (w->gpa & ~PAGE_MASK));
        int rc = write_piece(d, w, bytes);

        if (rc)
            return rc;
        w->gpa += bytes;
        w->bytes -= bytes;
        w->from += bytes;
        if (w->bytes && hypercall_preempt())
            return HYPERCALL_RESTART;
    }
    return 0;
}

long do_build_op(unsigned cmd, uint64_t arg_va)
{
    struct xs_build_write w;
    struct domain *d;
    long rc;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (cmd != XS_BUILD_write)
        return -ENOSYS;
    if (copy_from_guest(&w, arg_va, sizeof(w)))
        return -EFAULT;
    if (w.pad || w.bytes > XS_BUILD_WRITE_MAX || w.gpa + w.bytes < w.gpa)
        return -EINVAL;
    d = w.domid < DOMID_LIMIT ? domain_get((domid_t)w.domid) : NULL;
    if (!d)
        return -ESRCH;
    if (d->privileged || d->dying)
        rc = -ESRCH;
    else
        rc = READ_ONCE(d->controller_paused) ? write_run(d, &w) : -EBUSY;
    domain_put(d);
    if (copy_to_guest(arg_va, &w, sizeof(w)))
        return -EFAULT;
    return rc;
}
