#include "tests/accountd/sim.h"
#include "tests/accountd/disk.h"
#include "accountd/funding/payment.h"
#include "accountd/ledger/fund.h"
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/price_proposals.h"
#include "accountd/ledger/purchase_orders.h"
#include "accountd/ledger/registry.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define S   1000000000ull
#define EUR 1000000000ll

const char *const sim_accounts[SIM_ACCOUNTS] = { "ann", "bob", "cem" };

static unsigned dice(struct sim *s, unsigned sides)
{
    s->dice = s->dice * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(s->dice >> 33) % sides;
}

/* The disk of a host that has just been installed, made once. */
static struct disk *fresh_disk(void)
{
    static struct disk *fresh;
    static struct life life;

    if (fresh)
        return fresh;
    disk_clock(1700000000000);
    life_begin(&life);
    for (unsigned i = 0; i < SIM_ACCOUNTS; i++)
        life_account(&life, sim_accounts[i], 0);
    accountd_close(&life.a);
    disk_watch(life.dir);
    fresh = disk_first();
    disk_rest();
    life_end(&life);
    return fresh;
}

static void new_folder(char dir[static 64])
{
    strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/xs-sim-XXXXXX" : "/tmp/xs-sim-XXXXXX");
    if (!mkdtemp(dir))
        exit(99);
}

/* accountd ends as it may, and starts on what that leaves. */
static void restart(struct sim *s, enum disk_ending ending)
{
    char dir[64];

    disk_failed();
    disk_rest();
    new_folder(dir);
    disk_leave(disk_now(), ending, s->dice, dir);
    life_end(&s->life);
    strcpy(s->life.dir, dir);
    disk_watch(dir);
    s->alive = life_reopen(&s->life);
    s->restarts++;
}

static struct sim_life *in_slot(struct sim *s, unsigned slot)
{
    for (unsigned i = 0; i < s->born; i++)
        if (s->lives[i].slot == slot && (s->lives[i].live || s->lives[i].dead))
            return &s->lives[i];
    return NULL;
}

static uint8_t tag_of(const struct sim *s, const struct sim_life *l)
{
    return (uint8_t)(l - s->lives + 1);
}

/* The host. */
static void integrate(struct sim *s, struct sim_life *l)
{
    struct xs_stats_slot *slot = life_slot(&s->life, l->slot);
    unsigned __int128 integral = (unsigned __int128)slot->page_ns_hi << 64 | slot->page_ns_lo;

    integral += (unsigned __int128)slot->pages * (s->life.now_ns - slot->page_since_ns);
    slot->page_ns_lo = (uint64_t)integral;
    slot->page_ns_hi = (uint64_t)(integral >> 64);
    slot->page_since_ns = s->life.now_ns;
    l->page_ns = integral;
}

static void pass(struct sim *s, uint64_t ns)
{
    for (unsigned i = 0; i < s->born; i++) {
        struct sim_life *l = &s->lives[i];
        uint64_t used = ns / (2 + dice(s, 6));

        if (!l->live)
            continue;
        l->cpu_ns += used;
        s->cpu_total_ns += used;
        life_slot(&s->life, l->slot)->guest_ns += used - used / 10;
        life_slot(&s->life, l->slot)->hv_ns += used / 10;
        life_slot(&s->life, l->slot)->disk_read_ops += dice(s, 1000);
        life_slot(&s->life, l->slot)->net_tx_bytes += dice(s, 1u << 30);
    }
    s->life.now_ns += ns;
    s->utc_ms += (int64_t)(ns / 1000000);
}

static void give_birth(struct sim *s, unsigned slot, const char *instance, unsigned account)
{
    struct sim_life *l = &s->lives[s->born];

    if (s->born == SIM_LIVES)
        return;
    *l = (struct sim_life){ .slot = slot, .account = account, .live = true, .born_ns = s->life.now_ns,
                            .reserved = { 1 + dice(s, 4), 256 * (1 + dice(s, 4)) } };
    if (instance)
        snprintf(l->instance, sizeof(l->instance), "%s", instance);
    else
        snprintf(l->instance, sizeof(l->instance), "ins%u", s->born);
    s->born++;
    life_birth(&s->life, slot, tag_of(s, l))->pages = dice(s, 100000);
}

static void fall_down(struct sim *s, struct sim_life *l)
{
    integrate(s, l);
    life_death(&s->life, l->slot);
    l->died_ns = s->life.now_ns;
    l->live = false;
    l->dead = true;
}

static void vanish(struct sim *s, struct sim_life *l)
{
    const struct journal_entry *e = journal_find(&s->life.a.journal, life_hex(tag_of(s, l)));

    l->lost = l->live || !e || !e->ended;
    l->live = l->dead = false;
    *life_slot(&s->life, l->slot) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
}

