/* What the journal writes of one entry, within the transaction of its caller, who puts the entries back if that fails. */
#ifndef ACCOUNTD_JOURNAL_WRITE_H
#define ACCOUNTD_JOURNAL_WRITE_H

#include "accountd/journal.h"
#include "accountd/ledger/registry.h"

/* A stored leaf's record and hash; -1 after logging. */
int journal_read_leaf(const char *leaf, struct record *record, struct chain_hash *hash);

/* Owned by the host whatever is registered: hv's own slot and dom0. */
bool journal_is_host(const struct journal_entry *entry);
/* A newer price book takes it over at this point: what was used until here is billed by the old one. */
bool journal_is_moved(const struct journal *journal, const struct journal_entry *entry, const struct journal_clock *clock);

/* Its first record in this log, with this owner. */
int journal_write_first(struct journal *journal, struct journal_entry *entry, const struct ledger_registration *owner,
                        const struct journal_clock *clock);
/* A "use" or an "end" up to the newest point; an anomaly if a counter fell. */
int journal_write_segment(struct journal *journal, struct journal_entry *entry, const char *type,
                          const struct journal_clock *clock);
/* From here on it is billed, or no longer. */
int journal_write_turn(struct journal *journal, struct journal_entry *entry, const struct journal_clock *clock);
/* It is lost, for this reason. */
int journal_write_gap(struct journal *journal, struct journal_entry *entry, const char *reason,
                      const struct journal_clock *clock);
#endif
