/* The seed: a small read-only disk from which a guest learns, at its first boot, its
 * name, its owner's keys and what its owner wants done: cloud-init's NoCloud
 * (ISO 9660, label cidata), which many images understand.
 *     meta-data       instance-id, local-hostname, public-keys
 *     user-data       the customer's, byte for byte; a cloud-config with the keys without one
 *     network-config  DHCP on the NIC with this MAC; left out without a NIC
 * Keys are in meta-data, so that a customer's user-data need not be parsed to be completed.
 *
 * The image is made here and not by genisoimage: three files in one directory
 * are a hundred lines, and no program needs to be run with a customer's text.
 *
 * Pure: no I/O.
 */
#ifndef PROVISIONER_SEED_H
#define PROVISIONER_SEED_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct seed {
    const char *instance_id;
    const char *name;               /* as the customer gave it */
    const char *mac;                /* NULL: no NIC */
    json_t *ssh_keys;               /* a list of strings, each a line of authorized_keys */
    const char *user_data;          /* may be empty */
};

#define SEED_HOSTNAME_BYTES 64
/* A host name (RFC 1123) that resembles the name; from the id when nothing of it is left. */
void seed_hostname(const char *name, const char *instance_id, char hostname[SEED_HOSTNAME_BYTES]);

/* The disk, malloc'd; NULL when out of memory. */
uint8_t *seed_make(const struct seed *seed, size_t *bytes);

#endif
