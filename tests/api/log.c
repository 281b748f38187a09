/* The log's files as anyone gets them: types, caching, and the strict names of tiles. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;

static void file(const char *path, size_t size, const char *type, const char *cache)
{
    struct response answer = rig_get(&rig, NULL, path);

    ok_int(answer.status, 200, "anyone gets %s", path);
    ok(size == 0 || answer.size == size, "%s: %zu bytes", path, answer.size);
    ok_text(answer_header(&answer, "content-type"), type, "%s: its type", path);
    ok_text(answer_header(&answer, "cache-control"), cache, "%s: how long it may be kept", path);
    answer_free(&answer);
}

static void none(const char *path, int status)
{
    struct response answer = rig_get(&rig, NULL, path);

    ok_int(answer.status, status, "not a file of the log: %s", path);
    ok_text(answer_header(&answer, "cache-control"), "no-store", "%s: an error is not kept", path);
    ok(!answer.text || !strstr(answer.text, "not to be served"), "%s: gives nothing away", path);
    answer_free(&answer);
}

static void names(void)
{
    static const char *const wrong[] = {
        "/log/tile/0/001",
        "/log/tile/0/0",
        "/log/tile/00/000",
        "/log/tile/0/x000/000",
        "/log/tile/0/000.p/256",
        "/log/tile/0/000.p/0",
        "/log/tile/0/x001/234",
        "/log/tile/entries/000",
        "/log/tile/../secret",
        "/log/secret",
        "/log/tile/0/../../secret",
        "/log/tile/..%2fsecret",
        "/log/tile/%2e%2e/secret",
        "/log/tile/0/000%00",
        "/log/tile/",
        "/log/tile//etc/passwd",
        "/log/tile/0/000/",
        "/log/checkpoint/",
        "/log/keys.txt.minisig",
        "/log/tile/0/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/001",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        none(wrong[i], 404);
}

int main(void)
{
    char path[256];
    struct response answer;

    rig_start(&rig);
    file("/log/checkpoint", 0, "text/plain; charset=utf-8", "public, max-age=5");
    file("/log/keys.txt", 0, "text/plain; charset=utf-8", "public, max-age=5");
    file("/log/tile/0/000", 8192, "application/octet-stream", "public, max-age=86400, immutable");
    file("/log/tile/0/x001/234.p/96", 3072, "application/octet-stream", "public, max-age=86400, immutable");
    names();
    snprintf(path, sizeof(path), "%s/accountd/public/checkpoint", rig.dir);
    ok(unlink(path) == 0 && symlink("secret", path) == 0, "a link in its place");
    answer = rig_get(&rig, NULL, "/log/checkpoint");
    ok_int(answer.status, 503, "is not followed: the head is not published now");
    answer_free(&answer);
    rig_end(&rig);
    return tap_end();
}
