/* What accountd/ledger/ledger.h promises, asked through that header alone: no
 * SQL, no file of the driver's. Another driver is held to it by linking this
 * file with it in place of ledger_sqlite*.c; ledger_open gets a path in an empty folder, and
 * what it puts there is its own. chart.c and ids.c are the same for all drivers.
 *
 * First each verb and each of its results; then random operations, alone and
 * in batches, against a model that is nothing but arrays: the same result each
 * time, the same balances, and the same entries when the file is opened again.
 * LEDGER_FAILED is a disk's doing: tests/accountd/crash-test.c and those like it see to that. */
#include "accountd/ledger/ledger.h"
#include "tests/tap/tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ledger *ledger;
static char dir[32], path[64];

static void open_ledger(void)
{
    ledger = ledger_open(path);
    if (!ledger) {
        printf("Bail out! the ledger does not open\n");
        exit(99);
    }
}

static enum ledger_result apply(const char *id, const char *kind, const char *debit, const char *credit, int64_t nano,
                                const char *pending)
{
    return ledger_apply(ledger, &(struct ledger_transfer){ .id = id, .kind = kind, .debit = debit, .credit = credit,
                                                           .amount_nano = nano, .pending_id = pending, .code = "usage",
                                                           .reason = "why", .refers = "what", .at_ms = 1000 });
}

static bool has(const char *account, int64_t posted, int64_t held)
{
    struct ledger_account a = { .balance = { -1, -1 } };

    if (ledger_account_get(ledger, account, &a) == LEDGER_OK && a.balance.posted_nano == posted &&
        a.balance.held_nano == held)
        return true;
    printf("# %s: posted %jd, held %jd\n", account, (intmax_t)a.balance.posted_nano, (intmax_t)a.balance.held_nano);
    return false;
}

/* --- accounts --- */

static enum ledger_result put(const struct ledger_account *account)
{
    return ledger_begin(ledger) ? LEDGER_FAILED : ledger_finish(ledger, ledger_account_put_locked(ledger, account, 1));
}

static void test_accounts(void)
{
    struct ledger_account purse = { .id = "po:p1", .owner = "ann", .name = "a project", .currency = "EUR" }, got;
    struct ledger_balance balance;
    char name[LEDGER_NAME_BYTES], currency[4];

    check(ledger_account_open(ledger, "ann", "Ann", "EUR", 1) == LEDGER_OK, "an account is opened");
    check(ledger_account_open(ledger, "ann", "Ann", "EUR", 2) == LEDGER_EXISTS, "opened again, later, it exists");
    check(ledger_account_open(ledger, "ann", "Bob", "EUR", 1) == LEDGER_EXISTS_DIFFERENT, "not under another name");
    check(ledger_account_open(ledger, "ann", "Ann", "USD", 1) == LEDGER_EXISTS_DIFFERENT, "nor in another currency");
    check(ledger_account_open(ledger, "bob", "Bob", "USD", 1) == LEDGER_CONFLICT &&
              !ledger_account_exists(ledger, "bob"),
          "a ledger has one currency");
    check(put(&purse) == LEDGER_OK && put(&purse) == LEDGER_EXISTS, "a purse is opened once");
    strcpy(purse.owner, "bob");
    check(put(&purse) == LEDGER_EXISTS_DIFFERENT, "it keeps its owner");
    strcpy(purse.id, "po:p2");
    check(put(&purse) == LEDGER_NOT_FOUND, "nobody's purse is not opened");
    check(ledger_account_get(ledger, "po:p1", &got) == LEDGER_OK && strcmp(got.owner, "ann") == 0 &&
              strcmp(got.name, "a project") == 0 && !got.overdraft && strcmp(got.currency, "EUR") == 0,
          "it is as it was opened");
    check(ledger_account(ledger, "ann", &balance, name, currency) == LEDGER_OK && strcmp(name, "Ann") == 0 &&
          balance.posted_nano == 0 && balance.held_nano == 0 && strcmp(currency, "EUR") == 0, "a wallet begins empty");
    check(ledger_account_get(ledger, "bob", &got) == LEDGER_NOT_FOUND &&
              ledger_account(ledger, "bob", &balance, name, currency) == LEDGER_NOT_FOUND,
          "what is not there is not found");
    check(ledger_account_get(ledger, LEDGER_DEPOSITS_BANK, &got) == LEDGER_OK && got.overdraft && !got.owner[0],
          "the host's own accounts are there, and may run below zero");
    check(ledger_available(ledger, "ann") == 0 && ledger_available(ledger, "bob") == -1 &&
          ledger_available(ledger, LEDGER_HOLDS) == INT64_MAX, "what is available says so");
}

