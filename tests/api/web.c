/* The pages and their files: what protects them, how long they are kept, packed or not, and no way out of the folder. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;

static void put(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
    file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("%s", path);
}

static void folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
    if (mkdir(path, 0755) != 0)
        tap_bail("%s", path);
}

/* What lay-out makes, in small; a packed file is told by its text. */
static void folder_make(void)
{
    char value[160];

    folder("web");
    folder("web/assets");
    folder("web/assets/h");
    folder("web/assets/h/.git");
    put("web/portal.html", "the portal");
    put("web/console.html", "the console");
    put("web/assets/h/a.js", "plain");
    put("web/assets/h/a.js.gz", "packed");
    put("web/assets/h/b.css", "only plain");
    put("web/assets/h/notes.txt", "not to be served");
    put("web/assets/h/.git/a.js", "not to be served");
    put("web/secret.js", "not to be served");
    snprintf(value, sizeof(value), "\"%s/web\"", rig.dir);
    rig_config_set(&rig, "web", value);
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
}

static struct response get_with(const char *path, const char *header)
{
    return rig_call(&rig, &(struct call){ .method = "GET", .path = path, .header = header });
}

static void gives(const char *path, const char *header, const char *text, const char *encoding)
{
    struct response answer = get_with(path, header);

    ok(answer.status == 200 && answer.text && strcmp(answer.text, text) == 0, "%s with %s: %s", path, header, text);
    ok_text(answer_header(&answer, "content-encoding"), encoding, "%s with %s: says how it is packed", path, header);
    answer_free(&answer);
}

static void packing(void)
{
    gives("/assets/h/a.js", "Accept-Encoding: br, gzip", "packed", "gzip");
    gives("/assets/h/a.js", "Accept-Encoding: GZIP;q=0.5", "packed", "gzip");
    gives("/assets/h/a.js", "Accept-Encoding: gzip;q=0, br", "plain", "");
    gives("/assets/h/a.js", "Accept-Encoding: gzip;q=0.0", "plain", "");
    gives("/assets/h/a.js", "Accept-Encoding: xgzip", "plain", "");
    gives("/assets/h/a.js", "Accept-Encoding: gzipped", "plain", "");
    gives("/assets/h/a.js", "X-Nothing: y", "plain", "");
    gives("/assets/h/b.css", "Accept-Encoding: gzip", "only plain", "");
}

static void header_is(const struct response *answer, const char *name, const char *value)
{
    ok_text(answer_header(answer, name), value, "%s", name);
}

static void page(const char *path, const char *text)
{
    struct response answer = rig_get(&rig, NULL, path);
    const char *policy = answer_header(&answer, "content-security-policy");

    ok(answer.status == 200 && answer.text && strcmp(answer.text, text) == 0, "%s is %s", path, text);
    header_is(&answer, "content-type", "text/html; charset=utf-8");
    header_is(&answer, "cache-control", "no-cache");
    header_is(&answer, "x-content-type-options", "nosniff");
    header_is(&answer, "referrer-policy", "no-referrer");
    header_is(&answer, "cross-origin-opener-policy", "same-origin");
    ok(strstr(policy, "default-src 'none'; script-src 'self'; ") && strstr(policy, "frame-ancestors 'none'") &&
           !strstr(policy, "unsafe"), "%s: the policy is strict", path);
    answer_free(&answer);
}

static void pages(void)
{
    page("/", "the portal");
    page("/portal", "the portal");
    page("/portal/", "the portal");
    page("/portal/invoices/inv_00000000000000000000000000", "the portal");
    page("/portal/../console", "the portal");
    page("/console", "the console");
    page("/console/ledger", "the console");
}

static void assets(void)
{
    struct response answer = rig_get(&rig, NULL, "/assets/h/a.js");

    header_is(&answer, "content-type", "text/javascript; charset=utf-8");
    header_is(&answer, "cache-control", "public, max-age=31536000, immutable");
    header_is(&answer, "vary", "Accept-Encoding");
    answer_free(&answer);
    answer = get_with("/assets/h/b.css", NULL);
    header_is(&answer, "content-type", "text/css; charset=utf-8");
    answer_free(&answer);
}

static void names(void)
{
    static const char *const wrong[] = {
        "/assets/h/none.js", "/assets/h/notes.txt", "/assets/../secret.js", "/assets/h/../../secret.js", "/assets/..%2fsecret.js",
        "/assets/%2e%2e/secret.js", "/assets/h/.git/a.js", "/assets/h//a.js", "/assets//etc/passwd", "/assets/h/a.js/",
        "/assets/h/a.js%00", "/assets/h/a.js.gz", "/assets/h", "/assets/", "/assets/h/.js", "/assets/h/%ff.js", "/portal.html",
        "/assets/0123456789012345678901234567890123456789012345678901234567890/a.js",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct response answer = get_with(wrong[i], "Accept-Encoding: gzip");

        ok_int(answer.status, 404, "nothing is at %s", wrong[i]);
        header_is(&answer, "cache-control", "no-store");
        ok(!answer.text || !strstr(answer.text, "not to be served"), "%s: gives nothing away", wrong[i]);
        answer_free(&answer);
    }
}

/* All that one page loads comes at once, from one address: more than a stranger's other requests may be. */
static void many(void)
{
    int good = 0;

    rig_config_set(&rig, "limits.anonymous_per_s", "1");
    rig_config_set(&rig, "limits.reads_per_s", "30");
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    for (int i = 0; i < 100; i++) {
        struct response answer = rig_get(&rig, NULL, "/assets/h/a.js");

        good += answer.status == 200;
        answer_free(&answer);
    }
    ok_int(good, 100, "a hundred files at once are given");
}

int main(void)
{
    struct response answer;

    rig_start(&rig);
    answer = rig_get(&rig, NULL, "/portal");
    ok(answer.status == 404 && strstr(answer_text_of(&answer, "detail"), "api.conf"), "no folder: 404 says what is missing");
    answer_free(&answer);
    folder_make();
    pages();
    assets();
    packing();
    names();
    many();
    rig_end(&rig);
    return tap_end();
}
