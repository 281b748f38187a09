/* The handlers of route.c's table, by the file that holds them. Each runs on a
 * worker thread, after dispatch has checked role, scope, limits and syntax. */
#ifndef API_RESOURCES_H
#define API_RESOURCES_H

#include "api/route.h"

/* account.c */
route_handler account_show;
/* wallet.c */
route_handler wallet_show, wallet_entries_list, holds_list, voucher_redeem;
/* purchase_orders.c */
route_handler purchase_order_create, purchase_orders_list, purchase_order_show, purchase_order_add,
    purchase_order_close;
/* prices.c */
route_handler prices_list, price_show;
/* catalog.c */
route_handler images_list, flavors_list, quote_create;
/* creation.c */
route_handler instance_create;
/* instance_change.c */
route_handler instance_change;
/* instances.c */
route_handler instances_list, instance_show;
/* actions.c */
route_handler actions_list, action_create, instance_delete, action_show;
/* usage.c */
route_handler usage_show, instance_usage_show, usage_summary, usage_records_list, records_list, console_log_show;
/* console/sessions.c */
route_handler console_session_create, console_open;
/* invoices.c */
route_handler invoice_create, invoice_draft, invoices_list, credit_notes_list, invoice_show, invoice_bundle,
    invoice_file;
/* billing_details.c */
route_handler billing_details_show, billing_details_set;
/* disputes.c */
route_handler dispute_open, disputes_list, dispute_show, dispute_resolve;
/* events.c */
route_handler events_list;
/* webhooks.c */
route_handler webhook_create, webhooks_list, webhook_show, webhook_change, webhook_delete, webhook_ping,
    deliveries_list, delivery_repeat;
/* payments.c */
route_handler payment_event;
/* budgets.c */
route_handler budget_create, budgets_list, budget_delete, alerts_list;
/* keys.c */
route_handler key_create, keys_list, key_revoke, customer_key_create;
/* people/signup.c */
route_handler signup;
/* people/sessions.c */
route_handler session_create, operator_session_create, session_show, session_end, sessions_list;
/* people/members.c */
route_handler members_list, member_show, member_change, member_delete;
/* people/invitations.c */
route_handler invitation_create, invitations_list, invitation_delete, invitation_look_up, invitation_accept;
/* projects.c */
route_handler projects_list, project_create, project_show, project_rename, project_delete;
/* people/emails.c */
route_handler email_link_mail, email_verify;
/* people/user.c */
route_handler password_change, totp_begin, totp_confirm, totp_remove;
/* people/resets.c */
route_handler password_reset_use, password_reset_mail, customer_password_reset;
/* audit.c */
route_handler audit_list;
/* volumes.c */
route_handler volume_create, volumes_list, volume_show, volume_delete, volume_resize;
/* snapshots.c */
route_handler snapshot_create, snapshots_list, snapshot_show, snapshot_delete;
/* firewalls.c */
route_handler firewall_show, firewall_change;
/* networks.c */
route_handler networks_list, ips_list, forward_create, forwards_list, forward_delete;
/* ssh_keys.c */
route_handler ssh_key_create, ssh_keys_list, ssh_key_delete;
/* site.c */
route_handler health_show, openapi_show;
route_handler checkpoint_show, log_keys_show, log_signature_show, log_tile_show;
/* web.c */
route_handler portal_page, console_page, web_asset;
/* admin.c */
route_handler customer_create, customers_list, credit_create, host_show, host_domains_show;
route_handler metrics_show, host_metrics_show;
/* customers.c */
route_handler customer_show, customer_key_revoke;
/* domains.c */
route_handler domains_list, domain_show, domain_records_list, domain_force, suspension_preview, suspension_begin, suspension_end;
/* operators.c */
route_handler operator_create, operators_list, operator_key_create, operator_role_show, operator_role_set,
    operator_password_reset, operator_revoke;
/* price_books.c */
route_handler price_books_list, price_book_show, price_book_propose, price_book_approve, price_book_withdraw,
    price_book_diff, price_book_replay;
/* vouchers.c */
route_handler voucher_create;
/* bank.c */
route_handler bank_import_create, bank_entries_list, bank_entry_assign, bank_entry_return;
/* ledger.c */
route_handler trial_balance_show, transfers_list, leaf_show, journal_show;
/* credit_notes.c */
route_handler credit_note_create;
/* watch.c */
route_handler reconciliation_list, suspensions_list, cap_show;

#endif
