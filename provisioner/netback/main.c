/* xs-netback: one NIC of one guest (backend/worker.h: how it lives; netback.h: what it does). */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisioner/backend/worker.h"
#include "provisioner/netback/netback.h"
#include "provisioner/netback/tap.h"
#include "provisioner/network.h"

/* How often a frontend that does not tell when it posts buffers is looked at, while frames wait for it. */
#define LOOK_AGAIN_MS 30

static const char *text(json_t *config, const char *key)
{
    const char *value = json_string_value(json_object_get(config, key));

    if (!value)
        worker_failed("config: no \"%s\"", key);
    return value;
}

static uint32_t number(json_t *config, const char *key)
{
    json_t *value = json_object_get(config, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)
        worker_failed("config: \"%s\" is not a number below 2^32", key);
    return (uint32_t)json_integer_value(value);
}

static bool flag(json_t *config, const char *key)
{
    json_t *value = json_object_get(config, key);

    return json_is_true(value) || (json_is_integer(value) && json_integer_value(value));
}

static void read_mac(const char *what, uint8_t mac[static 6])
{
    int used = 0;
    int count = sscanf(what, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                       &mac[5], &used);

    if (count != 6 || used != 17 || what[used])
        worker_failed("config: \"%s\" is no MAC", what);
}

static uint32_t ipv4(const char *what)
{
    struct in_addr address;

    if (inet_pton(AF_INET, what, &address) != 1)
        worker_failed("config: \"%s\" is no IPv4 address", what);
    return ntohl(address.s_addr);
}

static void read_filter(json_t *config, struct filter *filter)
{
    json_t *addresses = json_object_get(config, "ipv4"), *address;
    size_t i;

    read_mac(text(config, "mac"), filter->mac);
    if (json_array_size(addresses) > FILTER_IPV4_MAX)
        worker_failed("config: more than %u addresses", FILTER_IPV4_MAX);
    json_array_foreach(addresses, i, address) {
        if (!json_is_string(address))
            worker_failed("config: \"ipv4\" has something that is no address");
        filter->ipv4[filter->nr_ipv4++] = ipv4(json_string_value(address));
    }
}

/* The guest is told to ask whom dom0 asks. */
static void read_resolvers(struct dhcp *dhcp)
{
    FILE *file = fopen("/etc/resolv.conf", "re");
    char line[256], address[64];
    struct in_addr parsed;

    while (file && dhcp->nr_resolvers < DHCP_RESOLVERS_MAX && fgets(line, sizeof(line), file))
        if (sscanf(line, "nameserver %63s", address) == 1 && inet_pton(AF_INET, address, &parsed) == 1)
            dhcp->resolvers[dhcp->nr_resolvers++] = ntohl(parsed.s_addr);
    if (file)
        fclose(file);
}

static void set_dhcp(const struct filter *filter, struct dhcp *dhcp)
{
    if (!filter->nr_ipv4)
        return;                         /* no address to give: what asks for one gets no answer */
    unsigned network = filter->ipv4[0] >> 8 & 255;
    memcpy(dhcp->mac, filter->mac, 6);
    network_gateway_mac(dhcp->gateway_mac, network);
    dhcp->ipv4 = filter->ipv4[0];
    dhcp->netmask = 0xffffff00;
    dhcp->gateway = network_address(network, 1);
    read_resolvers(dhcp);
}

static void *map_ring(json_t *config, const char *key)
{
    uint32_t ref = (uint32_t)json_integer_value(json_array_get(json_object_get(config, key), 0));
    void *ring = worker_map(number(config, "domid"), &ref, 1);

    if (!ring)                          /* the reference is the frontend's */
        worker_broken("%s: ring page %u cannot be mapped: %s", key, ref, strerror(errno));
    return ring;
}

static int bind_port(json_t *config, const char *key)
{
    int port = worker_bind(number(config, "domid"), number(config, key));

    if (port < 0)
        worker_broken("%s: event channel %u cannot be bound: %s", key, number(config, key), strerror(-port));
    return port;
}

