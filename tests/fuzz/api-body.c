/* Request bodies: whatever arrives is an object within bounds or a reason, and
 * a value that a getter gives out keeps the getter's promise. */
#include "api/fields.h"
#include "api/present.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

const char *const fuzz_name = "bodies and fields";
const char *const fuzz_seeds[] = {
    "{\"name\":\"web-1\",\"image\":\"tiny\",\"flavor\":\"xs1\"}",
    "{\"name\":\"a\",\"count\":12,\"money\":\"12.50\",\"set\":[\"a\",\"b\"]}",
    "{\"count\":-1.5e3,\"money\":\"0.000000001\",\"set\":[]}",
    "{\"name\":\"\\u00e9\\ud83d\\ude00\",\"deep\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}",
    "{}",
    NULL,
};

static int depth_of(const json_t *value)
{
    int deepest = 0;
    const char *name;
    json_t *element;
    size_t i;

    if (json_is_object(value))
        json_object_foreach((json_t *)value, name, element)
            deepest = depth_of(element) > deepest ? depth_of(element) : deepest;
    if (json_is_array(value))
        json_array_foreach(value, i, element)
            deepest = depth_of(element) > deepest ? depth_of(element) : deepest;
    return deepest + (json_is_object(value) || json_is_array(value));
}

static void promises(const json_t *json)
{
    static const char *const set[] = { "a", "b", NULL };
    const char *name = NULL, *text = NULL;
    const json_t *list = NULL;
    struct fields fields;
    int64_t number, nano, again;
    char money[MONEY_BYTES];
    json_t *errors;

    fields_start(&fields, json);
    if (fields_name(&fields, "name", &name))
        assert(strlen(name) <= 63 && !strpbrk(name, "/. \"\n") && name[0] != '-');
    if (fields_text(&fields, "image", 63, &text))
        assert(strlen(text) <= 63 && !strpbrk(text, "\n\r\x1b"));
    if (fields_integer(&fields, "count", 1, 100, &number))
        assert(number >= 1 && number <= 100);
    if (fields_money(&fields, "money", INT64_C(1000000000000), &nano))
        assert(nano > 0 && nano <= INT64_C(1000000000000) && money_parse(money_print(nano, money), &again) && again == nano);
    if (fields_set(&fields, "set", set, &list))
        assert(json_array_size(list) >= 1 && json_array_size(list) <= 2);
    errors = fields_done(&fields);
    assert(errors || (name && text && list));
    json_decref(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char why[256] = "";
    json_t *json = body_parse((const char *)bytes, size, why, sizeof(why));

    if (!json) {
        assert(why[0] && strlen(why) < sizeof(why));
        return 0;
    }
    assert(json_is_object(json) && depth_of(json) <= BODY_DEPTH_MAX);
    promises(json);
    json_decref(present_copy(json));
    json_decref(json);
    return 0;
}
