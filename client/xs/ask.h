/* Requests to the host: one connection, the certificate pinned, retries with
 * the same Idempotency-Key. What cannot be answered ends the program with the
 * problem's title, its detail, the fields concerned and what to do. */
#ifndef XS_ASK_H
#define XS_ASK_H

#include "client/xs/settings.h"
#include "common/json.h"

#include <sys/types.h>

struct host;
struct host *host_open(const struct settings *settings);
void host_close(struct host *host);
const struct settings *host_settings(const struct host *host);

/* The answer's body (new reference; NULL for 204). `body` is stolen, may be NULL. */
json_t *ask_get(struct host *host, const char *path);
json_t *ask_post(struct host *host, const char *path, json_t *body);
json_t *ask_put(struct host *host, const char *path, json_t *body);
json_t *ask_patch(struct host *host, const char *path, json_t *body);
/* What is at `path` with a change to it: GET, `change` of what it says, PUT with what it was as If-Match; from the start
 * again when somebody else was faster. `change` may be called for what it has changed already: an answer can be lost. */
json_t *ask_change(struct host *host, const char *path, void (*change)(json_t *thing, void *arg), void *arg);
json_t *ask_delete(struct host *host, const char *path);
/* POST of an XML document. */
json_t *ask_post_xml(struct host *host, const char *path, const char *text);

/* GET of a list in this form ("text/csv"), to standard output as it comes. */
void ask_rows(struct host *host, const char *path, const char *form);

/* GET of a stream of events: `each` gets the data of each as it comes, for ever; a connection that ends is made anew
 * and goes on after the last one. Ends the program when that is refused, or tried in vain. */
_Noreturn void ask_follow(struct host *host, const char *path, void (*each)(void *arg, const char *data), void *arg);

/* GET into a file: complete under its name or not there at all. */
void ask_file(struct host *host, const char *path, const char *file_path);

/* A connection of its own to the host, certificate checked as for requests, for what is no question and answer. The
 * program ends when there is none. */
struct wire;
struct wire *wire_open(struct host *host);
void wire_close(struct wire *wire);
int wire_fd(const struct wire *wire);   /* for poll(2) */
/* As recv(2) and send(2) that never block: -1 with errno, EAGAIN among them. */
ssize_t wire_recv(struct wire *wire, void *bytes, size_t size);
ssize_t wire_send(struct wire *wire, const void *bytes, size_t size);

/* Says what an answer (its body, or NULL) refuses, in its words, and ends the program: 4 if it may help to ask again. */
_Noreturn void problem_fail(long status, const char *text);

/* What to do about a problem or a failed action with this code; NULL if that says itself. */
const char *problem_advice(const char *code);

#endif
