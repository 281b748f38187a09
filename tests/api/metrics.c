/* What Prometheus is given: exact values, of one's own things alone. */
#include "common/json.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;
static char key[64], account[40];

/* The lines stand in it, each once. */
static void has_once(const char *text, const char *line, const char *what)
{
    const char *found = strstr(text, line);

    ok(found && (found == text || found[-1] == '\n') && !strstr(found + 1, line), "%s", what);
}

static void customer(void)
{
    struct response answer = rig_post(&rig, key, "/v1/instances", "i1",
                                      "{\"name\":\"one\",\"image\":\"tiny\",\"flavor\":\"xs1\"}");
    char id[40], line[160];

    ok_int(answer.status, 202, "an instance");
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/metrics");
    ok_int(answer.status, 200, "its metrics");
    ok_has(json_text(answer.headers, "content-type"), "text/plain; version=0.0.4", "are in the text format");
    snprintf(line, sizeof(line), "xenoserver_instance_cpu_seconds_total{instance_id=\"%s\",mode=\"guest\"} 18446744073.709551615\n", id);
    has_once(answer.text, line, "2^64 - 1 ns are exact");
    snprintf(line, sizeof(line), "xenoserver_instance_cpu_seconds_total{instance_id=\"%s\",mode=\"hypervisor\"} 0.000000005\n", id);
    has_once(answer.text, line, "5 ns too");
    snprintf(line, sizeof(line), "xenoserver_instance_network_bytes_total{instance_id=\"%s\",direction=\"transmit\"} 107374182400\n", id);
    has_once(answer.text, line, "bytes are bytes");
    snprintf(line, sizeof(line), "xenoserver_instance_charged_total{instance_id=\"%s\"} 1.234567891\n", id);
    has_once(answer.text, line, "money is exact");
    has_once(answer.text, "xenoserver_wallet_balance{currency=\"EUR\"} 10.000000000\n", "the wallet");
    has_once(answer.text, "# TYPE xenoserver_instance_cpu_seconds_total counter\n", "a family is declared once");
    ok(!strstr(answer.text, "flush"), "what the host does not count has no sample");
    answer_free(&answer);
}

static void stranger(void)
{
    char other[64], other_account[40];
    struct response answer;

    rig_customer(&rig, "other", other, other_account);
    answer = rig_get(&rig, other, "/v1/metrics");
    ok(answer.status == 200 && !strstr(answer.text, "instance_id="), "another customer sees none of it");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/admin/metrics");
    ok_int(answer.status, 403, "the host's are not for customers");
    answer_free(&answer);
}

static void host(void)
{
    struct response answer = rig_get(&rig, rig.operator_key, "/v1/admin/metrics");

    ok_int(answer.status, 200, "the host's metrics");
    has_once(answer.text, "xenoserver_meter_samples_total 10\n", "samples");
    has_once(answer.text, "xenoserver_meter_conservation_ok 1\n", "whether the books close");
    has_once(answer.text, "xenoserver_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 0.000000003\n", "a CPU's time");
    has_once(answer.text, "xenoserver_log_leaves 3\n", "the log");
    answer_free(&answer);
}

int main(void)
{
    rig_start(&rig);
    rig_customer(&rig, "metrics", key, account);
    customer();
    stranger();
    host();
    rig_end(&rig);
    return tap_end();
}
