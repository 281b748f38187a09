/* Configuration: strict. {"host":"h1.example","interval_s":60,"price_book":"/etc/xs/pricebook.json",
 * "seller":"/etc/xs/seller.json","head_copy":"/var/lib/xs/cosign/checkpoint",
 * "payments":"/etc/xs/payments.json"} and grace_suspended_s, retention_s
 * (cap/cap.h), hold_s, all optional; options on the command line win. "payments" names a file of mode
 * 0600 with the card provider's secrets, {"stripe":["whsec_..."]}: without it no event is taken. */
#include "accountd/config.h"
#include "accountd/funding/reference.h"
#include "common/log.h"
#include "provisioner/control.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_PATH     "/etc/xs/accountd.conf"
#define PRICE_BOOK_PATH "/etc/xs/pricebook.json"
#define SELLER_PATH     "/etc/xs/seller.json"
#define INTERVAL_S      60
#define INTERVAL_MAX_S  3600
#define GRACE_S         86400           /* suspended, before it is powered off */
#define RETENTION_S     604800          /* powered off, before it is deleted */
#define HOLD_S          3600            /* what a launch sets aside: an hour at its full */
#define HOLD_MAX_S      86400
#define GRACE_MAX_S     (366 * 86400)

static const char usage_text[] =
    "usage: xs-accountd [options]\n"
    "  --config FILE              configuration (default " CONFIG_PATH ", which need not exist)\n"
    "  --price-book FILE          prices (default " PRICE_BOOK_PATH ")\n"
    "  --seller FILE              who sells, for invoices and tax (default " SELLER_PATH ")\n"
    "  --interval SECONDS         of usage records, 1 to 3600 (default 60)\n"
    "  --state-dir DIR            databases, keys, bundles (default /var/lib/xs/accountd)\n"
    "  --run-dir DIR              socket and pid file (default /run/xs)\n"
    "  --stats-file FILE          read this instead of the hypervisor's stats page\n"
    "  --provisioner-socket PATH  (default " PROVISIONER_SOCKET ")\n"
    "  --witnesses FILE           who may cosign the log's heads (default " WITNESSES_PATH ", which need not exist)\n";

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!object && error.line < 0)
        fatalx("%s", error.text);
    if (!object)
        fatalx("%s: line %d: %s", path, error.line, error.text);
    if (!json_is_object(object))
        fatalx("%s: must be one JSON object", path);
    return object;
}

/* The payment provider's secrets: nobody else may read them, or anybody could pay with words. */
static void read_payments(struct config *config, const char *path)
{
    struct json_why why;
    struct stat st;
    json_t *object;

    if (stat(path, &st) == 0 && st.st_mode & 077)
        fatalx("%s: others may read these secrets: chmod 600 it, and make new ones at the provider", path);
    object = load(path);
    if (webhook_secrets_parse(object, &config->payments, &why))
        fatalx("%s: %s", path, why.text);
    json_decref(object);
}

static void read_file(struct config *config, const char *path, bool must_exist)
{
    const char *text;
    struct json_why why;
    json_t *object;

    if (!must_exist && access(path, F_OK) != 0 && errno == ENOENT)
        return;
    object = load(path);
    if (json_arg_only(object, "host interval_s grace_suspended_s retention_s hold_s price_book seller head_copy payments", &why) ||
        (json_has(object, "host") && json_arg_string(object, "host", RECORD_NAME_BYTES - 1, &text, &why)))
        fatalx("%s: %s", path, why.text);
    if (json_has(object, "host"))
        snprintf(config->host, sizeof(config->host), "%s", text);
    if ((json_has(object, "interval_s") &&
         json_arg_int(object, "interval_s", 1, INTERVAL_MAX_S, &config->interval_s, &why)) ||
        (json_has(object, "price_book") && json_arg_string(object, "price_book", 4096, &text, &why)))
        fatalx("%s: %s", path, why.text);
    if ((json_has(object, "grace_suspended_s") &&
         json_arg_int(object, "grace_suspended_s", 1, GRACE_MAX_S, &config->graces.suspended_s, &why)) ||
        (json_has(object, "retention_s") &&
         json_arg_int(object, "retention_s", 1, GRACE_MAX_S, &config->graces.retention_s, &why)) ||
        (json_has(object, "hold_s") && json_arg_int(object, "hold_s", 1, HOLD_MAX_S, &config->hold_s, &why)))
        fatalx("%s: %s", path, why.text);
    if (json_has(object, "price_book") && !(config->price_book_path = strdup(text)))
        fatal("%s", path);
    if (json_has(object, "head_copy")) {
        if (json_arg_string(object, "head_copy", 4096, &text, &why))
            fatalx("%s: %s", path, why.text);
        if (!(config->head_copy = strdup(text)))
            fatal("%s", path);
    }
    if (json_has(object, "payments")) {
        if (json_arg_string(object, "payments", 4096, &text, &why))
            fatalx("%s: %s", path, why.text);
        read_payments(config, text);
    }
    if (json_has(object, "seller") && json_arg_string(object, "seller", 4096, &text, &why))
        fatalx("%s: %s", path, why.text);
    if (json_has(object, "seller") && !(config->seller_path = strdup(text)))
        fatal("%s", path);
    if (!record_is_name(config->host))
        fatalx("%s: host: 1 to 64 of A-Z, a-z, 0-9, '_', '-', '.'", path);
    json_decref(object);
}

