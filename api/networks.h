/* How addresses and forwards look outside, for who shows an instance. */
#ifndef API_NETWORKS_H
#define API_NETWORKS_H

#include <jansson.h>

#define FORWARDS_PER_INSTANCE 8
#define SSH_PORT 22

/* New references; `live` is the provisioner's instance, NULL when it has none. */
json_t *forwards_view(const json_t *live);
json_t *addresses_view(const json_t *live);
/* {host, port} that leads to the guest's port 22, null when none does. */
json_t *ssh_view(const json_t *live);

#endif
