/* How far each log has been charged, and the copy of its head. */
#ifndef ACCOUNTD_LEDGER_CURSOR_H
#define ACCOUNTD_LEDGER_CURSOR_H

#include "accountd/ledger/ledger.h"

/* The log's cursor and the copy of its head; 1, 0 none, -1. head_note is malloc'd. */
int ledger_log(struct ledger *ledger, const char *origin, uint64_t *charged_to, uint64_t *head_size, char **head_note);
int ledger_log_put_locked(struct ledger *ledger, const char *origin, uint64_t charged_to, uint64_t head_size,
                          const char *head_note);
/* The newest origin of this host, "HOST/usage/eN" with the largest N; 0 if none, -1. */
int ledger_log_epoch(struct ledger *ledger, const char *host);

#endif
