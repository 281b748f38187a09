/* Guests' firewalls: dom0's rules follow the rows. The control thread applies what it has stored, the worker what a guest
 * begins with; whoever is last has read the newest row, for reading it and setting the rules is one step.
 *
 * A guest's rules are there from before its NIC is until its address is given back. Verbs return 0, or -1 after logging. */
#ifndef PROVISIONER_FIREWALLS_H
#define PROVISIONER_FIREWALLS_H

#include "provisioner/store.h"

/* Of an instance without a row or a NIC: nothing to do. */
int firewall_apply(struct store *store, const char *instance_id);

/* No rules of its, and then store_nic_release. */
int firewall_release(struct store *store, const char *instance_id);

/* At the daemon's start: what was stored and not applied, or is nobody's any more. */
int firewalls_settle(struct store *store);

#endif
