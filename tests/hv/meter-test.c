/* Metered copies: windows of numbers and buckets against slow references, channels and their refusals, and random
 * batches of operations against a model that predicts each status, each byte on both sides and each counter. Then two
 * CPUs: one copies, the other takes tokens back. */
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/hv/harness.h"
#include "tests/hv/whole.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/gnttab/gnttab.h"
#include "hv/sched/preempt.h"
#include "hv/stats/channel.h"
#include "hv/stats/stats.h"
#include "hv/include/xs/stats.h"

#define ESTALE 116
#define GUEST_PAGES 16u
#define FIRST_REF 8u
#define OPS_GPA   0x30000ull
#define SEGS_GPA  0x38000ull
#define BUFFERS_GPA 0x80000ull          /* as many pages as the guest has */
#define NO_RAM    ((uint64_t)DOM0_FRAMES << PAGE_SHIFT)

static uint64_t seed = 0x6D65746572;

/* ---- windows ---- */

#define HISTORY 4000u

/* What the window should know, for every number: 0 never done, 1 done with this token, 2 with one before. */
static enum seq_state expect_seq(const uint8_t *done, uint64_t next, uint64_t seq)
{
    if (seq >= next)
        return SEQ_NEW;
    if (next - seq > XS_METER_WINDOW)
        return SEQ_STALE;
    return done[seq] == 0 ? SEQ_NEW : done[seq] == 2 ? SEQ_REDO : SEQ_STALE;
}

static void test_windows(void)
{
    static uint8_t done[HISTORY + 2000];
    unsigned wrong = 0, steps = 0, redone = 0, stale = 0;

    for (unsigned round = 0; round < 200; round++) {
        struct seq_window w = { 0 };
        uint64_t next = 0;

        memset(done, 0, sizeof(done));
        while (next < HISTORY) {
            uint64_t back = random_below(&seed, 600), ahead = random_below(&seed, random_below(&seed, 50) ? 3 : 1000);
            uint64_t seq = random_below(&seed, 3) ? next + ahead : next - MIN(next, back);
            enum seq_state state;

            if (random_below(&seed, 50) == 0) {
                window_new_token(&w);
                for (unsigned i = 0; i < next; i++)
                    done[i] = done[i] ? 2 : 0;
            }
            state = window_look(&w, seq);
            wrong += state != expect_seq(done, next, seq);
            redone += state == SEQ_REDO;
            stale += state == SEQ_STALE;
            steps++;
            if (state == SEQ_STALE || random_below(&seed, 8) == 0)
                continue;               /* refused, or failed and not noted */
            window_note(&w, seq);
            done[seq] = 1;
            next = MAX(next, seq + 1);
        }
    }
    is(wrong, 0, "%u numbers against a list of them all (%u done again, %u refused)", steps, redone, stale);
    ok(redone > 1000 && stale > 1000, "of each there were many");
    is(window_look(&(struct seq_window){ 0 }, UINT64_MAX), SEQ_STALE, "the last number is refused: it has no next");
    is(window_look(&(struct seq_window){ 0 }, UINT64_MAX - 1), SEQ_NEW, "the one before is a number");
}

/* ---- buckets ---- */

static void test_bucket_rate(uint64_t ops_per_s, uint64_t bytes_per_s, unsigned burst_ms)
{
    struct io_limit l = { burst_ms * NS_PER_MS, { ops_per_s, 0 }, { bytes_per_s, 0 } };
    uint64_t now = 5 * NS_PER_SEC, start = now, retry = 0, ops = 0, bytes = 0;
    unsigned early = 0, late = 0;
    double allowed_ops, allowed_bytes;

    while (now < start + 20 * NS_PER_SEC && ops < 200000) {
        uint64_t n = random_below(&seed, 10) ? 1 + random_below(&seed, 131072) : 0;

        if (iolimit_take(&l, n, now, &retry)) {
            ops++;
            bytes += n;
            continue;
        }
        early += retry > 1 && iolimit_take(&l, n, now + retry - 1, &(uint64_t){ 0 });
        now += retry;
        late += !iolimit_take(&l, n, now, &retry);
        ops++;
        bytes += n;
    }
    allowed_ops = (double)ops_per_s * ((double)(now - start) / 1e9 + burst_ms / 1e3) + 1;
    allowed_bytes = (double)bytes_per_s * ((double)(now - start) / 1e9 + burst_ms / 1e3) + 131072;
    ok((!ops_per_s || (double)ops <= allowed_ops) && (!bytes_per_s || (double)bytes <= allowed_bytes) &&
       ((double)ops >= allowed_ops * 0.97 - 2 || (double)bytes >= allowed_bytes * 0.97 - 131072),
       "%lu/s and %lu bytes/s: never above, and one of them used up (%lu, %lu)", (unsigned long)ops_per_s,
       (unsigned long)bytes_per_s, (unsigned long)ops, (unsigned long)bytes);
    ok(early == 0 && late == 0, "what is refused passes in retry_ns and not a ns before");
}

