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
    power_off_command, reboot_command, suspend_command, resume_command, rm_command, log_command;
/* storage.c */
command_run volume_create_command, volume_list_command, volume_show_command, volume_attach_command,
    volume_detach_command, volume_resize_command, volume_snapshot_command, volume_delete_command,
    snapshot_list_command, snapshot_delete_command;
/* network.c */
command_run network_show_command, ip_list_command, forward_add_command, forward_list_command, forward_rm_command;
/* ssh.c */
command_run sshkey_add_command, sshkey_list_command, sshkey_rm_command, ssh_command;
/* money.c */
command_run quote_command, usage_command, records_command, wallet_command, invoice_new_command, invoice_list_command,
    invoice_show_command, invoice_get_command;
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

/* A list as a table, or with --json as it came. */
int list_show(struct host *host, char **argv, const char *path, const struct column *columns, unsigned count,
              const char *none, const char *usage);

/* DELETE of `path`/`id`, said of `which` ("is deleted") unless JSON is wanted. Frees the id. */
int thing_delete(struct host *host, const char *path, char *id, const char *which, const char *is);

/* The id of the SSH key that this is: its name or id, or a file, whose key is added if the account has it not.
 * malloc'd. */
char *sshkey_resolve(struct host *host, const char *name_or_file);

/* The whole file; exits 2 naming it, also when it has more than `max` bytes. malloc'd. */
char *file_text(const char *path, size_t max);

#endif
