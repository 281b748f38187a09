/* xs-witness: cosigns the heads of logs that somebody wants to be sure of. */
#include "accountd/keys.h"
#include "client/witness/http.h"
#include "client/witness/store.h"
#include "common/daemon.h"
#include "common/db.h"
#include "common/log.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS "127.0.0.1"
#define PORT    8093

static const char usage_text[] =
    "usage: xs-witness --dir DIR --name NAME --log VKEY [--log VKEY...] [--listen ADDRESS:PORT]\n"
    "A witness (c2sp.org/tlog-witness): cosigns a log's heads as long as the log only\n"
    "grows, and never two heads of one size. Run one, and no host can show you another\n"
    "log than it shows its other customers.\n"
    "  --dir DIR      its key and what it has cosigned; made if it is not there. Back it up:\n"
    "                 an old copy of it may cosign a fork\n"
    "  --name NAME    the witness's, as a URL without https://, e.g. witness.example/w1\n"
    "  --log VKEY     a log to witness: the third line of its host's keys.txt, got by a way\n"
    "                 that you trust. Again for more logs, or for more keys of one\n"
    "  --listen A:P   IPv4 address and port (default 127.0.0.1:8093); TLS is a proxy's\n"
    "Without --log it prints its own verifier key, for the host's witnesses.json, and ends.\n";

struct options {
    const char *dir, *name;
    char address[32];
    uint16_t port;
};

static void parse_listen(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;

    if (!colon || (size_t)(colon - text) >= sizeof(options->address) || !json_decimal_parse(colon + 1, &port) ||
        port < 0 || port > 65535)
        fatalx("--listen %s: must look like 127.0.0.1:8093", text);
    snprintf(options->address, sizeof(options->address), "%.*s", (int)(colon - text), text);
    options->port = (uint16_t)port;
}

static void parse_options(struct options *options, struct witness *witness, int argc, char **argv)
{
    static const struct option known[] = {
        {"dir", required_argument, NULL, 'd'}, {"name", required_argument, NULL, 'n'},
        {"log", required_argument, NULL, 'l'}, {"listen", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
    struct json_why why;
    int option;

    *options = (struct options){ .address = ADDRESS, .port = PORT };
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage_text, stdout);
            exit(0);
        }
        if (option == 'd')
            options->dir = optarg;
        else if (option == 'n')
            options->name = optarg;
        else if (option == 'a')
            parse_listen(options, optarg);
        else if (option != 'l')
            fatalx("unknown option: see --help");
        else if (!witness_add_log(witness, optarg, &why))
            fatalx("--log %s: %s", optarg, why.text);
    }
    if (!options->dir || !options->name || optind < argc)
        fatalx("--dir and --name are needed, and nothing but options: see --help");
    if (strlen(options->name) >= sizeof(witness->name) || strcspn(options->name, " +\t\r\n") != strlen(options->name))
        fatalx("--name %s: no spaces, no plus, at most %zu bytes", options->name, sizeof(witness->name) - 1);
}

static void open_witness(struct witness *witness, const struct options *options)
{
    char path[512];
    int rc;

    snprintf(witness->name, sizeof(witness->name), "%s", options->name);
    snprintf(path, sizeof(path), "%s/witness.key", options->dir);
    rc = access(path, F_OK) == 0 ? keys_file_read(path, &witness->key) : keys_file_make(path, &witness->key);
    if (rc)
        exit(1);
    snprintf(path, sizeof(path), "%s/witness.db", options->dir);
    witness->db = witness_store_open(path);
    if (!witness->db)
        exit(1);
}

static void print_key(const struct witness *witness)
{
    char *vkey = note_vkey_of(witness->name, NOTE_COSIGNATURE, &witness->key);

    if (vkey)
        puts(vkey);
    fflush(stdout);
    free(vkey);
}

int main(int argc, char **argv)
{
    static struct witness witness;
    struct options options;
    struct witness_http *http;
    struct pollfd on = { .events = POLLIN };
    char path[512];

    log_init("xs-witness");
    if (sodium_init() < 0)
        fatalx("libsodium does not start");
    parse_options(&options, &witness, argc, argv);
    if (mkdir(options.dir, 0700) != 0 && errno != EEXIST)
        fatal("%s: cannot create", options.dir);
    /* Two of one folder would each think that they are the only one. */
    snprintf(path, sizeof(path), "%s/witness.pid", options.dir);
    daemon_lock(path);
    open_witness(&witness, &options);
    print_key(&witness);
    if (witness.logs_count == 0)
        return 0;
    on.fd = daemon_signal_fd();
    http = witness_http_start(&witness, options.address, options.port);
    if (!http)
        return 1;
    log_info("%s: %u logs at http://%s:%u", witness.name, witness.logs_count, options.address, witness_http_port(http));
    daemon_ready();
    while (poll(&on, 1, -1) < 0 && errno == EINTR)
        ;
    witness_http_stop(http);
    db_close(witness.db);
    return 0;
}
