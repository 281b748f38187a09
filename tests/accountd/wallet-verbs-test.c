/* Wallets, purchase orders and the books through accountd's socket. */
#include "common/json.h"
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world w;

static bool refused(const char *code, json_t *ok, const char *says)
{
    const char *detail = json_string_value(json_object_get(w.error, "detail"));
    bool good = !ok && strcmp(world_code(&w), code) == 0 && detail && strstr(detail, says);

    if (!good)
        printf("# %s: %s\n", world_code(&w), detail ? detail : "");
    json_decref(ok);
    return good;
}

static bool done(json_t *ok)
{
    bool good = ok != NULL;

    if (!good)
        printf("# %s: %s\n", world_code(&w), json_string_value(json_object_get(w.error, "detail")));
    json_decref(ok);
    return good;
}

static void open_accounts(void)
{
    check(done(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "acc", "name", "Ann", "currency", "EUR")) &&
          done(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "bob", "name", "Bob", "currency", "EUR")),
          "two customers");
    for (int i = 0; i < 5; i++) {
        char id[8], amount[24];

        snprintf(id, sizeof(id), "t%d", i);
        snprintf(amount, sizeof(amount), "%d", 1000000000 + i);
        if (!done(world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", id, "account_id", "acc", "amount_nano",
                            amount, "reason", "test", "operator", "op_1")))
            exit(99);
    }
}

/* Two entries a page: the newest first, each once. */
static void test_pages(void)
{
    char ids[64] = "";
    json_int_t after = 0;
    int pages = 0;

    do {
        json_t *page = world_ask(&w, "wallet", "{s:s,s:I,s:i}", "account_id", "acc", "after", after, "limit", 2),
               *entry;
        size_t i;

        json_array_foreach(json_object_get(page, "entries"), i, entry)
            strcat(strcat(ids, json_text(entry, "transfer_id")), " ");
        after = json_integer_value(json_object_get(page, "next"));
        json_decref(page);
    } while (after && ++pages < 9);
    check(strcmp(ids, "t4 t3 t2 t1 t0 ") == 0 && pages == 2, "a wallet's entries come in pages, the newest first");
    check(refused("bad_request", world_ask(&w, "wallet", "{s:s,s:i}", "account_id", "acc", "limit", 201), "limit"),
          "a page has a greatest size");
    check(refused("not_found", world_ask(&w, "holds", "{s:s}", "account_id", "nobody"), "nobody"),
          "nobody has no holds");
}

static json_t *order_of(json_t *ok)
{
    json_t *order = json_incref(json_object_get(ok, "purchase_order"));

    json_decref(ok);
    return order;
}

static void test_orders(void)
{
    json_t *order = order_of(world_ask(&w, "purchase_order_create", "{s:s,s:s,s:s,s:s}", "po_id", "po_1", "account_id",
                                       "acc", "name", "a project", "amount_nano", "3000000000")),
           *list;

    check(strcmp(json_text(order, "state"), "open") == 0 && strcmp(json_text(order, "available_nano"),
          "3000000000") == 0 &&
          strcmp(json_text(order, "funded_nano"), "3000000000") == 0 &&
          strcmp(json_text(order, "spent_nano"), "0") == 0 &&
          json_is_null(json_object_get(order, "end_ms")), "a purchase order is made");
    json_decref(order);
    check(refused("insufficient_funds",
                  world_ask(&w, "purchase_order_add", "{s:s,s:s,s:s,s:s}", "transfer_id", "a1", "po_id", "po_1",
                            "account_id", "acc", "amount_nano", "2000000011"),
                  "2000000010") &&
              strcmp(json_text(json_object_get(w.error, "context"), "available_nano"), "2000000010") == 0,
          "more than the wallet has cannot be added, and it is said what it has");
    order = order_of(world_ask(&w, "purchase_order_add", "{s:s,s:s,s:s,s:s}", "transfer_id", "a1", "po_id", "po_1",
                               "account_id", "acc", "amount_nano", "5"));
    check(strcmp(json_text(order, "available_nano"), "3000000005") == 0, "less can");
    json_decref(order);
    check(refused("bad_request",
                  world_ask(&w, "purchase_order_create", "{s:s,s:s,s:s,s:s,s:i}", "po_id", "po_2", "account_id", "acc",
                            "name", "n", "amount_nano", "1", "end_ms", 5),
                  "end_ms"),
          "an end in the past is refused");
    check(refused("conflict",
                  world_ask(&w, "purchase_order_create", "{s:s,s:s,s:s,s:s}", "po_id", "po_1", "account_id", "acc",
                            "name", "another", "amount_nano", "3000000000"),
                  "po_1"),
          "an id is one order's");
    check(refused("not_found", world_ask(&w, "purchase_order_close", "{s:s,s:s}", "po_id", "po_1", "account_id", "bob"),
                  "po_1"),
          "it is not another customer's");
    list = world_ask(&w, "purchase_orders", "{s:s}", "account_id", "acc");
    check(json_array_size(json_object_get(list, "purchase_orders")) == 1, "it is listed");
    json_decref(list);
}

