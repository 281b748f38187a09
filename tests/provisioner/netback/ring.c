/* netback's rings against a model: honest traffic with exact counters, and hostile rings. */
#include "tests/provisioner/netback/traffic.h"
#include "tests/tap/tap.h"

#include <limits.h>
#include <string.h>

static void check_honest(void)
{
    bool good = true, alive = true;

    for (uint64_t seed = 1; seed <= 20 && good; seed++) {
        begin(seed);
        for (unsigned i = 0; i < 60; i++)
            round_of_traffic(1, &alive);
        finish(1);
        good = alive && all_went_out(false) && all_came_in(model.rx_drops) && counts_are_exact() && !model.replays &&
               !model.tx_drops && model.rx_packets + model.rx_drops == delivered_number;
    }
    check(good, "20 runs of honest traffic: each packet once, in order, counted to the byte (%u out, %u in, %lu dropped)",
          sent_number, delivered_number, (unsigned long)model.rx_drops);
}

static void check_wrap(void)
{
    bool alive;

    begin(77);
    model_reset();
    struct netif_tx_sring *tx = (struct netif_tx_sring *)model.tx_page;
    struct netif_rx_sring *rx = (struct netif_rx_sring *)model.rx_page;
    model.tx_prod = model.tx_cons = tx->req_prod = tx->rsp_prod = 0xffffff80;
    model.rx_prod = model.rx_cons = rx->req_prod = rx->rsp_prod = 0xffffff80;
    tx->rsp_event = rx->rsp_event = 0xffffff81;
    model.tx_top = model.rx_top = 0xffffff80;
    model_attach();
    for (unsigned i = 0; i < 40; i++)
        round_of_traffic(1, &alive);
    finish(1);
    check(model.tx_prod < 0x10000 && all_went_out(false) && counts_are_exact() && model.tx_top > UINT32_MAX,
          "ring indices wrap, the meter's numbers go on");
}

static void check_limits(void)
{
    uint64_t now_ns = 1;
    bool early = false, alive;

    begin(5);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t before;
        model.allowance = random_below(7);
        round_of_traffic(now_ns, &alive);
        before = model.tx_packets;
        model.allowance = UINT_MAX;
        if (model.netback.tx_retry_ns > now_ns) {
            model_run(model.netback.tx_retry_ns - 1);
            early |= model.tx_packets != before;
        }
        now_ns += 500;
    }
    finish(now_ns);
    check(!early && all_went_out(false) && all_came_in(model.rx_drops) && counts_are_exact(),
          "limited: nothing before its time, order and counts kept");
}

static void check_full_queue(void)
{
    bool alive = true;

    begin(6);
    for (unsigned i = 0; i < 40; i++) {
        deliver_some(60);
        alive &= model_run(1);
    }
    check(alive && model.rx_drops > 0 && model.rx_packets == 0, "no buffers posted: the queue fills and the rest is dropped (%lu)",
          (unsigned long)model.rx_drops);
    uint64_t drops = model.rx_drops;
    finish(1);
    check(model.rx_packets + drops == delivered_number && counts_are_exact() && all_came_in(true),
          "then what was queued arrives: delivered and dropped are all that came");
}

/* ---- frontends that lie ---- */

static uint8_t small[60];

static struct netif_tx_request request(uint16_t size, uint16_t offset, uint16_t flags)
{
    model.granted[7] = model.in_use[7] = true;
    memcpy(model.page[7], small, sizeof(small));
    return (struct netif_tx_request){.gref = 7, .offset = offset, .flags = flags, .id = 3, .size = size};
}

static void put_request(struct netif_tx_request raw)
{
    model_put_raw(&raw, sizeof(raw));
}

static void put_extra(struct netif_extra_info raw)
{
    model_put_raw(&raw, sizeof(raw));
}

static void past_the_ring(void)
{
    ((struct netif_tx_sring *)model.tx_page)->req_prod = 257;
}

