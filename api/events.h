/* How an event looks outside. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/store_events.h"

#include <jansson.h>

/* New reference. */
json_t *event_view(const struct event_row *row, bool for_operator);

#endif
