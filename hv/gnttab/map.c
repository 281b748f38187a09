/* Maps of other domains' grants: a handle for each, an entry of type GRANT_* in the holder's p2m, a use of the grant.
 * Only this file takes GRANT_* entries out of a p2m. One lock at a time: the granter's in entry.c, the holder's here. */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"

static struct map_handle *handle_at(struct gnttab *gt, unsigned handle)
{
    return &gt->handles[handle / HANDLES_PER_PAGE][handle % HANDLES_PER_PAGE];
}

/* One more page of handles, all free. */
static int handles_grow_locked(struct gnttab *gt)
{
    unsigned first = gt->nr_handles;
    unsigned end = MIN(first + HANDLES_PER_PAGE, gt->max_handles);
    struct map_handle *page;

    if (first == end)
        return -ENOSPC;
    page = page_alloc_hv(0);
    if (!page)
        return -ENOMEM;
    gt->handles[first / HANDLES_PER_PAGE] = page;
    gt->nr_handles = end;
    for (unsigned i = first; i < end; i++)
        handle_at(gt, i)->ref = i + 1;
    gt->free_handle = first;
    return 0;
}

static int handle_alloc_locked(struct gnttab *gt, unsigned *handle)
{
    if (gt->free_handle == gt->nr_handles) {
        int rc = handles_grow_locked(gt);

        if (rc)
            return rc;
    }
    *handle = gt->free_handle;
    gt->free_handle = handle_at(gt, *handle)->ref;
    gt->live_handles++;
    return 0;
}

static void handle_free_locked(struct gnttab *gt, unsigned handle)
{
    *handle_at(gt, handle) = (struct map_handle){ .state = MAP_FREE, .ref = gt->free_handle };
    gt->free_handle = handle;
    gt->live_handles--;
}

/* The grant is taken and its frame referenced; from here on the p2m entry and the handle own both. */
static int16_t enter(struct domain *self, const struct map_handle *map, mfn_t mfn, grant_handle_t *out)
{
    struct gnttab *gt = self->gnttab;
    int16_t status = GNTST_okay;
    unsigned handle;
    int rc;

    spin_lock(&gt->lock);
    if (handle_alloc_locked(gt, &handle)) {
        status = GNTST_no_space;
        goto unlock;
    }
    rc = p2m_add(self, GFN(map->gfn), mfn, 0, map->write ? P2M_GRANT_RW : P2M_GRANT_RO);
    if (rc) {
        handle_free_locked(gt, handle);
        status = rc == -ENOMEM ? GNTST_no_space : GNTST_bad_virt_addr;
        goto unlock;
    }
    *handle_at(gt, handle) = *map;
    *out = handle;
unlock:
    spin_unlock(&gt->lock);
    return status;
}

/* Host maps only: a map for devices alone needs no entry here, and a PVH caller has no page-table entries to give. */
static bool map_flags_ok(uint32_t flags)
{
    return (flags & GNTMAP_host_map) && !(flags & (GNTMAP_application_map | GNTMAP_contains_pte));
}

int16_t map_one(struct domain *self, struct gnttab_map_grant_ref *op)
{
    bool write = !(op->flags & GNTMAP_readonly);
    struct map_handle map = { .gfn = op->host_addr >> PAGE_SHIFT, .ref = op->ref, .state = MAP_LIVE, .write = write };
    int16_t status;
    mfn_t mfn;

    op->dev_bus_addr = 0;
    op->handle = ~0u;
    if (!map_flags_ok(op->flags))
        return GNTST_general_error;
    if (op->host_addr & (PAGE_SIZE - 1))
        return GNTST_bad_virt_addr;
    map.granter = domain_get(op->dom);
    if (!map.granter)
        return GNTST_bad_domain;
    status = READ_ONCE(map.granter->dying) ? GNTST_bad_domain
                                           : gnttab_acquire(map.granter, op->ref, self->id, write, &mfn);
    if (status != GNTST_okay)
        goto put_granter;
    status = enter(self, &map, mfn, &op->handle);
    if (status != GNTST_okay)
        goto release;
    /* The machine address is for programming devices: the hardware domain's business alone. */
    if ((op->flags & GNTMAP_device_map) && self->privileged)
        op->dev_bus_addr = mfn.n << PAGE_SHIFT;
    return GNTST_okay;

release:
    gnttab_release(map.granter, op->ref, write);
    page_put(mfn);
put_granter:
    domain_put(map.granter);
    return status;
}

/* Takes the map out of the p2m and puts it on the list. false: the p2m has something else there. */
static bool end_locked(struct domain *self, unsigned handle, struct ending *ending)
{
    struct map_handle *map = handle_at(self->gnttab, handle);
    enum p2m_type type = map->write ? P2M_GRANT_RW : P2M_GRANT_RO;
    struct p2m_entry *old = &ending->map[ending->count].old;

    if (p2m_remove(self, GFN(map->gfn), 1u << type, old))
        return false;
    map->state = MAP_ENDING;
    ending->map[ending->count++].handle = handle;
    return true;
}

int16_t unmap_begin(struct domain *self, const struct gnttab_unmap_grant_ref *op, struct ending *ending)
{
    struct gnttab *gt = self->gnttab;
    int16_t status = GNTST_bad_handle;
    struct map_handle *map = NULL;

    ASSERT(ending->count < ENDING_MAX);
    spin_lock(&gt->lock);
    if (op->handle < gt->nr_handles)
        map = handle_at(gt, (unsigned)index_nospec(op->handle, gt->nr_handles));
    if (map && map->state == MAP_LIVE) {
        if (op->host_addr != map->gfn << PAGE_SHIFT)
            status = GNTST_bad_virt_addr;
        else
            status = end_locked(self, op->handle, ending) ? GNTST_okay : GNTST_general_error;
    }
    spin_unlock(&gt->lock);
    return status;
}

static void let_go(struct domain *self, unsigned handle)
{
    struct map_handle map;

    spin_lock(&self->gnttab->lock);
    map = *handle_at(self->gnttab, handle);
    handle_free_locked(self->gnttab, handle);
    spin_unlock(&self->gnttab->lock);
    gnttab_release(map.granter, map.ref, map.write);
    domain_put(map.granter);
}

void unmap_finish(struct domain *self, struct ending *ending)
{
    if (!ending->count)
        return;
    p2m_sync(self);
    for (unsigned i = 0; i < ending->count; i++) {
        p2m_entry_put(ending->map[i].old);
        let_go(self, ending->map[i].handle);
    }
    ending->count = 0;
}

bool gnttab_release_maps(struct domain *d, unsigned budget)
{
    struct gnttab *gt = d->gnttab;
    struct ending ending = { .count = 0 };

    for (; budget && gt->release_next < gt->nr_handles; budget--, gt->release_next++) {
        struct map_handle *map = handle_at(gt, gt->release_next);
        bool gone;

        if (map->state != MAP_LIVE)
            continue;
        spin_lock(&gt->lock);
        gone = !end_locked(d, gt->release_next, &ending);
        spin_unlock(&gt->lock);
        if (gone)                               /* nothing of it is in the p2m: only the grant is still in use */
            let_go(d, gt->release_next);
        if (ending.count == ENDING_MAX)
            unmap_finish(d, &ending);
    }
    unmap_finish(d, &ending);
    return gt->release_next >= gt->nr_handles;
}

unsigned gnttab_map_count(struct domain *d)
{
    return READ_ONCE(d->gnttab->live_handles);
}
