/* The daemon over its socket, when the money is gone: who is paused is paused at once,
 * whatever the worker does, stays so over a kill, and runs again when accountd says so. */
#include "rig.h"
#include "tap.h"
#include "common/rpc.h"

#include <signal.h>
#include <string.h>

static json_t *create_args(const char *job_id, const char *instance_id)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "job_id", job_id, "instance_id", instance_id, "account_id",
                     "acc_1", "name", "guest", "image", "tiny", "flavor", "xs1", "purchase_order_id", "po_1");
}

static json_t *want_args(const char *want, const char *instance_id)
{
    return json_pack("{s:s, s:[s]}", "want", want, "instance_ids", instance_id);
}

/* 1 done, 0 not yet, -1 refused. */
static int wanted(const char *want, const char *instance_id)
{
    json_t *error = NULL, *ok = ask("billing_want", want_args(want, instance_id), &error), *first;
    int done = -1;

    first = json_array_get(json_object_get(ok, "instances"), 0);
    if (first && !strcmp(json_string_value(json_object_get(first, "instance_id")), instance_id))
        done = json_is_true(json_object_get(first, "done"));
    json_decref(ok);
    json_decref(error);
    return done;
}

/* Until it is so: each asking is answered after the worker has had a turn. */
static bool becomes(const char *want, const char *instance_id)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    int done;

    while (!(done = wanted(want, instance_id)) && clock_monotonic_ms() < until_ms)
        ;
    return done == 1;
}

static void pauses_and_goes_on(void)
{
    check(done("instance_create", create_args("act_1", "ins_1"), "act_1") &&
          instance_is("ins_1", "purchase_order_id", "po_1"), "an instance that a purchase order pays");
    check(wanted("suspend", "ins_1") == 1 && w->domain[0].pauses == 1 &&
              instance_is("ins_1", "state", "billing_suspended"),
          "the money is gone: paused when the answer comes");
    check(wanted("suspend", "ins_1") == 1 && w->domain[0].pauses == 1, "asked again: the same");
    check(refused("instance_action", action_args("act_2", "ins_1", "reboot"), "insufficient_funds", "ins_1") &&
          refused("instance_action", action_args("act_2", "ins_1", "shutdown"), "conflict", "power_off"),
          "its owner can neither reboot nor shut it down");
    check(done("instance_action", action_args("act_3", "ins_1", "suspend"), "act_3") &&
          refused("instance_action", action_args("act_4", "ins_1", "resume"), "insufficient_funds", "ins_1") &&
          w->domain[0].pauses == 1, "nor resume it after a suspend of his own");
    check(becomes("run", "ins_1") && w->domain[0].pauses == 1 && instance_is("ins_1", "state", "suspended"),
          "there is money: what he had suspended himself stays so");
    check(done("instance_action", action_args("act_5", "ins_1", "resume"), "act_5") && !w->domain[0].pauses,
          "and is resumed by himself");
    check(wanted("suspend", "ins_1") == 1 && becomes("run", "ins_1") && !w->domain[0].pauses &&
          instance_is("ins_1", "state", "running"), "suspended and paid, it goes on");
}

/* The same, by an operator: its owner is told so. */
static void obeys_the_operator(void)
{
    json_t *args = want_args("suspend", "ins_1"), *error = NULL, *ok;

    json_object_set_new(args, "by", json_string("operator"));
    ok = ask("billing_want", args, &error);
    check(ok && w->domain[0].pauses == 1 && instance_is("ins_1", "state", "billing_suspended") &&
          instance_is("ins_1", "state_reason",
                      "suspended by the operator of this host: it costs nothing, its memory is kept; ask them"),
          "an operator suspends: its owner is told who");
    json_decref(ok);
    check(refused("instance_action", action_args("act_7", "ins_1", "reboot"), "forbidden", "ask them"),
          "and no money helps");
    args = want_args("suspend", "ins_1");
    json_object_set_new(args, "by", json_string("nobody"));
    check(refused("billing_want", args, "bad_request", "by"), "by somebody that there is");
    check(becomes("run", "ins_1") && !w->domain[0].pauses && instance_is("ins_1", "state", "running"), "it goes on");
}

static void does_not_wait_for_jobs(pthread_t *accountd)
{
    json_t *error;

    accountd_end(*accountd);
    json_decref(ask("instance_create", create_args("act_10", "ins_2"), &error));
    check(!strcmp(job_status("act_10", 200), "running"), "the worker waits for accountd");
    check(wanted("suspend", "ins_1") == 1 && w->domain[0].pauses == 1, "a guest is paused meanwhile");
    check(wanted("suspend", "ins_2") == 1, "so is one that is being built");
    *accountd = accountd_start();
    check(!strcmp(job_status("act_10", 30000), "succeeded") && w->domain[1].pauses == 1 &&
          instance_is("ins_2", "state", "billing_suspended"), "which is ready then, and does not run");
    check(becomes("run", "ins_2") && !w->domain[1].pauses, "before it is paid");
}

