/* Instances: making them, waiting for them, ending them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PAUSE_MS 100
#define WAIT_S_DEFAULT "120"

bool json_print(struct host *host, const json_t *json)
{
    if (!host_settings(host)->json)
        return false;
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    return true;
}

static int list_show(struct host *host, char **argv, const char *path, const struct column *columns, unsigned count,
                     const char *none, const char *usage)
{
    json_t *list;

    args_take(argv, NULL, NULL, 0, 0, usage);
    list = ask_get(host, path);
    if (!json_print(host, list))
        table_print(columns, count, json_object_get(list, "data"), none);
    json_decref(list);
    return EXIT_DONE;
}

int images_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" }, { "NAME", "name" }, { ">MIN MIB", "memory_mib_min" }, { "DESCRIPTION", "description" },
    };

    return list_show(host, argv, "/v1/images", columns, COUNT(columns), "There are no images.", "images");
}

int flavors_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" }, { ">VCPUS", "vcpus" }, { ">MIB", "memory_mib" }, { "NAME", "name" },
    };

    return list_show(host, argv, "/v1/flavors", columns, COUNT(columns), "There are no flavors.", "flavors");
}

int list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },       { "NAME", "name" },   { "STATE", "state" }, { "READY", "ready" },
        { "IMAGE", "image" }, { "FLAVOR", "flavor" }, { "CREATED", "created_at" },
    };

    return list_show(host, argv, "/v1/instances", columns, COUNT(columns),
                     "You have no instances. Make one: xs create NAME --image IMAGE --flavor FLAVOR --wait", "list");
}

char *instance_resolve(struct host *host, const char *name_or_id)
{
    json_t *list, *instance;
    char *found = NULL;
    size_t i;

    if (strncmp(name_or_id, "ins_", 4) == 0 && strspn(name_or_id + 4, "0123456789abcdefghjkmnpqrstvwxyz") ==
                                                   strlen(name_or_id + 4))
        return strdup(name_or_id);
    list = ask_get(host, "/v1/instances");
    json_array_foreach(json_object_get(list, "data"), i, instance) {
        if (strcmp(answer_text(instance, "name"), name_or_id) != 0)
            continue;
        if (found)
            fail(EXIT_REFUSED, "\"%s\" is the name of more than one instance: use the id, xs list shows it", name_or_id);
        found = strdup(answer_text(instance, "id"));
    }
    json_decref(list);
    if (!found)
        fail(EXIT_REFUSED, "you have no instance called \"%s\": xs list shows what there is", name_or_id);
    return found;
}

static void instance_card(const json_t *instance)
{
    static const struct column columns[] = {
        { "id", "id" },
        { "name", "name" },
        { "state", "state" },
        { "wanted", "desired_state" },
        { "reason", "state_reason" },
        { "ready", "ready" },
        { "image", "image" },
        { "flavor", "flavor" },
        { "vcpus", "vcpus" },
        { "memory MiB", "memory_mib" },
        { "created", "created_at" },
        { "started", "started_at" },
        { "billed now", "meters_running" },
    };

    card_print(columns, COUNT(columns), instance);
}

int show_command(struct host *host, char **argv)
{
    const char *which;
    char path[256], *id;
    json_t *instance;

    args_take(argv, NULL, &which, 1, 1, "show INSTANCE");
    id = instance_resolve(host, which);
    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    instance = ask_get(host, path);
    if (!json_print(host, instance))
        instance_card(instance);
    json_decref(instance);
    free(id);
    return EXIT_DONE;
}

/* waiting */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One line that rewrites itself on a terminal, one line per change elsewhere. */
struct progress {
    int64_t begun_ms;
    char last[160];
};

static void progress_show(struct progress *progress, const char *text)
{
    bool terminal = isatty(STDERR_FILENO);

    if (!terminal && strcmp(progress->last, text) == 0)
        return;
    snprintf(progress->last, sizeof(progress->last), "%s", text);
    fprintf(stderr, terminal ? "\r\033[K%s, %.1f s" : "%s, %.1f s\n", text,
            (double)(now_ms() - progress->begun_ms) / 1000.0);
    fflush(stderr);
}

static void progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

