#include "api/console/viewer.h"
#include "common/json.h"
#include "common/local_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UPSTREAM_INPUT_MAX  4096        /* provisioner/viewers.h */
#define UPSTREAM_PACKET_MAX (1 + 16384)
#define OFFSET_MAX (INT64_C(1) << 52)
#define SIZE_MAX_CELLS 1000             /* columns or rows */

/* The codes of section 7.4.1. */
static const struct {
    const char *reason;
    uint16_t code;
} closings[] = {
    { "deleted", 1000 }, { "unavailable", 1001 }, { "slow", 1008 }, { "revoked", 1008 }, { "protocol", 1008 },
};

/* `times` VIEWER_QUEUE_MESSAGES or more wait for it. What the guest says stops at one; a browser that sends pings and
 * reads no pongs is not read from at two; what other viewers do would go on, so at three it is too slow. */
static bool crowded(const struct viewer *viewer, size_t times)
{
    return wslay_event_get_queued_msg_count(viewer->ws) >= times * VIEWER_QUEUE_MESSAGES;
}

static void queue(struct viewer *viewer, uint8_t opcode, const void *bytes, size_t size)
{
    const struct wslay_event_msg message = { opcode, bytes, size };

    if (!wslay_event_want_write(viewer->ws))
        viewer->took_ms = viewer->now_ms;
    if (wslay_event_queue_msg(viewer->ws, &message) == WSLAY_ERR_NOMEM)
        viewer->gone = true;
}

void viewer_tell(struct viewer *viewer, const char *name, json_t *value)
{
    json_t *message = json_pack("{s:o}", name, value);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

    if (crowded(viewer, 3))
        viewer_close(viewer, "slow");
    else if (text)
        queue(viewer, WSLAY_TEXT_FRAME, text, strlen(text));
    free(text);
    json_decref(message);
}

void viewer_close(struct viewer *viewer, const char *reason)
{
    if (viewer->reason)
        return;
    viewer->reason = reason;
    viewer->ending_ms = viewer->now_ms;
    if (!crowded(viewer, 3))
        viewer_tell(viewer, "closed", json_string(reason));
    if (viewer->up_fd >= 0)
        close(viewer->up_fd);
    viewer->up_fd = -1;
    viewer->input_size = 0;
}

/* A close frame overtakes what is queued, so it waits until that is gone. */
static void close_frame_queue(struct viewer *viewer)
{
    uint16_t code = 1000;

    if (!viewer->reason || viewer->close_queued || wslay_event_get_queued_msg_count(viewer->ws) > 0)
        return;
    for (size_t i = 0; i < sizeof(closings) / sizeof(closings[0]); i++)
        if (strcmp(closings[i].reason, viewer->reason) == 0)
            code = closings[i].code;
    viewer->close_queued = true;
    wslay_event_queue_close(viewer->ws, code, (const uint8_t *)viewer->reason, strlen(viewer->reason));
}

/* upstream */

