/* What single elements hold: texts, amounts, codes, days. */
#include "accountd/funding/camt_field.h"
#include "accountd/ledger/ledger.h"

#include <ctype.h>
#include <string.h>

#define PLACES 9

bool camt_amount(const char *text, int64_t *nano)
{
    int places = -1, digits = 0;
    int64_t value = 0;

    for (; *text; text++) {
        if (*text == '.' && places < 0) {
            places = 0;
            continue;
        }
        if (!isdigit((unsigned char)*text) || places == PLACES || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return false;
        digits++;
        places += places >= 0;
    }
    for (places = places < 0 ? 0 : places; places < PLACES; places++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    *nano = value;
    return digits > 0 && value <= LEDGER_AMOUNT_MAX;
}

int camt_field_text(const xmlNode *parent, const char *path, char *out, size_t bytes, struct json_why *why)
{
    const xmlNode *node = camt_path(parent, path);

    if (!node)
        return camt_refuse(why, parent, "%s is missing", path);
    if (!camt_text(node, out, bytes))
        return camt_refuse(why, node, "is too long");
    return out[0] ? 0 : camt_refuse(why, node, "is empty");
}

int camt_field_optional(const xmlNode *parent, const char *path, char *out, size_t bytes, struct json_why *why)
{
    const xmlNode *node = camt_path(parent, path);

    return camt_text(node, out, bytes) ? 0 : camt_refuse(why, node, "is too long");
}

int camt_field_money(const xmlNode *node, int64_t *nano, char currency[static 4], struct json_why *why)
{
    char text[64];
    xmlChar *attribute = xmlGetNoNsProp(node, (const xmlChar *)"Ccy");
    size_t len = attribute ? strspn((const char *)attribute, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;

    if (len == 3 && attribute[3] == 0)
        memcpy(currency, attribute, 4);
    else
        len = 0;
    xmlFree(attribute);
    if (len != 3)
        return camt_refuse(why, node, "Ccy must be three capital letters");
    if (!camt_text(node, text, sizeof(text)) || !camt_amount(text, nano))
        return camt_refuse(why, node, "must be a decimal number of at most %d places, not \"%.40s\"", PLACES, text);
    return 0;
}

int camt_field_credit(const xmlNode *parent, bool *credit, struct json_why *why)
{
    char text[8];

    if (camt_field_text(parent, "CdtDbtInd", text, sizeof(text), why))
        return -1;
    *credit = strcmp(text, "CRDT") == 0;
    return *credit || strcmp(text, "DBIT") == 0 ? 0 : camt_refuse(why, camt_child(parent, "CdtDbtInd"),
                                                                  "must be CRDT or DBIT");
}

int camt_field_reversal(const xmlNode *entry, bool *reversal, struct json_why *why)
{
    char text[8];

    if (camt_field_optional(entry, "RvslInd", text, sizeof(text), why))
        return -1;
    *reversal = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *reversal || !text[0] || strcmp(text, "false") == 0 || strcmp(text, "0") == 0
        ? 0 : camt_refuse(why, camt_child(entry, "RvslInd"), "must be true or false");
}

/* Sts is a code in version 02 and holds one, Cd or Prtry, in version 08. */
int camt_field_status(const xmlNode *entry, char *status, struct json_why *why)
{
    const xmlNode *choice = camt_child(entry, "Sts");

    if (camt_path(choice, "Cd"))
        return camt_field_text(entry, "Sts/Cd", status, CAMT_REF_BYTES, why);
    return camt_field_text(entry, camt_path(choice, "Prtry") ? "Sts/Prtry" : "Sts", status, CAMT_REF_BYTES, why);
}

static bool is_date(const char *text)
{
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    return true;
}

int camt_field_day(const xmlNode *entry, const char *name, char day[static 11], struct json_why *why)
{
    const xmlNode *node = camt_child(entry, name), *date = camt_child(node, "Dt");
    char text[64];

    date = date ? date : camt_child(node, "DtTm");
    day[0] = 0;
    if (!date)
        return 0;
    if (!camt_text(date, text, sizeof(text)) || !is_date(text))
        return camt_refuse(why, date, "must be a date, 2026-11-20");
    memcpy(day, text, 10);
    day[10] = 0;
    return 0;
}
