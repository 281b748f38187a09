/* What xs can do: the rows of main.c's table. argv holds what follows the
 * command's words. They return an exit status, or end the program themselves. */
#ifndef XS_COMMANDS_H
#define XS_COMMANDS_H

#include "client/xs/ask.h"

typedef int command_run(struct host *host, char **argv);

/* compute.c */
command_run images_command, flavors_command, create_command, list_command, show_command, start_command, stop_command,
    power_off_command, reboot_command, suspend_command, resume_command, rm_command, log_command;
/* money.c */
command_run quote_command, usage_command, records_command, wallet_command, invoice_new_command, invoice_list_command,
    invoice_show_command, invoice_get_command;
/* access.c */
command_run account_command, keys_list_command, keys_new_command, keys_revoke_command, customer_add_command,
    customer_list_command, credit_command, customer_key_command, host_command;

/* With --json prints the answer as it came and returns true. */
bool json_print(struct host *host, const json_t *json);

/* "ins_..." as it is; anything else is looked up as a name. Exits 1 if there
 * is none, or more than one. malloc'd. */
char *instance_resolve(struct host *host, const char *name_or_id);

#endif
