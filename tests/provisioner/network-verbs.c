/* The provisioner's network verbs as commands, for network.sh. */
#include "provisioner/firewall.h"
#include "provisioner/network.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static int list(void)
{
    unsigned numbers[NETWORKS_MAX];
    int count = network_list(numbers, NETWORKS_MAX);

    for (int i = 0; i < count; i++)
        printf("%u\n", numbers[i]);
    return count < 0;
}

static int forwards(void)
{
    struct network_forward all[16];
    int count = network_forwards(all, 16);

    for (int i = 0; i < count; i++)
        printf("%u %08x %u\n", all[i].host_port, all[i].ipv4, all[i].guest_port);
    return count < 0;
}

/* As its owner wrote it. */
static int firewall(uint32_t ipv4, const char *text)
{
    static struct firewall rules;
    json_t *object = json_loads(text, 0, NULL);
    struct json_why why = { .text = "no JSON" };
    int rc = object ? firewall_read(object, &rules, &why) : -1;

    json_decref(object);
    if (rc)
        log_warnx("%s", why.text);
    return rc || network_firewall_set(ipv4, &rules);
}

static int firewalls(void)
{
    uint32_t all[16];
    int count = network_firewalls(all, 16);

    for (int i = 0; i < count; i++)
        printf("%08x\n", all[i]);
    return count < 0;
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char *argv[])
{
    const char *verb = argc > 1 ? argv[1] : "";
    struct in_addr address;

    log_init("network-verbs");
    if (!strcmp(verb, "up") && argc == 3)
        return network_up(number(argv[2])) != 0;
    if (!strcmp(verb, "down") && argc == 3)
        return network_down(number(argv[2])) != 0;
    if (!strcmp(verb, "list"))
        return list();
    if (!strcmp(verb, "forwards"))
        return forwards();
    if (!strcmp(verb, "forward") && argc == 5 && inet_pton(AF_INET, argv[3], &address) == 1)
        return network_forward_set(&(struct network_forward){.host_port = (uint16_t)number(argv[2]),
                                                             .ipv4 = ntohl(address.s_addr),
                                                             .guest_port = (uint16_t)number(argv[4])}) != 0;
    if (!strcmp(verb, "firewall") && argc == 4 && inet_pton(AF_INET, argv[2], &address) == 1)
        return firewall(ntohl(address.s_addr), argv[3]);
    if (!strcmp(verb, "firewalls"))
        return firewalls();
    if (!strcmp(verb, "unforward") && argc == 3)
        return network_forward_remove((uint16_t)number(argv[2])) != 0;
    return 2;
}
