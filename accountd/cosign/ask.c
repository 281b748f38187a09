#include "accountd/cosign/ask.h"
#include "accountd/log/consistency.h"
#include "accountd/log/tile.h"
#include "common/log.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 16384
#define TURNS_MAX  3                    /* it says its size once; more often only if somebody else asks too */
#define CONNECT_S  5L
#define TOTAL_S    15L

struct answer {
    long status;
    char type[64];
    char text[ANSWER_MAX + 1];
    size_t len;
};

/* add-checkpoint's body, malloc'd. NULL: a tile is not there (yet). */
static char *make_body(const char *public_dir, const char *note, const struct note_checkpoint *head, uint64_t old)
{
    struct tile_dir tiles = { public_dir, head->size };
    struct chain_hash proof[CHAIN_PROOF_MAX];
    int len = consistency_proof(old, head->size, tile_node, &tiles, proof);
    char *body = NULL;
    size_t bytes;
    FILE *out = len < 0 ? NULL : open_memstream(&body, &bytes);

    if (!out)
        return NULL;
    fprintf(out, "old %ju\n", (uintmax_t)old);
    for (int i = 0; i < len; i++) {
        char *hash = note_base64(proof[i].bytes, CHAIN_HASH_BYTES);

        fprintf(out, "%s\n", hash ? hash : "");
        free(hash);
    }
    fprintf(out, "\n%s", note);
    if (fclose(out) == 0)
        return body;
    free(body);
    return NULL;
}

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;

    (void)size;
    if (count > ANSWER_MAX - answer->len)
        return 0;
    memcpy(answer->text + answer->len, bytes, count);
    answer->len += count;
    answer->text[answer->len] = 0;
    return count;
}

static int post(CURL *curl, const struct witness_known *witness, const char *body, struct answer *answer)
{
    char url[sizeof(witness->url) + 32], why[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    const char *type = NULL;
    CURLcode rc;

    snprintf(url, sizeof(url), "%s/add-checkpoint", witness->url);
    memset(answer, 0, sizeof(*answer));
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TOTAL_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    rc = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK) {
        log_warnx("witness %s: %s", witness->name, why[0] ? why : curl_easy_strerror(rc));
        return -1;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
        snprintf(answer->type, sizeof(answer->type), "%s", type);
    return 0;
}

/* The size in a 409's body; false if it has none. */
static bool conflict_size(const struct answer *answer, uint64_t *size)
{
    char digits[24];
    unsigned __int128 value;

    if (answer->status != 409 || strcmp(answer->type, "text/x.tlog.size") != 0 || answer->len < 2 ||
        answer->len >= sizeof(digits) || answer->text[answer->len - 1] != '\n')
        return false;
    memcpy(digits, answer->text, answer->len - 1);
    digits[answer->len - 1] = 0;
    if (!json_u128_parse(digits, &value) || value > UINT64_MAX)
        return false;
    *size = (uint64_t)value;
    return true;
}

/* One turn: true when it is decided. */
static bool turn(CURL *curl, const struct witness_known *witness, const char *body, const struct note_checkpoint *head,
                 uint64_t *known, char **line, enum ask_result *result)
{
    struct answer answer;
    uint64_t size;

    *result = ASK_FAILED;
    if (post(curl, witness, body, &answer))
        return true;
    if (answer.status == 200) {
        *line = strndup(answer.text, strcspn(answer.text, "\n") + 1);
        *known = head->size;
        *result = ASK_COSIGNED;
        return true;
    }
    if (conflict_size(&answer, &size)) {
        *result = size > head->size ? ASK_AHEAD : ASK_FORK;
        /* The size that we went from: so it is the head that it does not like. */
        if (size > head->size || size == *known)
            return true;
        *known = size;
        return false;
    }
    if (answer.status == 422)
        *result = ASK_FORK;
    else
        log_warnx("witness %s: answers %ld: %.100s", witness->name, answer.status, answer.text);
    return true;
}

enum ask_result ask_witness(const struct witness_known *witness, const char *public_dir, const char *note,
                            const struct note_checkpoint *head, uint64_t *known, char **line)
{
    CURL *curl = curl_easy_init();
    enum ask_result result = ASK_FAILED;
    bool decided = !curl;

    *line = NULL;
    if (*known > head->size)
        *known = 0;
    for (int i = 0; i < TURNS_MAX && !decided; i++) {
        char *body = make_body(public_dir, note, head, *known);

        result = ASK_FAILED;
        if (!body)
            log_warnx("%s: the tiles do not give a proof from %ju to %ju leaves", public_dir, (uintmax_t)*known,
                      (uintmax_t)head->size);
        decided = !body || turn(curl, witness, body, head, known, line, &result);
        free(body);
    }
    curl_easy_cleanup(curl);
    return decided ? result : ASK_FAILED;
}
