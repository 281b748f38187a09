/* The certificate and its key: read and checked at start. */
#ifndef API_TLS_H
#define API_TLS_H

#include <stdint.h>

struct tls_pair {
    char *certificate;                  /* PEM texts; malloc'd */
    char *private_key;
    char fingerprint[65];               /* SHA-256 of the DER certificate, lower-case hex */
};

/* Exits 1 with one line naming the file and what to do: missing, unreadable,
 * not PEM, expired, not yet valid, or the key belongs to another certificate. */
void tls_load(struct tls_pair *pair, const char *certificate_path, const char *key_path);
void tls_free(struct tls_pair *pair);

#endif