struct names {
    char text[4096];
    int stop_after;
};

static int add_name(void *arg, const struct ledger_account *account)
{
    struct names *names = arg;

    strcat(strcat(names->text, account->id), " ");
    return --names->stop_after == 0 ? 7 : 0;
}

static bool names_are(const char *owner, const char *after, int limit, const char *wanted)
{
    struct names names = { .text = "" };

    if (ledger_each_account(ledger, owner, after, limit, add_name, &names) == 0 && strcmp(names.text, wanted) == 0)
        return true;
    printf("# %s\n", names.text);
    return false;
}

static void test_account_walks(void)
{
    struct names names = { .stop_after = 2 };

    check(names_are("ann", "", -1, "ann po:p1 "), "a customer's accounts: the wallet and the purse");
    check(names_are("ann", "", 1, "ann ") && names_are("ann", "ann", 1, "po:p1 ") && names_are("ann", "po:p1", 1, ""),
          "a page at a time");
    check(names_are("nobody", "", -1, ""), "nobody has none");
    check(names_are(NULL, "", 2, "ann host:carried "), "all are in order of their ids");
    check(ledger_each_account(ledger, NULL, "", -1, add_name, &names) == 7 &&
              strcmp(names.text, "ann host:carried ") == 0,
          "a walk ends where its callback says so");
}

/* --- transfers --- */

static void test_posted(void)
{
    check(apply("f1", "posted", LEDGER_DEPOSITS_BANK, "ann", 1000, NULL) == LEDGER_OK && has("ann", 1000, 0) &&
          has(LEDGER_DEPOSITS_BANK, -1000, 0), "money comes in, on both sides");
    check(apply("f1", "posted", LEDGER_DEPOSITS_BANK, "ann", 1000, NULL) == LEDGER_EXISTS && has("ann", 1000, 0),
          "the same again changes nothing");
    check(apply("f1", "posted", LEDGER_DEPOSITS_BANK, "ann", 1001, NULL) == LEDGER_EXISTS_DIFFERENT &&
              has("ann", 1000, 0),
          "the id with another amount is another transfer");
    check(apply("t1", "posted", "ann", "revenue:cpu_used", 1001, NULL) == LEDGER_INSUFFICIENT && has("ann", 1000, 0),
          "there is never more than there is");
    check(apply("t1", "posted", "ann", "nowhere", 1, NULL) == LEDGER_NOT_FOUND &&
          apply("t1", "posted", "nowhere", "ann", 1, NULL) == LEDGER_NOT_FOUND, "nor without both accounts");
    check(apply("t1", "posted", "ann", "revenue:cpu_used", 400, NULL) == LEDGER_OK && has("ann", 600, 0) &&
          has("revenue:cpu_used", 400, 0), "an id that was refused is free");
    check(apply("t2", "posted", "ann", "tax:DE", 76, NULL) == LEDGER_OK && has("tax:DE", 76, 0),
          "a country's tax account is opened by its first transfer");
    check(apply("t3", "posted", "ann", "tax:Germany", 1, NULL) == LEDGER_NOT_FOUND &&
              apply("t3", "posted", "ann", "revenue:nothing", 1, NULL) == LEDGER_NOT_FOUND,
          "what is no country or meter is not");
    check(apply("t3", "posted", "ann", "tax:FR", 1000, NULL) == LEDGER_INSUFFICIENT &&
              !ledger_account_exists(ledger, "tax:FR"),
          "nor by one that is refused");
}

