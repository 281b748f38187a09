/* The pages of the portal and the console, and the files that they load, as they lie in the folder `web`
 * (web-static/lay-out makes it). A page is the same for each path below it: it finds its screen by itself. The names of
 * assets begin with a hash over all of them, so they may be kept for ever and need no ETag; the pages, which name that
 * hash, are asked for each time. Beside a file FILE its FILE.gz is given to who takes gzip: nothing is packed here. */
#include "api/api.h"
#include "api/request.h"
#include "api/resources.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CACHE_ASSET "public, max-age=31536000, immutable"
#define CACHE_PAGE "no-cache"

/* Everything comes from here, no script or style stands in a page, nothing may frame it, and no text becomes markup. */
static const char *const page_headers[] = {
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Permissions-Policy",
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy",
    "no-referrer",
    "Strict-Transport-Security",
    "max-age=31536000",
    "Vary",
    "Accept-Encoding",
    NULL,
};

static const char *const asset_headers[] = { "Cross-Origin-Resource-Policy", "same-origin", "Vary", "Accept-Encoding", NULL };

static const char *const types[][2] = {
    { ".css", "text/css; charset=utf-8" },       { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" }, { ".svg", "image/svg+xml" },
};

/* Segments of a-z, A-Z, 0-9, "_", "-" and ".", which is never the first: no way out of the folder, no hidden file. */
static bool name_valid(const char *name)
{
    bool first = true;

    for (; *name; name++) {
        if (first ? *name == '.' || *name == '/' : false)
            return false;
        first = *name == '/';
        if (!first && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", *name))
            return false;
    }
    return !first;
}

/* NULL: not a kind of file that is served. */
static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return NULL;
}

/* Whether "gzip" is in the list, and not with the weight 0 (RFC 9110, 12.5.3). */
static bool takes_gzip(const char *list)
{
    while (list && *list) {
        size_t len = strcspn(list, ",");
        const char *word = list + strspn(list, " \t");
        const char *weight = memchr(list, '=', len);

        if (strncasecmp(word, "gzip", 4) == 0 && strchr(",; \t", word[4]))
            return !weight || strspn(weight + 1, "0.") != strcspn(weight + 1, ", \t");
        list += len + (list[len] == ',');
    }
    return false;
}

static enum answer serve(const struct request *rq, struct reply *rp, const char *folder, const char *name)
{
    const char *type = type_of(name);
    char path[512];
    int len;

    if (!rq->api->config.web)
        return reply_fail(rp, ANSWER_NOT_FOUND, "this host has no web pages: its api.conf names no folder \"web\"");
    if (!type || !name_valid(name))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such file");
    len = snprintf(path, sizeof(path), "%s/%s%s.gz", rq->api->config.web, folder, name);
    if (len >= (int)sizeof(path))
        return reply_fail(rp, ANSWER_INTERNAL, "web is too long a path");
    if (takes_gzip(rq->accept_encoding) && reply_file(rp, path) == 0)
        rp->encoding = "gzip";
    path[len - 3] = 0;
    if (!rp->encoding && reply_file(rp, path) != 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such file");
    rp->text_type = type;
    return ANSWER_OK;
}

static enum answer page(const struct request *rq, struct reply *rp, const char *name)
{
    rp->headers = page_headers;
    rp->cache = CACHE_PAGE;
    return serve(rq, rp, "", name);
}

enum answer portal_page(struct request *rq, struct reply *rp)
{
    return page(rq, rp, "portal.html");
}

enum answer console_page(struct request *rq, struct reply *rp)
{
    return page(rq, rp, "console.html");
}

enum answer web_asset(struct request *rq, struct reply *rp)
{
    rp->headers = asset_headers;
    rp->cache = CACHE_ASSET;
    return serve(rq, rp, "assets/", rq->param);
}
