/* Clients of /v1/events as a stream: any number of them, moved on by one thread. */
#ifndef TESTS_API_FOLLOWER_H
#define TESTS_API_FOLLOWER_H

#include "tests/api/rig.h"

#include <curl/curl.h>
#include <stdint.h>

#define FOLLOWER_PATIENCE_S 60

/* One stream, as its client sees it. */
struct follower {
    CURL *easy;
    struct curl_slist *headers;
    char *text;                             /* not yet a whole line; NULL: nothing has come */
    size_t size;
    int64_t *seqs;
    size_t count, room;
    int64_t last;
    json_t *events;                         /* the objects, if it was set to an array */
    int comments;
    bool paused;                            /* does not read */
    bool disordered, ended;
    long status;                            /* once it has ended */
};

/* Opens it; what it has seen before stays. last_event_id -1: none is sent. */
void follow(const struct rig *rig, struct follower *f, const char *path, const char *key, int64_t last_event_id);
/* One that was paused reads. */
void go_on(struct follower *f);
/* Breaks off; what it has seen stays. */
void leave(struct follower *f);
void forget(struct follower *f);
/* Moves all streams on; waits a moment for something to come. */
void turn(void);
/* Until each of them has so many events or has ended. */
bool await_events(struct follower *f, size_t followers, size_t count);
/* Until each of them has heard something or has ended. */
bool await_greeting(struct follower *f, size_t followers);
/* After the last one was left. */
void followers_end(void);
int64_t now_s(void);

#endif
