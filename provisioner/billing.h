/* What the provisioner asks of accountd (accountd/control.h). Blocking, with
 * a deadline; used by the worker thread only. */
#ifndef PROVISIONER_BILLING_H
#define PROVISIONER_BILLING_H

#include "provisioner/store.h"

struct billing;

struct billing *billing_open(const char *socket_path);
void billing_close(struct billing *billing);

struct billing_fault {
    char code[32];
    char detail[400];
};

/* 0, or -1 with *fault. Code "unavailable" means: not known whether it
 * happened, ask again with the same arguments. */
int billing_register(struct billing *billing, const struct instance *instance, struct billing_fault *fault);
int billing_end(struct billing *billing, const struct instance *instance, struct billing_fault *fault);

#endif
