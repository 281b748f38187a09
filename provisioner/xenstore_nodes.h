/* What the two files on xenstored share; nobody else includes it. */
#ifndef PROVISIONER_XENSTORE_NODES_H
#define PROVISIONER_XENSTORE_NODES_H

#include "provisioner/xen.h"

#include <xenstore.h>

#define XENSTORE_BACKENDS "/local/domain/0/backend"

struct xenstore {
    struct xs_handle *xs;
};

/* Logs errno with the path. -errno. */
int xenstore_failure(const char *path);
int xenstore_tree_remove(struct xenstore *store, const char *path);     /* not there: removed */

#endif
