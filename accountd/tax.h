/* Value added tax on what this host sells: electronic services (Directive
 * 2006/112/EC). Pure: the rates are the operator's, from seller.json.
 *
 *   the seller is not registered (no vat_id)   O   0      not subject to VAT
 *   buyer in the seller's country              S   its rate
 *   buyer in another country of the EU, with a VAT id     AE  0   reverse charge (Art. 196)
 *   the same without one: a consumer           S   the buyer's country's rate (Art. 58)
 *   buyer elsewhere                            O   0      outside the scope (Art. 44, 59)
 *
 * The letters are EN 16931's category codes (UNTDID 5305). A buyer who has not
 * said where he is counts as a consumer in the seller's country.
 */
#ifndef ACCOUNTD_TAX_H
#define ACCOUNTD_TAX_H

#include "accountd/rate.h"

struct tax {
    char category[3];
    char country[3];                    /* where it is due: the account tax:COUNTRY */
    int rate_permyriad;                 /* 1900 is 19 % */
    char reason[96];                    /* why there is none; "" with S */
};

/* {"DE":1900,...}: the countries of the EU, each with its rate, 0 to 5000. -1 with the reason. */
int tax_rates_check(const json_t *rates, struct json_why *why);
void tax_decide(const char *seller_country, const char *seller_vat_id, const json_t *rates, const char *buyer_country,
                const char *buyer_vat_id, struct tax *tax);

/* The tax on this net amount: rounded down to a nano while it is drawn with
 * each charge, half to even to a cent on the invoice. -1 when it does not fit. */
int tax_floor(const struct tax *tax, int64_t net_nano, int64_t *tax_nano);
int tax_round(const struct tax *tax, int64_t net_nano, int64_t *tax_nano);

/* As an invoice states it, and back (strict; -1 with the reason). */
json_t *tax_json(const struct tax *tax, int64_t net_nano, int64_t tax_nano);
int tax_parse(const json_t *object, struct tax *tax, struct json_why *why);

#endif
