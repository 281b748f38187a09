#include "api/people/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PASSES 2
#define MEMORY_BYTES (19u << 20)
#define WAITING_MAX 3 /* of six workers: the others go on answering */

/* Nobody's password: random bytes, hashed with the parameters above. */
static const char nobodys[] =
    "$argon2id$v=19$m=19456,t=2,p=1$NU/m7zDvXj4kTnW8j33+Cw$zomJn0gR8dZXuc/4sbzVMy4+bOqEI+OmPZwBrNoI1c8";

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static atomic_int waiting;

static bool turn_take(void)
{
    if (atomic_fetch_add(&waiting, 1) >= WAITING_MAX) {
        atomic_fetch_sub(&waiting, 1);
        return false;
    }
    pthread_mutex_lock(&one_at_a_time);
    return true;
}

static void turn_give(void)
{
    pthread_mutex_unlock(&one_at_a_time);
    atomic_fetch_sub(&waiting, 1);
}

/* The commonest of at least twelve bytes in what was stolen elsewhere. */
/* clang-format off */
static const char *const commonest[] = {
    "123456789012", "1234567890123", "12345678901234", "123456789123", "1234567891011", "123123123123",
    "123456123456", "123456654321", "111111111111", "000000000000", "121212121212", "112233445566", "987654321098",
    "098765432109", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u", "q1w2e3r4t5y6", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv",
    "zaq12wsxcde3", "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]", "qwerty123456", "qwerty12345678",
    "qwertyqwerty", "asdfghjkl123", "asdfghjkl;'", "zxcvbnmasdfg", "abcdefghijkl", "abcd12345678", "abc123abc123",
    "a1b2c3d4e5f6", "aaaaaaaaaaaa", "password1234", "password12345", "password123456", "passwordpassword",
    "password123!", "password2024", "password2025", "password2026", "p@ssw0rd1234", "administrator",
    "administrator1", "adminadminadmin", "changemechangeme", "changeme1234", "changeme12345", "welcome12345",
    "welcome123456", "letmeinletmein", "letmein12345", "iloveyou1234", "iloveyouiloveyou", "football1234",
    "baseball1234", "superman1234", "princess1234", "monkey123456", "dragon123456", "sunshine1234",
    "trustno1trustno1", "correcthorsebatterystaple", "correct horse battery staple",
};
/* clang-format on */

static bool common(const char *password)
{
    for (size_t i = 0; i < sizeof(commonest) / sizeof(commonest[0]); i++)
        if (strcasecmp(commonest[i], password) == 0)
            return true;
    return false;
}

const char *password_fault(const char *password, const char *login, const char *name)
{
    size_t len = strlen(password);

    if (len < PASSWORD_BYTES_MIN || len > PASSWORD_BYTES_MAX)
        return "must be 12 to 256 bytes long";
    if (strspn(password, (char[]){password[0], 0}) == len || common(password))
        return "is one of the commonest: take several words that do not belong together";
    if (strcasecmp(password, login) == 0 || strcasecmp(password, name) == 0)
        return "must not be the name or the email";
    return NULL;
}

enum password_verdict password_hash(const char *password, char hash[static PASSWORD_HASH_BYTES])
{
    int rc;

    if (!turn_take())
        return PASSWORD_BUSY;
    rc = crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13);
    turn_give();
    return rc == 0 ? PASSWORD_RIGHT : PASSWORD_BUSY;
}

enum password_verdict password_check(const char *password, const char *hash)
{
    int rc;

    if (!turn_take())
        return PASSWORD_BUSY;
    rc = crypto_pwhash_str_verify(*hash ? hash : nobodys, password, strlen(password));
    turn_give();
    return rc == 0 && *hash ? PASSWORD_RIGHT : PASSWORD_WRONG;
}
