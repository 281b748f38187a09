#include "tests/api/xs_run.h"
#include "common/id.h"
#include "tests/api/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WORDS_MAX 23

char out[1 << 16];

void xs_home(const struct rig *rig)
{
    char home[256];

    snprintf(home, sizeof(home), "%s/home", rig->dir);
    mkdir(home, 0700);
    setenv("HOME", home, 1);
    unsetenv("XDG_CONFIG_HOME");
    setenv("XS_URL", rig->url, 1);
    setenv("XS_FINGERPRINT", rig->fingerprint, 1);
}

int xs(const char *word, ...)
{
    const char *argv[WORDS_MAX + 2] = { "tests/api/xs" };
    int count = 1;
    va_list args;

    va_start(args, word);
    for (; word && count <= WORDS_MAX; word = va_arg(args, const char *))
        argv[count++] = word;
    va_end(args);
    return rig_run(argv, "", out, sizeof(out));
}

void id_seen(const char *prefix, char id[static 40])
{
    const char *at = strstr(out, prefix);

    snprintf(id, 40, "%.*s", (int)(strlen(prefix) + 26), at ? at : "");
    ok(id_valid(prefix, id), "%s is printed", prefix);
}
