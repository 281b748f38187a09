/* The hypercall table: number, handler, arguments, who may call. */
#ifndef HYPERCALL_TABLE_H
#define HYPERCALL_TABLE_H

#include "hv/domain/domain.h"

/* v executed VMMCALL: runs the hypercall, sets RAX, moves RIP on (unless it restarts). */
void hypercall_dispatch(struct vcpu *v);

#endif
