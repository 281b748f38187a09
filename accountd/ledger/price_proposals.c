/* Proposed price books. */
#include "accountd/ledger/price_proposals.h"
#include "accountd/ledger/db.h"

#include <stdlib.h>
#include <string.h>

static const char *text(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

int price_each_proposal(struct ledger *ledger, int64_t version, price_proposal_fn fn, void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db,
                                  "SELECT version, body, p.operator, p.at_ms, coalesce(outcome, 'proposed'),"
                                  " coalesce(d.operator, ''), coalesce(d.at_ms, 0) FROM price_proposal p"
                                  " LEFT JOIN price_decision d USING (version) WHERE ?1 = 0 OR version = ?1"
                                  " ORDER BY version",
                                  "i", version);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct price_proposal proposal = {
            .version = sqlite3_column_int64(stmt, 0), .body = text(stmt, 1), .operator = text(stmt, 2),
            .at_ms = sqlite3_column_int64(stmt, 3), .outcome = text(stmt, 4), .decided_by = text(stmt, 5),
            .decided_ms = sqlite3_column_int64(stmt, 6),
        };

        rc = fn(arg, &proposal);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

/* What is to be compared with a proposal, and what came of it. */
struct question {
    const char *body, *operator, *outcome;
    enum ledger_result answer;
    char *published_body;               /* malloc'd: of an open proposal of another operator */
};

static int compare_proposal(void *arg, const struct price_proposal *p)
{
    struct question *q = arg;
    bool same = strcmp(p->operator, q->operator) == 0 && strcmp(p->body, q->body) == 0;

    q->answer = same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    return 0;
}

static bool above_newest(struct ledger *ledger, int64_t version)
{
    int64_t newest;

    return db_int(ledger->db, &newest, "SELECT coalesce(max(version), 0) FROM price_book", "") == 1 && version > newest;
}

enum ledger_result price_propose(struct ledger *ledger, int64_t version, const char *body, const char *operator,
                                 int64_t at_ms)
{
    struct question q = { .body = body, .operator = operator, .answer = LEDGER_NOT_FOUND };

    if (price_each_proposal(ledger, version, compare_proposal, &q))
        return LEDGER_FAILED;
    if (q.answer != LEDGER_NOT_FOUND)
        return q.answer;
    if (!above_newest(ledger, version))
        return LEDGER_CONFLICT;
    return db_run(ledger->db, "INSERT INTO price_proposal VALUES (?1, ?2, ?3, ?4)", "itti", version, body, operator,
                  at_ms)
               ? LEDGER_FAILED
               : LEDGER_OK;
}

static int examine(void *arg, const struct price_proposal *p)
{
    struct question *q = arg;
    bool open = strcmp(p->outcome, "proposed") == 0;
    bool own = strcmp(p->operator, q->operator) == 0;

    if (!open)
        q->answer = strcmp(p->outcome, q->outcome) == 0 && strcmp(p->decided_by, q->operator) == 0 ? LEDGER_EXISTS
                                                                                                    : LEDGER_CONFLICT;
    else
        q->answer = own && strcmp(q->outcome, "published") == 0 ? LEDGER_CONFLICT : LEDGER_OK;
    if (q->answer == LEDGER_OK)
        q->published_body = strdup(p->body);
    return q->answer != LEDGER_OK || q->published_body ? 0 : -1;
}

static enum ledger_result decide_locked(struct ledger *ledger, int64_t version, struct question *q, int64_t at_ms)
{
    bool publish = strcmp(q->outcome, "published") == 0;

    if (price_each_proposal(ledger, version, examine, q))
        return LEDGER_FAILED;
    if (q->answer != LEDGER_OK)
        return q->answer;
    if (publish && !above_newest(ledger, version))
        return LEDGER_CONFLICT;
    if (db_run(ledger->db, "INSERT INTO price_decision VALUES (?1, ?2, ?3, ?4)", "itti", version, q->outcome,
               q->operator, at_ms))
        return LEDGER_FAILED;
    return publish ? price_book_put_locked(ledger, version, q->published_body, at_ms) : LEDGER_OK;
}

static enum ledger_result decide(struct ledger *ledger, int64_t version, const char *outcome, const char *operator,
                                 int64_t at_ms)
{
    struct question q = { .operator = operator, .outcome = outcome, .answer = LEDGER_NOT_FOUND };
    enum ledger_result result;

    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    result = ledger_finish(ledger, decide_locked(ledger, version, &q, at_ms));
    free(q.published_body);
    return result;
}

enum ledger_result price_publish(struct ledger *ledger, int64_t version, const char *operator, int64_t at_ms)
{
    return decide(ledger, version, "published", operator, at_ms);
}

enum ledger_result price_withdraw(struct ledger *ledger, int64_t version, const char *operator, int64_t at_ms)
{
    return decide(ledger, version, "withdrawn", operator, at_ms);
}