static void test_buckets(void)
{
    struct io_limit l = { 100 * NS_PER_MS, { 10, 0 }, { 0, 0 } };
    uint64_t retry = 0;
    unsigned n = 0;

    test_bucket_rate(100, 0, 50);
    test_bucket_rate(0, 10000000, 100);
    test_bucket_rate(300, 7777777, 1);
    test_bucket_rate(3, 1000, 60000);
    test_bucket_rate(1000000007, 0, 1);
    ok(iolimit_take(&l, 1, NS_PER_SEC, &retry), "ten a second, 100 ms of burst: one passes");
    ok(!iolimit_take(&l, 1, NS_PER_SEC, &retry), "the second must wait");
    l = (struct io_limit){ NS_PER_SEC, { 0, 0 }, { 1000, 0 } };
    ok(iolimit_take(&l, 131072, NS_PER_SEC, &retry), "a large one passes a small bucket");
    ok(!iolimit_take(&l, 1, 131 * NS_PER_SEC, &retry), "and is paid for");
    ok(iolimit_take(&l, 0, 131 * NS_PER_SEC, &retry), "what has no bytes does not wait for bytes");
    l = (struct io_limit){ NS_PER_SEC, { UINT64_MAX, 0 }, { UINT64_MAX, 0 } };
    while (n < 1000 && iolimit_take(&l, 131072, NS_PER_SEC, &retry))
        n++;
    is(n, 1000, "the largest rates there are do not overflow");
}

/* ---- a guest with grants ---- */

static domid_t guest;

static struct domain *guest_ref(void)
{
    struct domain *d = domain_get(guest);

    BUG_ON(!d);
    domain_put(d);
    return d;
}

static struct grant_entry_v1 *entry(grant_ref_t ref)
{
    mfn_t mfn;

    if (gnttab_frame(guest_ref(), 0, &mfn))
        abort();
    return (struct grant_entry_v1 *)mfn_to_virt(mfn) + ref;
}

static void grant(grant_ref_t ref, unsigned gfn, uint16_t flags)
{
    *entry(ref) = (struct grant_entry_v1){ .flags = flags, .domid = 0, .frame = gfn };
}

static void guest_make(void)
{
    long id = guest_create(0, 1, 64);

    if (id <= 0 || guest_populate((domid_t)id, 0, GUEST_PAGES) != GUEST_PAGES)
        abort();
    guest = (domid_t)id;
    for (unsigned i = 0; i < GUEST_PAGES; i++)
        grant(FIRST_REF + i, i, GTF_permit_access);
}

static long meter(unsigned cmd, void *arg, size_t bytes)
{
    return call_1(do_meter_op, cmd, arg, bytes);
}

static long open_channel(uint32_t class, uint32_t device, struct xs_meter_copy *with)
{
    struct xs_meter_open op = { .domid = guest, .class = class, .device = device };
    long rc = meter(XS_METER_open, &op, sizeof(op));

    if (!rc) {
        *with = (struct xs_meter_copy){ .channel = op.channel, .ops = OPS_GPA };
        memcpy(with->token, op.token, sizeof(op.token));
    }
    return rc;
}

static long close_channel(uint32_t class, uint32_t device)
{
    struct xs_meter_close op = { .domid = guest, .class = class, .device = device };

    return meter(XS_METER_close, &op, sizeof(op));
}

static long limit(uint32_t class, uint64_t ops, uint64_t bytes, unsigned burst_ms)
{
    struct xs_meter_limit op = { guest, class, ops, bytes, burst_ms, 0 };

    return meter(XS_METER_limit, &op, sizeof(op));
}

static struct xs_meter_op *ops(void)
{
    return whole_at(dom0, OPS_GPA);
}

static struct xs_meter_seg *segs(unsigned op)
{
    return (struct xs_meter_seg *)whole_at(dom0, SEGS_GPA) + op * XS_METER_SEGS_MAX;
}

static uint64_t segs_gpa(unsigned op)
{
    return SEGS_GPA + op * XS_METER_SEGS_MAX * sizeof(struct xs_meter_seg);
}

/* Operation i of the batch, with one segment if `bytes`. */
static void put_op(unsigned i, enum xs_meter_kind kind, uint64_t seq, grant_ref_t ref, uint16_t bytes)
{
    ops()[i] = (struct xs_meter_op){ .seq = seq, .kind = kind, .nr_segs = bytes != 0, .status = 99, .segs = segs_gpa(i) };
    segs(i)[0] = (struct xs_meter_seg){ .ref = ref, .len = bytes, .buffer = BUFFERS_GPA };
}

static long run(struct xs_meter_copy *with, unsigned nr_ops)
{
    with->nr_ops = nr_ops;
    with->done = 0;
    return meter(XS_METER_copy, with, sizeof(*with));
}

/* One operation; the call's answer when that is not 0, else its status. */
static long run_one(struct xs_meter_copy *with, enum xs_meter_kind kind, uint64_t seq, grant_ref_t ref, uint16_t bytes)
{
    long rc;

    put_op(0, kind, seq, ref, bytes);
    rc = run(with, 1);
    return rc ? rc : ops()[0].status;
}

