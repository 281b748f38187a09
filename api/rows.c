/* One writer for every list. It knows no resource: what the JSON says, the rows say. */
#include "api/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum form { FORM_JSON, FORM_CSV, FORM_NDJSON };

static const struct {
    const char *type;
    enum form form;
} forms[] = {
    {"application/json", FORM_JSON},
    {"text/csv", FORM_CSV},
    {"application/x-ndjson", FORM_NDJSON},
};

/* The next type that Accept names, its length in *len, or NULL; *accept goes on behind it. */
static const char *type_next(const char **accept, size_t *len)
{
    const char *type = *accept ? *accept + strspn(*accept, " ,\t") : "";

    *len = strcspn(type, ",; \t");
    *accept = type + strcspn(type, ",");
    return *type ? type : NULL;
}

static bool type_same(const char *type, size_t len, const char *known)
{
    return len == strlen(known) && strncasecmp(type, known, len) == 0;
}

bool rows_accepts(const struct request *rq, const char *known)
{
    const char *accept = rq->accept, *type;
    size_t len;

    while ((type = type_next(&accept, &len)))
        if (type_same(type, len, known))
            return true;
    return false;
}

/* The first of our types that Accept names; who names none gets JSON (RFC 9110 section 12.5.1 lets us answer so). */
static enum form form_wanted(const char *accept)
{
    const char *type;
    size_t len;

    while ((type = type_next(&accept, &len)))
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
            if (type_same(type, len, forms[i].type))
                return forms[i].form;
    return FORM_JSON;
}

/* The names of all columns: an object whose keys they are. */
static json_t *columns_of(const json_t *rows)
{
    json_t *columns = json_object(), *row, *value;
    const char *name;
    size_t i;

    json_array_foreach(rows, i, row) json_object_foreach(row, name, value) if (!json_object_get(columns, name))
        json_object_set_new(columns, name, json_true());
    return columns;
}

/* What a spreadsheet would take for a formula; a number with a sign is none. */
static bool is_formula(const char *text)
{
    size_t sign = *text == '-' || *text == '+';

    return *text && strchr("=@\t\r+-", *text) && (!sign || !text[1] || text[1 + strspn(text + 1, "0123456789.")]);
}

/* RFC 4180 section 2, rules 5 to 7. What others named is opened in spreadsheets: an apostrophe keeps a formula a text. */
static void cell_write(FILE *out, const char *text)
{
    const char *mark = is_formula(text) ? "'" : "";

    if (!strpbrk(text, ",\"\r\n")) {
        fputs(mark, out);
        fputs(text, out);
        return;
    }
    putc('"', out);
    fputs(mark, out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void value_write(FILE *out, const json_t *value)
{
    char *text;

    if (!value || json_is_null(value))
        return;
    if (json_is_string(value)) {
        cell_write(out, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    cell_write(out, text ? text : "");
    free(text);
}

static void row_write(FILE *out, json_t *columns, const json_t *row)
{
    const char *name;
    bool first = true;
    json_t *mark;

    json_object_foreach(columns, name, mark)
    {
        if (!first)
            putc(',', out);
        first = false;
        if (row)
            value_write(out, json_object_get(row, name));
        else
            cell_write(out, name);
    }
    fputs("\r\n", out);
}

static char *ended(FILE *out, char **text)
{
    if (fclose(out) == 0)
        return *text;
    free(*text);
    return NULL;
}

char *rows_csv(const json_t *rows)
{
    json_t *columns = columns_of(rows), *row;
    char *text = NULL;
    size_t size, i;
    FILE *out = open_memstream(&text, &size);

    if (out && json_array_size(rows))
        row_write(out, columns, NULL);
    if (out)
        json_array_foreach(rows, i, row) row_write(out, columns, row);
    json_decref(columns);
    return out ? ended(out, &text) : NULL;
}

char *rows_ndjson(const json_t *rows)
{
    char *text = NULL;
    size_t size, i;
    FILE *out = open_memstream(&text, &size);
    json_t *row;

    if (!out)
        return NULL;
    json_array_foreach(rows, i, row)
    {
        json_dumpf(row, out, JSON_COMPACT);
        putc('\n', out);
    }
    return ended(out, &text);
}

enum answer rows_render(const struct request *rq, struct reply *rp)
{
    const json_t *rows = json_object_get(rp->json, "data");
    enum form form = json_is_array(rows) ? form_wanted(rq->accept) : FORM_JSON;

    if (form == FORM_JSON)
        return ANSWER_OK;
    rp->text = form == FORM_CSV ? rows_csv(rows) : rows_ndjson(rows);
    if (!rp->text)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    rp->text_size = strlen(rp->text);
    rp->text_type = form == FORM_CSV ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
    rp->next_cursor = (long)json_integer_value(json_object_get(rp->json, "next_cursor"));
    json_decref(rp->json);
    rp->json = NULL;
    return ANSWER_OK;
}
