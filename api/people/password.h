/* Passwords: which are taken, and how they are kept. Argon2id with 19 MiB and two passes, the least of OWASP's
 * password storage cheat sheet: all that strangers can make us spend at once is one of these, since hashes are made
 * one after the other and only a few may wait. */
#ifndef API_PEOPLE_PASSWORD_H
#define API_PEOPLE_PASSWORD_H

#include <stdbool.h>

#define PASSWORD_HASH_BYTES 128 /* libsodium's crypto_pwhash_STRBYTES */
#define PASSWORD_BYTES_MIN 12
#define PASSWORD_BYTES_MAX 256

/* NULL, or what is wrong with it. `login` and `name` are the person's. */
const char *password_fault(const char *password, const char *login, const char *name);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_BUSY };

/* PASSWORD_RIGHT and the string to keep; PASSWORD_BUSY: too many wait, or no memory. */
enum password_verdict password_hash(const char *password, char hash[static PASSWORD_HASH_BYTES]);
/* "" as the hash, of who has none or is not there, is wrong and takes as long. */
enum password_verdict password_check(const char *password, const char *hash);

#endif