static void step_now(const json_t *action, char *out, size_t size)
{
    json_t *step;
    size_t i;

    snprintf(out, size, "%s %s", answer_text(action, "type"), answer_text(action, "status"));
    if (strcmp(answer_text(action, "status"), "running") != 0)
        return;
    json_array_foreach(json_object_get(action, "steps"), i, step)
        if (strcmp(answer_text(step, "status"), "running") == 0)
            snprintf(out, size, "%s: %s (%d%%)", answer_text(action, "type"), answer_text(step, "name"),
                     (int)json_integer_value(json_object_get(action, "progress")));
}

static _Noreturn void action_failed(const json_t *action)
{
    const json_t *error = json_object_get(action, "error");
    const char *advice = problem_advice(answer_text(error, "code"));

    progress_end();
    fail(EXIT_REFUSED, "%s failed: %s: %s%s%s\n    action %s", answer_text(action, "type"), answer_text(error, "code"),
         answer_text(error, "detail"), advice ? "\n    what to do: " : "", advice ? advice : "",
         answer_text(action, "id"));
}

static void pause_ms(long milliseconds)
{
    struct timespec pause = { .tv_nsec = milliseconds * 1000000L };

    nanosleep(&pause, NULL);
}

/* Until the action has succeeded; exits 1 if it fails, 4 when the time is up. */
static json_t *action_wait(struct host *host, struct progress *progress, const char *action_id, int64_t until_ms)
{
    char path[256], step[160];

    for (;;) {
        int64_t asked_ms, left_s = (until_ms - now_ms()) / 1000;
        json_t *action;

        asked_ms = now_ms();
        snprintf(path, sizeof(path), "/v1/actions/%s?wait=%d", action_id, left_s > 2 ? 2 : left_s < 0 ? 0 : (int)left_s);
        action = ask_get(host, path);
        step_now(action, step, sizeof(step));
        progress_show(progress, step);
        if (strcmp(answer_text(action, "status"), "failed") == 0 || strcmp(answer_text(action, "status"), "cancelled") == 0)
            action_failed(action);
        if (strcmp(answer_text(action, "status"), "succeeded") == 0)
            return action;
        json_decref(action);
        if (now_ms() >= until_ms) {
            progress_end();
            fail(EXIT_LATER, "the action %s has not ended in time; it goes on. xs show tells how it went", action_id);
        }
        /* The host waits for us unless too many wait there already. */
        if (now_ms() - asked_ms < PAUSE_MS)
            pause_ms(PAUSE_MS);
    }
}

/* Running is not enough: until the guest itself has spoken. */
static json_t *ready_wait(struct host *host, struct progress *progress, const char *instance_id, int64_t until_ms)
{
    char path[256], text[160];

    snprintf(path, sizeof(path), "/v1/instances/%s", instance_id);
    for (;;) {
        json_t *instance = ask_get(host, path);
        const char *state = answer_text(instance, "state");

        snprintf(text, sizeof(text), "%s%s", state,
                 json_is_true(json_object_get(instance, "ready")) ? ", ready" : ", waiting for the guest's first line");
        progress_show(progress, text);
        if (json_is_true(json_object_get(instance, "ready")))
            return instance;
        if (strcmp(state, "failed") == 0 || strcmp(state, "stopped") == 0 || strcmp(state, "deleted") == 0) {
            progress_end();
            fail(EXIT_REFUSED, "the instance is %s before it was ready: %s", state, answer_text(instance, "state_reason"));
        }
        json_decref(instance);
        if (now_ms() >= until_ms) {
            progress_end();
            fail(EXIT_LATER, "the guest has not written to its console in time; it goes on. Look: xs log %s", instance_id);
        }
        pause_ms(PAUSE_MS);
    }
}

