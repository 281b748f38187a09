#include "rig.h"
#include "common/log.h"
#include "common/rpc.h"
#include "sample.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct world *w;
char *dir;
static char socket_path[128], accountd_path[128], log_path[128];
static struct rpc_client *client;
pid_t daemon_pid;

/* accountd, served by a thread. */
static pthread_mutex_t accountd_lock = PTHREAD_MUTEX_INITIALIZER;
char accountd_refuses[32];
unsigned registrations, closings, acks_inside;
bool accountd_calls_back;
static bool accountd_stop;

static int on_register(struct rpc_call *call, json_t *args, json_t **result)
{
    bool good = json_string_length(json_object_get(args, "incarnation")) == 32 &&
                json_string_length(json_object_get(args, "domain_uuid")) == 32 &&
                json_is_integer(json_object_get(args, "vcpus")) && json_is_integer(json_object_get(args, "memory_mib")) &&
                json_is_string(json_object_get(args, "account_id"));

    pthread_mutex_lock(&accountd_lock);
    registrations++;
    bool call_back = accountd_calls_back;
    char code[32];
    strcpy(code, accountd_refuses);
    pthread_mutex_unlock(&accountd_lock);
    /* What the real one may do at the same moment: the provisioner waits for us, and we for it. */
    if (call_back) {
        struct rpc_client *back = rpc_client_new(socket_path);
        json_t *error = NULL;
        json_t *ok = rpc_call_sync(back, "tombstone_ack", json_pack("{s:i, s:s}", "slot", 90, "incarnation",
                                   "00000000000000000000000000000000"), 3000, &error);
        pthread_mutex_lock(&accountd_lock);
        acks_inside += ok != NULL;
        pthread_mutex_unlock(&accountd_lock);
        json_decref(ok);
        json_decref(error);
        rpc_client_free(back);
    }
    if (*code)
        return rpc_fail(call, code, "as the test wants it");
    if (!good)
        return rpc_fail(call, "bad_request", "malformed instance_register");
    world_lock(w);
    world_note(w->registered, &w->nr_registered, json_string_value(json_object_get(args, "instance_id")),
               json_string_value(json_object_get(args, "incarnation")));
    world_unlock(w);
    *result = json_pack("{s:s}", "hold_nano", "1");
    return 0;
}

static int on_close(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    (void)args;
    pthread_mutex_lock(&accountd_lock);
    closings++;
    pthread_mutex_unlock(&accountd_lock);
    *result = json_object();
    return 0;
}

static const struct rpc_verb accountd_verbs[] = {
    { "instance_register", on_register, RPC_ROOT | RPC_PROVISIONER },
    { "instance_close", on_close, RPC_ROOT | RPC_PROVISIONER },
    { NULL, NULL, 0 },
};

static void *accountd_thread(void *unused)
{
    struct rpc_server *server = rpc_server_new(accountd_path, 0666, accountd_verbs);
    struct pollfd at = { .events = POLLIN };

    (void)unused;
    if (!server)
        errx(1, "accountd's socket");
    at.fd = rpc_server_fd(server);
    for (bool stop = false; !stop;) {
        poll(&at, 1, 50);
        rpc_server_run(server);
        pthread_mutex_lock(&accountd_lock);
        stop = accountd_stop;
        pthread_mutex_unlock(&accountd_lock);
    }
    rpc_server_free(server);
    return NULL;
}

pthread_t accountd_start(void)
{
    pthread_t thread;

    accountd_stop = false;
    if (pthread_create(&thread, NULL, accountd_thread, NULL))
        errx(1, "thread");
    return thread;
}

void accountd_end(pthread_t thread)
{
    pthread_mutex_lock(&accountd_lock);
    accountd_stop = true;
    pthread_mutex_unlock(&accountd_lock);
    pthread_join(thread, NULL);
}

pid_t program_start(const char *catalog)
{
    char state[160], run[160], console[160], volumes[160];
    pid_t child;

    snprintf(state, sizeof(state), "--state-dir=%s/state", dir);
    snprintf(run, sizeof(run), "--run-dir=%s/run", dir);
    snprintf(console, sizeof(console), "--console-dir=%s/console", dir);
    snprintf(volumes, sizeof(volumes), "--volume-dir=%s/volumes", dir);
    fflush(stdout);
    child = fork();
    if (!child) {
        int fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        signal(SIGXFSZ, SIG_IGN);       /* inherited: a size limit then is EFBIG, as a full disk is ENOSPC */
        dup2(fd, 2);
        execl("tests/provisioner/xs-provisioner-model", "xs-provisioner-model", state, run, console, volumes, catalog,
              NULL);
        _exit(127);
    }
    return child;
}

