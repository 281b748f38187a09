/* A key in a file that others can read is refused, as ssh does with its own. */
#include "client/xs/settings.h"
#include "client/xs/fail.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct source {
    const char *name;                   /* in the file */
    const char *variable;               /* in the environment */
    char *value;
};

static void config_path(char *path, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (base && *base)
        snprintf(path, size, "%s/xs/config", base);
    else
        snprintf(path, size, "%s/.config/xs/config", home ? home : "");
}

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (isspace((unsigned char)*text))
        text++;
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = 0;
    return text;
}

static void line_take(struct source *sources, char *line, const char *path, unsigned number)
{
    char *equals = strchr(line, '=');
    char *name = trim(line);

    if (!*name || *name == '#')
        return;
    if (!equals)
        fail(EXIT_USAGE, "%s: line %u: must be \"name = value\"", path, number);
    *equals = 0;
    name = trim(line);
    for (struct source *source = sources; source->name; source++)
        if (strcmp(source->name, name) == 0) {
            free(source->value);
            source->value = strdup(trim(equals + 1));
            return;
        }
    fail(EXIT_USAGE, "%s: line %u: \"%s\" is not url, key, fingerprint or project", path, number, name);
}

static void file_read(struct source *sources, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    struct stat st;

    if (!file && errno == ENOENT)
        return;
    if (!file)
        fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
    if (fstat(fileno(file), &st) == 0 && (st.st_mode & 077))
        fail(EXIT_USAGE, "%s: others can read your key: chmod 600 %s", path, path);
    for (unsigned number = 1; getline(&line, &size, file) >= 0; number++)
        line_take(sources, line, path, number);
    free(line);
    fclose(file);
}

/* "AB:CD:..." as openssl prints it, or plain hex. */
static bool fingerprint_take(const char *text, char out[static 65])
{
    size_t len = 0;

    for (; *text; text++) {
        if (*text == ':')
            continue;
        if (!isxdigit((unsigned char)*text) || len == 64)
            return false;
        out[len++] = (char)tolower((unsigned char)*text);
    }
    out[len] = 0;
    return len == 64;
}

static void check(struct settings *settings, const char *fingerprint, const char *path)
{
    size_t len = settings->url ? strlen(settings->url) : 0;

    if (!len)
        fail(EXIT_USAGE, "no host: set XS_URL, or \"url = https://...\" in %s", path);
    if (strncmp(settings->url, "https://", 8) != 0)
        fail(EXIT_USAGE, "%s: the URL must begin with https://", settings->url);
    if (settings->url[len - 1] == '/')
        settings->url[len - 1] = 0;
    if (!settings->key || !*settings->key)
        fail(EXIT_USAGE, "no key: set XS_KEY, or \"key = xs_live_...\" in %s", path);
    if (settings->ca)
        return;
    if (!fingerprint || !*fingerprint)
        fail(EXIT_USAGE,
             "no certificate to trust: set XS_FINGERPRINT to the SHA-256 that ./run printed, or give --ca FILE");
    if (!fingerprint_take(fingerprint, settings->fingerprint))
        fail(EXIT_USAGE, "XS_FINGERPRINT: must be 64 hex digits (colons are allowed)");
}

void settings_load(struct settings *settings)
{
    struct source sources[] = {
        { "url", "XS_URL", NULL }, { "key", "XS_KEY", NULL }, { "fingerprint", "XS_FINGERPRINT", NULL },
        { "project", "XS_PROJECT", NULL }, { NULL, NULL, NULL },
    };
    char path[4096];

    config_path(path, sizeof(path));
    file_read(sources, path);
    for (struct source *source = sources; source->name; source++) {
        const char *value = getenv(source->variable);

        if (value && *value) {
            free(source->value);
            source->value = strdup(value);
        }
    }
    settings->url = sources[0].value;
    settings->key = sources[1].value;
    settings->project = sources[3].value;
    check(settings, sources[2].value, path);
    free(sources[2].value);
}
