/* xs-devd's state machine against a model of xenstored, hv's channels, workers and the state directory. */
#include "provisioner/backend/worker.h"
#include "provisioner/devd/channel.h"
#include "provisioner/devd/device.h"
#include "provisioner/devd/record.h"
#include "provisioner/devd/store.h"
#include "common/log.h"
#include "tests/provisioner/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* xenstored: a flat object, path to value. */
static json_t *nodes;

static const char *path_of(const char *directory, const char *node)
{
    static char path[200];

    snprintf(path, sizeof(path), "%s/%s", directory, node);
    return path;
}

static void set(const char *directory, const char *node, const char *value)
{
    json_object_set_new(nodes, path_of(directory, node), json_string(value));
}

static const char *get(const char *directory, const char *node)
{
    const char *value = json_string_value(json_object_get(nodes, path_of(directory, node)));

    return value ? value : "";
}

static void remove_all(const char *directory)
{
    const char *path;
    json_t *value;
    void *next;

    json_object_foreach_safe(nodes, next, path, value)
        if (strncmp(path, directory, strlen(directory)) == 0)
            json_object_del(nodes, path);
}

char *store_read(const char *directory, const char *node)
{
    const char *value = json_string_value(json_object_get(nodes, path_of(directory, node)));

    return value ? strdup(value) : NULL;
}

void store_write(const char *directory, json_t *written)
{
    const char *name;
    json_t *value;

    if (json_object_get(nodes, path_of(directory, "state")))
        json_object_foreach(written, name, value)
            json_object_set(nodes, path_of(directory, name), value);
    json_decref(written);
}

void store_remove(const char *directory, const char *node)
{
    json_object_del(nodes, path_of(directory, node));
}

/* hv: one channel; each opening makes a new token. */
static unsigned tokens;
static bool channel_is_open;
static int open_rc;
static struct xs_meter_limit limit_set;

int channel_open(uint32_t domid, uint32_t class, uint32_t device, struct xs_meter_open *opened)
{
    if (open_rc)
        return open_rc;
    *opened = (struct xs_meter_open){ .domid = domid, .class = class, .device = device, .channel = 7 };
    opened->token[0] = (uint8_t)++tokens;
    channel_is_open = true;
    return 0;
}

void channel_close(uint32_t domid, uint32_t class, uint32_t device)
{
    (void)domid, (void)class, (void)device;
    channel_is_open = false;
}

int channel_limit(const struct xs_meter_limit *limit)
{
    limit_set = *limit;
    return 0;
}

/* Workers. */
static unsigned started, kills;
static json_t *config, *told;
static char program_started[32];

int child_start(struct child *child, const char *program, const json_t *worker_config)
{
    if (child->pid)
        abort();                        /* two at once */
    child->pid = (pid_t)++started;
    snprintf(program_started, sizeof(program_started), "%s", program);
    json_decref(config);
    config = json_deep_copy(worker_config);
    return 0;
}

void child_tell(const struct child *child, json_t *message)
{
    if (!child->pid)
        abort();
    json_decref(told);
    told = message;
}

void child_kill(const struct child *child)
{
    if (!child->pid)
        abort();
    kills++;
}

void child_forget(struct child *child)
{
    *child = (struct child){ 0 };
}

/* The state directory: one device's record. */
static json_t *record;

char *record_state_path(const char *name, char path[static RECORD_PATH_BYTES])
{
    snprintf(path, RECORD_PATH_BYTES, "/run/%s.state", name);
    return path;
}

int record_save(const char *name, const json_t *agreed)
{
    (void)name;
    record = json_deep_copy(agreed);
    return 0;
}

json_t *record_load(const char *name)
{
    (void)name;
    return record ? json_deep_copy(record) : NULL;
}

void record_remove(const char *name)
{
    (void)name;
    json_decref(record);
    record = NULL;
}

/* The other side. */
#define BACKEND  "/local/domain/0/backend/vbd/5/51712"
#define FRONTEND "/local/domain/5/device/vbd/51712"
#define VIF_BACK "/local/domain/0/backend/vif/5/0"
#define VIF_FRONT "/local/domain/5/device/vif/0"

static struct device *device;
static int64_t now_ms;

static void provisioner_writes(void)
{
    set(FRONTEND, "state", "1");
    set(BACKEND, "online", "1");
    set(BACKEND, "params", "/volumes/a.raw");
    set(BACKEND, "mode", "w");
    set(BACKEND, "discard", "1");
    set(BACKEND, "state", "1");
}

