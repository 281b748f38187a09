/* What people change about how they log in: password, second factor, recovery codes, one-time links. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EMAIL "ann@example.com"
#define FIRST "four words and more"
#define SECOND "another four words"

static struct rig rig;
static char recovery_code[2][32];

static struct response log_in(const char *password, const char *code)
{
    char body[700];

    snprintf(body, sizeof(body), "{\"email\":\"" EMAIL "\",\"password\":\"%s\"%s%s%s}", password,
             code ? ",\"code\":\"" : "", code ? code : "", code ? "\"" : "");
    return rig_post_as(&rig, NULL, "/v1/sessions", body);
}

static struct visitor logged_in(const char *password, const char *code)
{
    struct response answer = log_in(password, code);
    struct visitor visitor = rig_visitor(&answer);

    ok(answer.status == 201 && visitor.cookie[0], "logs in");
    answer_free(&answer);
    return visitor;
}

static void password_change(void)
{
    struct visitor ann = rig_signup(&rig, EMAIL, FIRST), other = logged_in(FIRST, NULL);

    said(rig_post_as(&rig, &ann, "/v1/user/password",
                     "{\"password\":\"not the password\",\"new_password\":\"" SECOND "\"}"),
         401, "credentials", "with a wrong password nothing changes");
    said(rig_post_as(&rig, &ann, "/v1/user/password", "{\"password\":\"" FIRST "\",\"new_password\":\"" EMAIL "\"}"),
         422, "weak_password", "a bad new one is refused");
    said(rig_post_as(&rig, &ann, "/v1/user/password", "{\"password\":\"" FIRST "\",\"new_password\":\"" SECOND "\"}"),
         204, "", "with the right one it does");
    said(rig_get_as(&rig, &ann, "/v1/session"), 200, "", "the session goes on");
    said(rig_get_as(&rig, &other, "/v1/session"), 401, "", "the others do not");
    said(log_in(FIRST, NULL), 401, "credentials", "the old one is over");
    logged_in(SECOND, NULL);
}

/* Returns the secret. */
static void enrolment(char secret[static 40])
{
    struct visitor ann = logged_in(SECOND, NULL);
    struct response answer;
    char body[64], grep[256];

    said(rig_post_as(&rig, &ann, "/v1/user/totp/confirm", "{\"code\":\"000000\"}"), 409, "ask for a secret",
         "nothing was begun");
    said(rig_post_as(&rig, &ann, "/v1/user/totp", "{\"password\":\"not the password\"}"), 401, "credentials",
         "beginning takes the password");
    answer = rig_post_as(&rig, &ann, "/v1/user/totp", "{\"password\":\"" SECOND "\"}");
    snprintf(secret, 40, "%s", answer_text_of(&answer, "secret"));
    ok(answer.status == 200 && strlen(secret) == 32 && strstr(answer_text_of(&answer, "uri"), secret),
       "a secret is shown");
    answer_free(&answer);
    logged_in(SECOND, NULL);
    said(rig_post_as(&rig, &ann, "/v1/user/totp/confirm", "{\"code\":\"00000\"}"), 422, "wrong_code",
         "a wrong code does not confirm it");
    snprintf(body, sizeof(body), "{\"code\":\"%s\"}", rig_totp(secret, -1));
    answer = rig_post_as(&rig, &ann, "/v1/user/totp/confirm", body);
    ok(answer.status == 200 && json_array_size(json_object_get(answer.json, "recovery_codes")) == 10,
       "a right one does");
    for (size_t i = 0; i < 2; i++)
        snprintf(recovery_code[i], sizeof(recovery_code[i]), "%s",
                 json_string_value(json_array_get(json_object_get(answer.json, "recovery_codes"), i)));
    answer_free(&answer);
    snprintf(grep, sizeof(grep), "grep -aq '%.4s-*%.4s-*%.4s' %s/db/api.db*", recovery_code[0], recovery_code[0] + 5,
             recovery_code[0] + 10, rig.dir);
    ok(system(grep) != 0, "the database has no recovery code");
    said(rig_post_as(&rig, &ann, "/v1/user/totp", "{\"password\":\"" SECOND "\"}"), 409, "on already",
         "once is enough");
    said(rig_get_as(&rig, &ann, "/v1/session"), 200, "\"totp\":true", "the session knows");
}

