/* What Prometheus scrapes (text format 0.0.4): a customer's key gives its instances and money, an operator's the host.
 * The counters are those that bill, so a graph and an invoice cannot differ. Times are in seconds, sizes in bytes. */
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "text/plain; version=0.0.4; charset=utf-8"
#define NANO_DIGITS 9

/* One row a sample; rows of one family stand together, and the first has its help. */
struct metric {
    const char *family, *help;          /* help NULL: of the row above */
    const char *type;
    const char *labels;                 /* beside those of the thing, or "" */
    const char *key;                    /* in the daemon's answer */
    bool nano;                          /* in 10^-9 of what the family's name says */
};

/* clang-format off */
static const struct metric instance_metrics[] = {
    { "instance_cpu_seconds_total", "CPU time; wait: ready to run, and not running", "counter", ",mode=\"guest\"", "guest_ns", true },
    { "instance_cpu_seconds_total", NULL, "counter", ",mode=\"hypervisor\"", "hv_ns", true },
    { "instance_cpu_seconds_total", NULL, "counter", ",mode=\"wait\"", "wait_ns", true },
    { "instance_page_seconds_total", "Memory used: pages of 4096 bytes times seconds", "counter", "", "page_seconds", false },
    { "instance_exits_total", "Times the guest left for the hypervisor", "counter", "", "exits", false },
    { "instance_hypercalls_total", "Hypercalls", "counter", "", "hypercalls", false },
    { "instance_disk_operations_total", "Requests to disks", "counter", ",operation=\"read\"", "disk_read_ops", false },
    { "instance_disk_operations_total", NULL, "counter", ",operation=\"write\"", "disk_write_ops", false },
    { "instance_disk_operations_total", NULL, "counter", ",operation=\"flush\"", "disk_flush_ops", false },
    { "instance_disk_operations_total", NULL, "counter", ",operation=\"discard\"", "disk_discard_ops", false },
    { "instance_disk_bytes_total", "Bytes from and to disks", "counter", ",operation=\"read\"", "disk_read_bytes", false },
    { "instance_disk_bytes_total", NULL, "counter", ",operation=\"write\"", "disk_write_bytes", false },
    { "instance_network_packets_total", "Packets", "counter", ",direction=\"receive\"", "net_rx_packets", false },
    { "instance_network_packets_total", NULL, "counter", ",direction=\"transmit\"", "net_tx_packets", false },
    { "instance_network_bytes_total", "Bytes of packets", "counter", ",direction=\"receive\"", "net_rx_bytes", false },
    { "instance_network_bytes_total", NULL, "counter", ",direction=\"transmit\"", "net_tx_bytes", false },
    { "instance_network_dropped_total", "Packets dropped, which are not billed", "counter", ",direction=\"receive\"", "net_rx_drops", false },
    { "instance_network_dropped_total", NULL, "counter", ",direction=\"transmit\"", "net_tx_drops", false },
    { "instance_charged_total", "What it was charged, and what runs now at the price of its next record; in the wallet's currency, without tax", "counter", "", "amount_nano", true },
};

static const struct metric wallet_metrics[] = {
    { "wallet_balance", "Money in the wallet, holds included", "gauge", "", "posted_nano", true },
    { "wallet_held", "Set aside for what runs", "gauge", "", "held_nano", true },
    { "wallet_available", "What can be spent", "gauge", "", "available_nano", true },
    { "wallet_burn_per_hour", "What an hour costs as things run now", "gauge", "", "burn_nano_per_hour", true },
};

static const struct metric host_metrics[] = {
    { "host_pages", "Pages of 4096 bytes", "gauge", "state=\"total\"", "pages_total", false },
    { "host_pages", NULL, "gauge", "state=\"free\"", "pages_free", false },
    { "host_cpus", "CPUs", "gauge", "", "cpus", false },
    { "host_domains", "Domains, dom0 included", "gauge", "", "domains", false },
    { "host_guests_max", "Guests that may be", "gauge", "", "guests_max", false },
};

static const struct metric meter_metrics[] = {
    { "meter_samples_total", "Samples of the counters that were taken", "counter", "", "samples", false },
    { "meter_samples_missed_total", "Samples that fell out", "counter", "", "misses", false },
    { "meter_last_sample_age_milliseconds", "Age of the newest sample", "gauge", "", "last_sample_age_ms", false },
    { "meter_conservation_ok", "1 while guests, hypervisor and idle time add up to the time of the CPUs", "gauge", "", "conservation_ok", false },
    { "log_leaves", "Records and other leaves of the log", "counter", "", "log_size", false },
};

static const struct metric cpu_metrics[] = {
    { "cpu_seconds_total", "Where the CPU's time went", "counter", ",mode=\"guest\"", "guest_ns", true },
    { "cpu_seconds_total", NULL, "counter", ",mode=\"hypervisor\"", "hv_ns", true },
    { "cpu_seconds_total", NULL, "counter", ",mode=\"idle\"", "idle_ns", true },
};