static struct xs_stats_slot counters(void)
{
    const struct xs_stats_slot *slot = mfn_to_virt(stats_frame(1));

    return slot[guest_ref()->stats_slot];
}

static void test_channels(void)
{
    struct xs_meter_copy disk, again, net;
    struct xs_meter_open op = { .domid = guest, .class = 3 };
    uint8_t zero[16] = { 0 };

    is(meter(XS_METER_open, &op, sizeof(op)), -EINVAL, "no such class");
    op = (struct xs_meter_open){ .domid = 0, .class = XS_METER_CLASS_disk };
    is(meter(XS_METER_open, &op, sizeof(op)), -ESRCH, "dom0 has no devices of its own");
    op.domid = 4711;
    is(meter(XS_METER_open, &op, sizeof(op)), -ESRCH, "no such domain");
    op.domid = guest + 0x10000u;
    is(meter(XS_METER_open, &op, sizeof(op)), -ESRCH, "a number that is no id, its low half one");
    is(close_channel(XS_METER_CLASS_disk, 51712), -ENOENT, "close what is not open");
    is(close_channel(0, 0), -ENOENT, "or no class at all");
    is(open_channel(XS_METER_CLASS_disk, 51712, &disk), 0, "a channel");
    is(open_channel(XS_METER_CLASS_net, 0, &net), 0, "and another");
    ok(disk.channel != net.channel && memcmp(disk.token, net.token, 16), "which is another");
    ok(memcmp(disk.token, zero, 16), "with a token");
    is(run(&disk, 0), 0, "the token is good");
    again = disk;
    for (unsigned byte = 0; byte < 16; byte++) {
        again.token[byte] ^= 0x80;
        if (run(&again, 0) != -EACCES)
            ok(false, "a token that differs in byte %u is good", byte);
        again.token[byte] ^= 0x80;
    }
    again.channel = net.channel;
    is(run(&again, 0), -EACCES, "not for another channel");
    again.channel = net.channel + 1;
    is(run(&again, 0), -EACCES, "a channel that is not open");
    memset(again.token, 0, 16);
    is(run(&again, 0), -EACCES, "also not by a token of zeros");
    again.channel = 0;
    is(run(&again, 0), -EACCES, "dom0 has none");
    again.channel = UINT32_MAX;
    is(run(&again, 0), -EACCES, "nor has a domain that cannot be");
    is(open_channel(XS_METER_CLASS_disk, 51712, &again), 0, "open the same again");
    is(again.channel, disk.channel, "the channel is the same");
    is(run(&disk, 0), -EACCES, "the old token is void");
    is(run(&again, 0), 0, "the new one is good");
    is(close_channel(XS_METER_CLASS_disk, 51712), 0, "close it");
    is(run(&again, 0), -EACCES, "the token is void");
    is(close_channel(XS_METER_CLASS_disk, 51712), -ENOENT, "it is closed");
    is(close_channel(XS_METER_CLASS_net, 0), 0, "close the other");
    for (unsigned i = 0; i < XS_METER_CHANNELS_MAX; i++) {
        if (open_channel(XS_METER_CLASS_disk, i, &again))
            ok(false, "channel %u cannot be opened", i);
    }
    is(open_channel(XS_METER_CLASS_net, 0, &net), -ENOSPC, "sixteen are all there are");
    is(open_channel(XS_METER_CLASS_disk, 3, &again), 0, "a new token needs no place");
    for (unsigned i = 0; i < XS_METER_CHANNELS_MAX; i++)
        (void)close_channel(XS_METER_CLASS_disk, i);
    whole_as(guest_ref());
    is(do_meter_op(XS_METER_copy, ARG_GPA), -EPERM, "a guest may not copy");
    whole_as(dom0);
}

