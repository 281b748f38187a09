/* grant_table_op: the calls themselves. What they do is in entry.c, map.c and copy.c. Every op's struct is copied
 * once, and what is written back is that copy with its answer. Deliberately out: version 2, transfers, page-table maps,
 * setup_table (a table is placed by add_to_physmap and acquire_resource). */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"
#include "hv/arch/vcpu.h"
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

/* Ops that are read, done and answered together: walking the guest's page tables twice costs more than a copy. */
#define CHUNK ENDING_MAX
union chunk {
    struct gnttab_map_grant_ref map[CHUNK];
    struct gnttab_unmap_grant_ref unmap[CHUNK];
    struct gnttab_copy copy[CHUNK];
};

/* Each does n ops, leaves their statuses, and returns how many succeeded. */
static unsigned map_some(struct domain *self, union chunk *ops, unsigned n)
{
    unsigned mapped = 0;

    for (unsigned i = 0; i < n; i++) {
        ops->map[i].status = map_one(self, &ops->map[i]);
        mapped += ops->map[i].status == GNTST_okay;
    }
    return mapped;
}

static unsigned unmap_some(struct domain *self, union chunk *ops, unsigned n)
{
    struct ending ending = { .count = 0 };
    unsigned unmapped;

    for (unsigned i = 0; i < n; i++)
        ops->unmap[i].status = unmap_begin(self, &ops->unmap[i], &ending);
    unmapped = ending.count;
    unmap_finish(self, &ending);
    return unmapped;
}

static unsigned copy_some(struct domain *self, union chunk *ops, unsigned n)
{
    unsigned copied = 0;

    for (unsigned i = 0; i < n; i++) {
        ops->copy[i].status = copy_one(self, &ops->copy[i]);
        copied += ops->copy[i].status == GNTST_okay;
    }
    return copied;
}

/* A grant_table_op: a batch of n ops, or one at a time. */
struct row {
    unsigned (*run)(struct domain *self, union chunk *ops, unsigned n);
    uint8_t bytes;                      /* of one op */
    enum stats_counter counter;
    long (*once)(uint64_t arg_va);
};

static long do_batch(struct domain *self, const struct row *batch, uint64_t arg_va, unsigned count)
{
    unsigned succeeded = 0;
    union chunk ops;
    long rc = 0;

    for (unsigned done = 0, n; done < count; done += n, arg_va += n * batch->bytes) {
        if (done && hypercall_preempt()) {
            rc = restart(arg_va, count - done);
            break;
        }
        n = MIN(count - done, CHUNK);
        rc = -EFAULT;
        if (copy_from_guest(&ops, arg_va, n * batch->bytes))
            break;
        succeeded += batch->run(self, &ops, n);
        if (copy_to_guest(arg_va, &ops, n * batch->bytes))
            break;
        rc = 0;
    }
    if (succeeded)
        stats_count(self, batch->counter, succeeded);
    return rc;
}

static long do_query_size(uint64_t arg_va)
{
    struct gnttab_query_size op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    op.nr_frames = op.max_nr_frames = 0;
    rc = domain_get_target(op.dom, &d);
    op.status = !rc ? GNTST_okay : rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
    if (!rc) {
        op.nr_frames = READ_ONCE(d->gnttab->nr_frames);
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

static const struct row rows[] = {
    [GNTTABOP_map_grant_ref] = { map_some, sizeof(struct gnttab_map_grant_ref), STATS_GRANT_MAPS, NULL },
    [GNTTABOP_unmap_grant_ref] = { unmap_some, sizeof(struct gnttab_unmap_grant_ref), STATS_GRANT_UNMAPS, NULL },
    [GNTTABOP_copy] = { copy_some, sizeof(struct gnttab_copy), STATS_GRANT_COPIES, NULL },
    [GNTTABOP_query_size] = { .once = do_query_size },
    [GNTTABOP_set_version] = { .once = do_set_version },
};

long do_grant_table_op(unsigned cmd, uint64_t arg_va, unsigned count)
{
    const struct row *row = &rows[index_nospec(cmd, ARRAY_SIZE(rows))];

    if (cmd < ARRAY_SIZE(rows) && row->once)
        return count == 1 ? row->once(arg_va) : -EINVAL;
    if (cmd >= ARRAY_SIZE(rows) || !row->run)
        return -ENOSYS;
    return do_batch(current_vcpu()->domain, row, arg_va, count);
}
