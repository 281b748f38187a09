/* Firewalls as their owners write them: what is taken, what is refused and by which name, and the rules for nft. */
#include "provisioner/firewall.h"
#include "tap.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define GUEST 0x0a4d0102u               /* 10.77.1.2 */

static struct firewall firewall, again;

static int read_text(const char *text, struct firewall *out, struct json_why *why)
{
    json_error_t error;
    json_t *object = json_loads(text, 0, &error);
    int rc;

    if (!object)
        errx(1, "%s: %s", text, error.text);
    rc = firewall_read(object, out, why);
    json_decref(object);
    return rc;
}

static void taken(const char *text, const char *normal)
{
    struct json_why why = { .text = "" };
    char *out = NULL, name[300];
    json_t *object;

    snprintf(name, sizeof(name), "taken: %s", text);
    if (!read_text(text, &firewall, &why)) {
        object = firewall_json(&firewall);
        out = json_canonical(object);
        json_decref(object);
    }
    if (!check(out && !strcmp(out, normal), name))
        printf("# %s%s\n", why.text, out ? out : "");
    free(out);
}

static void refused(const char *text, const char *beginning)
{
    struct json_why why = { .text = "taken" };
    char name[300];

    snprintf(name, sizeof(name), "refused, %s: %.200s", beginning, text);
    if (!check(read_text(text, &firewall, &why) == -1 && !strncmp(why.text, beginning, strlen(beginning)), name))
        printf("# %s\n", why.text);
}

static void bodies(void)
{
    taken("{\"enabled\":false}", "{\"enabled\":false,\"inbound\":[],\"outbound\":[]}");
    taken("{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22-22\",\"source\":\"192.0.2.1\",\"note\":\"home \xc3\xbc\"}]}",
          "{\"enabled\":true,\"inbound\":[{\"note\":\"home \xc3\xbc\",\"ports\":\"22\",\"protocol\":\"tcp\",\"source\":\"192.0.2.1/32\"}],"
          "\"outbound\":[]}");
    taken("{\"enabled\":true,\"outbound\":[{\"protocol\":\"udp\",\"ports\":\"1-65535\",\"destination\":\"0.0.0.0/0\"},{\"protocol\":\"icmp\"}]}",
          "{\"enabled\":true,\"inbound\":[],\"outbound\":[{\"destination\":\"0.0.0.0/0\",\"ports\":\"1-65535\",\"protocol\":\"udp\"},"
          "{\"protocol\":\"icmp\"}]}");
    refused("{}", "enabled: ");
    refused("{\"enabled\":1}", "enabled: ");
    refused("{\"enabled\":true,\"rules\":[]}", "rules: unknown");
    refused("{\"enabled\":true,\"inbound\":{}}", "inbound: ");
    refused("{\"enabled\":true,\"outbound\":null}", "outbound: ");
    refused("{\"enabled\":true,\"inbound\":[7]}", "inbound[0]: ");
}

/* A rule of the other kind before it, so that its number is seen. */
static void rule_refused(const char *way, const char *rule, const char *field)
{
    char text[400], beginning[64];

    snprintf(text, sizeof(text), "{\"enabled\":true,\"%s\":[{\"protocol\":\"icmp\"},%s]}", way, rule);
    snprintf(beginning, sizeof(beginning), "%s[1].%s: ", way, field);
    refused(text, beginning);
}

static void rules(void)
{
    static const char *const ports[] = { "\"0\"", "\"65536\"", "\"022\"", "\"22-\"", "\"-22\"", "\"22 \"", "\"23-22\"", "\"0-22\"", "\"1-2-3\"",
                                         "\"ssh\"", "\"\"", "22", "null", "\"99999999999999999999\"" };
    static const char *const networks[] = { "\"10.0.0.1/8\"", "\"10.0.0.0/33\"", "\"10.0.0.0/\"", "\"10.0.0.0/08\"", "\"10.0.0/8\"",
                                            "\"010.0.0.0/8\"", "\"2001:db8::/32\"", "\"10.0.0.0/8 \"", "\"example.org\"", "\"\"", "4",
                                            "\"0.0.0.1/0\"", "\"10.0.0.0/8/8\"" };
    char rule[200], note[160];

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        snprintf(rule, sizeof(rule), "{\"protocol\":\"tcp\",\"ports\":%s}", ports[i]);
        rule_refused("inbound", rule, "ports");
    }
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        snprintf(rule, sizeof(rule), "{\"protocol\":\"udp\",\"source\":%s}", networks[i]);
        rule_refused("inbound", rule, "source");
        snprintf(rule, sizeof(rule), "{\"protocol\":\"udp\",\"destination\":%s}", networks[i]);
        rule_refused("outbound", rule, "destination");
    }
    rule_refused("inbound", "{}", "protocol");
    rule_refused("inbound", "{\"protocol\":\"sctp\"}", "protocol");
    rule_refused("outbound", "{\"protocol\":\"icmp\",\"ports\":\"8\"}", "ports");
    rule_refused("inbound", "{\"protocol\":\"tcp\",\"destination\":\"10.0.0.0/8\"}", "destination");
    rule_refused("outbound", "{\"protocol\":\"tcp\",\"source\":\"10.0.0.0/8\"}", "source");
    rule_refused("outbound", "{\"protocol\":\"tcp\",\"note\":\"a\\nb\"}", "note");
    snprintf(note, sizeof(note), "{\"protocol\":\"tcp\",\"note\":\"%0101d\"}", 0);
    rule_refused("outbound", note, "note");
}