static void test_limits(void)
{
    struct xs_meter_copy disk;
    struct xs_meter_limit wrong = { .domid = guest, .class = 1, .pad = 1 };

    is(limit(3, 0, 0, 0), -EINVAL, "a limit of no class");
    is(limit(XS_METER_CLASS_disk, 1, 0, 0), -EINVAL, "a rate without a burst");
    is(limit(XS_METER_CLASS_disk, 0, 1, 60001), -EINVAL, "a burst above a minute");
    is(meter(XS_METER_limit, &wrong, sizeof(wrong)), -EINVAL, "something in pad");
    wrong = (struct xs_meter_limit){ .domid = 99, .class = 1 };
    is(meter(XS_METER_limit, &wrong, sizeof(wrong)), -ESRCH, "no such domain");
    (void)open_channel(XS_METER_CLASS_disk, 1, &disk);
    is(limit(XS_METER_CLASS_disk, 1, 0, 3000), 0, "one operation a second, three at once");
    for (unsigned i = 0; i < 5; i++)
        put_op(i, XS_METER_disk_flush, i, 0, 0);
    is(run(&disk, 5), 0, "five are asked for");
    is(disk.done, 4, "three are done, and one on what came in meanwhile");
    ok(disk.retry_ns > 500 * NS_PER_MS && disk.retry_ns <= NS_PER_SEC, "the fifth passes within a second");
    is(ops()[4].status, 99, "and was not touched");
    put_op(0, XS_METER_control, 0, FIRST_REF, 64);
    is(run(&disk, 1), 0, "descriptors are not limited");
    is(disk.done, 1, "indeed");
    is(limit(XS_METER_CLASS_disk, 0, 1, 60000), 0, "one byte a second");
    is(run_one(&disk, XS_METER_disk_write, 10, FIRST_REF, 4096), 0, "the first may be large");
    put_op(0, XS_METER_disk_write, 11, FIRST_REF, 1);
    (void)run(&disk, 1);
    is(disk.done, 0, "the next has to wait");
    ok(disk.retry_ns > 4000 * NS_PER_SEC, "for as long as the first took");
    is(limit(XS_METER_CLASS_disk, 0, 0, 0), 0, "no limit");
    is(run_one(&disk, XS_METER_disk_write, 11, FIRST_REF, 1), 0, "and it passes");
    (void)close_channel(XS_METER_CLASS_disk, 1);
}

static void test_refusals(void)
{
    struct xs_meter_copy disk, net;
    struct xs_stats_slot before;

    (void)open_channel(XS_METER_CLASS_disk, 1, &disk);
    (void)open_channel(XS_METER_CLASS_net, 1, &net);
    grant(4, 3, GTF_permit_access | GTF_readonly);
    grant(5, 3, GTF_invalid);
    grant(6, 5000, GTF_permit_access);
    before = counters();
    is(run_one(&disk, 0, 0, FIRST_REF, 8), -EINVAL, "kind 0");
    is(run_one(&disk, 10, 0, FIRST_REF, 8), -EINVAL, "kind 10");
    is(run_one(&disk, 255, 0, FIRST_REF, 8), -EINVAL, "kind 255");
    is(run_one(&disk, XS_METER_net_tx, 0, FIRST_REF, 8), -EINVAL, "a packet through a disk");
    is(run_one(&net, XS_METER_disk_read, 0, FIRST_REF, 8), -EINVAL, "a block through a network");
    is(run_one(&net, XS_METER_control, 0, FIRST_REF, 8), -EINVAL, "descriptors of a network");
    is(run_one(&disk, XS_METER_disk_read, 0, 0, 0), -EINVAL, "a read of nothing");
    is(run_one(&disk, XS_METER_disk_flush, 0, FIRST_REF, 8), -EINVAL, "a flush of something");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    ops()[0].nr_segs = XS_METER_SEGS_MAX + 1;
    (void)run(&disk, 1);
    is(ops()[0].status, -EINVAL, "33 segments");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    segs(0)[0].offset = 4089;
    (void)run(&disk, 1);
    is(ops()[0].status, -EINVAL, "a segment past the end of its page");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    segs(0)[0].len = segs(0)[0].offset = 0xFFFF;
    (void)run(&disk, 1);
    is(ops()[0].status, -EINVAL, "far past it");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    segs(0)[0].len = 0;
    (void)run(&disk, 1);
    is(ops()[0].status, -EINVAL, "an empty segment");
    is(run_one(&disk, XS_METER_disk_read, 0, 4, 8), -EPERM, "a write to what was granted read-only");
    is(run_one(&disk, XS_METER_disk_read, 0, 5, 8), -EPERM, "an entry that grants nothing");
    is(run_one(&disk, XS_METER_disk_read, 0, 6, 8), -EPERM, "a frame the guest has not got");
    is(run_one(&disk, XS_METER_disk_read, 0, 1u << 31, 8), -EPERM, "a reference beyond the table");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    segs(0)[0].buffer = NO_RAM - 4;
    (void)run(&disk, 1);
    is(ops()[0].status, -EFAULT, "a buffer that is there only in part");
    put_op(0, XS_METER_disk_read, 0, FIRST_REF, 8);
    ops()[0].segs = NO_RAM;
    (void)run(&disk, 1);
    is(ops()[0].status, -EFAULT, "segments that are nowhere");
    disk.ops = NO_RAM;
    is(run(&disk, 1), -EFAULT, "operations that are nowhere");
    disk.ops = OPS_GPA;
    is(run(&disk, XS_METER_OPS_MAX + 1), -EINVAL, "65 operations");
    disk.pad = 1;
    is(run(&disk, 1), -EINVAL, "something in pad");
    disk.pad = 0;
    disk.nr_ops = 1;
    disk.done = 2;
    is(meter(XS_METER_copy, &disk, sizeof(disk)), -EINVAL, "more done than there are");
    is(do_meter_op(XS_METER_copy, NO_RAM), -EFAULT, "an argument that is nowhere");
    ok(counters().disk_read_ops == before.disk_read_ops &&
       counters().net_tx_packets == before.net_tx_packets && counters().grant_copies == before.grant_copies,
       "nothing of all this was counted");
    is(run_one(&disk, XS_METER_disk_write, 0, 4, 8), 0, "what was granted read-only may be read");
    is(counters().disk_write_bytes - before.disk_write_bytes, 8, "and is counted");
    is(entry(4)->flags & (GTF_reading | GTF_writing), 0, "no mark stays at the grant");
    (void)close_channel(XS_METER_CLASS_disk, 1);
    (void)close_channel(XS_METER_CLASS_net, 1);
}

