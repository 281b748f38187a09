/* The table, and finding a row. */
#include "api/route.h"
#include "api/resources.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ANYONE   (ROLE_ANONYMOUS | ROLE_CUSTOMER | ROLE_OPERATOR)
#define CUSTOMER ROLE_CUSTOMER
#define OPERATOR ROLE_OPERATOR
#define WIDE(scope) ((scope) | ACCOUNT_WIDE)
#define VIEW_SESSION (RANK_VIEW | SESSION_ONLY)

/* clang-format off */
const struct route routes[] = {
    { "GET",    "/v1/account",                              account_show,          CUSTOMER, SCOPE_ACCOUNT_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/v1/account/billing_details",              billing_details_show,  CUSTOMER, WIDE(SCOPE_ACCOUNT_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "PUT",    "/v1/account/billing_details",              billing_details_set,   CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/images",                               images_list,           CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/flavors",                              flavors_list,          CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/quotes",                               quote_create,          CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/instances",                            instance_create,       CUSTOMER, SCOPE_INSTANCES_WRITE, BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/instances",                            instances_list,        CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, "label", WORKER },
    { "GET",    "/v1/instances/{id}",                       instance_show,         CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "PATCH",  "/v1/instances/{id}",                       instance_change,       CUSTOMER, SCOPE_INSTANCES_WRITE, BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "DELETE", "/v1/instances/{id}",                       instance_delete,       CUSTOMER, SCOPE_INSTANCES_WRITE, BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/instances/{id}/actions",               actions_list,          CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "POST",   "/v1/instances/{id}/actions",               action_create,         CUSTOMER, SCOPE_INSTANCES_WRITE, BUCKET_WRITE, KEY_OPTIONAL, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/actions/{id}",                         action_show,           CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, "wait", WORKER },
    { "GET",    "/v1/instances/{id}/console_log",           console_log_show,      CUSTOMER, SCOPE_INSTANCES_READ,  BUCKET_READ,  KEY_NONE,     BODY_NONE, "offset limit", WORKER },
    { "POST",   "/v1/instances/{id}/console_sessions",      console_session_create, CUSTOMER, SCOPE_INSTANCES_WRITE, BUCKET_WRITE, KEY_NONE,    BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/console/{ticket}",                     console_open,          CUSTOMER, 0,                     BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/usage",                                usage_show,            CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/usage/summary",                        usage_summary,         CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "from to by", WORKER },
    { "GET",    "/v1/usage/records",                        usage_records_list,    CUSTOMER, SCOPE_BILLING_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, "instance_id after limit", WORKER },
    { "GET",    "/v1/metrics",                              metrics_show,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/instances/{id}/usage",                 instance_usage_show,   CUSTOMER, SCOPE_BILLING_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/instances/{id}/records",               records_list,          CUSTOMER, SCOPE_BILLING_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "POST",   "/v1/invoices",                             invoice_create,        CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices",                             invoices_list,         CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/invoices/draft",                       invoice_draft,         CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}",                        invoice_show,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}/bundle",                 invoice_bundle,        CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}/files/pdf",              invoice_file,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}/files/xml",              invoice_file,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}/files/json",             invoice_file,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/invoices/{id}/files/csv",              invoice_file,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/credit_notes",                         credit_notes_list,     CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "POST",   "/v1/disputes",                             dispute_open,          CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/disputes",                             disputes_list,         CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/disputes/{id}",                        dispute_show,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/wallet",                               wallet_show,           CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/wallet/entries",                       wallet_entries_list,   CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "POST",   "/v1/vouchers/redeem",                      voucher_redeem,        CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/holds",                                holds_list,            CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/purchase_orders",                      purchase_order_create, CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/purchase_orders",                      purchase_orders_list,  CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/purchase_orders/{id}",                 purchase_order_show,   CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/purchase_orders/{id}",                 purchase_order_close,  CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/purchase_orders/{id}/add",             purchase_order_add,    CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/prices",                               prices_list,           CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/prices/{id}",                          price_show,            CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/budgets",                              budget_create,         CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/budgets",                              budgets_list,          CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/budgets/{id}",                         budget_delete,         CUSTOMER, WIDE(SCOPE_BILLING_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/alerts",                               alerts_list,           CUSTOMER, WIDE(SCOPE_BILLING_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "standing after limit", WORKER },
    { "GET",    "/v1/events",                               events_list,           CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit order", WORKER },
    { "POST",  "/v1/webhooks",                          webhook_create,        CUSTOMER, WIDE(SCOPE_WEBHOOKS_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",   "/v1/webhooks",                          webhooks_list,         CUSTOMER, WIDE(SCOPE_WEBHOOKS_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",   "/v1/webhooks/{id}",                     webhook_show,          CUSTOMER, WIDE(SCOPE_WEBHOOKS_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "PATCH", "/v1/webhooks/{id}",                     webhook_change,        CUSTOMER, WIDE(SCOPE_WEBHOOKS_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "DELETE","/v1/webhooks/{id}",                     webhook_delete,        CUSTOMER, WIDE(SCOPE_WEBHOOKS_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",  "/v1/webhooks/{id}/ping",                webhook_ping,          CUSTOMER, WIDE(SCOPE_WEBHOOKS_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",   "/v1/webhooks/{id}/deliveries",          deliveries_list,       CUSTOMER, WIDE(SCOPE_WEBHOOKS_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "POST",  "/v1/deliveries/{id}/redeliver",         delivery_repeat,       CUSTOMER, WIDE(SCOPE_WEBHOOKS_WRITE), BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/keys",                                 key_create,            CUSTOMER, SCOPE_KEYS_WRITE,      BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/keys",                                 keys_list,             CUSTOMER, SCOPE_KEYS_READ,       BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "DELETE", "/v1/keys/{id}",                            key_revoke,            CUSTOMER, SCOPE_KEYS_WRITE,      BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/signup",                               signup,                ANYONE,   0,                     BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/sessions",                             session_create,        ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/sessions",                             sessions_list,         CUSTOMER, SESSION_ONLY,          BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/sessions/{id}",                        session_end,           CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/session",                              session_show,          CUSTOMER, SESSION_ONLY,          BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/projects",                             projects_list,         CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "POST",   "/v1/projects",                             project_create,        CUSTOMER, WIDE(SCOPE_PROJECTS_WRITE), BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/projects/{id}",                        project_show,          CUSTOMER, 0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "PATCH",  "/v1/projects/{id}",                        project_rename,        CUSTOMER, WIDE(SCOPE_PROJECTS_WRITE), BUCKET_WRITE, KEY_NONE, BODY_JSON, NULL, WORKER },
    { "DELETE", "/v1/projects/{id}",                        project_delete,        CUSTOMER, WIDE(SCOPE_PROJECTS_WRITE), BUCKET_WRITE, KEY_NONE, BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/members",                              members_list,          CUSTOMER, SCOPE_PROJECTS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/members/{id}",                         member_show,           CUSTOMER, SCOPE_PROJECTS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "PATCH",  "/v1/members/{id}",                         member_change,         CUSTOMER, SCOPE_PROJECTS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "DELETE", "/v1/members/{id}",                         member_delete,         CUSTOMER, SCOPE_PROJECTS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/invitations",                          invitation_create,     CUSTOMER, SCOPE_PROJECTS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/invitations",                          invitations_list,      CUSTOMER, SCOPE_PROJECTS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "DELETE", "/v1/invitations/{id}",                     invitation_delete,     CUSTOMER, SCOPE_PROJECTS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/invitations/lookup",                   invitation_look_up,    ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/invitations/accept",                   invitation_accept,     ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/user/password",                        password_change,       CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/user/totp",                            totp_begin,            CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/user/totp/confirm",                    totp_confirm,          CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/user/totp/remove",                     totp_remove,           CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/user/email/mail",                      email_link_mail,       CUSTOMER, SESSION_ONLY,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/user/email/verify",                    email_verify,          ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/password_resets",                      password_reset_use,    ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/password_resets/mail",                 password_reset_mail,   ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/audit_events",                         audit_list,            CUSTOMER, WIDE(SCOPE_ACCOUNT_READ), BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit order", WORKER },
    { "POST",   "/v1/volumes",                              volume_create,         CUSTOMER, SCOPE_VOLUMES_WRITE,   BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/volumes",                              volumes_list,          CUSTOMER, SCOPE_VOLUMES_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/volumes/{id}",                         volume_show,           CUSTOMER, SCOPE_VOLUMES_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/volumes/{id}",                         volume_delete,         CUSTOMER, SCOPE_VOLUMES_WRITE,   BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/volumes/{id}/resize",                  volume_resize,         CUSTOMER, SCOPE_VOLUMES_WRITE,   BUCKET_WRITE, KEY_OPTIONAL, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/volumes/{id}/snapshots",               snapshot_create,       CUSTOMER, SCOPE_VOLUMES_WRITE,   BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/snapshots",                            snapshots_list,        CUSTOMER, SCOPE_VOLUMES_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/snapshots/{id}",                       snapshot_show,         CUSTOMER, SCOPE_VOLUMES_READ,    BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/snapshots/{id}",                       snapshot_delete,       CUSTOMER, SCOPE_VOLUMES_WRITE,   BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/networks",                             networks_list,         CUSTOMER, SCOPE_NETWORKS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/ips",                                  ips_list,              CUSTOMER, SCOPE_NETWORKS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/instances/{id}/firewall",              firewall_show,         CUSTOMER, SCOPE_NETWORKS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "PUT",    "/v1/instances/{id}/firewall",              firewall_change,       CUSTOMER, SCOPE_NETWORKS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/instances/{id}/forwards",              forward_create,        CUSTOMER, SCOPE_NETWORKS_WRITE,  BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/instances/{id}/forwards",              forwards_list,         CUSTOMER, SCOPE_NETWORKS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/forwards/{id}",                        forward_delete,        CUSTOMER, SCOPE_NETWORKS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/ssh_keys",                             ssh_key_create,        CUSTOMER, SCOPE_SSH_KEYS_WRITE,  BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/ssh_keys",                             ssh_keys_list,         CUSTOMER, SCOPE_SSH_KEYS_READ,   BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "DELETE", "/v1/ssh_keys/{id}",                        ssh_key_delete,        CUSTOMER, SCOPE_SSH_KEYS_WRITE,  BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/customers",                      customer_create,       OPERATOR, RANK_SUPPORT,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/customers",                      customers_list,        OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/admin/customers/{id}",                 customer_show,         OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",   "/v1/admin/domains",                              domains_list,          OPERATOR, RANK_VIEW,               BUCKET_READ, KEY_NONE, BODY_NONE, NULL, WORKER },
    { "GET",   "/v1/admin/domains/{id}",                         domain_show,           OPERATOR, RANK_VIEW,               BUCKET_READ, KEY_NONE, BODY_NONE, NULL, WORKER },
    { "GET",   "/v1/admin/domains/{id}/records",                 domain_records_list,   OPERATOR, RANK_VIEW,               BUCKET_READ, KEY_NONE, BODY_NONE, "after limit", WORKER },
    { "POST",  "/v1/admin/domains/{id}/actions",                 domain_force,          OPERATOR, RANK_SUPPORT,            BUCKET_WRITE, KEY_OPTIONAL, BODY_JSON, NULL, WORKER },
    { "GET",   "/v1/admin/domains/{id}/suspension",              suspension_preview,    OPERATOR, RANK_VIEW,               BUCKET_READ, KEY_NONE, BODY_NONE, NULL, WORKER },
    { "POST",  "/v1/admin/domains/{id}/suspend",                 suspension_begin,      OPERATOR, RANK_SUPPORT,            BUCKET_WRITE, KEY_NONE, BODY_JSON, NULL, WORKER },
    { "POST",  "/v1/admin/domains/{id}/resume",                  suspension_end,        OPERATOR, RANK_SUPPORT,            BUCKET_WRITE, KEY_NONE, BODY_JSON, NULL, WORKER },
    { "GET",   "/v1/admin/customers/{id}/suspension",            suspension_preview,    OPERATOR, RANK_VIEW,               BUCKET_READ, KEY_NONE, BODY_NONE, NULL, WORKER },
    { "POST",  "/v1/admin/customers/{id}/suspend",               suspension_begin,      OPERATOR, RANK_BILLING,            BUCKET_WRITE, KEY_NONE, BODY_JSON, NULL, WORKER },
    { "POST",  "/v1/admin/customers/{id}/resume",                suspension_end,        OPERATOR, RANK_BILLING,            BUCKET_WRITE, KEY_NONE, BODY_JSON, NULL, WORKER },
    { "DELETE", "/v1/admin/keys/{id}",                      customer_key_revoke,   OPERATOR, RANK_SUPPORT,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/customers/{id}/credits",         credit_create,         OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/customers/{id}/keys",            customer_key_create,   OPERATOR, RANK_SUPPORT,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/user/password",                  password_change,       OPERATOR, VIEW_SESSION,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/user/totp",                      totp_begin,            OPERATOR, VIEW_SESSION,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/user/totp/confirm",              totp_confirm,          OPERATOR, VIEW_SESSION,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/customers/{id}/password_reset",  customer_password_reset, OPERATOR, RANK_SUPPORT,        BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/audit",                          audit_list,            OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "actor object customer_id after limit order", WORKER },
    { "GET",    "/v1/admin/host",                           host_show,             OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/host/domains",                   host_domains_show,     OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/metrics",                        host_metrics_show,     OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/operators",                      operators_list,        OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "POST",   "/v1/admin/operators",                      operator_create,       OPERATOR, RANK_ADMIN,            BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/operators/{id}/keys",            operator_key_create,   OPERATOR, RANK_ADMIN,            BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/operators/{id}/role",            operator_role_show,    OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "PUT",    "/v1/admin/operators/{id}/role",            operator_role_set,     OPERATOR, RANK_ADMIN,            BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/operators/{id}/password_reset",  operator_password_reset, OPERATOR, RANK_ADMIN,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "DELETE", "/v1/admin/operators/{id}",                 operator_revoke,       OPERATOR, RANK_ADMIN,            BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/price_books",                    price_books_list,      OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/price_books",                    price_book_propose,    OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/price_books/{id}",               price_book_show,       OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/price_books/{id}/diff",          price_book_diff,       OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "against", WORKER },
    { "GET",    "/v1/admin/price_books/{id}/replay",        price_book_replay,     OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "customer_id period", WORKER },
    { "POST",   "/v1/admin/price_books/{id}/approve",       price_book_approve,    OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/price_books/{id}/withdraw",      price_book_withdraw,   OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/vouchers",                       voucher_create,        OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/bank_imports",                   bank_import_create,    OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_XML,  NULL, WORKER },
    { "GET",    "/v1/admin/bank_entries",                   bank_entries_list,     OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "state after limit", WORKER },
    { "POST",   "/v1/admin/bank_entries/{id}/assign",       bank_entry_assign,     OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "POST",   "/v1/admin/bank_entries/{id}/return",       bank_entry_return,     OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/ledger/trial_balance",           trial_balance_show,    OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/ledger/accounts/{id}/transfers", transfers_list,        OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/admin/log/leaves/{id}",                leaf_show,             OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "origin", WORKER },
    { "GET",    "/v1/admin/ledger/journal",                 journal_show,          OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "customer_id", WORKER },
    { "GET",    "/v1/admin/invoices",                       invoices_list,         OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "customer_id after limit", WORKER },
    { "GET",    "/v1/admin/invoices/{id}",                  invoice_show,          OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/invoices/{id}/bundle",           invoice_bundle,        OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/credit_notes",                   credit_notes_list,     OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "customer_id after limit", WORKER },
    { "POST",   "/v1/admin/credit_notes",                   credit_note_create,    OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_REQUIRED, BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/disputes",                       disputes_list,         OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/admin/disputes/{id}",                  dispute_show,          OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/disputes/{id}/resolve",          dispute_resolve,       OPERATOR, RANK_BILLING,          BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/reconciliation",                 reconciliation_list,   OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "after limit", WORKER },
    { "GET",    "/v1/admin/alerts",                         alerts_list,           OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "standing after limit", WORKER },
    { "GET",    "/v1/admin/events",                         events_list,           OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, "customer_id after limit order", WORKER },
    { "GET",    "/v1/admin/suspensions",                    suspensions_list,      OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/cap",                            cap_show,              OPERATOR, RANK_VIEW,             BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/admin/sessions",                       operator_session_create, ANYONE, 0,                     BUCKET_WRITE, KEY_NONE,     BODY_JSON, NULL, WORKER },
    { "GET",    "/v1/admin/sessions",                       sessions_list,         OPERATOR, VIEW_SESSION,          BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "DELETE", "/v1/admin/sessions/{id}",                  session_end,           OPERATOR, VIEW_SESSION,          BUCKET_WRITE, KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "GET",    "/v1/admin/session",                        session_show,          OPERATOR, VIEW_SESSION,          BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, WORKER },
    { "POST",   "/v1/webhooks/payments",                    payment_event,         ANYONE,   0,                     BUCKET_WRITE, KEY_NONE,     BODY_RAW,  NULL, WORKER },
    { "GET",    "/log/checkpoint",                          checkpoint_show,       ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/log/keys.txt",                            log_keys_show,         ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/log/keys.txt.minisig",                    log_signature_show,    ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/log/tile/{path}",                         log_tile_show,         ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/healthz",                                 health_show,           ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/openapi.yaml",                            openapi_show,          ANYONE,   0,                     BUCKET_READ,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/",                                        portal_page,           ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/portal",                                  portal_page,           ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/portal/",                                 portal_page,           ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/portal/{path}",                           portal_page,           ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/console",                                 console_page,          ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/console/",                                console_page,          ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/console/{path}",                          console_page,          ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
    { "GET",    "/assets/{path}",                           web_asset,             ANYONE,   0,                     BUCKET_FILE,  KEY_NONE,     BODY_NONE, NULL, AT_ONCE },
};
/* clang-format on */
#define ROUTES (sizeof(routes) / sizeof(routes[0]))
const unsigned routes_count = ROUTES;

/* Matches segment by segment; what stands for {id} goes to param, and for
 * {path} all that is left. What is too long for one is none. */
static bool path_matches(const char *pattern, const char *path, char param[static PARAM_BYTES])
{
    while (*pattern) {
        if (*pattern == '{') {
            size_t len = strncmp(pattern, "{path}", 6) == 0 ? strlen(path) : strcspn(path, "/");

            if (len == 0 || len >= PARAM_BYTES)
                return false;
            memcpy(param, path, len);
            param[len] = 0;
            path += len;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == 0;
}

/* Rows whose patterns differ in what leaf_of looks at are never tried: "/v1/keys" and "/v1/ips", not "/v1/networks" and
 * "/v1/networks/{id}". No pattern has a variable part among these characters. */
#define LEAVES 64

static unsigned leaf_of(const char *path)
{
    size_t len = strnlen(path, 6);

    return ((len > 1 ? (unsigned char)path[1] : 0u) * 7 + (len > 4 ? (unsigned char)path[4] : 0u) * 3 +
            (len > 5 ? (unsigned char)path[5] : 0u)) % LEAVES;
}

static short first[LEAVES], next[ROUTES];
static pthread_once_t indexed = PTHREAD_ONCE_INIT;

/* From the last row to the first, so that a list is in the table's order. */
static void index_make(void)
{
    memset(first, -1, sizeof(first));
    for (unsigned i = routes_count; i-- > 0;) {
        short *list = &first[leaf_of(routes[i].pattern)];

        next[i] = *list;
        *list = (short)i;
    }
}

const struct route *route_find(const char *method, const char *path, char param[static PARAM_BYTES],
                               char allow[static 32])
{
    size_t used = 0;

    allow[0] = param[0] = 0;
    pthread_once(&indexed, index_make);
    for (short i = first[leaf_of(path)]; i >= 0; i = next[i]) {
        if (!path_matches(routes[i].pattern, path, param))
            continue;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
        used += (size_t)snprintf(allow + used, 32 - used, "%s%s", used ? ", " : "", routes[i].method);
    }
    return NULL;
}

bool route_knows_query(const struct route *row, const char *name)
{
    size_t len = strlen(name);
    const char *at = row->query;

    while (at && len) {
        size_t word = strcspn(at, " ");

        if (word == len && strncmp(at, name, len) == 0)
            return true;
        at = at[word] ? at + word + 1 : NULL;
    }
    return false;
}
