/* Nothing of the customer's text reaches nft: a rule is numbers by then. */
#include "provisioner/firewall.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const protocol_names[FIREWALL_PROTOCOLS] = { "tcp", "udp", "icmp" };

struct way {
    const char *name, *peer, *keys;
};
static const struct way inbound = { "inbound", "source", "protocol ports source note" };
static const struct way outbound = { "outbound", "destination", "protocol ports destination note" };

static int wrong(struct json_why *why, const char *must)
{
    snprintf(why->text, sizeof(why->text), "%s", must);
    return -1;
}

/* Decimal digits, no leading zero, up to `max`; what follows, or NULL. */
static const char *number_read(const char *text, unsigned max, unsigned *out)
{
    size_t digits = strspn(text, "0123456789");

    if (!digits || digits > 5 || (digits > 1 && *text == '0'))
        return NULL;
    *out = (unsigned)strtoul(text, NULL, 10);
    return *out <= max ? text + digits : NULL;
}

static int ports_read(const char *text, struct firewall_rule *rule, struct json_why *why)
{
    unsigned first, last;
    const char *rest = number_read(text, UINT16_MAX, &first);

    last = first;
    if (rest && *rest == '-')
        rest = number_read(rest + 1, UINT16_MAX, &last);
    if (!rest || *rest || !first)
        return wrong(why, "ports: must be a port from 1 to 65535, or a range like \"8000-8010\"");
    if (last < first)
        return wrong(why, "ports: the range ends before it begins");
    rule->first = (uint16_t)first;
    rule->last = (uint16_t)last;
    return 0;
}

static uint32_t host_bits(unsigned prefix)
{
    return prefix < 32 ? UINT32_MAX >> prefix : 0;
}

static int network_read(const char *key, const char *text, struct firewall_rule *rule, struct json_why *why)
{
    size_t len = strcspn(text, "/");
    char address[INET_ADDRSTRLEN];
    struct in_addr parsed;
    unsigned prefix = 32;
    const char *rest = text[len] ? number_read(text + len + 1, 32, &prefix) : "";

    snprintf(address, sizeof(address), "%.*s", (int)len, text);
    if (len >= sizeof(address) || !rest || *rest || inet_pton(AF_INET, address, &parsed) != 1) {
        snprintf(why->text, sizeof(why->text), "%s: must be an IPv4 network like \"203.0.113.0/24\", or an address%s", key,
                 strchr(text, ':') ? "; guests have no IPv6" : "");
        return -1;
    }
    rule->network = ntohl(parsed.s_addr);
    rule->prefix = (uint8_t)prefix;
    if (!(rule->network & host_bits(prefix)))
        return 0;
    parsed.s_addr = htonl(rule->network & ~host_bits(prefix));
    inet_ntop(AF_INET, &parsed, address, sizeof(address));
    snprintf(why->text, sizeof(why->text), "%s: has bits below its prefix; the network is %s/%u", key, address, prefix);
    return -1;
}

static int protocol_read(const json_t *object, struct firewall_rule *rule, struct json_why *why)
{
    const char *name = json_text(object, "protocol");

    for (unsigned i = 0; i < FIREWALL_PROTOCOLS; i++)
        if (!strcmp(name, protocol_names[i])) {
            rule->protocol = (enum firewall_protocol)i;
            return 0;
        }
    return wrong(why, "protocol: must be \"tcp\", \"udp\" or \"icmp\"");
}

static int rule_read(const struct way *way, const json_t *object, struct firewall_rule *rule, struct json_why *why)
{
    const char *text;

    *rule = (struct firewall_rule){ .anywhere = !json_has(object, way->peer) };
    if (json_arg_only(object, way->keys, why) || protocol_read(object, rule, why))
        return -1;
    if (json_has(object, "ports")) {
        if (rule->protocol == FIREWALL_ICMP)
            return wrong(why, "ports: icmp has none");
        if (json_arg_string(object, "ports", 11, &text, why) || ports_read(text, rule, why))
            return -1;
    }
    if (!rule->anywhere &&
        (json_arg_string(object, way->peer, 64, &text, why) || network_read(way->peer, text, rule, why)))
        return -1;
    if (json_has(object, "note")) {
        if (json_arg_string(object, "note", FIREWALL_NOTE_BYTES, &text, why))
            return -1;
        snprintf(rule->note, sizeof(rule->note), "%s", text);
    }
    return 0;
}

static int rules_read(const struct way *way, const json_t *object, struct firewall_rule rules[FIREWALL_RULES_MAX],
                      unsigned *count, struct json_why *why)
{
    const json_t *list = json_object_get(object, way->name), *each;
    struct json_why inner;
    size_t i;

    *count = 0;
    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > FIREWALL_RULES_MAX) {
        snprintf(why->text, sizeof(why->text), "%s: must be a list of at most %u rules", way->name, FIREWALL_RULES_MAX);
        return -1;
    }
    json_array_foreach(list, i, each) {
        if (!json_is_object(each)) {
            snprintf(why->text, sizeof(why->text), "%s[%zu]: must be an object", way->name, i);
            return -1;
        }
        if (rule_read(way, each, &rules[i], &inner)) {
            snprintf(why->text, sizeof(why->text), "%s[%zu].%.200s", way->name, i, inner.text);
            return -1;
        }
    }
    *count = (unsigned)json_array_size(list);
    return 0;
}

