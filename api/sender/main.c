/* xs-webhookd: sends what the api gives it (api/deliveries.h), and says what came of it. It has nothing that is worth
 * taking: no database, no key, no secret. Each of its threads does one delivery after the other with handles of its
 * own, so one address that does not answer holds up one thread, and the api gives out two for an account at most. */
#include "api/sender/address.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/json.h"
#include "common/log.h"
#include "common/rpc.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SOCKET_PATH  "/run/xs/webhooks.sock"
#define USER         "xs-webhook"
#define THREADS      8
#define WAIT_MS      15000
#define ANSWER_MS    10000
#define RETRY_MS     1000
#define CONNECT_S    5
#define SEND_S       15
#define REPLY_BYTES_MAX (64u << 10)         /* of an answer that nobody reads */

static const char usage[] = "usage: xs-webhookd [--socket PATH] [--user NAME] [--ca FILE]\n"
                            "    NAME: whom to become when started as root (xs-webhook)\n"
                            "    FILE: whom to trust, instead of the system's\n";

static const char *socket_path = SOCKET_PATH, *user = USER, *ca_path;
static int stop_fd;
static atomic_bool stopping;

struct attempt {
    char refused[INET6_ADDRSTRLEN];         /* an address that it must not lead to; "" none */
    size_t received;
};

/* The address here is the one that libcurl connects to next: there is no looking up in between. */
static curl_socket_t socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct attempt *attempt = arg;
    const void *raw = to->family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)(void *)&to->addr)->sin6_addr
                                             : (const void *)&((struct sockaddr_in *)(void *)&to->addr)->sin_addr;

    (void)purpose;
    if (address_allowed(&to->addr))
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (!inet_ntop(to->family, raw, attempt->refused, sizeof(attempt->refused)))
        snprintf(attempt->refused, sizeof(attempt->refused), "another family");
    return CURL_SOCKET_BAD;
}

static size_t reply_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct attempt *attempt = arg;

    (void)bytes;
    attempt->received += one * count;
    return attempt->received <= REPLY_BYTES_MAX ? one * count : 0;
}

static int progress(void *arg, curl_off_t total_in, curl_off_t in, curl_off_t total_out, curl_off_t out)
{
    (void)arg, (void)total_in, (void)in, (void)total_out, (void)out;
    return stopping;
}

static struct curl_slist *headers_make(const json_t *order)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char line[256];

    headers = curl_slist_append(headers, "Expect:");
    snprintf(line, sizeof(line), "XenoServer-Signature: %s", json_text(order, "signature"));
    headers = curl_slist_append(headers, line);
    snprintf(line, sizeof(line), "XenoServer-Event: %s", json_text(order, "type"));
    headers = curl_slist_append(headers, line);
    snprintf(line, sizeof(line), "XenoServer-Delivery: %jd",
             (intmax_t)json_integer_value(json_object_get(order, "number")));
    return curl_slist_append(headers, line);
}

static void curl_set(CURL *curl, const json_t *order, struct curl_slist *headers, struct attempt *attempt)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, json_text(order, "url"));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "XenoServer-Webhook/1");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json_text(order, "body"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, reply_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (ca_path)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_path);
}

/* What is to be said of it; its status counts even if the rest of the answer was too long. */
static json_t *report_make(const json_t *order, CURLcode rc, const struct attempt *attempt, long status,
                           int64_t took_ms)
{
    char error[160] = "";

    if (*attempt->refused && status == 0)
        snprintf(error, sizeof(error), "%s is not a public address: it is not called", attempt->refused);
    else if (rc != CURLE_OK && status == 0)
        snprintf(error, sizeof(error), "%s", curl_easy_strerror(rc));
    return json_pack("{s:O, s:i, s:I, s:s}", "number", json_object_get(order, "number"), "status", (int)status,
                     "took_ms", (json_int_t)took_ms, "error", error);
}

static json_t *deliver(CURL *curl, const json_t *order)
{
    struct attempt attempt = { .received = 0 };
    struct curl_slist *headers = headers_make(order);
    int64_t begun_ms = clock_monotonic_ms();
    long status = 0;
    CURLcode rc;

    curl_set(curl, order, headers, &attempt);
    rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return report_make(order, rc, &attempt, status, clock_monotonic_ms() - begun_ms);
}

static bool stopped_within(int ms)
{
    struct pollfd stop = { .fd = stop_fd, .events = POLLIN };

    return poll(&stop, 1, ms) > 0;
}

/* Until it is taken or we end: what is not reported is sent again. */
static void report(struct rpc_client *client, json_t *what)
{
    json_t *ok = NULL, *error;

    while (!ok) {
        ok = rpc_call_sync(client, "delivery_end", json_incref(what), ANSWER_MS, &error);
        json_decref(error);
        if (!ok && stopped_within(RETRY_MS))
            break;
    }
    json_decref(ok);
    json_decref(what);
}

static void *work(void *arg)
{
    struct rpc_client *client = rpc_client_new(socket_path);
    CURL *curl = curl_easy_init();
    bool ended = false;

    (void)arg;
    if (!client || !curl)
        fatalx("out of memory");
    rpc_client_stop_on(client, stop_fd);
    while (!ended) {
        json_t *error, *order = rpc_call_sync(client, "delivery_take", json_pack("{s:i}", "wait_ms", WAIT_MS),
                                              WAIT_MS + ANSWER_MS, &error);

        json_decref(error);
        ended = stopped_within(order ? 0 : RETRY_MS);
        if (!ended && json_object_get(order, "number")) {
            json_t *what = deliver(curl, order);

            if (!stopping)
                report(client, what);
            else
                json_decref(what);
        }
        json_decref(order);
    }
    curl_easy_cleanup(curl);
    rpc_client_free(client);
    return NULL;
}

static void options_read(int argc, char **argv)
{
    static const struct option options[] = { { "socket", required_argument, NULL, 's' },
                                             { "ca", required_argument, NULL, 'c' },
                                             { "user", required_argument, NULL, 'u' },
                                             { NULL, 0, NULL, 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's') {
            socket_path = optarg;
        } else if (option == 'u') {
            user = optarg;
        } else if (option == 'c') {
            ca_path = optarg;
        } else {
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    struct pollfd signals;

    log_init("xs-webhookd");
    options_read(argc, argv);
    daemon_drop(user);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fatal("cannot give up new privileges");
    signals = (struct pollfd){ .fd = daemon_signal_fd(), .events = POLLIN };
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0)
        fatal("eventfd");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        fatalx("libcurl does not start");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            fatalx("cannot start a thread");
    daemon_ready();
    while (poll(&signals, 1, -1) < 0)
        ;
    stopping = true;
    eventfd_write(stop_fd, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    curl_global_cleanup();
    return 0;
}
