/* Consoles by themselves: tickets, the handshake, where pages may come from, and how much a viewer may make us keep. */
#include "api/console/handshake.h"
#include "api/console/tickets.h"
#include "api/console/viewer.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tickets tickets;

static struct ticket ticket_of(const char *key_id, const char *account_id)
{
    struct ticket ticket = { .instance_id = "ins_1" };

    snprintf(ticket.key_id, sizeof(ticket.key_id), "%s", key_id);
    snprintf(ticket.account_id, sizeof(ticket.account_id), "%s", account_id);
    return ticket;
}

static void once(void)
{
    struct ticket ticket = ticket_of("key_1", "acc_1"), got;

    ok(ticket_keep(&tickets, &ticket, 1000) && ticket.expires_ms == 1000 + TICKET_MS, "a ticket is good for 30 s");
    ok(!ticket_take(&tickets, ticket.id, "key_2", 2000, &got), "not for another key");
    ok(!ticket_take(&tickets, "tkt_00000000000000000000000000", "key_1", 2000, &got), "not under another name");
    ok(!ticket_take(&tickets, "", "key_1", 2000, &got), "a free place is no ticket");
    ok(ticket_take(&tickets, ticket.id, "key_1", 2000, &got) && strcmp(got.instance_id, "ins_1") == 0,
       "for its own, and it knows its instance");
    ok(!ticket_take(&tickets, ticket.id, "key_1", 2000, &got), "once");
    ticket_keep(&tickets, &ticket, 1000);
    ok(!ticket_take(&tickets, ticket.id, "key_1", 1000 + TICKET_MS, &got), "and not when its time is over");
}

static void room(void)
{
    struct ticket first = ticket_of("key_1", "acc_1"), got;
    char account[ID_BYTES];
    unsigned kept = 0;

    ticket_keep(&tickets, &first, 100000);
    for (unsigned i = 1; i <= TICKETS_PER_ACCOUNT; i++) {
        struct ticket more = ticket_of("key_1", "acc_1");

        kept += ticket_keep(&tickets, &more, 100000 + i);
    }
    ok(kept == TICKETS_PER_ACCOUNT && !ticket_take(&tickets, first.id, "key_1", 100100, &got),
       "an account's seventeenth ticket takes the place of its oldest");
    kept = 0;
    for (unsigned i = 0; i < TICKETS_MAX; i++) {
        struct ticket other;

        snprintf(account, sizeof(account), "acc_o%u", i);
        other = ticket_of("key_o", account);
        kept += ticket_keep(&tickets, &other, 100100);
    }
    ok_int(kept, TICKETS_MAX - TICKETS_PER_ACCOUNT, "others get the rest, and then there is no room");
    first = ticket_of("key_2", "acc_2");
    ok(ticket_keep(&tickets, &first, 100100 + TICKET_MS), "until they are too old");
}

static enum handshake_verdict verdict(char *upgrade, char *connection, char *key, char *version)
{
    return handshake_check(&(struct handshake){ upgrade, connection, key, version });
}

static void handshakes(void)
{
    static char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    char accept[ACCEPT_BYTES];

    ok(verdict("websocket", "Upgrade", key, "13") == HANDSHAKE_GOOD, "a handshake");
    ok(verdict("h2c, WebSocket", "keep-alive,  upgrade", key, "13") == HANDSHAKE_GOOD, "in lists, in any case");
    ok(verdict(NULL, "Upgrade", key, "13") == HANDSHAKE_NONE, "without Upgrade it is none");
    ok(verdict("websockets", "Upgrade", key, "13") == HANDSHAKE_NONE, "nor with another");
    ok(verdict("websocket", "close", key, "13") == HANDSHAKE_NONE, "nor when the connection is not upgraded");
    ok(verdict("websocket", "Upgrade", key, "8") == HANDSHAKE_NONE, "nor with another version");
    ok(verdict("websocket", "Upgrade", key, NULL) == HANDSHAKE_NONE, "nor with none");
    ok(verdict("websocket", "Upgrade", NULL, "13") == HANDSHAKE_BROKEN, "without a key it is broken");
    ok(verdict("websocket", "Upgrade", "dGhlIHNhbXBsZSBub25jZ", "13") == HANDSHAKE_BROKEN, "and with a short one");
    ok(verdict("websocket", "Upgrade", "dGhlIHNhbXBsZSBub25jZQ=!", "13") == HANDSHAKE_BROKEN, "and with one that is not base 64");
    handshake_accept(key, accept);
    ok_text(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "what RFC 6455, section 1.3, answers to its key");
}

