/* The host's own books over scripted hours: they close through births, deaths, restarts and a reboot; each kind of
 * drift is named, and is over when it is mended. */
#include "accountd/cap/alerts.h"
#include "accountd/hostbooks.h"
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

static struct life life;
static int written;                     /* statements */

static void add_cpu(unsigned cpu, uint64_t guest_ns, uint64_t hv_ns)
{
    struct xs_stats_cpu *c = &life.a.sample.cpu[cpu];

    c->charged_until_ns = life.now_ns + 60 * S;
    c->guest_ns += guest_ns;
    c->hv_ns += hv_ns;
    c->idle_ns += 60 * S - guest_ns - hv_ns;
}

/* A minute: 10 s of dom0, 1 s of hv, 20 s of each guest that lives, the rest idle. */
static void minute(void)
{
    uint64_t guest_ns = 10 * S;

    life_slot(&life, 0)->hv_ns += S;
    life_slot(&life, 1)->guest_ns += 10 * S;
    for (unsigned i = 2; i < 4; i++)
        if (life_slot(&life, i)->state == XS_SLOT_LIVE) {
            life_slot(&life, i)->guest_ns += 20 * S;
            guest_ns += 20 * S;
        }
    add_cpu(0, guest_ns, S);
    add_cpu(1, 0, 0);
    if (life_step(&life, 60 * S))
        exit(99);
    switch (hostbooks_run(&life.a)) {
    case 1:
        written++;
        if (head_sign(&life.a.head, 1) || charge_run(&life.a))
            exit(99);
        break;
    case 0:
        break;
    default:
        exit(99);
    }
}

static void minutes(int count)
{
    for (int i = 0; i < count; i++)
        minute();
}

static void boot(void)
{
    memset(life.a.sample.slot, 0, sizeof(life.a.sample.slot));
    memset(life.a.sample.cpu, 0, sizeof(life.a.sample.cpu));
    life_birth(&life, 0, (uint8_t)(0xd0 + life.boot));
    life_birth(&life, 1, (uint8_t)(0xe0 + life.boot))->domid = 0;
    for (unsigned i = 0; i < 2; i++)
        life.a.sample.cpu[i].online_ns = life.now_ns;
}

static void begin(void)
{
    life_begin(&life);
    written = 0;
    life.now_ns = 60 * S;
    life.a.sample.cpus = 2;
    life.a.sample.cpu_read[0] = life.a.sample.cpu_read[1] = true;
    life_account(&life, "acc", 100000000000);
    boot();
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
}

static int take(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;

    (void)idx;
    (void)type;
    *(json_t **)arg = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    return 0;
}

static json_t *newest(void)
{
    json_t *fields = NULL;

    store_newest_host_leaves(life.a.store, "books", UINT32_MAX, 1, take, &fields);
    return fields;
}

static int64_t number(const json_t *fields, const char *key)
{
    const json_t *value = json_object_get(fields, key);
    int64_t n = INT64_MIN;

    if (json_is_integer(value))
        return json_integer_value(value);
    json_decimal_parse(json_string_value(value), &n);
    return n;
}

/* Everything that a statement promises, and where the time went, in seconds. */
static bool closes(int64_t customers_s, int64_t dom0_s, int64_t hv_s)
{
    json_t *f = newest();
    int64_t wall = number(f, "wall_ns");
    bool good = strcmp(json_string_value(json_object_get(f, "drift")), "") == 0 && number(f, "skew_ns") == 0 &&
                wall == number(f, "cpu_guest_ns") + number(f, "cpu_hv_ns") + number(f, "idle_ns") &&
                wall == number(f, "customers_ns") + number(f, "dom0_ns") + number(f, "unregistered_ns") +
                            number(f, "hv_ns") + number(f, "idle_ns") &&
                number(f, "customers_ns") == customers_s * (int64_t)S && number(f, "dom0_ns") == dom0_s * (int64_t)S &&
                number(f, "hv_ns") == hv_s * (int64_t)S && number(f, "charged_nano") == number(f, "recomputed_nano") &&
                number(f, "charged_nano") > 0;
    char *text = json_dumps(f, 0);

    if (!good)
        printf("# %s\n", text ? text : "no statement");
    free(text);
    json_decref(f);
    return good;
}

/* The standing alert of this key says all of these. */
static bool alerted(const char *key, const char *says, const char *and_says)
{
    json_t *list = alert_list(life.a.ledger, NULL, true, 0, 100), *row;
    bool found = false;
    size_t i;

    json_array_foreach(list, i, row)
        if (strcmp(json_string_value(json_object_get(row, "key")), key) == 0) {
            const char *detail = json_string_value(json_object_get(row, "detail"));

            found = strstr(detail, says) && strstr(detail, and_says);
            printf("# %s: %s\n", key, detail);
        }
    json_decref(list);
    return found;
}

static size_t standing(void)
{
    json_t *list = alert_list(life.a.ledger, NULL, true, 0, 100);
    size_t count = json_array_size(list);

    json_decref(list);
    return count;
}

static bool drifts(const char *what)
{
    json_t *f = newest();
    bool is = strcmp(json_string_value(json_object_get(f, "drift")), what) == 0;

    json_decref(f);
    return is;
}

static void reopened(void)
{
    struct sample sample = life.a.sample;

    if (!life_reopen(&life))
        exit(99);
    life.a.sample = sample;
}