static void bounds(void)
{
    json_t *list = json_array(), *object = json_pack("{s:b, s:o}", "enabled", 1, "inbound", list);
    struct json_why why;

    for (unsigned i = 0; i < FIREWALL_RULES_MAX; i++)
        json_array_append_new(list, json_pack("{s:s}", "protocol", "tcp"));
    check(!firewall_read(object, &firewall, &why) && firewall.inbound_count == FIREWALL_RULES_MAX, "as many rules as there may be");
    json_array_append_new(list, json_pack("{s:s}", "protocol", "tcp"));
    check(firewall_read(object, &firewall, &why) && !strncmp(why.text, "inbound: ", 9), "one more is refused");
    json_decref(object);
}

static void compiled(const char *text, const char *want, const char *name)
{
    struct json_why why;
    char *nft = read_text(text, &firewall, &why) ? NULL : firewall_nft(&firewall, GUEST);

    if (!check(nft && !strcmp(nft, want), name))
        printf("%s", nft ? nft : why.text);
    free(nft);
}

#define BEGIN(name, map) \
    "add chain inet xs " name "-10.77.1.2\nflush chain inet xs " name "-10.77.1.2\n" \
    "add element inet xs " map " { 10.77.1.2 : jump " name "-10.77.1.2 }\n"
#define END(name, map) "delete element inet xs " map " { 10.77.1.2 }\ndelete chain inet xs " name "-10.77.1.2\n"
#define RULE(name, rule) "add rule inet xs " name "-10.77.1.2 " rule "\n"

static void texts(void)
{
    compiled("{\"enabled\":false,\"inbound\":[{\"protocol\":\"tcp\"}]}",
             BEGIN("to", "inbound") END("to", "inbound") BEGIN("from", "outbound") END("from", "outbound"),
             "one that is not enabled takes away what there was");
    compiled("{\"enabled\":true}",
             BEGIN("to", "inbound") RULE("to", "drop") BEGIN("from", "outbound") END("from", "outbound"),
             "without rules nothing comes in and everything goes out");
    compiled("{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"source\":\"192.0.2.0/24\"},{\"protocol\":\"icmp\"}],"
             "\"outbound\":[{\"protocol\":\"udp\",\"ports\":\"5000-5001\"},{\"protocol\":\"tcp\",\"destination\":\"0.0.0.0/0\"}]}",
             BEGIN("to", "inbound") RULE("to", "ip saddr 192.0.2.0/24 tcp dport 22 return") RULE("to", "meta l4proto icmp return")
             RULE("to", "drop") BEGIN("from", "outbound") RULE("from", "udp dport 5000-5001 return")
             RULE("from", "meta l4proto tcp return") RULE("from", "drop"),
             "rules are what may pass, the rest is dropped");
}

static void random_rule(struct firewall_rule *rule)
{
    *rule = (struct firewall_rule){ .protocol = (enum firewall_protocol)(random() % FIREWALL_PROTOCOLS), .anywhere = random() % 2 };
    if (rule->protocol != FIREWALL_ICMP && random() % 3) {
        rule->first = (uint16_t)(1 + random() % 65535);
        rule->last = (uint16_t)(rule->first + random() % (65536 - rule->first));
    }
    if (!rule->anywhere) {
        rule->prefix = (uint8_t)(random() % 33);
        rule->network = rule->prefix ? (uint32_t)random() << 1 & UINT32_MAX << (32 - rule->prefix) : 0;
    }
    if (random() % 2)
        snprintf(rule->note, sizeof(rule->note), "note %ld", random());
}

static void random_firewall(struct firewall *f)
{
    memset(f, 0, sizeof(*f));
    f->enabled = random() % 8;
    f->inbound_count = (unsigned)(random() % (FIREWALL_RULES_MAX + 1));
    f->outbound_count = (unsigned)(random() % (FIREWALL_RULES_MAX + 1));
    for (unsigned i = 0; i < f->inbound_count; i++)
        random_rule(&f->inbound[i]);
    for (unsigned i = 0; i < f->outbound_count; i++)
        random_rule(&f->outbound[i]);
}

static void round_trips(void)
{
    struct json_why why;
    unsigned wrong = 0;

    for (int i = 0; i < 500; i++) {
        random_firewall(&firewall);
        json_t *object = firewall_json(&firewall);
        memset(&again, 0, sizeof(again));
        wrong += firewall_read(object, &again, &why) || memcmp(&again, &firewall, sizeof(again));
        json_decref(object);
    }
    check(!wrong, "what is told is taken again as the same");
}

/* For firewall.sh: rules of one firewall after the other, for nft to read. */
static int generate(int count)
{
    for (int i = 0; i < count; i++) {
        random_firewall(&firewall);
        char *nft = firewall_nft(&firewall, GUEST + (uint32_t)(i % 3));
        fputs(nft, stdout);
        free(nft);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return generate(atoi(argv[1]));
    bodies();
    rules();
    bounds();
    texts();
    round_trips();
    return tap_end();
}
