/* xs as people and scripts use it: tables, --json, exit statuses, words. */
#include "common/id.h"
#include "tests/api/tap.h"
#include "tests/api/xs_run.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static char key[64], account[40];

static void be(const char *who)
{
    setenv("XS_KEY", who, 1);
}

static void settings(void)
{
    char path[256], text[512], wrong[65];
    FILE *file;

    unsetenv("XS_FINGERPRINT");
    ok_int(xs("list", NULL), 2, "without a fingerprint nothing is sent");
    ok_has(out, "XS_FINGERPRINT", "and what to set is said");
    memset(wrong, 'a', 64);
    wrong[64] = 0;
    setenv("XS_FINGERPRINT", wrong, 1);
    ok_int(xs("list", NULL), 3, "another certificate is refused");
    ok_has(out, "another certificate than the one you trust", "in plain words");
    ok_has(out, rig.fingerprint, "and shows what was there");
    setenv("XS_FINGERPRINT", "12:34", 1);
    ok_int(xs("list", NULL), 2, "a fingerprint of the wrong length");
    unsetenv("XS_FINGERPRINT");
    unsetenv("XS_URL");
    unsetenv("XS_KEY");
    ok_int(xs("list", NULL), 2, "no host");
    ok_has(out, "XS_URL", "names the variable");
    snprintf(path, sizeof(path), "%s/home/.config/xs", rig.dir);
    snprintf(text, sizeof(text), "mkdir -p %s", path);
    if (system(text) != 0)
        tap_bail("%s", text);
    strcat(path, "/config");
    file = fopen(path, "we");
    fprintf(file, "# mine\nurl = %s\nkey = %s\nfingerprint = %s\n", rig.url, key, rig.fingerprint);
    fclose(file);
    chmod(path, 0644);
    ok_int(xs("account", NULL), 2, "a key that others can read is refused");
    ok_has(out, "chmod 600", "and how to mend it");
    chmod(path, 0600);
    ok_int(xs("account", NULL), 0, "the settings file is enough");
    ok_has(out, account, "and it is us");
    unlink(path);
}

static void environment(void)
{
    char colons[128] = "";

    for (int i = 0; i < 32; i++)
        snprintf(colons + strlen(colons), 4, "%s%c%c", i ? ":" : "", toupper(rig.fingerprint[2 * i]),
                 toupper(rig.fingerprint[2 * i + 1]));
    setenv("XS_URL", rig.url, 1);
    setenv("XS_FINGERPRINT", colons, 1);
    be(key);
    ok_int(xs("account", NULL), 0, "a fingerprint with colons, as openssl prints it");
    setenv("XS_FINGERPRINT", rig.fingerprint, 1);
}

static void usage_errors(void)
{
    ok_int(xs(NULL, NULL), 2, "no command");
    ok_int(xs("help", NULL), 0, "help");
    ok_has(out, "invoice get", "lists the commands");
    ok_int(xs("dance", NULL), 2, "an unknown command");
    ok_int(xs("create", "web", NULL), 2, "create without a flavor");
    ok_has(out, "usage: xs create", "shows how");
    ok_int(xs("quote", "xs1", "--seconds", "-5", NULL), 2, "a negative number");
    ok_has(out, "--seconds -5", "is named");
    ok_int(xs("show", "ins_x", "y", NULL), 2, "one argument too many");
    ok_int(xs("show", "no-such", NULL), 1, "an unknown name");
    ok_has(out, "no instance called \"no-such\"", "is named");
}

static void refusals(void)
{
    ok_int(xs("create", "Bad Name", "--image", "nope", "--flavor", "xs1", NULL), 1, "wrong fields");
    ok_has(out, "name: must be 1 to 63", "each is named: name");
    ok_has(out, "image: there is no \"nope\": choose one of tiny, large, disk", "and image");
    ok_has(out, "what to do:", "and what to do");
    ok_has(out, "request req_", "with the request's id");
    ok_int(xs("admin", "host", NULL), 1, "a customer is no operator");
    ok_has(out, "wrong_role", "and told so");
    be("xs_live_0000000000000000000000000000000000000000");
    ok_int(xs("list", NULL), 1, "an unknown key");
    ok_has(out, "XS_KEY", "and where it comes from");
    be(key);
}

