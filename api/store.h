/* api.db: all of the api's SQL. schema/api/schema.sql says what each table is
 * for. Every function takes the store's lock for itself; inside the effect of
 * store_idem_claim they join its transaction.
 *
 * int results: 1 found, 0 not found or done, -1 after logging (disk full,
 * I/O error): the caller answers ANSWER_STORAGE, nothing was changed. */
#ifndef API_STORE_H
#define API_STORE_H

#include "api/auth.h"
#include "api/ssh_key.h"
#include "common/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_BYTES 64
#define TITLE_BYTES 129
#define LABELS_BYTES 1024
#define ADDRESSES_BYTES 512

struct store;
struct store *store_open(const char *path);
void store_close(struct store *store);

/* Takes the store for several calls of this thread, if nobody has it: false if somebody does, who may be waiting for the
 * disk. Given back by store_leave. */
bool store_try(struct store *store);
void store_leave(struct store *store);
/* Another number after each change that this process made, for who has taken the store. */
int64_t store_changes(struct store *store);

/* keys */
struct key_row {
    char key_id[ID_BYTES];
    char account_id[ID_BYTES];
    char name[TITLE_BYTES];
    unsigned scopes;
    int64_t created_ms;
    int64_t expires_ms;
    int64_t revoked_ms;
    uint8_t hash[KEY_HASH_BYTES];
    /* customers' alone */
    char project_id[ID_BYTES];          /* it is bound to this one; "" the whole account */
    char addresses[ADDRESSES_BYTES];    /* networks it may be used from, separated by spaces; "" anywhere */
    int64_t spend_limit_nano;           /* a month; 0 as much as there is */
    int64_t number;                     /* among its account's: 1 for the oldest */
    /* operators' alone */
    char operator_id[ID_BYTES];         /* whose it is; "" nobody's: a person of its own */
    enum rank rank;                     /* found: what it may now, no more than its person */
};
int store_key_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], struct key_row *row);
/* account_id NULL: whoever's it is. */
int store_key_get(struct store *store, const char *account_id, const char *key_id, struct key_row *row);
int store_key_insert(struct store *store, const struct key_row *row);
int store_key_revoke(struct store *store, const char *account_id, const char *key_id, int64_t now_ms);
/* Adds to what this key had held in a month ("2026-11"), or takes away: 1, or 0 if it would then be beyond the limit;
 * *held_nano is what it was before. */
int store_key_spend(struct store *store, const char *key_id, const char *month, int64_t more_nano, int64_t limit_nano,
                    int64_t *held_nano);
/* The newest first, of those with a smaller number than `before`; 0: all. project_id "": of the whole account. */
int store_keys(struct store *store, const char *account_id, const char *project_id, int64_t before, int64_t limit,
               struct key_row **rows, size_t *count);

/* public SSH keys */
struct ssh_key_row {
    char ssh_key_id[ID_BYTES];
    char account_id[ID_BYTES];
    char project_id[ID_BYTES];          /* "" for all of the account's */
    char name[NAME_BYTES];
    struct ssh_key key;
    int64_t created_ms;
};
int store_ssh_key_insert(struct store *store, const struct ssh_key_row *row);
/* By its id or its name. */
int store_ssh_key_get(struct store *store, const char *account_id, const char *id_or_name, struct ssh_key_row *row);
/* Newest first. */
int store_ssh_keys(struct store *store, const char *account_id, struct ssh_key_row **rows, size_t *count);
int store_ssh_key_delete(struct store *store, const char *account_id, const char *ssh_key_id);
/* 1 and *count set. */
int store_ssh_key_count(struct store *store, const char *account_id, int64_t *count);

/* operators' keys: a table of their own; account_id and scopes stay empty. A person's are revoked with the person. */
#define OPERATOR_BOOTSTRAP_ID "opk_bootstrap"
int store_operator_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], struct key_row *row);
int store_operator_get(struct store *store, const char *key_id, struct key_row *row);
int store_operator_insert(struct store *store, const struct key_row *row);
int store_operator_revoke(struct store *store, const char *key_id, int64_t now_ms);
/* The bootstrap key is what the configuration says now; an earlier one stops working. */
int store_operator_bootstrap(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms);

