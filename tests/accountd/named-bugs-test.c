/* Billing bugs that others had, by name: what happened there must not happen here. */
#include "tests/accountd/life.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/registry.h"
#include "tests/tap/tap.h"

#include <string.h>

#define S 1000000000ull
#define MONEY 1000000000

static void begin(struct life *life)
{
    life_begin(life);
    life_account(life, "acc", MONEY);
}

static void runs_for(struct life *life, unsigned minutes)
{
    while (minutes--) {
        life_slot(life, 2)->guest_ns += 10 * S;
        life_step(life, 60 * S);
    }
}

/* CloudStack 13112: the checkpoint of the usage job did not advance, and the next run wrote the same rows again. */
static void checkpoint_does_not_advance(void)
{
    struct life life;
    int64_t posted, entries, again;

    begin(&life);
    life_birth(&life, 2, 0xaa);
    check(life_register(&life, "acc", "ins", 0xaa) == LEDGER_OK, "CloudStack 13112: an instance runs");
    runs_for(&life, 5);
    posted = life_posted(&life, "acc");
    db_int(life.a.ledger->db, &entries, "SELECT count(*) FROM transfer", "");
    check(posted < MONEY && db_run(life.a.ledger->db, "UPDATE log SET charged_to = 1", "") == 0,
          "it is charged; the cursor falls back");
    check(charge_run(&life.a) != 0, "charging again is refused: these leaves are charged");
    db_int(life.a.ledger->db, &again, "SELECT count(*) FROM transfer", "");
    check(life_posted(&life, "acc") == posted && again == entries, "no row and no nano was doubled");
    life_end(&life);
}

/* CloudStack 10789: volumes that were deleted went on being billed. */
static void deleted_bills_for_ever(void)
{
    struct life life;
    int64_t posted;

    begin(&life);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    runs_for(&life, 3);
    life_death(&life, 2);
    ledger_instance_close(life.a.ledger, "ins");
    check(life_step(&life, S) == 0 && life_leaves(&life, "acc", "ins", "end") == 1,
          "CloudStack 10789: an instance is deleted");
    posted = life_posted(&life, "acc");
    /* Its slot stays: nobody acknowledged the tombstone. */
    for (unsigned day = 0; day < 40; day++)
        life_step(&life, 86400 * S);
    check(life_posted(&life, "acc") == posted && life_held(&life, "acc") == 0,
          "40 days later it has cost nothing more");
    check(life_reopen(&life) && life_step(&life, 86400 * S) == 0 && life_posted(&life, "acc") == posted,
          "nor after a restart");
    life_end(&life);
}

/* CloudStack 13555, OpenNebula 6387: after a resize the old size was billed. */
static void resize_bills_the_old_size(void)
{
    struct ledger_registration r = { .account = "acc", .instance = "ins", .reserved = { 8, 4096 }, .price_book = 1 };
    struct life life;
    int64_t held, available;
    struct meter_usage billed;

    begin(&life);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    life_step(&life, 100 * S);
    life_death(&life, 2);
    life_step(&life, 0);
    /* From 2 vCPUs and 512 MiB to 8 and 4096: a new incarnation. */
    life_birth(&life, 3, 0xbb);
    strcpy(r.incarnation, life_hex(0xbb));
    strcpy(r.domain_uuid, life_hex(0xbb));
    check(ledger_register(life.a.ledger, &r, 1000, 3, &held, &available) == LEDGER_OK,
          "CloudStack 13555, OpenNebula 6387: an instance is resized");
    life_step(&life, 100 * S);
    life_death(&life, 3);
    life_step(&life, 0);
    billed = life_billed(&life, "acc", "ins");
    check(billed.of[METER_VCPU_RESERVED] == 2 * 100 * S + 8 * 100 * S,
          "each size is billed for its own time, to the nanosecond");
    check(billed.of[METER_MEMORY_RESERVED] == (unsigned __int128)(512 + 4096) * 100 * S, "memory too");
    life_end(&life);
}

/* caso 56: a rescued server's counters began again, and its usage was negative. */
static void rescue_is_negative(void)
{
    struct life life;
    int64_t before, after;
    struct meter_usage billed;

    begin(&life);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    runs_for(&life, 5);
    before = life_posted(&life, "acc");
    billed = life_billed(&life, "acc", "ins");
    life_slot(&life, 2)->guest_ns = 0;
    life_step(&life, 60 * S);
    after = life_posted(&life, "acc");
    check(after <= before && life_leaves(&life, "acc", "ins", "anomaly") == 1,
          "caso 56: counters that begin again are an anomaly, and nothing is given back");
    check(life_billed(&life, "acc", "ins").of[METER_CPU_USED] == billed.of[METER_CPU_USED],
          "no CPU time is billed for it");
    runs_for(&life, 1);
    check(life_billed(&life, "acc", "ins").of[METER_CPU_USED] == billed.of[METER_CPU_USED] + 10 * S,
          "what follows is billed as it is");
    life_end(&life);
}

/* OpenMeter 5118: an event's id was claimed before the event was written; the write failed, and its repetition was
 * dropped. */
static void claim_before_write(void)
{
    struct life life;
    int64_t posted;

    begin(&life);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    runs_for(&life, 2);
    posted = life_posted(&life, "acc");
    db_run(life.a.ledger->db, "CREATE TEMP TRIGGER fails BEFORE INSERT ON transfer WHEN NEW.credit = 'revenue:cpu_used'"
           " BEGIN SELECT RAISE(ABORT, 'the write fails'); END", "");
    life_slot(&life, 2)->guest_ns += 10 * S;
    check(life_step(&life, 60 * S) != 0 && life_posted(&life, "acc") == posted,
          "OpenMeter 5118: a charge fails in its middle, and nothing of it stays");
    db_run(life.a.ledger->db, "DROP TRIGGER fails", "");
    check(charge_run(&life.a) == 0 && life_posted(&life, "acc") < posted,
          "done again, it is charged and not taken for a repetition");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

int main(void)
{
    checkpoint_does_not_advance();
    deleted_bills_for_ever();
    resize_bills_the_old_size();
    rescue_is_negative();
    claim_before_write();
    return tap_end();
}
