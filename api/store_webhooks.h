/* Webhooks and deliveries in api.db. Results as in store.h; which deliveries there are, a trigger decides. */
#ifndef API_STORE_WEBHOOKS_H
#define API_STORE_WEBHOOKS_H

#include "api/store_events.h"

#define WEBHOOK_URL_BYTES 1025
#define WEBHOOK_TYPES_BYTES 1024

struct webhook_row {
    char webhook_id[ID_BYTES];
    char account_id[ID_BYTES];
    char url[WEBHOOK_URL_BYTES];
    char types[WEBHOOK_TYPES_BYTES];    /* a JSON array */
    unsigned scopes;
    char secret[KEY_BYTES];
    int64_t created_ms;
    bool enabled;
};
int store_webhook_insert(struct store *store, const struct webhook_row *row);
int store_webhook_get(struct store *store, const char *account_id, const char *webhook_id, struct webhook_row *row);
/* Newest first. */
int store_webhooks(struct store *store, const char *account_id, struct webhook_row **rows, size_t *count);
int store_webhook_count(struct store *store, const char *account_id, int64_t *count);     /* 1 and *count */
/* url, types and enabled, as they are in the row. */
int store_webhook_update(struct store *store, const struct webhook_row *row);
int store_webhook_delete(struct store *store, const char *account_id, const char *webhook_id);

struct delivery_row {
    int64_t number;
    char webhook_id[ID_BYTES];
    int64_t event_seq;
    char type[48];                      /* of the event */
    char state[16];
    int64_t due_ms, attempts, created_ms, tried_ms, took_ms, status;
    char error[160];
};
/* Newest first; `before` 0: from the newest. */
int store_deliveries(struct store *store, const char *webhook_id, int64_t before, int64_t limit,
                     struct delivery_row **rows, size_t *count);
int store_delivery_get(struct store *store, const char *account_id, int64_t number, struct delivery_row *row);
/* The same event to the same webhook once more: *number is the new one's. */
int store_delivery_again(struct store *store, const struct delivery_row *row, int64_t now_ms, int64_t *number);
/* An event for this webhook alone: *number is its delivery's. Where these fail, it stays as it was. */
int store_webhook_ping(struct store *store, const struct webhook_row *row, int64_t now_ms, int64_t *number);

/* Takes the next delivery that is due: it is the caller's until `until_ms`. At most one at a time for a webhook and
 * `per_account` for an account, so that who does not answer holds up only what is theirs. 1, 0 none, -1. *event is
 * given to `each` under the store's lock. */
struct delivery_taken {
    int64_t number;
    char url[WEBHOOK_URL_BYTES];
    char secret[KEY_BYTES];
};
int store_delivery_take(struct store *store, int64_t now_ms, int64_t until_ms, int64_t per_account,
                        struct delivery_taken *taken, event_each *each, void *arg);
/* When the next one is due after now, or nobody has one any more that is being sent: 1 and *due_ms, 0 none, -1. */
int store_delivery_due(struct store *store, int64_t now_ms, int64_t *due_ms);
/* What came of an attempt. due_ms: of the next one, 0 there is none. */
struct delivery_end {
    int64_t number, status, took_ms, due_ms;
    const char *error;                  /* "" it is delivered */
};
int store_delivery_end(struct store *store, const struct delivery_end *end, int64_t now_ms);
/* One that is being sent: 1 and its attempts and age; 0, -1. */
int store_delivery_sending(struct store *store, int64_t number, int64_t *attempts, int64_t *created_ms);

#endif
