/* Webhooks from end to end: the api, the sender, and a receiver of ours over TLS. The sender under test may call
 * loopback, and nothing else; which addresses the real one may call is in addresses.c. */
#include "api/deliveries.h"
#include "api/sender/address.h"
#include "common/json.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 45
#define GOT_MAX 400

static struct rig rig;
static char key[64], account[40], webhook[40], secret[64];
static pid_t sender;

/* The receiver: answers by its path, keeps what came. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct MHD_Daemon *daemon;
    unsigned port;
    struct got {
        char path[32];
        char body[1024];
        char signature[128];
    } got[GOT_MAX];
    int count;
    int refusals;                           /* answers with 500 that are left to give at /flaky */
} receiver = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static unsigned status_of(const char *path)
{
    if (strcmp(path, "/moved") == 0)
        return 302;
    if (strcmp(path, "/flaky") == 0 && receiver.refusals > 0) {
        receiver.refusals--;
        return 500;
    }
    return 200;
}

static enum MHD_Result received(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *bytes, size_t *size, void **context)
{
    const char *signature = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "XenoServer-Signature");
    struct MHD_Response *response;
    struct got *got = *context;
    enum MHD_Result rc;

    (void)arg, (void)method, (void)version;
    if (!got) {
        *context = got = calloc(1, sizeof(*got));
        snprintf(got->path, sizeof(got->path), "%s", url);
        snprintf(got->signature, sizeof(got->signature), "%s", signature ? signature : "");
        return MHD_YES;
    }
    if (*size) {
        snprintf(got->body + strlen(got->body), sizeof(got->body) - strlen(got->body), "%.*s", (int)*size, bytes);
        *size = 0;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Location", "/elsewhere");
    pthread_mutex_lock(&receiver.lock);
    rc = MHD_queue_response(connection, status_of(url), response);
    if (receiver.count < GOT_MAX)
        receiver.got[receiver.count++] = *got;
    pthread_cond_broadcast(&receiver.more);
    pthread_mutex_unlock(&receiver.lock);
    MHD_destroy_response(response);
    free(got);
    *context = NULL;
    return rc;
}

static char *file_text(const char *name)
{
    static char text[2][8192];
    static int which;
    char path[256];
    FILE *file;

    which = !which;
    snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
    file = fopen(path, "re");
    text[which][fread(text[which], 1, sizeof(text[which]) - 1, file)] = 0;
    fclose(file);
    return text[which];
}

static void receiver_start(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const char *certificate = file_text("tls.crt"), *private_key = file_text("tls.key");

    receiver.daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, received, NULL,
                                       MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_CERT, certificate,
                                       MHD_OPTION_HTTPS_MEM_KEY, private_key, MHD_OPTION_END);
    if (!receiver.daemon)
        tap_bail("no receiver");
    receiver.port = MHD_get_daemon_info(receiver.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void sender_start(void)
{
    char socket_path[256], ca[256];

    snprintf(socket_path, sizeof(socket_path), "%s/webhooks.sock", rig.dir);
    snprintf(ca, sizeof(ca), "%s/tls.crt", rig.dir);
    sender = fork();
    if (sender == 0) {
        execl("tests/api/xs-webhookd", "xs-webhookd", "--socket", socket_path, "--ca", ca, "--user", "root",
              (char *)NULL);
        _exit(127);
    }
}

static int sender_stop(int signal_number)
{
    int status;

    kill(sender, signal_number);
    waitpid(sender, &status, 0);
    return status;
}

/* Until so many have come, or the time is up; how many did. */
static int await_count(int count)
{
    struct timespec until;
    int got;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&receiver.lock);
    while (receiver.count < count && pthread_cond_timedwait(&receiver.more, &receiver.lock, &until) == 0)
        ;
    got = receiver.count;
    pthread_mutex_unlock(&receiver.lock);
    return got;
}

static void forget_all(void)
{
    pthread_mutex_lock(&receiver.lock);
    receiver.count = 0;
    pthread_mutex_unlock(&receiver.lock);
}

static void webhook_make(const char *path, const char *types, char id[static 40])
{
    char body[256];
    static int number;
    char idem[16];
    struct response answer;

    snprintf(idem, sizeof(idem), "wh-%d", number++);
    snprintf(body, sizeof(body), "{\"url\":\"https://localhost:%u%s\",\"types\":[%s]}", receiver.port, path, types);
    answer = rig_post(&rig, key, "/v1/webhooks", idem, body);
    ok_int(answer.status, 201, "a webhook for %s", types);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    snprintf(secret, sizeof(secret), "%s", answer_text_of(&answer, "secret"));
    answer_free(&answer);
}

