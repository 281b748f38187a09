/* Public keys for guests, and ssh to one with what the API knows of it. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/wait.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY_BYTES_MAX 16384
#define NAME_BYTES 64
#define GREETING_MS 3000                /* of one try; the guest's sshd answers at once or is not there yet */
#define PAUSE_MS 500

static json_t *sshkey_body(const char *name, const char *text)
{
    json_t *body = json_pack("{s:s, s:s}", "name", name, "public_key", text);

    if (!body)
        fail(EXIT_USAGE, "the name or the key is not UTF-8 text");
    return body;
}

int sshkey_add_command(struct host *host, char **argv)
{
    const char *alone[2];
    char *text;
    json_t *key;

    args_take(argv, NULL, alone, 2, 2, "sshkey add NAME FILE.pub");
    text = file_text(alone[1], KEY_BYTES_MAX);
    key = ask_post(host, "/v1/ssh_keys", sshkey_body(alone[0], text));
    if (!json_print(host, key))
        printf("%s  %s  %s\n", json_text(key, "id"), json_text(key, "name"), json_text(key, "fingerprint"));
    json_decref(key);
    free(text);
    return EXIT_DONE;
}

int sshkey_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },     { "NAME", "name" },               { "TYPE", "type" },
        { ">BITS", "bits" }, { "FINGERPRINT", "fingerprint" }, { "CREATED", "created_at" },
    };

    return list_show(host, argv, "/v1/ssh_keys", columns, COUNT(columns),
                     "There are no SSH keys. Add one: xs sshkey add NAME ~/.ssh/id_ed25519.pub", "sshkey list");
}

static char *sshkey_named(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "ssh_", "/v1/ssh_keys", "SSH key", "xs sshkey list", name_or_id);
}

int sshkey_rm_command(struct host *host, char **argv)
{
    const char *which;

    args_take(argv, NULL, &which, 1, 1, "sshkey rm NAME|ID");
    return thing_delete(host, "/v1/ssh_keys", sshkey_named(host, which), which, "is forgotten; guests that have it keep it");
}

/* How long "type base64" is: the comment behind it makes no other key. */
static size_t key_len(const char *text)
{
    size_t type = strcspn(text, " \t\r\n");

    type += strspn(text + type, " \t");
    return type + strcspn(text + type, " \t\r\n");
}

static json_t *key_find(const json_t *keys, const char *text)
{
    json_t *key;
    size_t i;

    json_array_foreach(keys, i, key) {
        const char *other = json_text(key, "public_key");

        if (key_len(other) == key_len(text) && strncmp(other, text, key_len(text)) == 0)
            return key;
    }
    return NULL;
}

static bool name_taken(const json_t *keys, const char *name)
{
    json_t *key;
    size_t i;

    json_array_foreach(keys, i, key)
        if (strcmp(json_text(key, "name"), name) == 0)
            return true;
    return false;
}

/* "id_ed25519.pub" is called id-ed25519, or id-ed25519-2 where that name is another key's. */
static void name_make(const char *path, const json_t *keys, char name[static NAME_BYTES])
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t len = 0;

    for (; *base && *base != '.' && len < 40; base++)
        if (isalnum((unsigned char)*base) || len)
            name[len++] = isalnum((unsigned char)*base) ? (char)tolower((unsigned char)*base) : '-';
    while (len && name[len - 1] == '-')
        len--;
    name[len] = 0;
    if (!len)
        len = (size_t)snprintf(name, NAME_BYTES, "key");
    for (int number = 2; name_taken(keys, name); number++)
        snprintf(name + len, NAME_BYTES - len, "-%d", number);
}

char *sshkey_resolve(struct host *host, const char *name_or_file)
{
    char name[NAME_BYTES], *text, *id;
    json_t *list, *key;

    if (access(name_or_file, F_OK) != 0) {
        if (strpbrk(name_or_file, "/."))
            fail(EXIT_USAGE, "--ssh-key %s: %s", name_or_file, strerror(errno));
        return sshkey_named(host, name_or_file);
    }
    text = file_text(name_or_file, KEY_BYTES_MAX);
    list = ask_get(host, "/v1/ssh_keys");
    key = json_incref(key_find(json_object_get(list, "data"), text));
    if (!key) {
        name_make(name_or_file, json_object_get(list, "data"), name);
        key = ask_post(host, "/v1/ssh_keys", sshkey_body(name, text));
        fprintf(stderr, "added the SSH key \"%s\", %s\n", name, json_text(key, "fingerprint"));
    }
    id = strdup(json_text(key, "id"));
    json_decref(key);
    json_decref(list);
    free(text);
    return id;
}

/* ssh */

/* Where the guest's port 22 is reached. */
struct target {
    char instance_id[64];
    char host[256];
    char port[8];
};

