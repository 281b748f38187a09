#include "tests/guest/lib/frontend.h"

#include <xen/memory.h>

static grant_entry_v1_t *grants(void)
{
    static grant_entry_v1_t *table;
    struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table };

    if (!table) {
        map.gpfn = gfn_unused();
        if (HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map))
            print("Bail out! no grant table\n");
        table = (grant_entry_v1_t *)(map.gpfn << 12);
    }
    return table;
}

uint64_t grant_table_frame(void)
{
    return (uint64_t)grants() >> 12;
}

void grant_set(grant_ref_t ref, uint64_t frame, domid_t domid, uint16_t flags)
{
    grant_entry_v1_t *entry = &grants()[ref];

    __atomic_store_n(&entry->flags, 0, __ATOMIC_SEQ_CST);
    entry->frame = (uint32_t)frame;
    entry->domid = domid;
    __atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
}

void page_give_back(void *page)
{
    xen_pfn_t frame = (uint64_t)page >> 12;
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF, .extent_start = { &frame } };

    if (HC2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r) != 1)
        print("a page is not taken back\n");
}

void port_open(struct frontend *f)
{
    struct evtchn_close close = { .port = f->port };
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

    if (f->port)
        HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &close);
    HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);
    f->port = alloc.port;
}

void port_send(const struct frontend *f)
{
    struct evtchn_send event = { .port = f->port };

    HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &event);
}

const char *cmdline_word(const char *key, char *to, size_t room)
{
    const char *line = (const char *)guest_info->cmdline_paddr;
    size_t n = 0, k = 0;

    to[0] = 0;
    while (line && *line) {
        for (k = 0; key[k] && line[k] == key[k]; k++)
            ;
        if (!key[k] && line[k] == '=') {
            for (line += k + 1; *line && *line != ' ' && n + 1 < room; line++)
                to[n++] = *line;
            to[n] = 0;
            return to;
        }
        while (*line && *line++ != ' ')
            ;
    }
    return NULL;
}

void frontend_find(struct frontend *f, const char *device)
{
    char path[96], state[8];

    format(f->front, sizeof(f->front), "device/%s", device);
    xs_watch(f->front);
    while (!xs_read(format(path, sizeof(path), "%s/state", f->front), state, sizeof(state)))
        xs_sleep(0, 0);                 /* its maker writes it last */
    xs_read(format(path, sizeof(path), "%s/backend", f->front), f->back, sizeof(f->back));
    xs_watch(format(path, sizeof(path), "%s/state", f->back));
}

bool frontend_read(const struct frontend *f, const char *node, char *value, size_t room)
{
    char path[128];

    return xs_read(format(path, sizeof(path), "%s/%s", f->back, node), value, room);
}

void frontend_say(const struct frontend *f, const char *node, const char *value)
{
    char path[128];

    if (!xs_write(format(path, sizeof(path), "%s/%s", f->front, node), value))
        print("%s is not written\n", path);
}

void frontend_say_number(const struct frontend *f, const char *node, uint64_t value)
{
    char text[24];

    frontend_say(f, node, format(text, sizeof(text), "%u", value));
}

static int state_of(const struct frontend *f)
{
    char value[8];

    return frontend_read(f, "state", value, sizeof(value)) ? value[0] - '0' : 0;
}

bool frontend_closed(const struct frontend *f)
{
    int state = state_of(f);

    return state != XenbusStateConnected && state != XenbusStateInitWait;
}

bool frontend_sleep(const struct frontend *f, uint64_t until_ns)
{
    return xs_sleep(f->port, until_ns);
}

bool frontend_await(const struct frontend *f, enum xenbus_state state)
{
    uint64_t until = clock_ns(0) + PATIENCE_NS;
    int now;

    while ((now = state_of(f)) != (int)state) {
        if ((now == XenbusStateClosed && state == XenbusStateConnected) || !frontend_sleep(f, until))
            return false;
    }
    return true;
}

bool frontend_begin(struct frontend *f)
{
    port_open(f);
    frontend_say_number(f, "state", XenbusStateInitialising);
    return frontend_await(f, XenbusStateInitWait);
}