static void world_new(void)
{
    json_decref(nodes);
    nodes = json_object();
    record_remove("");
    json_decref(config);
    config = NULL;
    json_decref(told);
    told = NULL;
    tokens = started = kills = 0;
    channel_is_open = false;
    open_rc = 0;
    now_ms = 1000000;
    provisioner_writes();
    if (device)
        device_free(device);
    device = device_new(DEVICE_VBD, 5, 51712);
}

static void look(void)
{
    device_look(device, now_ms);
}

static void frontend(const char *state)
{
    set(FRONTEND, "state", state);
    look();
}

static bool backend_is(const char *state)
{
    return strcmp(get(BACKEND, "state"), state) == 0;
}

static bool failed(void)
{
    return backend_is("6") && *get(BACKEND, "error") && !device->child.pid && !channel_is_open && !record;
}

static void frontend_answers(void)
{
    set(FRONTEND, "ring-ref", "8");
    set(FRONTEND, "event-channel", "15");
    set(FRONTEND, "protocol", "x86_64-abi");
    frontend("3");
}

static void worker_says(const char *text)
{
    json_t *message = json_loads(text, 0, NULL);

    device_heard(device, message);
    json_decref(message);
}

static void worker_ends(int status)
{
    device_ended(device, status, now_ms);
}

#define EXITED(code) ((code) << 8)

static void connected_world(void)
{
    world_new();
    look();
    frontend_answers();
    worker_says("{\"ready\":true,\"sectors\":2048,\"sector_size\":512}");
    frontend("4");
}

static bool config_is(const char *key, const char *value)
{
    char *text = json_dumps(json_object_get(config, key), JSON_COMPACT | JSON_ENCODE_ANY);
    bool is = text && strcmp(text, value) == 0;

    if (!is)
        printf("# %s is %s\n", key, text ? text : "absent");
    free(text);
    return is;
}

static bool was_told(const char *key)
{
    return told && json_object_get(told, key);
}

static void connects(void)
{
    world_new();
    look();
    check(backend_is("2") && !strcmp(get(BACKEND, "feature-flush-cache"), "1") &&
          !strcmp(get(BACKEND, "feature-max-indirect-segments"), "32") &&
          !strcmp(get(BACKEND, "max-ring-page-order"), "3") && !strcmp(get(BACKEND, "feature-discard"), "1"),
          "a new disk is offered with its features");
    frontend_answers();
    check(started == 1 && !strcmp(program_started, "xs-blkback") && config_is("refs", "[8]") &&
          config_is("port", "15") && config_is("abi", "\"x86_64\"") && config_is("file", "\"/volumes/a.raw\"") &&
          config_is("readonly", "false") && config_is("state", "\"/run/vbd-5-51712.state\"") && config_is("channel", "7"),
          "the frontend's answer starts a worker with what was agreed");
    look();
    check(started == 1 && backend_is("2"), "looking again changes nothing");
    worker_says("{\"ready\":true,\"sectors\":2048,\"sector_size\":512}");
    check(backend_is("4") && !strcmp(get(BACKEND, "sectors"), "2048") && !strcmp(get(BACKEND, "info"), "0"),
          "a worker that is ready makes it Connected, with the disk's size");

    world_new();
    set(BACKEND, "mode", "r");
    frontend_answers();
    check(started == 1 && config_is("readonly", "true") && config_is("discard", "false"),
          "a frontend that has answered before we look; a disk for reading");
    worker_says("{\"ready\":true,\"sectors\":8}");
    check(!strcmp(get(BACKEND, "info"), "4"), "which the frontend is told");
}

static void begins_anew(void)
{
    connected_world();
    frontend("5");
    check(backend_is("5") && !was_told("stop"), "Closing: the worker goes on, for what is still written");
    frontend("6");
    check(was_told("stop") && !kills, "Closed: it is told to stop");
    worker_ends(EXITED(WORKER_STOPPED));
    check(backend_is("6") && !channel_is_open && !record, "its end closes device and channel");
    frontend("1");
    check(backend_is("2"), "a frontend that begins anew is offered the disk again");
    set(FRONTEND, "ring-ref", "9");
    set(FRONTEND, "protocol", "x86_32-abi");
    frontend("3");
    check(started == 2 && config_is("refs", "[9]") && config_is("abi", "\"x86_32\""), "and connects again, PVH GRUB or not");

    connected_world();
    frontend("1");
    check(was_told("stop"), "a frontend that begins anew without closing ends the worker");
    worker_ends(EXITED(WORKER_STOPPED));
    check(backend_is("2"), "and is offered the disk again");

    connected_world();
    frontend("6");
    now_ms = device->due_ms;
    device_due(device, now_ms);
    check(kills == 1, "a worker that does not stop is killed");
}

