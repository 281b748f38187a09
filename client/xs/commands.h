/* What xs can do: the rows of main.c's table. argv holds what follows the
 * command's words. They return an exit status, or end the program themselves. */
#ifndef XS_COMMANDS_H
#define XS_COMMANDS_H

#include "client/xs/ask.h"
#include "client/xs/table.h"

typedef int command_run(struct host *host, char **argv);

/* create.c */
command_run create_command;
/* compute.c */
command_run images_command, flavors_command, list_command, show_command, start_command, stop_command,
    power_off_command, reboot_command, suspend_command, resume_command, resize_command, rebuild_command, actions_command,
    rm_command, log_command;
/* console.c */
command_run console_command;
/* storage.c */
command_run volume_create_command, volume_list_command, volume_show_command, volume_attach_command,
    volume_detach_command, volume_resize_command, volume_snapshot_command, volume_delete_command,
    snapshot_list_command, snapshot_delete_command;
/* network.c */
command_run network_show_command, ip_list_command, forward_add_command, forward_list_command, forward_rm_command;
/* firewall.c */
command_run firewall_show_command, firewall_set_command, firewall_allow_command, firewall_deny_command, firewall_enable_command,
    firewall_disable_command;
/* ssh.c */
command_run sshkey_add_command, sshkey_list_command, sshkey_rm_command, ssh_command;
/* quote.c */
command_run quote_command;
/* usage.c */
command_run usage_command, records_command;
/* wallet.c */
command_run wallet_command, holds_command, voucher_redeem_command, budget_create_command, budget_list_command,
    budget_delete_command, alerts_command, details_command, details_set_command;
/* purchase_orders.c */
command_run po_create_command, po_list_command, po_show_command, po_add_command, po_close_command;
/* invoices.c */
command_run invoice_new_command, invoice_draft_command, invoice_list_command, invoice_show_command, invoice_get_command,
    invoice_pdf_command, invoice_xml_command, invoice_json_command, invoice_csv_command, credit_notes_command,
    admin_invoices_command, admin_credit_notes_command, credit_note_create_command;
/* disputes.c */
command_run dispute_open_command, dispute_list_command, dispute_show_command, admin_disputes_command,
    admin_dispute_show_command, admin_dispute_resolve_command;
/* audit.c */
command_run audit_command, admin_audit_command;
/* events.c */
command_run events_command, admin_events_command;
/* prices.c */
command_run prices_command, price_show_command, admin_prices_command, admin_price_show_command,
    admin_price_propose_command, admin_price_approve_command, admin_price_withdraw_command, admin_price_diff_command,
    admin_price_replay_command;
/* operator.c */
command_run operator_add_command, operator_list_command, operator_revoke_command, voucher_create_command,
    bank_import_command, bank_list_command, bank_assign_command, bank_return_command;
/* ledger.c */
command_run ledger_balance_command, ledger_transfers_command, ledger_journal_command, reconciliation_command,
    admin_alerts_command, suspensions_command, cap_command;
/* customers.c */
command_run customer_show_command, customer_key_revoke_command, suspend_admin_command, resume_admin_command,
    domains_command;
/* project.c */
command_run project_list_command, project_create_command, project_rename_command, project_delete_command,
    member_list_command, member_invite_command, member_role_command, member_remove_command, invitation_list_command,
    invitation_delete_command;
/* webhook.c */
command_run webhook_create_command, webhook_list_command, webhook_on_command, webhook_off_command, webhook_ping_command,
    webhook_deliveries_command, webhook_redeliver_command, webhook_delete_command;
/* access.c */
command_run account_command, keys_list_command, keys_new_command, keys_revoke_command, customer_add_command,
    customer_list_command, credit_command, customer_key_command, host_command;

/* With --json prints the answer as it came and returns true. */
bool json_print(struct host *host, const json_t *json);

void instance_card(const json_t *instance);

/* An id with this prefix ("ins_") as it is; anything else is looked up as a name in the list at `path`. Exits 1 if
 * there is none, or more than one; `what` ("instance") and `command` ("xs list") say what to do. malloc'd. */
char *thing_resolve(struct host *host, const char *prefix, const char *path, const char *what, const char *command,
                    const char *name_or_id);
char *instance_resolve(struct host *host, const char *name_or_id);
char *volume_resolve(struct host *host, const char *name_or_id);
char *purchase_order_resolve(struct host *host, const char *name_or_id);

/* The alerts in the list at this path; an operator's say whose they are. */
int alerts_show(struct host *host, char **argv, const char *list, const char *usage);

/* A list, all its pages as one; new reference. */
json_t *ask_list(struct host *host, const char *path);
/* A list, all its pages, as a table, or with --json as one. */
int list_show(struct host *host, char **argv, const char *path, const struct column *columns, unsigned count,
              const char *none, const char *usage);

/* One page of the list at `path`, and how to get the next. */
int page_show(struct host *host, const char *path, const struct column *columns, unsigned count, const char *none);

/* An answer's fields line by line, or with --json as it came. Steals it. */
int card_show(struct host *host, json_t *answer, const struct column *columns, unsigned count);

/* The id, which goes into a path, where nothing else may go; exits 2 saying that it is not `what`'s ("an invoice"). */
const char *id_check(const char *id, const char *what);

/* The flag's value as a query parameter of `path`, if it was given: "--customer-id" as customer_id. */
void query_add(char *path, size_t size, const char *flag, const char *text);

/* --line arguments, "3=0.50" gives back so much of line 3, into `lines` of a request; none: it has none. */
void credit_lines_take(json_t *body, const char **lines);

/* Of lines with quantity and quantity_per_unit: adds `units` as people read them, and `bytes`. */
void lines_in_units(json_t *lines);

/* DELETE of `path`/`id`, said of `which` ("is deleted") unless JSON is wanted. Frees the id. */
int thing_delete(struct host *host, const char *path, char *id, const char *which, const char *is);

/* A command whose one argument is the id, `what`'s ("a budget"), of what it deletes. */
int id_delete(struct host *host, char **argv, const char *path, const char *what, const char *is, const char *usage);

/* The id of the SSH key that this is: its name or id, or a file, whose key is added if the account has it not.
 * malloc'd. */
char *sshkey_resolve(struct host *host, const char *name_or_file);

/* The whole file; exits 2 naming it, also when it has more than `max` bytes. malloc'd. */
char *file_text(const char *path, size_t max);

#endif
