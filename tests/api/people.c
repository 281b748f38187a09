/* People: signing up, logging in and out, what a session may, and what strangers learn by trying. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "four words and more"

static struct rig rig;

static struct response log_in(const char *email, const char *password, const char *code)
{
    char body[700];

    snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"%s\"%s%s%s}", email, password,
             code ? ",\"code\":\"" : "", code ? code : "", code ? "\"" : "");
    return rig_post(&rig, NULL, "/v1/sessions", NULL, body);
}

static struct visitor logged_in(const char *email, const char *password)
{
    struct response answer = log_in(email, password, NULL);
    struct visitor visitor = rig_visitor(&answer);

    ok(answer.status == 201 && visitor.cookie[0], "%s logs in", email);
    answer_free(&answer);
    return visitor;
}

static void signing_up(void)
{
    static const char body[] = "{\"name\":\"Ann Ltd\",\"email\":\"ann@example.com\",\"password\":\"" PASSWORD "\"}";
    struct response answer = rig_post(&rig, NULL, "/v1/signup", "signup-1", body), again;
    struct visitor ann = rig_visitor(&answer);
    const char *cookie = answer_header(&answer, "set-cookie");
    char command[400];

    ok(answer.status == 201 && strncmp(cookie, "__Host-xs=xs_sess_", 18) == 0, "signing up logs in");
    ok(strstr(cookie, "; Path=/") && strstr(cookie, "; Secure") && strstr(cookie, "; HttpOnly") &&
           strstr(cookie, "; SameSite=Strict") && strstr(cookie, "; Max-Age=2592000") && !strstr(cookie, "Domain"),
       "by a cookie that is for this host, TLS and no script (%s)", strchr(cookie, ';'));
    again = rig_post(&rig, NULL, "/v1/signup", "signup-1", body);
    ok(again.status == 201 && strcmp(answer_text_of(&again, "account_id"), answer_text_of(&answer, "account_id")) == 0,
       "the same again makes no other account");
    ok(!*answer_header(&again, "set-cookie") && json_is_null(json_object_get(again.json, "csrf_token")),
       "and a replay begins no session");
    answer_free(&again);
    answer_free(&answer);
    said(rig_post(&rig, NULL, "/v1/signup", "signup-2",
                  "{\"name\":\"x\",\"email\":\"Ann@Example.com\",\"password\":\"" PASSWORD "\"}"),
         409, "\"taken\"", "an email is one user's, however it is spelled");
    said(rig_get_as(&rig, &ann, "/v1/session"), 200, "\"email\":\"ann@example.com\"", "a session says who");
    said(rig_get_as(&rig, &ann, "/v1/account"), 200, "Ann Ltd", "and asks as the customer does");
    snprintf(command, sizeof(command), "grep -aq '%s' %s/db/api.db*", PASSWORD, rig.dir);
    ok(system(command) != 0, "the database has no password");
    snprintf(command, sizeof(command), "grep -aq '%s' %s/db/api.db*", ann.cookie + 18, rig.dir);
    ok(system(command) != 0, "and no cookie");
}

static void signing_up_wrongly(void)
{
    static const struct {
        const char *body;
        const char *words;
    } rows[] = {
        {"{\"name\":\"x\",\"email\":\"b@example.com\",\"password\":\"short\"}", "12 to 256"},
        {"{\"name\":\"x\",\"email\":\"b@example.com\",\"password\":\"password1234\"}", "commonest"},
        {"{\"name\":\"x\",\"email\":\"b.example.com\",\"password\":\"" PASSWORD "\"}", "invalid_email"},
        {"{\"name\":\"x\",\"email\":\"b@c@example.com\",\"password\":\"" PASSWORD "\"}", "invalid_email"},
        {"{\"name\":\"x\",\"email\":\"b @example.com\",\"password\":\"" PASSWORD "\"}", "invalid_email"},
        {"{\"name\":\"x\",\"email\":\"b@example.com\",\"password\":\"b@example.com\"}", "weak_password"},
        {"{\"name\":\"x\",\"email\":\"b@example.com\",\"password\":\"" PASSWORD "\",\"role\":\"admin\"}",
         "unknown_field"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        said(rig_post_as(&rig, NULL, "/v1/signup", rows[i].body), 422, rows[i].words, "a signup");
    rig_config_set(&rig, "signup", "\"closed\"");
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    said(rig_post_as(&rig, NULL, "/v1/signup",
                     "{\"name\":\"x\",\"email\":\"b@example.com\",\"password\":\"" PASSWORD "\"}"),
         403, "closed here", "where it is closed");
    rig_config_set(&rig, "signup", NULL);
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
}

/* accountd does not answer: the email is kept for the retry, and no account is half there. */
static void signing_up_in_parts(void)
{
    static const char body[] = "{\"name\":\"x\",\"email\":\"parts@example.com\",\"password\":\"" PASSWORD "\"}";

    rig_standin_stop(&rig);
    said(rig_post(&rig, NULL, "/v1/signup", "parts-1", body), 503, "unavailable", "without accountd");
    said(log_in("parts@example.com", PASSWORD, NULL), 401, "credentials", "nobody can log in yet");
    said(rig_post(&rig, NULL, "/v1/signup", "parts-2", body), 409, "taken", "nor sign up beside it");
    rig_standin_start(&rig);
    said(rig_post(&rig, NULL, "/v1/signup", "parts-1", body), 201, "parts@example.com", "the retry goes on");
    logged_in("parts@example.com", PASSWORD);
    rig_standin_stop(&rig);
    said(rig_post(&rig, NULL, "/v1/signup", "parts-3",
                  "{\"name\":\"x\",\"email\":\"left@example.com\",\"password\":\"" PASSWORD "\"}"),
         503, "unavailable", "another one");
    rig_standin_start(&rig);
    rig_database(&rig, "UPDATE users SET created_ms = created_ms - 61000 WHERE email = 'left@example.com'");
    said(rig_post(&rig, NULL, "/v1/signup", "parts-4",
                  "{\"name\":\"y\",\"email\":\"left@example.com\",\"password\":\"" PASSWORD "\"}"),
         201, "left@example.com", "that is left alone gives the email back");
    said(rig_post(&rig, NULL, "/v1/signup", "parts-3",
                  "{\"name\":\"x\",\"email\":\"left@example.com\",\"password\":\"" PASSWORD "\"}"),
         409, "taken", "and cannot go on then");
}