static void strangers_words(void)
{
    static const struct {
        const char *node, *value;
    } bad[] = {
        { "ring-ref", "" }, { "ring-ref", "-1" }, { "ring-ref", "4294967296" }, { "ring-ref", "0x8" },
        { "ring-ref", "8 " }, { "ring-ref", "99999999999999999999999999999999999999999" }, { "event-channel", "x" },
        { "protocol", "powerpc64-abi" }, { "ring-page-order", "4" }, { "ring-page-order", "1" },
        { "ring-page-order", "-1" },
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char name[100];

        world_new();
        look();
        set(FRONTEND, "ring-ref", "8");
        set(FRONTEND, "event-channel", "15");
        set(FRONTEND, bad[i].node, bad[i].value);
        frontend("3");
        snprintf(name, sizeof(name), "%s = \"%.30s\": the device is closed, with the reason", bad[i].node, bad[i].value);
        check(failed() && started == 0 && strstr(get(BACKEND, "error"), FRONTEND "/"), name);
    }
    frontend("6");
    check(failed(), "it stays so");
    frontend("1");
    check(backend_is("2") && !*get(BACKEND, "error"), "until the frontend begins anew");

    world_new();
    look();
    set(FRONTEND, "ring-page-order", "3");
    for (unsigned i = 0; i < 8; i++) {
        char node[16], ref[8];

        snprintf(node, sizeof(node), "ring-ref%u", i);
        snprintf(ref, sizeof(ref), "%u", 100 + i);
        set(FRONTEND, node, ref);
    }
    frontend_answers();
    check(config_is("refs", "[100,101,102,103,104,105,106,107]"), "a ring of eight pages");

    connected_world();
    frontend("77");
    check(was_told("stop"), "a state that does not exist ends the connection");
}

static void workers_die(void)
{
    connected_world();
    set(FRONTEND, "ring-ref", "666");
    worker_ends(SIGKILL);
    check(started == 2 && tokens == 2 && config_is("refs", "[8]") && backend_is("4"),
          "a killed worker has a successor, with a new token and what was agreed before");
    worker_says("{\"ready\":true,\"sectors\":2048}");
    check(backend_is("4") && channel_is_open && record, "the frontend hears nothing of it");
    for (unsigned i = 0; i < 9; i++)
        worker_ends(SIGKILL);
    check(started == 11 && backend_is("4"), "ten deaths are borne");
    worker_says("{\"failed\":\"/volumes/a.raw: No such file or directory\"}");
    worker_ends(EXITED(WORKER_FAILED));
    check(failed() && strstr(get(BACKEND, "error"), "No such file"), "the eleventh in 10 s closes the device, with the reason");

    connected_world();
    for (unsigned i = 0; i < 40; i++) {
        now_ms += DEVICE_BURST_MS / DEVICE_BURST + 1;
        worker_ends(SIGKILL);
    }
    check(started == 41 && backend_is("4"), "slower ones are borne for ever");

    connected_world();
    worker_says("{\"broken\":\"the ring's producer is past its end\"}");
    worker_ends(EXITED(WORKER_BROKEN));
    check(failed() && started == 1 && strstr(get(BACKEND, "error"), "producer"), "a broken protocol closes the device at once");

    connected_world();
    open_rc = -ESRCH;
    worker_ends(EXITED(WORKER_STOPPED));
    check(backend_is("6") && !*get(BACKEND, "error"), "a dying guest's device closes without a word");
}

static void devd_starts_again(void)
{
    connected_world();
    set(FRONTEND, "ring-ref", "666");
    device_free(device);
    device = device_new(DEVICE_VBD, 5, 51712);
    look();
    check(started == 2 && config_is("refs", "[8]") && backend_is("4"), "a connected device is taken up from its record");
    worker_says("{\"ready\":true,\"sectors\":2048}");
    frontend("6");
    worker_ends(EXITED(WORKER_STOPPED));
    check(backend_is("6"), "and lives on");

    connected_world();
    record_remove("");
    device_free(device);
    device = device_new(DEVICE_VBD, 5, 51712);
    look();
    check(backend_is("6") && *get(BACKEND, "error") && started == 1, "without its record it is closed, with the reason");

    connected_world();
    set(BACKEND, "state", "2");
    set(FRONTEND, "state", "3");
    device_free(device);
    device = device_new(DEVICE_VBD, 5, 51712);
    look();
    check(started == 2, "one that was connecting connects");
}

