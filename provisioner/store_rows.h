/* What the store's own files share; nobody else includes it. Verbs here are
 * called inside a transaction and return 0, -1 (logged), or -2 with *refusal. */
#ifndef PROVISIONER_STORE_ROWS_H
#define PROVISIONER_STORE_ROWS_H

#include "common/db.h"
#include "provisioner/store.h"

struct store {
    sqlite3 *db;
};

void row_text(sqlite3_stmt *row, int column, char *to, size_t bytes);
/* Which of the names the column holds. Ends the process when it is none: a newer program's database. */
unsigned row_name(sqlite3_stmt *row, int column, const char *const *names, unsigned count);

/* Always -2. */
int refuse(struct refusal *refusal, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int quota_check(const char *quota, int64_t limit, int64_t used, int64_t more, struct refusal *refusal);

/* The root volume, and the existing volumes that an order names. */
int volumes_take_on(struct store *store, const struct order *order, struct refusal *refusal);
/* The volume becomes the instance's, at the first free device. */
int volume_claim(struct store *store, const char *volume_id, const char *instance_id, bool read_only,
                 struct refusal *refusal);
/* NIC, forwards and seed. */
int network_take_on(struct store *store, const struct order *order, struct refusal *refusal);

#endif
