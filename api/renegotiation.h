/* No client may begin a second handshake on its connection (TLS 1.2 renegotiation): each costs us a signature and them
 * nothing. libmicrohttpd never answers one, but it ends the connection with a polite close_notify, which scanners,
 * and whoever reads their reports, take for consent. Here it ends with a fatal alert, as RFC 5746 section 4.5 has it. */
#ifndef API_RENEGOTIATION_H
#define API_RENEGOTIATION_H

#include <microhttpd.h>

/* As the connection starts, before its first byte. Without memory for it the connection's end stays a polite one. */
void renegotiation_forbid(struct MHD_Connection *connection);
/* As it ends, after its last. */
void renegotiation_forget(struct MHD_Connection *connection);

#endif
