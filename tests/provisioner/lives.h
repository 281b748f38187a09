/* Lives of the worker: the daemon as it runs jobs, in a child process on the model, on
 * a real database and real files, until nothing can go on or it is killed. */
#ifndef TESTS_PROVISIONER_LIVES_H
#define TESTS_PROVISIONER_LIVES_H

#include "provisioner/worker.h"
#include "world.h"

extern struct world *w;
extern char *dir, db_path[128], console_dir[128], catalog_path[128], volume_dir[128];
extern const struct limits plenty;

/* Makes the directory with its samples, and the world. */
void lives_begin(const char *name);
/* 0, or the signal that killed it, or -1. */
int daemon_life(void);
/* An empty host. */
void fresh(void);
/* A host on which `type` can be asked for, as made_ready makes it; the second time it is a copy. */
void prepare(void (*made_ready)(const char *type), const char *type);
struct instance instance_now(const char *instance_id);
struct job job_now(const char *job_id);
bool settled(const char *job_id);

#endif