static void test_restart(void)
{
    struct xs_meter_copy disk;
    struct xs_stats_slot before = counters();

    (void)open_channel(XS_METER_CLASS_disk, 1, &disk);
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), 0, "number 7");
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), -ESTALE, "with one token, once");
    (void)open_channel(XS_METER_CLASS_disk, 1, &disk);
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), 0, "with the next, once more");
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), -ESTALE, "but not twice");
    is(run_one(&disk, XS_METER_disk_write, 6, FIRST_REF, 512), 0, "6 was not done before");
    is(counters().disk_write_ops - before.disk_write_ops, 2, "two operations are counted");
    is(counters().disk_write_bytes - before.disk_write_bytes, 1024, "with their bytes");
    is(counters().io_replays - before.io_replays, 1, "one was done again");
    is(run_one(&disk, XS_METER_disk_write, 7 + 512, FIRST_REF, 512), 0, "512 further");
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), -ESTALE, "7 is forgotten, and so refused");
    is(run_one(&disk, XS_METER_disk_write, 8, FIRST_REF, 512), 0, "8 is not");
    (void)close_channel(XS_METER_CLASS_disk, 1);
    (void)open_channel(XS_METER_CLASS_disk, 1, &disk);
    is(run_one(&disk, XS_METER_disk_write, 7, FIRST_REF, 512), 0, "a channel that was closed begins anew");
    (void)close_channel(XS_METER_CLASS_disk, 1);
    (void)open_channel(XS_METER_CLASS_net, 1, &disk);
    is(run_one(&disk, XS_METER_net_tx, 7, FIRST_REF, 60), 0, "packet 7 sent");
    is(run_one(&disk, XS_METER_net_rx, 7, FIRST_REF, 60), 0, "packet 7 received is another");
    is(run_one(&disk, XS_METER_net_tx_drop, 7, 0, 0), 0, "a drop has no number");
    is(run_one(&disk, XS_METER_net_rx_drop, 7, 0, 0), 0, "either way");
    is(counters().net_tx_drops - before.net_tx_drops + counters().net_rx_drops - before.net_rx_drops, 2, "both count");
    is(run_one(&disk, XS_METER_net_tx, 8, 5, 60), -EPERM, "a packet that fails");
    is(run_one(&disk, XS_METER_net_tx, 8, FIRST_REF, 60), 0, "is not remembered");
    is(counters().net_tx_packets - before.net_tx_packets, 2, "nor counted");
    (void)close_channel(XS_METER_CLASS_net, 1);
}

/* ---- the model ---- */

static struct model {
    struct xs_stats_slot count;
    uint8_t guest[GUEST_PAGES][PAGE_SIZE], buffer[GUEST_PAGES][PAGE_SIZE];
    bool readonly[GUEST_PAGES], absent[GUEST_PAGES];
    uint8_t done[2][2][100000];         /* by channel and window, as in test_windows */
    uint64_t next[2][2];
} model;

static uint8_t *guest_page(unsigned i)
{
    return whole_at(guest_ref(), (uint64_t)i << PAGE_SHIFT);
}

static uint8_t *buffer_page(unsigned i)
{
    return whole_at(dom0, BUFFERS_GPA + ((uint64_t)i << PAGE_SHIFT));
}

static bool seg_good(const struct xs_meter_seg *s)
{
    return s->len && s->offset + s->len <= 4096;
}

static bool buffer_good(const struct xs_meter_seg *s)
{
    return s->buffer >= BUFFERS_GPA && s->buffer + s->len <= BUFFERS_GPA + GUEST_PAGES * PAGE_SIZE;
}

static bool grant_good(const struct xs_meter_seg *s, bool to_guest)
{
    unsigned i = s->ref - FIRST_REF;

    return i < GUEST_PAGES && !model.absent[i] && !(to_guest && model.readonly[i]);
}

static void model_move(const struct xs_meter_seg *s, bool to_guest)
{
    uint8_t *at = model.guest[s->ref - FIRST_REF] + s->offset;
    uint8_t *buffer = &model.buffer[0][0] + (s->buffer - BUFFERS_GPA);

    memcpy(to_guest ? at : buffer, to_guest ? buffer : at, s->len);
}

