/* What accountd asks of the provisioner: to free tombstones in hv, and to
 * suspend who has no money left. A thread of its own asks: the provisioner may
 * be waiting for us at that moment, or be down. */
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
/* Asks to suspend the instance, once for each call. What does not get through
 * is asked again with the instance's next record. */
void acker_suspend(struct acker *acker, const char *instance);
/* The next one that hv has freed; false if there is none. */
bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES]);
/* Waits for the request under way, at most its deadline. */
void acker_free(struct acker *acker);

#endif
