/* Asks the provisioner to free tombstones in hv, in a thread of its own: the
 * provisioner may be waiting for us at that moment, or be down. */
#ifndef ACCOUNTD_ACKER_H
#define ACCOUNTD_ACKER_H

#include "accountd/record.h"

struct acker;

/* Exits 1 when out of memory. */
struct acker *acker_new(const char *socket_path);
/* Readable when acker_done has something. */
int acker_fd(const struct acker *acker);
/* Asks for this tombstone, once, however often it is called until it is done. */
void acker_ask(struct acker *acker, unsigned slot, const char *incarnation);
/* The next one that hv has freed; false if there is none. */
bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES]);
/* Waits for the request under way, at most its deadline. */
void acker_free(struct acker *acker);

#endif
