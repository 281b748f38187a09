/* What happened: as pages, or as it happens (streams.h). */
#include "api/api.h"
#include "api/events.h"
#include "api/pages.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/rows.h"
#include "api/streams.h"

#include <stdlib.h>
#include <string.h>

json_t *event_view(const struct event_row *row, bool for_operator)
{
    json_t *view = json_pack("{s:I, s:s, s:o, s:s, s:o}", "seq", (json_int_t)row->seq, "type", row->type, "at",
                             time_json(row->at_ms), "object", row->object, "data", json_loads(row->data, 0, NULL));

    if (for_operator)
        json_object_set_new(view, "customer_id", row->account_id ? json_string(row->account_id) : json_null());
    return view;
}

struct page {
    json_t *rows;
    bool for_operator;
};

static void page_add(void *arg, const struct event_row *row)
{
    struct page *page = arg;

    json_array_append_new(page->rows, event_view(row, page->for_operator));
}

/* Whose, and from where. */
static enum answer range_read(struct request *rq, struct reply *rp, struct event_range *range)
{
    bool for_operator = rq->who.role == ROLE_OPERATOR;
    const char *customer_id;
    enum answer answer = page_query(rq, rp, &range->after, &range->limit);

    if (answer == ANSWER_OK)
        answer = page_query_order(rq, rp, &range->newest);
    if (answer == ANSWER_OK)
        answer = page_query_customer(rq, rp, &customer_id);
    if (answer != ANSWER_OK)
        return answer;
    range->account_id = for_operator ? customer_id : rq->who.account_id;
    range->scopes = for_operator ? ~0u : rq->who.bound ? rq->who.scopes : rq->who.account_scopes;
    range->project_id = rq->who.bound ? rq->who.project_id : "";
    return ANSWER_OK;
}

/* A number, as we gave it. A client that was restarted sends the header along with an older `after`. */
static bool last_event_read(const struct request *rq, int64_t *after)
{
    const char *text = rq->last_event_id;

    if (!text || !*text || strlen(text) > 15 || strspn(text, "0123456789") != strlen(text))
        return false;
    *after = strtoll(text, NULL, 10);
    return true;
}

static enum answer events_follow(struct request *rq, struct reply *rp, struct event_range *range)
{
    if (!last_event_read(rq, &range->after) && !request_query(rq, "after") &&
        store_event_newest(rq->api->store, &range->after) < 0)
        return reply_fail(rp, ANSWER_STORAGE, "events cannot be looked up");
    return stream_open(rq, rp, range);
}

enum answer events_list(struct request *rq, struct reply *rp)
{
    struct page page = { .for_operator = rq->who.role == ROLE_OPERATOR };
    struct event_range range;
    enum answer answer = range_read(rq, rp, &range);

    if (answer != ANSWER_OK)
        return answer;
    if (rows_accepts(rq, "text/event-stream"))
        return events_follow(rq, rp, &range);
    page.rows = json_array();
    if (store_events(rq->api->store, &range, page_add, &page) != 0) {
        json_decref(page.rows);
        return reply_fail(rp, ANSWER_STORAGE, "events cannot be looked up");
    }
    rp->json = json_pack("{s:o, s:o}", "data", page.rows, "next_cursor",
                         range.more ? json_integer(range.after) : json_null());
    return ANSWER_OK;
}
