/* Server-sent events (WHATWG HTML, section 9.2) over libmicrohttpd, without a thread for each stream.
 *
 * A stream is a connection that is suspended while there is nothing for it. One thread, the pump, waits for events to
 * be committed, writes what a stream has not had yet into its buffer, and resumes its connection; libmicrohttpd's
 * thread sends the buffer and suspends again. A stream knows only the seq it has come to: a slow reader holds one page
 * of memory and nobody up, and what it misses while it is away it gets when it comes again. */
#ifndef API_STREAMS_H
#define API_STREAMS_H

#include "api/deadline.h"
#include "api/request.h"
#include "api/store_events.h"

#include <microhttpd.h>

#define STREAMS_MAX 200
#define STREAMS_PER_KEY 4

struct streams;
struct stream;

/* Starts the pump; exits 1 if it cannot. Before any other thread uses the store. */
struct streams *streams_new(struct store *store);
/* All end at once, and no new one lasts. */
void streams_stop(struct streams *streams);
/* After libmicrohttpd has let go of all responses. */
void streams_free(struct streams *streams);

/* A stream of the range's account and scopes after its `after`: ANSWER_OK and rp->stream, or what is exhausted. */
enum answer stream_open(struct request *rq, struct reply *rp, const struct event_range *range);
/* The body of its response; NULL when out of memory. Takes the stream over: it ends with the response. */
struct MHD_Response *stream_response(struct stream *stream, struct MHD_Connection *connection,
                                     struct deadlines *deadlines);
/* Of one that was not answered. */
void stream_close(struct stream *stream);

#endif
