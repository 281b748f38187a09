/* The table of everything the api answers: who may ask for what. openapi.yaml
 * and the authorisation tests are held against it, row by row. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/auth.h"
#include "api/limit.h"
#include "api/request.h"

typedef enum answer route_handler(struct request *rq, struct reply *rp);

/* What a POST does with the Idempotency-Key header. */
enum route_key { KEY_NONE, KEY_OPTIONAL, KEY_REQUIRED };

/* JSON: an object. XML: a document of a bank's size, kept as text. RAW: bytes as their sender signed them. */
enum route_body { BODY_NONE, BODY_JSON, BODY_XML, BODY_RAW };
#define BODY_XML_BYTES_MAX (700u * 1024)

/* Who makes the answer. AT_ONCE: libmicrohttpd's own thread, if it need not wait: small answers from memory, files or the
 * api's own database, never a list that nothing bounds. What turns out to need a daemon goes to a worker (ANSWER_LATER). */
enum route_thread { WORKER, AT_ONCE };

struct route {
    const char *method;
    const char *pattern;                /* {id} stands for one segment */
    route_handler *handle;
    unsigned who;                       /* bits of enum role */
    unsigned scope;                     /* a customer's key must have it; of operators' rows, the least role; 0 none */
    enum bucket bucket;
    enum route_key key;
    enum route_body body;
    const char *query;                  /* parameters it knows, space-separated, or NULL */
    enum route_thread thread;
};

extern const struct route routes[];
extern const unsigned routes_count;

/* The row for a request and what stood for {id}; NULL if there is none, and
 * then *allow names the methods the path does have ("" for an unknown path). */
const struct route *route_find(const char *method, const char *path, char param[static PARAM_BYTES],
                               char allow[static 32]);

/* True if the space-separated list of `row` has this query parameter. */
bool route_knows_query(const struct route *row, const char *name);

#endif
