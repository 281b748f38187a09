/* Bridges by ioctl, which takes no process; rules by nft, whose words are numbers of ours and names that we made. */
#include "provisioner/network.h"
#include "provisioner/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

#ifndef RULES
#define RULES "/etc/xs/network.nft"
#endif
#define ANSWER_BYTES (256u * 1024)

static int spawn(char *const argv[], int in, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc)
        return rc;
    if (in >= 0)
        rc = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&actions, out, 2);
    if (!rc)
        rc = posix_spawnp(pid, argv[0], &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static void read_answer(int from, char answer[ANSWER_BYTES])
{
    size_t used = 0;
    char surplus[512];

    for (;;) {
        size_t room = ANSWER_BYTES - 1 - used;
        ssize_t got = read(from, room ? answer + used : surplus, room ? room : sizeof(surplus));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += room ? (size_t)got : 0;
    }
    answer[used] = 0;
}

/* nft, with this as its standard input (-1: ours), and what it says. 0, or its exit status, or -1 after logging. */
static int nft(char *const argv[], int in, char answer[ANSWER_BYTES])
{
    int pipe_ends[2], status, rc;
    pid_t pid;

    if (pipe2(pipe_ends, O_CLOEXEC)) {
        log_warn("nft: pipe");
        return -1;
    }
    rc = spawn(argv, in, pipe_ends[1], &pid);
    close(pipe_ends[1]);
    if (!rc)
        read_answer(pipe_ends[0], answer);
    close(pipe_ends[0]);
    if (rc) {
        errno = rc;
        log_warn("nft does not start");
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) {
            log_warn("nft: waitpid");
            return -1;
        }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int nft_from_or_log(char *const argv[], int in)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char answer[ANSWER_BYTES];   /* under the lock */
    int rc;

    pthread_mutex_lock(&lock);
    rc = nft(argv, in, answer);
    if (rc > 0)
        log_warnx("nft %s: %s", argv[1], answer);
    pthread_mutex_unlock(&lock);
    return rc ? -1 : 0;
}

static int nft_or_log(char *const argv[])
{
    return nft_from_or_log(argv, -1);
}

static int set_file(const char *path, const char *value)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);

    if (file < 0 || write(file, value, strlen(value)) < 0) {
        log_warn("%s: setting %s", path, value);
        if (file >= 0)
            close(file);
        return -1;
    }
    close(file);
    return 0;
}

/* What crosses a bridge between two guests is not dom0's to judge; a kernel with br_netfilter would ask. */
static int leave_bridges_alone(void)
{
    static const char path[] = "/proc/sys/net/bridge/bridge-nf-call-iptables";

    return access(path, F_OK) ? 0 : set_file(path, "0");
}

static atomic_bool started;

/* Since dom0 booted nothing has been forwarded: no rules are loaded, and none need be to say so. */
static bool never_started(void)
{
    char forwards = '1';
    int file = started ? -1 : open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);

    if (file >= 0) {
        if (read(file, &forwards, 1) != 1)
            forwards = '1';
        close(file);
    }
    return forwards == '0';
}

/* Nothing is forwarded before the rules are there. ip_forward comes first of the settings: it resets others. Two threads
 * that do so at once do the same twice. */
static int start(void)
{
    char *argv[] = {"nft", "-f", RULES, NULL};

    if (started)
        return 0;
    if (nft_or_log(argv) || leave_bridges_alone() || set_file("/proc/sys/net/ipv4/ip_forward", "1") ||
        set_file("/proc/sys/net/ipv4/conf/all/rp_filter", "1") ||
        set_file("/proc/sys/net/ipv4/conf/all/accept_source_route", "0") ||
        set_file("/proc/sys/net/ipv4/conf/all/send_redirects", "0"))
        return -1;
    started = true;
    return 0;
}

static int request(int sock, unsigned long what, struct ifreq *interface, const char *step)
{
    if (!ioctl(sock, what, interface))
        return 0;
    log_warn("%s: %s", interface->ifr_name, step);
    return -1;
}

static void set_ipv4(struct sockaddr *address, uint32_t ipv4)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ipv4)};

    memcpy(address, &in, sizeof(in));
}

