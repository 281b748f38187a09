/* How answers are shown: JSON as it came, tables, cards; and what goes into a path. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_print(struct host *host, const json_t *json)
{
    if (!host_settings(host)->json)
        return false;
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    return true;
}

json_t *ask_list(struct host *host, const char *path)
{
    json_t *list = ask_get(host, path), *next = json_incref(json_object_get(list, "next_cursor"));

    while (json_is_integer(next)) {
        char at[256];
        json_t *more;

        snprintf(at, sizeof(at), "%s%cafter=%jd", path, strchr(path, '?') ? '&' : '?', (intmax_t)json_integer_value(next));
        more = ask_get(host, at);
        json_array_extend(json_object_get(list, "data"), json_object_get(more, "data"));
        json_decref(next);
        next = json_incref(json_object_get(more, "next_cursor"));
        json_decref(more);
    }
    json_decref(next);
    json_object_set_new(list, "next_cursor", json_null());
    return list;
}

int list_show(struct host *host, char **argv, const char *path, const struct column *columns, unsigned count,
              const char *none, const char *usage)
{
    json_t *list;

    args_take(argv, NULL, NULL, 0, 0, usage);
    list = ask_list(host, path);
    if (!json_print(host, list))
        table_print(columns, count, json_object_get(list, "data"), none);
    json_decref(list);
    return EXIT_DONE;
}

int thing_delete(struct host *host, const char *path, char *id, const char *which, const char *is)
{
    char at[256];

    snprintf(at, sizeof(at), "%s/%s", path, id);
    free(id);
    json_decref(ask_delete(host, at));
    if (!host_settings(host)->json)
        printf("%s %s\n", which, is);
    return EXIT_DONE;
}

int id_delete(struct host *host, char **argv, const char *path, const char *what, const char *is, const char *usage)
{
    const char *id;

    args_take(argv, NULL, &id, 1, 1, usage);
    return thing_delete(host, path, strdup(id_check(id, what)), id, is);
}

int page_show(struct host *host, const char *path, const struct column *columns, unsigned count, const char *none)
{
    json_t *list = ask_get(host, path), *next = json_object_get(list, "next_cursor");

    if (!json_print(host, list)) {
        table_print(columns, count, json_object_get(list, "data"), none);
        if (json_is_integer(next))
            fprintf(stderr, "there is more: --after %jd\n", (intmax_t)json_integer_value(next));
    }
    json_decref(list);
    return EXIT_DONE;
}

int card_show(struct host *host, json_t *answer, const struct column *columns, unsigned count)
{
    if (!json_print(host, answer))
        card_print(columns, count, answer);
    json_decref(answer);
    return EXIT_DONE;
}

const char *id_check(const char *id, const char *what)
{
    if (!*id || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id))
        fail(EXIT_USAGE, "\"%s\" is not %s's id", id, what);
    return id;
}

void query_add(char *path, size_t size, const char *flag, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:-";
    char name[32];
    size_t used = strlen(path);

    if (!text)
        return;
    if (strspn(text, letters) != strlen(text))
        fail(EXIT_USAGE, "%s %s: has a character that cannot be there", flag, text);
    /* "--customer-id" is customer_id in the API. */
    snprintf(name, sizeof(name), "%s", flag + 2);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    if (used + (size_t)snprintf(path + used, size - used, "%c%s=%s", strchr(path, '?') ? '&' : '?', name, text) >= size)
        fail(EXIT_USAGE, "%s %s: too long", flag, text);
}
