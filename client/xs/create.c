/* xs create: everything a new instance can come with. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/wait.h"

#include <stdlib.h>
#include <string.h>

#define USER_DATA_BYTES_MAX 16384

struct wishes {
    const char *name, *image, *flavor, *cmdline, *disk, *user_data, *timeout, *order;
    const char *volumes[ARGS_TIMES + 1], *ssh_keys[ARGS_TIMES + 1], *forwards[ARGS_TIMES + 1];
    bool network, no_network, wait;
};

static const char usage[] =
    "create NAME --image IMAGE --flavor FLAVOR [--disk SIZE] [--volume VOLUME]... [--network | --no-network]\n"
    "        [--ssh-key NAME|FILE]... [--forward PORT]... [--user-data FILE] [--cmdline TEXT]\n"
    "        [--purchase-order NAME|ID] [--wait [--timeout SECONDS]]";

static void wishes_take(struct wishes *w, char **argv)
{
    const struct flag flags[] = {
        { "--image", &w->image, NULL },           { "--flavor", &w->flavor, NULL },
        { "--cmdline", &w->cmdline, NULL },       { "--disk", &w->disk, NULL },
        { "--user-data", &w->user_data, NULL },   { "--timeout", &w->timeout, NULL },
        { "--volume...", w->volumes, NULL },      { "--ssh-key...", w->ssh_keys, NULL },
        { "--forward...", w->forwards, NULL },    { "--network", NULL, &w->network },
        { "--no-network", NULL, &w->no_network }, { "--wait", NULL, &w->wait },
        { "--purchase-order", &w->order, NULL },
        { NULL, NULL, NULL },
    };

    args_take(argv, flags, &w->name, 1, 1, usage);
    if (!w->image || !w->flavor)
        fail(EXIT_USAGE, "--image and --flavor are needed; xs images and xs flavors list them\nusage: xs %s", usage);
    if (w->network && w->no_network)
        fail(EXIT_USAGE, "--network or --no-network, not both");
}

typedef char *text_resolve(struct host *host, const char *text);

/* The ids of what was named, as field `name` of the body; nothing if nothing was. */
static void ids_add(struct host *host, json_t *body, const char *name, const char *const *texts, text_resolve *resolve)
{
    json_t *list = json_array();

    for (; *texts; texts++) {
        char *id = resolve(host, *texts);

        json_array_append_new(list, json_string(id));
        free(id);
    }
    if (json_array_size(list))
        json_object_set(body, name, list);
    json_decref(list);
}

static void text_add(json_t *body, const char *name, const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    if (text && !value)
        fail(EXIT_USAGE, "%s is not UTF-8 text", name);
    if (value)
        json_object_set_new(body, name, value);
}

static json_t *body_make(struct host *host, const struct wishes *w)
{
    json_t *body = json_object(), *ports = json_array();
    char *user_data = w->user_data ? file_text(w->user_data, USER_DATA_BYTES_MAX) : NULL;

    text_add(body, "name", w->name);
    text_add(body, "image", w->image);
    text_add(body, "flavor", w->flavor);
    text_add(body, "cmdline", w->cmdline);
    text_add(body, "user_data", user_data);
    free(user_data);
    if (w->disk)
        json_object_set_new(body, "disk_mib", json_integer(args_size_mib("--disk", w->disk)));
    if (w->network || w->no_network)
        json_object_set_new(body, "network", json_boolean(w->network));
    for (const char *const *port = w->forwards; *port; port++)
        json_array_append_new(ports, json_integer(args_number("--forward", *port, 1, 65535)));
    if (json_array_size(ports))
        json_object_set(body, "forward_ports", ports);
    json_decref(ports);
    if (w->order) {
        char *id = purchase_order_resolve(host, w->order);

        text_add(body, "purchase_order_id", id);
        free(id);
    }
    /* Last: a file's key is added to the account, which a mistake elsewhere shall not do. */
    ids_add(host, body, "volumes", w->volumes, volume_resolve);
    ids_add(host, body, "ssh_keys", w->ssh_keys, sshkey_resolve);
    return body;
}

int create_command(struct host *host, char **argv)
{
    struct wishes wishes = { .timeout = WAIT_S_DEFAULT };
    struct progress progress;
    json_t *instance;

    wishes_take(&wishes, argv);
    progress_start(&progress, wishes.timeout);
    instance = ask_post(host, "/v1/instances", body_make(host, &wishes));
    if (wishes.wait) {
        char *id = strdup(json_text(instance, "id"));

        json_decref(action_wait(host, &progress, json_text(json_object_get(instance, "action"), "id")));
        json_decref(instance);
        instance = ready_wait(host, &progress, id);
        progress_end();
        free(id);
    }
    if (!json_print(host, instance))
        instance_card(instance);
    json_decref(instance);
    return EXIT_DONE;
}
