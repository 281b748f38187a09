/* The daemon as a process: a guest's life with and without kill -9, tombstones,
 * a second instance, a bad stats page, wrong books on the page, a full disk. */
#include "accountd/note.h"
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define S 1000000000ull

static bool exited(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void started(struct world *w, const char *why)
{
    int status = 0;

    check(world_start(w, &status), "accountd is ready: %s", why);
}

static bool done(struct world *w, json_t *ok)
{
    if (!ok)
        printf("# %s: %s\n", world_code(w), json_string_value(json_object_get(w->error, "detail")));
    json_decref(ok);
    return ok != NULL;
}

static void customer(struct world *w)
{
    check(done(w, world_ask(w, "account_open", "{s:s,s:s,s:s}", "account_id", "acc", "name", "Ann", "currency", "EUR")) &&
          done(w, world_ask(w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "t1", "account_id", "acc",
                            "amount_nano", "100000000", "reason", "voucher", "operator", "op")),
          "a customer has money");
}

static bool registered(struct world *w, uint8_t tag)
{
    return done(w, world_ask(w, "instance_register", "{s:s,s:s,s:s,s:s,s:i,s:i}", "account_id", "acc", "instance_id",
                             "ins", "domain_uuid", world_hex(tag), "incarnation", world_hex(tag), "vcpus", 1,
                             "memory_mib", 128));
}

/* One guest's counters at each step of its life; the same in every run. */
static void live_step(struct world *w, unsigned step)
{
    struct xs_stats_slot slot = world_live(0xaa, 5);

    slot.guest_ns = step * 123456789ull;
    slot.hv_ns = step * 1234567ull;
    slot.exits = step * 1000;
    slot.disk_read_ops = step * 7;
    slot.disk_read_bytes = step * 4096 * 7;
    slot.net_tx_packets = step * 3;
    slot.io_replays = step;
    world_slot(w, 2, &slot);
}

static void die(struct world *w)
{
    struct xs_stats_slot slot = world_live(0xaa, 5);

    slot.state = XS_SLOT_FINAL;
    slot.guest_ns = 987654321;
    slot.hv_ns = 12345679;
    slot.exits = 54321;
    slot.disk_read_ops = 99;
    slot.disk_read_bytes = 99 * 4096;
    slot.net_tx_packets = 42;
    slot.io_replays = 11;
    slot.pages = 0;
    slot.died_ns = slot.page_since_ns = 500 * S;
    slot.page_ns_lo = 4096ull * 500 * S;
    world_slot(w, 2, &slot);
}

struct bill {
    json_t *lines;
    char total[32], posted[32];
};

/* Whether the record's proof leads from its leaf to the head that the proof names. */
static bool proven(const json_t *record)
{
    struct chain_hash proof[CHAIN_PROOF_MAX], leaf, root;
    const char *text = json_string_value(json_object_get(record, "leaf"));
    const char *file = json_string_value(json_object_get(record, "proof")), *checkpoint;
    char base64[64], hex[2 * CHAIN_HASH_BYTES + 1];
    uint64_t index;
    uintmax_t size;
    unsigned len;

    /* tlog-checkpoint: origin, size, root. */
    if (!text || !file || !note_proof_parse(file, &index, proof, &len, &checkpoint) ||
        sscanf(checkpoint, "%*[^\n]\n%ju\n%63[^\n]", &size, base64) != 2 ||
        sodium_base642bin(root.bytes, sizeof(root.bytes), base64, strlen(base64), NULL, NULL, NULL,
                          sodium_base64_VARIANT_ORIGINAL))
        return false;
    leaf = chain_leaf_hash(text, strlen(text));
    return strcmp(chain_hash_hex(&leaf, hex), json_string_value(json_object_get(record, "leaf_hash"))) == 0 &&
           (json_int_t)index == json_integer_value(json_object_get(record, "index")) &&
           chain_proof_verify(&leaf, index, size, proof, len, &root);
}

static void records_are_proven(struct world *w)
{
    json_t *ok = world_ask(w, "records", "{s:s,s:s,s:b}", "account_id", "acc", "instance_id", "ins", "proofs", 1), *record;
    size_t good = 0, i;

    json_array_foreach(json_object_get(ok, "records"), i, record)
        good += proven(record);
    check(good > 0 && good == json_array_size(json_object_get(ok, "records")), "each of %zu records comes with its proof", good);
    json_decref(ok);
}

static struct bill take_bill(struct world *w)
{
    struct bill bill = { NULL, "", "" };
    json_t *ok = world_ask(w, "invoice_create", "{s:s,s:s}", "invoice_id", "inv", "account_id", "acc");
    json_t *invoice = json_object_get(ok, "invoice"), *wallet;

    check(invoice != NULL, "the invoice is made");
    records_are_proven(w);
    bill.lines = json_incref(json_object_get(invoice, "details"));
    snprintf(bill.total, sizeof(bill.total), "%s", json_string_value(json_object_get(invoice, "total_nano")));
    json_decref(ok);
    wallet = world_ask(w, "wallet", "{s:s}", "account_id", "acc");
    snprintf(bill.posted, sizeof(bill.posted), "%s", json_string_value(json_object_get(wallet, "posted_nano")));
    json_decref(wallet);
    return bill;
}

static void kill_and_start(struct world *w, const char *when)
{
    int status = world_kill(w, SIGKILL);

    check(WIFSIGNALED(status), "killed -9 %s", when);
}

static struct bill one_life(bool with_kills)
{
    struct world w;
    struct bill bill;

    world_begin(&w);
    started(&w, "the life begins");
    customer(&w);
    live_step(&w, 1);
    check(registered(&w, 0xaa), "the guest is registered");
    check(world_sampled(&w), "it is sampled");
    live_step(&w, 2);
    if (with_kills) {
        kill_and_start(&w, "in the middle of its life");
        live_step(&w, 3);
        live_step(&w, 4);               /* nobody reads these */
        started(&w, "again");
        kill_and_start(&w, "as soon as it was ready");
        started(&w, "again");
    } else {
        check(world_sampled(&w), "it is sampled");
        live_step(&w, 3);
        check(world_sampled(&w), "it is sampled");
        live_step(&w, 4);
    }
    check(world_sampled(&w), "it is sampled");
    if (with_kills)
        kill_and_start(&w, "before its end");
    die(&w);
    if (with_kills)
        started(&w, "after its end");
    check(world_freed(&w, 2), "its tombstone is freed once its end is durable");
    check(done(&w, world_ask(&w, "instance_close", "{s:s}", "instance_id", "ins")), "its instance is closed");
    bill = take_bill(&w);
    check(exited(world_kill(&w, SIGTERM), 0), "it stops when told");
    world_end(&w);
    return bill;
}

static void test_kills_change_nothing(void)
{
    struct bill quiet = one_life(false), killed = one_life(true);

    check(json_equal(quiet.lines, killed.lines) && json_array_size(quiet.lines) == 7, "the lines are the same, bit for bit");
    check(strcmp(quiet.total, killed.total) == 0 && strcmp(quiet.posted, killed.posted) == 0,
          "so are the total (%s nano) and what the wallet has left (%s)", quiet.total, quiet.posted);
    json_decref(quiet.lines);
    json_decref(killed.lines);
}

static bool says(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (!value || strcmp(value, text) != 0)
        printf("# %s: %s, not %s\n", key, value ? value : "(none)", text);
    return value && strcmp(value, text) == 0;
}

static const json_t *line_of(const json_t *lines, const char *meter)
{
    json_t *line;
    size_t i;

    json_array_foreach(lines, i, line)
        if (strcmp(json_string_value(json_object_get(line, "meter")), meter) == 0)
            return line;
    return NULL;
}

/* Disk and network as a customer sees them before there is an invoice. */
static void test_live_devices(void)
{
    const json_t *usage, *lines;
    json_t *shown, *quote;
    struct world w;

    world_begin(&w);
    started(&w, "a guest with a disk and a network");
    customer(&w);
    live_step(&w, 1);
    registered(&w, 0xaa);
    world_sampled(&w);
    live_step(&w, 2);
    world_sampled(&w);
    shown = world_ask(&w, "usage", "{s:s}", "account_id", "acc");
    usage = json_array_get(json_object_get(shown, "instances"), 0);
    check(says(usage, "disk_read_ops", "14") && says(usage, "disk_read_bytes", "57344") && says(usage, "net_tx_packets", "6") &&
          says(usage, "net_rx_packets", "0") && says(usage, "io_replays", "2"), "the live usage has hv's counts");
    json_decref(shown);
    quote = world_ask(&w, "quote", "{s:i,s:i,s:i,s:s,s:s,s:s,s:s}", "vcpus", 1, "memory_mib", 128, "seconds", 7200, "disk_ops",
                      "1002", "disk_bytes", "1610612736", "net_packets", "7", "net_bytes_out", "1073741824");
    lines = json_object_get(quote, "lines");
    /* At the prices of the book that is shipped: 1/4 nano an operation, 1,000,000 and 20,000,000 a GiB. */
    check(says(line_of(lines, "disk_ops"), "amount_nano", "250") && says(line_of(lines, "disk_bytes"), "amount_nano", "1500000") &&
          says(line_of(lines, "net_packets"), "amount_nano", "0") &&
          says(line_of(lines, "net_bytes_out"), "amount_nano", "20000000") && !line_of(lines, "net_bytes_in"),
          "a quote has a line for each meter that was asked for, by the code that bills it");
    json_decref(quote);
    quote = world_ask(&w, "quote", "{s:i,s:i,s:i,s:s}", "vcpus", 1, "memory_mib", 128, "seconds", 60, "disk_ops", "-1");
    check(!quote && strcmp(world_code(&w), "bad_request") == 0, "a count below 0 is refused");
    world_end(&w);
}

static void test_tombstones_wait(void)
{
    struct world w;

    world_begin(&w);
    started(&w, "a provisioner that is not there yet");
    customer(&w);
    __atomic_store_n(&w.refuse_acks, true, __ATOMIC_SEQ_CST);
    live_step(&w, 1);
    registered(&w, 0xaa);
    world_sampled(&w);
    die(&w);
    check(world_sampled(&w) && world_sampled(&w) && __atomic_load_n(&w.acks, __ATOMIC_SEQ_CST) == 0,
          "a tombstone stays while the provisioner does not answer");
    kill_and_start(&w, "with a tombstone waiting");
    started(&w, "again");
    __atomic_store_n(&w.refuse_acks, false, __ATOMIC_SEQ_CST);
    check(world_freed(&w, 2) && __atomic_load_n(&w.acks, __ATOMIC_SEQ_CST) == 1, "asked again after the restart, it goes");
    world_end(&w);
}

static void test_end_of_money(void)
{
    struct world w;
    struct xs_stats_slot slot = world_live(0xaa, 5);

    world_begin(&w);
    started(&w, "a customer with little money");
    check(done(&w, world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "acc", "name", "Ann", "currency", "EUR")) &&
          done(&w, world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "t1", "account_id", "acc",
                             "amount_nano", "13000000", "reason", "voucher", "operator", "op")),
          "there is money for an hour and a little");
    world_slot(&w, 2, &slot);
    check(registered(&w, 0xaa) && world_sampled(&w) && __atomic_load_n(&w.suspends, __ATOMIC_SEQ_CST) == 0,
          "it runs, and nobody is suspended");
    slot.guest_ns = 7200 * S;
    world_slot(&w, 2, &slot);
    check(world_suspended(&w), "when the hold is used up the provisioner is asked to suspend it");
    world_end(&w);
}