static int64_t parse_interval(const char *text)
{
    int64_t seconds;

    if (!json_decimal_parse(text, &seconds) || seconds < 1 || seconds > INTERVAL_MAX_S)
        fatalx("--interval %s: must be a number of seconds from 1 to %d", text, INTERVAL_MAX_S);
    return seconds;
}

/* Whose cosignatures are taken: the file that xs-cosign reads too. */
static void read_witnesses(struct config *config, const char *path)
{
    struct json_why why;

    if (witnesses_read(path, &config->witnesses, &why))
        fatalx("%s: %s", path, why.text);
}

enum option_id { OPT_CONFIG, OPT_PRICE_BOOK, OPT_SELLER, OPT_INTERVAL, OPT_STATE, OPT_RUN, OPT_STATS, OPT_PROVISIONER, OPT_WITNESSES,
                 OPT_HELP };

static const struct option options[] = {
    { "config", required_argument, NULL, OPT_CONFIG },
    { "price-book", required_argument, NULL, OPT_PRICE_BOOK },
    { "seller", required_argument, NULL, OPT_SELLER },
    { "interval", required_argument, NULL, OPT_INTERVAL },
    { "state-dir", required_argument, NULL, OPT_STATE },
    { "run-dir", required_argument, NULL, OPT_RUN },
    { "stats-file", required_argument, NULL, OPT_STATS },
    { "provisioner-socket", required_argument, NULL, OPT_PROVISIONER },
    { "witnesses", required_argument, NULL, OPT_WITNESSES },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

void config_read(struct config *config, int argc, char **argv)
{
    const char *value[OPT_HELP] = { 0 };
    int option;

    *config = (struct config){ .interval_s = INTERVAL_S, .graces = { GRACE_S, RETENTION_S }, .hold_s = HOLD_S,
                                .price_book_path = PRICE_BOOK_PATH,
                                .seller_path = SELLER_PATH };
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage_text, stdout);
            exit(0);
        }
        if (option < 0 || option > OPT_HELP)
            fatalx("unknown option: see --help");
        value[option] = optarg;
    }
    if (optind < argc)
        fatalx("%s: not an option: see --help", argv[optind]);
    if (gethostname(config->host, sizeof(config->host) - 1) != 0)
        fatal("cannot read the host's name");
    read_file(config, value[OPT_CONFIG] ? value[OPT_CONFIG] : CONFIG_PATH, value[OPT_CONFIG] != NULL);
    if (!record_is_name(config->host))
        fatalx("the host's name \"%s\" cannot name a log: set \"host\" in " CONFIG_PATH, config->host);
    if (value[OPT_INTERVAL])
        config->interval_s = parse_interval(value[OPT_INTERVAL]);
    if (value[OPT_PRICE_BOOK])
        config->price_book_path = value[OPT_PRICE_BOOK];
    read_witnesses(config, value[OPT_WITNESSES] ? value[OPT_WITNESSES] : WITNESSES_PATH);
    if (value[OPT_SELLER])
        config->seller_path = value[OPT_SELLER];
    config->state_dir = value[OPT_STATE] ? value[OPT_STATE] : "/var/lib/xs/accountd";
    config->run_dir = value[OPT_RUN] ? value[OPT_RUN] : "/run/xs";
    config->stats_file = value[OPT_STATS];
    config->provisioner_socket = value[OPT_PROVISIONER] ? value[OPT_PROVISIONER] : PROVISIONER_SOCKET;
}

char *config_price_book(const struct config *config, struct rate_book *book)
{
    json_t *object = load(config->price_book_path);
    struct json_why why;
    char *body;

    if (rate_book_parse(object, book, &why))
        fatalx("%s: %s", config->price_book_path, why.text);
    body = json_canonical(object);
    if (!body)
        fatal("%s", config->price_book_path);
    json_decref(object);
    return body;
}

void config_seller(const struct config *config, struct seller *seller)
{
    json_t *object = load(config->seller_path);
    char iban[IBAN_BYTES];
    struct json_why why;
    const char *text;

    if (seller_read(object, seller, &why))
        fatalx("%s: %s", config->seller_path, why.text);
    text = json_text(seller->party, "iban");
    if (text[0] && !iban_parse(text, iban))
        fatalx("%s: iban: not an IBAN, or its check digits are wrong", config->seller_path);
    if (text[0])
        json_object_set_new(seller->party, "iban", json_string(iban));
    json_decref(object);
}