static int set_addresses(int sock, const char *name, unsigned number)
{
    struct ifreq interface = {0};

    memcpy(interface.ifr_name, name, NETWORK_NAME_BYTES);
    interface.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    network_gateway_mac((uint8_t *)interface.ifr_hwaddr.sa_data, number);
    if (request(sock, SIOCSIFHWADDR, &interface, "setting its MAC"))
        return -1;
    set_ipv4(&interface.ifr_addr, network_address(number, 1));
    if (request(sock, SIOCSIFADDR, &interface, "setting its address"))
        return -1;
    set_ipv4(&interface.ifr_netmask, 0xffffff00);
    return request(sock, SIOCSIFNETMASK, &interface, "setting its netmask");
}

/* dom0 sends nothing into a network by itself: each packet there is on a guest's bill. */
static int silence(const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    if (!access(path, F_OK) && set_file(path, "1"))     /* absent: a kernel without IPv6 */
        return -1;
    snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/send_redirects", name);
    if (set_file(path, "0"))
        return -1;
    snprintf(path, sizeof(path), "/sys/class/net/%s/bridge/multicast_snooping", name);
    return set_file(path, "0");
}

static int set_up_down(int sock, const char *name, bool up)
{
    struct ifreq interface = {0};

    memcpy(interface.ifr_name, name, NETWORK_NAME_BYTES);
    if (request(sock, SIOCGIFFLAGS, &interface, "reading its flags"))
        return -1;
    interface.ifr_flags = (short)(up ? interface.ifr_flags | IFF_UP : interface.ifr_flags & ~IFF_UP);
    return request(sock, SIOCSIFFLAGS, &interface, up ? "raising it" : "taking it down");
}

static int control_socket(void)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        log_warn("network: socket");
    return sock;
}

static int make_bridge(const char *name, unsigned number)
{
    int sock = control_socket(), rc;

    if (sock < 0)
        return -1;
    rc = ioctl(sock, SIOCBRADDBR, name);
    if (rc && errno == EEXIST)
        rc = 0;
    else if (rc)
        log_warn("%s: making the bridge", name);
    if (!rc)
        rc = silence(name);
    if (!rc)
        rc = set_addresses(sock, name, number);
    if (!rc)
        rc = set_up_down(sock, name, true);
    close(sock);
    return rc;
}

/* The bridge and the addresses that may come from it. */
static int element(const char *verb, const char *name, unsigned number)
{
    char what[96];
    char *argv[] = {"nft", (char *)(uintptr_t)verb, "element", "inet", "xs", "networks", what, NULL};

    snprintf(what, sizeof(what), "{ \"%s\" . 10.77.%u.0/24 }", name, number);
    return nft_or_log(argv);
}

int network_up(unsigned number)
{
    char name[NETWORK_NAME_BYTES] = {0};

    network_bridge_name(name, number);
    if (start() || element("add", name, number))
        return -1;
    return make_bridge(name, number);
}

int network_down(unsigned number)
{
    char name[NETWORK_NAME_BYTES] = {0};
    int sock, rc;

    network_bridge_name(name, number);
    /* Deleting what is not there is an error to nft, adding what is there is none. */
    if (start() || element("add", name, number) || element("delete", name, number))
        return -1;
    if (!if_nametoindex(name))
        return 0;
    sock = control_socket();
    if (sock < 0)
        return -1;
    rc = set_up_down(sock, name, false);
    if (!rc && ioctl(sock, SIOCBRDELBR, name)) {
        log_warn("%s: removing the bridge", name);
        rc = -1;
    }
    close(sock);
    return rc;
}

int network_list(unsigned *numbers, size_t max)
{
    struct if_nameindex *all = if_nameindex();
    int count = 0;

    if (!all) {
        log_warn("network: listing interfaces");
        return -1;
    }
    for (const struct if_nameindex *one = all; one->if_index && (size_t)count < max; one++) {
        unsigned number;
        int used = 0;
        if (sscanf(one->if_name, NETWORK_BRIDGE_PREFIX "%3u%n", &number, &used) == 1 && !one->if_name[used])
            numbers[count++] = number;
    }
    if_freenameindex(all);
    return count;
}

