/* GnuTLS has no setting for this, so we read the records' headers on their way to it (RFC 5246 section 6.2.1: type,
 * version, length; they are never encrypted). After both Finished messages no record of type handshake may come: in
 * TLS 1.3 all are of type application_data outside (RFC 8446 section 5.2), in TLS 1.2 it would be a ClientHello. */
#include "api/renegotiation.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HEADER_BYTES 5
#define TYPE_HANDSHAKE 22

struct framing {
    gnutls_session_t session;
    gnutls_transport_ptr_t fd;          /* as libmicrohttpd gave it to GnuTLS */
    uint8_t header[HEADER_BYTES];
    unsigned header_len;
    unsigned body_left;                 /* of the record whose header we have */
    unsigned finished;                  /* Finished messages, of either side */
};

/* Goes on in the stream; true if a record that may not come begins in it. */
static bool refused(struct framing *framing, const uint8_t *bytes, size_t size)
{
    while (size) {
        size_t skipped = framing->body_left < size ? framing->body_left : size;

        framing->body_left -= (unsigned)skipped;
        bytes += skipped;
        size -= skipped;
        if (!size)
            return false;
        framing->header[framing->header_len++] = *bytes++;
        size--;
        if (framing->header_len < HEADER_BYTES)
            continue;
        framing->header_len = 0;
        framing->body_left = framing->header[3] << 8 | framing->header[4];
        if (framing->finished == 2 && framing->header[0] == TYPE_HANDSHAKE)
            return true;
    }
    return false;
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *bytes, size_t size)
{
    struct framing *framing = arg;
    ssize_t n = recv((int)(intptr_t)framing->fd, bytes, size, 0);

    if (n <= 0 || !refused(framing, bytes, (size_t)n))
        return n;
    gnutls_alert_send(framing->session, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
    errno = ECONNABORTED;
    return -1;
}

static int pull_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
    struct framing *framing = arg;

    return gnutls_system_recv_timeout(framing->fd, ms);
}

static struct framing *framing_of(gnutls_session_t session)
{
    gnutls_transport_ptr_t receive, send;

    gnutls_transport_get_ptr2(session, &receive, &send);
    return receive == send ? NULL : receive;
}

static int finished_note(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                         const gnutls_datum_t *message)
{
    struct framing *framing = framing_of(session);

    (void)type, (void)when, (void)incoming, (void)message;
    framing->finished++;
    return 0;
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info ? info->tls_session : NULL;
}

void renegotiation_forbid(struct MHD_Connection *connection)
{
    gnutls_session_t session = session_of(connection);
    struct framing *framing = session ? calloc(1, sizeof(*framing)) : NULL;

    if (!framing)
        return;
    framing->session = session;
    framing->fd = gnutls_transport_get_ptr(session);
    gnutls_transport_set_ptr2(session, framing, framing->fd);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, pull_wait);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, finished_note);
}

void renegotiation_forget(struct MHD_Connection *connection)
{
    gnutls_session_t session = session_of(connection);

    if (session)
        free(framing_of(session));
}
