/* One device's life, as a state machine. It acts on what the nodes say when it looks, not on which event told it to
 * look, so events may come in any order, merge or repeat. Its hands are store.h, channel.h, child.h and record.h, which
 * the tests replace.
 *
 *   NEW       not looked at yet, or the last xs-devd's: offered, or taken up where that one left it
 *   OFFERED   backend in InitWait; waits for the frontend's answer
 *   RUNNING   has a worker: being started for the first time (backend still in InitWait) or the device is Connected
 *   STOPPING  the worker was told to end
 *   CLOSED    backend Closed, no worker; offered anew when the frontend begins anew
 *   GONE      the backend directory is no more: to be freed
 */
#ifndef DEVD_DEVICE_H
#define DEVD_DEVICE_H

#include "provisioner/devd/child.h"
#include "provisioner/devd/handshake.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_BURST    10u             /* deaths of workers, and beginnings of frontends, */
#define DEVICE_BURST_MS 10000           /* that are too many in this time */
#define DEVICE_STOP_MS  10000           /* a worker's patience to answer what is in flight */

enum device_phase { PHASE_NEW, PHASE_OFFERED, PHASE_RUNNING, PHASE_STOPPING, PHASE_CLOSED, PHASE_GONE };

struct device_burst {
    int64_t at_ms[DEVICE_BURST + 1];
    unsigned next;
};

struct device {
    enum device_type type;
    uint32_t domid, id;
    char name[48];                      /* "vbd-5-51712": of its records, and in log lines */
    char backend[64], frontend[64];     /* directories */
    enum device_phase phase;
    int state;                          /* what we last wrote, or found, in the backend directory */
    struct child child;
    bool ready;
    json_t *agreed;                     /* the worker's config without the channel */
    char limit[64];                     /* as it was last set */
    char last_words[160];               /* of the last worker */
    uint64_t sectors;
    struct device_burst deaths, beginnings;
    int64_t due_ms;                     /* device_due then; 0 never */
    bool touched;                       /* the caller's, as is next */
    struct device *next;
};

struct device_kind {
    const char *name;                   /* in xenstored */
    const char *program, *user;         /* of its workers */
    uint32_t class;                     /* XS_METER_CLASS_* */
    uid_t uid;                          /* the user's, from main */
    gid_t gid;
};
#define DEVICE_KINDS 2u
extern struct device_kind device_kinds[DEVICE_KINDS];   /* by enum device_type */

struct device *device_new(enum device_type type, uint32_t domid, uint32_t id);
void device_free(struct device *device);

void device_look(struct device *device, int64_t now_ms);
/* `params` was written again: the file may have grown. */
void device_resized(struct device *device);
void device_heard(struct device *device, json_t *message);
/* The worker ended with this wait status, all it said was heard. */
void device_ended(struct device *device, int status, int64_t now_ms);
void device_due(struct device *device, int64_t now_ms);

#endif