static void backwards(void)
{
    ((struct netif_tx_sring *)model.tx_page)->req_prod = 0xffffffff;
}

static void rx_past_the_ring(void)
{
    deliver_some(1);
    ((struct netif_rx_sring *)model.rx_page)->req_prod = 300;
}

static void without_end(void)
{
    put_request(request(60, 0, NETTXF_more_data));
}

static void extra_without_end(void)
{
    put_request(request(60, 0, NETTXF_extra_info));
}

static void unknown_extra(void)
{
    put_request(request(60, 0, NETTXF_extra_info));
    put_extra((struct netif_extra_info){.type = 9});
}

static void endless_extras(void)
{
    put_request(request(60, 0, NETTXF_extra_info));
    for (unsigned i = 0; i < 255; i++)
        put_extra((struct netif_extra_info){.type = XEN_NETIF_EXTRA_TYPE_HASH, .flags = XEN_NETIF_EXTRA_FLAG_MORE});
}

static void across_the_page(void)
{
    put_request(request(60, 4090, 0));
}

static void huge_offset(void)
{
    put_request(request(60, 0xffff, 0));
}

static void too_many_slots(void)
{
    put_request(request(6000, 0, NETTXF_more_data));
    for (unsigned i = 0; i < 18; i++)
        put_request(request(100, 0, i < 17 ? NETTXF_more_data : 0));
}

static void more_than_all(void)
{
    put_request(request(60, 0, NETTXF_more_data));
    put_request(request(61, 0, 0));
}

static void extra_in_the_middle(void)
{
    put_request(request(60, 0, NETTXF_more_data));
    put_request(request(20, 0, NETTXF_extra_info));
}

static const struct {
    const char *name;
    void (*attack)(void);
    const char *said;
} attacks[] = {
    {"requests past the ring", past_the_ring, "more than it holds"},
    {"an index that goes backwards", backwards, "more than it holds"},
    {"buffers past the ring", rx_past_the_ring, "more than it holds"},
    {"a packet without its end", without_end, "without its end"},
    {"extra information without its end", extra_without_end, "without its end"},
    {"extra information of an unknown type", unknown_extra, "unknown type 9"},
    {"a ring full of extra information", endless_extras, "without its end"},
    {"a slot across its page", across_the_page, "crosses its page"},
    {"an offset past its page", huge_offset, "crosses its page"},
    {"19 slots", too_many_slots, "more than 18 slots"},
    {"slots longer than the packet", more_than_all, "slots of 61 bytes in a packet of 60"},
    {"extra information amid the slots", extra_in_the_middle, "amid them"},
};

static void check_attacks(void)
{
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        begin(i);
        make_frame(small, sizeof(small), 0, false);
        attacks[i].attack();
        bool alive = model_run(1);
        if (!check(!alive && strstr(model.broken, attacks[i].said) && !model.outs, "%s: broken", attacks[i].name))
            printf("# said: %s\n", model.broken);
    }
}

/* What is wrong with one packet is that packet's error, its neighbours pass. */
static const struct {
    const char *name;
    uint32_t len;
    int at;                             /* of a byte that is changed; -1: none */
    bool revoke;
    unsigned errors, drops;
} wrongs[] = {
    {"a frame of 13 bytes", 13, -1, false, 1, 0},
    {"no bytes at all", 0, -1, false, 1, 0},
    {"a grant that is revoked", 60, -1, true, 1, 0},
    {"another's MAC", 60, 11, false, 0, 1},
    {"another's address", 60, 29, false, 0, 1},
    {"a frame of 20 bytes", 20, -1, false, 0, 1},
};