static void test_second_instance(void)
{
    struct world w;

    world_begin(&w);
    started(&w, "the first");
    check(exited(world_run(&w), 1), "a second one exits 1");
    check(world_logged(&w, "already running as process"), "and says that one is running, and which");
    check(done(&w, world_ask(&w, "status", "{}")), "the first goes on");
    world_end(&w);
}

/* What is wrong with the page, and a word of the complaint. */
static const struct {
    const char *name, *says;
    size_t offset;
    uint8_t value;
} bad_headers[] = {
    { "magic", "magic", 0, 0 },
    { "version", "version", offsetof(struct xs_stats_header, version), 9 },
    { "header size", "header_size", offsetof(struct xs_stats_header, header_size), 1 },
    { "CPU count", "nr_cpus", offsetof(struct xs_stats_header, nr_cpus), 200 },
    { "CPU size", "CPU table", offsetof(struct xs_stats_header, cpu_size), 8 },
    { "slot offset", "slot table", offsetof(struct xs_stats_header, slot_offset) + 3, 0x7f },
    { "slot count", "nr_slots", offsetof(struct xs_stats_header, nr_slots) + 2, 1 },
};

static void test_bad_page(void)
{
    for (size_t i = 0; i < sizeof(bad_headers) / sizeof(bad_headers[0]); i++) {
        struct world w;

        world_begin(&w);
        w.page[bad_headers[i].offset] = bad_headers[i].value;
        check(exited(world_run(&w), 1) && world_logged(&w, bad_headers[i].says), "a stats page with a wrong %s is"
              " refused at the start, by name", bad_headers[i].name);
        world_end(&w);
    }
}

