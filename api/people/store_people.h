/* api.db: people, what they log in with, their sessions. Users and operators are in tables of their own; what both log
 * in with is not. Results as in api/store.h: 1 found or done, 0 not found or done before, -1 after logging. */
#ifndef API_PEOPLE_STORE_PEOPLE_H
#define API_PEOPLE_STORE_PEOPLE_H

#include "api/store.h"
#include "api/people/password.h"
#include "api/people/totp.h"

#define EMAIL_BYTES 255
#define AGENT_BYTES 160
#define SESSIONS_PER_PERSON 20 /* the oldest ends when one more begins */

struct person_row {
    char person_id[ID_BYTES];  /* usr_ or opr_ */
    char account_id[ID_BYTES]; /* "" an operator */
    char login[EMAIL_BYTES];   /* a user's email, an operator's name */
    char name[TITLE_BYTES];
    enum rank rank; /* operators alone */
    int64_t created_ms;
    int64_t disabled_ms;                /* operators alone; 0 not */
    char password[PASSWORD_HASH_BYTES]; /* "" none yet */
    bool totp;                          /* on: totp_secret is set */
    uint8_t totp_secret[TOTP_SECRET_BYTES];
    bool email_verified;                /* users alone */
    bool totp_is_offered; /* begun and not confirmed: totp_offered is set */
    uint8_t totp_offered[TOTP_SECRET_BYTES];
};

/* By email or operator's name; users of confirmed accounts, the disabled operators too. */
int store_person_by_login(struct store *store, bool is_operator, const char *login, struct person_row *row);
int store_person_get(struct store *store, const char *person_id, struct person_row *row);
/* A user who owns the account. -1 also if somebody has this email. */
int store_owner_insert(struct store *store, const struct person_row *row);
/* Of no role yet: in a part of the caller's, under the lock. */
int user_insert_locked(struct store *store, const struct person_row *row);
/* 1 and *account_id: whose this email is, confirmed or not. */
int store_email_owner(struct store *store, const char *email, char account_id[static ID_BYTES], int64_t *created_ms,
                      bool *confirmed);
/* An account that accountd never confirmed, with its user. */
int store_customer_forget(struct store *store, const char *account_id);

/* Operators: -1 also if somebody has the name. */
int store_operator_person_insert(struct store *store, const struct person_row *row);
int store_operator_role_set(struct store *store, const char *operator_id, enum rank rank);
/* For good, with keys, sessions and links. */
int store_operator_disable(struct store *store, const char *operator_id, int64_t now_ms);

struct operator_row {
    char id[ID_BYTES]; /* opr_ a person's, opk_ a key's */
    char name[TITLE_BYTES];
    enum rank rank;
    char operator_id[ID_BYTES]; /* a key's person; "" nobody's */
    bool totp;                  /* a person's */
    int64_t created_ms;
    int64_t revoked_ms; /* a person's: disabled; 0 not */
};
/* People and keys, oldest first, the revoked too: what they did is still told by their ids. */
int store_operators(struct store *store, struct operator_row **rows, size_t *count);

/* A link to this user's mailbox, in the place of one before. */
int store_email_link_insert(struct store *store, const char *user_id, const uint8_t hash[static KEY_HASH_BYTES],
                            int64_t expires_ms);
/* 1 and whose email is verified now, 0 if there is no such link, or it is over. */
int store_email_link_use(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                         char user_id[static ID_BYTES]);
int store_email_verified(struct store *store, const char *user_id, int64_t now_ms);

/* sessions */
struct session_row {
    char session_id[ID_BYTES];
    char person_id[ID_BYTES];
    char account_id[ID_BYTES]; /* "" an operator's */
    enum rank rank;            /* operators alone */
    bool totp;
    int64_t created_ms, seen_ms, idle_until_ms, expires_ms;
    char peer[64];
    char agent[AGENT_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
};
int store_session_insert(struct store *store, const struct session_row *row);
/* None of an operator who is disabled. */
int store_session_find(struct store *store, bool is_operator, const uint8_t hash[static KEY_HASH_BYTES],
                       struct session_row *row);
int store_session_touch(struct store *store, const struct session_row *row);
/* A user's, newest first, without those that are over. */
int store_sessions(struct store *store, const char *person_id, int64_t now_ms, struct session_row **rows,
                   size_t *count);
int store_session_end(struct store *store, const char *person_id, const char *session_id);

/* Failed logins in a row under this hash: 0 or until when it rests. */
int store_login_rest(struct store *store, const uint8_t name[static KEY_HASH_BYTES], int64_t *locked_until_ms);
int store_login_failed(struct store *store, const uint8_t name[static KEY_HASH_BYTES], int64_t now_ms);
int store_login_worked(struct store *store, const uint8_t name[static KEY_HASH_BYTES]);

/* A new password: whoever has the old one is out, but for this session ("" none), and links are over. */
int store_password_set(struct store *store, const char *person_id, const char *password, const char *session_id);

/* The second factor: offered, then on once a code of it was seen; a step, and a code, is accepted once. */
int store_totp_offer(struct store *store, const char *person_id, const uint8_t secret[static TOTP_SECRET_BYTES]);
/* 1, with these recovery codes instead of any others; 0 if another secret was offered since. */
int store_totp_confirm(struct store *store, const struct person_row *person, int64_t step,
                       const uint8_t (*codes)[KEY_HASH_BYTES], unsigned count);
int store_totp_remove(struct store *store, const char *person_id);
int store_totp_step_use(struct store *store, const char *person_id, int64_t step);
int store_recovery_code_use(struct store *store, const char *person_id, const uint8_t hash[static KEY_HASH_BYTES],
                            int64_t now_ms);

/* One-time links, for setting a password without the old one. */
struct link_row {
    uint8_t hash[KEY_HASH_BYTES];
    char person_id[ID_BYTES];
    bool remove_totp; /* using it also ends the second factor */
    int64_t expires_ms;
};
/* In the place of the person's others. */
int store_link_insert(struct store *store, const struct link_row *row);
/* Only one that is not used and not over. */
int store_link_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                    struct link_row *row);
/* Sets the password; 0 if somebody else just used it. All of the person's sessions end. */
int store_link_use(struct store *store, const struct link_row *row, const char *password, int64_t now_ms);
/* How many of the person's unused links end after this. */
int store_links_count(struct store *store, const char *person_id, int64_t after_ms, int64_t *count);

/* The first user of an account; all of them, in the order in which they came. */
int store_account_user(struct store *store, const char *account_id, struct person_row *row);
int store_users(struct store *store, const char *account_id, struct person_row **rows, size_t *count);

/* Forgets what is over for a day: sessions, links, invitations, failed logins. */
int store_people_expire(struct store *store, int64_t now_ms);

#endif
