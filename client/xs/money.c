/* Quotes, usage, the wallet, invoices. Amounts are shown as they come: never rounded, never a float. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"
#include "client/xs/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned __int128 big_number(const char *digits)
{
    unsigned __int128 v = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        v = v * 10 + (unsigned)(*digits - '0');
    return v;
}

/* A few KiB are 0.000004 GiB: what is counted in bytes is also shown as people read bytes. */
static void line_in_bytes(json_t *line, unsigned __int128 count)
{
    const char *meter = answer_text(line, "meter");
    char text[UNITS_BYTES];

    if (strstr(meter, "_bytes") && count <= UINT64_MAX)
        json_object_set_new(line, "bytes", json_string(units_print((uint64_t)count, text)));
}

/* Lines carry exact counts (ns, bytes) and how many of them make a priced unit. People read units: each line gets `units`
 * with six decimals, cut; what is counted one by one has none. Only for the eye: amounts come from the exact counts. */
static void lines_in_units(json_t *lines)
{
    size_t i;
    json_t *line;

    json_array_foreach(lines, i, line) {
        unsigned __int128 count = big_number(answer_text(line, "quantity"));
        unsigned __int128 per = big_number(answer_text(line, "quantity_per_unit"));
        char text[64];

        if (!per)
            per = 1;
        if (per == 1)
            snprintf(text, sizeof(text), "%ju", (uintmax_t)count);
        else
            snprintf(text, sizeof(text), "%ju.%06ju", (uintmax_t)(count / per), (uintmax_t)(count % per * 1000000 / per));
        json_object_set_new(line, "units", json_string(text));
        line_in_bytes(line, count);
    }
}

struct quote_words {
    const char *flavor, *vcpus, *memory, *seconds, *cpu_percent;
    const char *disk_ops, *disk_bytes, *packets, *sent, *received;
};

/* `flag`'s number as field `name` of the body, if it was given. */
static void number_add(json_t *body, const char *name, const char *flag, const char *text, int64_t min, int64_t max)
{
    if (text)
        json_object_set_new(body, name, json_integer(args_number(flag, text, min, max)));
}

/* The same for a size, in bytes. */
static void bytes_add(json_t *body, const char *name, const char *flag, const char *text)
{
    if (text)
        json_object_set_new(body, name, json_integer(args_size_mib(flag, text) << 20));
}

static json_t *quote_body(const struct quote_words *words)
{
    json_t *body = json_object();

    if (words->flavor)
        json_object_set_new(body, "flavor", json_string(words->flavor));
    number_add(body, "vcpus", "--vcpus", words->vcpus, 1, 64);
    number_add(body, "memory_mib", "--memory", words->memory, 1, 1 << 20);
    number_add(body, "cpu_percent", "--cpu-percent", words->cpu_percent, 0, 100);
    number_add(body, "seconds", "--seconds", words->seconds, 1, 31622400);
    number_add(body, "disk_ops", "--disk-ops", words->disk_ops, 0, INT64_C(1) << 52);
    number_add(body, "net_packets", "--packets", words->packets, 0, INT64_C(1) << 52);
    bytes_add(body, "disk_bytes", "--disk-bytes", words->disk_bytes);
    bytes_add(body, "net_bytes_out", "--sent", words->sent);
    bytes_add(body, "net_bytes_in", "--received", words->received);
    return body;
}