static void second_factor(const char *secret)
{
    struct visitor ann;
    char used[16], body[160];

    said(log_in(SECOND, NULL), 401, "code_required", "the password alone");
    said(log_in("not the password", NULL), 401, "\"credentials\"", "a wrong one does not learn that");
    said(log_in("not the password", rig_totp(secret, 0)), 401, "\"credentials\"", "nor with a code");
    said(log_in(SECOND, rig_totp(secret, -1)), 401, "used before", "the code that confirmed is spent");
    snprintf(used, sizeof(used), "%s", rig_totp(secret, 0));
    logged_in(SECOND, used);
    said(log_in(SECOND, used), 401, "used before", "and so is one that logged in");
    said(log_in(SECOND, rig_totp(secret, -1)), 401, "used before", "and each before it");
    logged_in(SECOND, rig_totp(secret, 1));
    said(log_in(SECOND, recovery_code[0] + 1), 401, "credentials", "a part of a recovery code");
    ann = logged_in(SECOND, recovery_code[0]);
    said(log_in(SECOND, recovery_code[0]), 401, "used before", "works once");
    snprintf(body, sizeof(body), "{\"password\":\"" SECOND "\",\"code\":\"%s\"}", recovery_code[0]);
    said(rig_post_as(&rig, &ann, "/v1/user/totp/remove", body), 401, "used before", "it takes a code to take it off");
    snprintf(body, sizeof(body), "{\"password\":\"" SECOND "\",\"code\":\"%s\"}", recovery_code[1]);
    said(rig_post_as(&rig, &ann, "/v1/user/totp/remove", body), 204, "", "a fresh one does");
    logged_in(SECOND, NULL);
    said(rig_post_as(&rig, &ann, "/v1/user/totp/remove", body), 409, "not on", "then there is nothing to take off");
}

static struct response link_for(const char *account, const char *body)
{
    char path[128];

    snprintf(path, sizeof(path), "/v1/admin/customers/%s/password_reset", account);
    return rig_post(&rig, rig.operator_key, path, NULL, body);
}

static struct response link_use(const char *token, const char *password)
{
    char body[400];

    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"%s\"}", token, password);
    return rig_post_as(&rig, NULL, "/v1/password_resets", body);
}

static void links(void)
{
    struct visitor ann = logged_in(SECOND, NULL);
    char account[40], first[64], token[64], path[80];
    struct response answer = rig_get_as(&rig, &ann, "/v1/account");

    snprintf(account, sizeof(account), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = link_for(account, "{}");
    snprintf(first, sizeof(first), "%s", answer_text_of(&answer, "token"));
    ok(answer.status == 201 && strcmp(answer_text_of(&answer, "email"), EMAIL) == 0, "an operator makes a link");
    answer_free(&answer);
    answer = link_for(account, "{}");
    snprintf(token, sizeof(token), "%s", answer_text_of(&answer, "token"));
    snprintf(path, sizeof(path), "/portal/reset#%s", token);
    ok_text(answer_text_of(&answer, "path"), path, "it is a path of the portal");
    answer_free(&answer);
    said(link_use(first, FIRST), 404, "time is over", "a newer one ends it");
    said(link_use("xs_link_none", FIRST), 404, "time is over", "what is no link");
    said(link_use(token, "short"), 422, "12 to 256", "a bad password leaves the link");
    said(rig_get_as(&rig, &ann, "/v1/session"), 200, "", "and the sessions");
    said(link_use(token, FIRST), 204, "", "a good one uses it");
    said(rig_get_as(&rig, &ann, "/v1/session"), 401, "", "all sessions are over");
    said(link_use(token, SECOND), 404, "time is over", "it works once");
    logged_in(FIRST, NULL);
    answer = link_for(account, "{}");
    rig_database(&rig, "UPDATE one_time_links SET expires_ms = 1000");
    said(link_use(answer_text_of(&answer, "token"), SECOND), 404, "time is over", "and not for ever");
    answer_free(&answer);
    said(link_for("acc_00000000000000000000000000", "{}"), 404, "no such customer", "for nobody");
}

/* Customers that an operator made have no user before. */
static void first_user(void)
{
    char key[64], account[40];
    struct response answer;

    rig_customer(&rig, "made by hand", key, account);
    said(link_for(account, "{}"), 409, "say which email", "a customer without a user");
    said(link_for(account, "{\"email\":\"" EMAIL "\"}"), 409, "another customer", "with another's email");
    answer = link_for(account, "{\"email\":\"hand@example.com\"}");
    ok_int(answer.status, 201, "with one of their own");
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"hand@example.com\",\"password\":\"\"}"), 422, "",
         "no password is none");
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"hand@example.com\",\"password\":\"" FIRST "\"}"), 401,
         "credentials", "nor is any before the link");
    said(link_use(answer_text_of(&answer, "token"), SECOND), 204, "", "which sets it");
    answer_free(&answer);
    said(rig_post_as(&rig, NULL, "/v1/sessions", "{\"email\":\"hand@example.com\",\"password\":\"" SECOND "\"}"), 201,
         account, "then it works");
}