static void begin(struct viewer *viewer, int64_t from)
{
    json_t *request = json_pack("{s:s, s:I}", "instance_id", viewer->instance_id, "replay_from", (json_int_t)from);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

    viewer->begun = true;
    viewer->up_fd = local_connect(viewer->upstream_path, SOCK_SEQPACKET);
    if (!text || viewer->up_fd < 0 || send(viewer->up_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        viewer_close(viewer, "unavailable");
    free(text);
    json_decref(request);
}

/* What the guest is to read; the rest waits. */
static void input_send(struct viewer *viewer)
{
    while (viewer->up_fd >= 0 && viewer->input_sent < viewer->input_size) {
        size_t left = viewer->input_size - viewer->input_sent;
        ssize_t sent = send(viewer->up_fd, viewer->input + viewer->input_sent,
                            left < UPSTREAM_INPUT_MAX ? left : UPSTREAM_INPUT_MAX, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                viewer_close(viewer, "unavailable");
            return;
        }
        viewer->input_sent += (size_t)sent;
    }
    viewer->input_size = viewer->input_sent = 0;
}

static void upstream_word(struct viewer *viewer, const char *text, size_t size)
{
    json_t *word = json_loadb(text, size, 0, NULL);
    const json_t *offset = json_object_get(word, "offset");

    if (offset) {
        viewer_tell(viewer, "offset", json_integer(json_integer_value(offset)));
        viewer->shown = true;
    } else if (strcmp(json_text(word, "closed"), "slow") == 0) {
        viewer_close(viewer, "slow");
    } else if (strcmp(json_text(word, "closed"), "deleted") == 0 ||
               strcmp(json_text(json_object_get(word, "error"), "code"), "not_found") == 0) {
        viewer_close(viewer, "deleted");
    } else {
        viewer_close(viewer, "unavailable");
    }
    json_decref(word);
}

static bool has_room(const struct viewer *viewer)
{
    return !crowded(viewer, 1) &&
           wslay_event_get_queued_msg_length(viewer->ws) + UPSTREAM_PACKET_MAX <= VIEWER_QUEUE_MAX;
}

/* One packet a turn while there is room; the next one waits in the provisioner. */
static void upstream_take(struct viewer *viewer)
{
    char packet[UPSTREAM_PACKET_MAX];

    while (viewer->up_fd >= 0 && wslay_event_want_read(viewer->ws) && has_room(viewer)) {
        ssize_t size = recv(viewer->up_fd, packet, sizeof(packet), MSG_DONTWAIT);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0)
            viewer_close(viewer, "unavailable");
        else if (packet[0] == 'b')
            queue(viewer, WSLAY_BINARY_FRAME, packet + 1, (size_t)size - 1);
        else
            upstream_word(viewer, packet + 1, (size_t)size - 1);
    }
}

/* the browser */

/* Not while the guest has to read what it typed before, or it has to read our answers. */
static bool may_read(const struct viewer *viewer)
{
    return viewer->input_size == 0 && !crowded(viewer, 2);
}

static ssize_t ws_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t size, int flags, void *arg)
{
    struct viewer *viewer = arg;
    size_t early = viewer->early_size - viewer->early_used;
    ssize_t got = -1;

    (void)flags;
    errno = EAGAIN;
    if (may_read(viewer) && early) {
        got = (ssize_t)(early < size ? early : size);
        memcpy(buf, viewer->early + viewer->early_used, (size_t)got);
        viewer->early_used += (size_t)got;
    } else if (may_read(viewer)) {
        got = recv(viewer->fd, buf, size, MSG_DONTWAIT);
    }
    if (got > 0) {
        viewer->heard_ms = viewer->now_ms;
        return got;
    }
    viewer->gone = got == 0 || (errno != EAGAIN && errno != EINTR);
    wslay_event_set_error(ws, viewer->gone ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t ws_send(wslay_event_context_ptr ws, const uint8_t *bytes, size_t size, int flags, void *arg)
{
    struct viewer *viewer = arg;
    ssize_t sent = send(viewer->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    (void)flags;
    if (sent >= 0) {
        viewer->took_ms = viewer->now_ms;
        return sent;
    }
    viewer->gone = errno != EAGAIN && errno != EINTR;
    wslay_event_set_error(ws, viewer->gone ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static bool resize_take(struct viewer *viewer, const json_t *size)
{
    struct json_why why;
    int64_t cols, rows;

    if (!json_is_object(size) || json_arg_only(size, "cols rows", &why) ||
        json_arg_int(size, "cols", 1, SIZE_MAX_CELLS, &cols, &why) ||
        json_arg_int(size, "rows", 1, SIZE_MAX_CELLS, &rows, &why))
        return false;
    viewer->cols = (int)cols;
    viewer->rows = (int)rows;
    viewer->resized = true;
    return true;
}

/* False: not a word of ours, or not now. */
static bool word_take(struct viewer *viewer, const json_t *word)
{
    struct json_why why;
    int64_t from;

    if (viewer->begun)
        return json_is_object(word) && !json_arg_only(word, "resize", &why) &&
               resize_take(viewer, json_object_get(word, "resize"));
    if (!json_is_object(word) || json_arg_only(word, "replay_from", &why) ||
        json_arg_int(word, "replay_from", -OFFSET_MAX, OFFSET_MAX, &from, &why))
        return false;
    begin(viewer, from);
    return true;
}

static bool input_take(struct viewer *viewer, const uint8_t *bytes, size_t size)
{
    if (!viewer->begun || viewer->input_size + size > sizeof(viewer->input))
        return false;
    if (size)                           /* wslay gives nothing as NULL */
        memcpy(viewer->input + viewer->input_size, bytes, size);
    viewer->input_size += size;
    return true;
}

static void ws_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *message, void *arg)
{
    struct viewer *viewer = arg;
    json_t *word;
    bool good = true;

    (void)ws;
    if (viewer->reason || wslay_is_ctrl_frame(message->opcode))
        return;
    if (message->opcode == WSLAY_BINARY_FRAME) {
        good = input_take(viewer, message->msg, message->msg_length);
    } else {
        word = json_loadb((const char *)message->msg, message->msg_length, JSON_REJECT_DUPLICATES, NULL);
        good = word_take(viewer, word);
        json_decref(word);
    }
    if (!good)
        viewer_close(viewer, "protocol");
}

/* its life */

int viewer_start(struct viewer *viewer, const char *instance_id, const char *upstream_path, int fd, char *early,
                 size_t early_size, int64_t now_ms)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = ws_recv, .send_callback = ws_send,
                                                            .on_msg_recv_callback = ws_message };

    memset(viewer, 0, sizeof(*viewer));
    strcpy(viewer->instance_id, instance_id);
    viewer->upstream_path = upstream_path;
    viewer->fd = fd;
    viewer->up_fd = -1;
    viewer->now_ms = viewer->start_ms = viewer->heard_ms = viewer->took_ms = viewer->pinged_ms = now_ms;
    if (wslay_event_context_server_init(&viewer->ws, &callbacks, viewer) != 0)
        return -1;
    wslay_event_config_set_max_recv_msg_length(viewer->ws, VIEWER_MESSAGE_MAX);
    viewer->early = early;
    viewer->early_size = early_size;
    return 0;
}

void viewer_end(struct viewer *viewer)
{
    if (viewer->up_fd >= 0)
        close(viewer->up_fd);
    wslay_event_context_free(viewer->ws);
    free(viewer->early);
}

/* While we do not hear the browser its silence means nothing. */
static bool silent(const struct viewer *viewer)
{
    return may_read(viewer) && viewer->heard_ms + VIEWER_SILENCE_MS <= viewer->now_ms;
}

static bool stuck(const struct viewer *viewer)
{
    return wslay_event_want_write(viewer->ws) && viewer->took_ms + VIEWER_STUCK_MS <= viewer->now_ms;
}

static void clock_look(struct viewer *viewer)
{
    if (!viewer->begun && viewer->start_ms + VIEWER_BEGIN_MS <= viewer->now_ms)
        viewer_close(viewer, "protocol");
    if (viewer->pinged_ms + VIEWER_PING_MS <= viewer->now_ms) {
        viewer->pinged_ms = viewer->now_ms;
        queue(viewer, WSLAY_PING, NULL, 0);
    }
}

static void queued_send(struct viewer *viewer)
{
    bool again;

    do {
        if (wslay_event_want_write(viewer->ws) && wslay_event_send(viewer->ws) != 0)
            viewer->gone = true;
        again = !viewer->close_queued;
        close_frame_queue(viewer);
    } while (!viewer->gone && again && viewer->close_queued);
}

/* A TCP connection that is closed with bytes unread takes back what was sent last, here: why. So when wslay has ended it,
 * what the peer was still sending is read first. False: it is over. */
static bool linger(struct viewer *viewer)
{
    char ignored[4096];
    ssize_t got;

    if (!viewer->linger_ms && wslay_event_get_close_received(viewer->ws))
        return false;
    if (!viewer->linger_ms)
        viewer->linger_ms = viewer->now_ms;
    while ((got = recv(viewer->fd, ignored, sizeof(ignored), MSG_DONTWAIT)) > 0)
        ;
    return got < 0 && errno == EAGAIN && viewer->linger_ms + VIEWER_LINGER_MS > viewer->now_ms;
}

bool viewer_work(struct viewer *viewer, int64_t now_ms)
{
    viewer->now_ms = now_ms;
    if (viewer->linger_ms)
        return linger(viewer);
    input_send(viewer);
    do {
        if (wslay_event_want_read(viewer->ws) && wslay_event_recv(viewer->ws) != 0)
            viewer->gone = true;
        input_send(viewer);
        if (crowded(viewer, 2))
            queued_send(viewer);
    } while (!viewer->gone && wslay_event_want_read(viewer->ws) && may_read(viewer) &&
             viewer->early_used < viewer->early_size);
    upstream_take(viewer);
    clock_look(viewer);
    queued_send(viewer);
    if (viewer->gone || silent(viewer) || stuck(viewer) ||
        (viewer->reason && viewer->ending_ms + VIEWER_FAREWELL_MS <= now_ms))
        return false;
    return wslay_event_want_read(viewer->ws) || wslay_event_want_write(viewer->ws) || linger(viewer);
}

short viewer_wants(const struct viewer *viewer)
{
    short events = wslay_event_want_write(viewer->ws) ? POLLOUT : 0;

    if (viewer->linger_ms)
        return POLLIN;
    return wslay_event_want_read(viewer->ws) && may_read(viewer) ? events | POLLIN : events;
}

short viewer_wants_upstream(const struct viewer *viewer)
{
    short events = viewer->input_size ? POLLOUT : 0;

    return has_room(viewer) ? events | POLLIN : events;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t viewer_due_ms(const struct viewer *viewer)
{
    int64_t due = viewer->pinged_ms + VIEWER_PING_MS;

    if (viewer->linger_ms)
        return viewer->linger_ms + VIEWER_LINGER_MS;
    if (!viewer->begun)
        due = sooner(due, viewer->start_ms + VIEWER_BEGIN_MS);
    if (may_read(viewer))
        due = sooner(due, viewer->heard_ms + VIEWER_SILENCE_MS);
    if (wslay_event_want_write(viewer->ws))
        due = sooner(due, viewer->took_ms + VIEWER_STUCK_MS);
    if (viewer->reason)
        due = sooner(due, viewer->ending_ms + VIEWER_FAREWELL_MS);
    return due;
}
