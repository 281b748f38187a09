/* The pure parts of consoles: tickets, the handshake, where pages may come from. */
#include "api/console/handshake.h"
#include "api/console/tickets.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

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

int main(void)
{
    if (sodium_init() < 0)
        tap_bail("libsodium");
    once();
    room();
    handshakes();
    origins();
    return tap_end();
}