/* Somebody has lost the second factor, and rests after many tries besides. */
static void lost_device(void)
{
    struct visitor ann = logged_in(FIRST, NULL);
    struct response answer = rig_post_as(&rig, &ann, "/v1/user/totp", "{\"password\":\"" FIRST "\"}"), link;
    char body[64], account[40];

    snprintf(body, sizeof(body), "{\"code\":\"%s\"}", rig_totp(answer_text_of(&answer, "secret"), 0));
    answer_free(&answer);
    said(rig_post_as(&rig, &ann, "/v1/user/totp/confirm", body), 200, "recovery_codes", "a second factor again");
    for (int i = 0; i < 10; i++) {
        answer = log_in(FIRST, "000000");
        answer_free(&answer);
    }
    said(log_in(FIRST, "000000"), 429, "rests", "codes are not guessed at for long");
    answer = rig_get_as(&rig, &ann, "/v1/account");
    snprintf(account, sizeof(account), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    link = link_for(account, "{\"remove_totp\":true}");
    said(link_use(answer_text_of(&link, "token"), SECOND), 204, "", "the operator's link ends that");
    answer_free(&link);
    logged_in(SECOND, NULL);
}

/* The only mail in the folder; its size, 0 if there is none. */
static size_t mail_read(const char *folder, char *out, size_t size)
{
    char path[512];
    struct dirent *entry;
    size_t used = 0;
    DIR *dir = opendir(folder);

    while (dir && (entry = readdir(dir)) != NULL) {
        struct stat st;
        FILE *file;

        if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3)
            continue;
        ok(strstr(entry->d_name, ".eml") != NULL, "%s is a whole mail", entry->d_name);
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        file = fopen(path, "re");
        ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640, "that may be read");
        used += file ? fread(out + used, 1, size - used - 1, file) : 0;
        if (file)
            fclose(file);
    }
    if (dir)
        closedir(dir);
    out[used] = 0;
    return used;
}

static void mails(void)
{
    char folder[192], value[200], mail[8192], token[64];
    const char *at;

    said(rig_post_as(&rig, NULL, "/v1/password_resets/mail", "{\"email\":\"" EMAIL "\"}"), 202, "\"mails\":false",
         "where no mails are sent");
    snprintf(folder, sizeof(folder), "%s/mails", rig.dir);
    snprintf(value, sizeof(value), "\"%s\"", folder);
    mkdir(folder, 0700);
    rig_config_set(&rig, "mail_folder", value);
    rig_config_set(&rig, "public_url", "\"https://host.example:8443\"");
    rig_api_stop(&rig, SIGTERM);
    rig_api_start(&rig);
    said(rig_post_as(&rig, NULL, "/v1/password_resets/mail", "{\"email\":\"nobody@example.com\"}"), 202,
         "\"mails\":true", "for nobody");
    ok(mail_read(folder, mail, sizeof(mail)) == 0, "there is no mail");
    said(rig_post_as(&rig, NULL, "/v1/password_resets/mail", "{\"email\":\"Ann@Example.com\"}"), 202, "\"mails\":true",
         "for somebody the same answer");
    ok(mail_read(folder, mail, sizeof(mail)) > 0, "and a mail");
    ok_has(mail, "To: <" EMAIL ">\r\n", "to the address that is kept");
    ok_has(mail, "From: XenoServer <noreply@host.example>\r\n", "from our host");
    ok_has(mail, "Auto-Submitted: auto-generated\r\n", "that no machine answers");
    at = strstr(mail, "https://host.example:8443/portal/reset#");
    snprintf(token, sizeof(token), "%.48s", at ? at + strlen("https://host.example:8443/portal/reset#") : "");
    said(rig_post_as(&rig, NULL, "/v1/password_resets/mail", "{\"email\":\"" EMAIL "\"}"), 202, "", "a moment later");
    ok(strlen(mail) == mail_read(folder, mail, sizeof(mail)), "there is no second one");
    said(link_use(token, FIRST), 204, "", "its link sets a password");
    logged_in(FIRST, NULL);
}

static void verification(void)
{
    struct visitor bob = rig_signup(&rig, "bob@example.com", FIRST);
    char folder[192], mail[16384], body[128];
    const char *link = "https://host.example:8443/portal/verify#", *at;

    snprintf(folder, sizeof(folder), "%s/mails", rig.dir);
    mail_read(folder, mail, sizeof(mail));
    at = strstr(mail, link);
    ok(at != NULL && strstr(mail, "To: <bob@example.com>\r\n"), "who signs up is sent a link");
    said(rig_get_as(&rig, &bob, "/v1/session"), 200, "\"email_verified\":false", "before it is used");
    snprintf(body, sizeof(body), "{\"token\":\"%.48s\",\"password\":\"" SECOND "\"}", at ? at + strlen(link) : "");
    said(rig_post_as(&rig, NULL, "/v1/password_resets", body), 404, "not_found", "it sets no password");
    snprintf(body, sizeof(body), "{\"token\":\"%.48s\"}", at ? at + strlen(link) : "");
    said(rig_post_as(&rig, NULL, "/v1/user/email/verify", body), 204, "", "it says that the mailbox is theirs");
    said(rig_get_as(&rig, &bob, "/v1/session"), 200, "\"email_verified\":true", "which is shown");
    said(rig_post_as(&rig, NULL, "/v1/user/email/verify", body), 404, "not_found", "once");
    said(rig_get_as(&rig, &bob, "/v1/audit_events"), 200, "POST /v1/user/email/verify", "and their audit log tells of it");
}

int main(void)
{
    char secret[40];

    rig_start(&rig);
    password_change();
    enrolment(secret);
    second_factor(secret);
    links();
    first_user();
    lost_device();
    mails();
    verification();
    rig_end(&rig);
    return tap_end();
}