static void goes_away(void)
{
    connected_world();
    remove_all(BACKEND);
    look();
    check(kills == 1, "a directory that is gone ends the worker at once");
    worker_ends(SIGKILL);
    check(device->phase == PHASE_GONE && !channel_is_open && !record && json_object_size(nodes) > 0 &&
          !*get(BACKEND, "state"), "nothing of it is left");

    connected_world();
    remove_all("/local/domain/5");
    look();
    check(kills == 1, "so does a frontend that is gone");
    worker_ends(SIGKILL);
    check(backend_is("6") && !channel_is_open, "the device is closed");

    connected_world();
    set(BACKEND, "online", "0");
    set(BACKEND, "state", "5");
    look();
    check(!was_told("stop") && backend_is("5"), "asked to detach: the worker serves until the frontend has closed");
    frontend("6");
    worker_ends(EXITED(WORKER_STOPPED));
    check(backend_is("6"), "then the device is closed");
    frontend("1");
    check(backend_is("6"), "and not offered again");

    world_new();
    look();
    set(BACKEND, "online", "0");
    set(BACKEND, "state", "5");
    look();
    check(backend_is("6"), "a device that nobody uses detaches at once");
    remove_all(BACKEND);
    provisioner_writes();
    look();
    check(backend_is("2"), "one that is made again before we look is offered");
}

static void grows(void)
{
    char path[] = "/tmp/xs-devd.XXXXXX";
    int fd = mkstemp(path);

    world_new();
    set(BACKEND, "params", path);
    look();
    frontend_answers();
    worker_says("{\"ready\":true,\"sectors\":2048}");
    frontend("4");
    if (fd < 0 || ftruncate(fd, 4096 * 512) != 0)
        abort();
    device_resized(device);
    check(json_integer_value(json_object_get(told, "resize")) == 4096, "a file that has grown: the worker is told");
    check(!strcmp(get(BACKEND, "sectors"), "2048"), "the frontend is not, before the worker knows");
    worker_says("{\"resized\":4096}");
    check(!strcmp(get(BACKEND, "sectors"), "4096") && backend_is("4"), "then it is");
    unlink(path);
    device_resized(device);
    check(json_integer_value(json_object_get(told, "resize")) == 4096, "a file that is not there changes nothing");
    close(fd);
}

static void limits(void)
{
    connected_world();
    memset(&limit_set, 0, sizeof(limit_set));
    set(BACKEND, "limit", "100 1000000 500");
    look();
    check(limit_set.domid == 5 && limit_set.class == XS_METER_CLASS_disk && limit_set.ops_per_s == 100 &&
          limit_set.bytes_per_s == 1000000 && limit_set.burst_ms == 500, "a limit is set");
    memset(&limit_set, 0, sizeof(limit_set));
    look();
    check(limit_set.domid == 0, "once: setting it fills its buckets");
    store_remove(BACKEND, "limit");
    look();
    check(limit_set.domid == 5 && limit_set.ops_per_s == 0, "and taken away");
}

static void nic(void)
{
    static const char *const words[][2] = {
        { "tx-ring-ref", "10" }, { "rx-ring-ref", "11" }, { "event-channel-tx", "20" }, { "event-channel-rx", "21" },
        { "request-rx-copy", "1" }, { "feature-rx-notify", "1" }, { "feature-sg", "1" }, { "feature-gso-tcpv4", "1" },
    };

    world_new();
    device_free(device);
    device = device_new(DEVICE_VIF, 5, 0);
    set(VIF_FRONT, "state", "1");
    set(VIF_BACK, "online", "1");
    set(VIF_BACK, "tap", "xs5.0");
    set(VIF_BACK, "bridge", "xsbr1");
    set(VIF_BACK, "mac", "02:00:00:00:00:05");
    set(VIF_BACK, "ip", "10.77.1.2 10.77.1.3");
    set(VIF_BACK, "state", "1");
    look();
    check(!strcmp(get(VIF_BACK, "state"), "2") && !strcmp(get(VIF_BACK, "feature-rx-copy"), "1"), "a NIC is offered");
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        set(VIF_FRONT, words[i][0], words[i][1]);
    set(VIF_FRONT, "state", "4");
    look();
    check(started == 1 && !strcmp(program_started, "xs-netback") && config_is("tx_refs", "[10]") &&
          config_is("rx_port", "21") && config_is("sg", "true") && config_is("gso6", "false") &&
          config_is("csum_offload", "true") && config_is("ipv4", "[\"10.77.1.2\",\"10.77.1.3\"]"), "and connected");
    worker_says("{\"ready\":true}");
    check(!strcmp(get(VIF_BACK, "state"), "4"), "when its worker is ready");

    set(VIF_FRONT, "request-rx-copy", "0");
    set(VIF_FRONT, "state", "1");
    look();
    worker_ends(EXITED(WORKER_STOPPED));
    set(VIF_FRONT, "state", "4");
    look();
    check(!strcmp(get(VIF_BACK, "state"), "6") && strstr(get(VIF_BACK, "error"), "request-rx-copy"),
          "a frontend without rx-copy is refused");
}