static void test_content(void)
{
    const struct ledger_transfer t = { .id = "c1", .kind = "pending", .debit = "ann", .credit = LEDGER_HOLDS,
                                       .amount_nano = 5, .code = "hold", .reason = "why", .refers = "what",
                                       .at_ms = 5, .expires_ms = 9 };
    struct ledger_transfer u = t;

    check(ledger_compare(ledger, &t) == LEDGER_NOT_FOUND && ledger_apply(ledger, &t) == LEDGER_OK &&
          ledger_compare(ledger, &t) == LEDGER_EXISTS, "what was applied is known by its id");
    u.at_ms = 999;
    check(ledger_compare(ledger, &u) == LEDGER_EXISTS, "a repetition may come later");
#define DIFFERS(field, value)                                                                                          \
    u = t;                                                                                                             \
    u.field = value;                                                                                                   \
    check(ledger_compare(ledger, &u) == LEDGER_EXISTS_DIFFERENT &&                                                     \
              ledger_apply(ledger, &u) == LEDGER_EXISTS_DIFFERENT,                                                     \
          "another " #field " is another transfer")
    DIFFERS(kind, "posted");
    DIFFERS(debit, "po:p1");
    DIFFERS(credit, LEDGER_CARRIED);
    DIFFERS(amount_nano, 6);
    DIFFERS(pending_id, "f1");
    DIFFERS(code, "usage");
    DIFFERS(reason, "because");
    DIFFERS(refers, "something");
    DIFFERS(expires_ms, 0);
    check(apply("c2", "void", "ann", LEDGER_HOLDS, 5, "c1") == LEDGER_OK && has("ann", 524, 0), "and it is let go");
}

static void test_never(void)
{
    char long_id[LEDGER_ACCOUNT_BYTES + 1];

    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = 0;
    check(apply("n", "posted", "ann", "po:p1", 0, NULL) == LEDGER_CONFLICT, "nothing cannot be moved");
    check(apply("n", "posted", "po:p1", "ann", -1, NULL) == LEDGER_CONFLICT, "nor less");
    check(apply("n", "posted", LEDGER_SUSPENSE, "ann", LEDGER_AMOUNT_MAX + 1, NULL) == LEDGER_CONFLICT, "nor too much");
    check(apply("n", "posted", "ann", "ann", 1, NULL) == LEDGER_CONFLICT, "nor from an account to itself");
    check(apply("n", "given", "ann", "po:p1", 1, NULL) == LEDGER_CONFLICT, "nor in a way that there is not");
    check(apply("n", "posted", "ann", "po:p1", 1, "f1") == LEDGER_CONFLICT, "a posted transfer ends no hold");
    check(apply("n", "post", "ann", "po:p1", 1, NULL) == LEDGER_CONFLICT, "a post ends one");
    check(apply(long_id, "posted", "ann", "po:p1", 1, NULL) == LEDGER_CONFLICT, "an id has a greatest length");
    check(ledger_apply(ledger, &(struct ledger_transfer){.id = "n",
                                                         .kind = "posted",
                                                         .debit = "ann",
                                                         .credit = "po:p1",
                                                         .amount_nano = 1,
                                                         .code = "",
                                                         .reason = "",
                                                         .refers = "",
                                                         .expires_ms = 5}) == LEDGER_CONFLICT,
          "only a hold expires");
    check(has("ann", 524, 0) && has("po:p1", 0, 0), "nothing of that has been");
}

static void test_int64(void)
{
    char id[LEDGER_ID_BYTES];
    int rooms = 0;

    while (apply(ledger_derive_id(id, "room %d", rooms), "posted", LEDGER_REFUNDS, LEDGER_ROUNDING, LEDGER_AMOUNT_MAX,
                 NULL) == LEDGER_OK && rooms < 20)
        rooms++;
    check(rooms == 9 && has(LEDGER_ROUNDING, 9 * LEDGER_AMOUNT_MAX, 0), "nine times the largest amount fits");
    check(apply(id, "posted", LEDGER_REFUNDS, LEDGER_ROUNDING, LEDGER_AMOUNT_MAX, NULL) == LEDGER_CONFLICT,
          "the tenth would leave int64, and is refused");
    for (int i = 0; i < 9; i++)
        apply(ledger_derive_id(id, "back %d", i), "posted", LEDGER_ROUNDING, LEDGER_REFUNDS, LEDGER_AMOUNT_MAX, NULL);
    check(has(LEDGER_ROUNDING, 0, 0) && has(LEDGER_REFUNDS, 0, 0), "and back again");
}

static void test_holds(void)
{
    check(apply("h1", "pending", "ann", LEDGER_HOLDS, 300, NULL) == LEDGER_OK && has("ann", 524, 300) &&
          has(LEDGER_HOLDS, 0, 0) && ledger_available(ledger, "ann") == 224, "a hold sets aside, and moves nothing");
    check(apply("h2", "pending", "ann", LEDGER_HOLDS, 225, NULL) == LEDGER_INSUFFICIENT &&
              apply("t4", "posted", "ann", "revenue:cpu_used", 225, NULL) == LEDGER_INSUFFICIENT,
          "held money is not there twice");
    check(apply("p1", "post", "ann", LEDGER_HOLDS, 301, "h1") == LEDGER_CONFLICT, "no more is posted than was held");
    check(apply("p1", "post", "ann", LEDGER_SUSPENSE, 10, "h1") == LEDGER_CONFLICT, "nor elsewhere");
    check(apply("p1", "post", "ann", LEDGER_HOLDS, 10, "none") == LEDGER_NOT_FOUND &&
          apply("p1", "post", "ann", LEDGER_HOLDS, 10, "f1") == LEDGER_NOT_FOUND, "nor of what is no hold");
    check(apply("v1", "void", "ann", LEDGER_HOLDS, 299, "h1") == LEDGER_CONFLICT, "what is voided is the whole hold");
    check(apply("p1", "post", "ann", LEDGER_HOLDS, 200, "h1") == LEDGER_OK && has("ann", 324, 0) &&
              has(LEDGER_HOLDS, 200, 0),
          "part of it is posted, the rest is free again");
    check(apply("p1", "post", "ann", LEDGER_HOLDS, 200, "h1") == LEDGER_EXISTS && has("ann", 324, 0), "once");
    check(apply("p2", "post", "ann", LEDGER_HOLDS, 100, "h1") == LEDGER_CONFLICT &&
          apply("v1", "void", "ann", LEDGER_HOLDS, 300, "h1") == LEDGER_CONFLICT, "a hold ends once");
    check(apply("h3", "pending", "ann", LEDGER_HOLDS, 324, NULL) == LEDGER_OK &&
              apply("p3", "post", "ann", LEDGER_HOLDS, 324, "h3") == LEDGER_OK && has("ann", 0, 0),
          "a hold is posted whole");
}

static enum ledger_result hold_until(const char *id, int64_t nano, int64_t expires_ms)
{
    return ledger_apply(ledger, &(struct ledger_transfer){ .id = id, .kind = "pending", .debit = "ann",
                                                           .credit = LEDGER_HOLDS, .amount_nano = nano, .code = "hold",
                                                           .reason = "", .refers = "", .at_ms = 1,
                                                           .expires_ms = expires_ms });
}

static void test_expiry(void)
{
    apply("f2", "posted", LEDGER_DEPOSITS_CARD, "ann", 100, NULL);
    check(hold_until("e1", 10, 2000) == LEDGER_OK && hold_until("e2", 20, 1500) == LEDGER_OK &&
          hold_until("e3", 30, 1000) == LEDGER_OK && hold_until("e4", 5, 0) == LEDGER_OK && has("ann", 100, 65),
          "holds may have an end of their own");
    check(apply("x3", "post", "ann", LEDGER_HOLDS, 30, "e3") == LEDGER_CONFLICT,
          "at that time it cannot be posted any more");
    check(apply("x2", "post", "ann", LEDGER_HOLDS, 15, "e2") == LEDGER_OK, "before it can");
    check(ledger_expire(ledger, 999) == 0 && has("ann", 85, 45), "nothing is due before its time");
    check(ledger_expire(ledger, 1999) == 1 && has("ann", 85, 15), "what is due is given back, what was posted is not");
    check(ledger_expire(ledger, 1999) == 0 && has("ann", 85, 15), "once");
    check(apply("x1", "void", "ann", LEDGER_HOLDS, 10, "e1") == LEDGER_OK && ledger_expire(ledger, 5000) == 0,
          "what was voided does not expire");
    check(apply("x4", "void", "ann", LEDGER_HOLDS, 30, "e3") == LEDGER_CONFLICT, "what expired is not voided");
    check(apply("x5", "void", "ann", LEDGER_HOLDS, 5, "e4") == LEDGER_OK && has("ann", 85, 0),
          "without an end it stays");
}

static void test_batches(void)
{
    const struct ledger_transfer in = { .id = "b1", .kind = "posted", .debit = LEDGER_DEPOSITS_BANK, .credit = "ann",
                                        .amount_nano = 10, .code = "", .reason = "", .refers = "" };
    struct ledger_transfer out = in;
    int64_t last = ledger_last_seq(ledger);

    out.id = "b2";
    out.debit = "ann";
    out.credit = "po:p1";
    out.amount_nano = 95;
    check(ledger_begin(ledger) == 0 && ledger_apply_locked(ledger, &in) == LEDGER_OK &&
          ledger_apply_locked(ledger, &out) == LEDGER_OK && ledger_apply_locked(ledger, &in) == LEDGER_EXISTS &&
          has("po:p1", 95, 0), "in a batch each sees the ones before");
    ledger_rollback(ledger);
    check(has("ann", 85, 0) && has("po:p1", 0, 0) && ledger_compare(ledger, &in) == LEDGER_NOT_FOUND &&
          ledger_last_seq(ledger) == last, "rolled back, none of them was");
    check(ledger_begin(ledger) == 0 && ledger_apply_locked(ledger, &in) == LEDGER_OK &&
          ledger_apply_locked(ledger, &out) == LEDGER_OK && ledger_commit(ledger) == 0 && has("ann", 0, 0) &&
          has("po:p1", 95, 0), "committed, all of them are");
    check(ledger_begin(ledger) == 0 && ledger_finish(ledger, LEDGER_CONFLICT) == LEDGER_CONFLICT &&
          ledger_begin(ledger) == 0 && ledger_finish(ledger, LEDGER_OK) == LEDGER_OK, "a batch ends with its result");
}

static int look_at(void *arg, const struct ledger_transfer *t)
{
    const struct ledger_transfer *w = arg;

    return strcmp(t->id, w->id) == 0 && strcmp(t->kind, w->kind) == 0 && strcmp(t->debit, w->debit) == 0 &&
           strcmp(t->credit, w->credit) == 0 && t->amount_nano == w->amount_nano &&
           strcmp(t->pending_id ? t->pending_id : "", w->pending_id ? w->pending_id : "") == 0 &&
           strcmp(t->code, w->code) == 0 && strcmp(t->reason, w->reason) == 0 && strcmp(t->refers, w->refers) == 0 &&
           t->at_ms == w->at_ms && t->expires_ms == w->expires_ms && t->seq > 0 ? 0 : -1;
}

static void test_lookups(void)
{
    struct ledger_transfer p1 = {.id = "p1",
                                 .kind = "post",
                                 .debit = "ann",
                                 .credit = LEDGER_HOLDS,
                                 .amount_nano = 200,
                                 .pending_id = "h1",
                                 .code = "usage",
                                 .reason = "why",
                                 .refers = "what",
                                 .at_ms = 1000};
    struct ledger_transfer e1 = {.id = "e1",
                                 .kind = "pending",
                                 .debit = "ann",
                                 .credit = LEDGER_HOLDS,
                                 .amount_nano = 10,
                                 .code = "hold",
                                 .reason = "",
                                 .refers = "",
                                 .at_ms = 1,
                                 .expires_ms = 2000};
    char a[LEDGER_ID_BYTES], b[LEDGER_ID_BYTES];

    check(ledger_transfer_get(ledger, "p1", look_at, &p1) == LEDGER_OK &&
          ledger_transfer_get(ledger, "e1", look_at, &e1) == LEDGER_OK, "a transfer is found as it was made");
    check(ledger_transfer_get(ledger, "p1", look_at, &e1) == LEDGER_FAILED, "what the callback refuses has failed");
    check(ledger_transfer_get(ledger, "p9", look_at, &p1) == LEDGER_NOT_FOUND, "what is not there is not found");
    check(strcmp(ledger_derive_id(a, "usage %d", 1), ledger_derive_id(b, "usage %d", 1)) == 0 && strlen(a) == 32 &&
          strcmp(a, ledger_derive_id(b, "usage %d", 2)) != 0, "one purpose has one id, two have two");
    check(ledger_audit(ledger, (char[LEDGER_ACCOUNT_BYTES]){""}) == LEDGER_OK,
          "the balances are the sums of the entries");
}

/* --- random operations against a model --- */

#define STEPS    100000
#define ACCOUNTS 9

struct model_account {
    const char *id, *owner;
    bool overdraft;
    int64_t posted, held;
};

struct model_transfer {
    uint8_t kind, debit, credit;        /* places in the tables below */
    bool ended;
    int64_t amount, expires_ms, at_ms;
    int32_t pending;                    /* -1: none */
    int64_t seq;
};

static const char *const kinds[] = { "posted", "pending", "post", "void" };
enum { POSTED, PENDING, POST, VOID };

static struct model {
    struct model_account account[ACCOUNTS];
    struct model_transfer *transfer;    /* "m0", "m1", ... in order */
    int32_t count;
    int64_t now_ms;
} model = { .account = { { "m-a", "", false, 0, 0 }, { "m-b", "", false, 0, 0 }, { "m-c", "", false, 0, 0 },
                         { "po:m-a1", "m-a", false, 0, 0 }, { "po:m-a2", "m-a", false, 0, 0 },
                         { "host:suspense", "", true, 0, 0 }, { "host:refunds", "", true, 0, 0 },
                         { "host:rounding", "", true, 0, 0 }, { "nobody", "", true, 0, 0 } } };
#define NOBODY   (ACCOUNTS - 1)
#define PURSES_OF_A(i) ((i) == 0 || (i) == 3 || (i) == 4)

static uint64_t state = 20261123;
static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16) % below;
}

