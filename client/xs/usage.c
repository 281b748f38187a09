/* What was used: live, by days, and as the records behind the bill. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"
#include "client/xs/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void usage_print(const json_t *rows)
{
    static const struct column columns[] = {
        {"INSTANCE", "id"},        {"STATE", "state"},
        {">GUEST NS", "guest_ns"}, {">HV NS", "hv_ns"},
        {">WAIT NS", "wait_ns"},   {">PAGE S", "page_seconds"},
        {">EXITS", "exits"},       {">HYPERCALLS", "hypercalls"},
        {">AMOUNT", "amount"},     {"BILLED NOW", "meters_running"},
        {"AS OF", "as_of"},
    };

    table_print(columns, COUNT(columns), rows, "Nothing has been used yet.");
}

/* Bytes as people read them beside the exact counts, which --json has; true if there are any operations or packets. */
static bool devices_in_units(json_t *rows)
{
    static const char *const bytes[] = {"disk_read_bytes", "disk_write_bytes", "net_rx_bytes", "net_tx_bytes"};
    static const char *const counts[] = {"disk_read_ops",    "disk_write_ops", "disk_flush_ops",
                                         "disk_discard_ops", "net_rx_packets", "net_tx_packets"};
    char text[UNITS_BYTES];
    bool any = false;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        for (size_t b = 0; b < COUNT(bytes); b++) {
            uint64_t count = strtoull(json_text(row, bytes[b]), NULL, 10);

            json_object_set_new(row, bytes[b], json_string(units_print(count, text)));
        }
        for (size_t c = 0; c < COUNT(counts); c++)
            any |= strtoull(json_text(row, counts[c]), NULL, 10) != 0;
    }
    return any;
}

static void devices_print(json_t *rows)
{
    static const struct column columns[] = {
        {"INSTANCE", "id"},
        {">READS", "disk_read_ops"},
        {">READ", "disk_read_bytes"},
        {">WRITES", "disk_write_ops"},
        {">WRITTEN", "disk_write_bytes"},
        {">FLUSHES", "disk_flush_ops"},
        {">DISCARDS", "disk_discard_ops"},
        {">PACKETS IN", "net_rx_packets"},
        {">RECEIVED", "net_rx_bytes"},
        {">PACKETS OUT", "net_tx_packets"},
        {">SENT", "net_tx_bytes"},
    };

    if (!devices_in_units(rows))
        return;
    putchar('\n');
    table_print(columns, COUNT(columns), rows, "");
}

struct period_words {
    const char *from, *to, *by;
    bool csv, ndjson;
};

/* What was used in some days and what it cost. */
static int summary_show(struct host *host, const struct period_words *words)
{
    static const struct column columns[] = {
        {"DAY", "day"},   {"INSTANCE", "instance_id"}, {"METER", "meter"}, {">QUANTITY", "units"},
        {"UNIT", "unit"}, {">AMOUNT", "amount"},
    };
    char path[256] = "/v1/usage/summary";

    query_add(path, sizeof(path), "--from", words->from);
    query_add(path, sizeof(path), "--to", words->to);
    query_add(path, sizeof(path), "--by", words->by);
    if (words->csv && words->ndjson)
        fail(EXIT_USAGE, "--csv or --ndjson, not both");
    if (!words->csv && !words->ndjson)
        return page_show(host, path, columns, COUNT(columns), "Nothing was used in these days.");
    ask_rows(host, path, words->csv ? "text/csv" : "application/x-ndjson");
    return EXIT_DONE;
}

int usage_command(struct host *host, char **argv)
{
    static const char words_usage[] =
        "usage [INSTANCE]\n"
        "       xs usage [--by meter|instance|day[,...]] [--from DAY] [--to DAY] [--csv | --ndjson]";
    struct period_words words = {.from = NULL};
    const struct flag flags[] = {
        {"--by", &words.by, NULL},   {"--from", &words.from, NULL},     {"--to", &words.to, NULL},
        {"--csv", NULL, &words.csv}, {"--ndjson", NULL, &words.ndjson}, {NULL, NULL, NULL},
    };
    bool summary;
    const char *which;
    char path[256] = "/v1/usage", *id;
    json_t *usage, *rows;

    args_take(argv, flags, &which, 0, 1, words_usage);
    summary = words.by || words.from || words.to || words.csv || words.ndjson;
    if (summary && which)
        fail(EXIT_USAGE, "\"%s\": days are summed for all instances: --by instance shows each\nusage: xs %s", which,
             words_usage);
    if (summary)
        return summary_show(host, &words);
    if (which) {
        id = instance_resolve(host, which);
        snprintf(path, sizeof(path), "/v1/instances/%s/usage", id);
        free(id);
    }
    usage = which ? ask_get(host, path) : ask_list(host, path);
    if (!json_print(host, usage)) {
        rows = which ? json_pack("[O]", usage) : json_incref(json_object_get(usage, "data"));
        usage_print(rows);
        devices_print(rows);
        json_decref(rows);
    }
    json_decref(usage);
    return EXIT_DONE;
}

static void file_put(const char *folder, json_int_t index, const char *ending, const char *text)
{
    char path[4096];
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%012jd.%s", folder, (intmax_t)index, ending) >= (int)sizeof(path))
        fail(EXIT_USAGE, "--proofs: the folder's name is too long");
    file = fopen(path, "we");
    if (!file || fputs(text, file) == EOF || fclose(file) != 0)
        fail(EXIT_REFUSED, "%s: %s", path, strerror(errno));
}

/* The leaf and its tlog-proof file under the names that bundles use. */
static void proofs_put(const char *folder, const json_t *records)
{
    json_t *record;
    size_t i, waiting = 0;

    json_array_foreach(records, i, record)
    {
        json_int_t index = json_integer_value(json_object_get(record, "index"));

        file_put(folder, index, "leaf", json_text(record, "leaf"));
        if (json_is_string(json_object_get(record, "proof")))
            file_put(folder, index, "tlog-proof", json_text(record, "proof"));
        else
            waiting++;
    }
    fprintf(stderr, "%s: %zu records, %zu of them not under a signed head yet\n", folder, i, waiting);
}

/* The leaves as they were hashed; --json adds their places in the log and their proofs. */
int records_command(struct host *host, char **argv)
{
    const char *which, *after = NULL, *folder = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {"--proofs", &folder, NULL}, {NULL, NULL, NULL}};
    char path[320] = "/v1/usage/records", *id;
    json_t *records, *record;
    size_t i;

    args_take(argv, flags, &which, 1, 1, "records INSTANCE [--after CURSOR] [--proofs FOLDER]");
    if (after)
        args_number("--after", after, 0, INT64_C(1) << 52);
    id = instance_resolve(host, which);
    query_add(path, sizeof(path), "--instance-id", id);
    query_add(path, sizeof(path), "--after", after);
    records = ask_get(host, path);
    if (folder)
        proofs_put(folder, json_object_get(records, "data"));
    else if (!json_print(host, records))
        json_array_foreach(json_object_get(records, "data"), i, record) text_print(json_text(record, "leaf"));
    if (json_is_integer(json_object_get(records, "next_cursor")))
        fprintf(stderr, "there is more: --after %jd\n",
                (intmax_t)json_integer_value(json_object_get(records, "next_cursor")));
    json_decref(records);
    free(id);
    return EXIT_DONE;
}
