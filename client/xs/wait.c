/* Long polls with a line of progress: one that rewrites itself on a terminal, one line for each change elsewhere. */
#include "client/xs/wait.h"
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 100

void progress_start(struct progress *progress, const char *timeout)
{
    progress->begun_ms = clock_monotonic_ms();
    progress->until_ms = progress->begun_ms + 1000 * args_number("--timeout", timeout, 1, 3600);
    progress->last[0] = 0;
}

void progress_show(struct progress *progress, const char *text)
{
    bool terminal = isatty(STDERR_FILENO);

    if (!terminal && strcmp(progress->last, text) == 0)
        return;
    snprintf(progress->last, sizeof(progress->last), "%s", text);
    fprintf(stderr, terminal ? "\r\033[K%s, %.1f s" : "%s, %.1f s\n", text,
            (double)(clock_monotonic_ms() - progress->begun_ms) / 1000.0);
    fflush(stderr);
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

bool progress_over(const struct progress *progress)
{
    return clock_monotonic_ms() >= progress->until_ms;
}

static void step_now(const json_t *action, char *out, size_t size)
{
    json_t *step;
    size_t i;

    snprintf(out, size, "%s %s", json_text(action, "type"), json_text(action, "status"));
    if (strcmp(json_text(action, "status"), "running") != 0)
        return;
    json_array_foreach(json_object_get(action, "steps"), i, step)
        if (strcmp(json_text(step, "status"), "running") == 0)
            snprintf(out, size, "%s: %s (%d%%)", json_text(action, "type"), json_text(step, "name"),
                     (int)json_integer_value(json_object_get(action, "progress")));
}

static _Noreturn void action_failed(const json_t *action)
{
    const json_t *error = json_object_get(action, "error");
    const char *advice = problem_advice(json_text(error, "code"));

    progress_end();
    fail(EXIT_REFUSED, "%s failed: %s: %s%s%s\n    action %s", json_text(action, "type"), json_text(error, "code"),
         json_text(error, "detail"), advice ? "\n    what to do: " : "", advice ? advice : "",
         json_text(action, "id"));
}

void pause_ms(long milliseconds)
{
    struct timespec pause = { .tv_nsec = milliseconds * 1000000L };

    nanosleep(&pause, NULL);
}

json_t *action_wait(struct host *host, struct progress *progress, const char *action_id)
{
    char path[256], step[160];

    for (;;) {
        int64_t asked_ms, left_s = (progress->until_ms - clock_monotonic_ms()) / 1000;
        json_t *action;

        asked_ms = clock_monotonic_ms();
        snprintf(path, sizeof(path), "/v1/actions/%s?wait=%d", action_id, left_s > 2 ? 2 : left_s < 0 ? 0 : (int)left_s);
        action = ask_get(host, path);
        step_now(action, step, sizeof(step));
        progress_show(progress, step);
        if (strcmp(json_text(action, "status"), "failed") == 0 || strcmp(json_text(action, "status"), "cancelled") == 0)
            action_failed(action);
        if (strcmp(json_text(action, "status"), "succeeded") == 0)
            return action;
        json_decref(action);
        if (progress_over(progress)) {
            progress_end();
            fail(EXIT_LATER, "the action %s has not ended in time; it goes on. xs show tells how it went", action_id);
        }
        /* The host waits for us unless too many wait there already. */
        if (clock_monotonic_ms() - asked_ms < PAUSE_MS)
            pause_ms(PAUSE_MS);
    }
}

json_t *ready_wait(struct host *host, struct progress *progress, const char *instance_id)
{
    char path[256], text[160];

    snprintf(path, sizeof(path), "/v1/instances/%s", instance_id);
    for (;;) {
        json_t *instance = ask_get(host, path);
        const char *state = json_text(instance, "state");

        snprintf(text, sizeof(text), "%s%s", state,
                 json_is_true(json_object_get(instance, "ready")) ? ", ready" : ", waiting for the guest's first line");
        progress_show(progress, text);
        if (json_is_true(json_object_get(instance, "ready")))
            return instance;
        if (strcmp(state, "failed") == 0 || strcmp(state, "stopped") == 0 || strcmp(state, "deleted") == 0) {
            progress_end();
            fail(EXIT_REFUSED, "the instance is %s before it was ready: %s", state, json_text(instance,
                 "state_reason"));
        }
        json_decref(instance);
        if (progress_over(progress)) {
            progress_end();
            fail(EXIT_LATER, "the guest has not written to its console in time; it goes on. Look: xs log %s", instance_id);
        }
        pause_ms(PAUSE_MS);
    }
}

int action_follow(struct host *host, json_t *action, bool wait, const char *timeout)
{
    struct progress progress;

    progress_start(&progress, timeout);
    if (wait) {
        char *id = strdup(json_text(action, "id"));

        json_decref(action);
        action = action_wait(host, &progress, id);
        progress_end();
        free(id);
    }
    if (!json_print(host, action))
        printf("%s  %s  %s\n", json_text(action, "id"), json_text(action, "type"), json_text(action, "status"));
    json_decref(action);
    return EXIT_DONE;
}