static void key_add(const char *name)
{
    char body[64], idem[48];
    struct response answer;

    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    snprintf(idem, sizeof(idem), "k-%s", name);
    answer = rig_post(&rig, key, "/v1/keys", idem, body);
    ok_int(answer.status, 201, "a key \"%s\" is made", name);
    answer_free(&answer);
}

/* What the log of the webhook says of its newest delivery: the one that is asked for, once it is in this state. */
static json_t *newest_in_state(const char *id, const char *state)
{
    time_t until = time(NULL) + PATIENCE_S;
    char path[96];

    snprintf(path, sizeof(path), "/v1/webhooks/%s/deliveries?limit=1", id);
    for (;;) {
        struct response answer = rig_get(&rig, key, path);
        json_t *newest = json_incref(json_array_get(json_object_get(answer.json, "data"), 0));

        answer_free(&answer);
        if (strcmp(json_text(newest, "state"), state) == 0 || time(NULL) > until)
            return newest;
        json_decref(newest);
    }
}

static void delivers(void)
{
    char expected[128], *signature;
    struct response answer;
    json_t *event, *row;

    webhook_make("/hook", "\"key.*\"", webhook);
    ok(strncmp(secret, "whsec_", 6) == 0, "its secret is shown");
    answer = rig_post(&rig, key, "/v1/webhooks", "wh-0", "{\"url\":\"https://localhost/x\"}");
    ok_int(answer.status, 422, "another request with its Idempotency-Key is refused");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/webhooks");
    ok(!strstr(answer.text, secret), "and its secret never again");
    answer_free(&answer);
    key_add("first");
    ok_int(await_count(1), 1, "its event comes");
    ok_text(receiver.got[0].path, "/hook", "where it was asked for");
    event = json_loads(receiver.got[0].body, 0, NULL);
    ok_text(json_text(event, "type"), "key.created", "it is the event");
    ok_text(json_text(json_object_get(event, "data"), "name"), "first", "with what there is to know");
    json_decref(event);
    snprintf(expected, sizeof(expected), "%s", receiver.got[0].signature);
    signature = delivery_sign(secret, strtoll(expected + 2, NULL, 10), receiver.got[0].body);
    ok_text(receiver.got[0].signature, signature, "signed with the secret");
    free(signature);
    row = newest_in_state(webhook, "delivered");
    ok_int(json_integer_value(json_object_get(row, "status")), 200, "the log says so");
    json_decref(row);
    rig_instance(&rig, key, "quiet", expected);
    key_add("second");
    ok_int(await_count(2), 2, "what it did not ask for does not come");
    ok(strstr(receiver.got[1].body, "\"second\"") != NULL, "only what it did");
}

static void again_and_ping(void)
{
    json_t *row = newest_in_state(webhook, "delivered");
    struct response answer;
    char path[96];

    snprintf(path, sizeof(path), "/v1/deliveries/%d/redeliver", (int)json_integer_value(json_object_get(row, "id")));
    json_decref(row);
    forget_all();
    answer = rig_post(&rig, key, path, NULL, NULL);
    ok_int(answer.status, 202, "it is asked for once more");
    answer_free(&answer);
    ok(await_count(1) == 1 && strstr(receiver.got[0].body, "\"second\""), "and comes once more");
    snprintf(path, sizeof(path), "/v1/webhooks/%s/ping", webhook);
    answer = rig_post(&rig, key, path, NULL, NULL);
    ok_int(answer.status, 202, "a ping is asked for");
    answer_free(&answer);
    ok(await_count(2) == 2 && strstr(receiver.got[1].body, "webhook.ping"), "and comes");
}

