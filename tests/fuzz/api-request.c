/* The rest of a request that strangers write: path, Authorization, query
 * numbers, money. The first byte chooses which. */
#include "api/addresses.h"
#include "api/auth.h"
#include "api/people/recovery.h"
#include "api/people/sessions.h"
#include "api/present.h"
#include "api/request.h"
#include "api/route.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "paths, keys, query numbers, money, networks, recovery codes, emails";
const char *const fuzz_seeds[] = {
    "p/v1/instances/ins_00000000000000000000000000/actions",
    "p/v1/admin/customers/acc_0/credits",
    "p/healthz",
    "aBearer xs_live_0123456789abcdefghjkmnpqrstvwxyz01234567",
    "aBearer xs_oper_0123456789abcdefghjkmnpqrstvwxyz01234567",
    "q30",
    "q18446744073709551616",
    "m12.50",
    "m9223372036.854775807",
    "n192.0.2.0/24",
    "n2001:db8::/33",
    "n::ffff:192.0.2.7",
    "rabcd-efgh-jkmn-pqrs",
    "eme@example.com",
    NULL,
};

static void path_try(const char *path)
{
    char param[PARAM_BYTES], allow[32];
    const struct route *route = route_find("GET", path, param, allow);

    assert(strlen(param) < PARAM_BYTES && strlen(allow) < sizeof(allow));
    if (route && strstr(route->pattern, "{id}"))
        assert(param[0] && !strchr(param, '/'));
}

static void query_try(char *text)
{
    struct request rq = { .query = { { "wait", text } }, .query_count = 1 };
    struct reply rp;
    int64_t value;

    reply_start(&rp);
    if (request_query_int(&rq, &rp, "wait", 0, 30, 7, &value) == ANSWER_OK)
        assert(value >= 0 && value <= 30);
    else
        assert(value == 7 && rp.errors);
    reply_free(&rp);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = calloc(1, size + 1), money[MONEY_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
    const char *key;
    int64_t nano, again;

    if (size)
        memcpy(text, bytes + 1, size - 1);
    switch (size ? bytes[0] : 0) {
    case 'p':
        path_try(text);
        break;
    case 'a':
        key = auth_bearer(text);
        assert(!key || strlen(key) == KEY_BYTES - 1);
        break;
    case 'q':
        query_try(text);
        break;
    case 'n':
        /* What is a network is inside of itself and of everything; what is none is inside of nothing. */
        assert(network_valid(text) == addresses_hold("0.0.0.0/0 ::/0", text) && network_valid(text) == addresses_hold(text, text));
        break;
    case 'r':
        recovery_code_hash(text, hash);
        break;
    case 'e':
        assert(!email_valid(text) || (strlen(text) < EMAIL_BYTES && strchr(text, '@')));
        break;
    default:
        if (money_parse(text, &nano))
            assert(nano >= 0 && money_parse(money_print(nano, money), &again) && again == nano);
    }
    free(text);
    return 0;
}