static bool conserved(struct world *w)
{
    json_t *ok = world_ask(w, "status", "{}");
    bool is = json_is_true(json_object_get(ok, "conservation_ok"));

    json_decref(ok);
    return is;
}

static void test_conservation(void)
{
    struct world w;
    struct xs_stats_slot slot = world_live(0xaa, 5);
    struct xs_stats_cpu cpu = { .charged_until_ns = 1000, .guest_ns = 500, .hv_ns = 200, .idle_ns = 299 };

    world_begin(&w);
    started(&w, "the books close");
    check(world_sampled(&w) && conserved(&w), "the CPUs' books close");
    memcpy(w.page + XS_STATS_CPU_OFFSET + sizeof(cpu), &cpu, sizeof(cpu));
    check(world_sampled(&w) && !conserved(&w) && world_logged(&w, "cpu 1: books do not close"),
          "one ns missing on a CPU is seen, and said of which");
    world_cpu(&w, 1, 500, 200, 300);
    check(world_sampled(&w) && conserved(&w), "put right, it is well again");
    slot.guest_ns = 5000 * S;
    world_slot(&w, 2, &slot);
    for (int i = 0; i < 2; i++)
        world_sampled(&w);
    check(!conserved(&w) && world_logged(&w, "passes what the CPUs ran"), "a domain that ran more than the CPUs is seen");
    world_end(&w);
}