static void model_count(unsigned kind, uint64_t bytes, bool replay)
{
    struct xs_stats_slot *c = &model.count;
    uint64_t *op[] = { NULL, &c->disk_read_ops, &c->disk_write_ops, &c->disk_flush_ops, &c->disk_discard_ops,
                       &c->net_tx_packets, &c->net_rx_packets, &c->net_tx_drops, &c->net_rx_drops, NULL };
    uint64_t *sum[] = { NULL, &c->disk_read_bytes, &c->disk_write_bytes, NULL, NULL, &c->net_tx_bytes, &c->net_rx_bytes,
                        NULL, NULL, NULL };

    if (replay) {
        c->io_replays++;
        return;
    }
    if (op[kind])
        ++*op[kind];
    if (sum[kind])
        *sum[kind] += bytes;
}

/* What should become of one operation of channel `ch` (0: disk, 1: network). */
static int model_op(unsigned ch, const struct xs_meter_op *op, const struct xs_meter_seg *s, uint32_t *moved)
{
    static const uint8_t class[] = { 9, 0, 0, 0, 0, 1, 1, 1, 1, 0 }, most[] = { 0, 32, 32, 0, 0, 32, 32, 0, 0, 1 };
    bool to_guest = op->kind == XS_METER_disk_read || op->kind == XS_METER_net_rx;
    bool numbered = op->kind >= 1 && op->kind <= XS_METER_net_rx, redo = false;
    unsigned w = op->kind == XS_METER_net_rx;
    int status = 0;

    *moved = 0;
    if (op->kind == 0 || op->kind > 9 || op->nr_segs > most[op->kind] || (most[op->kind] && !op->nr_segs))
        return -EINVAL;
    for (unsigned i = 0; i < op->nr_segs; i++) {
        if (!seg_good(&s[i]))
            return -EINVAL;
    }
    for (unsigned i = 0; i < op->nr_segs; i++) {
        if (!buffer_good(&s[i]))
            return -EFAULT;
    }
    if (numbered) {
        enum seq_state state = expect_seq(model.done[ch][w], model.next[ch][w], op->seq);

        if (state == SEQ_STALE)
            return -ESTALE;
        redo = state == SEQ_REDO;
    }
    if (class[op->kind] != ch)
        return -EINVAL;
    for (unsigned i = 0; i < op->nr_segs && !status; i++) {
        if (!grant_good(&s[i], to_guest)) {
            status = -EPERM;
            break;
        }
        model_move(&s[i], to_guest);
        *moved += s[i].len;
        model.count.grant_copies++;
    }
    if (!status || *moved)
        model_count(op->kind, *moved, redo);
    if (!status && numbered) {
        model.done[ch][w][op->seq] = 1;
        model.next[ch][w] = MAX(model.next[ch][w], op->seq + 1);
    }
    return status;
}

static void random_seg(struct xs_meter_seg *s)
{
    unsigned offset = random_below(&seed, 8) ? random_below(&seed, 8) * 512 : random_below(&seed, 4096);

    s->ref = FIRST_REF + random_below(&seed, GUEST_PAGES);
    s->offset = (uint16_t)offset;
    s->len = (uint16_t)(1 + random_below(&seed, 4096 - offset));
    s->buffer = BUFFERS_GPA + random_below(&seed, (GUEST_PAGES - 1) * 4096u);
    switch (random_below(&seed, 200)) {
    case 0:
        s->len = (uint16_t)(4097 - offset);
        break;
    case 1:
        s->len = 0;
        break;
    case 2:
        s->buffer = NO_RAM - random_below(&seed, 4096);
        break;
    case 3:
        s->ref = (uint32_t)random_next(&seed) | 1u << 16;
        break;
    }
    if (s->buffer < BUFFERS_GPA + GUEST_PAGES * PAGE_SIZE)
        return;
    s->buffer = MAX(s->buffer, NO_RAM);
}

static void random_op(unsigned ch, unsigned i)
{
    static const uint8_t most[] = { 0, 32, 32, 0, 0, 32, 32, 0, 0, 1 };
    struct xs_meter_op *op = &ops()[i];
    unsigned kind = random_below(&seed, 40) ? (ch ? 5 + random_below(&seed, 4) : 1 + random_below(&seed, 4))
                                            : random_below(&seed, 12);
    uint64_t next = model.next[ch][kind == XS_METER_net_rx], back = random_below(&seed, 540);

    *op = (struct xs_meter_op){ .kind = (uint8_t)kind, .status = 99, .moved = 99, .segs = segs_gpa(i) };
    op->seq = random_below(&seed, 4) ? next + random_below(&seed, 3) : next - MIN(next, back);
    if (kind < sizeof(most) && most[kind])
        op->nr_segs = (uint8_t)(1 + random_below(&seed, most[kind] > 1 ? random_below(&seed, 6) ? 4 : 32 : 1));
    if (random_below(&seed, 300) == 0)
        op->nr_segs = (uint8_t)random_next(&seed);
    for (unsigned s = 0; s < MIN(op->nr_segs, XS_METER_SEGS_MAX); s++)
        random_seg(&segs(i)[s]);
}

static bool same_memory(void)
{
    bool same = true;

    for (unsigned i = 0; i < GUEST_PAGES; i++)
        same &= !memcmp(guest_page(i), model.guest[i], PAGE_SIZE) && !memcmp(buffer_page(i), model.buffer[i], PAGE_SIZE);
    return same;
}