static void instances(void)
{
    char id[40];
    json_t *json;

    ok_int(xs("list", NULL), 0, "an empty list");
    ok_has(out, "You have no instances. Make one: xs create", "says how to begin");
    ok_int(xs("create", "web", "--image", "tiny", "--flavor", "xs1", "--wait", NULL), 0, "create --wait");
    ok_has(out, "state       running", "waited until it ran");
    ok_has(out, "ready       yes", "and was ready");
    ok_int(xs("--json", "show", "web", NULL), 0, "show by name, --json");
    json = json_loads(out, 0, NULL);
    snprintf(id, sizeof(id), "%s", json ? json_string_value(json_object_get(json, "id")) : "");
    ok(id_valid("ins_", id), "is JSON with the id");
    json_decref(json);
    ok_int(xs("list", NULL), 0, "the list");
    ok_has(out, "ID                              NAME  STATE    READY  IMAGE  FLAVOR  CREATED\n", "is aligned");
    ok_has(out, "  web   running  yes    tiny   xs1     ", "in columns");
    ok_int(xs("log", "web", NULL), 0, "the console");
    ok_has(out, "hello from the guest", "speaks");
    ok_int(xs("usage", NULL), 0, "usage");
    ok_has(out, "18446744073709551615", "is exact");
    ok_int(xs("records", "web", NULL), 0, "records");
    ok_has(out, "xs-usage/v1 use\n", "are the leaves");
    ok_int(xs("start", "web", NULL), 1, "what runs cannot be started");
    ok_has(out, "conflict", "and is told so");
    ok_int(xs("stop", "web", "--wait", NULL), 0, "stop --wait");
    ok_has(out, "shutdown  succeeded", "has succeeded");
    ok_int(xs("start", id, "--wait", NULL), 0, "start by id");
    ok_int(xs("suspend", "web", "--wait", NULL), 0, "suspend");
    ok_int(xs("resume", "web", "--wait", NULL), 0, "resume");
    ok_int(xs("reboot", "web", "--wait", NULL), 0, "reboot");
    ok_int(xs("power-off", "web", "--wait", NULL), 0, "power-off");
    ok_int(xs("resize", "web", "xs2", "--wait", NULL), 0, "resize");
    ok_int(xs("rebuild", "web", "tiny", "--wait", NULL), 0, "rebuild");
    ok_int(xs("show", "web", NULL), 0, "show");
    ok_has(out, "xs2", "has the other size");
    ok_int(xs("actions", "web", NULL), 0, "actions");
    ok_has(out, "rebuild    succeeded", "what was done");
    ok_has(out, "create     succeeded", "from its beginning");
    ok_int(xs("rm", "web", "--wait", "--json", NULL), 0, "rm");
    ok_int(xs("list", "--json", NULL), 0, "then");
    ok_has(out, "\"data\": []", "the list is empty");
}

/* --wait ends with the truth: a job that fails, and one that does not end. */
static void waits(void)
{
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail_job", "capacity_unavailable")));
    ok_int(xs("create", "fails", "--image", "tiny", "--flavor", "xs1", "--wait", NULL), 1, "a create that fails");
    ok_has(out, "create failed: capacity_unavailable: the test said so", "says what and why");
    ok_has(out, "what to do: try a smaller flavor", "and what to do");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 1)));
    ok_int(xs("create", "late", "--image", "tiny", "--flavor", "xs1", "--cmdline", "quiet", "--wait", "--timeout", "1", NULL),
           4, "a create that takes longer than --timeout");
    ok_has(out, "it goes on", "says that it goes on");
    ok_has(out, "create: build (50%)", "and shows the step it is at");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "hold", 0)));
    ok_int(xs("rm", "late", NULL), 0, "and it does");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "insufficient_funds")));
    ok_int(xs("create", "poor", "--image", "tiny", "--flavor", "xs1", NULL), 1, "insufficient funds");
    ok_has(out, "needed: 2.00", "what is needed");
    ok_has(out, "available: 0.000000001", "and what is there");
    ok_has(out, "ask the operator for credit", "and what to do");
    ok_int(xs("images", NULL), 0, "images");
    ok_has(out, "ID     NAME   MIN MIB  DISK MIB  THERE  DESCRIPTION\n", "have a table");
    ok_int(xs("log", "late-not-there", "--offset", "x", NULL), 1, "a log of nobody");
}

