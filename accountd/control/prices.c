/* Verbs of published price books. */
#include "accountd/control/args.h"
#include "accountd/ledger/price_proposals.h"
#include "common/utc.h"

#include <stdlib.h>
#include <string.h>

void control_put_dates(json_t *object, const struct rate_book *book)
{
    char text[UTC_TEXT_BYTES];

    json_object_set_new(object, "valid_from", book->valid_from_ms ? json_string(utc_text(book->valid_from_ms, text))
                                                                  : json_null());
    json_object_set_new(object, "moves_running_at",
                        book->moves_running_ms ? json_string(utc_text(book->moves_running_ms, text)) : json_null());
}

static int put_decision(void *arg, const struct price_proposal *p)
{
    json_object_set_new(arg, "published_ms", json_integer(p->decided_ms));
    json_object_set_new(arg, "proposed_by", json_string(p->operator));
    json_object_set_new(arg, "published_by", json_string(p->decided_by));
    return 0;
}

static int put_book(void *arg, const struct rate_book *book, const char *body)
{
    json_t *row = json_pack("{s:I, s:s, s:s}", "version", (json_int_t)book->version, "currency", book->currency,
                            "state", "published");

    (void)body;
    control_put_dates(row, book);
    return price_each_proposal(control_self->ledger, book->version, put_decision, row) ||
           json_array_append_new(arg, row);
}

static int price_books(struct rpc_call *call, json_t *args, json_t **result)
{
    const struct rate_book *now = price_book_at(control_self->ledger, clock_unix_ms());
    json_t *list = json_array();

    (void)args;
    if (ledger_each_price_book(control_self->ledger, put_book, list)) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_pack("{s:o, s:I}", "price_books", list, "current", (json_int_t)(now ? now->version : 0));
    return 0;
}

static int price_book(struct rpc_call *call, json_t *args, json_t **result)
{
    const struct rate_book *now;
    struct rate_book book;
    struct json_why why;
    int64_t version = 0;
    enum ledger_result rc;
    char *body, *minisig;

    if (json_has(args, "version") && json_arg_int(args, "version", 1, INT32_MAX, &version, &why))
        return control_bad(call, &why);
    now = price_book_at(control_self->ledger, clock_unix_ms());
    rc = ledger_price_book(control_self->ledger, version ? version : now ? now->version : 0, &book, &body);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, "price book");
    *result = json_loads(body, 0, NULL);
    free(body);
    if (price_book_signature(control_self->ledger, book.version, &minisig) != LEDGER_OK) {
        json_decref(*result);
        *result = NULL;
        return control_failed(call);
    }
    json_object_set_new(*result, "signature", json_string(minisig));
    free(minisig);
    return 0;
}

static int read_proposed(void *arg, const struct price_proposal *p)
{
    json_t *object = json_loads(p->body, JSON_REJECT_DUPLICATES, NULL);
    struct json_why why;
    int rc = object ? rate_book_parse(object, arg, &why) : -1;

    json_decref(object);
    return rc;
}

enum ledger_result control_any_book(int64_t version, struct rate_book *book)
{
    const struct rate_book *published = price_book_get(control_self->ledger, version);

    book->version = 0;
    if (published)
        *book = *published;
    else if (price_each_proposal(control_self->ledger, version, read_proposed, book))
        return LEDGER_FAILED;
    return book->version ? LEDGER_OK : LEDGER_NOT_FOUND;
}

static json_t *changed_meters(const struct rate_book *from, const struct rate_book *to)
{
    json_t *list = json_array();
    char was[RATE_TEXT_BYTES], is[RATE_TEXT_BYTES];

    for (int q = 0; q < METER_QUANTITIES; q++)
        if (strcmp(rate_price_text(from, q, was), rate_price_text(to, q, is)) != 0)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "meter", meter_quantities[q].name, "unit",
                                                  meter_quantities[q].unit, "was", was, "is", is));
    return list;
}

static int price_book_diff(struct rpc_call *call, json_t *args, json_t **result)
{
    struct rate_book from, to;
    int64_t versions[2];
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_int(args, "from", 1, INT32_MAX, &versions[0], &why) ||
        json_arg_int(args, "to", 1, INT32_MAX, &versions[1], &why))
        return control_bad(call, &why);
    rc = control_any_book(versions[0], &from);
    if (rc == LEDGER_OK)
        rc = control_any_book(versions[1], &to);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, "price book");
    *result = json_pack("{s:I, s:I, s:o}", "from", (json_int_t)from.version, "to", (json_int_t)to.version, "meters",
                        changed_meters(&from, &to));
    control_put_dates(*result, &to);
    return 0;
}

const struct rpc_verb control_price_verbs[] = {
    { "price_books", price_books, RPC_API },
    { "price_book", price_book, RPC_API },
    { "price_book_diff", price_book_diff, RPC_API },
    { NULL, NULL, 0 },
};
