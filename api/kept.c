#include "api/kept.h"
#include "common/clock.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS    128
#define NAME_BYTES 256
#define TEXT_MAX   4096
#define KEEP_MS    1000

struct name {
    size_t size;
    char bytes[NAME_BYTES];             /* texts, each with its end */
};

struct answer_kept {
    struct name name;
    int64_t changes;
    int64_t until_ms;                   /* monotonic; 0 free */
    char *text;
    size_t size;
    char etag[sizeof(((struct reply *)0)->etag)];
};

struct kept {
    unsigned char key[crypto_shorthash_KEYBYTES];       /* nobody can aim at a neighbour's place */
    struct answer_kept answers[ANSWERS];
};

struct kept *kept_new(void)
{
    struct kept *kept = calloc(1, sizeof(*kept));

    if (kept)
        crypto_shorthash_keygen(kept->key);
    return kept;
}

void kept_free(struct kept *kept)
{
    for (unsigned i = 0; kept && i < ANSWERS; i++)
        free(kept->answers[i].text);
    free(kept);
}

static bool add(struct name *name, const char *text)
{
    size_t size = strlen(text ? text : "") + 1;

    if (size > sizeof(name->bytes) - name->size)
        return false;
    memcpy(name->bytes + name->size, text ? text : "", size);
    name->size += size;
    return true;
}

/* All that an answer depends on besides the database. False: too long, or asked by nobody we know. */
static bool name_of(const struct request *rq, struct name *name)
{
    name->size = 0;
    if (!rq->who.key_id[0] || !add(name, rq->who.key_id) || !add(name, rq->who.project_id) || !add(name, rq->path) ||
        !add(name, rq->accept))
        return false;
    for (unsigned i = 0; i < rq->query_count; i++)
        if (!add(name, rq->query[i].name) || !add(name, rq->query[i].value))
            return false;
    return true;
}

static struct answer_kept *place_of(struct kept *kept, const struct name *name)
{
    unsigned char hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, (const unsigned char *)name->bytes, name->size, kept->key);
    return &kept->answers[hash[0] % ANSWERS];
}

bool kept_find(struct kept *kept, const struct request *rq, int64_t changes, struct reply *rp)
{
    const struct answer_kept *answer;
    struct name name;

    if (!name_of(rq, &name))
        return false;
    answer = place_of(kept, &name);
    if (answer->changes != changes || clock_monotonic_ms() >= answer->until_ms || answer->name.size != name.size ||
        memcmp(answer->name.bytes, name.bytes, name.size) != 0 || !(rp->text = malloc(answer->size)))
        return false;
    memcpy(rp->text, answer->text, answer->size);
    rp->text_size = answer->size;
    memcpy(rp->etag, answer->etag, sizeof(rp->etag));
    return true;
}

void kept_put(struct kept *kept, const struct request *rq, int64_t changes, struct reply *rp)
{
    struct answer_kept *answer;
    struct name name;
    char *text = rp->json && name_of(rq, &name) ? json_dumps(rp->json, JSON_COMPACT) : NULL;
    size_t size = text ? strlen(text) : 0;

    if (!text)
        return;
    rp->text = text;
    rp->text_size = size;
    answer = place_of(kept, &name);
    if (size > TEXT_MAX || !(text = malloc(size)))
        return;
    memcpy(text, rp->text, size);
    free(answer->text);
    *answer = (struct answer_kept){ name, changes, clock_monotonic_ms() + KEEP_MS, text, size, "" };
    memcpy(answer->etag, rp->etag, sizeof(answer->etag));
}