static json_t *launch(const char *instance, uint8_t tag, const char *order)
{
    return world_ask(&w, "instance_register", "{s:s,s:s,s:s,s:s,s:i,s:i,s:s*}", "account_id", "acc", "instance_id",
                     instance, "domain_uuid", world_hex(tag), "incarnation", world_hex(tag), "vcpus", 1, "memory_mib",
                     256, "purchase_order_id", order);
}

static void test_launch(void)
{
    json_t *holds, *hold;

    check(refused("not_found", launch("i1", 1, "po_9"), "po_9"), "an order that is not there pays for nothing");
    check(done(launch("i1", 1, "po_1")) && done(launch("i2", 2, NULL)),
          "one instance is paid by the order, one by the wallet");
    check(refused("conflict", launch("i2", 3, "po_1"), "keeps its payer"), "an instance keeps its payer");
    holds = world_ask(&w, "holds", "{s:s}", "account_id", "acc");
    hold = json_array_get(json_object_get(holds, "holds"), 0);
    check(json_array_size(json_object_get(holds, "holds")) == 2 && strcmp(json_text(hold, "instance_id"), "i1") == 0 &&
          strcmp(json_text(hold, "purchase_order_id"), "po_1") == 0 && json_text(hold, "amount_nano")[0] &&
          json_is_null(json_object_get(json_array_get(json_object_get(holds, "holds"), 1), "purchase_order_id")),
          "both holds are shown, and who holds them");
    json_decref(holds);
    check(refused("conflict", world_ask(&w, "purchase_order_close", "{s:s,s:s}", "po_id", "po_1", "account_id", "acc"),
                  "delete them first"), "the order stays open while it pays");
    check(done(world_ask(&w, "instance_close", "{s:s}", "instance_id", "i1")) &&
          done(world_ask(&w, "purchase_order_close", "{s:s,s:s}", "po_id", "po_1", "account_id", "acc")),
          "and can be closed afterwards");
    check(refused("conflict", launch("i4", 4, "po_1"), "takes no launches"), "closed, it pays for nothing new");
}

/* Money that is set aside in an order, or held, is neither spent nor new. */
static void test_standing(void)
{
    json_t *s = world_ask(&w, "account_standing", "{s:s}", "account_id", "acc");

    check(strcmp(json_text(s, "funded_nano"), "5000000010") == 0 && strcmp(json_text(s, "spent_nano"), "0") == 0 &&
          strcmp(json_text(s, "posted_nano"), "5000000010") == 0 && strcmp(json_text(s, "carried_nano"), "0") == 0 &&
          json_text(s, "held_nano")[0] != '0' && json_integer_value(json_object_get(s, "stops")) == 0,
          "a customer's standing: wallet and orders together");
    json_decref(s);
    check(refused("not_found", world_ask(&w, "account_standing", "{s:s}", "account_id", "nobody"), "nobody"),
          "nobody stands nowhere");
}

static void test_books(void)
{
    json_t *trial = world_ask(&w, "trial_balance", "{}"), *page, *journal;
    struct stat st;

    check(json_is_true(json_object_get(trial, "sound")) && strcmp(json_text(trial, "debit_nano"), "5000000010") == 0 &&
          strcmp(json_text(trial, "credit_nano"), "5000000010") == 0 && json_is_null(json_object_get(trial, "differs")),
          "the trial balance balances");
    json_decref(trial);
    page = world_ask(&w, "transfers", "{s:s,s:i}", "account", "po:po_1", "limit", 3);
    check(json_array_size(json_object_get(page, "transfers")) == 3 &&
              json_integer_value(json_object_get(page, "next")) > 0 &&
              strcmp(json_text(json_array_get(json_object_get(page, "transfers"), 0), "code"), "po") == 0 &&
              strcmp(json_text(json_array_get(json_object_get(page, "transfers"), 2), "kind"), "pending") == 0,
          "an operator sees an account's transfers, the oldest first");
    json_decref(page);
    check(refused("not_found", world_ask(&w, "transfers", "{s:s}", "account", "host:nothing"), "host:nothing"),
          "of an account that there is");
    journal = world_ask(&w, "ledger_journal", "{s:s}", "account_id", "acc");
    check(journal && stat(json_text(journal, "path"), &st) == 0 && st.st_size > 500 && (st.st_mode & 0777) == 0640,
          "a customer's journal is written where api may read it");
    json_decref(journal);
    journal = world_ask(&w, "ledger_journal", "{}");
    check(journal && stat(json_text(journal, "path"), &st) == 0 && st.st_size > 500, "the host's too");
    json_decref(journal);
    check(refused("not_found", world_ask(&w, "ledger_journal", "{s:s}", "account_id", "nobody"), "nobody"),
          "nobody has none");
}

int main(void)
{
    int status;

    world_begin(&w);
    check(world_start(&w, &status), "accountd is ready");
    open_accounts();
    test_pages();
    test_orders();
    test_launch();
    test_standing();
    test_books();
    check(world_kill(&w, SIGKILL) && world_start(&w, &status), "killed and started again, its books add up");
    world_end(&w);
    return tap_end();
}
