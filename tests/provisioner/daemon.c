/* The daemon over its socket: what it takes and refuses of instances, their lives, money, kills, full disks. */
#include "rig.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sched.h>

static json_t *create_args(const char *job_id, const char *instance_id)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "job_id", job_id, "instance_id", instance_id, "account_id",
                     "acc_1", "name", "my guest \xC3\xBC", "image", "tiny", "flavor", "xs1");
}

static json_t *create_with(const char *key, json_t *value)
{
    json_t *args = create_args("act_bad", "ins_bad");

    json_object_set_new(args, key, value);
    return args;
}

static void starts_strictly(void)
{
    char catalog[160];
    int status;
    pid_t child;

    snprintf(catalog, sizeof(catalog), "--catalog=%s/none.json", dir);
    child = program_start(catalog);
    waitpid(child, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 1 && log_has("none.json"), "no catalogue: exit 1, the file is named");
    daemon_start();
    snprintf(catalog, sizeof(catalog), "--catalog=%s/catalog.json", dir);
    child = program_start(catalog);
    waitpid(child, &status, 0);
    char text[64];
    snprintf(text, sizeof(text), "already running as process %d", (int)daemon_pid);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 1 && log_has(text), "a second one: exit 1, the first is named");
}

static void holds_no_rights(void)
{
    char path[64], status[4096];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon_pid);
    f = fopen(path, "r");
    if (!f)
        err(1, "%s", path);
    status[fread(status, 1, sizeof(status) - 1, f)] = 0;
    fclose(f);
    check((strstr(status, "CapEff:\t0000000000001000") || geteuid()) && strstr(status, "CapBnd:\t0000000000001000") &&
          strstr(status, "NoNewPrivs:\t1"), "it may do with dom0's network what it wants, and nothing else that root may");
}

static void offers(void)
{
    json_t *error, *ok = ask("host", json_object(), &error);

    check(json_integer_value(json_object_get(ok, "pages_total")) == WORLD_PAGES &&
          json_integer_value(json_object_get(ok, "domains")) == 1, "host");
    json_decref(ok);
    ok = ask("images", json_object(), &error);
    check(json_array_size(json_object_get(ok, "images")) == 3, "images");
    json_decref(ok);
    ok = ask("flavors", json_object(), &error);
    const json_t *flavors = json_object_get(ok, "flavors"), *xs1 = json_array_get(flavors, 0);
    json_int_t ops = 0, bytes = 0, burst = 0, packets = 0;
    json_unpack((json_t *)xs1, "{s:{s:I, s:I, s:I}, s:{s:I}}", "disk_limit", "ops_per_s", &ops, "bytes_per_s", &bytes,
                "burst_ms", &burst, "net_limit", "ops_per_s", &packets);
    check(json_array_size(flavors) == 4 && ops == 100 && bytes == 1000000 && burst == 500 && packets == 200 &&
          !json_object_get(json_array_get(flavors, 1), "disk_limit"), "flavors, with the limits that they have");
    json_decref(ok);
}

