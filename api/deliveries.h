/* Deliveries on their way out, by way of xs-webhookd (api/sender/): the api itself calls nobody.
 *
 * The sender is a program and a user of its own, because it alone opens connections to places that customers name. It
 * knows no database, no key and no secret: over this socket it is given one signed request after the other and says
 * what came of it. A request that nobody reports on within half a minute is given out again: a webhook hears of an
 * event at least once, and knows a repetition by its seq.
 *
 * Verbs (common/rpc.h), for user xs-webhook:
 *   delivery_take {[wait_ms]}                       -> {number, url, body, signature, type}, {} when none is due in time
 *   delivery_end  {number, status, took_ms, error}  -> {}   status: HTTP's, 0 no answer; error: "" or why there was none
 *
 * signature is "t=UNIX,v1=HEX": HMAC-SHA256 of "UNIX.BODY" under the webhook's secret, as Stripe signs its own. What
 * is not answered by a 2xx is tried again after 10 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h and every 12 h, for three
 * days. */
#ifndef API_DELIVERIES_H
#define API_DELIVERIES_H

#include "api/store.h"

struct deliveries;
/* Binds the socket; exits 1 when that fails. Before rights are dropped. */
struct deliveries *deliveries_open(const char *path);
/* A thread that answers it. */
void deliveries_start(struct deliveries *deliveries, struct store *store);
void deliveries_free(struct deliveries *deliveries);

/* The next attempt after so many, or 0: that was the last. Pure. */
int64_t delivery_next_ms(int64_t attempts, int64_t created_ms, int64_t now_ms);
/* "t=...,v1=..." of the body; malloc'd. */
char *delivery_sign(const char *secret, int64_t unix_s, const char *body);

#endif
