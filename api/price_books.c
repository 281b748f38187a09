/* Price books as operators have them: proposed by one, published by another, compared, tried on a past month. */
#include "api/fields.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static json_t *row_view(const json_t *proposal)
{
    json_t *view = present_copy(proposal);

    json_object_del(view, "book");
    return view;
}

/* What is published, then what is not: each version once. */
enum answer price_books_list(struct request *rq, struct reply *rp)
{
    json_t *ok, *each, *rows;
    size_t i;
    enum answer answer = relay_list(rq, rp, "price_books", json_object(), "price_books", NULL);

    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "price_proposals", json_object(), &ok);
    if (answer != ANSWER_OK)
        return answer;
    rows = json_object_get(rp->json, "data");
    json_array_foreach(json_object_get(ok, "price_proposals"), i, each)
        if (strcmp(json_text(each, "state"), "published") != 0)
            json_array_append_new(rows, row_view(each));
    json_decref(ok);
    return ANSWER_OK;
}

static bool version_valid(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 9 && strspn(text, "0123456789") == len && text[0] != '0';
}

/* The version in the path into `args` as `name`. */
static enum answer version_param(const struct request *rq, struct reply *rp, const char *name, json_t *args)
{
    if (!version_valid(rq->param))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such price book: versions are numbers from 1");
    json_object_set_new(args, name, json_integer(atoi(rq->param)));
    return ANSWER_OK;
}

/* The fields' values are the book's own: read again, because body_parse makes all numbers doubles. */
enum answer price_book_propose(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "nil_", .verb = "price_book_propose"};
    json_t *args = relay_operator_args(rq);

    json_object_set_new(args, "body", json_loadb(rq->body, rq->body_size, JSON_REJECT_DUPLICATES, NULL));
    if (!json_object_get(args, "body")) {
        json_decref(args);
        return reply_fail(rp, ANSWER_MALFORMED, "a number is not one that can be kept exactly");
    }
    return relay_make(rq, rp, &making, args);
}

static enum answer decide(struct request *rq, struct reply *rp, const char *verb)
{
    json_t *args = relay_operator_args(rq), *ok;
    enum answer answer = version_param(rq, rp, "version", args);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, verb, json_incref(args), &ok);
    json_decref(args);
    if (answer != ANSWER_OK)
        return answer;
    rp->json = present_copy(ok);
    json_decref(ok);
    return ANSWER_OK;
}

enum answer price_book_approve(struct request *rq, struct reply *rp)
{
    return decide(rq, rp, "price_book_approve");
}

enum answer price_book_withdraw(struct request *rq, struct reply *rp)
{
    return decide(rq, rp, "price_book_withdraw");
}

/* The proposal of this version; of the first, which nobody proposed, the book. */
enum answer price_book_show(struct request *rq, struct reply *rp)
{
    json_t *args = json_object(), *ok, *each;
    size_t i;
    enum answer answer = version_param(rq, rp, "version", args);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "price_proposals", json_object(), &ok);
    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    json_array_foreach(json_object_get(ok, "price_proposals"), i, each)
        if (json_equal(json_object_get(each, "version"), json_object_get(args, "version")))
            rp->json = present_copy(each);
    json_decref(ok);
    if (!rp->json)
        return upstream_ask(rq, rp, DAEMON_ACCOUNTD, "price_book", args, &rp->json);
    json_decref(args);
    return ANSWER_OK;
}

/* Which version it is compared with: the one asked for, or what a registration takes now. */
static enum answer against_read(struct request *rq, struct reply *rp, json_t *args)
{
    const char *against;
    json_t *ok;
    enum answer answer =
        request_query_text(rq, rp, "against", version_valid, "must be a version, a number from 1", &against);

    if (answer != ANSWER_OK)
        return answer;
    if (against) {
        json_object_set_new(args, "from", json_integer(atoi(against)));
        return ANSWER_OK;
    }
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "price_books", json_object(), &ok);
    if (answer != ANSWER_OK)
        return answer;
    json_object_set(args, "from", json_object_get(ok, "current"));
    json_decref(ok);
    return ANSWER_OK;
}

enum answer price_book_diff(struct request *rq, struct reply *rp)
{
    json_t *args = json_object();
    enum answer answer = version_param(rq, rp, "to", args);

    if (answer == ANSWER_OK)
        answer = against_read(rq, rp, args);
    if (answer == ANSWER_OK)
        return relay_show(rq, rp, "price_book_diff", args, NULL, NULL);
    json_decref(args);
    return answer;
}

/* What a customer's month would have cost under this version, from its records. */
enum answer price_book_replay(struct request *rq, struct reply *rp)
{
    const char *period = NULL;
    json_t *args = json_object();
    enum answer answer = version_param(rq, rp, "version", args);

    if (answer == ANSWER_OK)
        answer = relay_customer(rq, rp, args);
    if (answer == ANSWER_OK)
        answer = request_query_text(rq, rp, "period", month_valid, "must be a month such as 2026-11", &period);
    if (answer == ANSWER_OK && (!json_object_get(args, "account_id") || !period))
        answer = reply_fail(rp, ANSWER_INVALID_FIELDS, "customer_id and period: say whose month");
    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    json_object_set_new(args, "period", json_string(period));
    return relay_show(rq, rp, "replay", args, NULL, NULL);
}
