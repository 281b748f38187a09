/* Single elements of a statement, by their path below `parent`. Each returns 0, or
 * -1 with `why` naming line and element. */
#ifndef ACCOUNTD_FUNDING_CAMT_FIELD_H
#define ACCOUNTD_FUNDING_CAMT_FIELD_H

#include "accountd/funding/camt.h"
#include "accountd/funding/camt_xml.h"

/* A required text that fits. */
int camt_field_text(const xmlNode *parent, const char *path, char *out, size_t bytes, struct json_why *why);
/* An optional one: "" if it is absent. */
int camt_field_optional(const xmlNode *parent, const char *path, char *out, size_t bytes, struct json_why *why);
/* Of the element itself: its amount and Ccy. */
int camt_field_money(const xmlNode *node, int64_t *nano, char currency[static 4], struct json_why *why);
/* CdtDbtInd. */
int camt_field_credit(const xmlNode *parent, bool *credit, struct json_why *why);
/* RvslInd, false if it is absent. */
int camt_field_reversal(const xmlNode *entry, bool *reversal, struct json_why *why);
/* Sts, of CAMT_REF_BYTES. */
int camt_field_status(const xmlNode *entry, char *status, struct json_why *why);
/* The day of a date or of a date and time, "" if it is absent. */
int camt_field_day(const xmlNode *entry, const char *name, char day[static 11], struct json_why *why);

#endif