int create_command(struct host *host, char **argv)
{
    static const char usage[] = "create NAME --image IMAGE --flavor FLAVOR [--cmdline TEXT] [--wait [--timeout SECONDS]]";
    const char *name, *image = NULL, *flavor = NULL, *cmdline = NULL, *timeout = WAIT_S_DEFAULT;
    struct progress progress = { .begun_ms = now_ms() };
    bool wait = false;
    const struct flag flags[] = {
        { "--image", &image, NULL },     { "--flavor", &flavor, NULL }, { "--cmdline", &cmdline, NULL },
        { "--timeout", &timeout, NULL }, { "--wait", NULL, &wait },     { NULL, NULL, NULL },
    };
    json_t *body, *instance;

    args_take(argv, flags, &name, 1, 1, usage);
    if (!image || !flavor)
        fail(EXIT_USAGE, "--image and --flavor are needed; xs images and xs flavors list them\nusage: xs %s", usage);
    body = json_pack("{s:s, s:s, s:s}", "name", name, "image", image, "flavor", flavor);
    if (!body)
        fail(EXIT_USAGE, "the name, image or flavor is not UTF-8 text");
    if (cmdline)
        json_object_set_new(body, "cmdline", json_string(cmdline));
    instance = ask_post(host, "/v1/instances", body);
    if (wait) {
        int64_t until_ms = progress.begun_ms + 1000 * args_number("--timeout", timeout, 1, 3600);
        char *id = strdup(answer_text(instance, "id"));

        json_decref(action_wait(host, &progress, answer_text(json_object_get(instance, "action"), "id"), until_ms));
        json_decref(instance);
        instance = ready_wait(host, &progress, id, until_ms);
        progress_end();
        free(id);
    }
    if (!json_print(host, instance))
        instance_card(instance);
    json_decref(instance);
    return EXIT_DONE;
}

/* verbs */

static int action_follow(struct host *host, json_t *action, bool wait, const char *timeout)
{
    struct progress progress = { .begun_ms = now_ms() };

    if (wait) {
        char *id = strdup(answer_text(action, "id"));

        json_decref(action);
        action = action_wait(host, &progress, id,
                             progress.begun_ms + 1000 * args_number("--timeout", timeout, 1, 3600));
        progress_end();
        free(id);
    }
    if (!json_print(host, action))
        printf("%s  %s  %s\n", answer_text(action, "id"), answer_text(action, "type"), answer_text(action, "status"));
    json_decref(action);
    return EXIT_DONE;
}

/* `type` NULL deletes. */
static int verb(struct host *host, char **argv, const char *type, const char *usage)
{
    const char *which, *timeout = WAIT_S_DEFAULT;
    bool wait = false;
    const struct flag flags[] = { { "--wait", NULL, &wait }, { "--timeout", &timeout, NULL }, { NULL, NULL, NULL } };
    char path[256], *id;
    json_t *action;

    args_take(argv, flags, &which, 1, 1, usage);
    id = instance_resolve(host, which);
    snprintf(path, sizeof(path), "/v1/instances/%s%s", id, type ? "/actions" : "");
    action = type ? ask_post(host, path, json_pack("{s:s}", "type", type)) : ask_delete(host, path);
    free(id);
    return action_follow(host, action, wait, timeout);
}

int start_command(struct host *host, char **argv)
{
    return verb(host, argv, "start", "start INSTANCE [--wait]");
}

int stop_command(struct host *host, char **argv)
{
    return verb(host, argv, "shutdown", "stop INSTANCE [--wait]");
}

int power_off_command(struct host *host, char **argv)
{
    return verb(host, argv, "power_off", "power-off INSTANCE [--wait]");
}

int reboot_command(struct host *host, char **argv)
{
    return verb(host, argv, "reboot", "reboot INSTANCE [--wait]");
}

int suspend_command(struct host *host, char **argv)
{
    return verb(host, argv, "suspend", "suspend INSTANCE [--wait]");
}

int resume_command(struct host *host, char **argv)
{
    return verb(host, argv, "resume", "resume INSTANCE [--wait]");
}

int rm_command(struct host *host, char **argv)
{
    return verb(host, argv, NULL, "rm INSTANCE [--wait]");
}

int log_command(struct host *host, char **argv)
{
    const char *which, *offset = NULL, *limit = "65536";
    const struct flag flags[] = { { "--offset", &offset, NULL }, { "--limit", &limit, NULL }, { NULL, NULL, NULL } };
    char path[320], from[48] = "", *id;
    json_t *log;

    args_take(argv, flags, &which, 1, 1, "log INSTANCE [--offset BYTES] [--limit BYTES]");
    id = instance_resolve(host, which);
    if (offset)
        snprintf(from, sizeof(from), "&offset=%jd", (intmax_t)args_number("--offset", offset, 0, INT64_C(1) << 52));
    snprintf(path, sizeof(path), "/v1/instances/%s/console_log?limit=%jd%s", id,
             (intmax_t)args_number("--limit", limit, 1, 131072), from);
    log = ask_get(host, path);
    if (!json_print(host, log))
        text_print(answer_text(log, "text"));
    json_decref(log);
    free(id);
    return EXIT_DONE;
}
