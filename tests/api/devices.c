/* Disks, networks and SSH keys, as a customer meets them: what is made, shown,
 * refused in plain words, kept from others, and done once whatever is lost. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SSH_KEY \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS"
#define CREATE "\"name\":\"n\",\"image\":\"%s\",\"flavor\":\"xs1\""

static struct rig rig;
static char key[64], account[40], poor[64], other_key[64], other_account[40];

/* A call whose path is made from parts; POST when there is a body or an Idempotency-Key is wanted. */
static struct response ask(const char *method, const char *caller, const char *body, const char *path_fmt, ...)
    __attribute__((format(printf, 4, 5)));
static struct response ask(const char *method, const char *caller, const char *body, const char *path_fmt, ...)
{
    char path[256], idem[ID_BYTES];
    va_list args;

    va_start(args, path_fmt);
    vsnprintf(path, sizeof(path), path_fmt, args);
    va_end(args);
    return rig_call(&rig, &(struct call){ .method = method, .path = path, .key = caller, .body = body,
                                          .idem = strcmp(method, "POST") == 0 ? id_make("tst_", idem) : NULL });
}

/* The id of what a POST made. */
static void make(const char *caller, const char *path, const char *body, char id[static 40])
{
    struct response answer = ask("POST", caller, body, "%s", path);

    ok(answer.status == 201 || answer.status == 202, "POST %s: made (%d)", path, answer.status);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void refused(const char *path, const char *body, int status, const char *code, const char *part)
{
    struct response answer = ask("POST", key, body, "%s", path);

    ok_int(answer.status, status, "POST %s %.120s: %d", path, body, status);
    ok_text(answer_text_of(&answer, "code"), code, "by its code");
    ok_has(answer.text, part, "and says so");
    answer_free(&answer);
}

static void action(const char *instance, const char *body, int status)
{
    struct response answer = ask("POST", key, body, "/v1/instances/%s/actions", instance);

    ok_int(answer.status, status, "%s: %d", body, status);
    answer_free(&answer);
}

static json_int_t number_of(const struct response *answer, const char *field)
{
    return json_integer_value(json_object_get(answer->json, field));
}

static void volume_life(void)
{
    char id[40], instance[40], body[200], path[128];
    struct response answer;

    make(key, "/v1/volumes", "{\"name\":\"data\",\"size_mib\":64}", id);
    ok(id_valid("vol_", id), "a volume has a typed id");
    answer = ask("GET", key, NULL, "/v1/volumes/%s", id);
    ok(number_of(&answer, "size_mib") == 64 && strcmp(answer_text_of(&answer, "state"), "available") == 0,
       "it is there at once, and available");
    ok_text(answer_text_of(&answer, "used_bytes"), "65536", "bytes are a decimal string");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/volumes/%s/resize", id);
    refused(path, "{\"size_mib\":63}", 422, "invalid_fields", "only grows, and this one has 64 MiB");
    answer = ask("POST", key, "{\"size_mib\":128}", "%s", path);
    ok(answer.status == 200 && number_of(&answer, "size_mib") == 128, "it grows");
    answer_free(&answer);
    rig_instance(&rig, key, "holder", instance);
    snprintf(body, sizeof(body), "{\"type\":\"attach\",\"volume_id\":\"%s\",\"read_only\":true}", id);
    action(instance, body, 202);
    answer = ask("GET", key, NULL, "/v1/instances/%s", instance);
    ok_has(answer.text, id, "the instance shows it");
    ok_has(answer.text, "\"device\":\"xvda\",\"read_only\":true", "with its device, read-only");
    answer_free(&answer);
    action(instance, body, 409);
    answer = ask("DELETE", key, NULL, "/v1/volumes/%s", id);
    ok_int(answer.status, 409, "what is attached is not deleted");
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"type\":\"detach\",\"volume_id\":\"%s\"}", id);
    action(instance, body, 202);
    action(instance, body, 409);
    answer = ask("DELETE", key, NULL, "/v1/volumes/%s", id);
    ok_int(answer.status, 204, "detached it is");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/volumes/%s", id);
    ok_int(answer.status, 404, "and is gone");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", instance);
    refused(path, "{\"type\":\"attach\"}", 422, "invalid_fields", "\"field\":\"volume_id\"");
    refused(path, "{\"type\":\"start\",\"volume_id\":\"vol_1\"}", 422, "invalid_fields", "unknown_field");
    refused(path, "{\"type\":\"detach\",\"volume_id\":\"vol_1\",\"read_only\":true}", 422, "invalid_fields", "no such volume");
}

