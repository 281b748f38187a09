/* grant_table_op: the calls themselves. What they do is in entry.c, map.c and copy.c. Every op's struct is copied once;
 * only the fields that answer are written back. Deliberately out: version 2, transfers, page-table maps. */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"

/* The call stops with `left` ops to do at arg_va; it is issued again with just these. */
static long restart(uint64_t arg_va, unsigned left)
{
    vcpu_hypercall_set_arg(current_vcpu(), 1, arg_va);
    vcpu_hypercall_set_arg(current_vcpu(), 2, left);
    return HYPERCALL_RESTART;
}

static long do_map(struct domain *self, uint64_t arg_va, unsigned count)
{
    const size_t answer = offsetof(struct gnttab_map_grant_ref, status);
    struct gnttab_map_grant_ref op;
    unsigned mapped = 0;
    long rc = 0;

    for (unsigned done = 0; done < count && !rc; done++, arg_va += sizeof(op)) {
        if (done && hypercall_preempt()) {
            rc = restart(arg_va, count - done);
            break;
        }
        rc = -EFAULT;
        if (copy_from_guest(&op, arg_va, sizeof(op)))
            break;
        op.status = map_one(self, &op);
        mapped += op.status == GNTST_okay;
        if (!copy_to_guest(arg_va + answer, (char *)&op + answer, sizeof(op) - answer))
            rc = 0;
    }
    stats_count(self, STATS_GRANT_MAPS, mapped);
    return rc;
}

/* Up to ENDING_MAX ops that share one p2m_sync. */
static long unmap_some(struct domain *self, uint64_t arg_va, unsigned count, unsigned *unmapped)
{
    const size_t answer = offsetof(struct gnttab_unmap_grant_ref, status);
    struct ending ending = { .count = 0 };
    struct gnttab_unmap_grant_ref op;
    long rc = 0;

    for (unsigned i = 0; i < count && !rc; i++, arg_va += sizeof(op)) {
        rc = -EFAULT;
        if (copy_from_guest(&op, arg_va, sizeof(op)))
            break;
        op.status = unmap_begin(self, &op, &ending);
        if (!copy_to_guest(arg_va + answer, &op.status, sizeof(op.status)))
            rc = 0;
    }
    *unmapped += ending.count;
    unmap_finish(self, &ending);
    return rc;
}

static long do_unmap(struct domain *self, uint64_t arg_va, unsigned count)
{
    unsigned unmapped = 0, done = 0;
    long rc = 0;

    while (done < count && !rc) {
        unsigned some = MIN(count - done, ENDING_MAX);

        if (done && hypercall_preempt()) {
            rc = restart(arg_va, count - done);
            break;
        }
        rc = unmap_some(self, arg_va, some, &unmapped);
        arg_va += some * sizeof(struct gnttab_unmap_grant_ref);
        done += some;
    }
    stats_count(self, STATS_GRANT_UNMAPS, unmapped);
    return rc;
}

static long do_copy(struct domain *self, uint64_t arg_va, unsigned count)
{
    const size_t answer = offsetof(struct gnttab_copy, status);
    struct gnttab_copy op;
    unsigned copied = 0;
    long rc = 0;

    for (unsigned done = 0; done < count && !rc; done++, arg_va += sizeof(op)) {
        if (done && hypercall_preempt()) {
            rc = restart(arg_va, count - done);
            break;
        }
        rc = -EFAULT;
        if (copy_from_guest(&op, arg_va, sizeof(op)))
            break;
        op.status = copy_one(self, &op);
        copied += op.status == GNTST_okay;
        if (!copy_to_guest(arg_va + answer, &op.status, sizeof(op.status)))
            rc = 0;
    }
    stats_count(self, STATS_GRANT_COPIES, copied);
    return rc;
}

/* The domain that a table op names, or the status that says why not. */
static int16_t target(domid_t id, struct domain **d)
{
    int rc = domain_get_target(id, d);

    if (rc)
        return rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
    return GNTST_okay;
}

