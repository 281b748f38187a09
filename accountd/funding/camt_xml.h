/* The XML below camt.c: a bounded, closed reading of a file, and its elements by name. */
#ifndef ACCOUNTD_FUNDING_CAMT_XML_H
#define ACCOUNTD_FUNDING_CAMT_XML_H

#include "common/json.h"

#include <libxml/tree.h>

/* NULL with `why` set. Free by xmlFreeDoc. */
xmlDoc *camt_xml_read(const char *text, size_t len, int depth_max, struct json_why *why);

/* The first, or the next, element of this name and of its parent's namespace. */
const xmlNode *camt_child(const xmlNode *parent, const char *name);
const xmlNode *camt_next(const xmlNode *node, const char *name);
/* camt_child along "A/B/C"; NULL if any is not there. */
const xmlNode *camt_path(const xmlNode *parent, const char *path);

/* The element's text, white space collapsed; an absent one (NULL) is "". False if it does not fit. */
bool camt_text(const xmlNode *node, char *out, size_t bytes);
/* Sets why to "line N: NAME: ..."; always -1. */
int camt_refuse(struct json_why *why, const xmlNode *node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
