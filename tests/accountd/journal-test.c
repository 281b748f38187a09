/* journal.c and charge.c: what is written of whom, over lives that go wrong.
 * The named cases are bugs that other meters had or could have. */
#include "accountd/cap/alerts.h"
#include "tests/accountd/life.h"
#include "accountd/ledger/sums.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

static void run_for(struct life *life, unsigned index, unsigned seconds, uint64_t guest_ns_each)
{
    for (unsigned i = 0; i < seconds; i++) {
        life_slot(life, index)->guest_ns += guest_ns_each;
        life_slot(life, index)->hv_ns += 1000;
        life_step(life, S);
    }
}

/* hv frees a tombstone when it was told so; here, the test does. */
static void free_slot(struct life *life, unsigned index)
{
    const struct xs_stats_slot *slot = life_slot(life, index);

    journal_freed(&life->a.journal, life_hex(slot->incarnation[0]));
    *life_slot(life, index) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
}

static void test_one_life(void)
{
    struct life life;
    struct meter_usage billed;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_step(&life, S);
    check(life_leaves(&life, "acc", "ins", "start") == 0 && life_leaves(&life, "host", NULL, "start") == 0,
          "a domain that is not registered yet has no record");
    check(life_register(&life, "acc", "ins", 0xaa) == LEDGER_OK, "it is registered");
    check(life_held(&life, "acc") > 0, "and its hold is taken");
    run_for(&life, 2, 150, 500000000);
    check(life_leaves(&life, "acc", "ins", "start") == 1 && life_leaves(&life, "acc", "ins", "use") == 2,
          "a record for each minute of hv's clock that ended");
    life_death(&life, 2);
    life_step(&life, S);
    billed = life_billed(&life, "acc", "ins");
    check(life_leaves(&life, "acc", "ins", "end") == 1, "its end is recorded");
    check(billed.of[METER_CPU_USED] == 150ull * 500001000, "all of its CPU time is billed");
    check(billed.of[METER_VCPU_RESERVED] == 2 * 151 * S && billed.of[METER_MEMORY_USED] == 1000 * 151 * S,
          "its reservation and its memory from birth to death");
    run_for(&life, 3, 100, 0);
    check(life_leaves(&life, "acc", "ins", "use") == 2, "a deleted guest is not billed on");
    free_slot(&life, 2);
    check(ledger_instance_close(life.a.ledger, "ins") == LEDGER_OK && life_step(&life, S) == 0 &&
          life_held(&life, "acc") == 0, "closed: its hold is released");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_host_domains(void)
{
    struct life life;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 0, 1)->domid = 0x7ff2;
    life_birth(&life, 1, 2)->domid = 0;
    life_birth(&life, 3, 3);
    run_for(&life, 3, 10, 1000);
    check(life_leaves(&life, "host", "hv", "start") == 1 && life_leaves(&life, "host", "dom0", "start") == 1,
          "hv and dom0 are the host's own");
    life_death(&life, 3);
    life_step(&life, S);
    check(life_leaves(&life, "host", "unregistered", "end") == 1, "so is a domain that died unregistered");
    life_birth(&life, 4, 4);
    life_step(&life, S);
    life_step(&life, JOURNAL_UNCLAIMED_NS + S);
    check(life_leaves(&life, "host", "unregistered", "start") == 2, "and one that nobody registered for ten minutes");
    check(life_posted(&life, "acc") == 100000000, "nobody is charged for them");
    life_end(&life);
}