int firewall_read(const json_t *object, struct firewall *firewall, struct json_why *why)
{
    if (json_arg_only(object, "enabled inbound outbound", why) ||
        json_arg_bool(object, "enabled", &firewall->enabled, why) ||
        rules_read(&inbound, object, firewall->inbound, &firewall->inbound_count, why))
        return -1;
    return rules_read(&outbound, object, firewall->outbound, &firewall->outbound_count, why);
}

/* "203.0.113.0/24" */
static void network_text(const struct firewall_rule *rule, char text[24])
{
    char address[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &(struct in_addr){ htonl(rule->network) }, address, sizeof(address));
    snprintf(text, 24, "%s/%u", address, rule->prefix);
}

/* "22" or "8000-8010" */
static void ports_text(const struct firewall_rule *rule, char text[16])
{
    if (rule->first == rule->last)
        snprintf(text, 16, "%u", rule->first);
    else
        snprintf(text, 16, "%u-%u", rule->first, rule->last);
}

static json_t *rules_json(const struct way *way, const struct firewall_rule *rules, unsigned count)
{
    json_t *list = json_array(), *rule;
    char text[24];

    for (unsigned i = 0; i < count; i++) {
        rule = json_pack("{s:s}", "protocol", protocol_names[rules[i].protocol]);
        if (rules[i].first) {
            ports_text(&rules[i], text);
            json_object_set_new(rule, "ports", json_string(text));
        }
        if (!rules[i].anywhere) {
            network_text(&rules[i], text);
            json_object_set_new(rule, way->peer, json_string(text));
        }
        if (*rules[i].note)
            json_object_set_new(rule, "note", json_string(rules[i].note));
        json_array_append_new(list, rule);
    }
    return list;
}

json_t *firewall_json(const struct firewall *firewall)
{
    return json_pack("{s:b, s:o, s:o}", "enabled", (int)firewall->enabled, "inbound",
                     rules_json(&inbound, firewall->inbound, firewall->inbound_count), "outbound",
                     rules_json(&outbound, firewall->outbound, firewall->outbound_count));
}

struct chain {
    const char *name, *map, *peer;      /* peer: nft's word for the other end's address */
};
static const struct chain to_guest = { "to", "inbound", "saddr" };
static const struct chain from_guest = { "from", "outbound", "daddr" };

/* Deleting what is not there is an error to nft, adding what is there is none. */
static void chain_begin(FILE *out, const struct chain *chain, const char *guest)
{
    fprintf(out, "add chain inet xs %s-%s\nflush chain inet xs %s-%s\nadd element inet xs %s { %s : jump %s-%s }\n",
            chain->name, guest, chain->name, guest, chain->map, guest, chain->name, guest);
}

static void chain_delete(FILE *out, const struct chain *chain, const char *guest)
{
    chain_begin(out, chain, guest);
    fprintf(out, "delete element inet xs %s { %s }\ndelete chain inet xs %s-%s\n", chain->map, guest, chain->name, guest);
}

/* `return`, not `accept`: what no guest may do stays forbidden. */
static void chain_write(FILE *out, const struct chain *chain, const char *guest, const struct firewall_rule *rules,
                        unsigned count)
{
    char text[24];

    chain_begin(out, chain, guest);
    for (unsigned i = 0; i < count; i++) {
        const struct firewall_rule *rule = &rules[i];

        fprintf(out, "add rule inet xs %s-%s", chain->name, guest);
        if (!rule->anywhere && rule->prefix) {
            network_text(rule, text);
            fprintf(out, " ip %s %s", chain->peer, text);
        }
        if (rule->first) {
            ports_text(rule, text);
            fprintf(out, " %s dport %s return\n", protocol_names[rule->protocol], text);
        } else {
            fprintf(out, " meta l4proto %s return\n", protocol_names[rule->protocol]);
        }
    }
    fprintf(out, "add rule inet xs %s-%s drop\n", chain->name, guest);
}

char *firewall_nft(const struct firewall *firewall, uint32_t ipv4)
{
    char guest[INET_ADDRSTRLEN], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool failed;

    if (!out)
        return NULL;
    inet_ntop(AF_INET, &(struct in_addr){ htonl(ipv4) }, guest, sizeof(guest));
    if (firewall->enabled)
        chain_write(out, &to_guest, guest, firewall->inbound, firewall->inbound_count);
    else
        chain_delete(out, &to_guest, guest);
    if (firewall->enabled && firewall->outbound_count)
        chain_write(out, &from_guest, guest, firewall->outbound, firewall->outbound_count);
    else
        chain_delete(out, &from_guest, guest);
    failed = ferror(out);
    if (!fclose(out) && !failed)
        return text;
    free(text);
    return NULL;
}
