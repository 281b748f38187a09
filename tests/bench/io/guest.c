/* io-guest: disk and network load inside a guest, measured with the guest's TSC.
 *
 *   io-guest disk NAME DEVICE    what it measures is called NAME-read-4k and so on
 *   io-guest net ADDRESS         io-serve runs there
 *
 * Under `-icount shift=0,sleep=off` the TSC counts the instructions of the whole machine: guest,
 * hypervisor and dom0. For each load prints
 *
 *     io NAME UNITS MEDIAN MEAN EVENTS
 *
 * MEDIAN and MEAN are instructions per unit (a block of 4 KiB, a packet, a segment): the median
 * over the rounds leaves out a round in which a timer fired or the machine slept (an idle machine's TSC
 * jumps). EVENTS is the number of interrupts that the device raised in the guest. An exit at one
 * known address (io_mark) before and after each load lets exits be counted from outside (io/exits.awk).
 */
#include "tests/bench/io/wire.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK       4096u
#define LARGE       (8 * BLOCK)
#define BURST       32u
#define STREAM      (128u * IO_SEGMENT)
#define WARM        64u
#define ROUNDS_MAX  1024u

struct load {
    const char *name;
    void (*round)(uint64_t number);
    unsigned rounds;
    unsigned units;                     /* in a round */
};

static int device = -1;                 /* block device or connected socket */
static const char *interrupt;           /* what its line in /proc/interrupts contains */
static const char *family;              /* what the names of the loads begin with */
static uint8_t buffer[STREAM] __attribute__((aligned(BLOCK)));
static uint64_t ticks[ROUNDS_MAX];

__attribute__((noinline)) static void mark(void)
{
    uint32_t eax = 0, ebx, ecx = 0, edx;

    __asm__ volatile(".globl io_mark\nio_mark: cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
}

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t events(void)
{
    FILE *file = fopen("/proc/interrupts", "r");
    char line[512];
    uint64_t sum = 0;

    if (!file)
        err(1, "/proc/interrupts");
    while (fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');

        if (colon && strstr(line, interrupt))
            sum += strtoull(colon + 1, NULL, 10);
    }
    fclose(file);
    return sum;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void measure(const struct load *load)
{
    uint64_t fired, start, total;

    for (unsigned i = 0; i < WARM; i++)
        load->round(i);
    fired = events();
    mark();
    start = rdtsc();
    for (unsigned i = 0; i < load->rounds; i++) {
        uint64_t begun = rdtsc();

        load->round(WARM + i);
        ticks[i] = rdtsc() - begun;
    }
    total = rdtsc() - start;
    mark();
    fired = events() - fired;
    qsort(ticks, load->rounds, sizeof(ticks[0]), by_value);
    printf("io %s-%s %u %lu %lu %lu\n", family, load->name, load->rounds * load->units, ticks[load->rounds / 2] / load->units,
           total / load->rounds / load->units, fired);
    fflush(stdout);
}

static void disk_read(uint64_t number, size_t bytes)
{
    if (pread(device, buffer, bytes, (off_t)(number * bytes)) != (ssize_t)bytes)
        err(1, "read of %zu bytes at %lu", bytes, number * bytes);
}

static void disk_write(uint64_t number, size_t bytes)
{
    if (pwrite(device, buffer, bytes, (off_t)(number * bytes)) != (ssize_t)bytes)
        err(1, "write of %zu bytes at %lu", bytes, number * bytes);
}

static void read_small(uint64_t number)
{
    disk_read(number, BLOCK);
}

static void write_small(uint64_t number)
{
    disk_write(number, BLOCK);
}

static void read_large(uint64_t number)
{
    disk_read(number, LARGE);
}

static void write_large(uint64_t number)
{
    disk_write(number, LARGE);
}

static void say(const void *message, size_t bytes)
{
    if (send(device, message, bytes, 0) != (ssize_t)bytes)
        err(1, "send of %zu bytes", bytes);
}

static void hear(void *message, size_t bytes)
{
    ssize_t got = recv(device, message, bytes, MSG_WAITALL);

    if (got < 0)
        err(1, "nothing came back in time");
    if ((size_t)got != bytes)
        errx(1, "%zd bytes came instead of %zu", got, bytes);
}

static void udp_send(uint64_t number)
{
    struct io_datagram datagram = { .kind = IO_SINK };

    (void)number;
    for (unsigned i = 1; i < BURST; i++)
        say(&datagram, sizeof(datagram));
    datagram.kind = IO_SINK_LAST;
    say(&datagram, sizeof(datagram));
    hear(&datagram, sizeof(datagram));
    if (datagram.count != BURST)
        errx(1, "%u datagrams of %u arrived", datagram.count, BURST);
}

static void udp_receive(uint64_t number)
{
    struct io_datagram datagram = { .kind = IO_SOURCE, .count = BURST };

    (void)number;
    say(&datagram, sizeof(datagram));
    for (unsigned i = 0; i < BURST; i++)
        hear(&datagram, sizeof(datagram));
}

static void udp_echo(uint64_t number)
{
    struct io_datagram datagram = { .kind = IO_SOURCE, .count = 1 };

    (void)number;
    say(&datagram, sizeof(datagram));
    hear(&datagram, sizeof(datagram));
}

static void tcp_send(uint64_t number)
{
    struct io_stream request = { IO_TAKE, STREAM };
    uint8_t done;

    (void)number;
    say(&request, sizeof(request));
    say(buffer, STREAM);
    hear(&done, 1);
}

static void tcp_receive(uint64_t number)
{
    struct io_stream request = { IO_SOURCE, STREAM };

    (void)number;
    say(&request, sizeof(request));
    hear(buffer, STREAM);
}

static void dial(const char *address, int type)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(IO_PORT) };
    struct timeval patience = { .tv_sec = 60 };

    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        errx(1, "%s: not an IPv4 address", address);
    device = socket(AF_INET, type, 0);
    if (device < 0 || setsockopt(device, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        err(1, "socket");
    if (connect(device, (struct sockaddr *)&to, sizeof(to)) != 0)
        err(1, "%s port %d: io-serve does not answer", address, IO_PORT);
}

static void disk(const char *name, const char *path)
{
    static const struct load loads[] = {
        { "read-4k", read_small, 512, 1 },
        { "write-4k", write_small, 512, 1 },
        { "read-32k", read_large, 256, LARGE / BLOCK },
        { "write-32k", write_large, 256, LARGE / BLOCK },
    };

    device = open(path, O_RDWR | O_DIRECT);
    if (device < 0)
        err(1, "%s", path);
    family = name;
    interrupt = "blkif";
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
        measure(&loads[i]);
    close(device);
}

static void net(const char *address)
{
    static const struct load datagrams[] = {
        { "udp-echo", udp_echo, 512, 2 },
        { "udp-send", udp_send, 64, BURST },
        { "udp-receive", udp_receive, 64, BURST },
    };
    static const struct load streams[] = {
        { "tcp-send", tcp_send, 64, STREAM / IO_SEGMENT },
        { "tcp-receive", tcp_receive, 64, STREAM / IO_SEGMENT },
    };

    family = "net";
    interrupt = "-q0-";                 /* netfront names them before the device has its name */
    dial(address, SOCK_DGRAM);
    for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++)
        measure(&datagrams[i]);
    close(device);
    dial(address, SOCK_STREAM);
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        measure(&streams[i]);
    close(device);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "disk") == 0)
        disk(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "net") == 0)
        net(argv[2]);
    else
        errx(1, "usage: io-guest disk NAME DEVICE | net ADDRESS");
    return 0;
}