static void check_wrongs(void)
{
    uint8_t frame[60];

    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        begin(i);
        send_some(2);
        make_frame(frame, sizeof(frame), 99, false);
        if (wrongs[i].at >= 0)
            frame[wrongs[i].at] ^= 1;
        uint32_t at = model.tx_prod % 256;
        model_send(frame, wrongs[i].len, 1, 0, NULL);
        if (wrongs[i].revoke)
            model.granted[model.tx_ref[at]] = false;
        send_some(2);
        bool alive = model_run(1);
        model_take_answers();
        check(alive && model.outs == 4 && all_went_out(false) && model.tx_errors == wrongs[i].errors &&
                  model.tx_dropped == wrongs[i].drops && model.tx_drops == 1 && model.tx_cons == model.tx_prod,
              "%s: one answer says so, the others pass", wrongs[i].name);
    }
}

static void check_refusing_tap(void)
{
    begin(2);
    send_some(3);
    model.tap_refuses = true;
    bool alive = model_run(1);
    model_take_answers();
    check(alive && model.tx_dropped >= 3 && model.tx_drops == 3 && model.tx_cons == model.tx_prod,
          "frames that the tap refuses are dropped, and counted as such");
}

static void check_rx_revoked(void)
{
    begin(3);
    model_post(40);
    model.granted[model.rx_ref[0]] = false;
    deliver_some(3);
    model_run(1);
    model_take_frames();
    check(model.rx_errors >= 1 && model.gots == 2 && number_of(&model.got[0]) == 1 && !model.bad_answer,
          "a buffer whose grant is revoked: its packet's error, the next arrive");
}

static void check_extras(void)
{
    struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};
    uint8_t frame[6000];

    begin(4);
    make_frame(frame, sizeof(frame), 0, false);
    frame[23] = 6;
    frame[46] = 0x50;
    extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
    extra.u.gso.size = 1448;
    model_send(frame, sizeof(frame), 3, NETTXF_csum_blank, &extra);
    model_run(1);
    model_take_answers();
    check(model.outs == 1 && model.out_header.gso_type == VIRTIO_NET_HDR_GSO_TCPV4 && model.out_header.gso_size == 1448 &&
              model.out_header.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && !model.bad_answer && counts_are_exact(),
          "segments to be cut go out uncut, as one packet");

    model.in_header = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448};
    make_frame(frame, sizeof(frame), 0, true);
    model_deliver(frame, sizeof(frame));
    delivered_number = 1;
    model_post(10);
    model_run(1);
    struct netif_rx_sring *rx = (struct netif_rx_sring *)model.rx_page;
    const struct netif_extra_info *told = (const struct netif_extra_info *)&rx->ring[1];
    check(rx->rsp_prod == 3 && rx->ring[0].rsp.flags == (NETRXF_csum_blank | NETRXF_data_validated | NETRXF_more_data | NETRXF_extra_info) &&
              told->type == XEN_NETIF_EXTRA_TYPE_GSO && told->u.gso.size == 1448 && told->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4,
          "segments to be cut come in uncut, with their size");
    model_take_frames();
    check(all_came_in(false) && counts_are_exact(), "and whole");
}

static void change_group(uint8_t type, uint8_t last)
{
    struct netif_extra_info extra = {.type = type, .u.mcast.addr = {1, 0, 0x5e, 0, 0, last}};
    uint8_t frame[14] = {0};

    model_send(frame, sizeof(frame), 1, 0, &extra);
    model_run(1);
    model_take_answers();
}

static unsigned hears(uint8_t last)
{
    uint8_t frame[60];
    unsigned before = model.gots;

    make_frame(frame, sizeof(frame), 0, true);
    memcpy(frame, (uint8_t[]){1, 0, 0x5e, 0, 0, last}, 6);
    model_deliver(frame, sizeof(frame));
    model_post(4);
    model_run(1);
    model_take_answers();
    model_take_frames();
    return model.gots - before;
}

