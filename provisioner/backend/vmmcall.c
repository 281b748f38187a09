#include "provisioner/backend/vmmcall.h"

#include <xs/meter.h>

/* A preempted hypercall keeps its progress in its arguments, so they do not survive. */
long vmmcall(unsigned cmd, void *arg)
{
    long rax = XS_HC_METER_OP;
    unsigned long rdi = cmd, rsi = (unsigned long)arg;

    __asm__ volatile("vmmcall" : "+a"(rax), "+D"(rdi), "+S"(rsi) : : "memory");
    return rax;
}
