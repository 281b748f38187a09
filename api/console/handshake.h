/* The server's side of the WebSocket handshake (RFC 6455, section 4.2). Pure. */
#ifndef API_CONSOLE_HANDSHAKE_H
#define API_CONSOLE_HANDSHAKE_H

#include <stdbool.h>

#define WEBSOCKET_VERSION "13"
#define ACCEPT_BYTES 29

/* As the headers of these names said; NULL: not there. The memory is the connection's. */
struct handshake {
    const char *upgrade;
    const char *connection;
    const char *key;                    /* Sec-WebSocket-Key */
    const char *version;                /* Sec-WebSocket-Version */
};

enum handshake_verdict {
    HANDSHAKE_GOOD,
    HANDSHAKE_NONE,                     /* not asked for, or with another version: 426 */
    HANDSHAKE_BROKEN                    /* 400 */
};
enum handshake_verdict handshake_check(const struct handshake *handshake);

/* Section 4.2.2: what Sec-WebSocket-Accept says to this key. */
void handshake_accept(const char *key, char accept[static ACCEPT_BYTES]);

/* Whether a page of this origin is one of ours: "https://" and the Host of the request. Without an Origin it is no
 * page. Other pages may not use a browser's session (section 10.2). */
bool origin_is_ours(const char *origin, const char *host);

#endif
