/* xs firewall: rules one by one, all at once, and when somebody else changes them meanwhile. */
#include "tests/api/tap.h"
#include "tests/api/xs_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static char key[64], account[40], instance[40];

static void rules(void)
{
    ok_int(xs("firewall", "show", "web", NULL), 0, "firewall show");
    ok_has(out, "off: forwarded ports are open to all", "it is off at first");
    ok_has(out, "Add one: xs firewall allow", "says how to begin");
    ok_int(xs("firewall", "enable", "web", NULL), 0, "firewall enable");
    ok_has(out, "no rule lets port 22 in", "warns of what it does");
    ok_has(out, "on: what no rule allows is dropped", "it is on");
    ok_has(out, "all goes out", "for the way in");
    ok_int(xs("firewall", "allow", "web", "tcp", "22", "--from", "192.0.2.7", "--note", "at home", NULL), 0, "firewall allow");
    ok_has(out, "in   tcp          22  192.0.2.7/32  at home", "has the rule");
    ok_int(xs("firewall", "allow", "web", "tcp", "22", "--from", "192.0.2.7", NULL), 0, "and again");
    ok(!strstr(strstr(out, "192.0.2.7") + 1, "192.0.2.7"), "is one rule");
    ok_int(xs("firewall", "allow", "web", "udp", "--to", "198.51.100.0/24", NULL), 0, "one for the way out");
    ok_has(out, "out  udp         all  198.51.100.0/24", "has it");
    ok_int(xs("firewall", "allow", "web", "icmp", "--out", NULL), 0, "another");
    ok_has(out, "out  icmp          -  everywhere", "without ports");
    ok_int(xs("firewall", "enable", "web", NULL), 0, "enable what is on");
    ok(!strstr(out, "no rule lets"), "a rule lets port 22 in");
    ok_int(xs("firewall", "deny", "web", "tcp", "22", "--from", "192.0.2.7", NULL), 0, "firewall deny");
    ok(!strstr(out, "192.0.2.7"), "the rule is gone");
    ok_int(xs("firewall", "deny", "web", "tcp", "22", "--from", "192.0.2.7", NULL), 1, "and again");
    ok_has(out, "there is no such rule", "is told");
    ok_int(xs("firewall", "disable", "web", NULL), 0, "firewall disable");
    ok_has(out, "198.51.100.0/24", "keeps rules");
}

static void refusals(void)
{
    ok_int(xs("firewall", "allow", "web", "tcp", "0", NULL), 1, "a port that is none");
    ok_has(out, "inbound[0].ports: must be a port", "is refused by its name");
    ok_int(xs("firewall", "allow", "web", "tcp", "22", "--from", "10.0.0.1/8", NULL), 1, "a network with more bits");
    ok_has(out, "the network is 10.0.0.0/8", "is refused with the right one");
    ok_int(xs("firewall", "allow", "web", "tcp", "22", "--from", "10.0.0.0/8", "--out", NULL), 2, "both ways in one rule");
    ok_int(xs("firewall", "allow", "web", NULL), 2, "no protocol");
    ok_int(xs("firewall", "show", "nobody", NULL), 1, "no instance");
}

static void at_once(void)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/fw.json", rig.dir);
    file = fopen(path, "we");
    if (!file || fputs("{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"20-30\"}]}", file) < 0 || fclose(file) != 0)
        tap_bail("%s", path);
    ok_int(xs("firewall", "set", "web", path, NULL), 0, "firewall set");
    ok_has(out, "in   tcp       20-30  everywhere", "has what the file says");
    ok_int(xs("firewall", "enable", "web", NULL), 0, "a range with 22 in it");
    ok(!strstr(out, "no rule lets"), "lets ssh in");
    ok_int(xs("firewall", "show", "web", "--json", NULL), 0, "with --json");
    ok_has(out, "\"ports\": \"20-30\"", "as the API says it");
    ok_int(xs("firewall", "set", "web", "-", NULL), 2, "of an empty input");
    ok_has(out, "-: line 1:", "is named");
}

/* Each changes what it has seen, and none what it has not. */
static void together(void)
{
    ok_int(system("for port in 8001 8002 8003 8004; do tests/api/xs firewall allow web tcp $port >/dev/null & done; wait"), 0,
           "four at the same moment");
    ok_int(xs("firewall", "show", "web", NULL), 0, "firewall show");
    for (int port = 8001; port <= 8004; port++) {
        char text[16];

        snprintf(text, sizeof(text), " %d ", port);
        ok_has(out, text, "has each one's rule");
    }
}

int main(void)
{
    rig_start(&rig);
    xs_home(&rig);
    rig_customer(&rig, "main", key, account);
    setenv("XS_KEY", key, 1);
    rig_instance(&rig, key, "web", instance);
    rules();
    refusals();
    at_once();
    together();
    rig_end(&rig);
    return tap_end();
}