static void target_find(struct host *host, const char *which, struct target *target)
{
    char path[256], *id = instance_resolve(host, which);
    const json_t *ssh;
    json_t *instance;

    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    instance = ask_get(host, path);
    ssh = json_object_get(instance, "ssh");
    if (!json_is_object(ssh))
        fail(EXIT_REFUSED, "no port of the host leads to %s's SSH: xs forward add %s 22", which, which);
    snprintf(target->instance_id, sizeof(target->instance_id), "%s", json_text(instance, "id"));
    snprintf(target->host, sizeof(target->host), "%s", json_text(ssh, "host"));
    snprintf(target->port, sizeof(target->port), "%d", (int)json_integer_value(json_object_get(ssh, "port")));
    /* Both become arguments of ssh: neither may look like an option. */
    if (!target->host[0] || target->host[0] == '-' || strspn(target->port, "0123456789") != strlen(target->port))
        fail(EXIT_CONNECTION, "the host named \"%s\" port %s, which is no address: check XS_URL", target->host,
             target->port);
    json_decref(instance);
    free(id);
}

/* True once an SSH server has greeted. A connection alone says little: the host's own port accepts
 * before the guest does. */
static bool greets(const struct target *target)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    struct timeval bound = { .tv_sec = GREETING_MS / 1000 };
    char greeting[4] = "";
    ssize_t got = 0;
    int fd;

    if (getaddrinfo(target->host, target->port, &hints, &found) != 0)
        return false;
    fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) == 0 &&
        connect(fd, found->ai_addr, found->ai_addrlen) == 0)
        got = recv(fd, greeting, sizeof(greeting), MSG_WAITALL);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return got == (ssize_t)sizeof(greeting) && memcmp(greeting, "SSH-", 4) == 0;
}

static void greeting_wait(const struct target *target, const char *timeout)
{
    struct progress progress;
    char text[320];

    progress_start(&progress, timeout);
    snprintf(text, sizeof(text), "waiting for SSH at %s:%s", target->host, target->port);
    progress_show(&progress, text);
    while (!greets(target)) {
        if (progress_over(&progress)) {
            progress_end();
            fail(EXIT_LATER, "no SSH server answers at %s:%s yet. Look: xs log %s", target->host, target->port,
                 target->instance_id);
        }
        progress_show(&progress, text);
        pause_ms(PAUSE_MS);
    }
    progress_end();
}

/* Our own file: `ssh` by hand keeps its known_hosts, and a port that comes to lead to another guest alarms nobody. */
static void known_hosts_path(char *path, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (base && *base)
        snprintf(path, size, "%s/xs", base);
    else
        snprintf(path, size, "%s/.config/xs", home ? home : "");
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
        if (!slash)
            break;
        *slash = '/';
    }
    snprintf(path + strlen(path), size - strlen(path), "/known_hosts");
}

/* Becomes ssh. The host's key is pinned at the first connection, under the instance's id. */
static _Noreturn void ssh_become(const struct target *target, const char *user, const char *identity, char **command)
{
    static char known[4096 + 32], alias[128], at[400];
    const char *argv[64] = { "ssh", "-o", known, "-o", alias, "-o", "StrictHostKeyChecking=accept-new", "-p",
                             target->port };
    char path[4096];
    unsigned count = 9;

    known_hosts_path(path, sizeof(path));
    snprintf(known, sizeof(known), "UserKnownHostsFile=\"%s\"", path);
    snprintf(alias, sizeof(alias), "HostKeyAlias=%s", target->instance_id);
    snprintf(at, sizeof(at), "%s@%s", user, target->host);
    if (identity) {
        argv[count++] = "-i";
        argv[count++] = identity;
    }
    argv[count++] = "--";
    argv[count++] = at;
    for (; *command; command++) {
        if (count == COUNT(argv) - 1)
            fail(EXIT_USAGE, "the command has too many words: quote it as one");
        argv[count++] = *command;
    }
    execvp("ssh", (char *const *)argv);
    fail(EXIT_USAGE, "ssh: %s: install an SSH client, or use another at %s port %s", strerror(errno), target->host,
         target->port);
}

/* What follows "--", which becomes the end of argv. */
static char **command_split(char **argv)
{
    while (*argv && strcmp(*argv, "--") != 0)
        argv++;
    if (!*argv)
        return argv;
    *argv = NULL;
    return argv + 1;
}

int ssh_command(struct host *host, char **argv)
{
    static const char usage[] =
        "ssh INSTANCE [--user USER] [--identity FILE] [--wait [--timeout SECONDS]] [-- COMMAND...]";
    const char *which, *user = "debian", *identity = NULL, *timeout = WAIT_S_DEFAULT;
    bool wait = false;
    const struct flag flags[] = {
        { "--user", &user, NULL },       { "--identity", &identity, NULL }, { "--wait", NULL, &wait },
        { "--timeout", &timeout, NULL }, { NULL, NULL, NULL },
    };
    char **command = command_split(argv);
    struct target target;

    args_take(argv, flags, &which, 1, 1, usage);
    if (!*user || user[0] == '-')
        fail(EXIT_USAGE, "--user %s: not a user's name", user);
    target_find(host, which, &target);
    if (wait)
        greeting_wait(&target, timeout);
    host_close(host);
    ssh_become(&target, user, identity, command);
}