static void bad_input(void)
{
    static char huge[200000];

    memset(huge, 'x', sizeof(huge) - 1);
    check(refused("instance_create", json_object(), "bad_request", "job_id"), "refused: nothing at all");
    check(refused("instance_create", create_with("image", json_string("windows")), "bad_request", "image: windows"),
          "refused: an unknown image");
    check(refused("instance_create", create_with("flavor", json_string("xl")), "bad_request", "flavor: xl"),
          "refused: an unknown flavour");
    check(refused("instance_create", create_with("flavor", json_string("nano")), "bad_request", "needs 32"),
          "refused: a flavour with too little memory for the image");
    check(refused("instance_create", create_with("flavor", json_string("huge")), "capacity_unavailable", "huge: 4096 MiB"),
          "refused: more than the host has");
    check(refused("instance_create", create_with("name", json_string("a\nb")), "bad_request", "name"),
          "refused: a name with a control character");
    check(refused("instance_create", create_with("name", json_string("")), "bad_request", "name"), "refused: no name");
    check(refused("instance_create", create_with("name", json_string(huge)), "bad_request", "name"),
          "refused: a name of 200000 bytes");
    check(refused("instance_create", create_with("name", json_integer(7)), "bad_request", "name"),
          "refused: a number as name");
    check(refused("instance_create", create_with("instance_id", json_string("../../etc/passwd")), "bad_request",
                  "instance_id"), "refused: a path as instance id");
    check(refused("instance_create", create_with("cmdline", json_string("init=/bin/sh\nquiet")), "bad_request",
                  "cmdline"), "refused: a command line of two lines");
    check(refused("instance_create", create_with("cmdline", json_string(huge)), "bad_request", "cmdline"),
          "refused: a command line of 200000 bytes");
    check(refused("instance_create", create_with("memory_mib", json_integer(-5)), "bad_request", "memory_mib"),
          "refused: an argument that does not exist");
    check(refused("job", json_pack("{s:s}", "job_id", "act_none"), "not_found", "act_none"), "refused: an unknown job");
    check(refused("job", json_pack("{s:s, s:I}", "job_id", "act_none", "wait_ms", (json_int_t)30001), "bad_request",
                  "wait_ms"), "refused: too long a wait");
    check(refused("job", json_pack("{s:s, s:i}", "job_id", "act_none", "wait_ms", -1), "bad_request", "wait_ms"),
          "refused: a negative wait");
    check(refused("instance", json_pack("{s:s}", "instance_id", "ins_none"), "not_found", "ins_none"),
          "refused: an unknown instance");
    check(refused("instance_action", action_args("act_x", "ins_none", "start"), "not_found", "ins_none"),
          "refused: an action on an unknown instance");
    check(refused("instance_action", action_args("act_x", "ins_none", "explode"), "bad_request", "type"),
          "refused: an unknown action");
    check(refused("instance_action", action_args("act_x", "ins_none", "crashed"), "bad_request", "type"),
          "refused: an action that only the provisioner takes");
    check(refused("console_log", json_pack("{s:s, s:i}", "instance_id", "ins_none", "limit", 1 << 30), "bad_request",
                  "limit"), "refused: a console log of 1 GiB");
    check(refused("tombstone_ack", json_pack("{s:i, s:s}", "slot", 1, "incarnation", "zz"), "bad_request",
                  "incarnation"), "refused: an incarnation that is no hex");
    check(refused("tombstone_ack", json_pack("{s:I, s:s}", "slot", (json_int_t)1 << 40, "incarnation",
                  "00000000000000000000000000000000"), "bad_request", "slot"), "refused: a slot of 2^40");
    check(refused("launch", json_object(), "bad_request", "launch"), "refused: an unknown verb");
    check(!world_alive(w) && w->pages_free == WORLD_PAGES, "after all that nothing exists");
}

static void one_life(void)
{
    static const char noise[] = "Linux version 6.1\n\xFF\x00 caf\xC3\xA9\n";
    json_t *instance, *error, *ok;

    check(done("instance_create", create_args("act_1", "ins_1"), "act_1"), "create runs to its end");
    instance = instance_get("ins_1");
    check(!strcmp(json_string_value(json_object_get(instance, "state")), "running") &&
          json_is_false(json_object_get(instance, "ready")) &&
          json_string_length(json_object_get(instance, "incarnation")) == 32 &&
          json_string_length(json_object_get(instance, "domain_uuid")) == 36 &&
          json_integer_value(json_object_get(instance, "domid")) > 0, "the instance runs, and is not ready yet");
    json_decref(instance);
    check(refused("instance_create", create_args("act_1", "ins_2"), "conflict", "job_id"),
          "the same job id for something else is a conflict");
    check(refused("instance_create", create_args("act_2", "ins_1"), "conflict", "instance_id"),
          "the same instance id in another job is a conflict");
    check(done("instance_create", create_args("act_1", "ins_1"), "act_1") && world_alive(w) == 1,
          "the same request again is answered and makes nothing new");
    sample_write(dir, "console/guest-ins_1.log", noise, sizeof(noise) - 1);
    instance = instance_get("ins_1");
    check(json_is_true(json_object_get(instance, "ready")), "it is ready when the guest has written to its console");
    json_decref(instance);
    ok = ask("console_log", json_pack("{s:s}", "instance_id", "ins_1"), &error);
    const char *text = json_string_value(json_object_get(ok, "text"));
    check(text && !strcmp(text, "Linux version 6.1\n\xEF\xBF\xBD\xEF\xBF\xBD caf\xC3\xA9\n") &&
          json_integer_value(json_object_get(ok, "size")) == (json_int_t)sizeof(noise) - 1,
          "the console log, cleaned of what is not text");
    json_decref(ok);
    ok = ask("console_log", json_pack("{s:s, s:i, s:i}", "instance_id", "ins_1", "offset", 20, "limit", 5), &error);
    text = json_string_value(json_object_get(ok, "text"));
    check(text && !strcmp(text, " caf") && json_integer_value(json_object_get(ok, "next")) == 24,
          "a part of it does not cut a character in two");
    json_decref(ok);
    check(refused("instance_action", action_args("act_3", "ins_1", "start"), "conflict", "running"),
          "start of what runs is a conflict");
    check(done("instance_action", action_args("act_4", "ins_1", "suspend"), "act_4") &&
          instance_is("ins_1", "state", "suspended") && w->domain[0].pauses == 1, "suspend pauses the domain");
    check(done("instance_action", action_args("act_5", "ins_1", "resume"), "act_5") &&
          instance_is("ins_1", "state", "running") && !w->domain[0].pauses, "resume lets it run");
}

