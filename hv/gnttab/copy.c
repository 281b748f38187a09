/* Copies between two frames that the caller owns, maps or was granted. Both are referenced, and grants are marked as in
 * use, for as long as the bytes move. */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"
#include "hv/lib/string.h"

struct side {
    struct domain *granter;             /* NULL: the caller's own frame number */
    grant_ref_t ref;
    bool write;
    mfn_t mfn;
};

static int16_t side_open_grant(struct domain *self, const struct gnttab_copy_ptr *ptr, struct side *side)
{
    int16_t status;

    side->ref = ptr->u.ref;
    side->granter = domain_get(ptr->domid == DOMID_SELF ? self->id : ptr->domid);
    if (!side->granter)
        return GNTST_bad_domain;
    status = READ_ONCE(side->granter->dying) ? GNTST_bad_domain
                                             : gnttab_acquire(side->granter, side->ref, self->id, side->write,
                                                             &side->mfn);
    if (status != GNTST_okay)
        domain_put(side->granter);
    return status;
}

static int16_t side_open(struct domain *self, const struct gnttab_copy_ptr *ptr, bool by_ref, struct side *side)
{
    side->granter = NULL;
    if (by_ref)
        return side_open_grant(self, ptr, side);
    if (ptr->domid != DOMID_SELF)
        return GNTST_permission_denied;
    return p2m_get_page(self, GFN(ptr->u.gmfn), side->write, &side->mfn) ? GNTST_bad_page : GNTST_okay;
}

static void side_close(struct side *side)
{
    if (side->granter)
        gnttab_release(side->granter, side->ref, side->write);
    page_put(side->mfn);
    if (side->granter)
        domain_put(side->granter);
}

int16_t copy_one(struct domain *self, const struct gnttab_copy *op)
{
    struct side from = { .write = false }, to = { .write = true };
    int16_t status;

    if ((unsigned)op->source.offset + op->len > PAGE_SIZE || (unsigned)op->dest.offset + op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    status = side_open(self, &op->source, op->flags & GNTCOPY_source_gref, &from);
    if (status != GNTST_okay)
        return status;
    status = side_open(self, &op->dest, op->flags & GNTCOPY_dest_gref, &to);
    if (status == GNTST_okay) {
        memmove((char *)mfn_to_virt(to.mfn) + op->dest.offset, (char *)mfn_to_virt(from.mfn) + op->source.offset,
                op->len);
        side_close(&to);
    }
    side_close(&from);
    return status;
}
