/* The only code that reads and writes guest memory by guest-virtual address: a software walk of the current vCPU's
 * page tables (APM 2 chapter 5), honouring R/W, U/S as a supervisor access with AC=1 would, or at CPL 3 as a user's,
 * setting A and D.
 *
 * Each copies all or nothing is promised: on -EFAULT part may have been copied. Argument structs are copied once
 * into hv and only the copy is looked at. */
#ifndef MM_GUESTCOPY_H
#define MM_GUESTCOPY_H

#include "hv/lib/types.h"

int copy_from_guest(void *to, uint64_t from_va, size_t bytes) __must_check;     /* 0, -EFAULT */
int copy_to_guest(uint64_t to_va, const void *from, size_t bytes) __must_check;

/* Where a guest-virtual address of the current vCPU lies: its frame with a reference (page_put it), for areas that
 * stay registered. 0, -EFAULT. */
int guest_va_to_page(uint64_t va, bool write, mfn_t *mfn) __must_check;

#endif
