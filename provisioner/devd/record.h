/* The state directory: what was agreed with a frontend, as JSON, and beside it the worker's own state file. Both
 * outlive us, not the machine: the directory is on a tmpfs. */
#ifndef DEVD_RECORD_H
#define DEVD_RECORD_H

#include <jansson.h>
#include <stddef.h>

#define RECORD_PATH_BYTES 160

/* `name` is the device's, "vbd-5-51712". Exits 1 when the directory cannot be made. */
void record_open(const char *directory);
char *record_state_path(const char *name, char path[static RECORD_PATH_BYTES]);
int record_save(const char *name, const json_t *agreed);        /* 0 or -errno */
json_t *record_load(const char *name);                          /* NULL: none, or not ours */
/* Both files. */
void record_remove(const char *name);
/* Calls back with the name of each that is there. */
void record_each(void (*seen)(const char *name));

#endif
