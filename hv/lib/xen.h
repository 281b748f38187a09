/* The Xen ABI as libxen-dev ships it, in the tool flavour (domctl and sysctl included). */
#ifndef LIB_XEN_H
#define LIB_XEN_H

#include "hv/lib/types.h"

#define __XEN_TOOLS__ 1
#define __XEN_INTERFACE_VERSION__ 0x00041100
#include <xen/xen.h>

/* Plain names for the ABI's error numbers: EPERM and so on. */
enum xen_errno_plain {
#define XEN_ERRNO(name, value) name = value,
#include <xen/errno.h>
};

#endif