static void open_tap(json_t *config, struct netback *netback)
{
    bool checksum = flag(config, "csum_offload") && flag(config, "csum6_offload"), sg = flag(config, "sg");
    bool cut = checksum && sg;
    struct tap_offload offload = {checksum, cut && flag(config, "gso4"), cut && flag(config, "gso6")};
    const char *step;

    netback->tap = tap_open(text(config, "tap"), text(config, "bridge"), &offload, &step);
    if (!netback->tap)
        worker_failed("tap %s in %s: %s: %s", text(config, "tap"), text(config, "bridge"), step, strerror(errno));
    /* Without segments to cut, a frame has its MTU of 1500 and fits one slot. */
    netback->frame_max = offload.segments4 || offload.segments6 ? STATE_FRAME_MAX : 2048;
}

static void set_up(json_t *config, struct netback *netback)
{
    worker_meter(config, &netback->meter);
    read_filter(config, &netback->filter);
    set_dhcp(&netback->filter, &netback->dhcp);
    netback->multicast = flag(config, "multicast");
    netback->state = worker_state(text(config, "state"), sizeof(struct netback_state));
    if (!netback->state)
        worker_failed("state file %s: %s", text(config, "state"), strerror(errno));
    netback->tx = map_ring(config, "tx_refs");
    netback->rx = map_ring(config, "rx_refs");
    netback->tx_port = bind_port(config, "tx_port");
    netback->rx_port = netback->tx_port;
    if (number(config, "rx_port") != number(config, "tx_port"))
        netback->rx_port = bind_port(config, "rx_port");
    open_tap(config, netback);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void hear(void)
{
    json_t *said = worker_heard();

    if (json_is_true(json_object_get(said, "stop")))
        exit(WORKER_STOPPED);
    json_decref(said);
}

/* Until a limit passes; NULL: until something happens. */
static const struct timespec *patience(const struct netback *netback, bool rx_notify, struct timespec *time)
{
    uint64_t until = netback->tx_retry_ns, now = now_ns();

    if (netback->rx_retry_ns && (!until || netback->rx_retry_ns < until))
        until = netback->rx_retry_ns;
    if (!until && !rx_notify && netback_waits(netback))
        until = now + LOOK_AGAIN_MS * 1000000u;
    if (!until)
        return NULL;
    uint64_t left = until > now ? until - now : 0;
    *time = (struct timespec){.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
    return time;
}

static void serve(struct netback *netback, bool rx_notify)
{
    struct pollfd fds[] = {
        {WORKER_SOCKET_FD, POLLIN, 0}, {worker_event_fd(), POLLIN, 0}, {tap_fd(netback->tap), POLLIN, 0}};
    struct timespec time;

    for (;;) {
        int rc = netback_transmit(netback, now_ns());
        if (!rc)
            rc = netback_receive(netback, now_ns());
        if (rc)                         /* our channel or our guest is gone */
            exit(WORKER_STOPPED);
        if (ppoll(fds, 3, patience(netback, rx_notify, &time), NULL) < 0 && errno != EINTR)
            worker_failed("ppoll: %s", strerror(errno));
        if (fds[0].revents)
            hear();
        while (fds[1].revents && worker_event_next() >= 0)
            ;
        if (fds[2].revents && netback_fill(netback))
            worker_failed("tap: %s", strerror(errno));
    }
}

int main(void)
{
    static const char *const calls[] = {"readv", "ppoll", "io_uring_enter", NULL};
    static struct netback netback;
    json_t *config;

    log_init("xs-netback");
    config = worker_config();
    set_up(config, &netback);
    worker_confine(number(config, "uid"), number(config, "gid"), calls);
    netback_attach(&netback);
    worker_say(json_pack("{s:b}", "ready", 1));
    serve(&netback, flag(config, "rx_notify"));
}