static void refuses(void)
{
    char id[40], path[96];
    json_t *row;
    struct response answer;

    webhook_make("/moved", "\"nothing\"", id);
    snprintf(path, sizeof(path), "/v1/webhooks/%s/ping", id);
    forget_all();
    answer_free((answer = rig_post(&rig, key, path, NULL, NULL), &answer));
    ok_int(await_count(1), 1, "an address that points elsewhere is called");
    row = newest_in_state(id, "pending");
    ok_text(json_text(row, "error"), "answered 302", "that is a failure");
    ok(json_is_string(json_object_get(row, "next_at")), "to be tried again");
    json_decref(row);
    answer = rig_post(&rig, key, "/v1/webhooks", "private", "{\"url\":\"https://10.0.0.1/x\",\"types\":[\"nothing\"]}");
    snprintf(path, sizeof(path), "/v1/webhooks/%s/ping", answer_text_of(&answer, "id"));
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = rig_post(&rig, key, path, NULL, NULL);
    answer_free(&answer);
    row = newest_in_state(id, "pending");
    for (int tries = 0; tries < 200 && !*json_text(row, "error"); tries++) {
        json_decref(row);
        row = newest_in_state(id, "pending");
    }
    ok_has(json_text(row, "error"), "10.0.0.1 is not a public address", "an address that is not public is not called");
    json_decref(row);
    ok_int(receiver.count, 1, "nobody was sent elsewhere");
    answer = rig_post(&rig, key, "/v1/webhooks", "plain", "{\"url\":\"http://hooks.example/x\"}");
    ok_int(answer.status, 422, "http is refused");
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/webhooks", "user", "{\"url\":\"https://me:pw@hooks.example/x\"}");
    ok_int(answer.status, 422, "so is a user in the address");
    answer_free(&answer);
    answer = rig_post(&rig, key, "/v1/webhooks", "type", "{\"url\":\"https://hooks.example/x\",\"types\":[\"[a-z]*\"]}");
    ok_int(answer.status, 422, "and a pattern that is none of ours");
    answer_free(&answer);
}

/* How many of "n0" to "n9" have come to /flaky. */
static int flaky_heard(void)
{
    char name[16];
    int heard = 0;

    pthread_mutex_lock(&receiver.lock);
    for (int i = 0; i < 10; i++) {
        bool found = false;

        snprintf(name, sizeof(name), "\"n%d\"", i);
        for (int j = 0; j < receiver.count && !found; j++)
            found = strcmp(receiver.got[j].path, "/flaky") == 0 && strstr(receiver.got[j].body, name);
        heard += found;
    }
    pthread_mutex_unlock(&receiver.lock);
    return heard;
}

/* The receiver fails, the sender is killed, the api is killed: each event arrives all the same. */
static void survives(void)
{
    char name[16], id[40];
    int got, seen = 0, before = 0;

    webhook_make("/flaky", "\"key.created\"", id);
    forget_all();
    receiver.refusals = 1;
    key_add("late");
    ok(await_count(3) >= 3, "what is answered 500 comes again after ten seconds");
    sender_stop(SIGKILL);
    forget_all();
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        key_add(name);
    }
    rig_api_stop(&rig, SIGKILL);
    rig_api_start(&rig);
    sender_start();
    do {
        seen = await_count(seen + 1);
        got = flaky_heard();
    } while (got < 10 && seen > before && (before = seen) > 0);
    ok_int(got, 10, "what happened while nobody sent is sent when somebody does");
}

static void schedule(void)
{
    const int64_t day_ms = 86400000, begin_ms = 1000;
    int64_t now_ms = begin_ms;
    int attempts = 0;

    for (int64_t next_ms = now_ms; next_ms; next_ms = delivery_next_ms(attempts, begin_ms, now_ms)) {
        ok(next_ms >= now_ms && next_ms <= now_ms + day_ms / 2, "attempt %d after %lld s", attempts + 1,
           (long long)(next_ms - begin_ms) / 1000);
        now_ms = next_ms;
        attempts++;
    }
    ok(attempts > 8 && now_ms > begin_ms + 2 * day_ms && now_ms <= begin_ms + 3 * day_ms, "%d attempts in three days",
       attempts);
}

int main(void)
{
    char socket_path[256];

    rig_start(&rig);
    snprintf(socket_path, sizeof(socket_path), "\"%s/webhooks.sock\"", rig.dir);
    rig_config_set(&rig, "webhooks", socket_path);
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    rig_customer(&rig, "main", key, account);
    receiver_start();
    sender_start();
    schedule();
    delivers();
    again_and_ping();
    refuses();
    survives();
    ok_int(sender_stop(SIGTERM), 0, "the sender ends in order");
    MHD_stop_daemon(receiver.daemon);
    rig_end(&rig);
    return tap_end();
}