static int16_t grow(struct domain *d, unsigned nr_frames)
{
    int rc;

    spin_lock(&d->gnttab->lock);
    rc = table_grow_locked(d->gnttab, nr_frames);
    spin_unlock(&d->gnttab->lock);
    if (rc == -ENOMEM)
        return GNTST_no_space;
    return rc ? GNTST_general_error : GNTST_okay;
}

/* The frames are hv's and nowhere in the caller's map until it places them by XENMEM_add_to_physmap: their numbers in
 * frame_list are all ones. */
static int frame_list_fill(uint64_t list_va, unsigned nr_frames)
{
    xen_pfn_t nowhere[32];

    memset(nowhere, 0xFF, sizeof(nowhere));
    for (unsigned done = 0, some; done < nr_frames; done += some) {
        some = MIN(nr_frames - done, (unsigned)ARRAY_SIZE(nowhere));
        if (copy_to_guest(list_va + done * sizeof(nowhere[0]), nowhere, some * sizeof(nowhere[0])))
            return -EFAULT;
    }
    return 0;
}

static long do_setup_table(uint64_t arg_va)
{
    const size_t answer = offsetof(struct gnttab_setup_table, status);
    struct gnttab_setup_table op;
    struct domain *d;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    op.status = target(op.dom, &d);
    if (op.status == GNTST_okay) {
        op.status = grow(d, op.nr_frames);
        domain_put(d);
    }
    if (op.status == GNTST_okay && frame_list_fill((uint64_t)op.frame_list.p, op.nr_frames))
        return -EFAULT;
    return copy_to_guest(arg_va + answer, &op.status, sizeof(op.status)) ? -EFAULT : 0;
}

static long do_query_size(uint64_t arg_va)
{
    struct gnttab_query_size op;
    struct domain *d;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    op.nr_frames = op.max_nr_frames = 0;
    op.status = target(op.dom, &d);
    if (op.status == GNTST_okay) {
        op.nr_frames = gnttab_nr_frames(d);
        op.max_nr_frames = d->gnttab->max_frames;
        domain_put(d);
    }
    return copy_to_guest(arg_va, &op, sizeof(op)) ? -EFAULT : 0;
}

/* Version 1 is what there is: asking for 2 answers -ENOSYS and tells the version in force. */
static long do_set_version(uint64_t arg_va)
{
    struct gnttab_set_version op;
    uint32_t asked;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    asked = op.version;
    op.version = 1;
    if (copy_to_guest(arg_va, &op, sizeof(op)))
        return -EFAULT;
    if (asked == 1)
        return 0;
    return asked == 2 ? -ENOSYS : -EINVAL;
}

static long do_get_version(uint64_t arg_va)
{
    struct gnttab_get_version op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    rc = domain_get_target(op.dom, &d);
    if (rc)
        return rc;
    domain_put(d);
    op.pad = 0;
    op.version = 1;
    return copy_to_guest(arg_va, &op, sizeof(op)) ? -EFAULT : 0;
}

typedef long table_op(uint64_t arg_va);

static table_op *table_op_of(unsigned cmd)
{
    switch (cmd) {
    case GNTTABOP_setup_table:
        return do_setup_table;
    case GNTTABOP_query_size:
        return do_query_size;
    case GNTTABOP_set_version:
        return do_set_version;
    case GNTTABOP_get_version:
        return do_get_version;
    }
    return NULL;
}

long do_grant_table_op(unsigned cmd, uint64_t arg_va, unsigned count)
{
    struct domain *self = current_vcpu()->domain;
    table_op *run = table_op_of(cmd);

    if (run)
        return count == 1 ? run(arg_va) : -EINVAL;
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return do_map(self, arg_va, count);
    case GNTTABOP_unmap_grant_ref:
        return do_unmap(self, arg_va, count);
    case GNTTABOP_copy:
        return do_copy(self, arg_va, count);
    }
    return -ENOSYS;
}