static bool sum_fits(int64_t a, int64_t b)
{
    return !__builtin_add_overflow(a, b, &b);
}

/* The header's order of results, in the model's own words. */
static enum ledger_result expect(const struct model_transfer *t)
{
    const struct model_account *debit = &model.account[t->debit], *credit = &model.account[t->credit];
    const struct model_transfer *hold;

    if (t->amount < 1 || t->amount > LEDGER_AMOUNT_MAX || t->debit == t->credit)
        return LEDGER_CONFLICT;
    if (t->debit == NOBODY || t->credit == NOBODY)
        return LEDGER_NOT_FOUND;
    if (t->kind == POST || t->kind == VOID) {
        if (t->pending >= model.count || model.transfer[t->pending].kind != PENDING)
            return LEDGER_NOT_FOUND;
        hold = &model.transfer[t->pending];
        if (hold->ended || hold->debit != t->debit || hold->credit != t->credit || t->amount > hold->amount ||
            (t->kind == VOID && t->amount < hold->amount) ||
            (t->kind == POST && hold->expires_ms && model.now_ms >= hold->expires_ms))
            return LEDGER_CONFLICT;
    } else if (!debit->overdraft && debit->posted - debit->held < t->amount) {
        return LEDGER_INSUFFICIENT;
    }
    if (t->kind == PENDING)
        return sum_fits(debit->held, t->amount) ? LEDGER_OK : LEDGER_CONFLICT;
    return t->kind == VOID || (sum_fits(debit->posted, -t->amount) && sum_fits(credit->posted, t->amount))
               ? LEDGER_OK
               : LEDGER_CONFLICT;
}

