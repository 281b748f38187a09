/* Channels: opened and closed under the domain's lock, used under their own. A channel's number is its domain's id and
 * its place; a domain that has this id later has other tokens. */
#include "hv/stats/channel.h"
#include "hv/arch/random.h"
#include "hv/arch/tsc.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"

#define METER_ORDER 1
_Static_assert(sizeof(struct meter) <= PAGE_SIZE << METER_ORDER, "fits its run");

int meter_init(struct domain *d)
{
    d->meter = page_alloc_hv(METER_ORDER);
    if (!d->meter)
        return -ENOMEM;
    for (unsigned i = 0; i < XS_METER_CHANNELS_MAX; i++)
        spin_init(&d->meter->channel[i].lock);
    return 0;
}

void meter_free(struct domain *d)
{
    page_free_hv(d->meter, METER_ORDER);
    d->meter = NULL;
}

void meter_quiesce(const struct domain *d)
{
    for (unsigned i = 0; i < XS_METER_CHANNELS_MAX; i++) {
        spin_lock(&d->meter->channel[i].lock);
        spin_unlock(&d->meter->channel[i].lock);
    }
}

int channel_find(uint32_t number, struct domain **d, struct channel **c)
{
    *d = domain_get((domid_t)MIN(number / XS_METER_CHANNELS_MAX, DOMID_LIMIT));
    if (!*d)
        return -EACCES;
    *c = &(*d)->meter->channel[index_nospec(number % XS_METER_CHANNELS_MAX, XS_METER_CHANNELS_MAX)];
    return 0;
}

int channel_check_locked(const struct channel *c, const uint8_t token[16])
{
    uint64_t have[2];

    memcpy(have, token, sizeof(have));
    return ((have[0] ^ c->token[0]) | (have[1] ^ c->token[1]) | !c->class) ? -EACCES : 0;
}

/* A guest by id, with a reference: dom0 is nobody's frontend. */
static int frontend_get(uint32_t domid, struct domain **d)
{
    *d = domid && domid < DOMID_LIMIT ? domain_get((domid_t)domid) : NULL;
    return *d ? 0 : -ESRCH;
}

static bool class_valid(uint32_t class)
{
    return class == XS_METER_CLASS_disk || class == XS_METER_CLASS_net;
}

/* The device's channel; class and device 0: a closed one. Under d->lock. */
static struct channel *channel_of(struct domain *d, uint32_t class, uint32_t device)
{
    for (unsigned i = 0; i < XS_METER_CHANNELS_MAX; i++) {
        struct channel *c = &d->meter->channel[i];

        if (c->class == class && c->device == device)
            return c;
    }
    return NULL;
}

/* Waits for the operation under way, which the old token may have begun. */
static void channel_renew(struct channel *c, uint32_t class, uint32_t device)
{
    spin_lock(&c->lock);
    c->class = class;
    c->device = device;
    random_bytes(c->token, sizeof(c->token));
    for (unsigned i = 0; i < ARRAY_SIZE(c->window); i++)
        window_new_token(&c->window[i]);
    spin_unlock(&c->lock);
}

static void channel_shut(struct channel *c)
{
    spin_lock(&c->lock);
    c->class = c->device = 0;
    memset(c->window, 0, sizeof(c->window));
    spin_unlock(&c->lock);
}

static int channel_open(struct domain *d, struct xs_meter_open *op)
{
    struct channel *c;
    int rc = -ESRCH;

    spin_lock(&d->lock);
    if (!d->dying) {
        c = channel_of(d, op->class, op->device);
        if (!c)
            c = channel_of(d, 0, 0);
        rc = c ? 0 : -ENOSPC;
        if (c) {
            channel_renew(c, op->class, op->device);
            memcpy(op->token, c->token, sizeof(op->token));
            op->channel = d->id * XS_METER_CHANNELS_MAX + (uint32_t)(c - d->meter->channel);
        }
    }
    spin_unlock(&d->lock);
    return rc;
}

long meter_op_open(uint64_t arg_va)
{
    struct xs_meter_open op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (!class_valid(op.class))
        return -EINVAL;
    rc = frontend_get(op.domid, &d);
    if (rc)
        return rc;
    rc = channel_open(d, &op);
    domain_put(d);
    if (rc)
        return rc;
    return copy_to_guest(arg_va, &op, sizeof(op)) ? -EFAULT : 0;
}

long meter_op_close(uint64_t arg_va)
{
    struct xs_meter_close op;
    struct channel *c = NULL;
    struct domain *d;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (!class_valid(op.class) || frontend_get(op.domid, &d))
        return -ENOENT;
    spin_lock(&d->lock);
    c = channel_of(d, op.class, op.device);
    if (c)
        channel_shut(c);
    spin_unlock(&d->lock);
    domain_put(d);
    return c ? 0 : -ENOENT;
}

#define BURST_MS_MAX 60000u

long meter_op_limit(uint64_t arg_va)
{
    struct xs_meter_limit op;
    struct domain *d;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (!class_valid(op.class) || op.pad)
        return -EINVAL;
    if ((op.ops_per_s || op.bytes_per_s) && (op.burst_ms == 0 || op.burst_ms > BURST_MS_MAX))
        return -EINVAL;
    if (frontend_get(op.domid, &d))
        return -ESRCH;
    spin_lock(&d->stats_lock);
    d->meter->limit[op.class - 1] = (struct io_limit){
        .burst_ns = op.burst_ms * NS_PER_MS, .ops.per_s = op.ops_per_s, .bytes.per_s = op.bytes_per_s,
    };
    spin_unlock(&d->stats_lock);
    domain_put(d);
    return 0;
}

bool meter_limit_take(struct domain *d, uint32_t class, uint64_t bytes, uint64_t *retry_ns)
{
    struct io_limit *l = &d->meter->limit[class - 1];
    bool passes;

    if (likely(!READ_ONCE(l->ops.per_s) && !READ_ONCE(l->bytes.per_s)))
        return true;
    spin_lock(&d->stats_lock);
    passes = iolimit_take(l, bytes, now_ns(), retry_ns);
    spin_unlock(&d->stats_lock);
    return passes;
}
