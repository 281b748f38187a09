#include "tests/provisioner/netback/model.h"

#include "provisioner/backend/worker.h"
#include "provisioner/netback/tap.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model model;

static uint64_t steps_left;             /* 0: not counted */
static volatile sig_atomic_t stepping;

/* ---- killing: the trap flag counts netback's instructions ---- */

static void trap_on(void)
{
    stepping = 1;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "cc", "memory");
}

static void trap_off(void)
{
    __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "cc", "memory");
    stepping = 0;
}

static void on_trap(int signal)
{
    (void)signal;
    if (stepping && steps_left && !--steps_left) {
        stepping = 0;
        siglongjmp(model.over, 2);
    }
}

void model_kill_after(uint64_t steps)
{
    struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_NODEFER};

    sigaction(SIGTRAP, &action, NULL);
    steps_left = steps;
}

/* What the kernel and hv do is done whole. */
static bool outside(void)
{
    bool was = stepping;

    if (was)
        trap_off();
    return was;
}

static void inside(bool was)
{
    if (was)
        trap_on();
}

/* ---- hv ---- */

static bool *seen(uint64_t *top, uint8_t *window, uint64_t seq)
{
    if (seq >= *top) {
        for (; *top <= seq; ++*top)
            window[*top % XS_METER_WINDOW] = 0;
    } else if (*top - seq > XS_METER_WINDOW) {
        return NULL;
    }
    return (bool *)&window[seq % XS_METER_WINDOW];
}

static void move(struct xs_meter_op *op, bool to_guest)
{
    const struct xs_meter_seg *segs = (const struct xs_meter_seg *)(uintptr_t)op->segs;

    for (unsigned i = 0; i < op->nr_segs; i++) {
        if (segs[i].ref >= MODEL_GRANTS || !model.granted[segs[i].ref]) {
            op->status = -EPERM;
            return;
        }
        if (!segs[i].len || segs[i].offset + segs[i].len > 4096) {
            op->status = -EINVAL;
            return;
        }
        uint8_t *page = model.page[segs[i].ref] + segs[i].offset, *buffer = (uint8_t *)(uintptr_t)segs[i].buffer;
        if (to_guest)
            memcpy(page, buffer, segs[i].len);
        else
            memcpy(buffer, page, segs[i].len);
        op->moved += segs[i].len;
    }
}

static void do_op(struct xs_meter_op *op)
{
    bool rx = op->kind == XS_METER_net_rx;

    op->status = 0;
    op->moved = 0;
    if (op->kind == XS_METER_net_tx_drop || op->kind == XS_METER_net_rx_drop) {
        *(op->kind == XS_METER_net_tx_drop ? &model.tx_drops : &model.rx_drops) += 1;
        return;
    }
    bool *again = seen(rx ? &model.rx_top : &model.tx_top, rx ? model.rx_seen : model.tx_seen, op->seq);
    if (!again) {
        op->status = -ESTALE;
        return;
    }
    move(op, rx);
    if (*again) {
        model.replays++;
        return;
    }
    *again = true;
    *(rx ? &model.rx_packets : &model.tx_packets) += 1;
    *(rx ? &model.rx_bytes : &model.tx_bytes) += op->moved;
}

int meter_copy(const struct meter *meter, struct xs_meter_op *ops, unsigned count, uint64_t *retry_ns)
{
    bool was = outside();
    unsigned done = 0;

    (void)meter;
    for (; done < count && model.allowance; done++) {
        do_op(&ops[done]);
        if (model.allowance != UINT_MAX)
            model.allowance--;
    }
    if (done < count)
        *retry_ns = 1000;
    inside(was);
    return (int)done;
}

/* ---- the tap ---- */

static void keep(struct model_frame *frame, const uint8_t *bytes, size_t len)
{
    frame->len = (uint32_t)len;
    frame->bytes = malloc(len ? len : 1);
    memcpy(frame->bytes, bytes, len);
}

