/* The workers' library: what reaches the socket, what outlives a worker, what a confined one can still do; and that
 * a metered copy asks again for pages that hv found absent. */
#include "provisioner/backend/meter.h"
#include "provisioner/backend/vmmcall.h"
#include "provisioner/backend/worker.h"
#include "common/log.h"
#include "tests/provisioner/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/xs-backend.XXXXXX";
static char state_path[64];

/* Starts `worker` as a worker is: a socket as its descriptor 3. */
static pid_t start(void (*worker)(void), int *socket)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        close(pair[0]);
        if (pair[1] != WORKER_SOCKET_FD)
            dup2(pair[1], WORKER_SOCKET_FD);
        worker();
        _exit(99);
    }
    close(pair[1]);
    *socket = pair[0];
    return pid;
}

static void tell(int socket, const char *text)
{
    if (send(socket, text, strlen(text), MSG_NOSIGNAL) < 0)
        abort();
}

/* True if the worker says this. */
static bool says(int socket, const char *text)
{
    char heard[512];
    ssize_t bytes = recv(socket, heard, sizeof(heard) - 1, 0);

    heard[bytes > 0 ? bytes : 0] = 0;
    if (strncmp(heard, text, strlen(text)) == 0)
        return true;
    printf("# it says: %s\n", heard);
    return false;
}

static int status_of(pid_t pid)
{
    int status;

    waitpid(pid, &status, 0);
    return status;
}

