/* Starting: every wrong setting is one clear line and exit 1, and a full disk
 * loses nothing. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

static const char *in_dir(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
    return path;
}

static void file_write(const char *name, const char *text)
{
    FILE *file = fopen(in_dir(name), "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("%s", name);
}

/* The api must refuse to start and say both words. */
static void start_refused(const char *what, const char *names, const char *advice)
{
    char conf[256], out[8192];
    const char *argv[] = { "tests/api/xs-api", "--config", conf, NULL };

    snprintf(conf, sizeof(conf), "%s", in_dir("api.conf"));
    ok_int(rig_run(argv, "", out, sizeof(out)), 1, "%s: exit 1", what);
    ok_has(out, names, "%s: names it", what);
    ok_has(out, advice, "%s: and what to do", what);
}

/* One key of the configuration, wrong; then right again. */
static void config_refused(const char *key, const char *value, const char *what, const char *names, const char *advice)
{
    char path[256], command[600];

    snprintf(path, sizeof(path), "%s", in_dir("api.conf"));
    snprintf(command, sizeof(command), "cp %s %s.kept", path, path);
    if (system(command) != 0)
        tap_bail("%s", command);
    rig_config_set(&rig, key, value);
    start_refused(what, names, advice);
    snprintf(command, sizeof(command), "mv %s.kept %s", path, path);
    if (system(command) != 0)
        tap_bail("%s", command);
}

static void configurations(void)
{
    config_refused("certificate", NULL, "no certificate key", "certificate", "must be a string");
    config_refused("colour", "\"red\"", "an unknown key", "colour", "correct its spelling");
    config_refused("limits.colour", "1", "an unknown limit", "limits.colour", "correct its spelling");
    config_refused("limits.reads_per_s", "0", "a limit of 0", "limits.reads_per_s", "from 1 to");
    config_refused("limits.writes_per_s", "1.5", "a fraction", "limits.writes_per_s", "whole number");
    config_refused("listen", "\"8443\"", "a listen address without a host", "listen", "must look like");
    config_refused("listen", "\"nowhere:1\"", "a listen address that is a name", "nowhere:1", "not an address");
    config_refused("user", "\"no-such-user-here\"", "an unknown user", "no-such-user-here", "adduser");
    config_refused("database", "\"/proc/nowhere/api.db\"", "a database that cannot be made", "/proc/nowhere", "cannot");
    config_refused("operator_key_hash_file", "\"/nowhere/hash\"", "no operator's hash", "/nowhere/hash", "--hash-key");
}

static void config_files(void)
{
    const char *argv[] = { "tests/api/xs-api", "--config", "/nowhere/api.conf", NULL };
    const char *odd[] = { "tests/api/xs-api", "--verbose", NULL };
    char out[4096], command[600];

    ok_int(rig_run(argv, "", out, sizeof(out)), 1, "no configuration: exit 1");
    ok_has(out, "/nowhere/api.conf", "and its path");
    ok_int(rig_run(odd, "", out, sizeof(out)), 2, "an unknown option: exit 2");
    ok_has(out, "usage: xs-api", "and the usage");
    snprintf(command, sizeof(command), "cp %s/api.conf %s/kept", rig.dir, rig.dir);
    if (system(command) != 0)
        tap_bail("%s", command);
    file_write("api.conf", "{\n  \"listen\": \"127.0.0.1:0\",\n");
    start_refused("truncated configuration", "api.conf: line 3", "column");
    snprintf(command, sizeof(command), "mv %s/kept %s/api.conf", rig.dir, rig.dir);
    if (system(command) != 0)
        tap_bail("%s", command);
}