static void check_groups(void)
{
    begin(8);
    check(hears(1) == 1, "without multicast control a guest hears all groups");
    model.netback.multicast = true;
    check(hears(1) == 0, "with it none");
    change_group(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 1);
    check(hears(1) == 1 && hears(2) == 0 && !model.outs && !model.tx_packets, "but the one it asked for; the asking is no packet");
    change_group(XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 1);
    check(hears(1) == 0, "until it leaves");
    for (unsigned i = 0; i < STATE_GROUPS + 1; i++)
        change_group(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, (uint8_t)(100 + i));
    check(model.tx_errors == 1 && hears(100 + STATE_GROUPS) == 0 && hears(99 + STATE_GROUPS) == 1 && !model.bad_answer,
          "one group too many is refused");
}

static void check_others_frames(void)
{
    uint8_t frame[60];

    begin(9);
    make_frame(frame, sizeof(frame), 0, true);
    frame[5] ^= 1;
    model_deliver(frame, sizeof(frame));
    model_post(4);
    model_run(1);
    check(!model.rx_packets && !model.rx_drops, "frames for others are neither delivered nor counted");
}

/* Random words for requests and indices, random grants: whatever happens, nothing but this guest's frames goes out. */
static void check_random_rings(void)
{
    unsigned broken = 0, spoofed = 0, outs = 0;

    for (uint64_t seed = 1; seed <= 1000; seed++) {
        begin(seed);
        for (unsigned i = 0; i < 16; i++) {
            model.granted[i] = true;
            make_frame(model.page[i], 60, i, false);
            if (!random_below(3))
                model.page[i][random_below(60)] ^= (uint8_t)(1 + random_below(255));
        }
        for (unsigned i = 0; i < 40 && !model.broken[0]; i++) {
            struct netif_tx_request raw = {
                .gref = random_below(20),
                .offset = (uint16_t)(random_below(60) ? 0 : random_below(65536)),
                .flags = (uint16_t)(random_below(40) ? 0 : random_below(16)),
                .size = (uint16_t)(random_below(30) ? 14 + random_below(4083) : random_below(65536))};
            if (model.tx_prod - ((struct netif_tx_sring *)model.tx_page)->rsp_prod < 256)
                put_request(raw);
            if (!random_below(200))
                ((struct netif_tx_sring *)model.tx_page)->req_prod = random_below(UINT32_MAX);
            ((struct netif_rx_sring *)model.rx_page)->req_prod += random_below(3);
            model.rx_page[64 + random_below(4032)] ^= (uint8_t)random_below(256);
            deliver_some(random_below(2));
            model_run(1);
        }
        broken += model.broken[0] != 0;
        outs += model.outs;
        for (unsigned i = 0; i < model.outs; i++) {
            struct frame frame;
            spoofed += frame_parse(&frame, model.out[i].bytes, model.out[i].len) || filter_refuse(&model.netback.filter, &frame);
        }
    }
    check(!spoofed && broken > 100 && outs > 5000, "1000 rings of random words: %u broken, %u frames out, none forged", broken, outs);
}

/* What a tampered state file says is not believed. */
static void check_tampered_state(void)
{
    unsigned refused = 0;

    for (uint64_t seed = 1; seed <= 500; seed++) {
        bool alive;
        begin(seed);
        for (unsigned i = 0; i < 5; i++)
            round_of_traffic(1, &alive);
        uint8_t *bytes = (uint8_t *)&model.state;
        for (unsigned i = 0; i < 3; i++)
            bytes[random_below(random_below(2) ? offsetof(struct netback_state, group)
                                               : offsetof(struct netback_state, bytes))] ^=
                (uint8_t)(1u << random_below(8));
        if (model_take_over())
            finish(1);
        refused += model.broken[0] != 0;
    }
    check(refused > 100, "500 state files with bits changed: no harm, %u refused", refused);
}

int main(void)
{
    check_honest();
    check_wrap();
    check_limits();
    check_full_queue();
    check_attacks();
    check_wrongs();
    check_refusing_tap();
    check_rx_revoked();
    check_extras();
    check_groups();
    check_others_frames();
    check_random_rings();
    check_tampered_state();
    model_reset();
    return tap_end();
}
