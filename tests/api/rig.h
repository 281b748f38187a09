/* The api under test: the real program over TLS on loopback, stand-in daemons,
 * everything in a directory of its own that goes when the test does. Every
 * JSON answer is held against the contract; rig_end() reports that. */
#ifndef TESTS_API_RIG_H
#define TESTS_API_RIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rig {
    char dir[128];
    char url[64];
    char fingerprint[65];
    char operator_key[64];
    unsigned port;
    pid_t standin;
    pid_t api;
    int log_fd;                         /* the api's stderr, from when it was ready */
    json_t *contract;
};

/* Somebody who has logged in: what a browser and a page of ours keep. */
struct visitor {
    char cookie[96];                    /* "name=value" */
    char csrf[64];
};

struct call {
    const char *method;
    const char *path;
    const char *key;                    /* NULL: no Authorization */
    const char *body;                   /* NULL: none */
    size_t body_size;                   /* 0: strlen */
    const char *idem;                   /* NULL: none */
    const char *type;                   /* NULL: application/json with a body */
    const char *header;                 /* one more */
    const struct visitor *visitor;      /* NULL: nobody has logged in */
};

struct response {
    int status;                         /* 0: no answer */
    json_t *json;                       /* NULL if the body is not JSON */
    json_t *headers;                    /* by lower-case name */
    char *text;
    size_t size;
};

/* The program, with sanitizers; what measures takes "api/xs-api" instead, before rig_start(). */
extern const char *rig_api;

/* Directory, certificate, operator key, stand-ins, api. Bails out on failure. */
void rig_start(struct rig *rig);
/* Stops everything; checks the contract and the exit status. */
void rig_end(struct rig *rig);

void rig_api_start(struct rig *rig);
/* Its wait status. */
int rig_api_stop(struct rig *rig, int signal);
/* From its next start on the api listens on the port that it has now. */
void rig_port_keep(struct rig *rig);
void rig_standin_start(struct rig *rig);
void rig_standin_stop(struct rig *rig);

/* A change of api.conf: `key` gets the JSON text `value` (NULL removes it); "limits.x" reaches inside. */
void rig_config_set(struct rig *rig, const char *key, const char *value);
/* Runs the program to its end; exit status, and what it wrote in `out`. */
int rig_run(const char *const *argv, const char *input, char *out, size_t out_size);

struct response rig_call(struct rig *rig, const struct call *call);
void answer_free(struct response *answer);
const char *answer_text_of(const struct response *answer, const char *field);
const char *answer_header(const struct response *answer, const char *name);

/* Short forms; the caller frees. */
struct response rig_get(struct rig *rig, const char *key, const char *path);
struct response rig_post(struct rig *rig, const char *key, const char *path, const char *idem, const char *body);

/* As somebody who has logged in, or with NULL as nobody; each POST has an Idempotency-Key of its own. */
struct response rig_get_as(struct rig *rig, const struct visitor *visitor, const char *path);
struct response rig_post_as(struct rig *rig, const struct visitor *visitor, const char *path, const char *body);
/* A check: the answer has this status and these words ("": any). Frees it. */
void said(struct response answer, int status, const char *words, const char *what);

/* What an answer that logs in leaves in the browser; empty if it set no cookie. */
struct visitor rig_visitor(const struct response *answer);
/* Signs up and stays logged in. */
struct visitor rig_signup(struct rig *rig, const char *email, const char *password);
/* An operator with this role: a key of theirs, and their id. */
void rig_operator_key(struct rig *rig, const char *name, const char *role, char key[static 64], char id[static 40]);
/* One who has set a password and a second factor and is logged in. */
struct visitor rig_operator(struct rig *rig, const char *name, const char *role, const char *password);
/* The code so many steps from now, of a secret in base 32. */
const char *rig_totp(const char *secret, int off);
/* A file's text, malloc'd. */
char *rig_file(const char *path);
/* Changes the api's database under it: what cannot be had by asking in time. */
void rig_database(struct rig *rig, const char *sql);
/* The number that this query of DIR/`database` gives. */
long rig_rows(struct rig *rig, const char *database, const char *query);

/* Orders to a stand-in ("accountd" or "provisioner"); its answer. */
json_t *rig_order(struct rig *rig, const char *daemon, json_t *args);
/* How often a verb had an effect. */
int rig_count(struct rig *rig, const char *daemon, const char *verb);

/* A customer with money and a key for everything: the key in `key`, the id in `id`. */
void rig_customer(struct rig *rig, const char *name, char key[static 64], char id[static 40]);
/* A running instance; its id. */
void rig_instance(struct rig *rig, const char *key, const char *name, char id[static 40]);

/* PEM files with a lifetime from now (seconds, may be negative). */
void rig_certificate(const char *crt_path, const char *key_path, long from_s, long to_s);

#endif
