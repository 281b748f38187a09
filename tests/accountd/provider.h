/* A provisioner for tests of the cap: a thread that answers billing_want on a
 * socket and keeps what it was told of each instance. */
#ifndef TESTS_ACCOUNTD_PROVIDER_H
#define TESTS_ACCOUNTD_PROVIDER_H

#include "accountd/acker.h"

#define PROVIDER_INSTANCES 64

struct provider;

/* The socket is in dir. */
struct provider *provider_new(const char *dir);
void provider_free(struct provider *p);
const char *provider_socket(const struct provider *p);
/* While it is down it answers `unavailable`. */
void provider_down(struct provider *p, bool down);
/* Stops and deletions take so many askings. */
void provider_slow(struct provider *p, unsigned askings);
/* The newest word on the instance; ACKER_WANTS if there was none. */
enum acker_want provider_told(struct provider *p, const char *instance);
/* Whether that was said to be an operator's. */
bool provider_operator(struct provider *p, const char *instance);
/* Calls of billing_want so far, refused ones too. */
unsigned provider_calls(struct provider *p);

#endif
