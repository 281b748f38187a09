/* What became of instances and what belongs to them. The triggers of schema/host write it; here it is read. */
#include "provisioner/store_rows.h"

int store_change_newest(struct store *store, int64_t *number)
{
    int rc = db_int(store->db, number, "SELECT seq FROM sqlite_sequence WHERE name = 'change'", "");

    if (rc == 0)
        *number = 0;
    return rc < 0 ? -1 : 0;
}

static void change_take(sqlite3_stmt *row, struct change *c)
{
    c->number = sqlite3_column_int64(row, 0);
    c->at_ms = sqlite3_column_int64(row, 1);
    row_text(row, 2, c->instance_id, sizeof(c->instance_id));
    row_text(row, 3, c->account_id, sizeof(c->account_id));
    row_text(row, 4, c->name, sizeof(c->name));
    row_text(row, 5, c->job_id, sizeof(c->job_id));
    row_text(row, 6, c->type, sizeof(c->type));
    row_text(row, 7, c->state, sizeof(c->state));
    row_text(row, 8, c->code, sizeof(c->code));
    row_text(row, 9, c->detail, sizeof(c->detail));
    row_text(row, 10, c->subject_id, sizeof(c->subject_id));
}

int store_changes(struct store *store, int64_t after, int64_t limit, int (*each)(void *context, const struct change *c),
                  void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT c.number, c.at_ms, c.instance_id, "
                                   "coalesce(nullif(c.account_id, ''), i.account_id), coalesce(nullif(c.name, ''), i.name), c.job_id, "
                                   "j.type, c.state, c.code, c.detail, c.subject_id FROM change AS c LEFT JOIN instance AS i "
                                   "ON i.instance_id = c.instance_id LEFT JOIN job AS j ON j.job_id = c.job_id "
                                   "WHERE c.number > ? ORDER BY c.number LIMIT ?", "ii", after, limit);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct change c;

        change_take(query, &c);
        rc = each(context, &c);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}