int quote_command(struct host *host, char **argv)
{
    static const char usage[] = "quote (FLAVOR | --vcpus N --memory MIB) [--seconds N] [--cpu-percent N] [--disk-ops N]\n"
                                "        [--disk-bytes SIZE] [--packets N] [--sent SIZE] [--received SIZE]";
    static const struct column columns[] = {
        { "METER", "meter" }, { ">QUANTITY", "units" }, { "UNIT", "unit" }, { ">BYTES", "bytes" }, { ">AMOUNT", "amount" },
    };
    struct quote_words words = { .seconds = "3600" };
    const char *alone;
    const struct flag flags[] = {
        { "--flavor", &words.flavor, NULL },     { "--vcpus", &words.vcpus, NULL },
        { "--memory", &words.memory, NULL },     { "--seconds", &words.seconds, NULL },
        { "--cpu-percent", &words.cpu_percent, NULL }, { "--disk-ops", &words.disk_ops, NULL },
        { "--disk-bytes", &words.disk_bytes, NULL }, { "--packets", &words.packets, NULL },
        { "--sent", &words.sent, NULL },         { "--received", &words.received, NULL },
        { NULL, NULL, NULL },
    };
    json_t *quote;

    args_take(argv, flags, &alone, 0, 1, usage);
    words.flavor = words.flavor ? words.flavor : alone;
    if (!words.flavor && (!words.vcpus || !words.memory))
        fail(EXIT_USAGE, "a flavor, or --vcpus and --memory, is needed\nusage: xs %s", usage);
    quote = ask_post(host, "/v1/quotes", quote_body(&words));
    if (!json_print(host, quote)) {
        lines_in_units(json_object_get(quote, "lines"));
        table_print(columns, COUNT(columns), json_object_get(quote, "lines"), "Nothing is charged for this.");
        printf("\n%d vCPU, %d MiB for %jd s: %s %s (%s %s an hour); %s %s is set aside when it starts\n",
               (int)json_integer_value(json_object_get(quote, "vcpus")),
               (int)json_integer_value(json_object_get(quote, "memory_mib")),
               (intmax_t)json_integer_value(json_object_get(quote, "seconds")), answer_text(quote, "total"),
               answer_text(quote, "currency"), answer_text(quote, "per_hour"), answer_text(quote, "currency"),
               answer_text(quote, "hold"), answer_text(quote, "currency"));
    }
    json_decref(quote);
    return EXIT_DONE;
}

static void usage_print(const json_t *rows)
{
    static const struct column columns[] = {
        { "INSTANCE", "id" },
        { "STATE", "state" },
        { ">GUEST NS", "guest_ns" },
        { ">HV NS", "hv_ns" },
        { ">WAIT NS", "wait_ns" },
        { ">PAGE S", "page_seconds" },
        { ">EXITS", "exits" },
        { ">HYPERCALLS", "hypercalls" },
        { ">AMOUNT", "amount" },
        { "BILLED NOW", "meters_running" },
        { "AS OF", "as_of" },
    };

    table_print(columns, COUNT(columns), rows, "Nothing has been used yet.");
}

/* Bytes as people read them beside the exact counts, which --json has; true if there are any operations or packets. */
static bool devices_in_units(json_t *rows)
{
    static const char *const bytes[] = { "disk_read_bytes", "disk_write_bytes", "net_rx_bytes", "net_tx_bytes" };
    static const char *const counts[] = { "disk_read_ops", "disk_write_ops", "disk_flush_ops", "disk_discard_ops",
                                          "net_rx_packets", "net_tx_packets" };
    char text[UNITS_BYTES];
    bool any = false;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        for (size_t b = 0; b < COUNT(bytes); b++) {
            uint64_t count = strtoull(answer_text(row, bytes[b]), NULL, 10);

            json_object_set_new(row, bytes[b], json_string(units_print(count, text)));
        }
        for (size_t c = 0; c < COUNT(counts); c++)
            any |= strtoull(answer_text(row, counts[c]), NULL, 10) != 0;
    }
    return any;
}

static void devices_print(json_t *rows)
{
    static const struct column columns[] = {
        { "INSTANCE", "id" },
        { ">READS", "disk_read_ops" },
        { ">READ", "disk_read_bytes" },
        { ">WRITES", "disk_write_ops" },
        { ">WRITTEN", "disk_write_bytes" },
        { ">FLUSHES", "disk_flush_ops" },
        { ">DISCARDS", "disk_discard_ops" },
        { ">PACKETS IN", "net_rx_packets" },
        { ">RECEIVED", "net_rx_bytes" },
        { ">PACKETS OUT", "net_tx_packets" },
        { ">SENT", "net_tx_bytes" },
    };

    if (!devices_in_units(rows))
        return;
    putchar('\n');
    table_print(columns, COUNT(columns), rows, "");
}

int usage_command(struct host *host, char **argv)
{
    const char *which;
    char path[256] = "/v1/usage", *id;
    json_t *usage, *rows;

    args_take(argv, NULL, &which, 0, 1, "usage [INSTANCE]");
    if (which) {
        id = instance_resolve(host, which);
        snprintf(path, sizeof(path), "/v1/instances/%s/usage", id);
        free(id);
    }
    usage = ask_get(host, path);
    if (!json_print(host, usage)) {
        rows = which ? json_pack("[O]", usage) : json_incref(json_object_get(usage, "data"));
        usage_print(rows);
        devices_print(rows);
        json_decref(rows);
    }
    json_decref(usage);
    return EXIT_DONE;
}