static void host_restarts(struct sim *s)
{
    for (unsigned slot = 2; slot < SIM_SLOTS; slot++)
        if (in_slot(s, slot))
            vanish(s, in_slot(s, slot));
    restart(s, (enum disk_ending)dice(s, DISK_ENDINGS));
    s->life.boot++;
    s->life.now_ns = S * (1 + dice(s, 100));
}

/* Callers: each remembers what it asked for, so that it can ask again. */
static bool note(struct sim *s, const char *kind, const char *id, unsigned account, int64_t nano, enum ledger_result r)
{
    struct sim_deed *d = NULL;

    for (unsigned i = 0; i < s->done; i++)
        if (strcmp(s->deeds[i].id, id) == 0)
            d = &s->deeds[i];
    if (!d && s->done < SIM_DEEDS && (r == LEDGER_OK || r == LEDGER_FAILED)) {
        d = &s->deeds[s->done++];
        *d = (struct sim_deed){ .account = account, .nano = nano };
        snprintf(d->id, sizeof(d->id), "%s", id);
        snprintf(d->kind, sizeof(d->kind), "%s", kind);
    }
    if (d && (r == LEDGER_OK || r == LEDGER_EXISTS))
        d->acknowledged = true;
    return r == LEDGER_OK || r == LEDGER_EXISTS;
}

static void fund(struct sim *s)
{
    unsigned account = dice(s, SIM_ACCOUNTS);
    int64_t nano = dice(s, 3) ? 1 + dice(s, 1000000000) : EUR * dice(s, 100) + 1;
    char id[24];

    snprintf(id, sizeof(id), "f%u", s->done);
    note(s, "fund", id, account, nano,
         ledger_fund(s->life.a.ledger, id, sim_accounts[account], nano, NULL, "given", s->utc_ms));
}

static void ask_again(struct sim *s)
{
    const struct sim_deed *d = s->done ? &s->deeds[dice(s, s->done)] : NULL;

    /* With another amount too: that is refused once the first is known to be there. */
    if (d && strcmp(d->kind, "fund") == 0)
        note(s, d->kind, d->id, d->account, d->nano,
             ledger_fund(s->life.a.ledger, d->id, sim_accounts[d->account], d->nano + (d->acknowledged && dice(s, 2)),
                         NULL, "given", s->utc_ms));
}

static void card_pays(struct sim *s)
{
    unsigned account = dice(s, SIM_ACCOUNTS), cents = 1 + dice(s, 10000),
             n = dice(s, 3) ? s->done : dice(s, s->done + 1);
    char body[400], id[24], outcome[PAYMENT_OUTCOME_BYTES];
    struct webhook_event event;
    struct json_why why;

    for (unsigned i = 0; i < s->done; i++) {
        snprintf(id, sizeof(id), "pi_%u", n);
        if (strcmp(s->deeds[i].id, id) == 0) {
            account = s->deeds[i].account;
            cents = (unsigned)(s->deeds[i].nano / 10000000);
        }
    }
    snprintf(id, sizeof(id), "pi_%u", n);
    snprintf(body, sizeof(body),
             "{\"id\":\"evt_%u\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"%s\","
             "\"amount_received\":%u,\"currency\":\"eur\",\"metadata\":{\"account_id\":\"%s\"}}}}",
             n, id, cents, sim_accounts[account]);
    if (webhook_parse(body, strlen(body), &event, &why))
        exit(99);
    note(s, "card", id, account, cents * 10000000ll,
         payment_apply(s->life.a.ledger, "EUR", &event, body, s->utc_ms, outcome));
}

static void order(struct sim *s)
{
    unsigned n = s->orders && dice(s, 2) ? dice(s, s->orders) : s->orders, account = n % SIM_ACCOUNTS;
    struct purchase_order o = { .name = "project", .amount_nano = 1 + dice(s, 2000000000) };
    int64_t available;
    char id[24];

    snprintf(o.id, sizeof(o.id), "p%u", n);
    snprintf(o.account, sizeof(o.account), "%s", sim_accounts[account]);
    o.end_ms = dice(s, 2) ? s->utc_ms + 1 + dice(s, 1000000000) : 0;
    if (n == s->orders && purchase_order_create(s->life.a.ledger, &o, s->utc_ms, &available) == LEDGER_OK) {
        s->orders++;
    } else if (n < s->orders && dice(s, 2)) {
        snprintf(id, sizeof(id), "a%u", s->done);
        note(s, "add", id, account, o.amount_nano,
             purchase_order_add(s->life.a.ledger, id, o.id, o.account, o.amount_nano, s->utc_ms, &available));
    } else if (n < s->orders) {
        purchase_order_close(s->life.a.ledger, o.id, o.account, s->utc_ms);
    }
}

