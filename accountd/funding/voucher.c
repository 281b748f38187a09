/* Making and redeeming vouchers. */
#include "accountd/funding/voucher.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <string.h>

static enum ledger_result create(struct ledger *ledger, const struct voucher_order *order, const char *code)
{
    struct voucher voucher = { .nano = order->amount_nano, .expires_ms = order->expires_ms }, old;
    uint8_t hash[VOUCHER_HASH_BYTES];
    int rc = store_voucher(ledger, order->voucher_id, &old);

    if (rc < 0)
        return LEDGER_FAILED;
    if (rc == 1)
        return old.nano == order->amount_nano && old.expires_ms == order->expires_ms &&
               strcmp(old.operator_id, order->operator_id) == 0 ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    snprintf(voucher.id, sizeof(voucher.id), "%s", order->voucher_id);
    snprintf(voucher.operator_id, sizeof(voucher.operator_id), "%s", order->operator_id);
    voucher_code_hash(code, hash);
    return store_voucher_put(ledger, &voucher, hash, order->at_ms);
}

enum ledger_result voucher_create(struct ledger *ledger, const uint8_t key[static VOUCHER_KEY_BYTES],
                                  const struct voucher_order *order, char code[static VOUCHER_CODE_BYTES])
{
    voucher_code(key, order->voucher_id, code);
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, create(ledger, order, code));
}

static enum ledger_result redeem(struct ledger *ledger, const struct voucher *voucher, const char *transfer_id,
                                 const char *account, int64_t at_ms)
{
    char refers[80];
    struct ledger_transfer t = { .id = transfer_id,
                                .kind = "posted",
                                .debit = LEDGER_DEPOSITS_CREDIT,
                                .credit = account,
                                .amount_nano = voucher->nano,
                                .code = "voucher",
                                .reason = "voucher",
                                .refers = refers,
                                .at_ms = at_ms };
    enum ledger_result result;

    snprintf(refers, sizeof(refers), "voucher %s", voucher->id);
    if (voucher->transfer_id[0] && strcmp(voucher->transfer_id, transfer_id) == 0)
        return strcmp(voucher->account, account) == 0 ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    if (voucher->transfer_id[0])
        return LEDGER_CONFLICT;
    if (voucher->expires_ms && at_ms >= voucher->expires_ms)
        return LEDGER_NOT_FOUND;
    result = ledger_apply_locked(ledger, &t);
    /* A transfer like this one without its redemption was not made here. */
    if (result == LEDGER_EXISTS)
        return LEDGER_EXISTS_DIFFERENT;
    return result == LEDGER_OK ? store_redemption_put(ledger, voucher->id, account, transfer_id, at_ms) : result;
}

enum ledger_result voucher_redeem(struct ledger *ledger, const char *transfer_id, const char *account, const char *code,
                                  int64_t at_ms, int64_t *amount_nano)
{
    uint8_t hash[VOUCHER_HASH_BYTES];
    char spelled[VOUCHER_CODE_BYTES];
    struct voucher voucher;
    int rc;

    if (!voucher_code_parse(code, spelled))
        return LEDGER_NOT_FOUND;
    voucher_code_hash(spelled, hash);
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    rc = store_voucher_by_hash(ledger, hash, &voucher);
    if (rc == 1)
        *amount_nano = voucher.nano;
    return ledger_finish(ledger, rc == 1 ? redeem(ledger, &voucher, transfer_id, account, at_ms)
                                 : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED);
}

static bool is_recent(const struct voucher_guesser *g, int64_t now_ms)
{
    return g->wrong && now_ms - g->since_ms < VOUCHER_WINDOW_MS;
}

bool voucher_may_try(const struct voucher_guard *guard, const char *account, int64_t now_ms)
{
    for (int i = 0; i < VOUCHER_GUESSERS_MAX; i++)
        if (is_recent(&guard->guesser[i], now_ms) && strcmp(guard->guesser[i].account, account) == 0)
            return guard->guesser[i].wrong < VOUCHER_ATTEMPTS;
    return true;
}

void voucher_was_wrong(struct voucher_guard *guard, const char *account, int64_t now_ms)
{
    struct voucher_guesser *oldest = &guard->guesser[0];

    for (int i = 0; i < VOUCHER_GUESSERS_MAX; i++) {
        struct voucher_guesser *g = &guard->guesser[i];

        if (is_recent(g, now_ms) && strcmp(g->account, account) == 0) {
            g->wrong++;
            return;
        }
        if (!is_recent(g, now_ms) || (is_recent(oldest, now_ms) && g->since_ms < oldest->since_ms))
            oldest = g;
    }
    *oldest = (struct voucher_guesser){ .since_ms = now_ms, .wrong = 1 };
    snprintf(oldest->account, sizeof(oldest->account), "%s", account);
}
