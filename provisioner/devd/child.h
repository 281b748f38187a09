/* Workers as processes: provisioner/backend/worker.h has what passes between them and us. The tests bring a model. */
#ifndef DEVD_CHILD_H
#define DEVD_CHILD_H

#include <jansson.h>
#include <sys/types.h>

struct child {
    pid_t pid;                          /* 0: none */
    int socket;
};

/* Starts `program` (found by PATH) and sends it `config` (not stolen). 0 or -errno. */
int child_start(struct child *child, const char *program, const json_t *config);
void child_tell(const struct child *child, json_t *message /* stolen */);
/* The next message; NULL: none now. */
json_t *child_heard(const struct child *child);
void child_kill(const struct child *child);
/* After its end. */
void child_forget(struct child *child);

#endif
