/* Strict at start: one line says which key of which file is wrong and what it should be. */
#include "api/config.h"
#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text_key {
    const char *name;
    size_t offset;
};

static const struct text_key text_keys[] = {
    { "certificate", offsetof(struct config, certificate) },
    { "private_key", offsetof(struct config, private_key) },
    { "database", offsetof(struct config, database) },
    { "pid_file", offsetof(struct config, pid_file) },
    { "user", offsetof(struct config, user) },
    { "accountd", offsetof(struct config, accountd) },
    { "provisioner", offsetof(struct config, provisioner) },
    { "console", offsetof(struct config, console) },
    { "log_files", offsetof(struct config, log_files) },
    { "operator_key_hash_file", offsetof(struct config, operator_key_hash_file) },
};

/* May be left out. */
static const struct text_key optional_keys[] = {
    { "web", offsetof(struct config, web) },
    { "webhooks", offsetof(struct config, webhooks) },
    { "signup", offsetof(struct config, signup) },
    { "mail_folder", offsetof(struct config, mail_folder) },
    { "public_url", offsetof(struct config, public_url) },
};

struct limit_key {
    const char *name;
    size_t offset;
    int64_t max;
    int64_t fallback;                   /* where it is left out; 0: it may not be */
};

static const struct limit_key limit_keys[] = {
    { "reads_per_s", offsetof(struct config, reads_per_s), 100000, 0 },
    { "writes_per_s", offsetof(struct config, writes_per_s), 100000, 0 },
    { "waits_per_s", offsetof(struct config, waits_per_s), 100000, 0 },
    { "anonymous_per_s", offsetof(struct config, anonymous_per_s), 100000, 0 },
    { "instances_per_account", offsetof(struct config, instances_per_account), 10000, 0 },
    { "connections_per_address", offsetof(struct config, connections_per_address), 10000, 0 },
    { "logins_per_minute", offsetof(struct config, logins_per_minute), 10000, 5 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void text_take(struct config *config, const char *path, const struct text_key *key)
{
    const char *text = json_string_value(json_object_get(config->file, key->name));

    if (!text || !*text)
        fatalx("%s: %s: must be a string that is not empty", path, key->name);
    *(const char **)((char *)config + key->offset) = text;
}

static void limit_take_key(struct config *config, const char *path, const struct limit_key *key)
{
    const json_t *value = json_object_get(json_object_get(config->file, "limits"), key->name);

    *(int64_t *)((char *)config + key->offset) = key->fallback;
    if (!value && key->fallback)
        return;
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > key->max)
        fatalx("%s: limits.%s: must be a whole number from 1 to %jd", path, key->name, (intmax_t)key->max);
    *(int64_t *)((char *)config + key->offset) = json_integer_value(value);
}

static void mail_check(const struct config *config, const char *path)
{
    if (config->public_url && strncmp(config->public_url, "https://", 8) != 0)
        fatalx("%s: public_url: must look like \"https://host.example\"", path);
    if (config->mail_folder && !config->public_url)
        fatalx("%s: public_url: must be there beside mail_folder: mails link to it", path);
}

static void signup_check(struct config *config, const char *path)
{
    if (!config->signup)
        config->signup = "open";
    if (strcmp(config->signup, "open") != 0 && strcmp(config->signup, "closed") != 0)
        fatalx("%s: signup: must be \"open\" or \"closed\"", path);
}

/* "host:port", the host in brackets when it is an IPv6 address. */
static void listen_take(struct config *config, const char *path)
{
    const char *text = json_string_value(json_object_get(config->file, "listen"));
    const char *colon = text ? strrchr(text, ':') : NULL;
    size_t host_len = colon ? (size_t)(colon - text) : 0;

    if (!colon || host_len == 0 || host_len >= sizeof(config->host) || strlen(colon + 1) == 0 ||
        strlen(colon + 1) > 5 || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        fatalx("%s: listen: must look like \"0.0.0.0:8443\" or \"[::]:8443\"", path);
    if (text[0] == '[' && colon[-1] == ']') {
        text++;
        host_len -= 2;
    }
    memcpy(config->host, text, host_len);
    config->host[host_len] = 0;
    strcpy(config->port, colon + 1);
}

static void unknown_refuse(const json_t *object, const char *path, const char *prefix)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value) {
        bool known = !*prefix && (strcmp(name, "listen") == 0 || strcmp(name, "limits") == 0);

        for (size_t i = 0; i < COUNT(text_keys) && !*prefix; i++)
            known |= strcmp(name, text_keys[i].name) == 0;
        for (size_t i = 0; i < COUNT(optional_keys) && !*prefix; i++)
            known |= strcmp(name, optional_keys[i].name) == 0;
        for (size_t i = 0; i < COUNT(limit_keys) && *prefix; i++)
            known |= strcmp(name, limit_keys[i].name) == 0;
        if (!known)
            fatalx("%s: %s%s: no such key: remove it or correct its spelling", path, prefix, name);
    }
}

void config_load(struct config *config, const char *path)
{
    json_error_t error;

    memset(config, 0, sizeof(*config));
    config->file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!config->file)
        fatalx("%s: line %d, column %d: %s", path, error.line, error.column, error.text);
    if (!json_is_object(config->file))
        fatalx("%s: must hold one JSON object", path);
    if (!json_is_object(json_object_get(config->file, "limits")))
        fatalx("%s: limits: must be an object", path);
    unknown_refuse(config->file, path, "");
    unknown_refuse(json_object_get(config->file, "limits"), path, "limits.");
    for (size_t i = 0; i < COUNT(text_keys); i++)
        text_take(config, path, &text_keys[i]);
    for (size_t i = 0; i < COUNT(optional_keys); i++)
        if (json_object_get(config->file, optional_keys[i].name))
            text_take(config, path, &optional_keys[i]);
    for (size_t i = 0; i < COUNT(limit_keys); i++)
        limit_take_key(config, path, &limit_keys[i]);
    signup_check(config, path);
    mail_check(config, path);
    listen_take(config, path);
}

void config_free(struct config *config)
{
    json_decref(config->file);
}
