/* A request while libmicrohttpd receives it: what of it a struct request holds points into the connection's memory, which
 * lasts until the exchange is over (MHD_OPTION_NOTIFY_COMPLETED), also while the connection is suspended. */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "api/request.h"

#include <microhttpd.h>

#define SWALLOW_BYTES_MAX (16u << 20)   /* of a body too large, read so that its sender reads our answer */

/* Bodies are received before it is known who sends them. What all of them have beyond a few KiB each is bounded: memory
 * that strangers could otherwise fill, while what most requests are always finds its place. */
struct crowd {
    size_t bytes;                       /* beyond the first KiB of each; libmicrohttpd's thread alone */
};

struct http;

struct exchange {
    struct http *http;
    struct MHD_Connection *connection;
    struct request rq;
    struct reply rp;
    struct crowd *crowd;
    size_t received, body_max;
    size_t counted;                     /* in crowd->bytes */
    bool answered;
};

/* NULL without memory. */
struct exchange *exchange_new(struct api *api, struct MHD_Connection *connection, const char *method, const char *path,
                              struct crowd *crowd);
void exchange_free(struct exchange *exchange);

/* More of the body: keeps what dispatch_body_max allows, and reads on past that only to be able to answer. MHD_NO ends
 * the connection. */
enum MHD_Result exchange_receive(struct exchange *exchange, const char *bytes, size_t size);

#endif
