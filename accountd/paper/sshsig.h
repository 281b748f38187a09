/* SSH signatures of files (OpenSSH's PROTOCOL.sshsig, version 1; Ed25519, SHA-512), which
 *     ssh-keygen -Y verify -f allowed_signers -I HOST -n invoice@HOST -s FILE.sshsig < FILE
 * accepts. Pure; the invoice key signs, under the one namespace "invoice@HOST". Deterministic, as Ed25519 is. */
#ifndef ACCOUNTD_PAPER_SSHSIG_H
#define ACCOUNTD_PAPER_SSHSIG_H

#include "accountd/note.h"

/* The armored signature. malloc'd; NULL when out of memory. */
char *paper_sshsig(const void *bytes, size_t len, const char *namespace, const struct note_key *key);
/* Strict: only the bytes that paper_sshsig would have written. */
bool paper_sshsig_verify(const char *sig, const void *bytes, size_t len, const char *namespace,
                         const struct note_key *key);
/* The line for allowed_signers (ssh-keygen(1)): who may sign as `principal`, and for what alone. malloc'd. */
char *paper_ssh_allowed(const char *principal, const char *namespace, const struct note_key *key);

#endif