static void certificates(void)
{
    char crt[256], key[256], other[256];

    snprintf(crt, sizeof(crt), "%s", in_dir("tls.crt"));
    snprintf(key, sizeof(key), "%s", in_dir("tls.key"));
    snprintf(other, sizeof(other), "%s", in_dir("other.crt"));
    rig_certificate(crt, key, -7200, -3600);
    start_refused("an expired certificate", crt, "expired on");
    start_refused("an expired certificate", crt, "make a new one");
    rig_certificate(crt, key, 3600, 7200);
    start_refused("a certificate of the future", crt, "clock");
    rig_certificate(crt, key, -60, 3600);
    rig_certificate(other, key, -60, 3600);
    start_refused("a key of another certificate", key, "made together");
    rig_certificate(crt, key, -60, 3600);
    file_write("tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    start_refused("a certificate that is none", crt, "not a usable certificate");
    file_write("tls.crt", "");
    start_refused("an empty certificate", crt, "put a PEM file there");
    unlink(crt);
    start_refused("no certificate", crt, "cannot open the certificate");
    rig_certificate(crt, key, -60, 3600);
    file_write("tls.key", "no key\n");
    start_refused("a private key that is none", key, "not a usable private key");
    rig_certificate(crt, key, -60, 86400);
}

static void operator_hashes(void)
{
    const char *argv[] = { "tests/api/xs-api", "--hash-key", NULL };
    char out[4096], kept[256] = "";
    FILE *file = fopen(in_dir("operator.hash"), "re");

    if (!file || !fgets(kept, sizeof(kept), file))
        tap_bail("operator.hash");
    fclose(file);
    file_write("operator.hash", "abcdef\n");
    start_refused("a hash that is too short", "operator.hash", "64 hex digits");
    file_write("operator.hash", "");
    start_refused("an empty hash file", "operator.hash", "--hash-key");
    file_write("operator.hash", kept);
    ok_int(rig_run(argv, "xs_live_0000000000000000000000000000000000000000\n", out, sizeof(out)), 1,
           "a customer's key is no operator's");
    ok_has(out, "xs_oper_", "and that is said");
    ok_int(rig_run(argv, "", out, sizeof(out)), 1, "no key on standard input");
    ok_int(rig_run(argv, rig.operator_key, out, sizeof(out)), 0, "a key without its newline");
    ok_has(out, kept, "hashes to the same");
}

static void databases(void)
{
    char command[600];

    file_write("junk", "this is not a database, but it is long enough to be looked at as one, page by page by page\n");
    snprintf(command, sizeof(command), "\"%s/junk\"", rig.dir);
    config_refused("database", command, "a database that is none", "junk", "not a database");
    snprintf(command, sizeof(command), "sqlite3 %s/newer.db 'PRAGMA user_version = 999' 2>&1", rig.dir);
    if (system(command) != 0)
        tap_bail("%s", command);
    snprintf(command, sizeof(command), "\"%s/newer.db\"", rig.dir);
    config_refused("database", command, "a database of a newer program", "newer.db", "start the newer one");
}

static void second_instance(void)
{
    struct response answer;

    rig_api_start(&rig);
    start_refused("a second instance", "api.pid", "stop it first");
    answer = rig_get(&rig, NULL, "/healthz");
    ok_int(answer.status, 200, "the first goes on");
    answer_free(&answer);
    ok_int(rig_api_stop(&rig, SIGTERM), 0, "and ends in order");
}

static void port_taken(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof(address);
    char listen_text[64];

    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        tap_bail("a port");
    snprintf(listen_text, sizeof(listen_text), "\"127.0.0.1:%u\"", ntohs(address.sin_port));
    config_refused("listen", listen_text, "a port that is taken", "127.0.0.1:", "stop what uses it");
    close(fd);
}

/* a full disk, on a small file system of its own */

static void disk_fill(void)
{
    int fd = open(in_dir("db/filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char block[4096] = "";

    while (write(fd, block, sizeof(block)) > 0)
        ;
    close(fd);
}

static void full_disk(void)
{
    char key[64], account[40], body[128];
    struct response answer;
    int refused = 0;

    if (mount("xs-test", in_dir("db"), "tmpfs", MS_NOSUID | MS_NODEV, "size=2m,mode=700") != 0)
        tap_bail("a small file system for a full disk (needs root)");
    rig_api_start(&rig);
    rig_customer(&rig, "full", key, account);
    disk_fill();
    snprintf(body, sizeof(body), "{\"name\":\"%0100d\"}", 1);
    for (int i = 0; i < 200 && !refused; i++) {
        char idem[16];

        snprintf(idem, sizeof(idem), "fill-%d", i);
        answer = rig_post(&rig, key, "/v1/keys", idem, body);
        refused = answer.status == 503;
        if (refused) {
            ok_text(answer_text_of(&answer, "code"), "storage_unavailable", "a full disk is refused by its name");
            ok(json_is_true(json_object_get(answer.json, "retryable")), "and retryable");
        }
        answer_free(&answer);
    }
    ok(refused, "a full disk is noticed");
    answer = rig_post(&rig, key, "/v1/instances", "on-full", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    ok_int(answer.status, 503, "an instance is refused too");
    answer_free(&answer);
    ok_int(rig_count(&rig, "provisioner", "instance_create"), 0, "and the provisioner was not even asked");
    answer = rig_get(&rig, key, "/v1/account");
    ok_int(answer.status, 200, "reading goes on");
    answer_free(&answer);
    unlink(in_dir("db/filler"));
    answer = rig_post(&rig, key, "/v1/instances", "on-full", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    ok_int(answer.status, 202, "with room again the same request succeeds, without a restart");
    answer_free(&answer);
    ok_int(rig_count(&rig, "provisioner", "instance_create"), 1, "once");
    ok_int(rig_api_stop(&rig, SIGTERM), 0, "the api ends in order");
    disk_fill();
    start_refused("a disk full at the start", "api.db", "the disk");
    unlink(in_dir("db/filler"));
    rig_api_start(&rig);
    answer = rig_get(&rig, key, "/v1/instances");
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), 1, "nothing was lost");
    answer_free(&answer);
    rig_api_stop(&rig, SIGTERM);
    if (umount(in_dir("db")) != 0)
        tap_bail("umount");
}

int main(void)
{
    rig_start(&rig);
    ok_int(rig_api_stop(&rig, SIGTERM), 0, "the api starts and ends");
    configurations();
    config_files();
    certificates();
    operator_hashes();
    databases();
    second_instance();
    port_taken();
    full_disk();
    rig_end(&rig);
    return tap_end();
}
