#include "tests/guest/lib/xenstore.h"

#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>

static struct xenstore_domain_interface *ring;
static evtchn_port_t store_port;
static bool watch_fired;

void xs_start(void)
{
    store_port = (evtchn_port_t)hvm_param(HVM_PARAM_STORE_EVTCHN);
    ring = (struct xenstore_domain_interface *)(hvm_param(HVM_PARAM_STORE_PFN) << 12);
    shared_info();
}

static bool event_taken(evtchn_port_t port)
{
    uint64_t bit = 1ull << port % 64;

    return port && __atomic_fetch_and(&shared_info()->evtchn_pending[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* Until one of the two has an event or the time has passed (0: never does). */
static bool sleep_on(evtchn_port_t a, evtchn_port_t b, uint64_t until_ns)
{
    evtchn_port_t ports[2] = { a, b };
    struct sched_poll poll = { .nr_ports = b ? 2 : 1, .timeout = until_ns };
    bool fired = event_taken(a) | event_taken(b);

    poll.ports.p = ports;
    while (!fired) {
        if (until_ns && clock_ns(0) >= until_ns)
            return false;
        HC2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
        fired = event_taken(a) | event_taken(b);
    }
    return true;
}

static void send(void)
{
    struct evtchn_send event = { .port = store_port };

    HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &event);
}

static void put(const void *bytes, size_t n)
{
    for (const char *from = bytes; n; n--) {
        while (ring->req_prod - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE) == XENSTORE_RING_SIZE) {
            send();
            sleep_on(store_port, 0, 0);
        }
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = *from++;
        __atomic_store_n(&ring->req_prod, ring->req_prod + 1, __ATOMIC_RELEASE);
    }
}

/* The next n bytes; what does not fit in `room` is dropped. */
static void get(void *to, size_t room, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (__atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) == ring->rsp_cons)
            sleep_on(store_port, 0, 0);
        if (i < room)
            ((char *)to)[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        __atomic_store_n(&ring->rsp_cons, ring->rsp_cons + 1, __ATOMIC_RELEASE);
    }
    send();
}

static size_t length_of(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

/* Two strings, the first with its NUL; the answer's bytes, or -1. Watch events in between are noted. */
static int64_t ask(uint32_t type, const char *first, const char *second, size_t second_bytes, char *answer, size_t room)
{
    struct xsd_sockmsg message = { .type = type, .len = (uint32_t)(length_of(first) + 1 + second_bytes) };

    put(&message, sizeof(message));
    put(first, length_of(first) + 1);
    put(second, second_bytes);
    send();
    for (;;) {
        get(&message, sizeof(message), sizeof(message));
        get(answer, message.type == XS_WATCH_EVENT ? 0 : room, message.len);
        if (message.type != XS_WATCH_EVENT)
            break;
        watch_fired = true;
    }
    return message.type == XS_ERROR ? -1 : (int64_t)message.len;
}

bool xs_read(const char *path, char *value, size_t room)
{
    int64_t n = ask(XS_READ, path, "", 0, value, room - 1);

    value[n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1] = 0;
    return n >= 0;
}

bool xs_write(const char *path, const char *value)
{
    char answer[16];

    return ask(XS_WRITE, path, value, length_of(value), answer, sizeof(answer)) >= 0;
}

bool xs_watch(const char *path)
{
    char answer[16];

    return ask(XS_WATCH, path, "w", 2, answer, sizeof(answer)) >= 0;
}

bool xs_sleep(evtchn_port_t port, uint64_t until_ns)
{
    struct xsd_sockmsg message;

    if (!watch_fired && ring->rsp_cons == __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) &&
        !sleep_on(store_port, port, until_ns))
        return false;
    while (ring->rsp_cons != __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE)) {
        get(&message, sizeof(message), sizeof(message));        /* nothing was asked: a watch event */
        get(NULL, 0, message.len);
    }
    watch_fired = false;
    return true;
}