static bool same_counts(const struct xs_stats_slot *base)
{
    static const size_t fields[] = {
        offsetof(struct xs_stats_slot, grant_copies), offsetof(struct xs_stats_slot, disk_read_ops),
        offsetof(struct xs_stats_slot, disk_write_ops), offsetof(struct xs_stats_slot, disk_flush_ops),
        offsetof(struct xs_stats_slot, disk_discard_ops), offsetof(struct xs_stats_slot, disk_read_bytes),
        offsetof(struct xs_stats_slot, disk_write_bytes), offsetof(struct xs_stats_slot, net_rx_packets),
        offsetof(struct xs_stats_slot, net_tx_packets), offsetof(struct xs_stats_slot, net_rx_bytes),
        offsetof(struct xs_stats_slot, net_tx_bytes), offsetof(struct xs_stats_slot, net_rx_drops),
        offsetof(struct xs_stats_slot, net_tx_drops), offsetof(struct xs_stats_slot, io_replays),
    };
    struct xs_stats_slot now = counters();
    bool same = true;

    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t got = *(uint64_t *)((char *)&now + fields[i]) - *(const uint64_t *)((const char *)base + fields[i]);
        uint64_t want = *(uint64_t *)((char *)&model.count + fields[i]);

        if (got != want)
            printf("# counter at %zu: %lu, the model says %lu\n", fields[i], (unsigned long)got, (unsigned long)want);
        same &= got == want;
    }
    return same;
}

static void random_grants(void)
{
    unsigned i = random_below(&seed, GUEST_PAGES);

    model.absent[i] = random_below(&seed, 10) == 0;
    model.readonly[i] = random_below(&seed, 10) == 0;
    grant(FIRST_REF + i, i, model.absent[i] ? GTF_invalid
                                            : GTF_permit_access | (model.readonly[i] ? GTF_readonly : 0));
}

static void model_start(struct xs_meter_copy with[2])
{
    (void)open_channel(XS_METER_CLASS_disk, 1, &with[0]);
    (void)open_channel(XS_METER_CLASS_net, 2, &with[1]);
    for (unsigned i = 0; i < GUEST_PAGES; i++) {
        for (unsigned b = 0; b < PAGE_SIZE; b++) {
            guest_page(i)[b] = model.guest[i][b] = (uint8_t)random_next(&seed);
            buffer_page(i)[b] = model.buffer[i][b] = (uint8_t)random_next(&seed);
        }
    }
}

static void new_token(unsigned ch, struct xs_meter_copy with[2])
{
    (void)open_channel(ch ? XS_METER_CLASS_net : XS_METER_CLASS_disk, ch + 1, &with[ch]);
    for (unsigned w = 0; w < 2; w++) {
        for (unsigned i = 0; i < model.next[ch][w]; i++)
            model.done[ch][w][i] = model.done[ch][w][i] ? 2 : 0;
    }
}

#define BATCHES 4000u

static void test_random(void)
{
    static struct xs_meter_op before[XS_METER_OPS_MAX];
    static struct xs_meter_seg lists[XS_METER_OPS_MAX][XS_METER_SEGS_MAX];
    struct xs_meter_copy with[2];
    struct xs_stats_slot base = counters();
    unsigned wrong = 0, failed = 0, all = 0;

    model_start(with);
    for (unsigned b = 0; b < BATCHES && !wrong; b++) {
        unsigned ch = random_below(&seed, 2), n = 1 + random_below(&seed, random_below(&seed, 20) ? 6 : 64);

        whole_preempt_every = random_below(&seed, 3) ? 0 : 1 + random_below(&seed, 5);
        random_grants();
        if (random_below(&seed, 50) == 0)
            new_token(ch, with);
        for (unsigned i = 0; i < n; i++)
            random_op(ch, i);
        memcpy(before, ops(), n * sizeof(before[0]));
        for (unsigned i = 0; i < n; i++)
            memcpy(lists[i], segs(i), sizeof(lists[i]));
        if (run(&with[ch], n) || with[ch].done != n)
            wrong++;
        for (unsigned i = 0; i < n; i++) {
            uint32_t moved;
            int status = model_op(ch, &before[i], lists[i], &moved);

            if (ops()[i].status != status || ops()[i].moved != moved) {
                printf("# batch %u op %u kind %u segs %u: %d, %u; the model says %d, %u\n", b, i, before[i].kind,
                       before[i].nr_segs, ops()[i].status, ops()[i].moved, status, moved);
                wrong++;
            }
            failed += status != 0;
            all++;
        }
        if (b % 100 == 0 && !same_memory())
            wrong++;
    }
    whole_preempt_every = 0;
    is(wrong, 0, "%u operations in %u batches end as the model says (%u fail; %u restarts)", all, BATCHES, failed,
       whole_restarts);
    ok(failed > all / 50 && failed < all / 2, "of which some fail");
    ok(same_memory(), "every byte is where it should be");
    ok(same_counts(&base), "every counter says what was moved");
    (void)close_channel(XS_METER_CLASS_disk, 1);
    (void)close_channel(XS_METER_CLASS_net, 2);
}

