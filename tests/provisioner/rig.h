/* The whole daemon on the model: its own program (xs-provisioner-model is
 * main.c with world.c in place of xen.c), real sockets, an accountd in this
 * process that does as it is told. */
#ifndef TESTS_PROVISIONER_RIG_H
#define TESTS_PROVISIONER_RIG_H

#include "common/clock.h"
#include "world.h"

#include <jansson.h>
#include <stdbool.h>

extern struct world *w;
extern char *dir;
extern char accountd_refuses[32];       /* not empty: with this code */
extern unsigned registrations, closings, acks_inside;
extern bool accountd_calls_back;
extern pid_t daemon_pid;

/* The directory, the world, the client. */
void rig_begin(const char *name);
void rig_end(void);

pthread_t accountd_start(void);
void accountd_end(pthread_t thread);

/* The daemon's program, started; its words go to the log. */
pid_t program_start(const char *catalog);
bool log_has(const char *text);
void log_show(void);
/* Until it answers; a daemon that ends instead fails the test. */
void daemon_start(void);
/* Its exit status, or the negative signal. */
int daemon_end(int signal_number);
int daemon_wait(void);

json_t *ask(const char *verb, json_t *args, json_t **error);
bool refused(const char *verb, json_t *args, const char *code, const char *detail);
json_t *action_args(const char *job_id, const char *instance_id, const char *type);
/* The job's status once it has ended, or after wait_ms. */
const char *job_status(const char *job_id, int wait_ms);
bool done(const char *verb, json_t *args, const char *job_id);
json_t *instance_get(const char *instance_id);
bool instance_is(const char *instance_id, const char *key, const char *value);
bool instance_becomes(const char *instance_id, const char *state);

#endif
