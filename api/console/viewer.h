/* One viewer of a guest's console: a WebSocket (RFC 6455; frames by libwslay) on one side, the provisioner's socket
 * (provisioner/viewers.h) on the other. What the two say to each other is in openapi.yaml, console_session_create.
 *
 * Nothing is waited for: viewer_work does what can be done now. What the browser does not take stays in the
 * provisioner's log, except for VIEWER_QUEUE_MAX bytes here; what the guest does not take stays in the browser's socket,
 * except for one message. Belongs to one thread. */
#ifndef API_CONSOLE_VIEWER_H
#define API_CONSOLE_VIEWER_H

#include "common/id.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wslay/wslay.h>

#define VIEWER_MESSAGE_MAX 16384        /* from the browser */
#define VIEWER_QUEUE_MAX   65536        /* bytes that wait for the browser */
#define VIEWER_QUEUE_MESSAGES 256       /* of the guest's, however small, that wait for it */
#define VIEWER_PING_MS     20000
#define VIEWER_SILENCE_MS  45000        /* no word, not even a pong */
#define VIEWER_STUCK_MS    30000        /* takes nothing */
#define VIEWER_BEGIN_MS    10000        /* to say where to begin */
#define VIEWER_FAREWELL_MS 5000         /* for the closing handshake */
#define VIEWER_LINGER_MS   2000         /* for a peer that broke a rule to read why */

struct viewer {
    char instance_id[ID_BYTES];
    const char *upstream_path;
    wslay_event_context_ptr ws;
    int fd;                             /* the browser's side */
    int up_fd;                          /* the provisioner's; -1: not begun, or ending */
    char *early;                        /* what had come before the handshake was answered; owned */
    size_t early_size, early_used;
    bool begun;                         /* it has said where to begin */
    bool shown;                         /* it has been told the offset: others may be told of */
    bool gone;                          /* the socket ended */
    const char *reason;                 /* it ends, and why; NULL: it does not */
    bool close_queued;
    uint8_t input[2 * VIEWER_MESSAGE_MAX];
    size_t input_size, input_sent;
    int64_t now_ms;                     /* of this turn */
    int64_t start_ms, heard_ms, took_ms, pinged_ms, ending_ms;
    int64_t linger_ms;                  /* all is said, what still comes is thrown away; 0 not yet */
    int cols, rows;                     /* as it last said; 0: it has not */
    bool resized;                       /* it said so in this turn; whoever tells the others clears it */
};

/* 0, or -1: out of memory. fd and early (malloc'd, may be NULL) are the caller's until then, early is the viewer's after. */
int viewer_start(struct viewer *viewer, const char *instance_id, const char *upstream_path, int fd, char *early,
                 size_t early_size, int64_t now_ms);
void viewer_end(struct viewer *viewer);         /* fd stays open */

/* False: it is over. */
bool viewer_work(struct viewer *viewer, int64_t now_ms);
/* What poll(2) should look for now. */
short viewer_wants(const struct viewer *viewer);
short viewer_wants_upstream(const struct viewer *viewer);
/* When viewer_work has something to do even if nothing comes. */
int64_t viewer_due_ms(const struct viewer *viewer);

/* A text frame: {"name": value}; steals the value. */
void viewer_tell(struct viewer *viewer, const char *name, json_t *value);
/* Says why ({"closed": reason}) and begins the closing handshake; only the first reason counts. */
void viewer_close(struct viewer *viewer, const char *reason);

#endif
