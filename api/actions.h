/* How a provisioner's job looks outside. */
#ifndef API_ACTIONS_H
#define API_ACTIONS_H

#include "api/reply.h"

json_t *action_view(const json_t *job);     /* new reference */
void action_location(struct reply *rp, const char *action_id);

#endif
