/* Verbs of proposed price books: one operator proposes, another publishes. */
#include "accountd/control/args.h"
#include "accountd/ledger/price_proposals.h"
#include "common/log.h"
#include "common/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A running guest's owner is told before: a date that is past is no notice. */
static int check_notice(const struct rate_book *book, struct json_why *why)
{
    char text[UTC_TEXT_BYTES];

    if (!book->moves_running_ms || book->moves_running_ms > clock_unix_ms())
        return 0;
    snprintf(why->text, sizeof(why->text), "moves_running_at: %s is past: running guests are moved with notice: propose"
             " another version", utc_text(book->moves_running_ms, text));
    return -1;
}

static int arg_operator(const json_t *args, const char **operator, struct json_why *why)
{
    if (control_arg_name(args, "operator", operator, why))
        return -1;
    if (strcmp(*operator, PRICE_CONFIG_OPERATOR) != 0)
        return 0;
    snprintf(why->text, sizeof(why->text),
             "operator: \"" PRICE_CONFIG_OPERATOR "\" is the configured file, not a person");
    return -1;
}

static json_t *proposal_json(const struct price_proposal *p)
{
    json_t *row = json_loads(p->body, JSON_REJECT_DUPLICATES, NULL), *head;
    struct rate_book book;
    struct json_why why;

    if (!row || rate_book_parse(row, &book, &why)) {
        json_decref(row);
        return NULL;
    }
    head = json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:I, s:o}", "version", (json_int_t)p->version, "currency",
                     book.currency, "state", p->outcome, "operator", p->operator, "at_ms", (json_int_t)p->at_ms,
                     "decided_by", p->decided_by, "decided_ms", (json_int_t)p->decided_ms, "book", row);
    control_put_dates(head, &book);
    return head;
}

static int put_proposal(void *arg, const struct price_proposal *p)
{
    json_t *row = proposal_json(p);

    return row ? json_array_append_new(arg, row) : -1;
}

/* The answer of all that change a proposal: what it is now. */
static int show(struct rpc_call *call, int64_t version, json_t **result)
{
    json_t *list = json_array();

    if (price_each_proposal(control_self->ledger, version, put_proposal, list) || json_array_size(list) != 1) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_incref(json_array_get(list, 0));
    json_decref(list);
    return 0;
}

static int price_proposals(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array();

    (void)args;
    if (price_each_proposal(control_self->ledger, 0, put_proposal, list)) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_pack("{s:o}", "price_proposals", list);
    return 0;
}

/* Wallets are in the currency of the first book, for ever. */
static int check_currency(const struct rate_book *book, struct json_why *why)
{
    const struct rate_book *now = price_book_at(control_self->ledger, clock_unix_ms());

    if (now && strcmp(now->currency, book->currency) == 0)
        return 0;
    snprintf(why->text, sizeof(why->text), "currency: this host bills in %s", now ? now->currency : "another");
    return -1;
}

static int propose(struct rpc_call *call, const struct rate_book *book, const char *body, const char *operator)
{
    intmax_t version = (intmax_t)book->version;

    switch (price_propose(control_self->ledger, book->version, body, operator, clock_unix_ms())) {
    case LEDGER_OK:
        log_info("price book: version %jd is proposed by %s", version, operator);
        return 0;
    case LEDGER_EXISTS:
        return 0;
    case LEDGER_EXISTS_DIFFERENT:
        return rpc_fail(call, "conflict", "version: %jd was proposed before and is spent: take a higher one", version);
    case LEDGER_CONFLICT:
        return rpc_fail(call, "conflict",
                        "version: %jd is not above the newest published price book: take a higher one", version);
    default:
        return control_failed(call);
    }
}