static int64_t expired_amount(struct model_transfer *hold)
{
    hold->ended = true;
    return hold->amount;
}

static void take(const struct model_transfer *t)
{
    struct model_account *debit = &model.account[t->debit], *credit = &model.account[t->credit];

    if (t->pending >= 0)
        debit->held -= expired_amount(&model.transfer[t->pending]);
    if (t->kind == PENDING)
        debit->held += t->amount;
    if (t->kind == POSTED || t->kind == POST) {
        debit->posted -= t->amount;
        credit->posted += t->amount;
    }
    model.transfer[model.count++] = *t;
}

static enum ledger_result offer(const struct model_transfer *t, int32_t number)
{
    char id[16], pending[16];

    snprintf(id, sizeof(id), "m%" PRId32, number);
    snprintf(pending, sizeof(pending), "m%" PRId32, t->pending);
    return ledger_apply_locked(ledger, &(struct ledger_transfer){.id = id,
                                                                 .kind = kinds[t->kind],
                                                                 .debit = model.account[t->debit].id,
                                                                 .credit = model.account[t->credit].id,
                                                                 .amount_nano = t->amount,
                                                                 .pending_id = t->pending >= 0 ? pending : NULL,
                                                                 .code = "c",
                                                                 .reason = "r",
                                                                 .refers = "",
                                                                 .at_ms = model.now_ms,
                                                                 .expires_ms = t->expires_ms});
}

