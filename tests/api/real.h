/* The real accountd behind the api under test, in the stand-in's place. hv's stats page is a file in which one guest
 * runs. */
#ifndef TESTS_API_REAL_H
#define TESTS_API_REAL_H

#include "tests/api/rig.h"

#define REAL_UUID "00112233445566778899aabbccddeeff"
#define REAL_INCARNATION "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define REAL_SECRET "whsec_of_the_tests" /* the payment provider's */

/* Before the first start. */
void real_page_write(const struct rig *rig);
/* Then: the guest has moved enough that a bill has cents on it, and the CPUs ran what it ran. */
void real_page_enrich(const struct rig *rig);
/* The api finds the socket where it was; the caller waits for its answer. */
pid_t real_accountd_start(const struct rig *rig);

/* All of that, but for the page: accountd is up, and the api asks nobody else. */
pid_t real_begin(struct rig *rig);

/* Asks again until `done` likes the answer; a minute at most. */
bool real_until(struct rig *rig, const char *key, const char *path, bool (*done)(const struct response *),
                struct response *answer);
bool real_is_ok(const struct response *answer);

/* Makes an instance of the customer's and registers its guest as the provisioner does; false after telling why not. */
bool real_register(struct rig *rig, const char *key, const char *account, char instance[static 40]);

/* 7.00 by card from this customer, as the payment provider tells it: the body, and the header that signs it (Stripe's
 * scheme: HMAC-SHA256 over "t.body"). */
void real_payment(const char *account, char body[static 400], char header[static 256]);

#endif
