/* Events of the other daemons: what becomes of instances and their actions, alerts, invoices. A thread for each daemon
 * waits there for news, and writes them with how far it has come in one transaction; so kill -9 of anybody neither
 * loses an event nor tells one twice. */
#ifndef API_WATCHER_H
#define API_WATCHER_H

#include "api/config.h"
#include "api/store.h"

struct watcher;
/* Starts the threads; exits 1 if it cannot. */
struct watcher *watcher_new(const struct config *config, struct store *store);
/* Ends them at once. */
void watcher_free(struct watcher *watcher);

#endif
