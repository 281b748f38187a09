#include "provisioner/firewalls.h"
#include "common/log.h"
#include "provisioner/firewall.h"
#include "provisioner/network.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct firewall firewall;        /* under the lock: it is large */

/* Under the lock. 1 and `firewall`, 0 the instance has none, -1. */
static int row_read(struct store *store, const char *instance_id)
{
    struct json_why why;
    json_t *body;
    int rc = store_firewall_find(store, instance_id, &body);

    if (rc != 1)
        return rc;
    rc = firewall_read(body, &firewall, &why) ? -1 : 1;
    json_decref(body);
    if (rc < 0)
        log_warnx("instance %s: its firewall is not as it was stored: %s", instance_id, why.text);
    return rc;
}

/* Under the lock. The rules of the address that the instance has, as its row says or (off) none. */
static int set(struct store *store, const char *instance_id, bool off)
{
    struct nic nic;
    int rc = row_read(store, instance_id);

    if (rc == 1)
        rc = store_nic_find(store, instance_id, &nic);
    if (rc != 1)
        return rc;
    if (off)
        firewall.enabled = false;
    return network_firewall_set(network_address((unsigned)nic.number, (unsigned)nic.host), &firewall);
}

int firewall_apply(struct store *store, const char *instance_id)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = set(store, instance_id, false);
    pthread_mutex_unlock(&lock);
    return rc;
}

int firewall_release(struct store *store, const char *instance_id)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = set(store, instance_id, true);
    if (!rc)
        rc = store_nic_release(store, instance_id);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* Whose address it was has been deleted, or never was. */
static int strangers_remove(struct store *store)
{
    static uint32_t present[NETWORK_FIREWALLS_MAX];
    static const struct firewall none;
    int count = network_firewalls(present, NETWORK_FIREWALLS_MAX), wanted = 0;

    for (int i = 0; i < count && wanted >= 0; i++) {
        wanted = store_firewall_at(store, present[i] >> 8 & 255, present[i] & 255);
        if (!wanted && network_firewall_set(present[i], &none))
            return -1;
    }
    return count < 0 || wanted < 0 ? -1 : 0;
}

static int apply_each(void *store, const char *instance_id)
{
    return firewall_apply(store, instance_id);
}

int firewalls_settle(struct store *store)
{
    return strangers_remove(store) ? -1 : store_firewalls(store, apply_each, store);
}