static void test_hours(void)
{
    begin();
    minutes(59);
    check(written == 1 && closes(59 * 20, 59 * 10, 59), "the first hour closes, to the ns and the nano");
    life_birth(&life, 3, 0xbb);
    life_register(&life, "acc", "two", 0xbb);
    minutes(20);
    life_death(&life, 3);
    minutes(10);
    memset(life_slot(&life, 3), 0, sizeof(struct xs_stats_slot));
    journal_freed(&life.a.journal, life_hex(0xbb));
    minutes(30);
    check(written == 2 && closes(60 * 20 + 20 * 20, 600, 60), "with a birth, a death and a freed slot in it");
    minutes(30);
    reopened();
    minutes(30);
    check(written == 3 && closes(60 * 20, 600, 60), "the hour it was restarted in is one statement still");
    life.boot++;
    life.now_ns = 60 * S;
    boot();
    life_birth(&life, 2, 0xcc);
    life_register(&life, "acc", "ins", 0xcc);
    minutes(59);
    check(written == 4 && closes(59 * 20, 59 * 10, 59), "after a reboot of the host it begins at 0 again");
    life.a.books.due_ns = 0;
    minute();
    check(written == 5 && closes(20, 10, 1), "one can be had at any time");
    check(standing() == 0 && life_is_sound(&life), "no alert, and log and ledger are sound");
    life_end(&life);
}

static void test_cpu(void)
{
    begin();
    minutes(59);
    life.a.sample.cpu[1].idle_ns -= 3 * S;
    minutes(60);
    check(drifts("cpu") && alerted("books cpu 1", "CPU 1", "3000000000"), "a CPU that loses time is named");
    life.a.sample.cpu[1].idle_ns += 3 * S;
    minutes(60);
    check(drifts("") && standing() == 0, "and its alert is over when it has it again");
    life_end(&life);
}

static void test_slot(void)
{
    begin();
    minutes(59);
    minutes(30);
    life_slot(&life, 2)->guest_ns += 400 * S;
    minutes(33);
    check(drifts("slots") && alerted("books slots", life_hex(0xaa), "400000000000 ns less"),
          "a slot that counts too much is named by its incarnation");
    for (int i = 0; i < 10; i++)
        life.a.sample.cpu[i / 5].guest_ns += 40 * S, life.a.sample.cpu[i / 5].idle_ns -= 40 * S;
    minutes(60);
    check(drifts("") && standing() == 0, "and the alert is over when the CPUs have it too");
    life_slot(&life, 2)->guest_ns += 150000000;
    minutes(60);
    check(drifts("") && standing() == 0, "what two readings may differ by is no drift");
    life_end(&life);
}

/* A transfer of cpu_used, as if it had never been. */
static void forget_charge(char refers[static 160], char id[static 80], int64_t *nano)
{
    sqlite3 *db = life.a.ledger->db;
    sqlite3_stmt *stmt = db_query(db, "SELECT transfer_id, refers, amount_nano FROM transfer WHERE code = 'usage'"
                                  " AND credit = 'revenue:cpu_used' ORDER BY seq DESC LIMIT 1", "");

    if (db_next(stmt) != 1)
        exit(99);
    snprintf(id, 80, "%s", (const char *)sqlite3_column_text(stmt, 0));
    snprintf(refers, 160, "%s", (const char *)sqlite3_column_text(stmt, 1));
    *nano = sqlite3_column_int64(stmt, 2);
    db_end(stmt);
    if (db_run(db, "DROP TRIGGER transfer_no_delete", "") ||
        db_run(db, "DELETE FROM transfer WHERE transfer_id = ?1", "t", id))
        exit(99);
}

static void test_charge(void)
{
    char refers[160], id[80], leaf[40];
    struct ledger_transfer again = { .kind = "posted", .debit = "acc", .credit = "revenue:cpu_used", .code = "usage",
                                     .reason = "cpu_used", .refers = refers, .id = id };

    begin();
    minutes(59);
    minutes(10);
    forget_charge(refers, id, &again.amount_nano);
    minutes(50);
    snprintf(leaf, sizeof(leaf), "leaf %s ", strrchr(refers, ' ') + 1);
    check(drifts("ledger") && alerted("books ledger", leaf, "cpu_used was charged with 0 nano"),
          "a charge that was taken out of the ledger is named by its leaf");
    minutes(60);
    check(drifts("ledger") && standing() == 1, "an hour later it is still missing");
    check(ledger_apply(life.a.ledger, &again) == LEDGER_OK, "the charge is posted again");
    minutes(60);
    check(drifts("") && standing() == 0, "and the alert is over");
    minutes(60);
    check(closes(60 * 20, 600, 60), "the next hour is one hour again");
    life_end(&life);
}

/* The cursor passes a leaf that was never charged: its sums do not have it, so the search finds it by its charge. */
static void test_uncharged_leaf(void)
{
    uint64_t charged_to, size;
    char *note = NULL;

    begin();
    minutes(59);
    check(ledger_log(life.a.ledger, life.a.head.origin, &charged_to, &size, &note) == 1, "so far all is charged");
    life_slot(&life, 2)->guest_ns += 20 * S;
    add_cpu(0, 20 * S, 0);
    add_cpu(1, 0, 0);
    life.now_ns += 60 * S;
    life.a.sample.now_ns = life.now_ns;
    life.a.clock.utc_ms += 60000;
    check(journal_take(&life.a.journal, &life.a.sample, &life.a.clock, 0, NULL) == 0 &&
              head_sign(&life.a.head, 1) == 0 && ledger_begin(life.a.ledger) == 0 &&
              ledger_log_put_locked(life.a.ledger, life.a.head.origin, life.a.head.size, life.a.head.size,
                                    life.a.head.note) == 0 &&
              ledger_commit(life.a.ledger) == 0,
          "a minute's leaves are passed over");
    minutes(59);
    check(drifts("ledger") && alerted("books ledger", "leaf ", "was charged with"),
          "a leaf without its charge is a drift");
    free(note);
    life_end(&life);
}

int main(void)
{
    test_hours();
    test_cpu();
    test_slot();
    test_charge();
    test_uncharged_leaf();
    return tap_end();
}
