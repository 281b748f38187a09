/* The grants that a domain makes: its shared frames, which it writes at any time, and hv's own record of those in use. */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"

#define CLAIM_TRIES 8                   /* against a granter that keeps rewriting its entry */

union entry_word {
    struct grant_entry_v1 entry;
    uint64_t word;
};

_Static_assert(sizeof(struct grant_entry_v1) == sizeof(uint64_t), "an entry is read and swapped as one word");
_Static_assert(sizeof(struct active) == 16, "two pages for each frame of entries");
#define ACTIVE_ORDER 1

static uint64_t *shared_word(struct gnttab *gt, grant_ref_t ref)
{
    return (uint64_t *)&gt->shared[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static struct active *active_at(struct gnttab *gt, grant_ref_t ref)
{
    return &gt->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static bool granted(struct grant_entry_v1 entry, domid_t grantee, bool write)
{
    return (entry.flags & GTF_type_mask) == GTF_permit_access && entry.domid == grantee &&
           !(write && (entry.flags & GTF_readonly));
}

/* Reads the entry once and swaps that very word, so that flags, grantee and frame belong together. */
static int16_t claim(uint64_t *shared, domid_t grantee, bool write, gfn_t *gfn)
{
    uint16_t mark = GTF_reading | (write ? GTF_writing : 0);

    for (unsigned i = 0; i < CLAIM_TRIES; i++) {
        union entry_word old = { .word = __atomic_load_n(shared, __ATOMIC_RELAXED) }, marked = old;

        if (!granted(old.entry, grantee, write))
            return GNTST_general_error;
        marked.entry.flags |= mark;
        if (__atomic_compare_exchange_n(shared, &old.word, marked.word, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            *gfn = GFN(old.entry.frame);
            return GNTST_okay;
        }
    }
    return GNTST_general_error;
}

/* Takes off the marks that nobody justifies any more. */
static void unclaim(uint64_t *shared, const struct active *act)
{
    union entry_word keep = { .word = ~0ull };

    if (!act->writers)
        keep.entry.flags &= (uint16_t)~GTF_writing;
    if (!act->writers && !act->readers)
        keep.entry.flags &= (uint16_t)~GTF_reading;
    __atomic_and_fetch(shared, keep.word, __ATOMIC_SEQ_CST);
}

/* The first user: from the shared entry to a frame. */
static int16_t first_use_locked(struct domain *d, uint64_t *shared, struct active *act, domid_t grantee, bool write)
{
    gfn_t gfn;
    int16_t status = claim(shared, grantee, write, &gfn);

    if (status != GNTST_okay)
        return status;
    if (p2m_get_own_page(d, gfn, &act->mfn)) {
        unclaim(shared, act);
        return GNTST_bad_page;
    }
    act->grantee = grantee;
    return GNTST_okay;
}

/* One more: of the frame that it stood for at the first, whatever the entry says now. */
static int16_t further_use_locked(uint64_t *shared, struct active *act, domid_t grantee, bool write)
{
    gfn_t ignored;

    if (act->grantee != grantee || act->readers == UINT16_MAX || act->writers == UINT16_MAX)
        return GNTST_general_error;
    if (write && !act->writers && claim(shared, grantee, true, &ignored) != GNTST_okay)
        return GNTST_general_error;
    if (!page_get(act->mfn)) {
        unclaim(shared, act);
        return GNTST_general_error;
    }
    return GNTST_okay;
}

static int16_t acquire_locked(struct domain *d, grant_ref_t ref, domid_t grantee, bool write, mfn_t *mfn)
{
    struct gnttab *gt = d->gnttab;
    unsigned refs = gt->nr_frames * GRANTS_PER_FRAME;
    struct active *act;
    int16_t status;

    if (ref >= refs)
        return GNTST_bad_gntref;
    ref = (grant_ref_t)index_nospec(ref, refs);
    act = active_at(gt, ref);
    if (act->readers || act->writers)
        status = further_use_locked(shared_word(gt, ref), act, grantee, write);
    else
        status = first_use_locked(d, shared_word(gt, ref), act, grantee, write);
    if (status != GNTST_okay)
        return status;
    if (write)
        act->writers++;
    else
        act->readers++;
    *mfn = act->mfn;
    return GNTST_okay;
}

int16_t gnttab_acquire(struct domain *d, grant_ref_t ref, domid_t grantee, bool write, mfn_t *mfn)
{
    int16_t status;

    spin_lock(&d->gnttab->lock);
    status = acquire_locked(d, ref, grantee, write, mfn);
    spin_unlock(&d->gnttab->lock);
    return status;
}

void gnttab_release(struct domain *d, grant_ref_t ref, bool write)
{
    struct gnttab *gt = d->gnttab;
    struct active *act;

    spin_lock(&gt->lock);
    act = active_at(gt, ref);
    BUG_ON(write ? !act->writers : !act->readers);
    if (write)
        act->writers--;
    else
        act->readers--;
    unclaim(shared_word(gt, ref), act);
    spin_unlock(&gt->lock);
}

/* 0; -EINVAL beyond max_frames; -ENOMEM. */
static int table_grow_locked(struct gnttab *gt, unsigned nr_frames)
{
    if (nr_frames > gt->max_frames)
        return -EINVAL;
    for (; gt->nr_frames < nr_frames; gt->nr_frames++) {
        void *shared = page_alloc_hv(0);
        void *active = page_alloc_hv(ACTIVE_ORDER);

        if (!shared || !active) {
            if (shared)
                page_free_hv(shared, 0);
            if (active)
                page_free_hv(active, ACTIVE_ORDER);
            return -ENOMEM;
        }
        gt->shared[gt->nr_frames] = shared;
        gt->active[gt->nr_frames] = active;
    }
    return 0;
}

int gnttab_frame(struct domain *d, unsigned idx, mfn_t *mfn)
{
    struct gnttab *gt = d->gnttab;
    int rc;

    if (idx >= gt->max_frames)
        return -EINVAL;
    idx = (unsigned)index_nospec(idx, gt->max_frames);
    spin_lock(&gt->lock);
    rc = table_grow_locked(gt, MAX(idx + 1, gt->nr_frames));
    if (!rc)
        *mfn = virt_to_mfn(gt->shared[idx]);
    spin_unlock(&gt->lock);
    return rc;
}

static size_t table_bytes(unsigned max_frames, unsigned handle_pages)
{
    return sizeof(struct gnttab) + max_frames * (sizeof(struct grant_entry_v1 *) + sizeof(struct active *)) +
           handle_pages * sizeof(struct map_handle *);
}

int gnttab_init(struct domain *d)
{
    unsigned max_frames = MAX(d->max_grant_frames, 1u);
    unsigned max_handles = d->max_maptrack * HANDLES_PER_TRACK;
    unsigned handle_pages = (max_handles + HANDLES_PER_PAGE - 1) / HANDLES_PER_PAGE;
    unsigned order = 0;
    struct gnttab *gt;
    mfn_t first;

    while (PAGE_SIZE << order < table_bytes(max_frames, handle_pages))
        order++;
    if (order > PAGE_ORDER_MAX)
        return -ENOMEM;
    gt = page_alloc_hv(order);
    if (!gt)
        return -ENOMEM;
    spin_init(&gt->lock);
    gt->order = order;
    gt->max_frames = max_frames;
    gt->max_handles = max_handles;
    gt->shared = (struct grant_entry_v1 **)(gt + 1);
    gt->active = (struct active **)(gt->shared + max_frames);
    gt->handles = (struct map_handle **)(gt->active + max_frames);
    d->gnttab = gt;
    if (!gnttab_frame(d, 0, &first))
        return 0;
    gnttab_free(d);
    return -ENOMEM;
}

void gnttab_free(struct domain *d)
{
    struct gnttab *gt = d->gnttab;

    BUG_ON(gt->live_handles);
    for (unsigned i = 0; i < gt->nr_frames; i++) {
        page_free_hv(gt->shared[i], 0);
        page_free_hv(gt->active[i], ACTIVE_ORDER);
    }
    for (unsigned i = 0; i * HANDLES_PER_PAGE < gt->nr_handles; i++)
        page_free_hv(gt->handles[i], 0);
    page_free_hv(gt, gt->order);
    d->gnttab = NULL;
}