bool log_has(const char *text)
{
    static char log[1 << 16];
    FILE *f = fopen(log_path, "r");
    size_t n = f ? fread(log, 1, sizeof(log) - 1, f) : 0;

    if (f)
        fclose(f);
    log[n] = 0;
    return strstr(log, text);
}

void log_show(void)
{
    char command[160];

    snprintf(command, sizeof(command), "tail -n 40 %s | sed 's/^/# /'", log_path);
    if (system(command))
        puts("# no log");
}

json_t *ask(const char *verb, json_t *args, json_t **error)
{
    *error = NULL;
    return rpc_call_sync(client, verb, args, 40000, error);
}

void daemon_start(void)
{
    char catalog[160];
    int64_t until_ms = clock_monotonic_ms() + 20000;
    int status;

    snprintf(catalog, sizeof(catalog), "--catalog=%s/catalog.json", dir);
    daemon_pid = program_start(catalog);
    for (;;) {
        json_t *error, *ok = ask("host", json_object(), &error);

        json_decref(error);
        if (ok) {
            json_decref(ok);
            return;
        }
        if (waitpid(daemon_pid, &status, WNOHANG) || clock_monotonic_ms() > until_ms)
            errx(1, "the daemon does not come up: see %s", log_path);
        poll(NULL, 0, 20);
    }
}

int daemon_wait(void)
{
    int status;

    waitpid(daemon_pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int daemon_end(int signal_number)
{
    kill(daemon_pid, signal_number);
    return daemon_wait();
}

bool refused(const char *verb, json_t *args, const char *code, const char *detail)
{
    json_t *error, *ok = ask(verb, args, &error);
    const char *got_code = json_string_value(json_object_get(error, "code"));
    const char *got_detail = json_string_value(json_object_get(error, "detail"));
    bool good = !ok && got_code && got_detail && !strcmp(got_code, code) && strstr(got_detail, detail);

    if (!good)
        printf("# %s: %s: %s\n", verb, got_code ? got_code : "accepted", got_detail ? got_detail : "");
    json_decref(ok);
    json_decref(error);
    return good;
}

json_t *action_args(const char *job_id, const char *instance_id, const char *type)
{
    return json_pack("{s:s, s:s, s:s}", "job_id", job_id, "instance_id", instance_id, "type", type);
}

const char *job_status(const char *job_id, int wait_ms)
{
    static char status[16];
    json_t *error, *ok = ask("job", json_pack("{s:s, s:i}", "job_id", job_id, "wait_ms", wait_ms), &error);
    const char *text = json_string_value(json_object_get(json_object_get(ok, "job"), "status"));

    snprintf(status, sizeof(status), "%s", text ? text : "none");
    if (!strcmp(status, "failed"))
        printf("# %s: %s\n", job_id, json_string_value(json_object_get(json_object_get(json_object_get(ok, "job"),
               "error"), "detail")));
    json_decref(ok);
    json_decref(error);
    return status;
}

bool done(const char *verb, json_t *args, const char *job_id)
{
    json_t *error, *ok = ask(verb, args, &error);
    bool accepted = ok != NULL;

    json_decref(ok);
    json_decref(error);
    return accepted && !strcmp(job_status(job_id, 30000), "succeeded");
}

json_t *instance_get(const char *instance_id)
{
    json_t *error, *ok = ask("instance", json_pack("{s:s}", "instance_id", instance_id), &error);
    json_t *instance = json_incref(json_object_get(ok, "instance"));

    json_decref(ok);
    json_decref(error);
    return instance;
}

bool instance_is(const char *instance_id, const char *key, const char *value)
{
    json_t *instance = instance_get(instance_id);
    const char *text = json_string_value(json_object_get(instance, key));
    bool is = text && !strcmp(text, value);

    json_decref(instance);
    return is;
}

bool instance_becomes(const char *instance_id, const char *state)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;

    while (!instance_is(instance_id, "state", state)) {
        if (clock_monotonic_ms() > until_ms)
            return false;
        poll(NULL, 0, 10);
    }
    return true;
}

void rig_begin(const char *name)
{
    log_init(name);
    signal(SIGPIPE, SIG_IGN);
    alarm(600);
    dir = sample_dir();
    w = world_new(dir);
    sample_files(dir);
    snprintf(socket_path, sizeof(socket_path), "%s/run/provisioner.sock", dir);
    snprintf(accountd_path, sizeof(accountd_path), "%s/run/accountd.sock", dir);
    snprintf(log_path, sizeof(log_path), "%s/log", dir);
    client = rpc_client_new(socket_path);
}

void rig_end(void)
{
    rpc_client_free(client);
}
