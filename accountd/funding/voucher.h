/* Vouchers: made by an operator, redeemed once by whoever knows the code. */
#ifndef ACCOUNTD_FUNDING_VOUCHER_H
#define ACCOUNTD_FUNDING_VOUCHER_H

#include "accountd/funding/voucher_code.h"
#include "accountd/ledger/ledger.h"

struct voucher_order {
    const char *voucher_id, *operator_id;
    int64_t amount_nano, expires_ms;    /* 0: never */
    int64_t at_ms;
};
/* OK or EXISTS: `code` is the voucher's. EXISTS_DIFFERENT, FAILED. */
enum ledger_result voucher_create(struct ledger *ledger, const uint8_t key[static VOUCHER_KEY_BYTES],
                                  const struct voucher_order *order, char code[static VOUCHER_CODE_BYTES]);

/* host:deposits:credit -> wallet, code voucher. OK or EXISTS (this transfer_id, account and code) set *amount_nano.
 * NOT_FOUND: no such code, or it has expired, and nobody is told which. CONFLICT: redeemed before.
 * EXISTS_DIFFERENT: the transfer_id was used for something else. FAILED. The account must exist. */
enum ledger_result voucher_redeem(struct ledger *ledger, const char *transfer_id, const char *account, const char *code,
                                  int64_t at_ms, int64_t *amount_nano);

/* Wrong codes by account: whoever guesses gets ATTEMPTS of them a minute. Kept in
 * memory: with 80 bits in a code, a restart gives nothing away. */
#define VOUCHER_ATTEMPTS      10
#define VOUCHER_WINDOW_MS     60000
#define VOUCHER_GUESSERS_MAX  512
struct voucher_guard {
    struct voucher_guesser {
        char account[65];
        int64_t since_ms;
        unsigned wrong;
    } guesser[VOUCHER_GUESSERS_MAX];
};
/* now_ms: CLOCK_MONOTONIC. */
bool voucher_may_try(const struct voucher_guard *guard, const char *account, int64_t now_ms);
void voucher_was_wrong(struct voucher_guard *guard, const char *account, int64_t now_ms);

#endif
