/* Who follows alerts, invoices and deposits waits here for the next one. */
#include "accountd/cap/alerts.h"
#include "accountd/control/args.h"
#include "accountd/control/listen.h"
#include "accountd/ledger/deposits.h"
#include "common/clock.h"

#include <stdlib.h>

#define WAIT_MS_MAX  30000
#define DEPOSITS_MAX 200

struct numbers {
    int64_t alert, invoice, deposit;
};

struct waiter {
    struct waiter *next;
    struct rpc_call *call;
    struct numbers known;
    int64_t until_ms;                   /* CLOCK_MONOTONIC */
};

static struct waiter *waiters;

static int numbers_read(struct numbers *n)
{
    n->invoice = ledger_invoice_next_number(control_self->ledger) - 1;
    n->deposit = deposits_newest(control_self->ledger);
    return n->invoice < 0 || n->deposit < 0 || alert_newest(control_self->ledger, &n->alert) ? -1 : 0;
}

static json_t *numbers_json(const struct numbers *n)
{
    return json_pack("{s:I, s:I, s:I}", "alert", (json_int_t)n->alert, "invoice", (json_int_t)n->invoice, "deposit",
                     (json_int_t)n->deposit);
}

static bool same(const struct numbers *a, const struct numbers *b)
{
    return a->alert == b->alert && a->invoice == b->invoice && a->deposit == b->deposit;
}

static int waiter_add(struct rpc_call *call, const struct numbers *known, int64_t wait_ms)
{
    struct waiter *waiter = malloc(sizeof(*waiter));

    if (!waiter)
        return rpc_fail(call, "internal", "out of memory");
    *waiter = (struct waiter){ .next = waiters, .known = *known, .until_ms = clock_monotonic_ms() + wait_ms };
    waiter->call = rpc_defer(call);
    waiters = waiter;
    return 0;
}

void control_news_run(void)
{
    struct numbers now;

    if (!waiters || numbers_read(&now))
        return;
    for (struct waiter **at = &waiters; *at;) {
        struct waiter *w = *at;

        if (same(&now, &w->known) && w->until_ms > clock_monotonic_ms()) {
            at = &w->next;
            continue;
        }
        rpc_finish(w->call, numbers_json(&now), NULL, NULL);
        *at = w->next;
        free(w);
    }
}

static int news(struct rpc_call *call, json_t *args, json_t **result)
{
    struct numbers known, now;
    int64_t wait_ms = 0;
    struct json_why why;

    if (json_arg_only(args, "alert invoice deposit wait_ms", &why) ||
        json_arg_int(args, "alert", 0, INT64_MAX - 1, &known.alert, &why) ||
        json_arg_int(args, "invoice", 0, INT64_MAX - 1, &known.invoice, &why) ||
        json_arg_int(args, "deposit", 0, INT64_MAX - 1, &known.deposit, &why) ||
        (json_has(args, "wait_ms") && json_arg_int(args, "wait_ms", 0, WAIT_MS_MAX, &wait_ms, &why)))
        return control_bad(call, &why);
    if (numbers_read(&now))
        return control_failed(call);
    if (wait_ms && same(&now, &known))
        return waiter_add(call, &known, wait_ms);
    *result = numbers_json(&now);
    return 0;
}

static int deposits(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after, limit;
    struct json_why why;
    json_t *list;

    if (json_arg_only(args, "after limit", &why) || control_arg_page(args, DEPOSITS_MAX, &after, &limit, &why))
        return control_bad(call, &why);
    list = deposits_list(control_self->ledger, after, limit);
    if (!list)
        return control_failed(call);
    *result = json_pack("{s:o}", "deposits", list);
    return 0;
}

const struct rpc_verb control_news_verbs[] = {
    { "deposits", deposits, RPC_API | RPC_ROOT },
    { "news", news, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};
