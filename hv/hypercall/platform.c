/* What only dom0 asks: the console, the machine's CPUs, and PCI devices it has found (nothing to do without an IOMMU). */
#include "hv/hypercall/handlers.h"
#include "hv/arch/percpu.h"
#include "hv/console/printk.h"
#include "hv/domctl/domctl.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"

#include <xen/platform.h>
#include <xen/physdev.h>

static long console_write_guest(unsigned count, uint64_t va)
{
    char text[128];

    for (unsigned done = 0; done < count;) {
        unsigned n = MIN(count - done, (unsigned)sizeof(text));

        if (copy_from_guest(text, va + done, n))
            return -EFAULT;
        console_write(text, n);
        done += n;
    }
    return 0;
}

#define CONSOLE_BYTES_MAX 4096u         /* of one call; Linux sends lines */

long do_console_io(unsigned cmd, unsigned count, uint64_t buffer_va)
{
    if (count > CONSOLE_BYTES_MAX)
        return -E2BIG;
    switch (cmd) {
    case CONSOLEIO_write: return console_write_guest(count, buffer_va);
    case CONSOLEIO_read:
        return 0;                       /* nobody types here: the operator has a line of his own (host/ctl) */
    default: return -ENOSYS;
    }
}

long do_platform_op(uint64_t arg_va)
{
    struct xen_platform_op op;
    uint32_t cpu;

    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return -EACCES;
    switch (op.cmd) {
    case XENPF_settime64:
        if (op.u.settime64.nsecs >= NS_PER_SEC || op.u.settime64.mbz)
            return -EINVAL;
        wallclock_set(op.u.settime64.secs * NS_PER_SEC + op.u.settime64.nsecs - op.u.settime64.system_time);
        return 0;
    case XENPF_get_cpuinfo:
        cpu = op.u.pcpu_info.xen_cpuid;
        memset(&op.u, 0, sizeof(op.u));
        op.u.pcpu_info.xen_cpuid = cpu;
        op.u.pcpu_info.max_present = cpus_online - 1;
        if (cpu < cpus_online) {
            op.u.pcpu_info.flags = XEN_PCPU_FLAGS_ONLINE;
            op.u.pcpu_info.apic_id = percpu[cpu].apic_id;
            op.u.pcpu_info.acpi_id = cpu;
        } else {
            op.u.pcpu_info.flags = XEN_PCPU_FLAGS_INVALID;
        }
        return copy_to_guest(arg_va, &op, sizeof(op));
    default: return -ENOSYS;
    }
}

long do_physdev_op(unsigned cmd, uint64_t arg_va)
{
    (void)arg_va;
    switch (cmd) {
    case PHYSDEVOP_pci_mmcfg_reserved:
    case PHYSDEVOP_pci_device_add:
    case PHYSDEVOP_pci_device_remove: return 0;
    default: return -ENOSYS;
    }
}