void tap_write(struct tap *tap, struct tap_write *writes, unsigned count)
{
    bool was = outside();

    (void)tap;
    for (unsigned i = 0; i < count; i++) {
        writes[i].refused = model.outs == MODEL_FRAMES || model.tap_refuses;
        if (writes[i].refused)
            continue;
        model.out_header = *writes[i].header;
        keep(&model.out[model.outs++], (const uint8_t *)(writes[i].header + 1), writes[i].len);
    }
    inside(was);
}

ssize_t tap_read(struct tap *tap, struct virtio_net_hdr *header, uint8_t *frame, size_t room)
{
    bool was = outside();
    ssize_t got = 0;

    (void)tap;
    if (model.in_next < model.ins) {
        const struct model_frame *next = &model.in[model.in_next++];
        got = next->len < room ? (ssize_t)next->len : (ssize_t)room;
        *header = model.in_header;
        memcpy(frame, next->bytes, (size_t)got);
    }
    inside(was);
    return got;
}

/* ---- the worker's library ---- */

void worker_notify(int port)
{
    (void)port;
    model.notified++;
}

void worker_broken(const char *fmt, ...)
{
    va_list args;

    outside();
    va_start(args, fmt);
    vsnprintf(model.broken, sizeof(model.broken), fmt, args);
    va_end(args);
    siglongjmp(model.over, 1);
}

/* ---- the frontend ---- */

static struct netif_tx_sring *tx_ring(void)
{
    return (struct netif_tx_sring *)model.tx_page;
}

static struct netif_rx_sring *rx_ring(void)
{
    return (struct netif_rx_sring *)model.rx_page;
}

static void drop_frames(struct model_frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free(frames[i].bytes);
}

void model_reset(void)
{
    drop_frames(model.out, model.outs);
    drop_frames(model.in, model.ins);
    drop_frames(model.got, model.gots);
    memset(&model, 0, offsetof(struct model, page));
    model.allowance = UINT_MAX;
    tx_ring()->req_event = tx_ring()->rsp_event = rx_ring()->req_event = rx_ring()->rsp_event = 1;
}

void model_attach(void)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 1, 1};

    model.netback = (struct netback){
        .state = &model.state, .tx = tx_ring(), .rx = rx_ring(), .frame_max = STATE_FRAME_MAX,
        .filter = {.nr_ipv4 = 1, .ipv4 = {0x0a4d0102}}, .dhcp = {.ipv4 = 0x0a4d0102, .gateway = 0x0a4d0101}};
    memcpy(model.netback.filter.mac, mac, 6);
    memcpy(model.netback.dhcp.mac, mac, 6);
    netback_attach(&model.netback);
}

bool model_take_over(void)
{
    if (sigsetjmp(model.over, 1))
        return false;
    model_attach();
    return true;
}

static uint32_t take_grant(void)
{
    for (uint32_t ref = 0; ref < MODEL_GRANTS; ref++)
        if (!model.in_use[ref]) {
            model.in_use[ref] = model.granted[ref] = true;
            return ref;
        }
    abort();
}

static void give_back(uint32_t ref)
{
    if (ref < MODEL_GRANTS)
        model.in_use[ref] = model.granted[ref] = false;
}

void model_put_raw(const void *request, size_t bytes)
{
    memcpy(&tx_ring()->ring[model.tx_prod % 256], request, bytes);
    model.tx_ref[model.tx_prod % 256] = MODEL_GRANTS;
    tx_ring()->req_prod = ++model.tx_prod;
}

static void put_tx(const uint8_t *bytes, uint32_t len, uint32_t size, uint16_t flags)
{
    unsigned at = model.tx_prod % 256;
    uint32_t ref = take_grant();
    uint16_t offset = (uint16_t)((4096 - len) / 2);

    memcpy(model.page[ref] + offset, bytes, len);
    tx_ring()->ring[at].req =
        (struct netif_tx_request){.gref = ref, .offset = offset, .flags = flags, .id = (uint16_t)at, .size = (uint16_t)size};
    model.tx_ref[at] = ref;
    model.tx_prod++;
}

