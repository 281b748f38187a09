#include "provisioner/devd/device.h"
#include "provisioner/backend/worker.h"
#include "provisioner/devd/channel.h"
#include "provisioner/devd/record.h"
#include "provisioner/devd/store.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/io/xenbus.h>

#define STATE_ABSENT (-1)

struct device_kind device_kinds[DEVICE_KINDS] = {
    [DEVICE_VBD] = { .name = "vbd", .program = "xs-blkback", .user = "xs-blk", .class = XS_METER_CLASS_disk },
    [DEVICE_VIF] = { .name = "vif", .program = "xs-netback", .user = "xs-net", .class = XS_METER_CLASS_net },
};

struct device *device_new(enum device_type type, uint32_t domid, uint32_t id)
{
    struct device *device = calloc(1, sizeof(*device));

    if (!device)
        fatalx("out of memory");
    device->type = type;
    device->domid = domid;
    device->id = id;
    snprintf(device->name, sizeof(device->name), "%s-%" PRIu32 "-%" PRIu32, device_kinds[type].name, domid, id);
    snprintf(device->backend, sizeof(device->backend), "/local/domain/0/backend/%s/%" PRIu32 "/%" PRIu32,
             device_kinds[type].name, domid, id);
    snprintf(device->frontend, sizeof(device->frontend), "/local/domain/%" PRIu32 "/device/%s/%" PRIu32, domid,
             device_kinds[type].name, id);
    return device;
}

void device_free(struct device *device)
{
    json_decref(device->agreed);
    free(device);
}

/* True if this makes more than DEVICE_BURST of them within DEVICE_BURST_MS. */
static bool burst_over(struct device_burst *burst, int64_t now_ms)
{
    unsigned slots = DEVICE_BURST + 1;
    int64_t oldest;

    burst->at_ms[burst->next++ % slots] = now_ms;
    oldest = burst->at_ms[burst->next % slots];
    return burst->next >= slots && now_ms - oldest < DEVICE_BURST_MS;
}

static int state_read(const char *directory)
{
    char *text = store_read(directory, "state");
    uint64_t state = XenbusStateUnknown;

    if (!text)
        return STATE_ABSENT;
    (void)handshake_number(text, XenbusStateReconfigured, &state);
    free(text);
    return (int)state;
}

/* Other nodes first, then the state: whoever sees that sees all. */
static void state_write(struct device *device, enum xenbus_state state, json_t *nodes)
{
    char text[2] = { (char)('0' + state), 0 };

    json_object_set_new(nodes, "state", json_string(text));
    store_write(device->backend, nodes);
    device->state = state;
}

static bool online(const struct device *device)
{
    char *text = store_read(device->backend, "online");
    bool yes = text && strcmp(text, "1") == 0;

    free(text);
    return yes;
}

static void forget_connection(struct device *device)
{
    channel_close(device->domid, device_kinds[device->type].class, device->id);
    record_remove(device->name);
    json_decref(device->agreed);
    device->agreed = NULL;
    device->ready = false;
    device->sectors = 0;
    device->due_ms = 0;
}

static void close_device(struct device *device)
{
    forget_connection(device);
    state_write(device, XenbusStateClosed, json_object());
    device->phase = PHASE_CLOSED;
}

/* Closed, with the reason where an operator looks. There is no worker any more. */
__attribute__((format(printf, 2, 3)))
static void fail(struct device *device, const char *fmt, ...)
{
    char why[sizeof(device->last_words) + 64];
    json_t *nodes = json_object();
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    log_warnx("%s: %s: the device is closed", device->name, why);
    json_object_set_new(nodes, "error", json_string_nocheck(why));
    state_write(device, XenbusStateClosing, nodes);
    close_device(device);
}

/* "OPS_PER_S BYTES_PER_S BURST_MS". False: it is not that. */
static bool limit_parse(const char *text, struct xs_meter_limit *limit)
{
    char copy[sizeof(((struct device *)0)->limit)], *rest, *word[3];
    uint64_t value[3];

    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return false;
    for (unsigned i = 0; i < 3; i++) {
        word[i] = strtok_r(i ? NULL : copy, " ", &rest);
        if (!handshake_number(word[i], i == 2 ? 60000 : INT64_MAX, &value[i]))
            return false;
    }
    limit->ops_per_s = value[0];
    limit->bytes_per_s = value[1];
    limit->burst_ms = (uint32_t)value[2];
    return !strtok_r(NULL, " ", &rest);
}

/* Sets it when it is another than before: each setting fills the buckets. */
static void limit_apply(struct device *device)
{
    struct xs_meter_limit limit = { .domid = device->domid, .class = device_kinds[device->type].class };
    char *text = store_read(device->backend, "limit");
    int rc;

    if (strcmp(text ? text : "", device->limit) != 0) {
        if (text && !limit_parse(text, &limit))
            log_warnx("%s: limit \"%s\" is not \"OPS_PER_S BYTES_PER_S BURST_MS\": not limited", device->name, text);
        rc = channel_limit(&limit);
        if (rc && rc != -ESRCH)
            log_warnx("%s: limit not set: %s", device->name, strerror(-rc));
        snprintf(device->limit, sizeof(device->limit), "%s", text ? text : "");
    }
    free(text);
}