/* clang-format on */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A whole number of 10^-9, as digits, with its point moved. */
static void put_nano(FILE *out, const char *digits)
{
    const char *sign = *digits == '-' ? "-" : "";
    size_t len = strlen(digits + (*sign != 0));

    digits += *sign != 0;
    if (len > NANO_DIGITS)
        fprintf(out, "%s%.*s.%s\n", sign, (int)(len - NANO_DIGITS), digits, digits + len - NANO_DIGITS);
    else
        fprintf(out, "%s0.%.*s%s\n", sign, (int)(NANO_DIGITS - len), "000000000", digits);
}

static void put_value(FILE *out, const json_t *value, bool nano)
{
    char text[24];
    const char *digits = json_string_value(value);

    if (!digits) {
        snprintf(text, sizeof(text), "%jd", json_is_boolean(value) ? (intmax_t)json_is_true(value)
                                                                 : (intmax_t)json_integer_value(value));
        digits = text;
    }
    if (nano)
        put_nano(out, digits);
    else
        fprintf(out, "%s\n", digits);
}

/* One sample of `thing`, whose own labels are `labels`. What the daemon does not say has none. */
static void put_sample(FILE *out, const struct metric *metric, const json_t *thing, const char *labels)
{
    const json_t *value = json_object_get(thing, metric->key);

    if (!value || json_is_null(value))
        return;
    fprintf(out, "xenoserver_%s", metric->family);
    if (*labels || *metric->labels)
        fprintf(out, "{%s%s}", labels, metric->labels);
    fputc(' ', out);
    put_value(out, value, metric->nano);
}

static void put_help(FILE *out, const struct metric *metric)
{
    if (metric->help)
        fprintf(out, "# HELP xenoserver_%s %s\n# TYPE xenoserver_%s %s\n", metric->family, metric->help, metric->family,
                metric->type);
}

static void put_one(FILE *out, const struct metric *metrics, size_t count, const json_t *thing, const char *labels)
{
    for (size_t m = 0; m < count; m++) {
        put_help(out, &metrics[m]);
        put_sample(out, &metrics[m], thing, labels);
    }
}

/* Of each thing in the list; its label is its text at `id`, or its place. */
static void put_each(FILE *out, const struct metric *metrics, size_t count, const json_t *list, const char *label,
                     const char *id)
{
    char labels[ID_BYTES + 32];
    json_t *thing;
    size_t i;

    for (size_t m = 0; m < count; m++) {
        put_help(out, &metrics[m]);
        json_array_foreach(list, i, thing) {
            if (id)
                snprintf(labels, sizeof(labels), "%s=\"%s\"", label, json_text(thing, id));
            else
                snprintf(labels, sizeof(labels), "%s=\"%zu\"", label, i);
            put_sample(out, &metrics[m], thing, labels);
        }
    }
}

static void put_customer(FILE *out, const json_t *usage, const json_t *wallet)
{
    char labels[32];

    snprintf(labels, sizeof(labels), "currency=\"%.3s\"", json_text(wallet, "currency"));
    put_each(out, instance_metrics, COUNT(instance_metrics), json_object_get(usage, "instances"), "instance_id",
             "instance_id");
    put_one(out, wallet_metrics, COUNT(wallet_metrics), wallet, labels);
}

static void put_host(FILE *out, const json_t *host, const json_t *status)
{
    put_one(out, host_metrics, COUNT(host_metrics), host, "");
    put_one(out, meter_metrics, COUNT(meter_metrics), status, "");
    put_each(out, cpu_metrics, COUNT(cpu_metrics), json_object_get(status, "cpus"), "cpu", NULL);
}

static enum answer print(struct reply *rp, void (*put)(FILE *out, const json_t *first, const json_t *second),
                         const json_t *first, const json_t *second)
{
    FILE *out = open_memstream(&rp->text, &rp->text_size);

    if (out)
        put(out, first, second);
    if (!out || fclose(out) != 0)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    rp->text_type = TYPE;
    return ANSWER_OK;
}

enum answer metrics_show(struct request *rq, struct reply *rp)
{
    json_t *usage = NULL, *wallet = NULL;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "usage",
                                      json_pack("{s:s, s:b}", "account_id", rq->who.account_id, "open", 1), &usage);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "wallet", relay_args(rq), &wallet);
    if (answer == ANSWER_OK)
        answer = print(rp, put_customer, usage, wallet);
    json_decref(usage);
    json_decref(wallet);
    return answer;
}

enum answer host_metrics_show(struct request *rq, struct reply *rp)
{
    json_t *host = NULL, *status = NULL;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "host", json_object(), &host);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "status", json_object(), &status);
    if (answer == ANSWER_OK)
        answer = print(rp, put_host, host, status);
    json_decref(host);
    json_decref(status);
    return answer;
}
