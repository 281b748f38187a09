/* common/: the sockets between the daemons, arguments, ids. */
#include "common/id.h"
#include "common/json.h"
#include "common/rpc.h"
#include "tests/tap/tap.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[] = "/tmp/xs-rpc-XXXXXX/socket";
static struct rpc_server *server;
static struct rpc_call *kept;           /* of `later`, until `now` finishes it */
static unsigned handled;                /* read with __atomic */

static int echo(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
    *result = json_incref(args);
    return 0;
}

static int fail(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)args;
    (void)result;
    return rpc_fail_context(call, "insufficient_funds", json_pack("{s:s}", "needed_nano", "7"), "needs %d", 7);
}

static int later(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)args;
    (void)result;
    kept = rpc_defer(call);
    return 0;
}

static int now(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    if (kept)
        rpc_finish(kept, json_incref(args), NULL, NULL);
    kept = NULL;
    *result = json_object();
    return 0;
}

static int huge(struct rpc_call *call, json_t *args, json_t **result)
{
    char *text = malloc(RPC_LINE_MAX + 1);

    (void)call;
    (void)args;
    memset(text, 'x', RPC_LINE_MAX);
    text[RPC_LINE_MAX] = 0;
    *result = json_pack("{s:s}", "text", text);
    free(text);
    return 0;
}

static const struct rpc_verb verbs[] = {
    { "echo", echo, RPC_ROOT | RPC_API },   { "fail", fail, RPC_API },   { "later", later, RPC_API },
    { "now", now, RPC_API },                { "huge", huge, RPC_API },   { "nobody", echo, 0 },
    { NULL, NULL, 0 },
};

static int stop[2];

static void *serve(void *arg)
{
    struct pollfd on[] = { { .fd = rpc_server_fd(server), .events = POLLIN }, { .fd = stop[0], .events = POLLIN } };

    while (poll(on, 2, -1) > 0 && !on[1].revents)
        rpc_server_run(server);
    return arg;
}

static json_t *error;

static void test_text(void)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:n}", "word", "one", "empty", "", "number", 1, "nothing");

    check(strcmp(json_text(object, "word"), "one") == 0, "the text of a member");
    check(strcmp(json_text(object, "empty"), "") == 0 && strcmp(json_text(object, "number"), "") == 0 &&
          strcmp(json_text(object, "nothing"), "") == 0 && strcmp(json_text(object, "missing"), "") == 0 &&
          strcmp(json_text(NULL, "word"), "") == 0, "and \"\" of what has none");
    json_decref(object);
}

static json_t *ask(struct rpc_client *client, const char *verb, json_t *args)
{
    json_decref(error);
    error = NULL;
    return rpc_call_sync(client, verb, args, 10000, &error);
}

static bool refused(struct rpc_client *client, const char *verb, const char *code, const char *says)
{
    json_t *ok = ask(client, verb, json_object());
    const char *got = json_string_value(json_object_get(error, "code"));
    const char *detail = json_string_value(json_object_get(error, "detail"));
    bool good = !ok && got && strcmp(got, code) == 0 && detail && strstr(detail, says);

    json_decref(ok);
    return good;
}

static void test_verbs(struct rpc_client *client)
{
    json_t *ok = ask(client, "echo", json_pack("{s:s}", "word", "h\xc3\xa9"));

    check(ok && strcmp(json_string_value(json_object_get(ok, "word")), "h\xc3\xa9") == 0, "a request is answered");
    json_decref(ok);
    check(refused(client, "fail", "insufficient_funds", "needs 7") &&
          strcmp(json_string_value(json_object_get(json_object_get(error, "context"), "needed_nano")), "7") == 0,
          "a refusal has its code, detail and context");
    check(refused(client, "none", "bad_request", "none is not known"), "an unknown verb is named");
    check(refused(client, "nobody", "forbidden", "nobody"), "who may not call is told so");
    check(refused(client, "huge", "internal", "too long"), "an answer that is too long becomes an error");
    ok = ask(client, "echo", json_object());
    check(ok != NULL, "and the connection goes on");
    json_decref(ok);
}

