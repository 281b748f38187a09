/* Cells come from the host, and names in them from strangers: none reaches the
 * terminal with its control characters alive. */
#include "client/xs/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "a.b" looks into objects. */
static const json_t *field_find(const json_t *object, const char *field)
{
    char name[64];
    size_t len = strcspn(field, ".");

    if (len >= sizeof(name))
        return NULL;
    memcpy(name, field, len);
    name[len] = 0;
    object = json_object_get(object, name);
    return field[len] ? field_find(object, field + len + 1) : object;
}

static char *list_text(const json_t *list)
{
    char *text = NULL;
    size_t i, used = 0;
    json_t *element;
    FILE *out = open_memstream(&text, &used);

    if (!out)
        return NULL;
    json_array_foreach(list, i, element) {
        fputs(i ? ", " : "", out);
        if (json_is_string(element))
            fputs(json_string_value(element), out);
        else
            json_dumpf(element, out, JSON_ENCODE_ANY | JSON_COMPACT);
    }
    fclose(out);
    return text;
}

/* malloc'd. Times lose what nobody reads in a table: "2026-01-31 12:00:05". */
static char *cell_text(const json_t *value)
{
    char *text;

    if (json_is_string(value))
        text = strdup(json_string_value(value));
    else if (json_is_array(value))
        text = list_text(value);
    else if (!value || json_is_null(value))
        text = strdup("-");
    else if (json_is_boolean(value))
        text = strdup(json_is_true(value) ? "yes" : "no");
    else
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text)
        abort();
    if (strlen(text) == 24 && text[10] == 'T' && text[23] == 'Z') {
        text[10] = ' ';
        text[19] = 0;
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return text;
}

/* Characters, not bytes. */
static unsigned width(const char *text)
{
    unsigned count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void cell_print(const char *text, unsigned wide, bool right, bool last)
{
    unsigned pad = wide - width(text);

    if (right)
        printf("%*s%s", (int)pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : (int)pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static const char *heading(const struct column *column)
{
    return column->heading + (column->heading[0] == '>');
}

static void widths_find(const struct column *columns, unsigned count, const json_t *rows, unsigned *wide)
{
    json_t *row;
    size_t i;

    for (unsigned c = 0; c < count; c++)
        wide[c] = width(heading(&columns[c]));
    json_array_foreach(rows, i, row)
        for (unsigned c = 0; c < count; c++) {
            char *text = cell_text(field_find(row, columns[c].field));

            if (width(text) > wide[c])
                wide[c] = width(text);
            free(text);
        }
}

void table_print(const struct column *columns, unsigned count, const json_t *rows, const char *none)
{
    unsigned wide[TABLE_COLUMNS_MAX];
    json_t *row;
    size_t i;

    if (json_array_size(rows) == 0) {
        puts(none);
        return;
    }
    widths_find(columns, count, rows, wide);
    for (unsigned c = 0; c < count; c++)
        cell_print(heading(&columns[c]), wide[c], columns[c].heading[0] == '>', c + 1 == count);
    json_array_foreach(rows, i, row)
        for (unsigned c = 0; c < count; c++) {
            char *text = cell_text(field_find(row, columns[c].field));

            cell_print(text, wide[c], columns[c].heading[0] == '>', c + 1 == count);
            free(text);
        }
}

void card_print(const struct column *columns, unsigned count, const json_t *object)
{
    unsigned wide = 0;

    for (unsigned c = 0; c < count; c++)
        if (width(heading(&columns[c])) > wide)
            wide = width(heading(&columns[c]));
    for (unsigned c = 0; c < count; c++) {
        char *text = cell_text(field_find(object, columns[c].field));

        if (*text)
            printf("%-*s  %s\n", (int)wide, heading(&columns[c]), text);
        free(text);
    }
}

void text_print(const char *text)
{
    bool terminal = isatty(STDOUT_FILENO);

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (terminal && (c < 0x20 || c == 0x7f) && c != '\n' && c != '\t' && c != '\r')
            printf("^%c", c ^ 0x40);
        else
            putchar(c);
    }
}