/* A key that sees instances and no bills. */
static void poor_make(void)
{
    struct response answer = ask("POST", key, "{\"name\":\"poor\",\"scopes\":[\"instances:read\"]}", "/v1/keys");

    snprintf(poor, sizeof(poor), "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
}

/* What a stopped instance becomes shows as the provisioner tells it. */
static void changes(void)
{
    char instance[40], path[128];
    struct response answer;

    rig_instance(&rig, key, "changes", instance);
    action(instance, "{\"type\":\"resize\",\"flavor\":\"xs2\"}", 409);
    action(instance, "{\"type\":\"shutdown\"}", 202);
    action(instance, "{\"type\":\"resize\",\"flavor\":\"xs2\"}", 202);
    action(instance, "{\"type\":\"rebuild\",\"image\":\"large\"}", 202);
    answer = ask("GET", key, NULL, "/v1/instances/%s", instance);
    ok(number_of(&answer, "vcpus") == 2 && number_of(&answer, "memory_mib") == 256, "it has the other size");
    ok(strcmp(answer_text_of(&answer, "flavor"), "xs2") == 0 && strcmp(answer_text_of(&answer, "image"), "large") == 0,
       "and the other image");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/instances/%s/actions?limit=3", instance);
    ok(json_array_size(json_object_get(answer.json, "data")) == 3 && strstr(answer.text, "\"rebuild\"") <
           strstr(answer.text, "\"shutdown\"") && number_of(&answer, "next_cursor") > 0, "what was done to it, the newest first");
    snprintf(path, sizeof(path), "/v1/instances/%s/actions?after=%d", instance, (int)number_of(&answer, "next_cursor"));
    answer_free(&answer);
    answer = ask("GET", key, NULL, "%s", path);
    ok(json_array_size(json_object_get(answer.json, "data")) == 1 && strstr(answer.text, "\"create\"") &&
           json_is_null(json_object_get(answer.json, "next_cursor")), "to its beginning");
    ok(strstr(answer.text, "\"cost\":\"0.001234567\""), "with what the run cost that it began");
    answer_free(&answer);
    answer = ask("GET", poor, NULL, "%s", path);
    ok(answer.status == 200 && strstr(answer.text, "\"cost\":null"), "which is not for who may not read bills");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", instance);
    refused(path, "{\"type\":\"resize\"}", 422, "invalid_fields", "\"field\":\"flavor\"");
    refused(path, "{\"type\":\"resize\",\"flavor\":\"none\"}", 422, "invalid_fields", "choose one of xs1, xs2");
    refused(path, "{\"type\":\"rebuild\",\"image\":\"none\"}", 422, "invalid_fields", "there is no \\\"none\\\"");
    refused(path, "{\"type\":\"rebuild\",\"flavor\":\"xs1\"}", 422, "invalid_fields", "unknown_field");
}

/* Copies: of an image, of a snapshot. */
static void copies(void)
{
    char id[40], snapshot[40], copy[40], body[200], path[128];
    struct response answer;

    make(key, "/v1/volumes", "{\"name\":\"of-image\",\"image\":\"disk\"}", id);
    answer = ask("GET", key, NULL, "/v1/volumes/%s", id);
    ok(number_of(&answer, "size_mib") == 1024 && strcmp(answer_text_of(&answer, "image"), "disk") == 0,
       "a copy of an image is as large as it");
    answer_free(&answer);
    refused("/v1/volumes", "{\"name\":\"v\",\"image\":\"disk\",\"size_mib\":1023}", 422, "invalid_fields", "has 1024 MiB");
    refused("/v1/volumes", "{\"name\":\"v\",\"image\":\"tiny\",\"size_mib\":64}", 422, "invalid_fields", "no disk of its own");
    refused("/v1/volumes", "{\"name\":\"v\"}", 422, "invalid_fields", "\"field\":\"size_mib\"");
    refused("/v1/volumes", "{\"name\":\"v\",\"image\":\"disk\",\"snapshot_id\":\"snap_1\"}", 422, "invalid_fields", "not both");
    refused("/v1/volumes", "{\"name\":\"v\",\"snapshot_id\":\"snap_1\"}", 422, "invalid_fields", "no such snapshot");
    refused("/v1/volumes", "{\"name\":\"v\",\"size_mib\":99999999999}", 422, "invalid_fields", "from 1 to 16777216");
    snprintf(path, sizeof(path), "/v1/volumes/%s/snapshots", id);
    refused(path, "{\"name\":\"No Name\"}", 422, "invalid_fields", "\"field\":\"name\"");
    make(key, path, "{\"name\":\"before\"}", snapshot);
    snprintf(body, sizeof(body), "{\"name\":\"copy\",\"snapshot_id\":\"%s\"}", snapshot);
    make(key, "/v1/volumes", body, copy);
    answer = ask("GET", key, NULL, "/v1/volumes/%s", copy);
    ok(number_of(&answer, "size_mib") == 1024 && strcmp(answer_text_of(&answer, "snapshot_id"), snapshot) == 0,
       "a copy of a snapshot is as large as it");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/snapshots");
    ok_has(answer.text, snapshot, "the snapshot is in the list");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/snapshots/%s", snapshot);
    ok_int(answer.status, 204, "it is deleted");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/snapshots/%s", snapshot);
    ok_int(answer.status, 404, "and is gone");
    answer_free(&answer);
    for (int i = 0; i < 2; i++) {
        answer = ask("DELETE", key, NULL, "/v1/volumes/%s", i ? id : copy);
        answer_free(&answer);
    }
}

static void volumes_quota(void)
{
    struct response answer;
    long placed;
    const json_t *context;
    char ids[6][40];

    for (int i = 0; i < 6; i++)
        make(key, "/v1/volumes", "{\"name\":\"q\",\"size_mib\":1}", ids[i]);
    placed = rig_rows(&rig, "db/api.db", "SELECT count(*) FROM placements");
    answer = ask("POST", key, "{\"name\":\"q\",\"size_mib\":1}", "/v1/volumes");
    context = json_object_get(answer.json, "context");
    ok_int(answer.status, 409, "a full quota refuses");
    ok_text(answer_text_of(&answer, "code"), "quota_exceeded", "by its code");
    ok_text(json_string_value(json_object_get(context, "quota")), "volumes_max", "which names the quota");
    ok(json_integer_value(json_object_get(context, "limit")) == 6 && json_integer_value(json_object_get(context, "used")) == 6,
       "its limit and what is used");
    answer_free(&answer);
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:s}", "fail", "insufficient_funds")));
    answer = ask("POST", key, "{\"name\":\"poor\",\"image\":\"disk\",\"flavor\":\"xs1\"}", "/v1/instances");
    ok_int(answer.status, 402, "an instance with a disk is refused too");
    answer_free(&answer);
    ok_int(rig_rows(&rig, "db/api.db", "SELECT count(*) FROM placements"), placed, "what is refused is in no project");
    for (int i = 0; i < 6; i++) {
        answer = ask("DELETE", key, NULL, "/v1/volumes/%s", ids[i]);
        answer_free(&answer);
    }
}

