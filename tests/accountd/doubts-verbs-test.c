/* Disputes and the host's books through accountd's socket. */
#include "tests/accountd/world.h"
#include "common/json.h"
#include "tests/tap/tap.h"

#include <string.h>

static struct world w;

static bool refused(const char *code, json_t *ok)
{
    bool good = !ok && strcmp(world_code(&w), code) == 0;

    json_decref(ok);
    return good;
}

static void test_books(void)
{
    json_t *now = world_ask(&w, "host_books_now", "{}"), *list, *first;
    const json_t *statement = json_object_get(now, "statement");

    check(strcmp(json_text(statement, "drift"), "") == 0 && strcmp(json_text(statement, "boot_cpu_guest_ns"),
          "700") == 0 &&
          strcmp(json_text(statement, "boot_idle_ns"), "200") == 0, "a statement of now, with what the CPU table says");
    list = world_ask(&w, "host_books", "{s:i}", "limit", 1);
    first = json_array_get(json_object_get(list, "host_books"), 0);
    check(json_equal(first, statement), "it is the newest of the list");
    json_decref(now);
    json_decref(list);
}

static void test_disputes(void)
{
    json_t *list = world_ask(&w, "disputes", "{}");

    check(list && json_array_size(json_object_get(list, "disputes")) == 0, "nothing is disputed");
    json_decref(list);
    check(refused("not_found", world_ask(&w, "dispute_open", "{s:s,s:s,s:s,s:s}", "dispute_id", "d", "account_id", "acc",
                                         "invoice_id", "nil", "reason", "why")), "an invoice that is not there");
    check(refused("bad_request", world_ask(&w, "dispute_open", "{s:s,s:s,s:s,s:s,s:{s:s}}", "dispute_id", "d",
                                           "account_id", "acc", "invoice_id", "nil", "reason", "why", "claim", "counter",
                                           "guest_ns")), "a claim that lacks its value");
    check(refused("not_found", world_ask(&w, "dispute", "{s:s}", "dispute_id", "d")), "a dispute that is not there");
    check(refused("bad_request", world_ask(&w, "dispute_resolve", "{s:s,s:s,s:s,s:s}", "dispute_id", "d", "operator", "op",
                                           "outcome", "maybe", "reason", "why")), "an outcome that is none");
}

/* Nobody is told of anything before it is there, and who knows of less at once. */
static void test_news(void)
{
    json_t *first = world_ask(&w, "news", "{s:i,s:i,s:i,s:i}", "alert", 99, "invoice", 0, "deposit", 0, "wait_ms", 20000), *again;

    check(first && json_integer_value(json_object_get(first, "alert")) < 99, "whoever knows other numbers is answered at once");
    again = world_ask(&w, "news", "{s:O,s:O,s:O,s:i}", "alert", json_object_get(first, "alert"), "invoice",
                      json_object_get(first, "invoice"), "deposit", json_object_get(first, "deposit"), "wait_ms", 200);
    check(again && json_equal(first, again), "whoever knows them, when the time is up");
    json_decref(first);
    json_decref(again);
    check(refused("bad_request", world_ask(&w, "news", "{s:i}", "alert", 1)), "all are asked for");
}

int main(void)
{
    int status = 0;

    world_begin(&w);
    world_cpu(&w, 0, 700, 100, 200);
    check(world_start(&w, &status), "accountd is ready");
    test_books();
    test_disputes();
    test_news();
    world_end(&w);
    return tap_end();
}
