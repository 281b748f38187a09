/* Keys: what they look like, how they are stored, whom they stand for.
 *
 * A key is a prefix and 40 digits of base 32: 200 random bits. Stored is its
 * plain SHA-256: a slow password hash defends secrets that people chose
 * against guessing; 200 bits cannot be guessed at any speed, and a slow hash
 * would only let strangers burn our CPU with wrong keys. Customers' and
 * operators' keys live in different tables and have different prefixes.
 * Sessions' cookies and one-time links are made and stored the same way. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "common/id.h"

#include <stdbool.h>
#include <stdint.h>

#define KEY_CUSTOMER_PREFIX "xs_live_"
#define KEY_OPERATOR_PREFIX "xs_oper_"
#define SESSION_CUSTOMER_PREFIX "xs_sess_"
#define SESSION_OPERATOR_PREFIX "xs_oses_"
#define LINK_PREFIX "xs_link_"
#define KEY_DIGITS 40
#define KEY_BYTES (8 + KEY_DIGITS + 1)
#define KEY_HASH_BYTES 32
#define KEY_HASH_HEX (2 * KEY_HASH_BYTES + 1)

enum role { ROLE_ANONYMOUS = 1, ROLE_CUSTOMER = 2, ROLE_OPERATOR = 4 };

/* A bit each; names in scope_names, in this order, NULL at the end. */
enum scope {
    SCOPE_ACCOUNT_READ = 1,
    SCOPE_INSTANCES_READ = 2,
    SCOPE_INSTANCES_WRITE = 4,
    SCOPE_BILLING_READ = 8,
    SCOPE_BILLING_WRITE = 16,
    SCOPE_KEYS_READ = 32,
    SCOPE_KEYS_WRITE = 64,
    SCOPE_VOLUMES_READ = 128,
    SCOPE_VOLUMES_WRITE = 256,
    SCOPE_NETWORKS_READ = 512,
    SCOPE_NETWORKS_WRITE = 1024,
    SCOPE_SSH_KEYS_READ = 2048,
    SCOPE_SSH_KEYS_WRITE = 4096,
    SCOPE_WEBHOOKS_READ = 8192,
    SCOPE_WEBHOOKS_WRITE = 16384,
    SCOPE_PROJECTS_READ = 32768,        /* and members, and invitations */
    SCOPE_PROJECTS_WRITE = 65536,
    SCOPE_ALL = 131071                  /* a migration beside a new scope gives it to keys that had all */
};
extern const char *const scope_names[];

/* What an operator may do; each may all that those before may. Stands in a route's scope column, where only operators
 * may ask. Names in rank_names, in this order, NULL at the end. */
enum rank { RANK_VIEW = 1, RANK_SUPPORT, RANK_BILLING, RANK_ADMIN };
extern const char *const rank_names[];
/* 0 if the text is none. */
enum rank rank_parse(const char *name);

/* Added to a route's scope: for a person who has logged in, whatever a key may do. */
#define SESSION_ONLY 0x1000000u
/* Likewise: about the whole account, so not for who is bound to one project. */
#define ACCOUNT_WIDE 0x2000000u
#define SCOPE_FLAGS (SESSION_ONLY | ACCOUNT_WIDE)

struct principal {
    enum role role;
    char key_id[ID_BYTES];              /* of the key, or of the session */
    char account_id[ID_BYTES];          /* "" unless a customer */
    char person_id[ID_BYTES];           /* whose session or key it is; "" a key that is nobody's */
    bool session;                       /* a cookie, no key */
    bool totp;                          /* with a session: the person logs in with a second factor */
    enum rank rank;                     /* operators alone */
    unsigned scopes;                    /* where it asks */
    unsigned account_scopes;            /* a customer's, for what is about the whole account: a role in a project adds none */
    char project_id[ID_BYTES];          /* a customer asks within this one; "" the whole account */
    bool bound;                         /* and has no say beyond it */
    unsigned member_role;               /* with a customer's session: enum member_role for the account; 0 none */
    int64_t expires_ms;                 /* of a key; 0 never */
    int64_t spend_limit_nano;           /* of a key, a month; 0 none */
    int64_t session_expires_ms;         /* with a session */
    char token[KEY_BYTES];              /* as presented; to derive answers with, never to store */
};

/* Under what name deeds are written down: the person, or the key that is nobody's. */
const char *principal_name(const struct principal *who);

/* Whether what is in this project is there for this customer; ids of anything else are answered with not_found. */
bool principal_sees(const struct principal *who, const char *project_id);

/* "Bearer xs_..." to the key inside, NULL if it does not look like one. */
const char *auth_bearer(const char *authorization);
bool key_valid(const char *prefix, const char *key);
void key_hash(const char *key, uint8_t hash[static KEY_HASH_BYTES]);

/* The key with this prefix that `creator` makes with this salt: HMAC-SHA256 of the salt under
 * the creator's own key. So a replay of the creating request can show the same
 * key again although we store neither of the two. */
void key_derive(const char *prefix, const char *creator, const char *salt, char key[static KEY_BYTES]);
/* A new one, from the system's random bytes. */
void key_random(const char *prefix, char key[static KEY_BYTES]);

#endif
