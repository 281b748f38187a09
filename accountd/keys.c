/* Keys on disk: 32 bytes of seed in hex, in a directory that only accountd reads. */
#include "accountd/keys.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_BYTES crypto_sign_SEEDBYTES
#define SEED_TEXT  (2 * SEED_BYTES + 1)

_Static_assert(KEYS_SEED_BYTES == SEED_BYTES, "a key's seed is Ed25519's");

static int sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* Under another name first: a crash leaves a whole key or none. */
static int make_key(const char *dir, const char *path)
{
    char text[SEED_TEXT + 1], fresh[512];
    uint8_t seed[SEED_BYTES];
    int fd, rc = -1;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    randombytes_buf(seed, sizeof(seed));
    sodium_bin2hex(text, SEED_TEXT, seed, sizeof(seed));
    text[SEED_TEXT - 1] = '\n';
    if (fd >= 0 && write(fd, text, SEED_TEXT) == (ssize_t)SEED_TEXT && fsync(fd) == 0 && rename(fresh, path) == 0)
        rc = sync_dir(dir);
    if (rc)
        log_warn("%s: cannot make the key", path);
    else
        log_info("%s: made", path);
    if (fd >= 0)
        close(fd);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return rc;
}

static int read_seed(int fd, const char *path, uint8_t seed[static KEYS_SEED_BYTES])
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

int keys_seed(const char *dir, const char *name, uint8_t seed[static KEYS_SEED_BYTES])
{
    char path[500];
    int fd, rc;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        if (make_key(dir, path))
            return -1;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) {
        log_warn("%s: cannot open the key", path);
        return -1;
    }
    rc = read_seed(fd, path, seed);
    close(fd);
    return rc;
}

static int open_key(const char *dir, const char *name, struct note_key *key)
{
    uint8_t seed[SEED_BYTES];
    int rc = keys_seed(dir, name, seed);

    if (rc == 0)
        rc = crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    sodium_memzero(seed, sizeof(seed));
    return rc;
}

int keys_open(const char *dir, struct keys *keys)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        log_warn("%s: cannot create", dir);
        return -1;
    }
    return open_key(dir, "log.key", &keys->log) || open_key(dir, "invoice.key", &keys->invoice) ? -1 : 0;
}

char *keys_text(const struct keys *keys, const char *host, const char *origin)
{
    char *vkey = note_vkey(origin, &keys->log), *minisign = note_minisign_key(&keys->invoice), *text = NULL;

    if (!vkey || !minisign || asprintf(&text, "# Public keys of %s: one key, one purpose.\n"
                                       "# log: signs checkpoints (C2SP signed note, Ed25519).\n%s\n"
                                       "# invoice: signs files (minisign and signify, Ed25519).\n%s", host, vkey,
                                       minisign) < 0)
        text = NULL;
    free(vkey);
    free(minisign);
    return text;
}

/* The n-th line, terminated; NULL if there are not so many. */
static char *line_of(const char *text, int n)
{
    for (; n > 0 && text; n--) {
        text = strchr(text, '\n');
        if (text)
            text++;
    }
    return text ? strndup(text, strcspn(text, "\n")) : NULL;
}

bool keys_parse(const char *text, struct keys *keys, char *origin, size_t origin_bytes)
{
    char *vkey = line_of(text, 2), *again = NULL, *host;
    const char *minisign = text;
    bool good;

    for (int i = 0; i < 4 && minisign; i++) {
        minisign = strchr(minisign, '\n');
        if (minisign)
            minisign++;
    }
    good = vkey && minisign && note_vkey_parse(vkey, origin, origin_bytes, &keys->log) &&
           note_minisign_key_parse(minisign, &keys->invoice);
    host = good ? strndup(origin, strcspn(origin, "/")) : NULL;
    again = host ? keys_text(keys, host, origin) : NULL;
    good = again && strcmp(again, text) == 0;
    free(vkey);
    free(host);
    free(again);
    return good;
}
