/* A log of 316,000 leaves that nobody signed: a few of its files. */
#include "tests/api/standin_inside.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void put(const char *dir, const char *name, size_t bytes, const char *text)
{
    char path[512], zeros[8192] = { 0 };
    FILE *out;

    snprintf(path, sizeof(path), "%s/accountd/public/%s", dir, name);
    for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
    out = fopen(path, "we");
    if (!out || fwrite(text ? text : zeros, 1, text ? strlen(text) : bytes, out) == 0 || fclose(out) != 0)
        tap_bail("%s", path);
}

void log_files_write(const char *dir)
{
    put(dir, "checkpoint", 0, "host.example/usage/e1\n316000\nAAAA\n\n\xe2\x80\x94 host.example/usage/e1 sig\n");
    put(dir, "keys.txt", 0, "# Public keys of host.example\n");
    put(dir, "tile/0/000", 8192, NULL);
    put(dir, "tile/0/x001/234.p/96", 3072, NULL);
    put(dir, "secret", 0, "not to be served\n");
    put(dir, "tile/entries/000", 0, "usage\n");
}