static bool read_forward(const json_t *pair, struct network_forward *forward)
{
    const json_t *to = json_object_get(json_array_get(pair, 1), "concat");
    const char *address = json_string_value(json_array_get(to, 0));
    struct in_addr parsed;

    if (!address || inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    forward->host_port = (uint16_t)json_integer_value(json_array_get(pair, 0));
    forward->ipv4 = ntohl(parsed.s_addr);
    forward->guest_port = (uint16_t)json_integer_value(json_array_get(to, 1));
    return true;
}

/* What is in a map: new reference, NULL after logging. */
static json_t *map_elements(const char *name)
{
    static char answer[ANSWER_BYTES];
    char *argv[] = {"nft", "-j", "list", "map", "inet", "xs", (char *)(uintptr_t)name, NULL};
    json_t *said, *map, *elements;
    int rc;

    if (never_started())
        return json_array();
    if (start())
        return NULL;
    rc = nft(argv, -1, answer);
    said = rc ? NULL : json_loads(answer, 0, NULL);
    map = json_object_get(json_array_get(json_object_get(said, "nftables"), 1), "map");
    elements = json_object_get(map, "elem");
    elements = elements ? json_incref(elements) : map ? json_array() : NULL;
    json_decref(said);
    if (!elements && rc >= 0)
        log_warnx("nft: %s cannot be listed: %s", name, answer);
    return elements;
}

int network_forwards(struct network_forward *forwards, size_t max)
{
    json_t *elements = map_elements("forwards"), *pair;
    size_t i;
    int count = elements ? 0 : -1;

    json_array_foreach(elements, i, pair)
        if ((size_t)count < max && read_forward(pair, &forwards[count]))
            count++;
    json_decref(elements);
    return count;
}

int network_firewalls(uint32_t *ipv4s, size_t max)
{
    json_t *elements = map_elements("inbound"), *pair;
    size_t i;
    int count = elements ? 0 : -1;

    json_array_foreach(elements, i, pair) {
        const char *address = json_string_value(json_array_get(pair, 0));
        struct in_addr parsed;

        if ((size_t)count < max && address && inet_pton(AF_INET, address, &parsed) == 1)
            ipv4s[count++] = ntohl(parsed.s_addr);
    }
    json_decref(elements);
    return count;
}

static int memory_file(const char *text)
{
    int file = memfd_create("nft", MFD_CLOEXEC);
    size_t size = strlen(text);

    if (file >= 0 && write(file, text, size) == (ssize_t)size)
        return file;
    log_warn("nft: its rules cannot be written");
    if (file >= 0)
        close(file);
    return -1;
}

int network_firewall_set(uint32_t ipv4, const struct firewall *firewall)
{
    /* Not "-", which nft takes for /dev/stdin: dom0 has none. */
    char *argv[] = {"nft", "-f", "/proc/self/fd/0", NULL};
    char *text = firewall_nft(firewall, ipv4);
    int file = text ? memory_file(text) : -1, rc;

    free(text);
    rc = file < 0 || start() ? -1 : nft_from_or_log(argv, file);
    if (file >= 0)
        close(file);
    return rc;
}

/* 1: found; 0: not; -1 after logging. */
static int find_forward(uint16_t host_port, struct network_forward *found)
{
    static struct network_forward all[NETWORK_FORWARDS_MAX];
    int count = network_forwards(all, NETWORK_FORWARDS_MAX);

    for (int i = 0; i < count; i++)
        if (all[i].host_port == host_port) {
            *found = all[i];
            return 1;
        }
    return count < 0 ? -1 : 0;
}

int network_forward_set(const struct network_forward *forward)
{
    struct network_forward old;
    int found = find_forward(forward->host_port, &old);
    char address[INET_ADDRSTRLEN], what[160], gone[80] = "";
    char *argv[] = {"nft", what, NULL};

    if (found < 0)
        return -1;
    if (found && old.ipv4 == forward->ipv4 && old.guest_port == forward->guest_port)
        return 0;
    if (found)
        snprintf(gone, sizeof(gone), "delete element inet xs forwards { %u }; ", forward->host_port);
    inet_ntop(AF_INET, &(struct in_addr){htonl(forward->ipv4)}, address, sizeof(address));
    snprintf(what, sizeof(what), "%sadd element inet xs forwards { %u : %s . %u }", gone, forward->host_port, address,
             forward->guest_port);
    return nft_or_log(argv);
}

int network_forward_remove(uint16_t host_port)
{
    struct network_forward old;
    int found = find_forward(host_port, &old);
    char what[80];
    char *argv[] = {"nft", what, NULL};

    if (found <= 0)
        return found;
    snprintf(what, sizeof(what), "delete element inet xs forwards { %u }", host_port);
    return nft_or_log(argv);
}
