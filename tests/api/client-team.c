/* xs with projects, members and webhooks. */
#include "tests/api/tap.h"
#include "tests/api/xs_run.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;
static char key[64], account[40];

static void projects(void)
{
    char shop[40];

    ok_int(xs("project", "list", NULL), 0, "project list");
    ok_has(out, "default", "shows the first one");
    ok_int(xs("project", "create", "shop", NULL), 0, "project create");
    id_seen("prj_", shop);
    setenv("XS_PROJECT", shop, 1);
    ok_int(xs("volume", "create", "stock", "--size", "1G", NULL), 0, "a volume is made within it");
    ok_int(xs("project", "delete", "shop", NULL), 1, "project delete, of one with a volume in it");
    ok_has(out, "1 volumes", "says what is left");
    ok_int(xs("volume", "list", NULL), 0, "volume list within it");
    ok_has(out, "stock", "shows the volume");
    ok_int(xs("volume", "delete", "stock", NULL), 0, "which goes");
    setenv("XS_PROJECT", "prj_00000000000000000000000000", 1);
    ok_int(xs("volume", "list", NULL), 1, "volume list within no project");
    ok_has(out, "X-Project: no such project", "says so");
    unsetenv("XS_PROJECT");
    ok_int(xs("project", "rename", "shop", "store", NULL), 0, "project rename");
    ok_int(xs("project", "delete", "store", NULL), 0, "project delete");
}

static void members(void)
{
    char id[40];

    ok_int(xs("member", "invite", "ann@example.com", "--role", "viewer", "--in", "default", NULL), 0, "member invite");
    ok_has(out, "/portal/invitation#xs_link_", "prints the link");
    ok_has(out, rig.url, "with the host");
    ok_int(xs("member", "invite", "ann@example.com", "--role", "billing", "--in", "default", NULL), 1,
           "a role that no project has");
    ok_has(out, "for the whole account", "says whose it is");
    ok_int(xs("member", "invite", "ann@example.com", "--role", "owner", NULL), 1, "an owner");
    ok_has(out, "an owner who has logged in", "is made in a browser");
    ok_int(xs("invitation", "list", NULL), 0, "invitation list");
    ok_has(out, "ann@example.com", "shows who waits");
    id_seen("ivt_", id);
    ok_int(xs("invitation", "delete", id, NULL), 0, "invitation delete");
    ok_int(xs("member", "list", NULL), 0, "member list");
    ok_has(out, "There are no members.", "says that there are none");
    ok_int(xs("member", "remove", "mem_00000000000000000000000000", NULL), 1, "member remove of nobody");
    ok_int(xs("member", "role", "../keys", "viewer", NULL), 2, "an id that is none");
}

static void webhooks(void)
{
    char id[40];

    ok_int(xs("webhook", "create", "https://hooks.example/x", "--event", "instance.*", NULL), 0, "webhook create");
    ok_has(out, "not shown again", "shows the secret once");
    ok_int(xs("webhook", "list", NULL), 0, "webhook list");
    ok_has(out, "instance.*", "shows what it is for");
    id_seen("whk_", id);
    ok_int(xs("webhook", "ping", id, NULL), 0, "webhook ping");
    ok_int(xs("webhook", "deliveries", id, NULL), 0, "webhook deliveries");
    ok_has(out, "webhook.ping", "tells of it");
    ok_int(xs("webhook", "off", id, NULL), 0, "webhook off");
    ok_int(xs("webhook", "on", id, NULL), 0, "webhook on");
    ok_int(xs("webhook", "delete", id, NULL), 0, "webhook delete");
    ok_int(xs("webhook", "list", NULL), 0, "and then");
    ok_has(out, "There are no webhooks", "there is none");
}

int main(void)
{
    rig_start(&rig);
    xs_home(&rig);
    rig_customer(&rig, "main", key, account);
    setenv("XS_KEY", key, 1);
    projects();
    members();
    webhooks();
    rig_end(&rig);
    return tap_end();
}
