/* What viewers.h asks of the host. A thread's own: the database and the hypervisor are not shared. */
#ifndef PROVISIONER_CONSOLE_INPUT_H
#define PROVISIONER_CONSOLE_INPUT_H

#include "provisioner/store.h"
#include "provisioner/viewers.h"
#include "provisioner/xen.h"

struct console_input {
    struct store *store;
    struct xen *xen;
};

/* `input` lives as long as who was given this. */
struct viewers_guests console_input_guests(struct console_input *input);

#endif
