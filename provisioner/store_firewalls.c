/* host.db's firewalls of guests. What they mean is provisioner/firewall.h's. */
#include "provisioner/store_rows.h"
#include "common/json.h"
#include "common/log.h"

#include <stdlib.h>

int store_firewall_find(struct store *store, const char *instance_id, json_t **firewall)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT body FROM firewall WHERE instance_id = ?", "t", instance_id);
    int rc = db_next(query);

    if (rc == 1) {
        *firewall = json_loads((const char *)sqlite3_column_text(query, 0), 0, NULL);
        if (!*firewall) {
            log_warnx("host.db: the firewall of instance %s is no JSON", instance_id);
            rc = -1;
        }
    }
    db_end(query);
    return rc;
}

int store_firewall_put(struct store *store, const char *instance_id, const json_t *firewall)
{
    char *body = json_canonical(firewall);
    int rc = body ? db_run(store->db, "INSERT INTO firewall (instance_id, body) VALUES (?, ?) "
                           "ON CONFLICT (instance_id) DO UPDATE SET body = excluded.body", "tt", instance_id, body) : -1;

    free(body);
    return rc;
}

int store_firewall_at(struct store *store, unsigned number, unsigned host)
{
    int64_t found;

    return db_int(store->db, &found, "SELECT 1 FROM network AS n JOIN nic AS i ON i.network_id = n.network_id "
                  "JOIN firewall AS f ON f.instance_id = i.instance_id WHERE number = ? AND host = ?", "ii", (int64_t)number,
                  (int64_t)host);
}

int store_firewalls(struct store *store, int (*each)(void *context, const char *instance_id), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT f.instance_id FROM firewall AS f JOIN instance AS i "
                                   "ON i.instance_id = f.instance_id WHERE domid <> 0 ORDER BY f.instance_id", "");
    char instance_id[STORE_ID_BYTES];
    int rc;

    while ((rc = db_next(query)) == 1) {
        row_text(query, 0, instance_id, sizeof(instance_id));
        rc = each(context, instance_id);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}
