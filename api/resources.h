/* The handlers of route.c's table, by the file that holds them. Each runs on a
 * worker thread, after dispatch has checked role, scope, limits and syntax. */
#ifndef API_RESOURCES_H
#define API_RESOURCES_H

#include "api/route.h"

/* account.c */
route_handler account_show, wallet_show;
/* catalog.c */
route_handler images_list, flavors_list, quote_create;
/* instances.c */
route_handler instance_create, instances_list, instance_show;
/* actions.c */
route_handler action_create, instance_delete, action_show;
/* usage.c */
route_handler usage_show, instance_usage_show, records_list, console_log_show;
/* invoices.c */
route_handler invoice_create, invoices_list, invoice_show, invoice_bundle;
/* keys.c */
route_handler key_create, keys_list, key_revoke, customer_key_create;
/* site.c */
route_handler checkpoint_show, health_show, openapi_show;
/* admin.c */
route_handler customer_create, customers_list, credit_create, host_show;

#endif
