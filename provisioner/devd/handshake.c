#include "provisioner/devd/handshake.h"
#include "provisioner/blkback/ring.h"
#include "provisioner/devd/store.h"
#include "provisioner/netback/features.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_PAGE_ORDER_MAX 3u

_Static_assert(1u << RING_PAGE_ORDER_MAX == RING_PAGES_MAX && REQUEST_SEGS_MAX == 32 && SECTOR_BYTES == 512,
               "what is offered below is what blkback does");

bool handshake_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (!text || !*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)*text - '0';

        if (digit > 9 || digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* -1 no such node, 0 not a number up to max, 1 and *out. */
static int number_read(const char *directory, const char *node, uint64_t max, uint64_t *out)
{
    char *text = store_read(directory, node);
    int rc = text ? handshake_number(text, max, out) : -1;

    free(text);
    return rc;
}

static json_t *refuse(struct handshake_why *why, const char *directory, const char *node)
{
    snprintf(why->text, sizeof(why->text), "%s/%s is missing or makes no sense", directory, node);
    return NULL;
}

static bool node_is(const char *directory, const char *node, const char *value)
{
    char *text = store_read(directory, node);
    bool is = text && strcmp(text, value) == 0;

    free(text);
    return is;
}

static bool disk_readonly(const char *backend)
{
    return !node_is(backend, "mode", "w");
}

static bool disk_discards(const char *backend)
{
    return !disk_readonly(backend) && node_is(backend, "discard", "1");
}

static json_t *offer_vbd(const char *backend)
{
    json_t *nodes = json_pack("{s:s,s:s,s:s,s:s}", "feature-flush-cache", "1", "feature-max-indirect-segments", "32",
                              "max-ring-page-order", "3", "feature-discard",
                              disk_discards(backend) ? "1" : "0");

    if (disk_discards(backend)) {
        json_object_set_new(nodes, "discard-granularity", json_string("4096"));
        json_object_set_new(nodes, "discard-alignment", json_string("0"));
        json_object_set_new(nodes, "discard-secure", json_string("0"));
    }
    return nodes;
}

json_t *handshake_offer(enum device_type type, const char *backend)
{
    json_t *nodes;

    if (type == DEVICE_VBD)
        return offer_vbd(backend);
    nodes = json_object();
    for (const struct netback_feature *feature = netback_features; feature->node; feature++)
        json_object_set_new(nodes, feature->node, json_string(feature->value));
    return nodes;
}

json_t *handshake_disk(uint64_t sectors, bool readonly)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, sectors);
    return json_pack("{s:s,s:s,s:s}", "sectors", text, "sector-size", "512", "info",
                     readonly ? "4" /* VDISK_READONLY */ : "0");
}

/* One page is `ring-ref`; several are `ring-ref0` and so on, with their order. */
static bool vbd_refs(const char *frontend, json_t *refs, const char **node)
{
    uint64_t order = 0, ref;
    char name[24];

    *node = "ring-page-order";
    if (number_read(frontend, *node, RING_PAGE_ORDER_MAX, &order) == 0)
        return false;
    *node = "ring-ref";
    if (order == 0 && number_read(frontend, *node, UINT32_MAX, &ref) == 1)
        return json_array_append_new(refs, json_integer((json_int_t)ref)) == 0;
    for (unsigned i = 0; i < 1u << order; i++) {
        snprintf(name, sizeof(name), "ring-ref%u", i);
        if (number_read(frontend, name, UINT32_MAX, &ref) != 1)
            return false;
        json_array_append_new(refs, json_integer((json_int_t)ref));
    }
    return true;
}

/* Without a word about it the frontend is as we are. NULL: one we do not know. */
static const char *vbd_abi(const char *frontend)
{
    char *protocol = store_read(frontend, "protocol");
    const char *abi = NULL;

    if (!protocol || strcmp(protocol, "x86_64-abi") == 0)
        abi = "x86_64";
    else if (strcmp(protocol, "x86_32-abi") == 0)
        abi = "x86_32";
    free(protocol);
    return abi;
}

static json_t *agree_vbd(const char *backend, const char *frontend, struct handshake_why *why)
{
    const char *abi = vbd_abi(frontend), *node;
    json_t *refs = json_array(), *config;
    char *file = store_read(backend, "params");
    uint64_t port;

    config = NULL;
    if (!file || *file != '/')
        refuse(why, backend, "params");
    else if (!abi)
        refuse(why, frontend, "protocol");
    else if (number_read(frontend, "event-channel", UINT32_MAX, &port) != 1)
        refuse(why, frontend, "event-channel");
    else if (!vbd_refs(frontend, refs, &node))
        refuse(why, frontend, node);
    else
        config = json_pack("{s:O,s:I,s:s,s:s,s:b,s:b,s:b}", "refs", refs, "port", (json_int_t)port, "abi", abi, "file",
                           file, "readonly", disk_readonly(backend), "discard", disk_discards(backend), "indirect", 1);
    free(file);
    json_decref(refs);
    return config;
}

/* One of the frontend's nodes as features.h describes it. */
static bool vif_key(const char *frontend, const struct netback_key *key, json_t *config)
{
    uint64_t value = 0;
    int rc = number_read(frontend, key->node, UINT32_MAX, &value);

    if (rc < 0 && key->otherwise)
        rc = number_read(frontend, key->otherwise, UINT32_MAX, &value);
    if (rc == 0 || (rc < 0 && key->required))
        return false;
    switch (key->kind) {
    case NETBACK_REF:
        return json_object_set_new(config, key->config, json_pack("[I]", (json_int_t)value)) == 0;
    case NETBACK_PORT:
        return json_object_set_new(config, key->config, json_integer((json_int_t)value)) == 0;
    default:
        if (key->required && value != 1)
            return false;
        return json_object_set_new(config, key->config,
                                   json_boolean((value != 0) == (key->kind == NETBACK_FLAG))) == 0;
    }
}

/* Our own nodes: text that the provisioner wrote. */
static bool vif_words(const char *backend, json_t *config, const char **node)
{
    static const char *const words[] = { "tap", "bridge", "mac" };
    json_t *addresses = json_array();
    char *list, *rest, *address;

    json_object_set_new(config, "ipv4", addresses);
    for (unsigned i = 0; i < 3; i++) {
        char *text = store_read(backend, words[i]);

        *node = words[i];
        if (!text)
            return false;
        json_object_set_new(config, words[i], json_string(text));
        free(text);
    }
    list = store_read(backend, "ip");
    for (address = list ? strtok_r(list, " ", &rest) : NULL; address; address = strtok_r(NULL, " ", &rest))
        json_array_append_new(addresses, json_string(address));
    free(list);
    return true;
}

static json_t *agree_vif(const char *backend, const char *frontend, struct handshake_why *why)
{
    json_t *config = json_object();
    uint64_t queues = 1;
    const char *node;

    if (!vif_words(backend, config, &node)) {
        refuse(why, backend, node);
        goto refused;
    }
    if (number_read(frontend, "multi-queue-num-queues", 1, &queues) == 0) {
        refuse(why, frontend, "multi-queue-num-queues");
        goto refused;
    }
    for (const struct netback_key *key = netback_keys; key->node; key++) {
        if (vif_key(frontend, key, config))
            continue;
        refuse(why, frontend, key->node);
        goto refused;
    }
    return config;

refused:
    json_decref(config);
    return NULL;
}

json_t *handshake_agree(enum device_type type, const char *backend, const char *frontend, struct handshake_why *why)
{
    return type == DEVICE_VBD ? agree_vbd(backend, frontend, why) : agree_vif(backend, frontend, why);
}
