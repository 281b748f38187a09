/* XENVER: what hv says it is. It speaks the ABI of Xen 4.17 (Debian's tools choose their files by that number); who wrote
 * it says extraversion. */
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include <xen/version.h>

#define VERSION_MAJOR 4u
#define VERSION_MINOR 17u

static const char capabilities[] = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64";

/* A fixed-size text field of the ABI, zero-filled to its end. */
static long text_out(uint64_t arg_va, const char *text, size_t bytes)
{
    char field[1024] = { 0 };

    memcpy(field, text, MIN(strlen(text), bytes - 1));
    return copy_to_guest(arg_va, field, bytes);
}

/* features.h: a PVH guest's map is translated for it, its event upcalls come as a vector, and pvclock is safe to read.
 * hvm_pirqs stays 0, so that interrupts go through the local and IO-APIC. */
static uint32_t features(const struct domain *d)
{
    uint32_t map = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
                   1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock;

    if (d->privileged)
        return map | 1u << XENFEAT_dom0 | 1u << XENFEAT_direct_mapped;
    return map | 1u << XENFEAT_not_direct_mapped;
}

static long features_out(const struct domain *d, uint64_t arg_va)
{
    struct xen_feature_info info;

    if (copy_from_guest(&info, arg_va, sizeof(info)))
        return -EFAULT;
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
        return -EINVAL;
    info.submap = features(d);
    return copy_to_guest(arg_va, &info, sizeof(info));
}

long do_xen_version(unsigned cmd, uint64_t arg_va)
{
    const struct domain *d = current_vcpu()->domain;

    switch (cmd) {
    case XENVER_version: return VERSION_MAJOR << 16 | VERSION_MINOR;
    case XENVER_extraversion: return text_out(arg_va, "-xs", sizeof(xen_extraversion_t));
    case XENVER_capabilities: return text_out(arg_va, capabilities, sizeof(xen_capabilities_info_t));
    case XENVER_get_features: return features_out(d, arg_va);
    case XENVER_guest_handle: return copy_to_guest(arg_va, d->uuid, sizeof(d->uuid));
    default: return -ENOSYS;
    }
}