/* Instead of a fingerprint, a certificate to trust. */
static void authority(void)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/tls.crt", rig.dir);
    unsetenv("XS_FINGERPRINT");
    ok_int(xs("--ca", path, "flavors", NULL), 0, "--ca trusts that certificate");
    rig_certificate(path, "/dev/null", -60, 3600);
    ok_int(xs("--ca", path, "flavors", NULL), 3, "and no other");
    ok_int(xs("--ca", "/nowhere.pem", "flavors", NULL), 3, "nor a file that is not there");
    ok_has(out, "/nowhere.pem", "which is named");
    setenv("XS_FINGERPRINT", rig.fingerprint, 1);
}

static void one_name_twice(void)
{
    char first[40], second[40];

    rig_instance(&rig, key, "twin", first);
    rig_instance(&rig, key, "twin", second);
    ok_int(xs("show", "twin", NULL), 1, "a name that two have");
    ok_has(out, "more than one", "is refused");
    ok_int(xs("show", second, NULL), 0, "the id is not");
}

static void money(void)
{
    char id[40], path[256], line[64];
    struct stat st;
    json_t *json;
    FILE *file;

    ok_int(xs("quote", "xs2", "--seconds", "7200", NULL), 0, "quote");
    ok_has(out, "METER          QUANTITY  UNIT    BYTES  AMOUNT\n", "a table");
    ok_has(out, "0.0144 EUR (0.0072 EUR an hour)", "and a sentence");
    ok_int(xs("quote", "--vcpus", "1", "--memory", "64", "--json", NULL), 0, "by size");
    ok_has(out, "\"total\": \"0.0036\"", "as JSON");
    ok_int(xs("wallet", NULL), 0, "wallet");
    ok_has(out, "balance 10.00 EUR", "tells the balance");
    ok_int(xs("invoice", "new", "--json", NULL), 0, "invoice new");
    json = json_loads(out, 0, NULL);
    snprintf(id, sizeof(id), "%s", json ? json_string_value(json_object_get(json, "id")) : "");
    json_decref(json);
    ok_int(xs("invoice", "list", NULL), 0, "invoice list");
    ok_has(out, id, "has it");
    ok_has(out, "1.234567891", "with its exact total");
    snprintf(path, sizeof(path), "%s/bundle.tar", rig.dir);
    ok_int(xs("invoice", "get", id, "-o", path, NULL), 0, "invoice get");
    ok(stat(path, &st) == 0 && st.st_size > 3000000, "the bundle is there");
    file = fopen(path, "re");
    ok(file && fgets(line, sizeof(line), file) && strcmp(line, "invoice.json") == 0, "and is the bundle");
    if (file)
        fclose(file);
    unlink(path);
    ok_int(xs("invoice", "get", "inv_00000000000000000000000000", "-o", path, NULL), 1, "an invoice that is not there");
    ok(stat(path, &st) != 0, "leaves no file");
    ok_int(xs("invoice", "get", id, "-o", "/nowhere/x.tar", NULL), 2, "a file that cannot be made");
    ok_has(out, "/nowhere/x.tar", "is named");
}

