/* The way from an instance to the pty that its guest reads from. A pty's number is used again at once, and what is typed
 * here must never reach another customer's guest: so the domain is asked for after the pty is open. While it lives, its
 * pty is its own (xenconsoled closes it after the domain has died), and xenstore_console_open has seen that the number
 * was still its own then. A guest's end makes each later write fail with EIO. */
#include "provisioner/console_input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool known(void *arg, const char *instance_id)
{
    struct console_input *input = arg;
    struct instance instance;

    return store_instance_find(input->store, instance_id, &instance) == 1 && instance.state != STATE_DELETED;
}

static bool lives(struct xen *xen, const struct instance *instance)
{
    struct xen_domain *domains;
    unsigned count;
    bool found = false;

    if (xen_domain_list(xen, &domains, &count) != 0)
        return false;
    for (unsigned i = 0; i < count; i++)
        found |= domains[i].domid == (uint32_t)instance->domid && !domains[i].dying &&
                 memcmp(domains[i].uuid, instance->domain_uuid, sizeof(instance->domain_uuid)) == 0;
    free(domains);
    return found;
}

static int input_open(void *arg, const char *instance_id)
{
    struct console_input *input = arg;
    struct instance instance;
    int fd;

    if (store_instance_find(input->store, instance_id, &instance) != 1 || instance.domid == 0)
        return -1;
    fd = xenstore_console_open((uint32_t)instance.domid);
    if (fd >= 0 && !lives(input->xen, &instance)) {
        close(fd);
        fd = -1;
    }
    return fd < 0 ? -1 : fd;
}

struct viewers_guests console_input_guests(struct console_input *input)
{
    return (struct viewers_guests){ .known = known, .input_open = input_open, .arg = input };
}
