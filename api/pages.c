#include "api/pages.h"

#include <string.h>

#define PAGE_USUAL 100

enum answer page_query(const struct request *rq, struct reply *rp, int64_t *after, int64_t *limit)
{
    enum answer answer = request_query_int(rq, rp, "after", 0, INT64_C(1) << 52, 0, after);

    return answer == ANSWER_OK ? request_query_int(rq, rp, "limit", 1, PAGE_MAX, PAGE_USUAL, limit) : answer;
}

static bool order_valid(const char *text)
{
    return strcmp(text, "oldest") == 0 || strcmp(text, "newest") == 0;
}

enum answer page_query_order(const struct request *rq, struct reply *rp, bool *newest)
{
    const char *order;
    enum answer answer = request_query_text(rq, rp, "order", order_valid, "must be oldest or newest", &order);

    *newest = answer == ANSWER_OK && order && strcmp(order, "newest") == 0;
    return answer;
}

static bool customer_valid(const char *text)
{
    return id_valid("acc_", text);
}

enum answer page_query_customer(const struct request *rq, struct reply *rp, const char **account_id)
{
    return request_query_text(rq, rp, "customer_id", customer_valid, "must be a customer's id", account_id);
}

json_t *page_view(json_t *list, int64_t limit, int64_t last)
{
    bool full = json_array_size(list) == (size_t)limit;

    return json_pack("{s:o, s:o}", "data", list, "next_cursor", full ? json_integer(last) : json_null());
}
