/* xenstored, as xs-devd needs it. The tests bring a model. */
#ifndef DEVD_STORE_H
#define DEVD_STORE_H

#include <jansson.h>
#include <stdbool.h>

/* Exits 1 when xenstored does not answer. */
void store_open(void);
int store_fd(void);

/* malloc'd, NULL when there is no such node. */
char *store_read(const char *directory, const char *node);
/* Writes the members of `nodes` (strings; stolen) into the directory, at once. Does nothing when that has no node
 * `state`: a device that was removed meanwhile is not made again. */
void store_write(const char *directory, json_t *nodes);
void store_remove(const char *directory, const char *node);

/* Names below a node: malloc'd as one block, NULL when there are none. */
char **store_list(const char *path, unsigned *count);

void store_watch(const char *path, const char *token);
void store_unwatch(const char *path, const char *token);
/* The next event; false: none now. Both strings malloc'd as one block: free(*path). */
bool store_event(char **path, char **token);

#endif
