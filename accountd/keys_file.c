/* Keys on disk: 32 bytes of seed in hex, in a directory that only accountd reads. */
#include "accountd/keys.h"
#include "accountd/log/file.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_BYTES crypto_sign_SEEDBYTES
#define SEED_TEXT  (2 * SEED_BYTES + 1)

_Static_assert(KEYS_SEED_BYTES == SEED_BYTES, "a key's seed is Ed25519's");

static int make_seed(const char *path)
{
    char text[SEED_TEXT + 1];
    uint8_t seed[SEED_BYTES];
    int rc;

    randombytes_buf(seed, sizeof(seed));
    sodium_bin2hex(text, SEED_TEXT, seed, sizeof(seed));
    text[SEED_TEXT - 1] = '\n';
    rc = file_put(path, text, SEED_TEXT, 0600);
    if (rc == 0)
        log_info("%s: made", path);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return rc;
}

static int read_open(int fd, const char *path, uint8_t seed[static SEED_BYTES])
{
    char text[SEED_TEXT + 1];
    struct stat st;
    int rc = -1;

    if (fstat(fd, &st) == 0 && st.st_mode & 077)
        log_warnx("%s: others may read this key: chmod 600 it, and think of it as known", path);
    else if (read(fd, text, sizeof(text)) != (ssize_t)SEED_TEXT || text[SEED_TEXT - 1] != '\n' ||
             sodium_hex2bin(seed, SEED_BYTES, text, SEED_TEXT - 1, NULL, NULL, NULL) != 0)
        log_warnx("%s: damaged: 64 hex digits are expected. Restore it from a backup", path);
    else
        rc = 0;
    sodium_memzero(text, sizeof(text));
    return rc;
}

static int read_seed(const char *path, uint8_t seed[static SEED_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

    if (fd < 0) {
        log_warn("%s: cannot open the key", path);
        return -1;
    }
    rc = read_open(fd, path, seed);
    close(fd);
    return rc;
}

int keys_seed(const char *dir, const char *name, uint8_t seed[static KEYS_SEED_BYTES])
{
    char path[500];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (access(path, F_OK) != 0 && errno == ENOENT && make_seed(path))
        return -1;
    return read_seed(path, seed);
}

int keys_file_read(const char *path, struct note_key *key)
{
    uint8_t seed[SEED_BYTES];
    int rc = read_seed(path, seed);

    if (rc == 0)
        rc = crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    sodium_memzero(seed, sizeof(seed));
    return rc;
}

/* What was made is read back: the file is the truth. */
int keys_file_make(const char *path, struct note_key *key)
{
    return make_seed(path) ? -1 : keys_file_read(path, key);
}

/* "DIR/log.key", "DIR/log-2.key", ... */
static char *path_of(const char *dir, enum keys_purpose purpose, unsigned number, char path[500])
{
    if (number == 1)
        snprintf(path, 500, "%s/%s.key", dir, keys_purpose_name(purpose));
    else
        snprintf(path, 500, "%s/%s-%u.key", dir, keys_purpose_name(purpose), number);
    return path;
}

static int open_purpose(const char *dir, struct keys *keys, enum keys_purpose purpose)
{
    struct keys_span *spans = purpose == KEYS_LOG ? keys->logs : keys->invoices;
    unsigned *count = purpose == KEYS_LOG ? &keys->logs_count : &keys->invoices_count;
    char path[500];

    for (*count = 0; *count < KEYS_MAX; (*count)++) {
        path_of(dir, purpose, *count + 1, path);
        if (access(path, F_OK) != 0 && errno == ENOENT)
            break;
        if (keys_file_read(path, &spans[*count].key))
            return -1;
    }
    if (*count == 0 && keys_file_make(path_of(dir, purpose, 1, path), &spans[(*count)++].key))
        return -1;
    return keys_begin(keys, purpose, &spans[*count - 1].key);
}

int keys_open(const char *dir, struct keys *keys)
{
    memset(keys, 0, sizeof(*keys));
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        log_warn("%s: cannot create", dir);
        return -1;
    }
    return open_purpose(dir, keys, KEYS_LOG) || open_purpose(dir, keys, KEYS_INVOICE) ? -1 : 0;
}

int keys_next(const char *dir, struct keys *keys, enum keys_purpose purpose, struct note_key *key)
{
    struct keys_span *spans = purpose == KEYS_LOG ? keys->logs : keys->invoices;
    unsigned *count = purpose == KEYS_LOG ? &keys->logs_count : &keys->invoices_count;
    char path[500];

    /* One that a crash left between its file and its leaf. */
    if (*count && spans[*count - 1].from == spans[*count - 1].until) {
        *key = spans[*count - 1].key;
        return 0;
    }
    if (*count == KEYS_MAX) {
        log_warnx("%s: %d %s keys are there: no more are kept", dir, KEYS_MAX, keys_purpose_name(purpose));
        return -1;
    }
    if (keys_file_make(path_of(dir, purpose, *count + 1, path), &spans[*count].key))
        return -1;
    spans[*count].from = spans[*count].until = 0;
    *key = spans[(*count)++].key;
    return 0;
}
