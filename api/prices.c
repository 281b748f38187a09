/* Price books: what is published, for customers. Proposals are the operators', price_books.c. */
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdlib.h>
#include <string.h>

/* Not this or that customer's: no account is named. */
enum answer prices_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "price_books", json_object(), "price_books", NULL);
}

/* As it was signed: not a letter of it is ours to present. */
enum answer price_show(struct request *rq, struct reply *rp)
{
    size_t len = strlen(rq->param);

    if (len > 9 || strspn(rq->param, "0123456789") != len || rq->param[0] == '0')
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such price book: versions are numbers from 1");
    return upstream_ask(rq, rp, DAEMON_ACCOUNTD, "price_book",
                        json_pack("{s:I}", "version", (json_int_t)atoi(rq->param)), &rp->json);
}