bool model_send(const uint8_t *frame, uint32_t len, unsigned slots, uint16_t flags, const struct netif_extra_info *extra)
{
    if (model.tx_prod - model.tx_cons + slots + 1 > 256)
        return false;
    uint32_t piece = (len + slots - 1) / slots, used = 0;
    for (unsigned i = 0; i < slots; i++) {
        uint32_t here = len - used < piece ? len - used : piece;
        uint16_t more = i + 1 < slots ? NETTXF_more_data : 0;
        put_tx(frame + used, here, i ? here : len, (uint16_t)(more | (i ? 0 : flags | (extra ? NETTXF_extra_info : 0))));
        used += here;
        if (!i && extra) {
            memcpy(&tx_ring()->ring[model.tx_prod % 256], extra, sizeof(*extra));
            model.tx_ref[model.tx_prod++ % 256] = MODEL_GRANTS;
        }
    }
    tx_ring()->req_prod = model.tx_prod;
    model.sent_packets++;
    model.sent_bytes += len;
    return true;
}

void model_take_answers(void)
{
    for (; model.tx_cons != tx_ring()->rsp_prod; model.tx_cons++) {
        unsigned at = model.tx_cons % 256;
        struct netif_tx_response response = tx_ring()->ring[at].rsp;
        bool extra = model.tx_ref[at] == MODEL_GRANTS;
        if (model.tx_cons == model.tx_prod || (extra != (response.status == NETIF_RSP_NULL)) || (!extra && response.id != at))
            model.bad_answer = true;
        model.tx_errors += response.status == NETIF_RSP_ERROR;
        model.tx_dropped += response.status == NETIF_RSP_DROPPED;
        give_back(model.tx_ref[at]);
        if (model.bad_answer)
            return;
    }
    tx_ring()->rsp_event = model.tx_cons + 1;
}

void model_post(unsigned count)
{
    for (; count && model.rx_prod - model.rx_cons < 256; count--, model.rx_prod++) {
        unsigned at = model.rx_prod % 256;
        uint32_t ref = take_grant();
        rx_ring()->ring[at].req = (struct netif_rx_request){.id = (uint16_t)(at ^ 0x100), .gref = ref};
        model.rx_ref[at] = ref;
    }
    rx_ring()->req_prod = model.rx_prod;
}

void model_take_frames(void)
{
    static uint8_t frame[70000];
    uint32_t used = 0;

    while (model.rx_cons != rx_ring()->rsp_prod) {
        unsigned at = model.rx_cons++ % 256;
        struct netif_rx_response response = rx_ring()->ring[at].rsp;
        if (model.rx_cons - 1 == model.rx_prod || response.id != (at ^ 0x100)) {
            model.bad_answer = true;
            return;
        }
        uint32_t ref = model.rx_ref[at];
        if (response.status < 0) {
            model.rx_errors++;
            give_back(ref);
            continue;
        }
        memcpy(frame + used, model.page[ref] + response.offset, (size_t)response.status);
        used += (uint32_t)response.status;
        give_back(ref);
        if (response.flags & NETRXF_extra_info)         /* its slot carried no data */
            give_back(model.rx_ref[model.rx_cons++ % 256]);
        if (response.flags & NETRXF_more_data)
            continue;
        if (model.gots < MODEL_FRAMES)
            keep(&model.got[model.gots++], frame, used);
        model.got_packets++;
        model.got_bytes += used;
        used = 0;
    }
    if (used)
        model.bad_answer = true;        /* a packet without its end */
    rx_ring()->rsp_event = model.rx_cons + 1;
}

void model_deliver(const uint8_t *frame, uint32_t len)
{
    if (model.ins < MODEL_FRAMES)
        keep(&model.in[model.ins++], frame, len);
}

bool model_run(uint64_t now_ns)
{
    if (sigsetjmp(model.over, 1)) {
        stepping = 0;
        return false;
    }
    if (steps_left)
        trap_on();
    netback_fill(&model.netback);
    netback_transmit(&model.netback, now_ns);
    netback_receive(&model.netback, now_ns);
    if (steps_left)
        trap_off();
    return true;
}
