/* host.db's networks, the instances' places in them, forwarded ports, seeds.
 * Numbers (of a network, an address, a port) are always the lowest free ones. */
#include "provisioner/store_rows.h"
#include "common/id.h"
#include "provisioner/network.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC_TRIES 16

static int network_find(struct store *store, const char *account_id, struct network *n)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT network_id, account_id, number, created_ms FROM network "
                                   "WHERE account_id = ?", "t", account_id);
    int rc = db_next(query);

    if (rc == 1) {
        row_text(query, 0, n->network_id, sizeof(n->network_id));
        row_text(query, 1, n->account_id, sizeof(n->account_id));
        n->number = sqlite3_column_int64(query, 2);
        n->created_ms = sqlite3_column_int64(query, 3);
    }
    db_end(query);
    return rc;
}

/* When all are taken, the oldest one that nobody is in goes to the new account. */
static int number_choose(struct store *store, int64_t *number)
{
    int rc = db_int(store->db, number, "WITH RECURSIVE n (k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM n WHERE k < ?) "
                    "SELECT k FROM n WHERE k NOT IN (SELECT number FROM network) LIMIT 1", "i", (int64_t)NETWORKS_MAX);

    if (rc)
        return rc;
    rc = db_int(store->db, number, "SELECT number FROM network WHERE network_id NOT IN (SELECT network_id FROM nic) "
                "ORDER BY created_ms LIMIT 1", "");
    return rc == 1 && db_run(store->db, "DELETE FROM network WHERE number = ?", "i", *number) ? -1 : rc;
}

/* 0, -1, -2: inside a transaction. */
static int network_have(struct store *store, const char *account_id, int64_t now_ms, struct network *n,
                        struct refusal *refusal)
{
    int rc = network_find(store, account_id, n);

    if (rc)
        return rc < 0 ? -1 : 0;
    *n = (struct network){ .created_ms = now_ms };
    rc = number_choose(store, &n->number);
    if (rc != 1)
        return rc < 0 ? -1 : refuse(refusal, "capacity_unavailable", "all %u networks of the host are in use", NETWORKS_MAX);
    id_make("net_", n->network_id);
    snprintf(n->account_id, sizeof(n->account_id), "%s", account_id);
    return db_run(store->db, "INSERT INTO network (network_id, account_id, number, created_ms) VALUES (?, ?, ?, ?)",
                  "ttii", n->network_id, account_id, n->number, now_ms);
}

int store_network_make(struct store *store, const char *account_id, int64_t now_ms, struct network *network,
                       struct refusal *refusal)
{
    int rc;

    if (db_begin(store->db))
        return -1;
    rc = network_have(store, account_id, now_ms, network, refusal);
    if (!rc)
        return db_commit(store->db) ? -1 : 1;
    db_rollback(store->db);
    return rc;
}

int store_network_used(struct store *store, const char *network_id, int64_t *addresses)
{
    return db_int(store->db, addresses, "SELECT count(*) FROM nic WHERE network_id = ?", "t", network_id) == 1 ? 0 : -1;
}

/* Locally administered, from the instance's id: the same on every machine that is asked. */
static void mac_make(const char *instance_id, unsigned attempt, char mac[18])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    char text[STORE_ID_BYTES + 8];

    snprintf(text, sizeof(text), "%s %u", instance_id, attempt);
    crypto_generichash(hash, sizeof(hash), (const uint8_t *)text, strlen(text), NULL, 0);
    snprintf(mac, 18, "02:%02x:%02x:%02x:%02x:%02x", hash[0], hash[1], hash[2], hash[3], hash[4]);
}

static int mac_choose(struct store *store, const char *instance_id, char mac[18])
{
    int64_t taken;
    int rc = 1;

    for (unsigned attempt = 0; rc == 1 && attempt < MAC_TRIES; attempt++) {
        mac_make(instance_id, attempt, mac);
        rc = db_int(store->db, &taken, "SELECT 1 FROM nic WHERE mac = ?", "t", mac);
    }
    return rc ? -1 : 0;
}

