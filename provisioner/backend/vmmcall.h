/* Hypercall 55 from ring 3. Apart from meter.c, whose tests bring their own. */
#ifndef PROVISIONER_BACKEND_VMMCALL_H
#define PROVISIONER_BACKEND_VMMCALL_H

/* As xs/meter.h has it. Without hv below us it ends the process (SIGILL) or fails. */
long vmmcall(unsigned cmd, void *arg);

#endif