/* A limit on file sizes stops SQLite as a full disk does: no write gets through. */
static void test_full_disk(void)
{
    struct world w;
    struct rlimit full, before;
    int status;

    world_begin(&w);
    started(&w, "with room");
    customer(&w);
    live_step(&w, 1);
    registered(&w, 0xaa);
    world_sampled(&w);
    prlimit(w.accountd, RLIMIT_FSIZE, NULL, &before);
    full = (struct rlimit){ 4096, before.rlim_max };
    prlimit(w.accountd, RLIMIT_FSIZE, &full, NULL);
    live_step(&w, 2);
    check(!done(&w, world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "t2", "account_id", "acc",
                              "amount_nano", "5", "reason", "voucher", "operator", "op")) && strcmp(world_code(&w), "internal") == 0,
          "without room a payment is refused, not lost");
    world_sampled(&w);
    check(world_logged(&w, "not everything was made durable") && world_logged(&w, "ledger.db: "),
          "the log says what could not be written");
    prlimit(w.accountd, RLIMIT_FSIZE, &before, NULL);
    world_sampled(&w);
    check(done(&w, world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "t2", "account_id", "acc",
                             "amount_nano", "5", "reason", "voucher", "operator", "op")),
          "with room again the same payment is taken");
    die(&w);
    check(world_freed(&w, 2), "and the guest's end is recorded");
    status = world_kill(&w, SIGTERM);
    check(exited(status, 0), "it has stayed up all the while");
    started(&w, "once more");
    check(done(&w, world_ask(&w, "status", "{}")), "and its databases are whole");
    world_end(&w);
}

int main(void)
{
    test_kills_change_nothing();
    test_live_devices();
    test_tombstones_wait();
    test_end_of_money();
    test_second_instance();
    test_bad_page();
    test_conservation();
    test_full_disk();
    return tap_end();
}
