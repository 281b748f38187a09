/* XS_METER_copy: bytes between pages that a guest granted and buffers of the caller, counted as they move. Every struct
 * is read once. Buffers are found and referenced before anything moves, so an absent one leaves nothing half done;
 * then, under the channel's lock, come the token, the number, the limit, the bytes and the counters.
 *
 * Nothing that the caller can change decides what is counted: `done` only says where to go on. */
#include "hv/stats/channel.h"
#include "hv/gnttab/gnttab.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"

#define ESTALE 116                      /* dom0's number: the ABI's list has none */

enum { DISK = XS_METER_CLASS_disk, NET = XS_METER_CLASS_net };

static const struct kind {
    uint8_t class;
    uint8_t segs_max;
    bool to_guest;
    bool numbered;                      /* a number is counted once */
    bool limited;
    uint8_t window;
} kinds[] = {
    [XS_METER_disk_read] = { DISK, XS_METER_SEGS_MAX, .to_guest = true, .numbered = true, .limited = true },
    [XS_METER_disk_write] = { DISK, XS_METER_SEGS_MAX, .numbered = true, .limited = true },
    [XS_METER_disk_flush] = { DISK, 0, .numbered = true, .limited = true },
    [XS_METER_disk_discard] = { DISK, 0, .numbered = true, .limited = true },
    [XS_METER_net_tx] = { NET, XS_METER_SEGS_MAX, .numbered = true, .limited = true },
    [XS_METER_net_rx] = { NET, XS_METER_SEGS_MAX, .to_guest = true, .numbered = true, .limited = true, .window = 1 },
    [XS_METER_net_tx_drop] = { NET, 0 },
    [XS_METER_net_rx_drop] = { NET, 0 },
    [XS_METER_control] = { DISK, 1 },
};

/* One operation in hv's hands. */
struct work {
    struct domain *d;
    struct channel *c;
    const struct kind *kind;
    uint64_t bytes;
    unsigned nr_pages;
    struct xs_meter_seg seg[XS_METER_SEGS_MAX];
    mfn_t page[2 * XS_METER_SEGS_MAX];  /* of the buffers, referenced, in order: one or two for each segment */
};

static bool crosses(const struct xs_meter_seg *seg)
{
    return (seg->buffer & ~PAGE_MASK) + seg->len > PAGE_SIZE;
}

static int segs_read(struct work *w, const struct xs_meter_op *op)
{
    if (copy_from_guest(w->seg, op->segs, op->nr_segs * sizeof(w->seg[0])))
        return -EFAULT;
    for (unsigned i = 0; i < op->nr_segs; i++) {
        if (w->seg[i].len == 0 || w->seg[i].offset + w->seg[i].len > (int)PAGE_SIZE)
            return -EINVAL;
        w->bytes += w->seg[i].len;
    }
    return 0;
}

static int buffers_get(struct work *w, unsigned nr_segs)
{
    bool write = !w->kind->to_guest;

    for (unsigned i = 0; i < nr_segs; i++) {
        uint64_t va = w->seg[i].buffer;

        if (guest_va_to_page(va, write, &w->page[w->nr_pages]))
            return -EFAULT;
        w->nr_pages++;
        if (!crosses(&w->seg[i]))
            continue;
        if (guest_va_to_page((va & PAGE_MASK) + PAGE_SIZE, write, &w->page[w->nr_pages]))
            return -EFAULT;
        w->nr_pages++;
    }
    return 0;
}

static void move(char *granted, char *buffer, size_t bytes, bool to_guest)
{
    memcpy(to_guest ? granted : buffer, to_guest ? buffer : granted, bytes);
}

static int seg_move(struct work *w, const struct xs_meter_seg *seg, const mfn_t *page)
{
    size_t at = seg->buffer & ~PAGE_MASK, first = MIN(PAGE_SIZE - at, (size_t)seg->len);
    bool to_guest = w->kind->to_guest;
    char *granted;
    mfn_t mfn;

    if (gnttab_acquire(w->d, seg->ref, current_vcpu()->domain->id, to_guest, &mfn) != GNTST_okay)
        return -EPERM;
    granted = (char *)mfn_to_virt(mfn) + seg->offset;
    move(granted, (char *)mfn_to_virt(page[0]) + at, first, to_guest);
    if (first < seg->len)
        move(granted + first, mfn_to_virt(page[1]), seg->len - first, to_guest);
    gnttab_release(w->d, seg->ref, to_guest);
    page_put(mfn);
    return 0;
}

/* Moves segments until one fails, and counts what was moved. An operation that failed is not remembered: done again, it
 * moves again and counts again. */
