/* Who sells and who buys, as invoices state it: {"name","street","postcode",
 * "city","country","vat_id","email"}, all strings, "" where nothing is known.
 * A seller also has "iban" and "bic". Pure. */
#ifndef ACCOUNTD_PARTY_H
#define ACCOUNTD_PARTY_H

#include "common/json.h"

#define PARTY_BUYER_KEYS  "name street postcode city country vat_id email"
#define PARTY_SELLER_KEYS PARTY_BUYER_KEYS " iban bic"

/* A whole party out of an object that may lack all but the name: new reference,
 * NULL with the reason. Keys that the object may have beside are in `others`
 * ("" none). country is ISO 3166-1, vat_id has its country's prefix (Greece's is EL). */
json_t *party_read(const json_t *object, const char *keys, const char *others, struct json_why *why);

/* seller.json: a seller's fields and "number_prefix" (invoice numbers begin with it; 1 to 12 of A-Z, 0-9) and
 * "vat_rates" ({"DE":1900,...}, needed when there is a vat_id). */
struct seller {
    json_t *party;
    json_t *vat_rates;
    char number_prefix[13];
};
/* -1 with the reason; seller_free in either case. */
int seller_read(const json_t *object, struct seller *seller, struct json_why *why);
void seller_free(struct seller *seller);

#endif
