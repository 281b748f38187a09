/* Names that people use, to the ids that the API wants. */
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_id(const char *prefix, const char *text)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 &&
           strspn(text + len, "0123456789abcdefghjkmnpqrstvwxyz") == strlen(text + len);
}

char *thing_resolve(struct host *host, const char *prefix, const char *path, const char *what, const char *command,
                    const char *name_or_id)
{
    json_t *list, *thing;
    char *found = NULL;
    size_t i;

    if (is_id(prefix, name_or_id))
        return strdup(name_or_id);
    list = ask_list(host, path);
    json_array_foreach(json_object_get(list, "data"), i, thing) {
        if (strcmp(json_text(thing, "name"), name_or_id) != 0)
            continue;
        if (found)
            fail(EXIT_REFUSED, "\"%s\" is the name of more than one %s: use the id, %s shows it", name_or_id, what,
                 command);
        found = strdup(json_text(thing, "id"));
    }
    json_decref(list);
    if (!found)
        fail(EXIT_REFUSED, "you have no %s called \"%s\": %s shows what there is", what, name_or_id, command);
    return found;
}

char *instance_resolve(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "ins_", "/v1/instances", "instance", "xs list", name_or_id);
}

char *volume_resolve(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "vol_", "/v1/volumes", "volume", "xs volume list", name_or_id);
}

char *file_text(const char *path, size_t max)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t size;

    if (!file)
        fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
    text = malloc(max + 2);
    if (!text)
        fail(EXIT_USAGE, "%s: out of memory", path);
    size = fread(text, 1, max + 1, file);
    if (ferror(file))
        fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
    fclose(file);
    text[size] = 0;
    if (size > max)
        fail(EXIT_USAGE, "%s: larger than %zu bytes", path, max);
    if (memchr(text, 0, size))
        fail(EXIT_USAGE, "%s: not a text file", path);
    return text;
}