static int nic_add(struct store *store, const struct instance *i, struct refusal *refusal)
{
    struct network n;
    char mac[18];
    int64_t host;
    int rc = network_have(store, i->account_id, i->created_ms, &n, refusal);

    if (rc)
        return rc;
    rc = db_int(store->db, &host, "WITH RECURSIVE n (k) AS (VALUES (?1) UNION ALL SELECT k + 1 FROM n WHERE k < ?2) "
                "SELECT k FROM n WHERE k NOT IN (SELECT host FROM nic WHERE network_id = ?3) LIMIT 1", "iit",
                (int64_t)NETWORK_HOST_FIRST, (int64_t)NETWORK_HOST_LAST, n.network_id);
    if (!rc)
        return refuse(refusal, "capacity_unavailable", "all addresses of the account's network are in use");
    if (rc < 0 || mac_choose(store, i->instance_id, mac))
        return -1;
    return db_run(store->db, "INSERT INTO nic (instance_id, network_id, host, mac) VALUES (?, ?, ?, ?)", "ttit",
                  i->instance_id, n.network_id, host, mac);
}

int store_nic_find(struct store *store, const char *instance_id, struct nic *nic)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT n.network_id, mac, number, host FROM nic AS i JOIN network AS n "
                                   "ON n.network_id = i.network_id WHERE instance_id = ?", "t", instance_id);
    int rc = db_next(query);

    if (rc == 1) {
        row_text(query, 0, nic->network_id, sizeof(nic->network_id));
        row_text(query, 1, nic->mac, sizeof(nic->mac));
        nic->number = sqlite3_column_int64(query, 2);
        nic->host = sqlite3_column_int64(query, 3);
    }
    db_end(query);
    return rc;
}

int store_network_busy(struct store *store, int64_t number)
{
    int64_t found;

    return db_int(store->db, &found, "SELECT 1 FROM nic AS i JOIN network AS n ON n.network_id = i.network_id "
                  "WHERE number = ? LIMIT 1", "i", number);
}

/* Inside a transaction; the instance has a NIC. */
static int forward_add(struct store *store, struct forward *f, const char *account_id, int64_t now_ms,
                       const struct limits *limits, struct refusal *refusal)
{
    int64_t used;
    int rc;

    if (db_int(store->db, &used, "SELECT count(*) FROM forward AS f JOIN instance AS i ON i.instance_id = f.instance_id "
               "WHERE account_id = ? AND deleted = 0", "t", account_id) != 1)
        return -1;
    rc = quota_check("forwards_max", limits->forwards_max, used, 1, refusal);
    if (rc)
        return rc;
    rc = db_int(store->db, &f->port, "WITH RECURSIVE n (k) AS (VALUES (?1) UNION ALL SELECT k + 1 FROM n WHERE k < ?2) "
                "SELECT k FROM n WHERE k NOT IN (SELECT port FROM forward WHERE deleted = 0) LIMIT 1", "ii",
                limits->port_first, limits->port_last);
    if (!rc)
        return refuse(refusal, "capacity_unavailable", "all %jd ports that the host forwards are taken",
                      (intmax_t)(limits->port_last - limits->port_first + 1));
    if (rc < 0)
        return -1;
    return db_run(store->db, "INSERT INTO forward (forward_id, instance_id, guest_port, port, deleted, created_ms) "
                  "VALUES (?, ?, ?, ?, 0, ?)", "ttiii", f->forward_id, f->instance_id, f->guest_port, f->port, now_ms);
}

#define FORWARD_COLUMNS "forward_id, instance_id, guest_port, port, deleted"

static void forward_take(sqlite3_stmt *row, struct forward *f)
{
    row_text(row, 0, f->forward_id, sizeof(f->forward_id));
    row_text(row, 1, f->instance_id, sizeof(f->instance_id));
    f->guest_port = sqlite3_column_int64(row, 2);
    f->port = sqlite3_column_int64(row, 3);
}

