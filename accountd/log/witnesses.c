/* Strict, as every file that is read at a start: a witness that is misspelled would be missed by nobody. */
#include "accountd/log/witnesses.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool known(const struct witnesses *witnesses, const char *name)
{
    for (unsigned i = 0; i < witnesses->count; i++)
        if (strcmp(witnesses->of[i].name, name) == 0)
            return true;
    return false;
}

static int read_one(const json_t *object, struct witnesses *witnesses, struct json_why *why)
{
    struct witness_known *witness = &witnesses->of[witnesses->count];
    const char *vkey, *url;

    if (json_arg_only(object, "vkey url", why) || json_arg_string(object, "vkey", 255, &vkey, why) ||
        json_arg_string(object, "url", sizeof(witness->url) - 1, &url, why))
        return -1;
    if (!note_vkey_parse_of(vkey, NOTE_COSIGNATURE, witness->name, sizeof(witness->name), &witness->key)) {
        snprintf(why->text, sizeof(why->text),
                 "vkey: not a cosigner's verifier key: take the line that xs-witness prints");
        return -1;
    }
    if (known(witnesses, witness->name)) {
        snprintf(why->text, sizeof(why->text), "%.100s: named twice", witness->name);
        return -1;
    }
    snprintf(witness->url, sizeof(witness->url), "%s", url);
    witnesses->count++;
    return 0;
}

static int read_list(const json_t *file, struct witnesses *witnesses, struct json_why *why)
{
    const json_t *list = json_object_get(file, "witnesses");

    if (!json_is_array(list) || json_array_size(list) > WITNESSES_MAX) {
        snprintf(why->text, sizeof(why->text), "witnesses: must be a list of at most %d", WITNESSES_MAX);
        return -1;
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_one(json_array_get(list, i), witnesses, why))
            return -1;
    return 0;
}

int witnesses_read(const char *path, struct witnesses *witnesses, struct json_why *why)
{
    json_error_t error;
    json_t *file;
    int rc;

    witnesses->count = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!file) {
        snprintf(why->text, sizeof(why->text), "line %d: %.200s", error.line, error.text);
        return -1;
    }
    rc = json_is_object(file) ? json_arg_only(file, "witnesses", why) : -1;
    if (!json_is_object(file))
        snprintf(why->text, sizeof(why->text), "must be one JSON object");
    if (rc == 0)
        rc = read_list(file, witnesses, why);
    json_decref(file);
    return rc;
}