static void launch(struct sim *s, struct sim_life *l)
{
    struct ledger_registration r = { .reserved = l->reserved };
    const struct rate_book *book = price_book_at(s->life.a.ledger, s->utc_ms);
    int64_t held, available;
    enum ledger_result result;

    if (!book)
        return;
    r.price_book = book->version;
    snprintf(r.account, sizeof(r.account), "%s", sim_accounts[l->account]);
    snprintf(r.instance, sizeof(r.instance), "%s", l->instance);
    snprintf(r.incarnation, sizeof(r.incarnation), "%s", life_hex(tag_of(s, l)));
    snprintf(r.domain_uuid, sizeof(r.domain_uuid), "%s", life_hex(tag_of(s, l)));
    if (s->orders && dice(s, 3) == 0)
        snprintf(r.payer, sizeof(r.payer), "po:p%u", dice(s, s->orders));
    result = ledger_register(s->life.a.ledger, &r, 1 + dice(s, 100000000), s->utc_ms, &held, &available);
    l->registered = l->registered || result == LEDGER_OK || result == LEDGER_EXISTS;
}

/* A resize or reboot: the instance goes on as a new incarnation, of another size. */
static void resize(struct sim *s, struct sim_life *l)
{
    unsigned slot = 2;

    fall_down(s, l);
    while (slot < SIM_SLOTS && in_slot(s, slot))
        slot++;
    if (slot < SIM_SLOTS)
        give_birth(s, slot, l->instance, l->account);
}

static json_t *meter_price(struct sim *s, const struct meter_quantity_row *row)
{
    json_t *price = json_pack("{s:s, s:s}", "meter", row->name, "unit", row->unit), *tiers = json_array();
    char den[24];

    snprintf(den, sizeof(den), "%u", 1 + dice(s, 97));
    for (unsigned i = 0, above = 0; i < 1 + dice(s, 3); i++, above += 1 + dice(s, 10000))
        json_array_append_new(tiers, json_pack("{s:o, s:o, s:s}", "above", json_decimal(above), "num_nano",
                                               json_decimal(dice(s, 1000000)), "den", den));
    json_object_set_new(price, "tiers", tiers);
    if (dice(s, 3) == 0)
        json_object_set_new(price, "free", json_decimal(dice(s, 1000)));
    if (dice(s, 3) == 0)
        json_object_set_new(price, "minimum_nano", json_decimal(dice(s, 1000000000)));
    return price;
}

static void new_prices(struct sim *s)
{
    json_t *book = json_pack("{s:s, s:I, s:[]}", "currency", "EUR", "version", (json_int_t)s->books + 2, "meters");
    char when[32], *body;
    struct tm tm;
    time_t at = (time_t)(s->utc_ms / 1000);

    for (int q = 0; q < METER_QUANTITIES; q++)
        json_array_append_new(json_object_get(book, "meters"), meter_price(s, &meter_quantities[q]));
    if (dice(s, 2)) {
        at += dice(s, 86400);
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
        json_object_set_new(book, "moves_running_at", json_string(when));
    }
    body = json_canonical(book);
    if (price_propose(s->life.a.ledger, s->books + 2, body, "ann", s->utc_ms) == LEDGER_OK &&
        price_publish(s->life.a.ledger, s->books + 2, "bob", s->utc_ms) == LEDGER_OK)
        s->alive = tariff_settle(&s->life.a) == 0 || disk_failed();
    s->books++;
    free(body);
    json_decref(book);
}

static void invoice(struct sim *s, unsigned account)
{
    char id[24];
    json_t *body = NULL;
    struct json_why why;

    snprintf(id, sizeof(id), "inv%u", s->invoices);
    if (accountd_settle(&s->life.a, 0, sim_accounts[account]) == 0 &&
        invoice_create(&s->life.a, id, sim_accounts[account], &body, &why) == LEDGER_OK)
        s->invoices++;
    json_decref(body);
}

static int settle(struct sim *s)
{
    struct sample *sample = &s->life.a.sample;
    int rc;

    disk_clock(s->utc_ms);
    sample->now_ns = s->life.now_ns;
    memset(sample->header.boot_id, s->life.boot, sizeof(sample->header.boot_id));
    for (unsigned i = 0; i < sample->slots; i++)
        sample->slot_read[i] = sample->slot[i].state == XS_SLOT_EMPTY ? SAMPLE_EMPTY
            : dice(s, 30) == 0 ? SAMPLE_TORN : SAMPLE_READ;
    s->life.a.clock = (struct journal_clock){ .utc_ms = s->utc_ms, .error_ms = 5 };
    rc = accountd_settle(&s->life.a, 0, NULL);
    return rc ? rc : invoice_month_run(&s->life.a);
}

