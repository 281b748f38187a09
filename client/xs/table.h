/* Tables for people: columns as wide as their widest cell, numbers to the right. */
#ifndef XS_TABLE_H
#define XS_TABLE_H

#include <jansson.h>

#define TABLE_COLUMNS_MAX 12

/* One column: its heading and the field it shows. A heading that begins with
 * '>' is aligned to the right. */
struct column {
    const char *heading;
    const char *field;
};

/* Prints one line for each object of `rows`; `none` when there are none. */
void table_print(const struct column *columns, unsigned count, const json_t *rows, const char *none);

/* One object, a line for each column that says something: "heading   value". */
void card_print(const struct column *columns, unsigned count, const json_t *object);

/* For text from the host on a terminal: control characters other than newline
 * and tab are shown, not obeyed. */
void text_print(const char *text);

#endif
