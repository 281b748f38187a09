/* Lists and events take what a page takes: with a hundred times the rows hardly longer. A list that looks at every row
 * takes a hundred times as long. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FEW 1000
#define MANY 100000
#define TRIES 40
#define LONGER_MAX 3                    /* times */

static struct rig rig;
static char key[64], account[40], webhook[40];

static const struct {
    const char *path;
    bool by_operator;
} lists[] = {
    { "/v1/events?limit=50", false },
    { "/v1/events?limit=50&order=newest", false },
    { "/v1/events?limit=50&after=500", false },
    { "/v1/audit_events?limit=50", false },
    { "/v1/audit_events?limit=50&order=newest", false },
    { "/v1/webhooks/%s/deliveries?limit=50", false },
    { "/v1/admin/events?limit=50", true },
    { "/v1/admin/events?limit=50&order=newest", true },
    { "/v1/admin/audit?limit=50&order=newest", true },
    { "/v1/admin/audit?limit=10&object=object-7", true },
    { "/v1/admin/customers?limit=50", true },
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* Of other customers too: who asks must not pay for their rows either. */
static void fill(long from, long to)
{
    static const char *const inserts[] = {
        "INSERT INTO events (account_id, at_ms, type, object, scope, data)"
        " SELECT iif(n %% 2, '%s', 'acc_other'), strftime('%%s', 'now') * 1000, 'test.made', 'object-' || n, 0, '{}' FROM numbers",
        "INSERT INTO audit (at_ms, actor_type, actor_id, account_id, peer, request_id, action, object, status, reason, hash)"
        " SELECT n, 'key', 'key_' || n, iif(n %% 2, '%s', 'acc_other'), '::1', 'req_' || n, 'POST /v1/x', 'object-' || (n %% 100), 201,"
        " '', x'00' FROM numbers",
        "INSERT INTO deliveries (webhook_id, event_seq, state, due_ms, created_ms)"
        " SELECT '%s', n, 'delivered', n, strftime('%%s', 'now') * 1000 FROM numbers",
        "INSERT INTO customers (account_id, name, currency, created_ms, confirmed, number)"
        " SELECT 'acc_%s' || n, 'c', 'EUR', n, 1, n + 10 FROM numbers",
    };
    const char *const about[] = { account, account, webhook, "n" };

    for (size_t i = 0; i < sizeof(inserts) / sizeof(inserts[0]); i++) {
        char sql[900];
        int used = snprintf(sql, sizeof(sql), "WITH RECURSIVE numbers (n) AS (SELECT %ld UNION ALL"
                                              " SELECT n + 1 FROM numbers WHERE n < %ld) ", from, to);

        snprintf(sql + used, sizeof(sql) - (size_t)used, inserts[i], about[i]);
        rig_database(&rig, sql);
    }
}

/* The quickest of many: what else the machine does only adds. In microseconds. */
static double quickest_us(size_t list)
{
    const char *who = lists[list].by_operator ? rig.operator_key : key;
    char path[128];
    double best = 1e12;

    snprintf(path, sizeof(path), strstr(lists[list].path, "%s") ? "/v1/webhooks/%s/deliveries?limit=50" : "%s",
             strstr(lists[list].path, "%s") ? webhook : lists[list].path);
    for (int i = 0; i < TRIES; i++) {
        struct timespec begun, ended;
        struct response answer;
        double us;

        clock_gettime(CLOCK_MONOTONIC, &begun);
        answer = rig_get(&rig, who, path);
        clock_gettime(CLOCK_MONOTONIC, &ended);
        us = (double)(ended.tv_sec - begun.tv_sec) * 1e6 + (double)(ended.tv_nsec - begun.tv_nsec) / 1e3;
        best = us < best ? us : best;
        if (answer.status != 200 || json_array_size(json_object_get(answer.json, "data")) < 10)
            tap_bail("%s: %d %.300s", path, answer.status, answer.text);
        answer_free(&answer);
    }
    return best;
}

int main(void)
{
    double few[LISTS];
    struct response answer;

    rig_start(&rig);
    rig_customer(&rig, "pages", key, account);
    answer = rig_post(&rig, key, "/v1/webhooks", "webhook", "{\"url\":\"https://hooks.example/x\",\"types\":[\"instance.*\"]}");
    snprintf(webhook, sizeof(webhook), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    fill(1, FEW);
    for (size_t i = 0; i < LISTS; i++)
        few[i] = quickest_us(i);
    fill(FEW + 1, MANY);
    for (size_t i = 0; i < LISTS; i++) {
        double many = quickest_us(i);

        ok(many <= LONGER_MAX * few[i], "%s: %.0f us of %d rows, %.0f us of %d", lists[i].path, few[i], FEW, many, MANY);
    }
    rig_end(&rig);
    return tap_end();
}
