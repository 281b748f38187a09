/* What accountd asks of the provisioner: to free tombstones in hv, and to hold
 * whom nobody pays for. A thread of its own asks: the provisioner may be waiting
 * for us at that moment, or be down. What did not come about is asked for
 * again when the caller says it again, which it does with each sample. */
#ifndef ACCOUNTD_ACKER_H
#define ACCOUNTD_ACKER_H

#include "accountd/record.h"

struct acker;

/* Exits 1 when out of memory. */
struct acker *acker_new(const char *socket_path);
/* Readable when acker_done or acker_came may have something. */
int acker_fd(const struct acker *acker);

/* Asks for this tombstone, once, however often it is called until it is done. */
void acker_ask(struct acker *acker, unsigned slot, const char *incarnation);
/* The next one that hv has freed; false if there is none. */
bool acker_done(struct acker *acker, char incarnation[static RECORD_HEX_BYTES]);

/* provisioner/control.h, billing_want. */
enum acker_want { ACKER_RUN, ACKER_SUSPEND, ACKER_STOP, ACKER_DELETE, ACKER_WANTS };
extern const char *const acker_want_names[ACKER_WANTS];
/* Asks that this be so of the instance, before any tombstone; in place of what was asked of it before. by_operator: it is
 * not money, or not money alone, that says so. */
void acker_want(struct acker *acker, const char *instance, enum acker_want want, bool by_operator);
/* The next instance of which it is so now; false if there is none. */
bool acker_came(struct acker *acker, char instance[static RECORD_NAME_BYTES], enum acker_want *want);

/* Waits for the request under way, at most its deadline. */
void acker_free(struct acker *acker);

#endif