static void begins_too_often(void)
{
    unsigned offered = 0;

    connected_world();
    for (unsigned i = 0; i < 100; i++) {
        frontend("6");
        if (device->child.pid)
            worker_ends(EXITED(WORKER_STOPPED));
        frontend("1");
        offered += backend_is("2");
        frontend("3");
    }
    check(offered == DEVICE_BURST, "a frontend that begins anew all the time has to wait");
    frontend("1");
    now_ms = device->due_ms;
    device_due(device, now_ms);
    check(backend_is("2"), "and gets its turn");
}

static uint32_t random_state = 12345;

static unsigned below(unsigned bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

static void random_node(void)
{
    static const char *const values[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "-1", "", "zwei", "15", "4294967295" };
    static const char *const theirs[] = { "ring-ref", "event-channel", "protocol", "ring-page-order", "ring-ref0" };
    const char *value = values[below(15)];

    switch (below(8)) {
    case 0:
        set(FRONTEND, theirs[below(5)], value);
        break;
    case 1:
        if (below(10) == 0)
            set(BACKEND, below(2) ? "state" : "online", value);
        break;
    case 2:
        if (below(20) == 0)
            remove_all(below(2) ? BACKEND : FRONTEND);
        break;
    case 3:
        set(FRONTEND, "state", values[below(9)]);
        break;
    default:                            /* as an honest one would */
        set(FRONTEND, "ring-ref", "8");
        set(FRONTEND, "event-channel", "15");
        set(FRONTEND, "state", backend_is("2") ? "3" : backend_is("4") ? "4" : backend_is("5") ? "6" : "1");
        break;
    }
}

static void random_worker(void)
{
    static const char *const words[] = { "{\"ready\":true,\"sectors\":2048}", "{\"resized\":1}", "{}", "{\"broken\":\"x\"}" };

    if (!device->child.pid)
        return;
    if (below(2))
        worker_says(words[below(4)]);
    else
        worker_ends(below(2) ? SIGKILL : EXITED((int)below(4)));
}

/* What must hold whatever was written, after each look. */
static bool holds(void)
{
    bool lives = device->phase == PHASE_RUNNING || device->phase == PHASE_STOPPING;

    return lives == (device->child.pid != 0) && (lives || !channel_is_open) && (!device->child.pid || device->agreed);
}

static void random_words(void)
{
    unsigned connections = 0;
    bool good = true;

    world_new();
    for (unsigned i = 0; i < 300000 && good; i++) {
        if (device->phase == PHASE_GONE) {
            world_new();
            set(FRONTEND, "ring-ref", "8");
            set(FRONTEND, "event-channel", "15");
        }
        if (below(3))
            random_node();
        else
            random_worker();
        now_ms += below(2000);
        if (device->due_ms && device->due_ms <= now_ms)
            device_due(device, now_ms);
        look();
        connections += device->phase == PHASE_RUNNING && device->ready;
        good = holds();
    }
    check(good, "300,000 random words and deaths: a worker exactly when there is a connection, a channel only then");
    printf("# %u looks at connected devices\n", connections);
    check(connections > 1000, "and connections are made among them");
    remove_all(BACKEND);
    look();
    if (device->child.pid)
        worker_ends(SIGKILL);
    check(device->phase == PHASE_GONE && !channel_is_open && !record, "removal ends it from anywhere");
}

int main(void)
{
    log_init("devd-device");
    if (!getenv("VERBOSE") && !freopen("/dev/null", "w", stderr))
        return 1;
    connects();
    begins_anew();
    strangers_words();
    workers_die();
    devd_starts_again();
    goes_away();
    grows();
    limits();
    nic();
    begins_too_often();
    random_words();
    json_decref(nodes);
    json_decref(config);
    json_decref(told);
    device_free(device);
    return tap_end();
}