/* With a new token each time: one that an earlier worker holds is void. False: the device is closed. */
static bool start_worker(struct device *device)
{
    const struct device_kind *kind = &device_kinds[device->type];
    struct xs_meter_open opened;
    char path[RECORD_PATH_BYTES];
    json_t *config;
    int rc;

    rc = channel_open(device->domid, kind->class, device->id, &opened);
    if (rc == -ESRCH) {
        close_device(device);           /* the guest is dying */
        return false;
    }
    if (rc) {
        fail(device, "no metered channel: %s", strerror(-rc));
        return false;
    }
    config = json_pack("{s:i,s:i,s:I,s:o,s:i,s:i,s:s}", "domid", (int)device->domid, "device", (int)device->id,
                       "channel", (json_int_t)opened.channel, "token", json_hex(opened.token, sizeof(opened.token)),
                       "uid", (int)kind->uid, "gid", (int)kind->gid, "state",
                       record_state_path(device->name, path));
    json_object_update_missing(config, device->agreed);
    device->ready = false;
    rc = child_start(&device->child, kind->program, config);
    json_decref(config);
    if (rc) {
        fail(device, "no worker: %s", strerror(-rc));
        return false;
    }
    return true;
}

static void offer(struct device *device)
{
    store_remove(device->backend, "error");
    state_write(device, XenbusStateInitWait, handshake_offer(device->type, device->backend));
    device->phase = PHASE_OFFERED;
}

static void connect_frontend(struct device *device)
{
    struct handshake_why why;
    int rc;

    device->agreed = handshake_agree(device->type, device->backend, device->frontend, &why);
    if (!device->agreed) {
        fail(device, "%s", why.text);
        return;
    }
    record_remove(device->name);        /* what an earlier connection left */
    rc = record_save(device->name, device->agreed);
    if (rc)
        fail(device, "what was agreed cannot be kept: %s", strerror(-rc));
    else if (start_worker(device))
        device->phase = PHASE_RUNNING;
}

static bool frontend_is_connected(int frontend)
{
    return frontend == XenbusStateInitialised || frontend == XenbusStateConnected;
}

/* The last xs-devd's device: what was agreed is in the record, not asked of the frontend again. */
static void look_new(struct device *device, int frontend)
{
    if (device->state == XenbusStateClosed) {
        device->phase = PHASE_CLOSED;
        return;
    }
    if (device->state != XenbusStateConnected && device->state != XenbusStateClosing) {
        offer(device);
        return;
    }
    device->agreed = record_load(device->name);
    if (device->agreed && (frontend_is_connected(frontend) || frontend == XenbusStateClosing)) {
        log_info("%s: taken up again", device->name);
        if (start_worker(device))
            device->phase = PHASE_RUNNING;
    } else if (frontend_is_connected(frontend)) {
        fail(device, "what was agreed with the frontend is lost");
    } else {
        close_device(device);
    }
}

static void look_offered(struct device *device, int frontend)
{
    if (!online(device) || device->state == XenbusStateClosing)
        close_device(device);
    else if (device->state == XenbusStateInitialising)
        offer(device);                  /* removed and made again since we looked */
    else if (frontend_is_connected(frontend))
        connect_frontend(device);
    else if (frontend == XenbusStateClosing || frontend == XenbusStateClosed)
        close_device(device);
}

static void look_running(struct device *device, int frontend, int64_t now_ms)
{
    if (frontend_is_connected(frontend))
        return;                         /* also when we are asked to close: the frontend flushes first */
    if (frontend == XenbusStateClosing) {
        if (device->state != XenbusStateClosing)
            state_write(device, XenbusStateClosing, json_object());
        return;
    }
    device->phase = PHASE_STOPPING;
    if (frontend == STATE_ABSENT)
        return;                         /* killed at the next look, which is at once */
    child_tell(&device->child, json_pack("{s:b}", "stop", 1));
    device->due_ms = now_ms + DEVICE_STOP_MS;
}

static void look_closed(struct device *device, int frontend, int64_t now_ms)
{
    if (device->state != XenbusStateClosed && device->state != XenbusStateInitialising)
        state_write(device, XenbusStateClosed, json_object());
    if (device->due_ms > now_ms || !online(device) || frontend != XenbusStateInitialising)
        return;
    device->due_ms = 0;
    if (burst_over(&device->beginnings, now_ms)) {
        log_warnx("%s: the frontend begins anew too often: it has to wait", device->name);
        device->due_ms = now_ms + DEVICE_BURST_MS;
        return;
    }
    offer(device);
}

