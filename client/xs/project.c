/* Projects, and who may do what in them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column project_columns[] = {
    {"ID", "id"}, {"NAME", "name"}, {"DEFAULT", "default"}, {"CREATED", "created_at"},
};
static const struct column member_columns[] = {
    {"ID", "id"}, {"EMAIL", "email"}, {"NAME", "name"}, {"ROLE", "role"}, {"PROJECT", "project_id"}, {"2FA", "totp"},
};
static const struct column invitation_columns[] = {
    {"ID", "id"}, {"EMAIL", "email"}, {"ROLE", "role"}, {"PROJECT", "project_id"}, {"UNTIL", "expires_at"},
};

static char *project_resolve(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "prj_", "/v1/projects", "project", "xs project list", name_or_id);
}

static json_t *name_body(const char *name)
{
    json_t *body = json_pack("{s:s}", "name", name);

    if (!body)
        fail(EXIT_USAGE, "the name is not UTF-8 text");
    return body;
}

int project_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/projects", project_columns, COUNT(project_columns), "There are no projects.",
                     "project list");
}

int project_create_command(struct host *host, char **argv)
{
    const char *name;

    args_take(argv, NULL, &name, 1, 1, "project create NAME");
    return card_show(host, ask_post(host, "/v1/projects", name_body(name)), project_columns, COUNT(project_columns));
}

int project_rename_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256], *id;

    args_take(argv, NULL, alone, 2, 2, "project rename NAME|ID NEW-NAME");
    id = project_resolve(host, alone[0]);
    snprintf(path, sizeof(path), "/v1/projects/%s", id);
    free(id);
    return card_show(host, ask_patch(host, path, name_body(alone[1])), project_columns, COUNT(project_columns));
}

int project_delete_command(struct host *host, char **argv)
{
    const char *which;

    args_take(argv, NULL, &which, 1, 1, "project delete NAME|ID");
    return thing_delete(host, "/v1/projects", project_resolve(host, which), which, "is deleted");
}

int member_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/members", member_columns, COUNT(member_columns), "There are no members.",
                     "member list");
}

/* About owners a password is asked for, which is for browsers: the host says so. */
int member_role_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256];

    args_take(argv, NULL, alone, 2, 2, "member role ID admin|developer|billing|viewer");
    snprintf(path, sizeof(path), "/v1/members/%s", id_check(alone[0], "a member"));
    return card_show(host, ask_patch(host, path, json_pack("{s:s}", "role", alone[1])), member_columns,
                     COUNT(member_columns));
}

int member_remove_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/members", "a member", "is no member any more", "member remove ID");
}

/* The link is whole only with the host before it. */
static int invitation_show(struct host *host, json_t *invitation)
{
    const char *path = json_text(invitation, "path");

    if (!json_print(host, invitation)) {
        if (*path)
            printf("%s%s\n", host_settings(host)->url, path);
        fprintf(stderr, *path ? "send this to %s: it works once, until %s\n" : "a mail is on its way to %s, until %s\n",
                json_text(invitation, "email"), json_text(invitation, "expires_at"));
    }
    json_decref(invitation);
    return EXIT_DONE;
}

int member_invite_command(struct host *host, char **argv)
{
    const char *email, *role = "developer", *project = NULL;
    const struct flag flags[] = {{"--role", &role, NULL}, {"--in", &project, NULL}, {NULL, NULL, NULL}};
    json_t *body;
    char *id;

    args_take(argv, flags, &email, 1, 1, "member invite EMAIL [--role R] [--in PROJECT]");
    body = json_pack("{s:s, s:s}", "email", email, "role", role);
    if (!body)
        fail(EXIT_USAGE, "the address is not UTF-8 text");
    if (project) {
        id = project_resolve(host, project);
        json_object_set_new(body, "project_id", json_string(id));
        free(id);
    }
    return invitation_show(host, ask_post(host, "/v1/invitations", body));
}

int invitation_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/invitations", invitation_columns, COUNT(invitation_columns),
                     "Nobody is invited.", "invitation list");
}

int invitation_delete_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/invitations", "an invitation", "is taken back", "invitation delete ID");
}