static bool ends(pid_t pid, int code)
{
    int status = status_of(pid);

    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void repeats(void)
{
    json_t *config = worker_config(), *message;

    worker_say(json_pack("{s:O}", "had", json_object_get(config, "domid")));
    for (;;) {
        message = worker_heard();
        if (message)
            worker_say(json_pack("{s:o}", "had", message));
    }
}

static void breaks(void)
{
    worker_broken("producer %u past the ring", 7u);
}

static void socket_tests(void)
{
    int socket;
    pid_t pid = start(repeats, &socket);

    tell(socket, "{\"domid\":5}");
    check(says(socket, "{\"had\":5}"), "a worker reads its config");
    tell(socket, "{\"stop\":true}");
    check(says(socket, "{\"had\":{\"stop\":true}}"), "and what it is told later");
    close(socket);
    check(ends(pid, WORKER_STOPPED), "the socket's end ends it in good order");

    pid = start(repeats, &socket);
    tell(socket, "[1]");
    check(says(socket, "{\"failed\":") && ends(pid, WORKER_FAILED), "a config that is no object: it says so and fails");
    close(socket);

    pid = start(repeats, &socket);
    check(says(socket, "{\"failed\":\"no config") && ends(pid, WORKER_FAILED), "no config: likewise");
    close(socket);

    pid = start(breaks, &socket);
    check(says(socket, "{\"broken\":\"producer 7 past the ring\"}") && ends(pid, WORKER_BROKEN),
          "a broken protocol is said with its own status");
    close(socket);
}

static void keeps_state(void)
{
    char *state = worker_state(state_path, 4096);
    json_t *found;

    if (!state)
        worker_failed("no state");
    found = json_pack("{s:s}", "state", state);
    strcpy(state, "in flight");
    worker_say(found);                  /* from now on we may be killed */
    worker_config();
}

static void state_tests(void)
{
    int first, second, probe;
    pid_t pid = start(keeps_state, &first), next;

    check(says(first, "{\"state\":\"\"}"), "a new state file is zero");
    probe = open(state_path, O_RDWR | O_CLOEXEC);
    check(flock(probe, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK, "the worker that lives has it locked");
    close(probe);
    next = start(keeps_state, &second);
    kill(pid, SIGKILL);
    status_of(pid);
    check(says(second, "{\"state\":\"in flight\"}"), "after a kill the next one has its content");
    close(first);
    kill(next, SIGKILL);
    status_of(next);
    close(second);
    errno = 0;
    check(!worker_state(state_path, 8192) && errno == EINVAL, "a state file of another size is refused");
}

static void confined(void)
{
    static const char *const allowed[] = { "getpid", "sigaltstack" /* the sanitizer's, in _exit */, NULL };
    json_t *config = worker_config();
    void *memory;

    worker_confine(902, 902, allowed);
    memory = malloc(8u << 20);
    worker_say(json_pack("{s:b,s:b}", "memory", memory != NULL, "own", getpid() > 0));
    if (json_object_get(config, "open"))
        (void)!open("/dev/null", O_RDONLY);
    if (json_object_get(config, "map"))
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker_heard();
    _exit(7);
}

static bool killed_by_filter(const char *config)
{
    int socket, status;
    pid_t pid = start(confined, &socket);

    bool served;

    tell(socket, config);
    served = says(socket, "{\"memory\":true");
    status = status_of(pid);
    close(socket);
    return served && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void confinement_tests(void)
{
    int socket;
    pid_t pid;

    if (geteuid() != 0) {
        printf("ok %d - confinement # SKIP only root can become another user\n", ++tap_count);
        return;
    }
    pid = start(confined, &socket);
    tell(socket, "{}");
    check(says(socket, "{\"memory\":true,\"own\":true}"), "a confined worker still allocates, and makes its own calls");
    check(ends(pid, 7), "and exits");
    close(socket);
    check(killed_by_filter("{\"open\":true}"), "opening a file ends it");
    check(killed_by_filter("{\"map\":true}"), "so does memory that could be run");
}

/* hv's side of a copy: what is absent once is there when asked for again. */
static unsigned calls, absent_calls, limited_at, limited_times;
static int absent_op = -1, void_token;
static bool done[150];

long vmmcall(unsigned cmd, void *arg)
{
    struct xs_meter_copy *copy = arg;
    struct xs_meter_op *ops = (struct xs_meter_op *)(uintptr_t)copy->ops;

    calls++;
    if (cmd != XS_METER_copy || copy->nr_ops == 0 || copy->nr_ops > XS_METER_OPS_MAX)
        return -EINVAL;
    if (void_token)
        return -EACCES;
    if (absent_calls) {
        absent_calls--;
        return -EFAULT;
    }
    for (copy->done = 0; copy->done < copy->nr_ops; copy->done++) {
        struct xs_meter_op *op = &ops[copy->done];

        if (done[op->seq])
            return -EINVAL;             /* a number is done once with a token */
        if (limited_at && op->seq + 1 == limited_at && limited_times && limited_times--) {
            copy->retry_ns = 12345;
            return 0;
        }
        op->status = 0;
        if ((int)op->seq == absent_op) {
            op->status = -EFAULT;
            absent_op = -1;
        }
        done[op->seq] = op->status == 0;
        op->moved = op->status ? 0 : 512;
    }
    return 0;
}

static bool all_moved(const struct xs_meter_op *ops, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (ops[i].status || ops[i].moved != 512)
            return false;
    return true;
}

static void meter_tests(void)
{
    enum { COUNT = sizeof(done) };
    static uint8_t buffer[512];
    struct xs_meter_seg seg = { .ref = 1, .len = 512, .buffer = (uintptr_t)buffer };
    struct xs_meter_op ops[COUNT];
    struct meter meter = { .channel = 1 };
    uint64_t retry_ns = 0;

    for (unsigned i = 0; i < COUNT; i++)
        ops[i] = (struct xs_meter_op){ .seq = i, .kind = XS_METER_disk_write, .nr_segs = 1, .segs = (uintptr_t)&seg };
    memset(buffer, 0x5a, sizeof(buffer));
    check(meter_copy(&meter, ops, COUNT, &retry_ns) == COUNT && all_moved(ops, COUNT) && calls == 3,
          "150 operations are three calls");
    memset(done, 0, sizeof(done));
    absent_calls = 2;
    absent_op = 70;
    check(meter_copy(&meter, ops, COUNT, &retry_ns) == COUNT && all_moved(ops, COUNT), "what was absent is asked for again");
    check(buffer[0] == 0x5a && buffer[511] == 0x5a, "touching a buffer does not change it");
    memset(done, 0, sizeof(done));
    limited_at = 101;
    limited_times = 1;
    check(meter_copy(&meter, ops, COUNT, &retry_ns) == 100 && retry_ns == 12345, "the limit stops at its operation");
    check(meter_copy(&meter, ops + 100, 50, &retry_ns) == 50 && all_moved(ops, COUNT), "and the rest passes later");
    void_token = 1;
    check(meter_copy(&meter, ops, COUNT, &retry_ns) == -EACCES, "a void token is the end");
}

int main(void)
{
    log_init("backend-worker");
    if (!mkdtemp(folder))
        abort();
    snprintf(state_path, sizeof(state_path), "%s/state", folder);
    socket_tests();
    state_tests();
    confinement_tests();
    meter_tests();
    unlink(state_path);
    rmdir(folder);
    return tap_end();
}
