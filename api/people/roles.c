#include "api/people/roles.h"
#include "api/auth.h"

#include <string.h>

#define WORK                                                                                                           \
    (SCOPE_ACCOUNT_READ | SCOPE_INSTANCES_READ | SCOPE_VOLUMES_READ | SCOPE_NETWORKS_READ | SCOPE_SSH_KEYS_READ |      \
     SCOPE_PROJECTS_READ)

const char *const member_role_names[] = { "owner", "admin", "developer", "billing", "viewer", NULL };

enum member_role member_role_parse(const char *name)
{
    for (int i = 0; member_role_names[i]; i++)
        if (strcmp(member_role_names[i], name) == 0)
            return (enum member_role)(i + 1);
    return 0;
}

unsigned member_role_scopes(enum member_role role)
{
    switch (role) {
    case MEMBER_OWNER:
        return SCOPE_ALL;
    case MEMBER_ADMIN:
        return SCOPE_ALL & ~SCOPE_BILLING_WRITE;
    case MEMBER_DEVELOPER:
        return WORK | SCOPE_INSTANCES_WRITE | SCOPE_VOLUMES_WRITE | SCOPE_NETWORKS_WRITE | SCOPE_SSH_KEYS_WRITE;
    case MEMBER_BILLING:
        return SCOPE_ACCOUNT_READ | SCOPE_BILLING_READ | SCOPE_BILLING_WRITE;
    case MEMBER_VIEWER:
        return WORK;
    }
    return 0;
}