static struct model_transfer draw_transfer(void)
{
    struct model_transfer t = { .kind = (uint8_t)draw(4), .debit = (uint8_t)draw(ACCOUNTS - 1),
                                .credit = (uint8_t)draw(ACCOUNTS - 1), .amount = 1 + draw(1000), .pending = -1,
                                .at_ms = model.now_ms };

    if (draw(50) == 0)
        *(draw(2) ? &t.debit : &t.credit) = NOBODY;
    if (draw(50) == 0)
        t.amount = (int64_t[]){ 0, -5, LEDGER_AMOUNT_MAX, LEDGER_AMOUNT_MAX + 1, INT64_MAX }[draw(5)];
    if (t.kind == PENDING && draw(3) == 0)
        t.expires_ms = model.now_ms + 1 + draw(300);
    if (t.kind == POST || t.kind == VOID) {
        /* Mostly one of the newest holds, as it is meant to be ended. */
        t.pending = model.count > 40 ? model.count - 1 - (int32_t)draw(40) : (int32_t)draw(10);
        if (draw(8) && t.pending < model.count) {
            t.debit = model.transfer[t.pending].debit;
            t.credit = model.transfer[t.pending].credit;
            t.amount = model.transfer[t.pending].amount - (t.kind == POST && draw(2) ? 1 : 0);
        }
    }
    return t;
}