static void instance_with_all(void)
{
    char data[40], id[40], ssh_key[40], body[600];
    struct response answer, again;
    const json_t *ssh;

    make(key, "/v1/ssh_keys", "{\"name\":\"laptop\",\"public_key\":\"" SSH_KEY " me\\n\"}", ssh_key);
    make(key, "/v1/volumes", "{\"name\":\"data\",\"size_mib\":64}", data);
    snprintf(body, sizeof(body),
             "{" CREATE ",\"disk_mib\":2048,\"volumes\":[\"%s\"],\"ssh_keys\":[\"laptop\"],\"forward_ports\":[22,80],"
             "\"user_data\":\"#cloud-config\\nfqdn: x\\n\"}", "disk", data);
    answer = rig_post(&rig, key, "/v1/instances", "all-1", body);
    ok_int(answer.status, 202, "an instance with all that it can have");
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/instances/%s", id);
    ssh = json_object_get(answer.json, "ssh");
    ok_int((long long)json_array_size(json_object_get(answer.json, "volumes")), 2, "has its own disk and the volume");
    ok_int((long long)json_array_size(json_object_get(answer.json, "forwards")), 2, "and two ports");
    ok(json_integer_value(json_object_get(ssh, "port")) >= 22000 && json_object_get(ssh, "host"), "ssh says where to log in");
    ok_has(answer.text, "\"meters_running\":[\"vcpu_reserved\",\"disk_ops\",\"disk_bytes\",\"net_packets\",", "its meters are named");
    ok_text(answer_text_of(&answer, "state_reason"), "1 keys, 22 bytes of user data", "key and user data reached the provisioner");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/ips");
    ok_has(answer.text, "\"ipv4\":\"10.77.3.2\"", "its address is in the list");
    ok_has(answer.text, id, "under its id");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/ssh_keys/%s", ssh_key);
    ok_int(answer.status, 204, "the SSH key is deleted");
    answer_free(&answer);
    again = rig_post(&rig, key, "/v1/instances", "all-1", body);
    ok(again.status == 202 && strcmp(answer_text_of(&again, "id"), id) == 0,
       "and the same request is still answered as the first time");
    answer_free(&again);
    answer = ask("DELETE", key, NULL, "/v1/instances/%s", id);
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/volumes");
    ok(json_array_size(json_object_get(answer.json, "data")) == 1 && strstr(answer.text, data),
       "deleted, its own disk is gone and the volume is not");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/volumes/%s", data);
    answer_free(&answer);
}