static int price_book_propose(struct rpc_call *call, json_t *args, json_t **result)
{
    const json_t *object = json_object_get(args, "body");
    const char *operator;
    struct rate_book book;
    struct json_why why;
    char *body;
    int rc;

    if (arg_operator(args, &operator, &why) || rate_book_parse(object, &book, &why) || check_currency(&book, &why) ||
        check_notice(&book, &why))
        return control_bad(call, &why);
    body = json_canonical(object);
    rc = body ? propose(call, &book, body, operator) : control_failed(call);
    free(body);
    return rc ? rc : show(call, book.version, result);
}

/* Why a proposal cannot be published or withdrawn, said about what it is now. */
static int refuse_decision(struct rpc_call *call, const json_t *proposal, const char *operator)
{
    const char *state = json_text(proposal, "state");
    const char *by = json_text(proposal, "operator");
    intmax_t version = (intmax_t)json_integer_value(json_object_get(proposal, "version"));

    if (strcmp(state, "proposed") != 0)
        return rpc_fail(call, "conflict", "price book %jd: %s by %s", version, state,
                        json_text(proposal, "decided_by"));
    if (strcmp(by, operator) == 0)
        return rpc_fail(call, "forbidden", "price book %jd was proposed by %s: another operator must publish it",
                        version, by);
    return rpc_fail(call, "conflict", "price book %jd: a higher version is published: propose it under another",
                    version);
}

static int answer_decision(struct rpc_call *call, enum ledger_result rc, int64_t version, const char *operator,
                           json_t **result)
{
    json_t *proposal;

    if (rc != LEDGER_CONFLICT && !control_done(rc))
        return control_refuse(call, rc, "proposed price book");
    if (show(call, version, &proposal))
        return -1;
    if (rc != LEDGER_CONFLICT) {
        *result = proposal;
        return 0;
    }
    refuse_decision(call, proposal, operator);
    json_decref(proposal);
    return -1;
}

static int read_book(void *arg, const struct price_proposal *p)
{
    json_t *object = json_loads(p->body, JSON_REJECT_DUPLICATES, NULL);
    struct json_why why;
    int rc = object && strcmp(p->outcome, "proposed") == 0 ? rate_book_parse(object, arg, &why) : 0;

    json_decref(object);
    return rc;
}

static int price_book_approve(struct rpc_call *call, json_t *args, json_t **result)
{
    struct rate_book book = { .version = 0 };
    const char *operator;
    enum ledger_result rc;
    struct json_why why;
    int64_t version;

    if (json_arg_int(args, "version", 1, INT32_MAX, &version, &why) || arg_operator(args, &operator, &why))
        return control_bad(call, &why);
    if (price_each_proposal(control_self->ledger, version, read_book, &book))
        return control_failed(call);
    if (check_notice(&book, &why))
        return rpc_fail(call, "conflict", "%s", why.text);
    rc = price_publish(control_self->ledger, version, operator, clock_unix_ms());
    if (rc == LEDGER_OK)
        log_info("price book: version %jd is published by %s", (intmax_t)version, operator);
    /* Again after a crash in between, too: what is signed and logged already stays as it is. */
    if (control_done(rc) && (tariff_settle(control_self) || head_sign(&control_self->head, clock_unix_ms())))
        return control_failed(call);
    return answer_decision(call, rc, version, operator, result);
}

static int price_book_withdraw(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *operator;
    enum ledger_result rc;
    struct json_why why;
    int64_t version;

    if (json_arg_int(args, "version", 1, INT32_MAX, &version, &why) || arg_operator(args, &operator, &why))
        return control_bad(call, &why);
    rc = price_withdraw(control_self->ledger, version, operator, clock_unix_ms());
    if (rc == LEDGER_OK)
        log_info("price book: proposed version %jd is withdrawn by %s", (intmax_t)version, operator);
    return answer_decision(call, rc, version, operator, result);
}

const struct rpc_verb control_proposal_verbs[] = {
    { "price_proposals", price_proposals, RPC_API },
    { "price_book_propose", price_book_propose, RPC_API },
    { "price_book_approve", price_book_approve, RPC_API },
    { "price_book_withdraw", price_book_withdraw, RPC_API },
    { NULL, NULL, 0 },
};
