/* A public SSH key as `ssh-keygen` writes it: one line, "type base64 comment".
 * Pure. What is accepted is what sshd of today accepts: the base64 must be
 * the blob of exactly the type that the line names, nothing more. */
#ifndef API_SSH_KEY_H
#define API_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define SSH_KEY_LINE_BYTES        4096          /* with the NUL: RSA of 16384 bits fits */
#define SSH_KEY_TYPE_BYTES        48
#define SSH_KEY_FINGERPRINT_BYTES 52            /* "SHA256:" and 43 digits */

struct ssh_key {
    char line[SSH_KEY_LINE_BYTES];              /* single spaces, no line end */
    char type[SSH_KEY_TYPE_BYTES];
    unsigned bits;
    char fingerprint[SSH_KEY_FINGERPRINT_BYTES]; /* as ssh-keygen -l prints it */
};

/* False with one sentence in `why`: what is wrong, and what to send instead. */
bool ssh_key_parse(const char *text, struct ssh_key *key, char *why, size_t why_size);

#endif
