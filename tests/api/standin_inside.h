/* What the stand-ins' files share: the frame of changing verbs; the provisioner's volumes, networks and forwards; and
 * accountd's money, which have files of their own. */
#ifndef TESTS_API_STANDIN_INSIDE_H
#define TESTS_API_STANDIN_INSIDE_H

#include "common/rpc.h"

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define NOW_MS 1767225600000            /* the models' clock stands still */

/* What the test ordered, and what happened, for one of the two daemons. */
struct orders {
    bool hold;
    bool lose;
    char fail[32];
    char fail_job[32];
    json_t *counts;
};
extern struct orders accountd, provisioner;
extern json_t *instances, *accounts;
extern const char *base;                /* the test's directory */

/* A field's text; "" if it has none. */
const char *text(const json_t *object, const char *key);
/* 0: do it, then answer with done(). */
int changing(struct orders *orders, struct rpc_call *call);
int done(struct orders *orders, struct rpc_call *call, const char *verb, bool effect, json_t *answer, json_t **result);
/* 1: seen before with the same content; 0 new; -1 failed with conflict. */
int seen(struct rpc_call *call, const char *id, json_t *args);
/* {name: the part of the list that after and limit ask for, next}: after is a place in the list. */
json_t *page_of(const json_t *list, const json_t *args, const char *name);
json_t *newest_page_of(const json_t *list, const json_t *args, const char *name);    /* the last one is the newest */

extern int devices_next_port;           /* the test's wish for the next forward, once; 0 none */

void devices_start(void);
/* What a new instance comes with: its disk, volumes, address, forwards. */
void devices_create(json_t *instance, json_t *args);
/* True, and the call has failed: attach or detach is not possible now. */
bool devices_refuse(struct rpc_call *call, const char *type, json_t *args);
void devices_job_end(json_t *job, json_t *instance);

/* standin_changes.c */
void changes_start(void);
/* The instance's state, or with a job that one's status, is now this. */
void change_add(const json_t *instance, const json_t *job, const char *state);
/* What happened to a volume, a snapshot or a forward, which says whose it is. */
void change_add_of(const json_t *thing, const char *id_name, const char *name, const char *state);
/* Ends waits that are over; ms until the next one is, -1 none. */
int changes_waits_run(void);
/* standin_invoices.c */
int invoices_count(void);
int alerts_count(void);
/* Money that arrives: {transfer_id, account_id, currency, amount_nano, code}. */
void deposit_add(const json_t *deposit);
void alert_add(const json_t *alert);

/* standin_console.c */
#define CONSOLES_FDS 65
void consoles_start(void);
unsigned consoles_fds(struct pollfd *fds);
void consoles_run(void);
void console_delete(const char *instance_id);

void money_start(void);
void invoices_start(void);
void operator_start(void);

typedef int verb_handle(struct rpc_call *call, json_t *args, json_t **result);
verb_handle stand_changes, stand_deposits, stand_news, stand_volume_create, stand_volume_resize, stand_volume_delete, stand_volume_get, stand_volumes_get, stand_snapshot_create, stand_snapshot_delete,
    stand_snapshots_get, stand_network_get, stand_forward_create, stand_forward_delete;
/* standin_firewalls.c */
verb_handle stand_firewall, stand_firewall_set;
/* standin_money.c */
verb_handle stand_fund, stand_wallet, stand_holds, stand_voucher_redeem, stand_po_create, stand_po_add, stand_po_close, stand_po, stand_pos,
    stand_price_books, stand_price_book;
/* standin_invoices.c */
verb_handle stand_invoice_create, stand_invoices, stand_invoice, stand_draft, stand_details, stand_details_set, stand_dispute_open,
    stand_disputes, stand_dispute, stand_budget_set, stand_budgets, stand_alerts, stand_usage_summary, stand_dispute_resolve,
    stand_credit_note;
/* standin_operator.c */
verb_handle stand_propose, stand_approve, stand_withdraw, stand_proposals, stand_diff, stand_replay, stand_voucher_create, stand_bank_import,
    stand_bank_entries, stand_bank_assign, stand_bank_return, stand_payment_event, stand_trial_balance, stand_transfers, stand_journal,
    stand_host_books, stand_domains, stand_standing, stand_preview, stand_suspend, stand_resume, stand_suspensions, stand_cap;

/* standin_log.c: what accountd publishes, below DIR/accountd/public. */
void log_files_write(const char *dir);

#endif
