/* What the other daemons do becomes events: in their order, each once, over any number of kills of the api; for whose
 * it is alone. A daemon with an older database does not silence them. */
#include "common/json.h"
#include "tests/api/follower.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCES 60

static struct rig rig;
static char key[64], account[40], other_key[64], other_account[40];

static const char *of(const struct follower *f, size_t i, const char *field)
{
    return json_text(json_array_get(f->events, i), field);
}

static const char *in_data(const struct follower *f, size_t i, const char *field)
{
    return json_text(json_object_get(json_array_get(f->events, i), "data"), field);
}

static void a_life(void)
{
    static const char *const types[] = { "instance.created", "action.running", "instance.running", "action.succeeded" };
    struct follower f = { .events = json_array() };
    char id[40];

    follow(&rig, &f, "/v1/events", key, -1);
    await_greeting(&f, 1);
    rig_instance(&rig, key, "web-1", id);
    ok(await_events(&f, 1, 4), "an instance is made: its events come");
    for (size_t i = 0; i < 4; i++)
        ok_text(of(&f, i, "type"), types[i], "event %zu", i + 1);
    ok_text(of(&f, 0, "object"), id, "of the instance");
    ok_text(in_data(&f, 2, "name"), "web-1", "with its name");
    ok(strncmp(of(&f, 3, "object"), "act_", 4) == 0, "and of the action");
    ok_text(in_data(&f, 3, "instance_id"), id, "which says what it was done to");
    forget(&f);
}

/* Makes it and takes its id. */
static void made(const char *path, const char *idem, const char *body, char id[static 40])
{
    struct response answer = rig_post(&rig, key, path, idem, body);

    if (answer.status >= 300)
        tap_bail("%s: %d %s", path, answer.status, answer.text);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}

static void gone(const char *kind, const char *id)
{
    char path[80];

    snprintf(path, sizeof(path), "/v1/%s/%s", kind, id);
    said(rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key }), 204, "", path);
}

