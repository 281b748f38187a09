/* The books as text. */
#include "tests/accountd/story.h"
#include "accountd/ledger/db.h"

#include <stdlib.h>
#include <string.h>

/* A record's cut differs after a restart, so what is drawn by it is summed, and what is made of a place in the log (the
 * id of a month's invoice too) is left out. */
static const char *const ledger_facts[] = {
    "SELECT 'drawn', kind, debit, credit, code, sum(amount_nano) FROM transfer WHERE code IN ('usage', 'tax', "
    "'carried')"
    " GROUP BY kind, debit, credit, code",
    "SELECT 'transfer', transfer_id, kind, debit, credit, amount_nano, pending_id, code, reason, refers, at_ms, "
    "expires_ms"
    " FROM transfer WHERE code NOT IN ('usage', 'tax', 'carried', 'rounding')",
    "SELECT 'rounding', debit, credit, amount_nano, reason, at_ms FROM transfer WHERE code = 'rounding'",
    "SELECT 'balance', account_id, posted_nano, held_nano FROM balance",
    "SELECT 'instance', instance_id, account_id, closed, hold_id, hold_seq, payer FROM instance",
    "SELECT 'registration', incarnation, instance_id, price_book, at_ms, last_leaf IS NULL FROM registration",
    "SELECT 'open use', account_id, period, t0_ms, t1_ms, net_nano, tax_nano, carried_nano FROM open_use"
    " WHERE net_nano <> 0 OR t1_ms > t0_ms",
    "SELECT 'invoice', number, CASE WHEN invoice_id GLOB 'inv_*' THEN 'of a month' ELSE invoice_id END, account_id, "
    "kind, refers_id, carried_nano, json_extract(body, '$.lines'),"
    " json_extract(body, '$.details'), json_extract(body, '$.tax'), json_extract(body, '$.total_nano') FROM invoice",
    "SELECT 'dispute', number, dispute_id, account_id, invoice_id, line, request, opened_ms,"
    " json_extract(document, '$.verdict') FROM dispute",
    "SELECT 'signed prices', version FROM price_signature",
    NULL};
static const char ledger_special[] =
    "'transfer','balance','instance','registration','open_use','invoice','price_signature','dispute',"
    "'log','open_chain','period_start','invoice_cades','sqlite_stat1'";
static const char *const usage_facts[] = {
    "SELECT 'incarnation', incarnation, account, instance, state FROM incarnation",
    "SELECT 'host leaves', type, count(*) FROM leaf WHERE account IS NULL GROUP BY type",
    "SELECT 'ends', type, incarnation, count(*) FROM leaf WHERE type IN ('start', 'end', 'gap', 'anomaly') GROUP BY "
    "type, incarnation",
    NULL};

struct text {
    char **line;
    size_t count, room;
};

static void add_row(struct text *t, sqlite3_stmt *stmt, const char *prefix)
{
    char *bytes = NULL;
    size_t len;
    FILE *out = open_memstream(&bytes, &len);

    fprintf(out, "%s", prefix);
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, i);

        fprintf(out, " | %s", text ? text : "-");
    }
    fclose(out);
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->line = realloc(t->line, t->room * sizeof(*t->line));
    }
    t->line[t->count++] = bytes;
}

static void add_query(struct text *t, sqlite3 *db, const char *sql, const char *prefix)
{
    sqlite3_stmt *stmt = db_query(db, sql, "");
    int rc;

    while ((rc = db_next(stmt)) == 1)
        add_row(t, stmt, prefix);
    db_end(stmt);
    if (rc)
        exit(99);
}

/* Tables that need no care are taken as they are: those to come too. */
static void add_tables(struct text *t, sqlite3 *db)
{
    char sql[400];
    sqlite3_stmt *stmt;

    snprintf(sql, sizeof(sql), "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (%s)",
             ledger_special);
    stmt = db_query(db, sql, "");
    while (db_next(stmt) == 1) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        char all[160];

        snprintf(all, sizeof(all), "SELECT * FROM \"%s\"", name);
        add_query(t, db, all, name);
    }
    db_end(stmt);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *books_text(struct life *life)
{
    struct text t = { NULL, 0, 0 };
    char path[100], *bytes = NULL;
    sqlite3 *usage;
    size_t len;
    FILE *out;

    snprintf(path, sizeof(path), "%s/usage.db", life->dir);
    if (sqlite3_open_v2(path, &usage, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        exit(99);
    for (unsigned i = 0; ledger_facts[i]; i++)
        add_query(&t, life->a.ledger->db, ledger_facts[i], "ledger");
    add_tables(&t, life->a.ledger->db);
    for (unsigned i = 0; usage_facts[i]; i++)
        add_query(&t, usage, usage_facts[i], "usage");
    db_close(usage);
    qsort(t.line, t.count, sizeof(*t.line), by_text);
    out = open_memstream(&bytes, &len);
    for (size_t i = 0; i < t.count; i++) {
        fprintf(out, "%s\n", t.line[i]);
        free(t.line[i]);
    }
    fclose(out);
    free(t.line);
    return bytes;
}

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *at = text; *at; at = strchr(at, '\n') + 1)
        if (strncmp(at, line, len) == 0 && at[len] == '\n')
            return true;
    return false;
}

static void only_in(const char *text, const char *other, const char *whose)
{
    unsigned printed = 0;

    for (const char *at = text; *at && printed < 10; at = strchr(at, '\n') + 1) {
        size_t len = (size_t)(strchr(at, '\n') - at);

        if (!has_line(other, at, len) && ++printed)
            printf("#   %s: %.*s\n", whose, len < 400 ? (int)len : 400, at);
    }
}

void books_differ(const char *expected, const char *got)
{
    only_in(expected, got, "lost");
    only_in(got, expected, "new ");
}