static void test_bad_requests(struct rpc_client *client)
{
    json_t *long_text = json_object();
    char *text = malloc(RPC_LINE_MAX + 1);

    memset(text, 'y', RPC_LINE_MAX);
    text[RPC_LINE_MAX] = 0;
    json_object_set_new(long_text, "text", json_string(text));
    free(text);
    check(!ask(client, "echo", long_text) && strcmp(json_string_value(json_object_get(error, "code")), "bad_request") == 0,
          "a request past a megabyte is not sent");
}

static int raw_connect(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(to.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(99);
    return fd;
}

/* The first bytes of what comes back; "" when the server closed. */
static const char *raw(const char *request, size_t len)
{
    static char reply[4096];
    int fd = raw_connect();
    ssize_t n;

    while (len > 0) {
        n = send(fd, request, len, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        request += n;
        len -= (size_t)n;
    }
    n = recv(fd, reply, sizeof(reply) - 1, 0);
    reply[n > 0 ? n : 0] = 0;
    close(fd);
    return reply;
}

static void test_raw_lines(void)
{
    char *endless = malloc(3 * RPC_LINE_MAX);

    check(raw("nonsense\n", 9)[0] == 0, "a line that is not JSON closes the connection");
    check(raw("[1]\n", 4)[0] == 0, "one that is no object too");
    check(raw("{\"id\":1,\"id\":2,\"verb\":\"echo\",\"args\":{}}\n", 41)[0] == 0, "one with a key twice too");
    check(strstr(raw("{\"id\":5}\n", 9), "\"id\":5,\"error\":{\"code\":\"bad_request\""), "no verb: an error that says so");
    check(strstr(raw("{\"id\":\"x\",\"verb\":\"echo\"}\n", 26), "args: missing"), "no args: likewise, and the id comes back");
    check(strstr(raw("{\"verb\":\"echo\",\"args\":{}}\n", 26), "\"id\":null"), "no id: null comes back");
    memset(endless, 'z', 3 * RPC_LINE_MAX);
    check(raw(endless, 3 * RPC_LINE_MAX)[0] == 0, "a line without an end closes the connection");
    free(endless);
}

static void test_pieces(void)
{
    static const char request[] = "{\"id\":9,\"verb\":\"echo\",\"args\":{\"a\":1}}\n";
    char reply[256] = "";
    int fd = raw_connect();
    size_t got = 0;

    for (size_t i = 0; request[i]; i++)
        if (send(fd, request + i, 1, MSG_NOSIGNAL) != 1)
            exit(99);
    while (got < sizeof(reply) - 1 && !memchr(reply, '\n', got)) {
        ssize_t n = recv(fd, reply + got, sizeof(reply) - 1 - got, 0);

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    check(strcmp(reply, "{\"id\":9,\"ok\":{\"a\":1}}\n") == 0, "a request that comes byte by byte is one request");
    close(fd);
}

/* Many requests in one go, none of them read back until all are sent. */
static void test_flood(void)
{
    static const char request[] = "{\"id\":1,\"verb\":\"echo\",\"args\":{}}\n";
    unsigned before = __atomic_load_n(&handled, __ATOMIC_SEQ_CST), lines = 0;
    int fd = raw_connect();
    char reply[65536];

    for (int i = 0; i < 2000; i++)
        if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
            exit(99);
    while (lines < 2000) {
        ssize_t n = recv(fd, reply, sizeof(reply), 0);

        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            lines += reply[i] == '\n';
    }
    check(lines == 2000 && __atomic_load_n(&handled, __ATOMIC_SEQ_CST) == before + 2000, "2000 requests, 2000 answers");
    close(fd);
}

static void *ask_later(void *arg)
{
    struct rpc_client *client = rpc_client_new(path);
    json_t *late_error;

    *(json_t **)arg = rpc_call_sync(client, "later", json_object(), 10000, &late_error);
    json_decref(late_error);
    rpc_client_free(client);
    return NULL;
}

static void test_deferred(struct rpc_client *client)
{
    json_t *late = NULL, *early_error;
    pthread_t thread;
    int fd;

    pthread_create(&thread, NULL, ask_later, &late);
    while (!__atomic_load_n(&kept, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 5);
    json_decref(ask(client, "now", json_pack("{s:i}", "n", 3)));
    pthread_join(thread, NULL);
    check(json_integer_value(json_object_get(late, "n")) == 3, "a deferred call is answered by another event");
    json_decref(late);
    check(!rpc_call_sync(client, "later", json_object(), 50, &early_error) &&
          strcmp(json_string_value(json_object_get(early_error, "code")), "unavailable") == 0,
          "the deadline ends a call that is not answered");
    json_decref(early_error);
    json_decref(ask(client, "now", json_pack("{s:i}", "n", 4)));
    late = ask(client, "echo", json_pack("{s:i}", "n", 5));
    check(json_integer_value(json_object_get(late, "n")) == 5, "its late answer is not taken for the next one's");
    json_decref(late);
    fd = raw_connect();
    if (send(fd, "{\"id\":1,\"verb\":\"later\",\"args\":{}}\n", 34, 0) != 34)
        exit(99);
    while (!__atomic_load_n(&kept, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 5);
    close(fd);
    json_decref(ask(client, "echo", json_object()));
    json_decref(ask(client, "now", json_object()));
    check(!error, "a caller who left makes the finish do nothing");
}

static void test_unreachable(void)
{
    struct rpc_client *client = rpc_client_new("/tmp/xs-no-such-socket");

    check(refused(client, "echo", "unavailable", "/tmp/xs-no-such-socket"), "a daemon that is not there is unavailable, by name");
    rpc_client_free(client);
}

static void test_ids(void)
{
    char a[ID_BYTES], b[ID_BYTES];

    id_make("ins_", a);
    id_make("ins_", b);
    check(id_valid("ins_", a) && strlen(a) == 30 && strcmp(a, b) != 0, "ids are made, and differ: %s", a);
    check(!id_valid("acc_", a) && !id_valid("ins_", "ins_") && !id_valid("ins_", "ins_01234567890123456789012345x"),
          "another prefix or length is refused");
    check(!id_valid("ins_", "ins_80000000000000000000000000") && id_valid("ins_", "ins_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
          "more than 128 bits are refused");
    check(!id_valid("ins_", "ins_0000000000000000000000000i") && !id_valid("ins_", "ins_0000000000000000000000000A"),
          "so are letters that Crockford left out, and capitals");
}

/* An argument, how it is asked for, and a word of the complaint; NULL: it is right. */
static const struct {
    const char *json, *says;
    char kind;
} arguments[] = {
    { "{\"k\":\"abc\"}", NULL, 's' },        { "{\"k\":\"\"}", "k: must have 1 to 5 bytes", 's' },
    { "{\"k\":\"abcdef\"}", "has 6", 's' },  { "{\"k\":5}", "k: must be a string", 's' },
    { "{}", "k: missing", 's' },             { "{\"k\":\"a\\nb\"}", "control", 's' },
    { "{\"k\":10}", NULL, 'i' },             { "{\"k\":11}", "k: must be an integer from -1 to 10", 'i' },
    { "{\"k\":-2}", "from -1", 'i' },        { "{\"k\":1.0}", "integer", 'i' },
    { "{\"k\":\"1\"}", "integer", 'i' },     { "{}", "k: missing", 'i' },
    { "{\"k\":\"-5\"}", NULL, 'd' },         { "{\"k\":\"-6\"}", "k: must be a string with a decimal", 'd' },
    { "{\"k\":\"05\"}", "decimal", 'd' },    { "{\"k\":\"-0\"}", "decimal", 'd' },
    { "{\"k\":\"+5\"}", "decimal", 'd' },    { "{\"k\":\"5 \"}", "decimal", 'd' },
    { "{\"k\":5}", "decimal", 'd' },         { "{\"k\":\"99999999999999999999\"}", "decimal", 'd' },
    { "{\"k\":\"\"}", "decimal", 'd' },      { "{\"k\":true}", NULL, 'b' },
    { "{\"k\":1}", "true or false", 'b' },   { "{\"k\":\"00ff\"}", NULL, 'h' },
    { "{\"k\":\"00FF\"}", "hex", 'h' },      { "{\"k\":\"00f\"}", "4 lower-case", 'h' },
    { "{\"k\":\"00fff\"}", "hex", 'h' },     { "{\"k\":1}", NULL, 'o' },
    { "{\"k\":1,\"x\":2}", "x: unknown; known are: j k", 'o' },
};

static int get(const json_t *o, char kind, struct json_why *why)
{
    const char *text;
    uint8_t bytes[2];
    int64_t number;
    bool yes;

    switch (kind) {
    case 's':
        return json_arg_string(o, "k", 5, &text, why);
    case 'i':
        return json_arg_int(o, "k", -1, 10, &number, why);
    case 'd':
        return json_arg_decimal(o, "k", -5, INT64_MAX, &number, why);
    case 'b':
        return json_arg_bool(o, "k", &yes, why);
    case 'h':
        return json_arg_hex(o, "k", bytes, 2, why);
    default:
        return json_arg_only(o, "j k", why);
    }
}

static void test_arguments(void)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        json_t *object = json_loads(arguments[i].json, 0, NULL);
        struct json_why why = { "" };
        int rc = get(object, arguments[i].kind, &why);

        check(arguments[i].says ? rc == -1 && strstr(why.text, arguments[i].says) : rc == 0, "%c %s: %s",
              arguments[i].kind, arguments[i].json, why.text);
        json_decref(object);
    }
}

static void test_numbers(void)
{
    unsigned __int128 max;
    json_t *text;
    int64_t n;

    check(json_decimal_parse("-9223372036854775808", &n) && n == INT64_MIN && json_decimal_parse("9223372036854775807", &n) &&
          n == INT64_MAX && !json_decimal_parse("9223372036854775808", &n) &&
          !json_decimal_parse("-9223372036854775809", &n), "decimals to the ends of int64 and no further");
    check(json_u128_parse("340282366920938463463374607431768211455", &max) && max == ~(unsigned __int128)0 &&
          !json_u128_parse("340282366920938463463374607431768211456", &max), "and of 128 bits");
    text = json_decimal_u128(~(unsigned __int128)0);
    check(strcmp(json_string_value(text), "340282366920938463463374607431768211455") == 0, "written as they are read");
    json_decref(text);
}

int main(void)
{
    struct rpc_client *client;
    pthread_t thread;

    path[strlen(path) - 7] = 0;
    if (sodium_init() < 0 || !mkdtemp(path) || pipe(stop) != 0)
        return 99;
    path[strlen(path)] = '/';
    server = rpc_server_new(path, 0600, verbs);
    if (!server || pthread_create(&thread, NULL, serve, NULL) != 0)
        return 99;
    client = rpc_client_new(path);
    test_verbs(client);
    test_bad_requests(client);
    test_raw_lines();
    test_pieces();
    test_flood();
    test_deferred(client);
    test_unreachable();
    test_ids();
    test_text();
    test_arguments();
    test_numbers();
    close(stop[1]);
    pthread_join(thread, NULL);
    rpc_server_free(server);
    rpc_client_free(client);
    json_decref(error);
    check(access(path, F_OK) != 0, "the socket is gone with its server");
    path[strlen(path) - 7] = 0;
    rmdir(path);
    return tap_end();
}