/* A key for one project: its text. */
static void key_for(const char *project, const char *idem, char text[static 64])
{
    char body[128];
    struct response answer;

    snprintf(body, sizeof(body), "{\"name\":\"bound\",\"project_id\":\"%s\"}", project);
    answer = rig_post(&rig, key, "/v1/keys", idem, body);
    if (answer.status != 201)
        tap_bail("no key: %s", answer.text);
    snprintf(text, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
}

/* What belongs to instances is told as they are, to who may see it: its project's keys, no other's. */
static void belongings(void)
{
    static const char *const types[] = { "volume.created", "action.running", "volume.attached", "volume.resized", "snapshot.created",
                                         "snapshot.deleted", "forward.created", "forward.deleted", "instance.firewall_changed",
                                         "volume.detached", "volume.deleted" };
    struct follower f[3] = { { .events = json_array() }, { .events = json_array() }, { .events = json_array() } };
    char home[40], shop[40], at_home[64], in_shop[64], instance[40], volume[40], snapshot[40], forward[40], action[40], body[128], path[128];
    size_t seen = 0;

    snprintf(home, sizeof(home), "prj_%s", account + 4);
    made("/v1/projects", "b-1", "{\"name\":\"shop\"}", shop);
    key_for(home, "b-2", at_home);
    key_for(shop, "b-3", in_shop);
    rig_instance(&rig, key, "holder", instance);
    follow(&rig, &f[0], "/v1/events", key, -1);
    follow(&rig, &f[1], "/v1/events", at_home, -1);
    follow(&rig, &f[2], "/v1/events", in_shop, -1);
    await_greeting(f, 3);
    made("/v1/volumes", "b-4", "{\"name\":\"data\",\"size_mib\":64}", volume);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", instance);
    snprintf(body, sizeof(body), "{\"type\":\"attach\",\"volume_id\":\"%s\"}", volume);
    made(path, "b-5", body, action);
    snprintf(path, sizeof(path), "/v1/volumes/%s/resize", volume);
    made(path, "b-6", "{\"size_mib\":128}", volume);
    snprintf(path, sizeof(path), "/v1/volumes/%s/snapshots", volume);
    made(path, "b-7", "{\"name\":\"before\"}", snapshot);
    gone("snapshots", snapshot);
    snprintf(path, sizeof(path), "/v1/instances/%s/forwards", instance);
    made(path, "b-8", "{\"guest_port\":80}", forward);
    gone("forwards", forward);
    snprintf(path, sizeof(path), "/v1/instances/%s/firewall", instance);
    said(rig_call(&rig, &(struct call){ .method = "PUT", .path = path, .key = key, .body = "{\"enabled\":true}" }), 200, "", path);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", instance);
    snprintf(body, sizeof(body), "{\"type\":\"detach\",\"volume_id\":\"%s\"}", volume);
    made(path, "b-9", body, action);
    gone("volumes", volume);
    for (size_t i = 0; seen < 11 && (i < f[0].count || await_events(f, 1, i + 1)); i++)
        seen += strcmp(of(&f[0], i, "type"), types[seen]) == 0;
    ok(seen == 11, "what happens to volumes, snapshots, ports and firewalls is told (%zu of 11)", seen);
    ok_text(of(&f[0], 0, "object"), volume, "by its id");
    ok_text(in_data(&f[0], 0, "name"), "data", "with its name");
    ok(await_events(&f[1], 1, 8) && strcmp(of(&f[1], 1, "type"), "action.running") == 0, "to a key of their project, actions too");
    ok_int((long long)f[2].count, 0, "not to a key of another");
    for (int i = 0; i < 3; i++)
        forget(&f[i]);
}

static void money(void)
{
    struct follower f[3] = { { .events = json_array() }, { .events = json_array() }, { .events = json_array() } };
    struct response answer;

    follow(&rig, &f[0], "/v1/events", key, -1);
    follow(&rig, &f[1], "/v1/events", other_key, -1);
    follow(&rig, &f[2], "/v1/admin/events", rig.operator_key, -1);
    await_greeting(f, 3);
    json_decref(rig_order(&rig, "accountd", json_pack("{s:{s:s, s:s, s:s, s:s}}", "alert", "account_id", account, "kind",
                                                      "balance", "subject", "half is used", "detail", "look")));
    ok(await_events(f, 1, 1), "accountd raises an alert: its event comes");
    ok_text(of(&f[0], 0, "type"), "alert.balance", "by its kind");
    ok_text(in_data(&f[0], 0, "subject"), "half is used", "with its words");
    answer = rig_post(&rig, key, "/v1/invoices", "bill", NULL);
    ok_int(answer.status, 201, "an invoice is made");
    ok(await_events(f, 1, 2), "its event comes");
    ok_text(of(&f[0], 1, "type"), "invoice.issued", "by its type");
    ok_text(of(&f[0], 1, "object"), answer_text_of(&answer, "id"), "names the invoice");
    ok_text(in_data(&f[0], 1, "total"), "1.234567891", "and the sum");
    answer_free(&answer);
    json_decref(rig_order(&rig, "accountd",
                          json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "deposit", "account_id", account, "transfer_id", "trf_1",
                                    "currency", "EUR", "amount_nano", "7000000000", "code", "card")));
    ok(await_events(f, 1, 3), "money arrives: its event comes");
    ok_text(of(&f[0], 2, "type"), "deposit.arrived", "by its type");
    ok_text(in_data(&f[0], 2, "amount"), "7.00", "with the amount");
    ok_text(in_data(&f[0], 2, "source"), "card", "and where from");
    ok(await_events(&f[2], 1, 3), "the operator sees all");
    ok_text(of(&f[2], 1, "customer_id"), account, "and whose they are");
    ok_int((long long)f[1].count, 0, "another customer sees neither");
    for (int i = 0; i < 3; i++)
        forget(&f[i]);
}

static void *instances_make(void *arg)
{
    (void)arg;
    for (int i = 0; i < INSTANCES;) {
        char idem[32];
        struct response answer;

        snprintf(idem, sizeof(idem), "i-%d", i);
        answer = rig_post(&rig, key, "/v1/instances", idem, "{\"name\":\"k\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
        i += answer.status == 202;
        answer_free(&answer);
    }
    return NULL;
}

/* How often each object comes with this type; 1 if each comes once. */
static int once(const struct follower *f, const char *type, int *objects)
{
    json_t *seen = json_object();
    int doubled = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(of(f, i, "type"), type) != 0)
            continue;
        doubled += json_object_get(seen, of(f, i, "object")) != NULL;
        json_object_set_new(seen, of(f, i, "object"), json_true());
    }
    *objects = (int)json_object_size(seen);
    json_decref(seen);
    return doubled == 0;
}

