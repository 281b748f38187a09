/* Waiting for the host and for guests, and showing it. */
#ifndef XS_WAIT_H
#define XS_WAIT_H

#include "client/xs/ask.h"

#include <stdint.h>

#define WAIT_S_DEFAULT "120"

struct progress {
    int64_t begun_ms, until_ms;
    char last[160];
};

/* `timeout` is --timeout's text, in seconds; exits 2 if it is no number. */
void progress_start(struct progress *progress, const char *timeout);
void progress_show(struct progress *progress, const char *text);
/* The time is up. */
bool progress_over(const struct progress *progress);
void progress_end(void);
void pause_ms(long milliseconds);

/* Until the action has succeeded; exits 1 if it fails, 4 when the time is up. */
json_t *action_wait(struct host *host, struct progress *progress, const char *action_id);
/* Until the guest itself has spoken: running is not enough. */
json_t *ready_wait(struct host *host, struct progress *progress, const char *instance_id);

/* Shows the action, with `wait` after its end. Steals it; the command's exit status. */
int action_follow(struct host *host, json_t *action, bool wait, const char *timeout);

#endif
