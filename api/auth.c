/* Key texts and hashes. No I/O: finding a hash is store.c's. */
#include "api/auth.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

const char *const scope_names[] = { "account:read",   "instances:read", "instances:write", "billing:read",
                                    "billing:write",  "keys:read",      "keys:write",      "volumes:read",
                                    "volumes:write",  "networks:read",  "networks:write",  "ssh_keys:read",
                                    "ssh_keys:write", "webhooks:read",  "webhooks:write",  "projects:read",  "projects:write", NULL };

const char *const rank_names[] = { "view", "support", "billing", "admin", NULL };

enum rank rank_parse(const char *name)
{
    for (int i = 0; rank_names[i]; i++)
        if (strcmp(rank_names[i], name) == 0)
            return (enum rank)(i + 1);
    return 0;
}

const char *principal_name(const struct principal *who)
{
    return who->person_id[0] ? who->person_id : who->key_id;
}

bool principal_sees(const struct principal *who, const char *project_id)
{
    return !who->project_id[0] || strcmp(who->project_id, project_id) == 0;
}

bool key_valid(const char *prefix, const char *key)
{
    size_t len = strlen(prefix);

    return strncmp(key, prefix, len) == 0 && strlen(key + len) == KEY_DIGITS &&
           strspn(key + len, digits) == KEY_DIGITS;
}

const char *auth_bearer(const char *authorization)
{
    /* The scheme's case does not matter, RFC 9110 section 11.1. */
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    if (!key_valid(KEY_CUSTOMER_PREFIX, authorization) && !key_valid(KEY_OPERATOR_PREFIX, authorization))
        return NULL;
    return authorization;
}

void key_hash(const char *key, uint8_t hash[static KEY_HASH_BYTES])
{
    crypto_hash_sha256(hash, (const unsigned char *)key, strlen(key));
}

void key_derive(const char *prefix, const char *creator, const char *salt, char key[static KEY_BYTES])
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    unsigned bits = 0, held = 0;
    int at = 0, len = snprintf(key, KEY_BYTES, "%s", prefix);

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)creator, strlen(creator));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)salt, strlen(salt));
    crypto_auth_hmacsha256_final(&state, mac);
    for (int i = 0; i < KEY_DIGITS; i++) {
        if (held < 5) {
            bits = bits << 8 | mac[at++];
            held += 8;
        }
        held -= 5;
        key[len++] = digits[bits >> held & 31];
    }
    key[len] = 0;
    sodium_memzero(mac, sizeof(mac));
}

void key_random(const char *prefix, char key[static KEY_BYTES])
{
    char secret[2 * 32 + 1];
    uint8_t bytes[32];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(secret, sizeof(secret), bytes, sizeof(bytes));
    key_derive(prefix, secret, "random", key);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(bytes, sizeof(bytes));
}
