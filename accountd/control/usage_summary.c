/* What was used and what it cost, by meter, instance and day: from the records, for an account's own
 * reckoning. The invoice is another matter: it rounds to cents, this does not. */
#include "accountd/control/args.h"
#include "accountd/summary.h"
#include "common/utc.h"

#include <stdio.h>
#include <string.h>

#define DAYS_MAX 366
#define ROWS_MAX 4000                   /* what fits into an answer */
#define LATE_MS  UTC_DAY_MS

static const struct {
    const char *word;
    enum summary_by bit;
} words[] = { { "meter", SUMMARY_METER }, { "instance", SUMMARY_INSTANCE }, { "day", SUMMARY_DAY } };

/* "day,meter" */
static int arg_by(const json_t *args, unsigned *by, struct json_why *why)
{
    const char *text, *at;

    *by = 0;
    if (json_arg_string(args, "by", 32, &text, why))
        return -1;
    for (at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        unsigned bit = 0;

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strcspn(at, ",") == strlen(words[i].word) && strncmp(at, words[i].word, strlen(words[i].word)) == 0)
                bit = words[i].bit;
        if (!bit || *by & bit) {
            snprintf(why->text, sizeof(why->text), "by: meter, instance or day, or some of them with commas, each once");
            return -1;
        }
        *by |= bit;
    }
    return 0;
}

static int arg_day(const json_t *args, const char *key, int64_t *from_ms, struct json_why *why)
{
    const char *text;

    if (json_arg_string(args, key, 32, &text, why))
        return -1;
    if (utc_day_parse(text, from_ms))
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: must be a day such as 2026-11-30", key);
    return -1;
}

static int arg_days(const json_t *args, int64_t *from_ms, int64_t *to_ms, struct json_why *why)
{
    if (arg_day(args, "from_day", from_ms, why) || arg_day(args, "to_day", to_ms, why))
        return -1;
    *to_ms += UTC_DAY_MS;
    if (*to_ms > *from_ms && *to_ms - *from_ms <= DAYS_MAX * UTC_DAY_MS)
        return 0;
    snprintf(why->text, sizeof(why->text), "to_day: must be from_day or at most %d days on", DAYS_MAX - 1);
    return -1;
}

/* Records of an account are in the order of their ends; one that was late (its slot could not be read) may begin before
 * one that is before it in the log. */
struct reading {
    struct summary *summary;
    int64_t to_ms;
    bool past;                          /* the walk ended early */
};

static int read_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct reading *reading = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    const struct rate_book *book;
    struct record record;
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int rc = fields ? record_parse(leaf_type, fields, &record, &why) : -1;

    (void)idx;
    (void)type;
    json_decref(fields);
    if (rc)
        return -1;
    reading->past = record.t0_ms >= reading->to_ms + LATE_MS;
    book = price_book_get(control_self->ledger, record.price_book);
    return !book ? -1 : reading->past ? 1 : summary_add(reading->summary, &record, book);
}

static int summarise(struct rpc_call *call, const char *account, struct reading *reading, json_t **result)
{
    int rc = store_each_leaf(control_self->store, account, NULL, 0, control_self->head.size, -1, read_leaf, reading);

    if (rc && !reading->past)
        return control_failed(call);
    if (summary_count(reading->summary) > ROWS_MAX)
        return rpc_fail(call, "bad_request", "%zu rows are more than %d: ask for fewer days, or by less",
                        summary_count(reading->summary), ROWS_MAX);
    *result = json_pack("{s:o}", "rows", summary_rows(reading->summary));
    return 0;
}

static int usage_summary(struct rpc_call *call, json_t *args, json_t **result)
{
    struct reading reading = { .past = false };
    const char *account;
    struct json_why why;
    int64_t from_ms;
    unsigned by;
    int rc;

    if (json_arg_only(args, "account_id from_day to_day by", &why) || control_arg_account(args, &account, &why) ||
        arg_days(args, &from_ms, &reading.to_ms, &why) || arg_by(args, &by, &why))
        return control_bad(call, &why);
    reading.summary = summary_new(by, from_ms, reading.to_ms);
    rc = reading.summary ? summarise(call, account, &reading, result) : control_failed(call);
    summary_free(reading.summary);
    return rc;
}

const struct rpc_verb control_summary_verbs[] = {
    { "usage_summary", usage_summary, RPC_API },
    { NULL, NULL, 0 },
};
