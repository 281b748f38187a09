/* The account's network, its addresses, and the host's ports that lead to guests. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int network_show_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "id", "id" }, { "subnet", "ipv4_subnet" }, { "gateway", "gateway" }, { "addresses used", "addresses_used" },
    };
    json_t *networks;

    args_take(argv, NULL, NULL, 0, 0, "network show");
    networks = ask_get(host, "/v1/networks");
    if (!json_print(host, networks))
        card_print(columns, COUNT(columns), json_array_get(json_object_get(networks, "data"), 0));
    json_decref(networks);
    return EXIT_DONE;
}

int ip_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ADDRESS", "ipv4" }, { "INSTANCE", "instance_id" }, { "NAME", "instance_name" }, { "MAC", "mac" },
        { "NETWORK", "network_id" },
    };

    return list_show(host, argv, "/v1/ips", columns, COUNT(columns),
                     "No instance has an address. Make one with: xs create ... --network", "ip list");
}

static const struct column forward_columns[] = {
    { "ID", "id" }, { "HOST", "host" }, { ">PORT", "port" }, { ">GUEST PORT", "guest_port" }, { "INSTANCE", "instance_id" },
};

static void forwards_path(struct host *host, const char *which, char *path, size_t size)
{
    char *id = instance_resolve(host, which);

    snprintf(path, size, "/v1/instances/%s/forwards", id);
    free(id);
}

int forward_add_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256];
    int64_t port;
    json_t *forward;

    args_take(argv, NULL, alone, 2, 2, "forward add INSTANCE PORT");
    port = args_number("PORT", alone[1], 1, 65535);
    forwards_path(host, alone[0], path, sizeof(path));
    forward = ask_post(host, path, json_pack("{s:I}", "guest_port", (json_int_t)port));
    if (!json_print(host, forward))
        printf("%s  %s:%d leads to port %d of %s\n", json_text(forward, "id"), json_text(forward, "host"),
               (int)json_integer_value(json_object_get(forward, "port")), (int)port, alone[0]);
    json_decref(forward);
    return EXIT_DONE;
}

int forward_list_command(struct host *host, char **argv)
{
    const char *which;
    char path[256];
    json_t *list;

    args_take(argv, NULL, &which, 1, 1, "forward list INSTANCE");
    forwards_path(host, which, path, sizeof(path));
    list = ask_get(host, path);
    if (!json_print(host, list))
        table_print(forward_columns, COUNT(forward_columns), json_object_get(list, "data"),
                    "No port leads to it. Add one: xs forward add INSTANCE PORT");
    json_decref(list);
    return EXIT_DONE;
}

int forward_rm_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/forwards", "a forward", "is gone", "forward rm ID");
}
