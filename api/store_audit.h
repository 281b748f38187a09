/* api.db: the audit's chain. Results as in api/store.h. */
#ifndef API_STORE_AUDIT_H
#define API_STORE_AUDIT_H

#include "api/audit.h"
#include "api/store.h"

/* Sets seq and hash. */
int store_audit_append(struct store *store, struct audit_row *row);

struct audit_range {
    const char *account_id, *actor_id, *object; /* NULL any */
    int64_t after;                              /* seq of the last one seen */
    int64_t limit;
    bool newest; /* first */
};
int store_audit(struct store *store, const struct audit_range *range, struct audit_row **rows, size_t *count);

#endif