/* The same as before, or nearly. */
static bool repeat(void)
{
    int32_t number = model.count ? (int32_t)draw((uint32_t)model.count) : 0;
    struct model_transfer t;
    bool other = draw(2);

    if (!model.count)
        return true;
    t = model.transfer[number];
    if (other)
        t.amount++;
    return offer(&t, number) == (other ? LEDGER_EXISTS_DIFFERENT : LEDGER_EXISTS);
}

static int results[LEDGER_FAILED + 1];

static bool step_locked(void)
{
    struct model_transfer t;
    enum ledger_result wanted, got;

    model.now_ms++;
    if (draw(10) == 0)
        return repeat();
    t = draw_transfer();
    wanted = expect(&t);
    got = offer(&t, model.count);
    results[got]++;
    if (got == LEDGER_OK && wanted == LEDGER_OK)
        take(&t);
    if (got != wanted)
        printf("# %s m%" PRId32 " of %jd: %d, and not %d\n", kinds[t.kind], model.count, (intmax_t)t.amount, got,
               wanted);
    return got == wanted;
}

/* Some steps together; one batch in four is taken back. */
static bool step_batch(void)
{
    struct model_account before[ACCOUNTS];
    bool *ended = calloc((size_t)model.count + 1, sizeof(*ended)), same = true;
    int32_t count = model.count;

    for (int32_t i = 0; i < count; i++)
        ended[i] = model.transfer[i].ended;
    memcpy(before, model.account, sizeof(before));
    if (ledger_begin(ledger))
        exit(99);
    for (uint32_t n = draw(60); n > 0 && same; n--)
        same = step_locked();
    if (draw(4) == 0) {
        ledger_rollback(ledger);
        memcpy(model.account, before, sizeof(before));
        model.count = count;
        for (int32_t i = 0; i < count; i++)
            model.transfer[i].ended = ended[i];
    } else if (ledger_commit(ledger)) {
        same = false;
    }
    free(ended);
    return same;
}

static bool step_alone(void)
{
    return ledger_begin(ledger) == 0 && step_locked() && ledger_commit(ledger) == 0;
}

/* The voids of the ledger's own making have ids that the model does not know: it only counts. */
static bool step_expire(void)
{
    int due = 0;

    for (int32_t i = 0; i < model.count; i++) {
        struct model_transfer *hold = &model.transfer[i];

        if (hold->kind == PENDING && !hold->ended && hold->expires_ms && hold->expires_ms <= model.now_ms) {
            model.account[hold->debit].held -= expired_amount(hold);
            due++;
        }
    }
    return ledger_expire(ledger, model.now_ms) == due;
}

static bool balances_same(void)
{
    bool same = true;

    for (int i = 0; i < NOBODY; i++)
        same = same && has(model.account[i].id, model.account[i].posted, model.account[i].held);
    return same;
}

static void begin_model(void)
{
    model.transfer = calloc(STEPS + 100, sizeof(*model.transfer));
    for (int i = 0; i < 5; i++) {
        struct ledger_account account = { .currency = "EUR", .name = "m" };

        strcpy(account.id, model.account[i].id);
        strcpy(account.owner, model.account[i].owner);
        if (put(&account) != LEDGER_OK)
            exit(99);
    }
    for (int i = 5; i < NOBODY; i++) {
        struct ledger_account account;

        ledger_account_get(ledger, model.account[i].id, &account);
        model.account[i].posted = account.balance.posted_nano;
        model.account[i].held = account.balance.held_nano;
    }
}

static void test_random(void)
{
    bool same = true;
    int step;

    begin_model();
    for (step = 0; step < STEPS && same; step++) {
        uint32_t kind = draw(1000);

        same = kind < 3 ? step_expire() : kind < 6 ? step_batch() : step_alone();
        if (step % 100 == 0)
            same = same && balances_same();
        if (step % 20000 == 19999) {
            ledger_close(ledger);
            open_ledger();
        }
    }
    check(same && balances_same(), "%d random steps (seed 20261123): each result and all balances are the model's",
          step);
    for (int i = 0; i < LEDGER_FAILED; i++)
        check(i == LEDGER_EXISTS || i == LEDGER_EXISTS_DIFFERENT || results[i] > 100, "result %d came %d times", i,
              results[i]);
    check(results[LEDGER_FAILED] == 0, "none failed");
    check(ledger_audit(ledger, (char[LEDGER_ACCOUNT_BYTES]){""}) == LEDGER_OK,
          "the balances are the sums of the entries");
}

