/* The cap: nobody uses more than is paid for.
 *
 * Each second the newest sample says what the running instances of each payer (a wallet or a
 * purchase order's purse) have used since it was last charged, and how fast they go on. When that, and what one
 * more turn of the loop would use, reaches the payer's money (holds included), all of
 * its instances are suspended at once. What was used past the money is the host's to carry.
 *
 *   ok -> suspended: paused, memory kept, for grace_suspended_s
 *      -> stopped: powered off, kept for retention_s
 *      -> deleted
 *
 * Money that pays for a minute of what ran makes it ok again: who is suspended goes on, who was stopped is
 * started by the customer, not by us. Graces count the host's own running time (hv's clock): no step of the wall
 * clock shortens them, and time while the host is down does not count.
 *
 * An operator's suspension (bars.c) wants the same of an instance as its payer's want of money, for as long as it
 * stands; it has no graces. Who is out of money too goes on when both are settled.
 *
 * What is wanted of an instance is a row before the provisioner is asked, and is asked again until it is so:
 * kill -9 at any point is followed by the same end. From the provisioner's word that it is paused until
 * its word that it may run, its records carry RECORD_UNPAID and bill nothing.
 */
#ifndef ACCOUNTD_CAP_CAP_H
#define ACCOUNTD_CAP_CAP_H

#include "accountd/acker.h"
#include "accountd/ledger/ledger.h"

#define CAP_LOOP_NS 1000000000ull
#define CAP_HOUR_NS 3600000000000ull    /* what a burn is told in */
#define CAP_RING    16                  /* samples that the burn is averaged over */
#define CAP_STEPS   4                   /* balance.c: 50 %, 20 %, 10 %, less than a day */

struct accountd;
struct journal_entry;

enum cap_state { CAP_OK, CAP_SUSPENDED, CAP_STOPPED, CAP_DELETED, CAP_STATES };
extern const char *const cap_state_names[CAP_STATES];

/* From accountd.conf; hv's time. */
struct cap_graces {
    int64_t suspended_s, retention_s;
};

struct cap_payer {
    char payer[LEDGER_ACCOUNT_BYTES], account[RECORD_NAME_BYTES];

    /* A row of ledger.db while it is not ok. */
    enum cap_state state;
    int64_t since_ms;                   /* UTC, for people */
    char boot[RECORD_HEX_BYTES];        /* elapsed_ms counts up to mark_ns of this boot */
    uint64_t mark_ns;
    int64_t elapsed_ms;                 /* in this state */
    int64_t minute_nano;                /* what its instances used in a minute: a top-up must bring more */

    /* Of the ledger, read when it has changed. */
    int64_t money_nano, charged_nano;   /* posted; sum of use and tax since we look */
    int64_t seq;                        /* the newest transfer in that sum */
    int64_t top_up_nano;                /* the newest credit from its owner or an operator; 0: none */

    /* Of the newest sample. */
    unsigned live;                      /* instances that are billed as they run */
    int64_t uncharged_nano;
    struct { uint64_t t_ns; int64_t used_nano; } ring[CAP_RING];
    unsigned rounds;                    /* samples put into it */

    /* Being stopped (stops.c). */
    bool stopping;
    uint64_t gone_ns;                   /* when the money was used up */
    int64_t gone_used_nano;             /* of used_nano, what the money paid */
    int64_t gone_ms;

    signed char told[CAP_STEPS];        /* balance.c: 1 raised, -1 cleared, 0 not known */
};

/* A row of ledger.db. */
struct cap_instance {
    char instance[RECORD_NAME_BYTES], account[RECORD_NAME_BYTES], payer[LEDGER_ACCOUNT_BYTES];
    enum acker_want want;
    bool barred;                        /* an operator says so too; not stored, its bar is */
    bool held;                          /* the provisioner has said that it does not run: it bills nothing */
    bool came;                          /* what is wanted is so; not stored */
    uint64_t guest_ns, seen_ns;         /* its counter, and in which sample; stops.c */
    bool stopped;                       /* the counter stands still */
    int64_t stop_ms;                    /* since the money was gone */
};

#define CAP_REASON_BYTES 257

/* A row of ledger.db: an operator has suspended this account, or this instance of it. */
struct cap_bar {
    char subject[RECORD_NAME_BYTES], account[RECORD_NAME_BYTES];
    char operator_id[RECORD_NAME_BYTES], reason[CAP_REASON_BYTES];
    int64_t at_ms;
};

struct cap {
    struct cap_graces graces;
    struct cap_payer *payers;
    unsigned payers_count, payers_room;
    struct cap_instance *instances;
    unsigned instances_count, instances_room;
    struct cap_bar *bars;
    unsigned bars_count, bars_room;
    struct cap_base *bases;             /* price.c */
    unsigned bases_count, bases_room;
    struct cap_bill *bills;
    unsigned bills_count, bills_room;
    int64_t changes;                    /* of the ledger, when it was last read */
    struct budget_sum *budgets;         /* budgets.c */
    unsigned budgets_count;
    bool budgets_read;
    int64_t budget_changes;             /* of the ledger, when their sums were last read */
};