static void forgery(void)
{
    struct visitor ann = logged_in("ann@example.com", PASSWORD), bent = ann;
    char origin[128];
    struct call call = {.method = "POST",
                        .path = "/v1/purchase_orders",
                        .body = "{\"name\":\"p\",\"amount\":\"1.00\"}",
                        .idem = "forged-1",
                        .visitor = &bent};

    bent.csrf[0] = 0;
    said(rig_call(&rig, &call), 403, "\"csrf\"", "a change by the cookie alone");
    bent = ann;
    bent.csrf[3] ^= 1;
    said(rig_call(&rig, &call), 403, "\"csrf\"", "by a token that is almost right");
    said(rig_get_as(&rig, &bent, "/v1/account"), 200, "", "a read needs none");
    bent = ann;
    call.header = "Origin: https://evil.example";
    said(rig_call(&rig, &call), 403, "\"csrf\"", "from another site's page");
    call.header = "Origin: null";
    said(rig_call(&rig, &call), 403, "\"csrf\"", "from a page of nobody's");
    snprintf(origin, sizeof(origin), "Origin: http://127.0.0.1:%u", rig.port);
    call.header = origin;
    said(rig_call(&rig, &call), 403, "\"csrf\"", "from ours without TLS");
    snprintf(origin, sizeof(origin), "Origin: https://127.0.0.1:%u", rig.port);
    said(rig_call(&rig, &call), 402, "", "from ours it is looked at (and there is no money)");
    said(rig_call(&rig, &(struct call){.method = "POST",
                                       .path = "/v1/sessions",
                                       .header = "Origin: https://evil.example",
                                       .body = "{\"email\":\"ann@example.com\",\"password\":\"" PASSWORD "\"}"}),
         403, "\"csrf\"", "nobody is logged in from another site");
    said(rig_call(&rig, &(struct call){.method = "DELETE",
                                       .path = "/v1/sessions/current",
                                       .visitor = &bent,
                                       .header = "Origin: https://evil.example"}),
         403, "\"csrf\"", "nor out");
}

static void cookies(void)
{
    struct visitor ann = logged_in("ann@example.com", PASSWORD), made = {.cookie = ""}, fixed;
    struct response answer;
    char both[300];

    snprintf(made.cookie, sizeof(made.cookie), "__Host-xs=xs_sess_%040d", 7);
    said(rig_get_as(&rig, &made, "/v1/account"), 401, "log in again", "a token of one's own making");
    answer = rig_call(&rig, &(struct call){.method = "POST",
                                           .path = "/v1/sessions",
                                           .visitor = &made,
                                           .body = "{\"email\":\"ann@example.com\",\"password\":\"" PASSWORD "\"}"});
    fixed = rig_visitor(&answer);
    ok(answer.status == 201 && strcmp(fixed.cookie, made.cookie) != 0,
       "logging in takes no token that was there before");
    answer_free(&answer);
    said(rig_get_as(&rig, &made, "/v1/account"), 401, "log in again", "which stays nobody's");
    snprintf(made.cookie, sizeof(made.cookie), "xs%s", strchr(ann.cookie, '='));
    said(rig_get_as(&rig, &made, "/v1/account"), 401, "unauthenticated", "a cookie of another name");
    said(rig_get_as(&rig, &ann, "/v1/admin/customers"), 401, "unauthenticated",
         "a customer's says nothing to operators");
    snprintf(made.cookie, sizeof(made.cookie), "__Host-xs-operator%s", strchr(ann.cookie, '='));
    said(rig_get_as(&rig, &made, "/v1/admin/customers"), 401, "unauthenticated", "under the other name too");
    snprintf(both, sizeof(both), "Cookie: a=b; __Host-xs-operator=x; %s; c=d", ann.cookie);
    said(rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/account", .header = both}), 200, "Ann Ltd",
         "among others it is found");
    said(rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/account", .visitor = &ann, .key = "xs_live_bad"}),
         401, "Authorization", "a header, even a wrong one, stands before it");
}

