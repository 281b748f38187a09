/* The host for console.mjs, testssl.sh and bench/web.sh, which names the program without sanitizers: the real api, stand-ins. Prints one line of JSON (url, keys, ..., its folder), then
 * for each "restart" on its input kills the api, starts it again on the same port and says {"restarted":true}; ends with
 * its input. What it checks itself goes to stderr, and into its exit status. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;

static void say(int out, json_t *facts)
{
    char *text = json_dumps(facts, JSON_COMPACT);

    dprintf(out, "%s\n", text);
    free(text);
    json_decref(facts);
}

static void restart(void)
{
    rig_port_keep(&rig);
    rig_api_stop(&rig, SIGKILL);
    rig_api_start(&rig);
}

int main(int argc, char **argv)
{
    char key[64], other[64], account[40], instance[40], second[40], line[64];
    int out = dup(1);

    if (out < 0 || dup2(2, 1) < 0)
        tap_bail("no output");
    if (argc == 2)
        rig_api = argv[1];
    rig_start(&rig);
    rig_customer(&rig, "console", key, account);
    rig_customer(&rig, "other", other, account);
    rig_instance(&rig, key, "web-1", instance);
    rig_instance(&rig, key, "web-2", second);
    say(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "url", rig.url, "fingerprint", rig.fingerprint, "key", key,
                       "other", other, "instance", instance, "second", second, "dir", rig.dir));
    while (fgets(line, sizeof(line), stdin))
        if (strcmp(line, "restart\n") == 0) {
            restart();
            say(out, json_pack("{s:b}", "restarted", 1));
        }
    rig_end(&rig);
    return tap_end();
}