/* ---- tokens taken back while copies run ---- */

#define TAKES 100u

static struct {
    struct xs_meter_copy with;          /* the latest token; under lock */
    pthread_mutex_t lock;
    pthread_t thread;
    bool stop;
    unsigned done, refused;
} taken = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *copier(void *unused)
{
    struct xs_meter_copy with;
    uint64_t seq = 0;

    whole_be_cpu(1);
    whole_arg_gpa = ARG_GPA + PAGE_SIZE;
    whole_as(dom0);
    while (!__atomic_load_n(&taken.stop, __ATOMIC_ACQUIRE)) {
        long rc;

        pthread_mutex_lock(&taken.lock);
        with = taken.with;
        pthread_mutex_unlock(&taken.lock);
        ops()[0] = (struct xs_meter_op){ .seq = seq++, .kind = XS_METER_disk_read, .nr_segs = 8, .segs = segs_gpa(0) };
        rc = run(&with, 1);
        this_cpu()->walks = 0;
        taken.done += rc == 0 && ops()[0].status == 0;
        taken.refused += rc == -EACCES || rc == -ESRCH;
    }
    return unused;
}

/* After a close nothing more arrives in the guest's page. */
static void test_taken_back(void)
{
    unsigned late = 0;

    for (unsigned i = 0; i < GUEST_PAGES; i++)
        grant(FIRST_REF + i, i, GTF_permit_access);
    for (unsigned i = 0; i < 8; i++)
        segs(0)[i] = (struct xs_meter_seg){ .ref = FIRST_REF + 1, .len = 4096, .buffer = BUFFERS_GPA };
    memset(buffer_page(0), 0xEE, PAGE_SIZE);
    cpus_online = 2;
    (void)open_channel(XS_METER_CLASS_disk, 1, &taken.with);
    if (pthread_create(&taken.thread, NULL, copier, NULL))
        abort();
    for (unsigned i = 0; i < TAKES; i++) {
        unsigned until = __atomic_load_n(&taken.done, __ATOMIC_RELAXED) + 2;
        struct xs_meter_copy with;

        while (__atomic_load_n(&taken.done, __ATOMIC_RELAXED) < until)
            syscall(SYS_sched_yield);
        (void)close_channel(XS_METER_CLASS_disk, 1);
        memset(guest_page(1), 0x11, PAGE_SIZE);
        for (unsigned n = 0; n < 50; n++)
            syscall(SYS_sched_yield);
        for (unsigned b = 0; b < PAGE_SIZE; b++)
            late += guest_page(1)[b] != 0x11;
        (void)open_channel(XS_METER_CLASS_disk, 1, &with);
        pthread_mutex_lock(&taken.lock);
        taken.with = with;
        pthread_mutex_unlock(&taken.lock);
    }
    is(late, 0, "%u times a channel is closed while copies run: not a byte after (%u done, %u refused)", TAKES, taken.done,
       taken.refused);
}

/* The guest dies beside the copier: its counters are final when destruction has begun. */
static void test_death(void)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_destroydomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = guest };
    struct domain *d = guest_ref();
    uint64_t bytes;
    unsigned slot = d->stats_slot;
    const struct xs_stats_slot *page = mfn_to_virt(stats_frame(1));

    domain_ref(d);
    whole_preempt_every = 1;
    memcpy(whole_at(dom0, ARG_GPA), &op, sizeof(op));
    is(do_domctl(ARG_GPA), -EAGAIN, "destruction begins, and pauses");
    bytes = page[slot].disk_read_bytes;
    for (unsigned n = 0; n < 500; n++)
        syscall(SYS_sched_yield);
    is(page[slot].disk_read_bytes, bytes, "nothing is counted any more");
    is(run(&taken.with, 0), -ESRCH, "the channel says that the guest is dying");
    is(open_channel(XS_METER_CLASS_disk, 2, &(struct xs_meter_copy){ 0 }), -ESRCH, "and opens no more");
    whole_preempt_every = 0;
    is(call_domctl_on(guest, XEN_DOMCTL_destroydomain), 0, "it is destroyed");
    is(page[slot].disk_read_bytes, bytes, "with the same count");
    __atomic_store_n(&taken.stop, true, __ATOMIC_RELEASE);
    (void)pthread_join(taken.thread, NULL);
    domain_put(d);
    domain_reap();
    is(run(&taken.with, 0), -EACCES, "a channel of nobody");
}

int main(void)
{
    struct counts before;

    test_windows();
    test_buckets();
    whole_start();
    guest_make();
    before = counts_now();
    test_channels();
    test_limits();
    test_refusals();
    test_restart();
    test_random();
    ok(counts_equal(before, counts_now()), "nothing is left of it");
    test_taken_back();
    test_death();
    return tap_end();
}