/* --- paging --- */

struct pages {
    int32_t at;                         /* in the model */
    int step;                           /* 1 or -1 */
    int where;                          /* 0: of m-a; 1: of m-a and its purses; 2: of all */
    bool moves, wrong;
    int64_t last;
    int room;
};

static bool is_wanted(const struct pages *p, const struct model_transfer *t)
{
    if (p->moves && t->kind != POSTED && t->kind != POST)
        return false;
    return p->where == 0 ? t->debit == 0 || t->credit == 0
         : p->where == 1 ? PURSES_OF_A(t->debit) || PURSES_OF_A(t->credit) : true;
}

/* Each of the walk's entries is the model's next one. Entries that are not the model's are passed over. */
static int follow(void *arg, const struct ledger_transfer *t)
{
    struct pages *p = arg;
    char id[16];

    if (p->room-- <= 0 || (p->last && (t->seq > p->last) != (p->step > 0)))
        p->wrong = true;
    p->last = t->seq;
    if (t->id[0] != 'm')
        return 0;
    while (p->at >= 0 && p->at < model.count && !is_wanted(p, &model.transfer[p->at]))
        p->at += p->step;
    snprintf(id, sizeof(id), "m%" PRId32, p->at);
    if (strcmp(id, t->id) != 0)
        p->wrong = true;
    p->at += p->step;
    return p->wrong;
}

static bool pages_same(int where, bool newest_first, bool moves)
{
    struct pages p = {
        .at = newest_first ? model.count - 1 : 0, .step = newest_first ? -1 : 1, .where = where, .moves = moves};
    struct ledger_walk walk = { .account = where < 2 ? "m-a" : NULL, .purses = where == 1, .moves = moves,
                                .newest_first = newest_first };
    bool more = true;

    while (more && !p.wrong) {
        walk.after = p.last;
        walk.limit = p.room = 1 + (int)draw(3000);
        if (ledger_each_transfer(ledger, &walk, follow, &p))
            p.wrong = true;
        more = p.room < walk.limit;
    }
    while (p.at >= 0 && p.at < model.count && !is_wanted(&p, &model.transfer[p.at]))
        p.at += p.step;
    return !p.wrong && p.at == (newest_first ? -1 : model.count);
}

static int count_up_to(void *arg, const struct ledger_transfer *t)
{
    int64_t *highest = arg;

    if (t->seq <= *highest)
        return -1;
    *highest = t->seq;
    return 0;
}

static void test_pages(void)
{
    static const char *const names[] = { "of one account", "of a customer", "of all" };
    int64_t half = ledger_last_seq(ledger) / 2, highest = 0;

    for (int where = 0; where < 3; where++)
        for (int flags = 0; flags < 4; flags++)
            check(pages_same(where, flags & 1, flags & 2),
                  "pages of entries %s, %s first%s: all of them, once, in order", names[where],
                  flags & 1 ? "newest" : "oldest", flags & 2 ? ", only what moved" : "");
    check(ledger_each_transfer(ledger, &(struct ledger_walk){.upto = half, .limit = -1}, count_up_to, &highest) == 0 &&
              highest == half,
          "a walk goes up to the entry it is given");
    check(ledger_each_transfer(ledger, &(struct ledger_walk){.account = "nobody", .limit = -1}, count_up_to,
                               &highest) == 0,
          "of an account that is not there, there are none");
}

int main(void)
{
    char clean[80];

    strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/xs-ledger-XXXXXX" : "/tmp/xs-ledger-XXXXXX");
    if (!mkdtemp(dir))
        return 99;
    snprintf(path, sizeof(path), "%s/ledger", dir);
    open_ledger();
    test_accounts();
    test_account_walks();
    test_posted();
    test_content();
    test_never();
    test_int64();
    test_holds();
    test_expiry();
    test_batches();
    test_lookups();
    test_random();
    test_pages();
    ledger_close(ledger);
    open_ledger();
    check(balances_same() && pages_same(2, false, false), "opened again, it is all there");
    ledger_close(ledger);
    free(model.transfer);
    snprintf(clean, sizeof(clean), "rm -rf %s", dir);
    return system(clean) == 0 ? tap_end() : 99;
}
