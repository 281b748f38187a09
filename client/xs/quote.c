/* xs quote: what a configuration would cost. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
               (intmax_t)json_integer_value(json_object_get(quote, "seconds")), json_text(quote, "total"),
               json_text(quote, "currency"), json_text(quote, "per_hour"), json_text(quote, "currency"),
               json_text(quote, "hold"), json_text(quote, "currency"));
    }
    json_decref(quote);
    return EXIT_DONE;
}