static void endings(void)
{
    struct visitor first = logged_in("ann@example.com", PASSWORD), second = logged_in("ann@example.com", PASSWORD);
    struct visitor other = rig_signup(&rig, "eve@example.com", PASSWORD);
    struct response answer = rig_get_as(&rig, &second, "/v1/session");
    char path[128];

    snprintf(path, sizeof(path), "/v1/sessions/%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = rig_get_as(&rig, &first, "/v1/sessions");
    ok(answer.status == 200 && strstr(answer.text, path + 13) && strstr(answer.text, "\"current\":true"),
       "my sessions are listed");
    answer_free(&answer);
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .visitor = &other}), 404, "no such session",
         "another's cannot be ended");
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .visitor = &first}), 204, "",
         "one of mine can");
    said(rig_get_as(&rig, &second, "/v1/account"), 401, "log in again", "and is over");
    said(rig_get_as(&rig, &first, "/v1/account"), 200, "", "the others go on");
    answer = rig_call(&rig, &(struct call){.method = "DELETE", .path = "/v1/sessions/current", .visitor = &first});
    ok(answer.status == 204 && strstr(answer_header(&answer, "set-cookie"), "__Host-xs=; ") &&
           strstr(answer_header(&answer, "set-cookie"), "Max-Age=0"),
       "logging out takes the cookie back");
    answer_free(&answer);
    said(rig_get_as(&rig, &first, "/v1/account"), 401, "log in again", "and ends the session");
    rig_database(&rig, "UPDATE sessions SET idle_until_ms = 1000");
    said(rig_get_as(&rig, &other, "/v1/account"), 401, "log in again", "one that nobody used for long is over");
    other = logged_in("eve@example.com", PASSWORD);
    rig_database(&rig, "UPDATE sessions SET expires_ms = 1000");
    said(rig_get_as(&rig, &other, "/v1/account"), 401, "log in again", "and one that is old, used or not");
}

/* Use moves the end of idleness, and is written down once a minute. */
static void idleness(void)
{
    struct visitor ann = logged_in("ann@example.com", PASSWORD);

    rig_database(&rig, "UPDATE sessions SET seen_ms = seen_ms - 61000, idle_until_ms = seen_ms + 5000");
    said(rig_get_as(&rig, &ann, "/v1/account"), 200, "", "a session shortly before its end is used");
    rig_database(&rig, "UPDATE sessions SET idle_until_ms = idle_until_ms - 43000000");
    said(rig_get_as(&rig, &ann, "/v1/account"), 200, "", "and has its twelve hours again");
}

static void many_sessions(void)
{
    struct visitor first = logged_in("ann@example.com", PASSWORD);
    struct response answer;

    for (int i = 0; i < 20; i++) {
        answer = log_in("ann@example.com", PASSWORD, NULL);
        answer_free(&answer);
    }
    said(rig_get_as(&rig, &first, "/v1/account"), 401, "log in again", "the oldest of twenty-one sessions has ended");
}

/* What all threads of the api have worked: other than a clock's time, it does not depend on who else works. */
static double worked_ms(void)
{
    char path[64], line[128];
    double sum = 0;
    glob_t found;

    snprintf(path, sizeof(path), "/proc/%d/task/*/schedstat", (int)rig.api);
    if (glob(path, 0, NULL, &found) != 0)
        tap_bail("%s", path);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "re");

        if (file && fgets(line, sizeof(line), file))
            sum += strtod(line, NULL) / 1e6;
        if (file)
            fclose(file);
    }
    globfree(&found);
    return sum;
}

static double attempt_ms(const char *email)
{
    double before = worked_ms();
    struct response answer;

    answer = log_in(email, "not the password", NULL);
    answer_free(&answer);
    return worked_ms() - before;
}

