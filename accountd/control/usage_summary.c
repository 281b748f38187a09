/* What was used and what it cost, by meter, instance and day: for an account's own reckoning. The invoice is
 * another matter: it rounds to cents and has the tax, this does not. */
#include "accountd/control/args.h"
#include "accountd/summary.h"
#include "common/utc.h"

#include <stdio.h>
#include <string.h>

#define DAYS_MAX 366
#define ROWS_MAX 4000                   /* what fits into an answer */

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
            snprintf(why->text, sizeof(why->text),
                     "by: meter, instance or day, or some of them with commas, each once");
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

static int add(void *arg, const struct day_sum *sum)
{
    return summary_add(arg, sum);
}

static int answer(struct rpc_call *call, const struct summary *summary, json_t **result)
{
    if (summary_count(summary) > ROWS_MAX)
        return rpc_fail(call, "bad_request", "%zu rows are more than %d: ask for fewer days, or by less",
                        summary_count(summary), ROWS_MAX);
    *result = json_pack("{s:o}", "rows", summary_rows(summary));
    return 0;
}

static int usage_summary(struct rpc_call *call, json_t *args, json_t **result)
{
    struct summary *summary;
    const char *account;
    struct json_why why;
    int64_t from_ms, to_ms;
    unsigned by;
    int rc;

    if (json_arg_only(args, "account_id from_day to_day by", &why) || control_arg_account(args, &account, &why) ||
        arg_days(args, &from_ms, &to_ms, &why) || arg_by(args, &by, &why))
        return control_bad(call, &why);
    summary = summary_new(by);
    rc = !summary || day_sums_each(control_self->ledger, account, from_ms, to_ms, add, summary)
        ? control_failed(call) : answer(call, summary, result);
    summary_free(summary);
    return rc;
}

const struct rpc_verb control_summary_verbs[] = {
    { "usage_summary", usage_summary, RPC_API },
    { NULL, NULL, 0 },
};