static void test_restart_bills_the_gap(void)
{
    struct life life;
    struct meter_usage billed;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 70, 1000000);
    check(life_reopen(&life), "accountd is restarted");
    life.now_ns += 1000 * S;
    life_slot(&life, 2)->guest_ns += 777;
    life_step(&life, S);
    life_death(&life, 2);
    life_step(&life, S);
    billed = life_billed(&life, "acc", "ins");
    check(billed.of[METER_CPU_USED] == 70ull * 1001000 + 777, "what it used meanwhile is billed, once");
    check(life_leaves(&life, "acc", "ins", "gap") == 0, "and is no gap");
    check(life_reopen(&life) && life_step(&life, S) == 0 && life_leaves(&life, "acc", "ins", "end") == 1,
          "a tombstone that waits over a restart is ended once");
    free_slot(&life, 2);
    life_step(&life, S);
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_host_crash(void)
{
    struct life life;
    struct meter_usage billed;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 90, 1000000);
    billed = life_billed(&life, "acc", "ins");
    life_slot(&life, 2)->state = XS_SLOT_EMPTY;
    life.boot++;
    life.now_ns = 5 * S;
    life_step(&life, S);
    check(life_leaves(&life, "acc", "ins", "gap") == 1, "a new boot closes what was open with a gap");
    check(memcmp(&billed, &(struct meter_usage){ { 0 } }, sizeof(billed)) != 0 &&
          billed.of[METER_CPU_USED] >= 30ull * 1001000, "at most an interval is lost");
    life_birth(&life, 2, 0xab);
    life_register(&life, "acc", "ins", 0xab);
    run_for(&life, 2, 10, 5);
    life_death(&life, 2);
    life_step(&life, S);
    check(life_billed(&life, "acc", "ins").of[METER_CPU_USED] == billed.of[METER_CPU_USED] + 10 * 1005,
          "and its next incarnation is billed from its own zero");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_fallen_counter(void)
{
    struct life life;
    struct meter_usage billed;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 61, 1000000);
    billed = life_billed(&life, "acc", "ins");
    life_slot(&life, 2)->guest_ns = 7;          /* after a rescue, a rollback, a bug */
    run_for(&life, 2, 60, 0);
    check(life_leaves(&life, "acc", "ins", "anomaly") == 1, "a counter that falls is recorded");
    check(memcmp(&billed, &(struct meter_usage){ { 0 } }, sizeof(billed)) != 0 &&
          life_billed(&life, "acc", "ins").of[METER_CPU_USED] == billed.of[METER_CPU_USED], "and bills nothing");
    life_slot(&life, 2)->guest_ns += 100;
    life_death(&life, 2);
    life_step(&life, S);
    /* Two seconds of hv time after the anomaly, which came with the minute, and the last 100 ns. */
    check(life_billed(&life, "acc", "ins").of[METER_CPU_USED] == billed.of[METER_CPU_USED] + 2 * 1000 + 100,
          "afterwards it is metered from where it fell to");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_domid_and_slot_reuse(void)
{
    struct life life;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    for (uint8_t tag = 0x10; tag < 0x18; tag++) {
        char instance[8];

        snprintf(instance, sizeof(instance), "ins%02x", tag);
        life_birth(&life, 2, tag);
        life_register(&life, "acc", instance, tag);
        run_for(&life, 2, 3, tag);
        life_death(&life, 2);
        life_step(&life, S);
        free_slot(&life, 2);
    }
    check(life_billed(&life, "acc", "ins10").of[METER_CPU_USED] == 3 * 1016 &&
          life_billed(&life, "acc", "ins17").of[METER_CPU_USED] == 3 * 1023,
          "each of eight domains in one slot pays for itself");
    life_birth(&life, 2, 0x20);
    life_register(&life, "acc", "ins20", 0x20);
    life_step(&life, S);
    life_birth(&life, 2, 0x21);                 /* nobody saw the first one end */
    life_step(&life, S);
    check(life_leaves(&life, "acc", "ins20", "gap") == 1, "a domain that left its slot unseen is a gap");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_end_of_money(void)
{
    struct life life;
    struct sums_open open = { .carried_nano = 0 };
    int64_t held, carried;

    life_begin(&life);
    life_account(&life, "acc", 0);
    check(life_register(&life, "acc", "ins", 0xaa) == LEDGER_INSUFFICIENT, "without money nothing is registered");
    life_birth(&life, 2, 0xaa);
    ledger_fund(life.a.ledger, "t2", "acc", 2000000, NULL, "voucher", 5);
    check(life_register(&life, "acc", "ins", 0xaa) == LEDGER_OK, "with an hour's money it is");
    held = life_held(&life, "acc");
    for (int minute = 0; minute < 200; minute++)
        life_step(&life, 60 * S);
    sums_open(life.a.ledger, "acc", life.a.head.origin, &open);
    carried = open.carried_nano;
    check(held > 0 && life_held(&life, "acc") == 0 && life_posted(&life, "acc") == 0,
          "past the end of the money the hold has been used up, and nothing is below zero");
    check(carried > 0, "the host carries the rest");
    life_death(&life, 2);
    life_step(&life, S);
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_torn_slot(void)
{
    struct life life;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 5, 10);
    life.now_ns += S;
    life.a.sample.now_ns = life.now_ns;
    life.a.sample.slot_read[2] = SAMPLE_TORN;
    check(accountd_settle(&life.a, 0, NULL) == 0 && life_leaves(&life, "acc", "ins", "gap") == 0,
          "a slot that could not be read once is not lost");
    life_end(&life);
}

static size_t lost_alerts(struct life *life, const char *account)
{
    json_t *list = alert_list(life->a.ledger, account, true, 0, 10);
    size_t count = json_array_size(list);

    json_decref(list);
    return count;
}

/* The newest usage.db is lost; the ledger still knows how far it charged. */
static void test_lost_log(void)
{
    struct life life;
    char command[160];
    int64_t posted, invoiced;
    struct json_why why;
    json_t *body;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 121, 1000000);
    check(invoice_create(&life.a, "inv", "acc", &body, &why) == LEDGER_OK, "an invoice is made");
    json_decref(body);
    invoiced = life_posted(&life, "acc");
    run_for(&life, 2, 121, 1000000);
    posted = life_posted(&life, "acc");
    accountd_close(&life.a);
    snprintf(command, sizeof(command), "rm %s/usage.db*", life.dir);
    check(system(command) == 0 && life_reopen(&life), "without usage.db it starts");
    check(strcmp(life.a.head.origin, "test.host/usage/e2") == 0, "as a log of the next epoch");
    check(posted < invoiced && life_posted(&life, "acc") == invoiced,
          "what no invoice had and no record proves any more is given back to the nano, with its tax");
    check(lost_alerts(&life, "acc") == 1 && lost_alerts(&life, NULL) == 2, "the customer and the operator are told");
    check(life_reopen(&life) && life_posted(&life, "acc") == invoiced, "once");
    life_step(&life, S);
    check(life_leaves(&life, "acc", "ins", "succ") == 1 && life_posted(&life, "acc") > invoiced - 1500,
          "what the ledger has charged is not charged again");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

/* The end of the money came before the log was lost: the host has back what it carried, the customer what was its own. */
static void test_lost_log_carried(void)
{
    struct life life;
    char command[160];

    life_begin(&life);
    life_account(&life, "acc", 2000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    for (int minute = 0; minute < 200; minute++)
        life_step(&life, 60 * S);
    check(life_posted(&life, "host:carried") < 0, "the host carries a guest");
    accountd_close(&life.a);
    snprintf(command, sizeof(command), "rm %s/usage.db*", life.dir);
    check(system(command) == 0 && life_reopen(&life) && life_posted(&life, "host:carried") == 0 &&
          life_posted(&life, "acc") == 2000000, "both have their own back");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_old_copy(void)
{
    struct life life;
    char command[400];

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 61, 1000000);
    accountd_close(&life.a);
    snprintf(command, sizeof(command), "cp %s/usage.db %s/old", life.dir, life.dir);
    check(system(command) == 0 && life_reopen(&life), "a copy of usage.db is put aside");
    run_for(&life, 2, 61, 1000000);
    accountd_close(&life.a);
    snprintf(command, sizeof(command), "cp %s/old %s/usage.db", life.dir, life.dir);
    check(system(command) == 0 && !life_reopen(&life), "put back later, it is refused: no head is signed twice");
    life_end(&life);
}

static void unpaid_from_now_on(struct life *life, uint8_t tag, bool unpaid)
{
    ((struct journal_entry *)journal_find(&life->a.journal, life_hex(tag)))->unpaid_next = unpaid;
}

static void test_unpaid(void)
{
    struct life life;
    struct meter_usage billed;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 2, 10, 500000000);
    unpaid_from_now_on(&life, 0xaa, true);
    run_for(&life, 2, 1, 0);
    billed = life_billed(&life, "acc", "ins");
    check(life_leaves(&life, "acc", "ins", "use") == 3 && billed.of[METER_CPU_USED] == 10ull * 500001000 + 1000,
          "paused without money: the segment is closed and billed");
    run_for(&life, 2, 70, 0);
    check(life_leaves(&life, "acc", "ins", "use") == 4 &&
          life_billed(&life, "acc", "ins").of[METER_VCPU_RESERVED] == billed.of[METER_VCPU_RESERVED],
          "what follows is recorded and bills nothing, its reservation neither");
    check(life_reopen(&life) && journal_find(&life.a.journal, life_hex(0xaa))->unpaid, "a restart knows it from the log");
    run_for(&life, 2, 5, 0);
    unpaid_from_now_on(&life, 0xaa, false);
    run_for(&life, 2, 1, 0);
    billed = life_billed(&life, "acc", "ins");
    check(billed.of[METER_VCPU_RESERVED] == 2 * (11 * S - METER_SETTLE_NS), "up to the turn nothing was billed");
    run_for(&life, 2, 10, 500000000);
    life_slot(&life, 2)->guest_ns -= 1;
    unpaid_from_now_on(&life, 0xaa, true);
    run_for(&life, 2, 1, 0);
    life_slot(&life, 2)->hv_ns = 0;
    run_for(&life, 2, 60, 0);
    check(life_leaves(&life, "acc", "ins", "anomaly") >= 1 && life_reopen(&life) &&
          journal_find(&life.a.journal, life_hex(0xaa))->unpaid, "a counter that falls meanwhile does not make it paid");
    life_death(&life, 2);
    life_step(&life, S);
    check(life_leaves(&life, "acc", "ins", "end") == 1 && life_is_sound(&life), "it ends unpaid, and all is sound");
    life_end(&life);
}

int main(void)
{
    test_one_life();
    test_unpaid();
    test_host_domains();
    test_restart_bills_the_gap();
    test_host_crash();
    test_fallen_counter();
    test_domid_and_slot_reuse();
    test_end_of_money();
    test_torn_slot();
    test_lost_log();
    test_lost_log_carried();
    test_old_copy();
    return tap_end();
}
