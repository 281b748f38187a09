/* Checks an invoice bundle, offline and whole. */
#ifndef CLIENT_VERIFY_VERIFY_H
#define CLIENT_VERIFY_VERIFY_H

#include "common/json.h"

struct verify_summary {
    char invoice_id[65], account[65], host[65], currency[4];
    int64_t total_nano;
    size_t records, lines;
};

/* 0, or -1 and `why` names the first thing that is wrong. trusted_keys is the
 * text of a keys.txt that the customer got by another way, or NULL: then the
 * bundle is only checked against the keys inside it. */
int verify_bundle(const char *archive, size_t len, const char *trusted_keys, struct verify_summary *summary,
                  struct json_why *why);

#endif