static void move_and_count_locked(struct work *w, struct xs_meter_op *op, enum seq_state state)
{
    const mfn_t *page = w->page;
    unsigned i;

    for (i = 0; i < op->nr_segs; i++) {
        op->status = (int16_t)seg_move(w, &w->seg[i], page);
        if (op->status)
            break;
        op->moved += w->seg[i].len;
        page += crosses(&w->seg[i]) ? 2 : 1;
    }
    if (!op->status && w->kind->numbered)
        window_note(&w->c->window[w->kind->window], op->seq);
    if (!op->status || op->moved)
        stats_count_io(w->d, op->kind, op->moved, i, state == SEQ_REDO);
}

/* 0: done, op has its status; -EAGAIN: not before *retry_ns. */
static int perform_locked(struct work *w, struct xs_meter_op *op, uint64_t *retry_ns)
{
    enum seq_state state = SEQ_NEW;

    if (w->kind->numbered)
        state = window_look(&w->c->window[w->kind->window], op->seq);
    if (state == SEQ_STALE || w->c->class != w->kind->class) {
        op->status = state == SEQ_STALE ? -ESTALE : -EINVAL;
        return 0;
    }
    if (w->kind->limited && !meter_limit_take(w->d, w->kind->class, w->bytes, retry_ns))
        return -EAGAIN;
    move_and_count_locked(w, op, state);
    return 0;
}

static int perform(struct work *w, struct xs_meter_copy *req, struct xs_meter_op *op)
{
    int rc;

    spin_lock(&w->c->lock);
    rc = channel_check_locked(w->c, req->token);
    if (!rc && READ_ONCE(w->d->dying))
        rc = -ESRCH;
    if (!rc && op)
        rc = perform_locked(w, op, &req->retry_ns);
    spin_unlock(&w->c->lock);
    return rc;
}

static const struct kind *kind_of(const struct xs_meter_op *op)
{
    const struct kind *kind = &kinds[index_nospec(op->kind, ARRAY_SIZE(kinds))];
    bool segs_fit = kind->segs_max == 0 ? op->nr_segs == 0 : op->nr_segs > 0 && op->nr_segs <= kind->segs_max;

    return kind->class && segs_fit ? kind : NULL;
}

/* 0: done, op has its status. Else the call's: -EACCES, -ESRCH, or -EAGAIN at the limit. */
static int op_run(struct work *w, struct xs_meter_copy *req, struct xs_meter_op *op)
{
    int rc = 0;

    op->status = 0;
    op->moved = 0;
    w->bytes = w->nr_pages = 0;
    w->kind = kind_of(op);
    if (!w->kind)
        op->status = -EINVAL;
    else if (op->nr_segs)
        op->status = (int16_t)segs_read(w, op);
    if (!op->status)
        op->status = (int16_t)buffers_get(w, op->nr_segs);
    rc = perform(w, req, op->status ? NULL : op);
    for (unsigned i = 0; i < w->nr_pages; i++)
        page_put(w->page[i]);
    return rc;
}

#define CHUNK 16u                       /* operations read, done and answered together */

/* Some of what is left; *preempted: the time is up. */
static int chunk_run(struct work *w, struct xs_meter_copy *req, bool *preempted)
{
    unsigned n = MIN(req->nr_ops - req->done, CHUNK), i;
    uint64_t at = req->ops + req->done * sizeof(struct xs_meter_op);
    struct xs_meter_op op[CHUNK];
    int rc = 0;

    if (copy_from_guest(op, at, n * sizeof(op[0])))
        return -EFAULT;
    for (i = 0; i < n && !rc && !*preempted; i += !rc) {
        rc = op_run(w, req, &op[i]);
        *preempted = !rc && req->done + i + 1 < req->nr_ops && hypercall_preempt();
    }
    req->done += i;
    return i && copy_to_guest(at, op, i * sizeof(op[0])) ? -EFAULT : rc;
}

static long copy(struct work *w, struct xs_meter_copy *req)
{
    bool preempted = false;
    int rc = req->done < req->nr_ops ? 0 : perform(w, req, NULL);

    while (!rc && req->done < req->nr_ops && !preempted)
        rc = chunk_run(w, req, &preempted);
    if (preempted && !rc)
        return HYPERCALL_RESTART;
    return rc == -EAGAIN ? 0 : rc;
}

long meter_op_copy(uint64_t arg_va)
{
    struct xs_meter_copy req;
    struct work w;
    long rc;

    if (copy_from_guest(&req, arg_va, sizeof(req)))
        return -EFAULT;
    if (req.nr_ops > XS_METER_OPS_MAX || req.done > req.nr_ops || req.pad)
        return -EINVAL;
    rc = channel_find(req.channel, &w.d, &w.c);
    if (rc)
        return rc;
    req.retry_ns = 0;
    rc = copy(&w, &req);
    domain_put(w.d);
    if (copy_to_guest(arg_va + offsetof(struct xs_meter_copy, done), &req.done,
                      sizeof(req) - offsetof(struct xs_meter_copy, done)))
        return -EFAULT;
    return rc;
}