int store_forward_find(struct store *store, const char *forward_id, struct forward *f, bool *deleted)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " FORWARD_COLUMNS " FROM forward WHERE forward_id = ?", "t",
                                   forward_id);
    int rc = db_next(query);

    if (rc == 1) {
        forward_take(query, f);
        *deleted = sqlite3_column_int(query, 4);
    }
    db_end(query);
    return rc;
}

/* 0 unknown, 1 known as it is asked for, -1, -2. */
static int forward_known(struct store *store, struct forward *f, struct refusal *refusal)
{
    struct forward known;
    bool deleted;
    int rc = store_forward_find(store, f->forward_id, &known, &deleted);

    if (rc != 1)
        return rc;
    if (deleted || strcmp(known.instance_id, f->instance_id) || known.guest_port != f->guest_port)
        return refuse(refusal, "conflict", "this forward_id was used for another request, or is deleted");
    *f = known;
    return 1;
}

int store_forward_add(struct store *store, struct forward *f, const char *account_id, int64_t now_ms,
                      const struct limits *limits, struct refusal *refusal)
{
    int rc;

    if (db_begin(store->db))
        return -1;
    rc = forward_known(store, f, refusal);
    if (rc) {
        db_rollback(store->db);
        return rc == 1 ? 0 : rc;
    }
    rc = forward_add(store, f, account_id, now_ms, limits, refusal);
    if (!rc)
        return db_commit(store->db) ? -1 : 1;
    db_rollback(store->db);
    return rc;
}

int store_forward_delete(struct store *store, const char *forward_id)
{
    return db_run(store->db, "UPDATE forward SET deleted = 1 WHERE forward_id = ?", "t", forward_id);
}

int store_forwards(struct store *store, const char *instance_id,
                   int (*each)(void *context, const struct forward *forward), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " FORWARD_COLUMNS " FROM forward WHERE deleted = 0 "
                                   "AND (?1 IS NULL OR instance_id = ?1) ORDER BY port", "t", instance_id);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct forward f;

        forward_take(query, &f);
        rc = each(context, &f);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}

int network_take_on(struct store *store, const struct order *order, struct refusal *refusal)
{
    const struct instance *i = order->instance;
    int rc = order->network ? nic_add(store, i, refusal) : 0;

    for (size_t n = 0; !rc && n < order->nr_forwards; n++) {
        struct forward f = order->forwards[n];

        snprintf(f.instance_id, sizeof(f.instance_id), "%s", i->instance_id);
        rc = forward_known(store, &f, refusal);
        if (rc == 1)
            rc = refuse(refusal, "conflict", "forward_id %s is there twice", f.forward_id);
        if (!rc)
            rc = forward_add(store, &f, i->account_id, i->created_ms, order->limits, refusal);
    }
    if (!rc && order->ssh_keys)
        rc = db_run(store->db, "INSERT INTO seed (instance_id, ssh_keys, user_data) VALUES (?, ?, ?)", "ttt",
                    i->instance_id, order->ssh_keys, order->user_data);
    return rc;
}

int store_nic_release(struct store *store, const char *instance_id)
{
    if (db_begin(store->db))
        return -1;
    if (db_run(store->db, "UPDATE forward SET deleted = 1 WHERE instance_id = ?", "t", instance_id) ||
        db_run(store->db, "DELETE FROM seed WHERE instance_id = ?", "t", instance_id) ||
        db_run(store->db, "DELETE FROM firewall WHERE instance_id = ?", "t", instance_id) ||
        db_run(store->db, "DELETE FROM nic WHERE instance_id = ?", "t", instance_id)) {
        db_rollback(store->db);
        return -1;
    }
    return db_commit(store->db);
}

int store_seed_find(struct store *store, const char *instance_id, char **ssh_keys, char **user_data)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT ssh_keys, user_data FROM seed WHERE instance_id = ?", "t", instance_id);
    int rc = db_next(query);

    if (rc == 1) {
        *ssh_keys = strdup((const char *)sqlite3_column_text(query, 0));
        *user_data = strdup((const char *)sqlite3_column_text(query, 1));
        if (!*ssh_keys || !*user_data) {
            free(*ssh_keys);
            free(*user_data);
            rc = -1;
        }
    }
    db_end(query);
    return rc;
}