/* What a stranger learns about an email: nothing, by words or by the least work of nine. */
static void nobody_told(void)
{
    struct response known = log_in("eve@example.com", "not the password", NULL);
    struct response unknown = log_in("nobody@example.com", "not the password", NULL);
    double of_known = 1e9, of_unknown = 1e9;

    ok_int(known.status, 401, "a wrong password");
    ok_text(answer_text_of(&known, "code"), "credentials", "does not fit");
    ok_text(answer_text_of(&unknown, "detail"), answer_text_of(&known, "detail"),
            "an unknown email gives the same words");
    ok_int(unknown.status, known.status, "and status");
    answer_free(&known);
    answer_free(&unknown);
    for (int i = 0; i < 9; i++) {
        double ms = attempt_ms("eve@example.com"), other = attempt_ms("nobody@example.com");

        rig_database(&rig, "DELETE FROM login_failures");
        of_known = ms < of_known ? ms : of_known;
        of_unknown = other < of_unknown ? other : of_unknown;
    }
    ok(of_unknown > 0.6 * of_known && of_known > 0.6 * of_unknown, "and costs as much (%.1f ms, %.1f ms)", of_unknown,
       of_known);
}

struct crowd {
    unsigned refused, busy, other;
};

static void *attempt(void *arg)
{
    struct crowd *crowd = arg;
    char email[64], id[ID_BYTES];
    struct response answer;

    snprintf(email, sizeof(email), "%s@example.com", id_make("tst_", id));
    answer = log_in(email, "not the password", NULL);
    crowd->refused = answer.status == 401;
    crowd->busy = answer.status == 503 && strcmp(answer_text_of(&answer, "code"), "overloaded") == 0;
    crowd->other = !crowd->refused && !crowd->busy;
    answer_free(&answer);
    return NULL;
}

/* Each hash takes 19 MiB: of a crowd some are told to wait, and others are served meanwhile. */
static void crowded(void)
{
    struct crowd crowd[24] = {0}, sum = {0};
    pthread_t threads[24];

    for (int i = 0; i < 24; i++)
        if (pthread_create(&threads[i], NULL, attempt, &crowd[i]) != 0)
            tap_bail("pthread_create");
    said(rig_get(&rig, NULL, "/healthz"), 200, "ok", "with a crowd at the door others are served");
    for (int i = 0; i < 24; i++) {
        pthread_join(threads[i], NULL);
        sum.refused += crowd[i].refused;
        sum.busy += crowd[i].busy;
        sum.other += crowd[i].other;
    }
    ok(sum.refused > 0 && sum.other == 0, "of 24 who try at once %u are answered, %u told to wait", sum.refused,
       sum.busy);
}

static void resting(void)
{
    static const char *const emails[] = {"eve@example.com", "nobody@example.com"};
    struct response answer;

    for (int who = 0; who < 2; who++) {
        for (int i = 0; i < 10; i++)
            said(log_in(emails[who], "not the password", NULL), 401, "credentials", "a failure");
        answer = log_in(who ? "Nobody@example.com" : "Eve@example.com", PASSWORD, NULL);
        ok(answer.status == 429 && atoi(answer_header(&answer, "retry-after")) > 50 &&
               atoi(answer_header(&answer, "retry-after")) <= 60,
           "after ten in a row %s rests for a minute (%s s)", emails[who], answer_header(&answer, "retry-after"));
        answer_free(&answer);
    }
    rig_database(&rig, "UPDATE login_failures SET locked_until_ms = locked_until_ms - 61000");
    said(log_in("eve@example.com", "not the password", NULL), 401, "credentials", "then one more failure");
    answer = log_in("eve@example.com", PASSWORD, NULL);
    ok(atoi(answer_header(&answer, "retry-after")) > 110, "doubles the rest");
    answer_free(&answer);
    rig_database(&rig, "UPDATE login_failures SET locked_until_ms = locked_until_ms - 121000");
    logged_in("eve@example.com", PASSWORD);
    said(log_in("eve@example.com", "not the password", NULL), 401, "credentials", "a login that worked");
    logged_in("eve@example.com", PASSWORD);
}

static void counted(void)
{
    rig_config_set(&rig, "limits.logins_per_minute", NULL);
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    for (int i = 0; i < 5; i++)
        said(log_in("ann@example.com", "not the password", NULL), 401, "credentials", "an attempt");
    said(log_in("ann@example.com", PASSWORD, NULL), 429, "rate_limited", "the sixth in a minute");
    rig_config_set(&rig, "limits.logins_per_minute", "10000");
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
}

int main(void)
{
    rig_start(&rig);
    signing_up();
    signing_up_wrongly();
    signing_up_in_parts();
    forgery();
    cookies();
    endings();
    idleness();
    many_sessions();
    nobody_told();
    crowded();
    resting();
    counted();
    rig_end(&rig);
    return tap_end();
}
