/* Labels: what a customer calls things by, besides their names. Pure. */
#ifndef API_LABELS_H
#define API_LABELS_H

#include "api/fields.h"
#include "api/store.h"

/* The field "labels", an object of at most 16 texts, as a JSON text: true, or an error is noted. A key has 1 to 63 of
 * a-z, 0-9, '.', '_', '/' and '-', a value at most 63 bytes. */
bool labels_read(struct fields *fields, char labels[static LABELS_BYTES]);
/* New reference. */
json_t *labels_json(const char *labels);

/* "key" or "key=value". */
bool selector_valid(const char *selector);
/* NULL fits all. */
bool labels_match(const char *labels, const char *selector);

/* The ETag of a row with this revision. */
#define TAG_BYTES 24
void revision_tag(int64_t revision, char tag[static TAG_BYTES]);

#endif
