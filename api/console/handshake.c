#include "api/console/handshake.h"

#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_CHARS 24                    /* 16 bytes in base 64 */
#define SHA1_BYTES 20

/* A list of tokens that commas part has this one, in whatever case. */
static bool has_token(const char *list, const char *token)
{
    size_t want = strlen(token);

    while (list && *list) {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len == want && strncasecmp(list, token, len) == 0)
            return true;
        list += len;
    }
    return false;
}

static bool key_is_one(const char *key)
{
    uint8_t bytes[16];
    size_t size;

    return strlen(key) == KEY_CHARS && sodium_base642bin(bytes, sizeof(bytes), key, KEY_CHARS, NULL, &size, NULL,
                                                         sodium_base64_VARIANT_ORIGINAL) == 0 && size == sizeof(bytes);
}

enum handshake_verdict handshake_check(const struct handshake *handshake)
{
    if (!has_token(handshake->upgrade, "websocket") || !has_token(handshake->connection, "upgrade"))
        return HANDSHAKE_NONE;
    if (!handshake->version || strcmp(handshake->version, WEBSOCKET_VERSION) != 0)
        return HANDSHAKE_NONE;
    return handshake->key && key_is_one(handshake->key) ? HANDSHAKE_GOOD : HANDSHAKE_BROKEN;
}

void handshake_accept(const char *key, char accept[static ACCEPT_BYTES])
{
    char text[KEY_CHARS + sizeof(GUID)];
    uint8_t hash[SHA1_BYTES];

    memcpy(text, key, KEY_CHARS);
    memcpy(text + KEY_CHARS, GUID, sizeof(GUID));
    gnutls_hash_fast(GNUTLS_DIG_SHA1, text, KEY_CHARS + strlen(GUID), hash);
    sodium_bin2base64(accept, ACCEPT_BYTES, hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
}

bool origin_is_ours(const char *origin, const char *host)
{
    static const char scheme[] = "https://";

    if (!origin)
        return true;
    return host && strncasecmp(origin, scheme, strlen(scheme)) == 0 && strcasecmp(origin + strlen(scheme), host) == 0;
}
