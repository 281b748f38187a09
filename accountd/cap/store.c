#include "accountd/cap/store.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const cap_state_names[CAP_STATES] = { "ok", "suspended", "stopped", "deleted" };

#define EVENTS_COUNTED 1000             /* the newest; what is published is of them */

int cap_payer_put(struct ledger *ledger, const struct cap_payer *p)
{
    return db_run(ledger->db, "INSERT OR REPLACE INTO cap_payer VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "tttitiii",
                  p->payer, p->account, cap_state_names[p->state], p->since_ms, p->boot, (int64_t)p->mark_ns,
                  p->elapsed_ms, p->minute_nano);
}

int cap_payer_drop(struct ledger *ledger, const char *payer)
{
    return db_run(ledger->db, "DELETE FROM cap_payer WHERE payer = ?1", "t", payer);
}

int cap_instance_put(struct ledger *ledger, const struct cap_instance *i)
{
    return db_run(ledger->db, "INSERT OR REPLACE INTO cap_instance VALUES (?1, ?2, ?3, ?4)", "ttti", i->instance,
                  i->payer, acker_want_names[i->want], (int64_t)i->held);
}

int cap_instance_drop(struct ledger *ledger, const char *instance)
{
    return db_run(ledger->db, "DELETE FROM cap_instance WHERE instance_id = ?1", "t", instance);
}

/* Which of the names the column holds: the table's CHECK allows no other. */
static unsigned name_of(sqlite3_stmt *stmt, int column, const char *const *names, unsigned count)
{
    unsigned i = 0;

    while (i + 1 < count && !db_column_is(stmt, column, names[i]))
        i++;
    return i;
}

int cap_each_payer(struct ledger *ledger, int (*fn)(void *arg, const struct cap_payer *payer), void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT payer, account_id, state, since_ms, boot, mark_ns, elapsed_ms,"
                                  " minute_nano FROM cap_payer ORDER BY payer", "");
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct cap_payer p = { .state = name_of(stmt, 2, cap_state_names, CAP_STATES),
                               .since_ms = sqlite3_column_int64(stmt, 3),
                               .mark_ns = (uint64_t)sqlite3_column_int64(stmt, 5),
                               .elapsed_ms = sqlite3_column_int64(stmt, 6),
                               .minute_nano = sqlite3_column_int64(stmt, 7) };

        db_copy_text(p.payer, sizeof(p.payer), stmt, 0);
        db_copy_text(p.account, sizeof(p.account), stmt, 1);
        db_copy_text(p.boot, sizeof(p.boot), stmt, 4);
        rc = fn(arg, &p);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int cap_each_instance(struct ledger *ledger, int (*fn)(void *arg, const struct cap_instance *instance), void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT instance_id, cap_instance.payer, want, held, account_id"
                                  " FROM cap_instance JOIN instance USING (instance_id) ORDER BY instance_id", "");
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct cap_instance i = { .want = name_of(stmt, 2, acker_want_names, ACKER_WANTS),
                                  .held = sqlite3_column_int64(stmt, 3) != 0 };

        db_copy_text(i.instance, sizeof(i.instance), stmt, 0);
        db_copy_text(i.payer, sizeof(i.payer), stmt, 1);
        db_copy_text(i.account, sizeof(i.account), stmt, 4);
        rc = fn(arg, &i);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int64_t cap_changes(struct ledger *ledger)
{
    return sqlite3_total_changes64(ledger->db);
}

int cap_payer_read(struct ledger *ledger, struct cap_payer *p)
{
    sqlite3_stmt *stmt =
        db_query(ledger->db,
                 "SELECT posted_nano, (SELECT coalesce(sum(amount_nano), 0) FROM transfer"
                 " WHERE debit = ?1 AND seq > ?2 AND code IN ('usage', 'tax') AND kind = 'posted'),"
                 " (SELECT coalesce(max(seq), 0) FROM transfer), (SELECT amount_nano FROM transfer"
                 " WHERE credit = ?1 AND kind = 'posted' AND code IN ('fund', 'voucher', 'credit', 'bank',"
                 " 'card', 'po', 'suspense') ORDER BY seq DESC LIMIT 1) FROM balance WHERE account_id = ?1",
                 "ti", p->payer, p->seq);
    int rc = db_next(stmt);

    if (rc == 1) {
        p->money_nano = sqlite3_column_int64(stmt, 0);
        p->charged_nano += sqlite3_column_int64(stmt, 1);
        p->seq = sqlite3_column_int64(stmt, 2);
        p->top_up_nano = sqlite3_column_int64(stmt, 3);
    }
    db_end(stmt);
    return rc == 1 ? 0 : -1;
}

int cap_event_put_locked(struct ledger *ledger, const struct cap_payer *p, unsigned instances, int64_t stop_ms,
                         int64_t overshoot_nano)
{
    return db_run(ledger->db, "INSERT INTO cap_event (payer, at_ms, instances, stop_ms, overshoot_nano)"
                  " VALUES (?1, ?2, ?3, ?4, ?5)", "tiiii", p->payer, p->gone_ms, (int64_t)instances, stop_ms,
                  overshoot_nano);
}

int cap_stop_put_locked(struct ledger *ledger, const struct cap_instance *i)
{
    return db_run(ledger->db, "INSERT INTO cap_stop (instance_id, stop_ms) VALUES (?1, ?2)", "ti", i->instance,
                  i->stop_ms);
}

/* The q-th permyriad of the newest stops, by nearest rank; null if there are none. */
static json_t *quantile(struct ledger *ledger, int64_t q)
{
    int64_t ms;
    int rc = db_int(ledger->db, &ms, "WITH s AS (SELECT stop_ms FROM cap_stop ORDER BY number DESC LIMIT ?1)"
                    " SELECT stop_ms FROM s ORDER BY stop_ms LIMIT 1 OFFSET"
                    " (SELECT max((count(*) * ?2 + 9999) / 10000 - 1, 0) FROM s)", "ii", (int64_t)EVENTS_COUNTED, q);

    return rc == 1 ? json_integer(ms) : rc == 0 ? json_null() : NULL;
}

static json_t *number_of(struct ledger *ledger, const char *sql)
{
    int64_t value;

    return db_int(ledger->db, &value, sql, "") == 1 ? json_integer(value) : NULL;
}

static json_t *newest(struct ledger *ledger)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT payer, at_ms, instances, stop_ms, overshoot_nano FROM cap_event"
                                  " ORDER BY number DESC LIMIT 100", "");
    json_t *list = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:o}", "payer", sqlite3_column_text(stmt, 0),
                                              "at_ms", (json_int_t)sqlite3_column_int64(stmt, 1), "instances",
                                              (json_int_t)sqlite3_column_int64(stmt, 2), "took_ms",
                                              (json_int_t)sqlite3_column_int64(stmt, 3), "overshoot_nano",
                                              json_decimal(sqlite3_column_int64(stmt, 4))));
    db_end(stmt);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *cap_events(struct ledger *ledger)
{
    int64_t most;

    if (db_int(ledger->db, &most, "SELECT coalesce(max(overshoot_nano), 0) FROM cap_event", "") != 1)
        return NULL;
    /* A part that could not be read makes the whole NULL. */
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "events",
                     number_of(ledger, "SELECT count(*) FROM cap_event"), "stops",
                     number_of(ledger, "SELECT count(*) FROM cap_stop"), "p50_ms", quantile(ledger, 5000), "p99_ms",
                     quantile(ledger, 9900), "max_ms", quantile(ledger, 10000), "overshoot_max_nano",
                     json_decimal(most), "last", newest(ledger));
}
