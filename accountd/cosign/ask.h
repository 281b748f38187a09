/* Asking one witness for its cosignature (C2SP tlog-witness, the log's side). */
#ifndef ACCOUNTD_COSIGN_ASK_H
#define ACCOUNTD_COSIGN_ASK_H

#include "accountd/log/witnesses.h"

enum ask_result {
    ASK_COSIGNED,
    ASK_AHEAD,          /* it has cosigned a longer log than this one */
    ASK_FORK,           /* it has cosigned another head of this size, or one that this log does not begin with */
    ASK_FAILED,         /* not now: down, or an answer that makes no sense; logged */
};

/* Shows the witness that the log with this head, whose tiles are below
 * public_dir, goes on from *known leaves, the size that it cosigned last (0:
 * not known, it will say). ASK_COSIGNED: *line is malloc'd, not checked yet. */
enum ask_result ask_witness(const struct witness_known *witness, const char *public_dir, const char *note,
                            const struct note_checkpoint *head, uint64_t *known, char **line);

#endif