static void guest_acts(void)
{
    world_shutdown(w, &w->domain[0], SHUTDOWN_reboot);
    int64_t until_ms = clock_monotonic_ms() + 10000;
    while (world_alive(w) && !w->domain[1].used && clock_monotonic_ms() < until_ms)
        poll(NULL, 0, 5);
    check(instance_becomes("ins_1", "running") && w->domain[0].dying && w->domain[1].used && registrations == 2,
          "a guest that reboots gets a new domain, registered before it runs");
    json_t *instance = instance_get("ins_1");
    check(json_is_false(json_object_get(instance, "ready")), "and is not ready on the strength of the old one's words");
    json_decref(instance);
    world_shutdown(w, &w->domain[1], SHUTDOWN_poweroff);
    check(instance_becomes("ins_1", "stopped") && !world_alive(w) && w->pages_free == WORLD_PAGES,
          "a guest that powers off is stopped and gives all back");
    check(done("instance_action", action_args("act_6", "ins_1", "start"), "act_6"), "it can be started again");
    json_decref(ask("instance_action", action_args("act_7", "ins_1", "shutdown"), &(json_t *){ NULL }));
    while (!*w->domain[2].asked && clock_monotonic_ms() < until_ms)
        poll(NULL, 0, 5);
    check(!strcmp(job_status("act_7", 50), "running") && !strcmp(w->domain[2].asked, "poweroff"),
          "a shutdown asks the guest and waits for it");
    world_shutdown(w, &w->domain[2], SHUTDOWN_poweroff);
    check(!strcmp(job_status("act_7", 30000), "succeeded") && instance_is("ins_1", "state", "stopped"),
          "and ends when the guest does");
    check(done("instance_action", action_args("act_8", "ins_1", "start"), "act_8"), "started once more");
    json_decref(ask("instance_action", action_args("act_9", "ins_1", "shutdown"), &(json_t *){ NULL }));
    check(done("instance_action", action_args("act_10", "ins_1", "power_off"), "act_10") &&
          !strcmp(job_status("act_9", 0), "failed") && instance_is("ins_1", "state", "stopped"),
          "power_off ends a guest that does not obey, and the wait for it");
}

static void money(pthread_t *accountd)
{
    accountd_calls_back = true;
    check(done("instance_action", action_args("act_20", "ins_1", "start"), "act_20") && acks_inside == 1,
          "accountd may ask us while we ask it");
    accountd_calls_back = false;
    check(done("instance_action", action_args("act_21", "ins_1", "power_off"), "act_21"), "powered off");
    strcpy(accountd_refuses, "insufficient_funds");
    json_decref(ask("instance_action", action_args("act_22", "ins_1", "start"), &(json_t *){ NULL }));
    check(!strcmp(job_status("act_22", 30000), "failed") && instance_is("ins_1", "state", "stopped") && !world_alive(w),
          "without funds it stays as it was");
    accountd_refuses[0] = 0;
    accountd_end(*accountd);
    json_decref(ask("instance_action", action_args("act_23", "ins_1", "start"), &(json_t *){ NULL }));
    check(!strcmp(job_status("act_23", 300), "running"), "while accountd is away a start waits");
    *accountd = accountd_start();
    check(!strcmp(job_status("act_23", 30000), "succeeded"), "and goes on when it is back");
}

static void killed_and_restarted(pthread_t *accountd)
{
    accountd_end(*accountd);
    json_decref(ask("instance_create", create_args("act_28", "ins_28"), &(json_t *){ NULL }));
    check(!strcmp(job_status("act_28", 200), "running") &&
          !strcmp(job_status("act_28", 0), "running"), "a create waits for accountd");
    json_decref(ask("instance_action", action_args("act_29", "ins_28", "power_off"), &(json_t *){ NULL }));
    check(!strcmp(job_status("act_28", 10000), "failed"), "a power_off ends the wait");
    uint64_t free_before = w->pages_free;
    w->pages_free = 2 * 32768;
    json_decref(ask("instance_create", create_args("act_30", "ins_3"), &(json_t *){ NULL }));
    check(!strcmp(job_status("act_30", 300), "running"), "a create is under way");
    check(refused("instance_create", create_args("act_31", "ins_31"), "capacity_unavailable", "128 of them promised"),
          "what it was promised is not promised again");
    w->pages_free = free_before;
    check(daemon_end(SIGKILL) == -SIGKILL, "the daemon is killed");
    daemon_start();
    check(!strcmp(job_status("act_30", 100), "running"), "after the restart the job is known, and goes on");
    *accountd = accountd_start();
    if (!check(!strcmp(job_status("act_30", 30000), "succeeded") && world_alive(w) == 2 && !*w->broken,
               "to its end, with one domain and no more"))
        printf("# %u alive, broken: %s\n", world_alive(w), w->broken);
}