static void killed(void)
{
    struct follower f = { .events = json_array() };
    int64_t until_s = now_s() + FOLLOWER_PATIENCE_S;
    pthread_t writer;
    struct response answer = rig_get(&rig, key, "/v1/events?order=newest&limit=1");
    int kills = 0, made, done;

    f.last = json_integer_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "seq"));
    answer_free(&answer);
    pthread_create(&writer, NULL, instances_make, NULL);
    while (f.count < 4 * INSTANCES && now_s() < until_s) {
        size_t stop_at = f.count + 17;

        follow(&rig, &f, "/v1/events", key, f.last);
        while (f.count < stop_at && f.count < 4 * INSTANCES && !f.ended && now_s() < until_s)
            turn();
        leave(&f);
        rig_api_stop(&rig, SIGKILL);
        rig_api_start(&rig);
        kills++;
    }
    pthread_join(writer, NULL);
    ok(kills > 5 && f.count == 4 * INSTANCES, "%zu events over %d kills", f.count, kills);
    ok(once(&f, "instance.created", &made) && once(&f, "action.succeeded", &done), "none twice");
    ok(made == INSTANCES && done == INSTANCES, "and all are there");
    ok(!f.disordered, "in order");
    free(f.seqs);
    json_decref(f.events);
}

/* The stand-in forgets all it knew. */
static void older_database(void)
{
    struct follower f = { .events = json_array() };
    char new_key[64], new_account[40], id[40];

    rig_standin_stop(&rig);
    rig_standin_start(&rig);
    rig_customer(&rig, "new", new_key, new_account);
    follow(&rig, &f, "/v1/events", new_key, -1);
    await_greeting(&f, 1);
    /* What is done before the follower has seen that it is another database is not told. */
    while (f.count == 0 && !f.ended) {
        rig_instance(&rig, new_key, "again", id);
        turn();
    }
    ok(f.count > 0, "events go on after the provisioner came up with an older database");
    forget(&f);
}

static bool readable(FILE *out, int ms)
{
    struct pollfd in = { .fd = fileno(out), .events = POLLIN };

    return poll(&in, 1, ms) > 0;
}

/* Reads what xs prints until a line has this in it. */
static bool line_has(FILE *out, const char *part)
{
    char line[1024];

    while (fgets(line, sizeof(line), out))
        if (strstr(line, part))
            return true;
    return false;
}

static FILE *follow_start(pid_t *pid)
{
    int out[2];

    if (pipe2(out, O_CLOEXEC) != 0 || (*pid = fork()) < 0)
        tap_bail("cannot run xs");
    if (*pid == 0) {
        dup2(out[1], 1);
        execl("tests/api/xs", "xs", "events", "--follow", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    return fdopen(out[0], "r");
}

static void command_line(void)
{
    FILE *out;
    pid_t pid;
    char id[40];

    setenv("XS_URL", rig.url, 1);
    setenv("XS_KEY", key, 1);
    setenv("XS_FINGERPRINT", rig.fingerprint, 1);
    out = popen("tests/api/xs events", "r");
    ok(line_has(out, "WHAT") && line_has(out, "instance.created"), "xs events lists what happened");
    while (fgetc(out) != EOF)
        ;
    ok(pclose(out) == 0, "and ends well");
    out = follow_start(&pid);
    /* It may begin to listen after the first one: until it tells of one, there are more. */
    setvbuf(out, NULL, _IONBF, 0);
    rig_instance(&rig, key, "told", id);
    while (!readable(out, 100))
        rig_instance(&rig, key, "told", id);
    ok(line_has(out, "\"told\""), "xs events --follow tells what happens");
    rig_api_stop(&rig, SIGKILL);
    rig_api_start(&rig);
    rig_instance(&rig, key, "later", id);
    ok(line_has(out, "\"later\""), "and goes on after the api was killed");
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    fclose(out);
}

int main(void)
{
    rig_start(&rig);
    rig_port_keep(&rig); /* so that the writer finds the next api */
    rig_customer(&rig, "main", key, account);
    rig_customer(&rig, "other", other_key, other_account);
    a_life();
    belongings();
    money();
    killed();
    command_line();
    older_database();
    followers_end();
    rig_end(&rig);
    return tap_end();
}