static void bad_wishes(void)
{
    static const struct {
        const char *image, *wish, *part;
    } cases[] = {
        { "tiny", "\"disk_mib\":64", "no disk of its own" },
        { "disk", "\"disk_mib\":1023", "needs 1024 MiB" },
        { "disk", "\"disk_mib\":\"1024\"", "must be a number" },
        { "tiny", "\"network\":\"yes\"", "must be true or false" },
        { "tiny", "\"forward_ports\":[22]", "set network to true" },
        { "disk", "\"network\":false,\"forward_ports\":[22]", "set network to true" },
        { "disk", "\"forward_ports\":[0]", "from 1 to 65535" },
        { "disk", "\"forward_ports\":[65536]", "from 1 to 65535" },
        { "disk", "\"forward_ports\":[22,22]", "are the same" },
        { "disk", "\"forward_ports\":[1,2,3,4,5,6,7,8,9]", "at most 8" },
        { "disk", "\"forward_ports\":22", "must be an array" },
        { "disk", "\"volumes\":[\"vol_00000000000000000000000000\"]", "you have no volume" },
        { "disk", "\"volumes\":[1]", "must be a string" },
        { "disk", "\"ssh_keys\":[\"nobody\"]", "no SSH key \\\"nobody\\\"" },
        { "disk", "\"user_data\":\"\"", "1 to 16384 bytes" },
        { "disk", "\"user_data\":\"\\u0007\"", "control characters" },
    };
    struct response answer;
    char body[400];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(body, sizeof(body), "{" CREATE ",%s}", cases[i].image, cases[i].wish);
        refused("/v1/instances", body, 422, "invalid_fields", cases[i].part);
    }
    snprintf(body, sizeof(body), "{" CREATE ",\"disk_mib\":64,\"forward_ports\":[22]}", "nobody-knows");
    answer = ask("POST", key, body, "/v1/instances");
    ok_int((long long)json_array_size(json_object_get(answer.json, "errors")), 1, "an unknown image is one mistake, not three");
    answer_free(&answer);
}

static void forwards(void)
{
    char instance[40], ids[4][40], path[128];
    struct response answer;

    make(key, "/v1/instances", "{\"name\":\"f\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"network\":true}", instance);
    snprintf(path, sizeof(path), "/v1/instances/%s/forwards", instance);
    for (int i = 0; i < 4; i++)
        make(key, path, i ? "{\"guest_port\":80}" : "{\"guest_port\":22}", ids[i]);
    refused(path, "{\"guest_port\":81}", 503, "capacity_unavailable", "all ports of the host are taken");
    refused(path, "{\"guest_port\":0}", 422, "invalid_fields", "from 1 to 65535");
    answer = ask("GET", key, NULL, "%s", path);
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), 4, "four lead to it");
    answer_free(&answer);
    answer = ask("DELETE", other_key, NULL, "/v1/forwards/%s", ids[0]);
    ok_int(answer.status, 404, "nobody else takes one away");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/forwards/%s", ids[0]);
    ok_int(answer.status, 204, "its owner does");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "/v1/instances/%s", instance);
    ok(json_is_null(json_object_get(answer.json, "ssh")), "without port 22 there is no ssh");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/instances/%s", instance);
    answer_free(&answer);
}

static void firewall_refused(const char *path, const char *body, const char *field)
{
    struct response answer = ask("PUT", key, body, "%s", path);

    ok_int(answer.status, 422, "%s is refused", body);
    ok_text(json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "errors"), 0), "field")), field,
            "by the name of the field");
    answer_free(&answer);
}