static void outlives_a_kill(void)
{
    check(daemon_end(SIGKILL) == -SIGKILL, "the daemon is killed");
    w->domain[0].pauses = 0;
    daemon_start();
    check(instance_is("ins_1", "state", "billing_suspended") && becomes("suspend", "ins_1") && w->domain[0].pauses == 1,
          "the word stands, and the guest is paused again if it was not");
    check(daemon_end(SIGKILL) == -SIGKILL, "killed once more");
    daemon_start();
    check(becomes("run", "ins_1") && !w->domain[0].pauses, "and runs when there is money");
}

static void stops_and_deletes(void)
{
    check(becomes("stop", "ins_1") && instance_is("ins_1", "state", "stopped") && world_alive(w) == 1,
          "stopped at last");
    check(becomes("stop", "ins_1") && refused("instance_action", action_args("act_20", "ins_1", "start"),
                                              "insufficient_funds", "top up"), "and not started without money");
    check(wanted("run", "ins_1") == 1 && instance_is("ins_1", "state", "stopped"), "money starts nothing by itself");
    check(done("instance_action", action_args("act_21", "ins_1", "start"), "act_21") && world_alive(w) == 2,
          "its owner does");
    check(becomes("delete", "ins_1") && instance_is("ins_1", "state", "deleted") && closings == 1,
          "deleted, and closed at accountd");
    check(wanted("suspend", "ins_1") == 1 && wanted("run", "ins_none") == 1, "what is gone or not known is as wanted");
}

/* The states of an instance, in the order of the changes, with spaces between. */
static json_int_t states_of(const char *instance_id, char *states, size_t size)
{
    json_t *error, *ok = ask("changes", json_pack("{s:i}", "after", 0), &error), *change;
    json_int_t number = 0;
    bool holes = false;
    size_t i, used = 0;

    states[0] = 0;
    json_array_foreach(json_object_get(ok, "changes"), i, change) {
        holes |= json_integer_value(json_object_get(change, "number")) != ++number;
        if (!json_object_get(change, "job_id") && !json_object_get(change, "subject_id") &&
            !strcmp(json_string_value(json_object_get(change, "instance_id")), instance_id))
            used += (size_t)snprintf(states + used, size - used, "%s ",
                                     json_string_value(json_object_get(change, "state")));
    }
    check(!holes && number == json_integer_value(json_object_get(ok, "newest")), "changes have no holes");
    json_decref(ok);
    return number;
}

static void *suspend_and_go_on(void *arg)
{
    struct rpc_client *other = rpc_client_new(arg);
    json_t *error;

    json_decref(rpc_call_sync(other, "billing_want", want_args("suspend", "ins_2"), 40000, &error));
    rpc_client_free(other);
    return NULL;
}

static void tells_changes(void)
{
    char states[512], path[256];
    json_t *error, *ok, *change;
    json_int_t newest = states_of("ins_1", states, sizeof(states));
    pthread_t thread;

    if (!check(!strcmp(states, "created building running billing_suspended suspending billing_suspended suspended "
                               "suspending running billing_suspended running billing_suspended running "
                               "billing_suspended running billing_suspended stopping stopped building running billing_suspended stopping "
                               "deleted "),
               "each state that ins_1 was shown in, in order"))
        printf("# %s\n", states);
    snprintf(path, sizeof(path), "%s/run/provisioner.sock", dir);
    pthread_create(&thread, NULL, suspend_and_go_on, path);
    ok = ask("changes", json_pack("{s:I, s:i}", "after", newest, "wait_ms", 30000), &error);
    pthread_join(thread, NULL);
    change = json_array_get(json_object_get(ok, "changes"), 0);
    check(change && !strcmp(json_string_value(json_object_get(change, "state")), "billing_suspended") &&
              !strcmp(json_string_value(json_object_get(change, "account_id")), "acc_1"),
          "who waits is answered when there is one");
    json_decref(ok);
    ok = ask("changes", json_pack("{s:I, s:i}", "after", newest + 1000, "wait_ms", 30000), &error);
    check(json_integer_value(json_object_get(ok, "newest")) == newest + 1, "who is further than we are learns it at once");
    json_decref(ok);
}

static void refuses(void)
{
    check(refused("changes", json_object(), "bad_request", "after") &&
              refused("changes", json_pack("{s:i, s:i}", "after", 0, "limit", 201), "bad_request", "limit"),
          "changes after nothing, or too many");
    check(refused("billing_want", want_args("dance", "ins_1"), "bad_request", "want") &&
              refused("billing_want", want_args("run", "../x"), "bad_request", "instance_ids") &&
              refused("billing_want", json_pack("{s:s, s:[i]}", "want", "run", "instance_ids", 7), "bad_request",
                      "[0]") &&
              refused("billing_want", json_pack("{s:s}", "want", "run"), "bad_request", "instance_ids"),
          "bad input is named");
}

int main(void)
{
    pthread_t accountd;

    rig_begin("daemon-billing");
    accountd = accountd_start();
    daemon_start();
    pauses_and_goes_on();
    obeys_the_operator();
    does_not_wait_for_jobs(&accountd);
    outlives_a_kill();
    stops_and_deletes();
    tells_changes();
    refuses();
    if (!check(!*w->broken, "no rule of the hypervisor was broken"))
        printf("# %s\n", w->broken);
    if (!check(!daemon_end(SIGTERM), "SIGTERM ends it in order"))
        log_show();
    accountd_end(accountd);
    rig_end();
    return tap_end();
}
