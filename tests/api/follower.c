#include "tests/api/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CURLM *multi;

int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void line_take(struct follower *f, const char *line)
{
    long long seq;

    f->comments += line[0] == ':';
    if (f->events && strncmp(line, "data: ", 6) == 0)
        json_array_append_new(f->events, json_loads(line + 6, 0, NULL));
    if (sscanf(line, "id: %lld", &seq) != 1)
        return;
    f->disordered |= seq <= f->last;
    f->last = seq;
    if (f->count == f->room)
        f->seqs = realloc(f->seqs, (f->room = f->room ? 2 * f->room : 64) * sizeof(*f->seqs));
    f->seqs[f->count++] = seq;
}

static size_t bytes_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct follower *f = arg;
    char *end, *at;

    if (f->paused)
        return CURL_WRITEFUNC_PAUSE;
    f->text = realloc(f->text, f->size + one * count + 1);
    memcpy(f->text + f->size, bytes, one * count);
    f->size += one * count;
    f->text[f->size] = 0;
    for (at = f->text; (end = strchr(at, '\n')); at = end + 1) {
        *end = 0;
        line_take(f, at);
    }
    f->size = strlen(at);
    memmove(f->text, at, f->size + 1);
    return one * count;
}

void follow(const struct rig *rig, struct follower *f, const char *path, const char *key, int64_t last_event_id)
{
    char url[256], line[128];

    snprintf(url, sizeof(url), "%s%s", rig->url, path);
    snprintf(line, sizeof(line), "Authorization: Bearer %s", key);
    f->headers = curl_slist_append(NULL, line);
    f->headers = curl_slist_append(f->headers, "Accept: text/event-stream");
    snprintf(line, sizeof(line), "Last-Event-ID: %lld", (long long)last_event_id);
    if (last_event_id >= 0)
        f->headers = curl_slist_append(f->headers, line);
    if (!multi)
        multi = curl_multi_init();
    f->easy = curl_easy_init();
    f->ended = false;
    f->status = 0;
    curl_easy_setopt(f->easy, CURLOPT_URL, url);
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(f->easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, bytes_take);
    curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    curl_multi_add_handle(multi, f->easy);
}

void leave(struct follower *f)
{
    curl_multi_remove_handle(multi, f->easy);
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->headers);
    free(f->text);
    f->easy = NULL;
    f->headers = NULL;
    f->text = NULL;
    f->size = 0;
}

void forget(struct follower *f)
{
    leave(f);
    free(f->seqs);
    json_decref(f->events);
}

void go_on(struct follower *f)
{
    f->paused = false;
    curl_easy_pause(f->easy, CURLPAUSE_CONT);
}

void followers_end(void)
{
    curl_multi_cleanup(multi);
}

void turn(void)
{
    struct follower *f;
    CURLMsg *message;
    int running, left;

    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left))) {
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &f);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &f->status);
        f->ended = true;
    }
    curl_multi_poll(multi, NULL, 0, 50, NULL);
}

static bool has_events(const struct follower *f, size_t count)
{
    return f->count >= count;
}

static bool has_words(const struct follower *f, size_t count)
{
    (void)count;
    return f->text != NULL;
}

/* Until each of them has it, or has ended. */
static bool await_all(struct follower *f, size_t followers, bool (*has)(const struct follower *f, size_t count),
                      size_t count)
{
    int64_t until_s = now_s() + FOLLOWER_PATIENCE_S;
    size_t done = 0;

    while (done < followers && now_s() < until_s) {
        turn();
        done = 0;
        for (size_t i = 0; i < followers; i++)
            done += has(&f[i], count) || f[i].ended;
    }
    return done == followers;
}

bool await_events(struct follower *f, size_t followers, size_t count)
{
    return await_all(f, followers, has_events, count);
}

bool await_greeting(struct follower *f, size_t followers)
{
    return await_all(f, followers, has_words, 0);
}