static void disk_full(void)
{
    struct rlimit none = { 0, RLIM_INFINITY }, plenty = { RLIM_INFINITY, RLIM_INFINITY };

    prlimit(daemon_pid, RLIMIT_FSIZE, &none, NULL);
    check(refused("instance_create", create_args("act_40", "ins_4"), "unavailable", "database"),
          "no room for the database: refused, says where to look");
    check(instance_is("ins_3", "state", "running"), "what is known is still told");
    prlimit(daemon_pid, RLIMIT_FSIZE, &plenty, NULL);
    check(done("instance_create", create_args("act_40", "ins_4"), "act_40"), "with room again the same request is done");
}

static uint64_t chance = 0x9E3779B97F4A7C15;

static unsigned pick(unsigned bound)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chance >> 33) % bound;
}

/* Mostly what belongs there, sometimes anything at all. */
static json_t *value_make(const char *key)
{
    static const char *const texts[] = { "", "ins_1", "ins_none", "act_g", "tiny", "xs1", "huge", "start", "delete", "attach", "detach",
                                         "power_off", "suspend", "resume", "create", "..", "a/b", "%s%n", "\xC3\xBC",
                                         "99999999999999999999", "00000000000000000000000000000000", "acc_1" };
    static const json_int_t numbers[] = { 0, 1, -1, 90, 4096, 1 << 20, INT64_MAX, INT64_MIN };
    char id[32];

    size_t len = strlen(key);
    if (pick(3) && strcmp(key, "account_id") && len > 3 && !strcmp(key + len - 3, "_id")) {
        snprintf(id, sizeof(id), "%.3s_g%u", key, pick(!strcmp(key, "job_id") ? 100000 : 12));
        return json_string(id);
    }
    switch (pick(8)) {
    case 0: return json_null();
    case 1: return json_integer(numbers[pick(8)]);
    case 2: return json_pack("[{s:i}]", "a", 1);
    case 3: return json_true();
    default: return json_string(texts[pick(sizeof(texts) / sizeof(texts[0]))]);
    }
}

static json_t *request_make(const char *keys)
{
    json_t *args = json_object();
    char copy[96], *rest = copy, *key;

    snprintf(copy, sizeof(copy), "%s", keys);
    while ((key = strsep(&rest, " ")))
        if (pick(20))
            json_object_set_new(args, key, value_make(key));
    if (!pick(20))
        json_object_set_new(args, "surprise", value_make(""));
    if (!strncmp(keys, "job_id instance_id account_id", 29) && pick(2)) {
        json_object_set_new(args, "image", json_string("tiny"));
        json_object_set_new(args, "flavor", json_string("xs1"));
    }
    return args;
}

static void generated_requests(void)
{
    static const struct {
        const char *verb, *keys;
    } verbs[] = {
        { "instance_create", "job_id instance_id account_id name image flavor" },
        { "instance_action", "job_id instance_id type" }, { "job", "job_id" }, { "instance", "instance_id" },
        { "instances", "account_id" }, { "console_log", "instance_id offset limit" },
        { "volume_create", "volume_id account_id name size_mib image snapshot_id" }, { "volume_delete", "volume_id" },
        { "volume_resize", "volume_id size_mib" }, { "volume", "volume_id" }, { "volumes", "account_id" },
        { "snapshot_create", "snapshot_id volume_id name" }, { "snapshot_delete", "snapshot_id" },
        { "snapshots", "account_id" }, { "network", "account_id" },
        { "forward_create", "forward_id instance_id guest_port" }, { "forward_delete", "forward_id" },
        { "instance_create", "job_id instance_id account_id name image flavor volumes network ssh_keys user_data forwards" },
        { "instance_action", "job_id instance_id type volume_id read_only" },
        { "tombstone_ack", "slot incarnation" }, { "host", "" }, { "images", "" }, { "flavors", "" }, { "nonsense", "a" },
    };
    unsigned answered = 0, bad_answers = 0, accepted = 0, creates = 0;

    for (unsigned n = 0; n < 20000; n++) {
        unsigned v = pick(sizeof(verbs) / sizeof(verbs[0]));
        json_t *error, *ok = ask(verbs[v].verb, request_make(verbs[v].keys), &error);
        const char *code = json_string_value(json_object_get(error, "code"));

        answered += ok || code;
        accepted += ok != NULL;
        creates += ok && !strcmp(verbs[v].verb, "instance_create");
        if (code && !strcmp(code, "internal") && !bad_answers++)
            printf("# %s: %s\n", verbs[v].verb, json_string_value(json_object_get(error, "detail")));
        json_decref(ok);
        json_decref(error);
    }
    printf("# %u accepted, %u of them creations\n", accepted, creates);
    check(answered == 20000 && accepted > 1000 && creates && !bad_answers && !kill(daemon_pid, 0),
          "20000 generated requests: each is answered, none is an internal error");
    check(!*w->broken, "and no rule of the hypervisor was broken on the way");
}

