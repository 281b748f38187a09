/* Firewalls as the provisioner's socket brings them: what is taken is told in one spelling, which is taken again, and
 * nft is given nothing but its own words, names of ours and numbers. */
#include "provisioner/firewall.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "firewalls";
const char *const fuzz_seeds[] = {
    "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"source\":\"203.0.113.0/24\",\"note\":\"home\"},"
    "{\"protocol\":\"icmp\"}],\"outbound\":[{\"protocol\":\"udp\",\"ports\":\"8000-8010\",\"destination\":\"198.51.100.7\"}]}",
    "{\"enabled\":false,\"inbound\":[{\"protocol\":\"udp\",\"source\":\"0.0.0.0/0\"}]}",
    "{\"enabled\":true}",
    NULL,
};

static char *told(const struct firewall *firewall)
{
    json_t *object = firewall_json(firewall);
    char *text = json_canonical(object);

    assert(text);
    json_decref(object);
    return text;
}

static void taken(const struct firewall *firewall)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789./:- {}\n";
    static struct firewall again;
    char *first = told(firewall), *second, *nft = firewall_nft(firewall, 0x0a4d0102);
    json_t *object = json_loads(first, 0, NULL);
    struct json_why why;

    assert(object && !firewall_read(object, &again, &why));
    second = told(&again);
    assert(!strcmp(first, second));
    assert(nft && strspn(nft, letters) == strlen(nft));
    json_decref(object);
    free(nft);
    free(second);
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct firewall firewall;
    json_t *object = json_loadb((const char *)bytes, size, 0, NULL);
    struct json_why why = { .text = "" };

    if (!object)
        return 0;
    if (json_is_object(object) && !firewall_read(object, &firewall, &why))
        taken(&firewall);
    else
        assert(!json_is_object(object) || strchr(why.text, ':'));
    json_decref(object);
    return 0;
}