/* hv frees what accountd has the end of. */
static void free_slots(struct sim *s)
{
    for (unsigned slot = 2; slot < SIM_SLOTS; slot++) {
        struct sim_life *l = in_slot(s, slot);
        const struct journal_entry *e = l && l->dead ? journal_find(&s->life.a.journal, life_hex(tag_of(s, l))) : NULL;

        if (!e || !e->ended || journal_freed(&s->life.a.journal, life_hex(tag_of(s, l))))
            continue;
        l->dead = false;
        *life_slot(&s->life, slot) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
    }
}

static void jump(struct sim *s)
{
    int64_t years = (int64_t)dice(s, 7) - 3, days = (int64_t)dice(s, 61) - 30;

    s->utc_ms += (years * 365 + days) * 86400000;
    if (s->utc_ms < 1000000000000 || s->utc_ms > 4000000000000)
        s->utc_ms = 1700000000000;
    s->jumps++;
}

static void guest_lives(struct sim *s)
{
    unsigned slot = 2 + dice(s, SIM_SLOTS - 2);
    struct sim_life *l = in_slot(s, slot);

    if (!l)
        give_birth(s, slot, NULL, dice(s, SIM_ACCOUNTS));
    else if (l->live && !l->registered)
        launch(s, l);
    else if (l->live && dice(s, 6) == 0)
        fall_down(s, l);
    else if (l->live && dice(s, 6) == 0)
        resize(s, l);
    else if (l->live && dice(s, 30) == 0)
        vanish(s, l);
    else if (l->live && dice(s, 30) == 0 && (l->fell = true))
        life_slot(&s->life, slot)->disk_read_ops = 0;
    else if (l->live) {
        integrate(s, l);
        life_slot(&s->life, slot)->pages = dice(s, 100000);
    }
}

static void happen(struct sim *s)
{
    switch (dice(s, 24)) {
    case 0: restart(s, DISK_KILL); break;
    case 1: restart(s, (enum disk_ending)dice(s, DISK_ENDINGS)); break;
    case 2:
        disk_fail((enum disk_fault)dice(s, DISK_FAULTS), 1 + dice(s, 40), 1 + dice(s, 5));
        s->faults++;
        break;
    case 3: dice(s, 3) ? card_pays(s) : host_restarts(s); break;
    case 4: jump(s); break;
    case 5: new_prices(s); break;
    case 6: invoice(s, dice(s, SIM_ACCOUNTS)); break;
    case 7:
    case 8: fund(s); break;
    case 9: ask_again(s); break;
    case 10: card_pays(s); break;
    case 11:
    case 12: order(s); break;
    default: guest_lives(s); break;
    }
}

/* Everybody goes home: guests end, instances close, all is invoiced. */
static void wind_down(struct sim *s)
{
    disk_failed();
    for (unsigned i = 0; i < s->born; i++)
        if (s->lives[i].live)
            fall_down(s, &s->lives[i]);
    for (unsigned tries = 0; tries < 4; tries++) {
        pass(s, 61 * S);
        s->alive = s->alive && settle(s) == 0;
        free_slots(s);
    }
    for (unsigned i = 0; i < s->born; i++)
        if (s->lives[i].registered)
            ledger_instance_close(s->life.a.ledger, s->lives[i].instance);
    s->alive = s->alive && settle(s) == 0;
    for (unsigned i = 0; i < SIM_ACCOUNTS; i++)
        invoice(s, i);
}

void sim_play(struct sim *s, uint64_t seed, unsigned steps)
{
    bool loud = s->loud;

    *s = (struct sim){
        .seed = seed, .dice = seed * 0x9e3779b97f4a7c15ull, .utc_ms = 1700000000000, .alive = true, .loud = loud};
    new_folder(s->life.dir);
    disk_leave(fresh_disk(), DISK_KILL, 0, s->life.dir);
    s->life.boot = 1;
    s->life.now_ns = S;
    s->life.a.sample.header.nr_cpus = s->life.a.sample.cpus = 1;
    s->life.a.sample.slots = SIM_SLOTS;
    disk_clock(s->utc_ms);
    disk_watch(s->life.dir);
    s->alive = life_reopen(&s->life);
    for (unsigned step = 0; step < steps && s->alive; step++) {
        pass(s, dice(s, 20) == 0 ? S * dice(s, 3000000) : S / 2 + dice(s, 100) * S);
        settle(s);                      /* may fail: the disk does */
        free_slots(s);
        happen(s);
    }
    if (s->alive)
        wind_down(s);
}

void sim_end(struct sim *s)
{
    disk_failed();
    disk_rest();
    life_end(&s->life);
}