static void firewalls(void)
{
    static const char body[] = "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"source\":\"192.0.2.7\"}]}";
    char instance[40], path[128];
    struct response answer;

    make(key, "/v1/instances", "{\"name\":\"w\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"network\":true}", instance);
    snprintf(path, sizeof(path), "/v1/instances/%s/firewall", instance);
    answer = ask("GET", key, NULL, "%s", path);
    ok_text(answer.text, "{\"enabled\":false,\"inbound\":[],\"outbound\":[]}", "a firewall is off at first");
    answer_free(&answer);
    answer = ask("PUT", other_key, body, "%s", path);
    ok_int(answer.status, 404, "nobody else has one there");
    answer_free(&answer);
    answer = ask("PUT", key, body, "%s", path);
    ok_int(answer.status, 200, "its owner does");
    answer_free(&answer);
    answer = ask("GET", key, NULL, "%s", path);
    ok_has(answer.text, "\"source\":\"192.0.2.7/32\"", "it is shown, in one spelling");
    answer_free(&answer);
    firewall_refused(path, "{}", "enabled");
    firewall_refused(path, "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\"},{\"protocol\":\"tcp\",\"ports\":\"0\"}]}", "inbound[1].ports");
    firewall_refused(path, "{\"enabled\":true,\"outbound\":[{\"protocol\":\"udp\",\"destination\":\"10.0.0.1/8\"}]}", "outbound[0].destination");
    firewall_refused(path, "{\"enabled\":true,\"inbound\":[{\"protocol\":\"udp\",\"ports\":22}]}", "inbound[0].ports");
    firewall_refused(path, "{\"enabled\":true,\"account_id\":\"x\"}", "account_id");
    answer = ask("DELETE", key, NULL, "/v1/instances/%s", instance);
    answer_free(&answer);
}

static void ssh_keys(void)
{
    char id[40], body[256];
    struct response answer;

    make(key, "/v1/ssh_keys", "{\"name\":\"one\",\"public_key\":\"" SSH_KEY "\"}", id);
    answer = ask("GET", key, NULL, "/v1/ssh_keys");
    ok_has(answer.text, "SHA256:RFkCq5/AGeu/ajf/Dm9cN925470uJPvzmqfV9ym3DOE", "the fingerprint is ssh-keygen's");
    answer_free(&answer);
    refused("/v1/ssh_keys", "{\"name\":\"one\",\"public_key\":\"" SSH_KEY "\"}", 409, "conflict", "already called");
    refused("/v1/ssh_keys", "{\"name\":\"two\",\"public_key\":\"-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl\"}", 422,
            "invalid_fields", "the private key");
    for (int i = 2; i <= 32; i++) {
        snprintf(body, sizeof(body), "{\"name\":\"k%d\",\"public_key\":\"" SSH_KEY "\"}", i);
        answer = ask("POST", key, body, "/v1/ssh_keys");
        if (answer.status != 201)
            ok(false, "key %d: %d", i, answer.status);
        answer_free(&answer);
    }
    refused("/v1/ssh_keys", "{\"name\":\"k33\",\"public_key\":\"" SSH_KEY "\"}", 409, "quota_exceeded", "ssh_keys_max");
    answer = ask("DELETE", other_key, NULL, "/v1/ssh_keys/%s", id);
    ok_int(answer.status, 404, "nobody else deletes one");
    answer_free(&answer);
    answer = ask("DELETE", key, NULL, "/v1/ssh_keys/%s", id);
    ok_int(answer.status, 204, "its owner does");
    answer_free(&answer);
}

/* What is another's is as what is not there. */
static void tenants(void)
{
    char theirs[40], mine[40], snapshot[40], path[128], body[300];
    struct response answer;

    make(other_key, "/v1/volumes", "{\"name\":\"theirs\",\"size_mib\":1}", theirs);
    snprintf(path, sizeof(path), "/v1/volumes/%s/snapshots", theirs);
    make(other_key, path, "{\"name\":\"theirs\"}", snapshot);
    rig_instance(&rig, key, "mine", mine);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", mine);
    snprintf(body, sizeof(body), "{\"type\":\"attach\",\"volume_id\":\"%s\"}", theirs);
    refused(path, body, 422, "invalid_fields", "no such volume");
    snprintf(body, sizeof(body), "{" CREATE ",\"volumes\":[\"%s\"]}", "tiny", theirs);
    refused("/v1/instances", body, 422, "invalid_fields", "you have no volume");
    snprintf(body, sizeof(body), "{\"name\":\"v\",\"snapshot_id\":\"%s\"}", snapshot);
    refused("/v1/volumes", body, 422, "invalid_fields", "no such snapshot");
    answer = ask("GET", key, NULL, "/v1/volumes");
    ok(!strstr(answer.text, theirs), "lists have only one's own");
    answer_free(&answer);
}