/* What was stored. -1 after logging. */
int cap_open(struct accountd *a, const struct cap_graces *graces);
void cap_close(struct accountd *a);

/* Of the provisioner's words; true: something came about, and a sample is due now to turn records by. */
bool cap_answers(struct accountd *a);
/* Before a sample is settled: which records bill. */
void cap_mark(struct accountd *a);
/* After it: who has no money left, who has some again, whose grace is over, whom an operator has suspended. -1: not all
 * could be stored, the next sample does it again. */
int cap_watch(struct accountd *a);

/* Whether the payer's instances may run. Looks at its money anew. */
bool cap_allows(struct accountd *a, const char *payer);
/* Adds to a wallet's or order's JSON: cap_state, burn_nano_per_hour, lasts_until_ms (null: it burns nothing). */
void cap_show(struct accountd *a, const char *payer, json_t *object);
/* {loop_ms, grace_suspended_s, retention_s, events, stops, p50_ms, p99_ms, max_ms, overshoot_max_nano, last:[...]} */
json_t *cap_report(struct accountd *a);
/* EXISTS: it is suspended by an operator already. NOT_FOUND: it is not. FAILED: nothing has changed. What follows comes
 * about with the next cap_watch. */
enum ledger_result cap_bar_put(struct accountd *a, const struct cap_bar *bar);
enum ledger_result cap_bar_drop(struct accountd *a, const char *subject);
/* The bar that keeps this instance, or all of this account, from running; NULL: none. */
const struct cap_bar *cap_bar_find(const struct cap *cap, const char *account, const char *instance);
/* As an entry of cap_suspensions. */
json_t *cap_bar_json(const struct accountd *a, const struct cap_bar *bar);
/* What a suspension would stop: {instances:[{instance_id, paused (it is already)}], burn_nano_per_hour, uncharged_nano};
 * the last two of all of the account. */
json_t *cap_bar_preview(const struct accountd *a, const char *account, const char *instance /* or NULL */);
/* [{payer, account_id, state, by, since_ms, next, next_in_ms, instances:[{instance_id, want, held}]}] of an account or
 * all. by: money, or operator: then with operator and reason. */
json_t *cap_suspensions(struct accountd *a, const char *account);

/* Below: the cap's own files. */
struct cap_payer *cap_payer_get(struct accountd *a, const char *payer, const char *account);
struct cap_payer *cap_payer_find(struct cap *cap, const char *payer);
struct cap_instance *cap_instance_find(struct cap *cap, const char *instance);
struct cap_instance *cap_instance_add(struct cap *cap, const char *instance, const char *account, const char *payer);
/* What is wanted of an instance of a payer in this state: money alone lets nobody go on whom an operator has suspended.
 */
enum acker_want cap_want(enum cap_state state, bool barred);
/* Is it a guest that lives, in the newest sample? */
bool cap_entry_runs(const struct journal_entry *e);

/* Until the next step; below zero when it is due. */
int64_t cap_grace_left_ms(const struct accountd *a, const struct cap_payer *p);
/* show.c: the alert of the state it is in now. */
int cap_say(struct accountd *a, const struct cap_payer *p);

/* A list's room for one more; out of memory ends the daemon, which loses nothing. */
void *cap_room(void *list, unsigned count, unsigned *room, size_t bytes);

/* bars.c */
bool cap_bar_is_about(const struct cap_bar *bar, const char *account, const char *instance);
void bars_keep(struct cap *cap, const struct cap_bar *bar);
int bars_watch(struct accountd *a);

/* price.c: before the first cap_price of a sample; what use costs on top of all that was priced since. */
void cap_prices_begin(struct cap *cap, bool changed);
void cap_prices_free(struct cap *cap);
int cap_price(struct accountd *a, struct journal_entry *e, const struct meter_usage *usage, int64_t *nano);

/* use.c: fills money, uncharged and ring of all payers from the newest sample. */
int cap_measure(struct accountd *a);
int64_t cap_used(const struct cap_payer *p);
int64_t cap_left(const struct cap_payer *p);
/* Averaged over the ring, and of the last sample alone if that was more. */
int64_t cap_burn(const struct cap_payer *p, uint64_t ns);

/* stops.c */
void stops_begin(struct accountd *a, struct cap_payer *p);
int stops_watch(struct accountd *a);

/* balance.c, budgets.c */
int balance_watch(struct accountd *a, struct cap_payer *p);
int budgets_watch(struct accountd *a);
/* They have been changed: to be read again. */
void budgets_forget(struct cap *cap);
void budgets_free(struct cap *cap);
/* [{budget_id, account_id, amount_nano, steps:[50,...], period: "2026-11", spent_nano}]. NULL on failure. */
json_t *budgets_json(struct accountd *a, const char *account);

#endif
