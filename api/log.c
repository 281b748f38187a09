/* The log's published files, as they lie there: any static file server in front
 * of the folder would do as well. Entries are not among them: leaves are
 * customers' usage. The one word of a path that a client chooses is a tile's
 * name, which is checked letter by letter. */
#include "api/api.h"
#include "api/request.h"
#include "api/resources.h"
#include "common/tile_path.h"

#include <stdio.h>

#define PLAIN "text/plain; charset=utf-8"
/* A log that lost its file goes on as another one under the same paths: a tile is not for ever. */
#define CACHE_TILE "public, max-age=86400, immutable"
#define CACHE_HEAD "public, max-age=5"

static enum answer serve(struct request *rq, struct reply *rp, const char *name, const char *type, const char *cache,
                         enum answer missing)
{
    char path[512];

    if (snprintf(path, sizeof(path), "%s/%s", rq->api->config.log_files, name) >= (int)sizeof(path))
        return reply_fail(rp, ANSWER_INTERNAL, "log_files is too long a path");
    if (reply_file(rp, path) != 0)
        return reply_fail(rp, missing, "%s is not published", name);
    rp->text_type = type;
    rp->cache = cache;
    return ANSWER_OK;
}

enum answer checkpoint_show(struct request *rq, struct reply *rp)
{
    return serve(rq, rp, "checkpoint", PLAIN, CACHE_HEAD, ANSWER_UNAVAILABLE);
}

enum answer log_keys_show(struct request *rq, struct reply *rp)
{
    return serve(rq, rp, "keys.txt", PLAIN, CACHE_HEAD, ANSWER_UNAVAILABLE);
}

enum answer log_signature_show(struct request *rq, struct reply *rp)
{
    return serve(rq, rp, "keys.txt.minisig", PLAIN, CACHE_HEAD, ANSWER_NOT_FOUND);
}

enum answer log_tile_show(struct request *rq, struct reply *rp)
{
    char name[PARAM_BYTES + 8];
    bool full;

    if (!tile_path_valid(rq->param, &full))
        return reply_fail(rp, ANSWER_NOT_FOUND, "not the path of a tile (c2sp.org/tlog-tiles)");
    snprintf(name, sizeof(name), "tile/%s", rq->param);
    return serve(rq, rp, name, "application/octet-stream", CACHE_TILE, ANSWER_NOT_FOUND);
}