/* A stored answer does not change because the world has: bigger since, gone since. */
static void old_answers(void)
{
    char volume[40], instance[40], resize[128], actions[128], attach[128];
    struct response answer;

    make(key, "/v1/volumes", "{\"name\":\"old\",\"size_mib\":1}", volume);
    rig_instance(&rig, key, "old", instance);
    snprintf(resize, sizeof(resize), "/v1/volumes/%s/resize", volume);
    snprintf(actions, sizeof(actions), "/v1/instances/%s/actions", instance);
    snprintf(attach, sizeof(attach), "{\"type\":\"attach\",\"volume_id\":\"%s\"}", volume);
    for (int again = 0; again < 2; again++) {
        answer = rig_post(&rig, key, resize, "old-1", "{\"size_mib\":2}");
        ok(answer.status == 200 && number_of(&answer, "size_mib") == 2, "%s: resized to 2 MiB", again ? "later" : "first");
        answer_free(&answer);
        answer = rig_post(&rig, key, actions, "old-2", attach);
        ok_int(answer.status, 202, "%s: attached", again ? "later" : "first");
        answer_free(&answer);
        if (again)
            break;
        answer = ask("POST", key, "{\"size_mib\":9}", "%s", resize);
        answer_free(&answer);
        answer = ask("DELETE", key, NULL, "/v1/instances/%s", instance);
        answer_free(&answer);
        answer = ask("DELETE", key, NULL, "/v1/volumes/%s", volume);
        ok_int(answer.status, 204, "the volume is gone");
        answer_free(&answer);
    }
}

/* The answer was lost: the same key again finds the one effect. */
static void lost_answers(void)
{
    char volume[40], instance[40], path[3][128], action_body[128];
    struct {
        const char *verb, *path, *body;
        int status;
    } cases[] = {
        { "volume_create", "/v1/volumes", "{\"name\":\"lost\",\"size_mib\":1}", 201 },
        { "snapshot_create", path[0], "{\"name\":\"lost\"}", 201 },
        { "volume_resize", path[1], "{\"size_mib\":9}", 200 },
        { "forward_create", path[2], "{\"guest_port\":443}", 201 },
        { "instance_action", NULL, action_body, 202 },
        { "instance_create", "/v1/instances",
          "{\"name\":\"lost\",\"image\":\"disk\",\"flavor\":\"xs1\",\"forward_ports\":[80]}", 202 },
    };

    make(key, "/v1/volumes", "{\"name\":\"base\",\"size_mib\":1}", volume);
    make(key, "/v1/instances", "{\"name\":\"l\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"network\":true}", instance);
    snprintf(path[0], sizeof(path[0]), "/v1/volumes/%s/snapshots", volume);
    snprintf(path[1], sizeof(path[1]), "/v1/volumes/%s/resize", volume);
    snprintf(path[2], sizeof(path[2]), "/v1/instances/%s/forwards", instance);
    snprintf(action_body, sizeof(action_body), "{\"type\":\"attach\",\"volume_id\":\"%s\"}", volume);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int before = rig_count(&rig, "provisioner", cases[i].verb);
        char idem[ID_BYTES], actions[128];
        struct response answer;

        snprintf(actions, sizeof(actions), "/v1/instances/%s/actions", instance);
        id_make("tst_", idem);
        json_decref(rig_order(&rig, "provisioner", json_pack("{s:b}", "lose", 1)));
        answer = rig_post(&rig, key, cases[i].path ? cases[i].path : actions, idem, cases[i].body);
        ok_int(answer.status, 503, "%s: the answer was lost", cases[i].verb);
        answer_free(&answer);
        answer = rig_post(&rig, key, cases[i].path ? cases[i].path : actions, idem, cases[i].body);
        ok_int(answer.status, cases[i].status, "%s: the second try succeeds", cases[i].verb);
        answer_free(&answer);
        ok_int(rig_count(&rig, "provisioner", cases[i].verb) - before, 1, "%s: with one effect", cases[i].verb);
    }
}

int main(void)
{
    rig_start(&rig);
    rig_customer(&rig, "owner", key, account);
    rig_customer(&rig, "other", other_key, other_account);
    poor_make();
    volume_life();
    changes();
    copies();
    volumes_quota();
    instance_with_all();
    bad_wishes();
    forwards();
    firewalls();
    ssh_keys();
    tenants();
    old_answers();
    lost_answers();
    rig_end(&rig);
    return tap_end();
}
