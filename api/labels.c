#include "api/labels.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 16
#define LABEL_BYTES_MAX 63

static size_t key_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._/-");
}

static bool label_check(struct fields *fields, const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = key_length(key);

    if (len == 0 || len > LABEL_BYTES_MAX || key[len])
        fields_error(fields, "labels", "invalid", "\"%.64s\": a key has 1 to %d of a-z, 0-9, '.', '_', '/' and '-'", key,
                     LABEL_BYTES_MAX);
    else if (!text || json_string_length(value) > LABEL_BYTES_MAX || strlen(text) != json_string_length(value))
        fields_error(fields, "labels", "invalid", "%s: a value is a string of at most %d bytes", key, LABEL_BYTES_MAX);
    else
        return true;
    return false;
}

bool labels_read(struct fields *fields, char labels[static LABELS_BYTES])
{
    json_t *object = json_object_get(fields->object, "labels"), *value;
    const char *key;
    size_t size;

    if (!json_is_object(object) || json_object_size(object) > LABELS_MAX) {
        fields_error(fields, "labels", "wrong_type", "must be an object with at most %d strings", LABELS_MAX);
        return false;
    }
    json_object_foreach(object, key, value)
        if (!label_check(fields, key, value))
            return false;
    size = json_dumpb(object, labels, LABELS_BYTES - 1, JSON_COMPACT | JSON_SORT_KEYS);
    if (size >= LABELS_BYTES) {
        fields_error(fields, "labels", "too_long", "must have less than %d bytes in all", LABELS_BYTES);
        return false;
    }
    labels[size] = 0;
    return true;
}

json_t *labels_json(const char *labels)
{
    json_t *object = json_loads(labels, 0, NULL);

    return object ? object : json_object();
}

bool selector_valid(const char *selector)
{
    size_t len = key_length(selector);

    return len > 0 && (!selector[len] || selector[len] == '=');
}

bool labels_match(const char *labels, const char *selector)
{
    json_t *object;
    const char *value;
    char key[LABEL_BYTES_MAX + 1];
    size_t len;
    bool match;

    if (!selector)
        return true;
    len = key_length(selector);
    object = labels_json(labels);
    snprintf(key, sizeof(key), "%.*s", (int)len, selector);
    value = len < sizeof(key) ? json_string_value(json_object_get(object, key)) : NULL;
    match = value && (!selector[len] || strcmp(value, selector + len + 1) == 0);
    json_decref(object);
    return match;
}

void revision_tag(int64_t revision, char tag[static TAG_BYTES])
{
    snprintf(tag, TAG_BYTES, "\"r%jd\"", (intmax_t)revision);
}