/* More than a page, which is 100. */
static void many_keys(void)
{
    char sql[400];
    int lines = 0;

    snprintf(sql, sizeof(sql), "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 120)"
             " INSERT INTO keys (key_id, account_id, name, hash, scopes, created_ms, number)"
             " SELECT 'key_' || n, '%s', 'k', randomblob(32), 1, n, n + 100 FROM n", account);
    rig_database(&rig, sql);
    ok_int(xs("keys", NULL), 0, "keys, of which there are several pages");
    for (const char *at = out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ok_int(lines, 123, "all are shown, below the heads of the columns");
    rig_database(&rig, "DELETE FROM keys WHERE name = 'k'");
}

static void keys_and_admin(void)
{
    char made[64], id[40];
    json_t *json;

    ok_int(xs("keys", "new", "robot", "--scopes", "instances:read", "--days", "2", NULL), 0, "keys new");
    snprintf(made, sizeof(made), "%.48s", strstr(out, "xs_live_") ? strstr(out, "xs_live_") : "");
    ok_int((long long)strlen(made), 48, "prints the key");
    be(made);
    ok_int(xs("list", NULL), 0, "it may list");
    ok_int(xs("wallet", NULL), 1, "and no more");
    ok_has(out, "billing:read", "the scope is named");
    be(key);
    ok_int(xs("keys", "--json", NULL), 0, "keys");
    json = json_loads(out, 0, NULL);
    snprintf(id, sizeof(id), "%s",
             json_string_value(json_object_get(json_array_get(json_object_get(json, "data"), 0), "id")));
    json_decref(json);
    ok_int(xs("keys", "revoke", id, NULL), 0, "keys revoke");
    many_keys();
    be(rig.operator_key);
    ok_int(xs("admin", "customer", "add", "J\xc3\xb6rg & Co", NULL), 0, "admin customer add");
    ok_has(out, "J\xc3\xb6rg & Co", "UTF-8 survives");
    ok_int(xs("admin", "customer", "list", NULL), 0, "admin customer list");
    ok_has(out, account, "has us");
    ok_int(xs("admin", "customer", "show", account, NULL), 0, "admin customer show");
    ok_has(out, "funded, ever              9.00", "has the money");
    ok_has(out, "robot", "and the keys");
    ok_int(xs("admin", "suspend", account, NULL), 0, "admin suspend, without a reason");
    ok_has(out, "brings 0.004 an hour", "shows what it would stop");
    ok_int(rig_count(&rig, "accountd", "suspend"), 0, "and does nothing");
    ok_int(xs("admin", "suspend", account, "sends spam", NULL), 0, "with one");
    ok_int(rig_count(&rig, "accountd", "suspend"), 1, "it does");
    ok_int(xs("admin", "resume", account, "stopped", NULL), 0, "admin resume");
    ok_int(xs("admin", "domains", NULL), 0, "admin domains");
    ok_int(xs("admin", "credit", account, "5.25", "--reason", "voucher", NULL), 0, "admin credit");
    ok_has(out, "credited 5.25; balance 15.25", "says the balance");
    ok_int(xs("admin", "credit", account, "-5", NULL), 2, "a negative credit is no option");
    ok_int(xs("admin", "credit", account, "5,25", NULL), 1, "nor is a comma");
    ok_has(out, "amount: must look like", "and told how");
    ok_int(xs("admin", "key", account, "second", NULL), 0, "admin key");
    ok_int(xs("admin", "key", "revoke", "key_00000000000000000000000000", NULL), 1, "admin key revoke of none");
    ok_int(xs("admin", "host", NULL), 0, "admin host");
    ok_has(out, "books close          yes", "the host's books close");
    be(key);
}

static void retries(void)
{
    int before = rig_count(&rig, "provisioner", "instance_create");

    json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "lose", 1)));
    ok_int(xs("create", "retry", "--image", "tiny", "--flavor", "xs1", NULL), 0, "a lost answer is asked for again");
    ok_int(rig_count(&rig, "provisioner", "instance_create") - before, 1, "and one instance was made");
    rig_standin_stop(&rig);
    ok_int(xs("flavors", NULL), 4, "a host that cannot now: exit 4");
    ok_has(out, "try again in a while", "and said so");
    rig_api_stop(&rig, SIGTERM);
    ok_int(xs("flavors", NULL), 3, "no host: exit 3");
    ok_has(out, "Is the host running", "and said so");
}

int main(void)
{
    rig_start(&rig);
    xs_home(&rig);
    rig_customer(&rig, "main", key, account);
    be(key);
    settings();
    environment();
    usage_errors();
    refusals();
    instances();
    waits();
    one_name_twice();
    money();
    keys_and_admin();
    authority();
    retries();
    rig_end(&rig);
    return tap_end();
}