static void origins(void)
{
    ok(origin_is_ours(NULL, "host:8443"), "no page");
    ok(origin_is_ours("https://Host:8443", "host:8443"), "a page of ours");
    ok(!origin_is_ours("https://evil.example", "host:8443"), "a page of others");
    ok(!origin_is_ours("http://host:8443", "host:8443"), "a page that came without TLS");
    ok(!origin_is_ours("https://host:8443.evil.example", "host:8443"), "a name that begins like ours");
    ok(!origin_is_ours("null", "host:8443"), "a page without an origin of its own");
    ok(!origin_is_ours("https://host", NULL), "a request that names no host");
}

/* viewers */

#define PING_BYTES 6                    /* empty, its mask 0 */
#define PONG_BYTES 2
#define PINGS_AT_ONCE 682               /* as many as libwslay reads at a time */

static struct viewer viewer;

static int viewer_open(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0 ||
        viewer_start(&viewer, "ins_1", "/nowhere", ends[0], NULL, 0, 1000) != 0)
        tap_bail("no viewer");
    return ends[1];
}

static void viewer_shut(int peer)
{
    viewer_end(&viewer);
    close(viewer.fd);
    close(peer);
}

/* Sends pings until nobody takes them any more; how many. */
static unsigned pings_send(int peer, size_t *most)
{
    static uint8_t pings[PINGS_AT_ONCE][PING_BYTES];
    unsigned bytes = 0;
    ssize_t sent = 1;

    for (size_t i = 0; i < PINGS_AT_ONCE; i++)
        memcpy(pings[i], (uint8_t[]){ 0x89, 0x80 }, 2);
    *most = 0;
    for (unsigned i = 0; i < 1000 && sent > 0; i++) {
        size_t at = bytes % PING_BYTES;

        sent = send(peer, (uint8_t *)pings + at, sizeof(pings) - at, MSG_DONTWAIT);
        bytes += sent > 0 ? (unsigned)sent : 0;
        viewer_work(&viewer, 1000);
        if (wslay_event_get_queued_msg_count(viewer.ws) > *most)
            *most = wslay_event_get_queued_msg_count(viewer.ws);
    }
    return bytes / PING_BYTES;
}

static void pings(void)
{
    int peer = viewer_open();
    unsigned sent, answered = 0;
    char pongs[4096];
    ssize_t got;
    size_t most;

    sent = pings_send(peer, &most);
    ok(most <= 2 * VIEWER_QUEUE_MESSAGES + PINGS_AT_ONCE,
       "who sends pings and reads no pongs is not read from: %zu wait of %u", most, sent);
    while ((got = recv(peer, pongs, sizeof(pongs), MSG_DONTWAIT)) > 0) {
        answered += (unsigned)got;
        viewer_work(&viewer, 1000);
    }
    ok_int(answered / PONG_BYTES, sent, "who then reads them gets all");
    viewer_shut(peer);
}

static void words(void)
{
    int peer = viewer_open();
    size_t most = 0;

    for (int i = 0; i < 100000 && !viewer.reason; i++) {
        viewer_tell(&viewer, "viewers", json_integer(i));
        viewer_work(&viewer, 1000);
        if (wslay_event_get_queued_msg_count(viewer.ws) > most)
            most = wslay_event_get_queued_msg_count(viewer.ws);
    }
    ok(viewer.reason && strcmp(viewer.reason, "slow") == 0, "who does not read what the other viewers do is too slow");
    ok(most <= 3 * VIEWER_QUEUE_MESSAGES + 1, "before it has piled up: %zu", most);
    viewer_shut(peer);
}

int main(void)
{
    if (sodium_init() < 0)
        tap_bail("libsodium");
    once();
    room();
    handshakes();
    origins();
    pings();
    words();
    return tap_end();
}
