/* Alerts: one stands for each key, cleared ones stay and may come again. */
#include "accountd/cap/alerts.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <string.h>

static struct ledger *ledger;

static size_t listed(const char *account, bool standing, int64_t after, int64_t limit)
{
    json_t *list = alert_list(ledger, account, standing, after, limit);
    size_t count = json_array_size(list);

    json_decref(list);
    return count;
}

static void test_keys(void)
{
    check(alert_raise(ledger, "balance ann 50", "balance", "ann", "half is left", "first", 10) == 0 &&
          listed("ann", true, 0, 9) == 1, "an alert is raised");
    check(alert_raise(ledger, "balance ann 50", "balance", "ann", "half is left", "again", 20) == 0 &&
          listed(NULL, false, 0, 9) == 1, "raised again while it stands: nothing");
    check(alert_clear(ledger, "balance ann 50", 30) == 0 && listed("ann", true, 0, 9) == 0 &&
          listed("ann", false, 0, 9) == 1, "cleared, it is history");
    check(alert_clear(ledger, "balance ann 50", 40) == 0, "cleared again: nothing");
    check(alert_raise(ledger, "balance ann 50", "balance", "ann", "half is left", "anew", 50) == 0 &&
          listed("ann", true, 0, 9) == 1 && listed("ann", false, 0, 9) == 2, "and it may come again");
}

static void test_lists(void)
{
    json_t *list, *first;

    alert_raise(ledger, "books", "books", NULL, "the books do not close", "cpu 1", 60);
    check(listed("ann", false, 0, 9) == 2 && listed(NULL, false, 0, 9) == 3, "the operator's is not a customer's");
    check(listed(NULL, false, 1, 1) == 1 && listed(NULL, false, 3, 9) == 0, "pages by number");
    list = alert_list(ledger, "ann", false, 0, 1);
    first = json_array_get(list, 0);
    check(json_integer_value(json_object_get(first, "raised_ms")) == 10 &&
          json_integer_value(json_object_get(first, "cleared_ms")) == 30 &&
          strcmp(json_string_value(json_object_get(first, "detail")), "first") == 0, "a row says when and what");
    json_decref(list);
    alert_raise(ledger, "balance ann 20", "balance", "ann", "a fifth", "", 70);
    alert_raise(ledger, "balance anna 20", "balance", "anna", "a fifth", "", 70);
    check(alert_clear_all(ledger, "balance ann ", 80) == 0 && listed("ann", true, 0, 9) == 0 &&
          listed("anna", true, 0, 9) == 1, "all of one prefix are cleared, and no others");
}

int main(void)
{
    struct life life;

    life_begin(&life);
    ledger = life.a.ledger;
    test_keys();
    test_lists();
    life_end(&life);
    return tap_end();
}