/* customers */
struct customer_row {
    char account_id[ID_BYTES];
    char name[TITLE_BYTES];
    char currency[4];
    int64_t created_ms;
    bool confirmed;                     /* accountd has opened the account */
    int64_t number;                     /* in the order of that; 0 before */
};
int store_customer_insert(struct store *store, const struct customer_row *row);
int store_customer_get(struct store *store, const char *account_id, struct customer_row *row);
/* By number, those after `after`: at most `limit`. */
int store_customers(struct store *store, int64_t after, int64_t limit, struct customer_row **rows, size_t *count);

/* instances and actions: whose they are, and what the customer asked for */
struct instance_row {
    char instance_id[ID_BYTES];
    char account_id[ID_BYTES];
    char project_id[ID_BYTES];
    char name[NAME_BYTES];
    char image[NAME_BYTES];
    char flavor[NAME_BYTES];
    int64_t vcpus;
    int64_t memory_mib;
    int64_t created_ms;
    int64_t gone_ms;                    /* seen deleted; 0 not */
    bool confirmed;                     /* the provisioner has the job */
    char labels[LABELS_BYTES];          /* a JSON object */
    int64_t revision;                   /* of name and labels */
};
int store_instance_insert(struct store *store, const struct instance_row *row);
int store_instance_get(struct store *store, const char *account_id, const char *instance_id, struct instance_row *row);
/* Name and labels, if the revision is still the row's; it rises by one: 1, 0 it is another, -1. */
int store_instance_change(struct store *store, const struct instance_row *row);
/* Newest first; without the gone. */
int store_instances(struct store *store, const char *account_id, struct instance_row **rows, size_t *count);
int store_instance_gone(struct store *store, const char *instance_id, int64_t now_ms);
int store_instance_confirm(struct store *store, const char *instance_id);
/* 1 and *count set: instances that are not gone. */
int store_instance_count(struct store *store, const char *account_id, int64_t *count);

struct action_row {
    char action_id[ID_BYTES];
    char account_id[ID_BYTES];
    char instance_id[ID_BYTES];
    char type[16];
    int64_t created_ms;
    bool confirmed;
};
int store_action_insert(struct store *store, const struct action_row *row);
int store_action_get(struct store *store, const char *account_id, const char *action_id, struct action_row *row);
/* The newest action of this type. */
int store_action_last(struct store *store, const char *instance_id, const char *type, struct action_row *row);

/* Idempotency. A claim and its effect commit together; the ids in it are what
 * the other daemons are then asked with, so a crash in between is finished by
 * the customer's retry. */
#define IDEM_KEY_MAX 128

struct idem {
    char owner[ID_BYTES];               /* account or operator key */
    char key[IDEM_KEY_MAX + 1];
    uint8_t request_hash[32];
    char subject_id[ID_BYTES];          /* what the request makes */
    char job_id[ID_BYTES];              /* the action, or a salt */
    int64_t created_ms;
    int status;                         /* of a stored answer */
    char *body;                         /* malloc'd; NULL if none */
    char location[96];
    int refusal;                        /* with IDEM_REFUSED: what the effect returned */
};
enum idem_state {
    IDEM_FRESH,                         /* ours now; the effect's rows are in */
    IDEM_RESUMED,                       /* ours now; an earlier try had the ids that idem now holds */
    IDEM_STORED,                        /* answered before: status, body, location are set */
    IDEM_IN_FLIGHT,
    IDEM_OTHER,                         /* the key belongs to a different request */
    IDEM_REFUSED,                       /* the effect said no (it returned more than 0); nothing was stored */
    IDEM_FAILED                         /* the database; nothing was stored */
};
typedef int store_effect(struct store *store, const struct idem *idem, void *arg);
enum idem_state store_idem_claim(struct store *store, struct idem *idem, store_effect *effect, void *arg);
/* IDEM_STORED as a claim would find it, else IDEM_FRESH: claims nothing. */
enum idem_state store_idem_look(struct store *store, struct idem *idem);
/* Stores the answer and keeps the effect's rows, or removes them. */
int store_idem_finish(struct store *store, const struct idem *idem, bool keep);
/* Gives the claim back unanswered: the next try resumes it. */
void store_idem_release(struct store *store, const struct idem *idem);
/* Forgets keys older than 30 days, and what was begun and never confirmed since. */
int store_idem_expire(struct store *store, int64_t now_ms);

#endif