/* Deletes whatever is there; some is being deleted already. */
static void all_deleted(void)
{
    int64_t until_ms = clock_monotonic_ms() + 30000;
    unsigned job = 0;
    size_t left;

    do {
        json_t *error, *ok = ask("instances", json_object(), &error), *instance;
        size_t i;

        left = ok ? json_array_size(json_object_get(ok, "instances")) : 1;
        json_array_foreach(json_object_get(ok, "instances"), i, instance) {
            char job_id[32];

            snprintf(job_id, sizeof(job_id), "act_end%u", job++);
            done("instance_action", action_args(job_id, json_string_value(json_object_get(instance, "instance_id")),
                                                "delete"), job_id);
        }
        json_decref(ok);
        json_decref(error);
    } while (left && clock_monotonic_ms() < until_ms);
    check(!left && !world_alive(w) && w->pages_free == WORLD_PAGES, "whatever they made can be deleted");
}

static void many_and_end(void)
{
    json_t *error, *ok;

    ok = ask("instances", json_pack("{s:s}", "account_id", "acc_1"), &error);
    check(json_array_size(json_object_get(ok, "instances")) == 4, "the account's instances are listed");
    json_decref(ok);
    ok = ask("instances", json_pack("{s:s}", "account_id", "acc_2"), &error);
    check(ok && !json_array_size(json_object_get(ok, "instances")), "another account has none");
    json_decref(ok);
    check(done("instance_action", action_args("act_49", "ins_28", "delete"), "act_49") &&
          done("instance_action", action_args("act_50", "ins_1", "delete"), "act_50") &&
          done("instance_action", action_args("act_51", "ins_3", "delete"), "act_51") &&
          done("instance_action", action_args("act_52", "ins_4", "delete"), "act_52") && closings == 4,
          "all are deleted and closed at accountd");
    char path[160];
    snprintf(path, sizeof(path), "%s/console/guest-ins_1.log", dir);
    check(access(path, F_OK) && instance_is("ins_1", "state", "deleted"), "the console log is gone, the row says deleted");
    check(refused("instance_action", action_args("act_53", "ins_1", "start"), "conflict", "deleted"),
          "a deleted instance takes no action");
    check(!world_alive(w) && w->pages_free == WORLD_PAGES && !*w->broken, "nothing is left on the host");
    for (unsigned i = 1; i < WORLD_SLOTS; i++)
        if (w->slot[i].used) {
            char hex[33] = "";
            for (unsigned b = 0; b < 16; b++)
                snprintf(hex + 2 * b, 3, "%02x", w->slot[i].incarnation[b]);
            json_decref(ask("tombstone_ack", json_pack("{s:i, s:s}", "slot", (int)i, "incarnation", hex), &error));
        }
    unsigned left = 0;
    for (unsigned i = 1; i < WORLD_SLOTS; i++)
        left += w->slot[i].used;
    check(!left, "acknowledged tombstones free their slots");
}

int main(void)
{
    pthread_t accountd;

    rig_begin("daemon");
    starts_strictly();
    daemon_end(SIGTERM);
    accountd = accountd_start();
    daemon_start();
    holds_no_rights();
    offers();
    bad_input();
    one_life();
    guest_acts();
    money(&accountd);
    killed_and_restarted(&accountd);
    disk_full();
    many_and_end();
    generated_requests();
    all_deleted();
    if (!check(!daemon_end(SIGTERM), "SIGTERM ends it in order"))
        log_show();
    accountd_end(accountd);
    rig_end();
    return tap_end();
}
