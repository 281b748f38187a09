/* api.db: projects, and in which of them things are. Results as in api/store.h. */
#ifndef API_STORE_PROJECTS_H
#define API_STORE_PROJECTS_H

#include "api/store.h"

struct project_row {
    char project_id[ID_BYTES];
    char account_id[ID_BYTES];
    char name[NAME_BYTES];
    int64_t created_ms;
};
/* The account's first one, where everything is that nobody put elsewhere. Returns project_id. */
char *project_default_id(const char *account_id, char project_id[static ID_BYTES]);

/* Deleted ones are not there. -1 also if the account has one of this name. */
int store_project_insert(struct store *store, const struct project_row *row);
int store_project_get(struct store *store, const char *account_id, const char *project_id, struct project_row *row);
int store_project_named(struct store *store, const char *account_id, const char *name, struct project_row *row);
/* Oldest first. */
int store_projects(struct store *store, const char *account_id, struct project_row **rows, size_t *count);
int store_project_count(struct store *store, const char *account_id, int64_t *count);
int store_project_rename(struct store *store, const struct project_row *row);
/* With its members, and the users who were members of nothing else, its invitations, and its SSH keys: whatever has these
 * has a copy. */
int store_project_delete(struct store *store, const char *project_id, int64_t now_ms);
/* Keys that were not revoked. */
int store_project_keys(struct store *store, const char *project_id, int64_t *count);

/* Volumes and snapshots. 1 and the project, the account's default one unless it was placed elsewhere; -1. */
int store_placement(struct store *store, const char *account_id, const char *id, char project_id[static ID_BYTES]);
int store_place(struct store *store, const char *id, const char *project_id);
/* What was deleted is nowhere. */
int store_unplace(struct store *store, const char *id);

#endif
