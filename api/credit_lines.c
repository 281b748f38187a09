#include "api/credit_lines.h"
#include "api/present.h"
#include "common/json.h"

#include <stdio.h>

#define LINES_MAX 500

/* One element of `lines`, {line, amount}, into accountd's list. */
static void line_read(struct fields *outer, const json_t *element, size_t i, json_t *list)
{
    int64_t line = 0, amount_nano = 0;
    struct fields fields;
    char where[32];

    fields_start(&fields, element);
    fields_integer(&fields, "line", 1, 1000000, &line);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    snprintf(where, sizeof(where), "element %zu: ", i);
    fields_inner_done(outer, "lines", where, &fields);
    json_array_append_new(list,
                          json_pack("{s:I, s:o}", "line", (json_int_t)line, "amount_nano", json_decimal(amount_nano)));
}

void credit_lines_read(struct fields *fields, json_t *args)
{
    const json_t *lines;
    json_t *list, *element;
    size_t i;

    if (!fields_has(fields, "lines"))
        return;
    lines = json_object_get(fields->object, "lines");
    if (!json_is_array(lines) || json_array_size(lines) == 0 || json_array_size(lines) > LINES_MAX) {
        fields_error(fields, "lines", "wrong_type", "must be an array of 1 to %d objects {line, amount}", LINES_MAX);
        return;
    }
    list = json_array();
    json_array_foreach((json_t *)lines, i, element)
        line_read(fields, element, i, list);
    json_object_set_new(args, "lines", list);
}