static void gone(struct device *device)
{
    if (device->child.pid) {
        child_kill(&device->child);
        device->phase = PHASE_STOPPING;
        device->due_ms = 0;
        return;
    }
    forget_connection(device);
    device->phase = PHASE_GONE;
}

static void look_once(struct device *device, int64_t now_ms)
{
    int frontend = state_read(device->frontend);

    switch (device->phase) {
    case PHASE_NEW:
        look_new(device, frontend);
        break;
    case PHASE_OFFERED:
        look_offered(device, frontend);
        break;
    case PHASE_RUNNING:
        look_running(device, frontend, now_ms);
        break;
    case PHASE_CLOSED:
        look_closed(device, frontend, now_ms);
        break;
    case PHASE_STOPPING:
        if (frontend == STATE_ABSENT)
            child_kill(&device->child);
        break;
    case PHASE_GONE:
        break;
    }
}

void device_look(struct device *device, int64_t now_ms)
{
    enum device_phase before;

    device->state = state_read(device->backend);
    if (device->state == STATE_ABSENT) {
        gone(device);
        return;
    }
    limit_apply(device);
    do {                                /* at most CLOSED, OFFERED, RUNNING or CLOSED again: a burst ends it */
        before = device->phase;
        look_once(device, now_ms);
    } while (device->phase != before);
}

static uint64_t sectors_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint64_t bytes = 0;
    struct stat st;

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        bytes = (uint64_t)st.st_size;
    else if (ioctl(fd, BLKGETSIZE64, &bytes) != 0)
        bytes = 0;
    close(fd);
    return bytes / 512;
}

void device_resized(struct device *device)
{
    uint64_t sectors;

    if (device->type != DEVICE_VBD || device->phase != PHASE_RUNNING || !device->ready)
        return;                         /* who opens the file later sees its size then */
    sectors = sectors_of(json_string_value(json_object_get(device->agreed, "file")));
    if (sectors && sectors != device->sectors)
        child_tell(&device->child, json_pack("{s:I}", "resize", (json_int_t)sectors));
}

/* A frontend that is connected reads the size again when it sees Connected again. */
static void describe_disk(struct device *device, uint64_t sectors)
{
    json_t *nodes = handshake_disk(sectors, json_is_true(json_object_get(device->agreed, "readonly")));

    device->sectors = sectors;
    if (device->state == XenbusStateClosing) {
        json_decref(nodes);
        return;
    }
    log_info("%s: %" PRIu64 " sectors", device->name, sectors);
    state_write(device, XenbusStateConnected, nodes);
}

static void worker_ready(struct device *device, const json_t *message)
{
    json_int_t sectors = json_integer_value(json_object_get(message, "sectors"));

    device->ready = true;
    if (device->type == DEVICE_VBD && (uint64_t)sectors != device->sectors)
        describe_disk(device, (uint64_t)sectors);
    else if (device->state == XenbusStateInitWait)
        state_write(device, XenbusStateConnected, json_object());
}

void device_heard(struct device *device, json_t *message)
{
    const char *words = json_string_value(json_object_get(message, "failed"));
    json_int_t resized = json_integer_value(json_object_get(message, "resized"));

    words = words ? words : json_string_value(json_object_get(message, "broken"));
    if (words)
        snprintf(device->last_words, sizeof(device->last_words), "%s", words);
    if (device->phase != PHASE_RUNNING)
        return;
    if (json_is_true(json_object_get(message, "ready")))
        worker_ready(device, message);
    if (resized > 0)
        describe_disk(device, (uint64_t)resized);
}

static void died(struct device *device, int status, int64_t now_ms)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_BROKEN) {
        fail(device, "the frontend broke the protocol: %s", device->last_words);
        return;
    }
    if (burst_over(&device->deaths, now_ms)) {
        fail(device, "its worker ended %u times in %d s: %s", DEVICE_BURST + 1, DEVICE_BURST_MS / 1000,
             device->last_words);
        return;
    }
    if (WIFSIGNALED(status))
        log_warnx("%s: its worker was killed by signal %d, another is started", device->name, WTERMSIG(status));
    else
        log_warnx("%s: its worker ended with status %d (%s), another is started", device->name, WEXITSTATUS(status),
                  device->last_words);
    start_worker(device);
}

void device_ended(struct device *device, int status, int64_t now_ms)
{
    enum device_phase before = device->phase;

    child_forget(&device->child);
    device->state = state_read(device->backend);
    if (device->state != STATE_ABSENT) {
        if (before == PHASE_STOPPING)
            close_device(device);
        else
            died(device, status, now_ms);
    }
    device->last_words[0] = 0;
    device_look(device, now_ms);
}

void device_due(struct device *device, int64_t now_ms)
{
    device->due_ms = 0;
    if (device->phase == PHASE_STOPPING) {
        log_warnx("%s: its worker does not end, it is killed", device->name);
        child_kill(&device->child);
    } else {
        device_look(device, now_ms);
    }
}