/* The leaves as they were hashed; --json adds their places in the log. */
int records_command(struct host *host, char **argv)
{
    const char *which, *after = NULL;
    const struct flag flags[] = { { "--after", &after, NULL }, { NULL, NULL, NULL } };
    char path[320], from[48] = "", *id;
    json_t *records, *record;
    size_t i;

    args_take(argv, flags, &which, 1, 1, "records INSTANCE [--after CURSOR]");
    id = instance_resolve(host, which);
    if (after)
        snprintf(from, sizeof(from), "?after=%jd", (intmax_t)args_number("--after", after, 0, INT64_C(1) << 52));
    snprintf(path, sizeof(path), "/v1/instances/%s/records%s", id, from);
    records = ask_get(host, path);
    if (!json_print(host, records))
        json_array_foreach(json_object_get(records, "data"), i, record)
            text_print(answer_text(record, "leaf"));
    json_decref(records);
    free(id);
    return EXIT_DONE;
}

int wallet_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "AT", "at" }, { "WHAT", "code" }, { ">AMOUNT", "amount" }, { "REASON", "reason" }, { "TRANSFER", "transfer_id" },
    };
    json_t *wallet;

    args_take(argv, NULL, NULL, 0, 0, "wallet");
    wallet = ask_get(host, "/v1/wallet");
    if (!json_print(host, wallet)) {
        printf("balance %s %s, held %s, free to use %s\n\n", answer_text(wallet, "balance"), answer_text(wallet, "currency"),
               answer_text(wallet, "held"), answer_text(wallet, "available"));
        table_print(columns, COUNT(columns), json_object_get(wallet, "entries"), "No money has moved yet.");
    }
    json_decref(wallet);
    return EXIT_DONE;
}

static void invoices_print(struct host *host, const json_t *answer, bool one)
{
    static const struct column columns[] = {
        { "ID", "id" },       { "NUMBER", "number" },     { "ISSUED", "issued_at" },
        { ">TOTAL", "total" }, { "CURRENCY", "currency" }, { "FROM", "period_start" },
        { "TO", "period_end" },
    };
    json_t *rows;

    if (json_print(host, answer))
        return;
    rows = one ? json_pack("[O]", answer) : json_incref(json_object_get(answer, "data"));
    table_print(columns, COUNT(columns), rows, "There are no invoices. Make one: xs invoice new");
    json_decref(rows);
}

int invoice_new_command(struct host *host, char **argv)
{
    json_t *invoice;

    args_take(argv, NULL, NULL, 0, 0, "invoice new");
    invoice = ask_post(host, "/v1/invoices", NULL);
    invoices_print(host, invoice, true);
    json_decref(invoice);
    return EXIT_DONE;
}

int invoice_list_command(struct host *host, char **argv)
{
    json_t *invoices;

    args_take(argv, NULL, NULL, 0, 0, "invoice list");
    invoices = ask_get(host, "/v1/invoices");
    invoices_print(host, invoices, false);
    json_decref(invoices);
    return EXIT_DONE;
}

static void invoice_path(char *path, size_t size, const char *id, const char *rest)
{
    if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id))
        fail(EXIT_USAGE, "\"%s\" is not an invoice's id: xs invoice list shows them", id);
    snprintf(path, size, "/v1/invoices/%s%s", id, rest);
}

int invoice_show_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "INSTANCE", "instance_id" }, { "METER", "meter" },  { ">QUANTITY", "units" },
        { "UNIT", "unit" },            { ">BYTES", "bytes" }, { ">AMOUNT", "amount" },
    };
    const char *id;
    char path[256];
    json_t *invoice;

    args_take(argv, NULL, &id, 1, 1, "invoice show ID");
    invoice_path(path, sizeof(path), id, "");
    invoice = ask_get(host, path);
    if (!host_settings(host)->json && json_is_array(json_object_get(invoice, "lines"))) {
        lines_in_units(json_object_get(invoice, "lines"));
        table_print(columns, COUNT(columns), json_object_get(invoice, "lines"), "This invoice has no lines.");
        putchar('\n');
    }
    invoices_print(host, invoice, true);
    json_decref(invoice);
    return EXIT_DONE;
}

int invoice_get_command(struct host *host, char **argv)
{
    const char *id, *file = NULL;
    const struct flag flags[] = { { "-o", &file, NULL }, { NULL, NULL, NULL } };
    char path[256], name[96];

    args_take(argv, flags, &id, 1, 1, "invoice get ID [-o FILE]");
    invoice_path(path, sizeof(path), id, "/bundle");
    snprintf(name, sizeof(name), "%s.tar", id);
    ask_file(host, path, file ? file : name);
    fprintf(stderr, "%s: check it with: xs-verify %s\n", file ? file : name, file ? file : name);
    return EXIT_DONE;
}
