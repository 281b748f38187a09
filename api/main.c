/* xs-api: the HTTPS face of the host. Holds no Xen rights and no signing key:
 * it checks who asks, and asks accountd and the provisioner on their sockets. */
#include "api/api.h"
#include "api/console/hub.h"
#include "api/deliveries.h"
#include "api/http.h"
#include "api/kept.h"
#include "api/sandbox.h"
#include "api/people/store_people.h"
#include "api/store_events.h"
#include "api/streams.h"
#include "api/watcher.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"

#include <getopt.h>
#include <libgen.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/xs/api.conf"
#define EXPIRE_EVERY_MS (3600 * 1000)

static const char usage[] = "usage: xs-api [--config FILE]     serve (default " CONFIG_PATH ")\n"
                            "       xs-api --new-key           print a new operator key\n"
                            "       xs-api --hash-key < KEY    print the hash for operator_key_hash_file\n";

/* The key comes on stdin: arguments are visible to every user of the machine. */
static int key_hash_print(void)
{
    char line[KEY_BYTES + 2];
    uint8_t hash[KEY_HASH_BYTES];
    char hex[KEY_HASH_HEX];

    if (!fgets(line, sizeof(line), stdin))
        fatalx("--hash-key: no key on standard input");
    line[strcspn(line, "\r\n")] = 0;
    if (!key_valid(KEY_OPERATOR_PREFIX, line))
        fatalx("--hash-key: not an operator key: \"%s\" and %d digits, as --new-key prints it", KEY_OPERATOR_PREFIX,
               KEY_DIGITS);
    key_hash(line, hash);
    puts(sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
    return 0;
}

static int key_new_print(void)
{
    char key[KEY_BYTES];

    key_random(KEY_OPERATOR_PREFIX, key);
    puts(key);
    return 0;
}

static void operator_hash_read(const char *path, uint8_t hash[static KEY_HASH_BYTES])
{
    FILE *file = fopen(path, "re");
    char line[KEY_HASH_HEX + 2];
    size_t len;

    if (!file)
        fatal("operator_key_hash_file %s: cannot open: write it with xs-api --hash-key", path);
    if (!fgets(line, sizeof(line), file))
        fatalx("operator_key_hash_file %s: empty: write it with xs-api --hash-key", path);
    fclose(file);
    line[strcspn(line, "\r\n")] = 0;
    if (sodium_hex2bin(hash, KEY_HASH_BYTES, line, strlen(line), NULL, &len, NULL) != 0 || len != KEY_HASH_BYTES)
        fatalx("operator_key_hash_file %s: not 64 hex digits: write it with xs-api --hash-key", path);
}

static void database_open(struct api *api, const uint8_t operator_hash[static KEY_HASH_BYTES])
{
    api->store = store_open(api->config.database);
    if (!api->store)
        fatalx("%s: the database cannot be used (the line above says why)", api->config.database);
    if (store_operator_bootstrap(api->store, operator_hash, clock_unix_ms()) != 0)
        fatalx("%s: the operator's key cannot be stored (the line above says why)", api->config.database);
}

static void limits_open(struct api *api)
{
    const struct limit_rate rates[BUCKET_COUNT] = {
        [BUCKET_READ] = limit_per_s(api->config.reads_per_s),
        [BUCKET_WRITE] = limit_per_s(api->config.writes_per_s),
        [BUCKET_WAIT] = limit_per_s(api->config.waits_per_s),
        [BUCKET_ANONYMOUS] = limit_per_s(api->config.anonymous_per_s),
        /* A page is many files, which cost as little as reads do. */
        [BUCKET_FILE] = limit_per_s(api->config.reads_per_s),
        [BUCKET_LOGIN] = { api->config.logins_per_minute, api->config.logins_per_minute },
    };

    pthread_mutex_init(&api->limit_lock, NULL);
    pthread_mutex_init(&api->wait_lock, NULL);
    pthread_mutex_init(&api->ticket_lock, NULL);
    api->limits = limit_new(rates);
    api->kept = kept_new();
    if (!api->limits || !api->kept)
        fatalx("out of memory");
}

/* Until SIGTERM or SIGINT; now and then forgets what is old. */
static void serve(struct api *api, int signal_fd)
{
    struct pollfd wait = { .fd = signal_fd, .events = POLLIN };

    do {
        int64_t now_ms = clock_unix_ms();

        if (store_idem_expire(api->store, now_ms) != 0 || store_events_expire(api->store, now_ms) != 0)
            log_warnx("old idempotency keys or events stay; tried again in an hour");
        if (store_people_expire(api->store, now_ms) != 0)
            log_warnx("sessions that are over stay; tried again in an hour");
    } while (poll(&wait, 1, EXPIRE_EVERY_MS) == 0);
}

static void directory_make(const struct config *config)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s", config->database);
    daemon_mkdir(dirname(path), 0700, config->user);
}

static int run(const char *config_path)
{
    static struct api api;
    uint8_t operator_hash[KEY_HASH_BYTES];
    struct tls_pair tls;
    struct http *http;
    struct deliveries *deliveries = NULL;
    struct watcher *watcher;
    int listen_fd, signal_fd;

    config_load(&api.config, config_path);
    daemon_lock(api.config.pid_file);
    tls_load(&tls, api.config.certificate, api.config.private_key);
    operator_hash_read(api.config.operator_key_hash_file, operator_hash);
    directory_make(&api.config);
    listen_fd = http_listen(api.config.host, api.config.port);
    if (api.config.webhooks)
        deliveries = deliveries_open(api.config.webhooks);
    daemon_drop(api.config.user);
    /* Nothing that a stranger might make us run can be more than we are now. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fatal("cannot give up new privileges");
    /* Signals are blocked before the first thread exists, so that all inherit it. */
    signal_fd = daemon_signal_fd();
    database_open(&api, operator_hash);
    limits_open(&api);
    api.streams = streams_new(api.store);
    if (deliveries)
        deliveries_start(deliveries, api.store);
    api.consoles = hub_new(api.store, api.config.console);
    watcher = watcher_new(&api.config, api.store);
    http = http_start(&api, listen_fd, &tls);
    /* Everything that is opened once is open, and every library has been loaded. */
    sandbox_enter();
    log_info("listening on %s:%u, certificate %s", api.config.host, http_port(listen_fd), tls.fingerprint);
    daemon_ready();
    serve(&api, signal_fd);
    log_info("stopping");
    api.stopping = true;
    watcher_free(watcher);
    http_stop(http);
    streams_free(api.streams);
    deliveries_free(deliveries);
    hub_free(api.consoles);
    tls_free(&tls);
    kept_free(api.kept);
    limit_free(api.limits);
    store_close(api.store);
    config_free(&api.config);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "hash-key", no_argument, NULL, 'h' },
        { "new-key", no_argument, NULL, 'n' },
        { NULL, 0, NULL, 0 },
    };
    const char *config_path = CONFIG_PATH;
    int option;

    log_init("xs-api");
    daemon_sodium_start();
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return key_hash_print();
        if (option == 'n')
            return key_new_print();
        if (option != 'c') {
            fputs(usage, stderr);
            return 2;
        }
        config_path = optarg;
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    return run(config_path);
}
