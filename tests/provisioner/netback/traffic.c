#include "tests/provisioner/netback/traffic.h"

#include <limits.h>
#include <string.h>

static uint64_t random_state;

uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * UINT64_C(2685821657736338717)) >> 33) % bound;
}

void make_frame(uint8_t *frame, uint32_t len, uint32_t number, bool to_guest)
{
    static const uint8_t guest[6] = {2, 0, 0, 0, 1, 1}, other[6] = {2, 0, 0, 0, 2, 2};
    static const uint8_t ip[20] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 1, 2, 10, 77, 1, 3};

    memset(frame, (int)(number * 7), len);
    memcpy(frame, to_guest ? guest : other, 6);
    memcpy(frame + 6, to_guest ? other : guest, 6);
    frame[12] = 8;
    frame[13] = 0;
    memcpy(frame + 14, ip, 20);
    frame[16] = (uint8_t)((len - 14) >> 8);
    frame[17] = (uint8_t)(len - 14);
    memcpy(frame + 38, &number, 4);     /* behind the ports, which are those of no DHCP */
    memset(frame + 34, 9, 4);
}

uint32_t number_of(const struct model_frame *frame)
{
    uint32_t number;

    memcpy(&number, frame->bytes + 38, 4);
    return number;
}

/* Its bytes are those that were made under its number. */
static bool is_whole(const struct model_frame *frame, bool to_guest)
{
    static uint8_t want[MODEL_FRAME_MAX];

    make_frame(want, frame->len, number_of(frame), to_guest);
    return !memcmp(want, frame->bytes, frame->len);
}

static uint32_t random_len(void)
{
    return random_below(4) ? 60 + random_below(1455) : 60 + random_below(MODEL_FRAME_MAX - 60);
}

uint32_t sent_number, delivered_number;

void send_some(unsigned count)
{
    static uint8_t frame[MODEL_FRAME_MAX];

    while (count--) {
        uint32_t len = random_len();
        unsigned slots = (len + 4095) / 4096 + random_below(3);
        make_frame(frame, len, sent_number, false);
        if (!model_send(frame, len, slots, 0, NULL))
            return;
        sent_number++;
    }
}

void deliver_some(unsigned count)
{
    static uint8_t frame[MODEL_FRAME_MAX];

    while (count--) {
        uint32_t len = random_len();
        make_frame(frame, len, delivered_number++, true);
        model_deliver(frame, len);
    }
}

void begin(uint64_t seed)
{
    random_state = seed * 2654435761u + 88172645463325252u;
    sent_number = delivered_number = 0;
    model_reset();
    model_attach();
}

void round_of_traffic(uint64_t now_ns, bool *alive)
{
    send_some(random_below(12));
    deliver_some(random_below(6));
    model_post(random_below(60));
    *alive = model_run(now_ns);
    if (random_below(2)) {
        model_take_answers();
        model_take_frames();
    }
}

void finish(uint64_t now_ns)
{
    for (unsigned i = 0; i < 400; i++) {
        model.allowance = UINT_MAX;
        model_post(256);
        model_run(now_ns += 1000000);
        model_take_answers();
        model_take_frames();
    }
}

bool all_went_out(bool may_repeat)
{
    uint32_t next = 0;

    for (unsigned i = 0; i < model.outs; i++) {
        uint32_t number = number_of(&model.out[i]);
        bool again = may_repeat && number < next && next - number <= NETBACK_BATCH;
        if (!is_whole(&model.out[i], false) || (number != next && !again))
            return false;
        next = number + 1;
    }
    return next == sent_number;
}

bool all_came_in(bool may_miss)
{
    uint32_t next = 0;

    for (unsigned i = 0; i < model.gots; i++) {
        uint32_t number = number_of(&model.got[i]);
        if (!is_whole(&model.got[i], true) || number < next || (number > next && !may_miss))
            return false;
        next = number + 1;
    }
    return may_miss || next == delivered_number;
}

bool counts_are_exact(void)
{
    return model.tx_packets == model.sent_packets && model.tx_bytes == model.sent_bytes &&
           model.rx_packets == model.got_packets && model.rx_bytes == model.got_bytes && !model.bad_answer;
}
