/* libxml2, held short: no network, no entities, no document type, a bound on depth. */
#include "accountd/funding/camt_xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What stops the parser, in its private pointer. */
struct guard {
    int depth_max;
    const char *reason;
};

/* Called at "<!DOCTYPE NAME", before anything in it is read. */
static void refuse_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *parser = ctx;
    struct guard *guard = parser->_private;

    (void)name;
    (void)external;
    (void)system;
    guard->reason = "a document type is not accepted";
    xmlStopParser(parser);
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                          int namespaces_count, const xmlChar **namespaces, int attributes_count, int defaulted_count,
                          const xmlChar **attributes)
{
    xmlParserCtxt *parser = ctx;
    struct guard *guard = parser->_private;

    if (parser->nodeNr >= guard->depth_max) {
        guard->reason = "elements lie deeper than in any statement";
        xmlStopParser(parser);
        return;
    }
    xmlSAX2StartElementNs(ctx, name, prefix, uri, namespaces_count, namespaces, attributes_count, defaulted_count,
                          attributes);
}

static void explain(const xmlParserCtxt *parser, const struct guard *guard, int line, struct json_why *why)
{
    const char *reason = guard->reason ? guard->reason
                         : parser->lastError.message ? parser->lastError.message : "not XML";

    if (!guard->reason && parser->lastError.line > 0)
        line = parser->lastError.line;
    snprintf(why->text, sizeof(why->text), "line %d: %.*s", line, (int)strcspn(reason, "\n"), reason);
}

xmlDoc *camt_xml_read(const char *text, size_t len, int depth_max, struct json_why *why)
{
    struct guard guard = { .depth_max = depth_max };
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc;

    if (!parser) {
        snprintf(why->text, sizeof(why->text), "out of memory");
        return NULL;
    }
    parser->_private = &guard;
    parser->sax->internalSubset = refuse_doctype;
    parser->sax->startElementNs = start_element;
    /* UTF-8 whatever the file says: it came to us as text. */
    doc = xmlCtxtReadMemory(parser, text, (int)len, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |
                                XML_PARSE_NOCDATA);
    if (!doc || guard.reason || !parser->wellFormed) {
        explain(parser, &guard, parser->input ? parser->input->line : 1, why);
        xmlFreeDoc(doc ? doc : parser->myDoc);
        doc = NULL;
    }
    xmlFreeParserCtxt(parser);
    return doc;
}

static const xmlNode *named(const xmlNode *node, const char *name)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 && node->ns &&
            node->parent->ns == node->ns)
            return node;
    return NULL;
}

const xmlNode *camt_child(const xmlNode *parent, const char *name)
{
    return parent ? named(parent->children, name) : NULL;
}

const xmlNode *camt_next(const xmlNode *node, const char *name)
{
    return named(node->next, name);
}

const xmlNode *camt_path(const xmlNode *parent, const char *path)
{
    char name[64];

    while (parent && *path) {
        size_t len = strcspn(path, "/");

        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        parent = camt_child(parent, name);
        path += len + (path[len] == '/');
    }
    return parent;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool camt_text(const xmlNode *node, char *out, size_t bytes)
{
    xmlChar *content = node ? xmlNodeGetContent(node) : NULL;
    size_t len = 0;
    bool fits = true;

    for (const char *at = (const char *)content; at && *at && fits; at++) {
        char c = is_space(*at) ? ' ' : *at;

        if (c == ' ' && (len == 0 || out[len - 1] == ' '))
            continue;
        fits = len + 1 < bytes;
        if (fits)
            out[len++] = c;
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    out[len] = 0;
    xmlFree(content);
    return fits;
}

int camt_refuse(struct json_why *why, const xmlNode *node, const char *fmt, ...)
{
    int len = snprintf(why->text, sizeof(why->text), "line %ld: %.40s: ", xmlGetLineNo(node), (const char *)node->name);
    va_list args;

    va_start(args, fmt);
    vsnprintf(why->text + len, sizeof(why->text) - (size_t)len, fmt, args);
    va_end(args);
    return -1;
}
