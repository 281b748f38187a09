/* What xs says of itself, all from one table: help, a man page, completion for bash. */
#ifndef CLIENT_XS_HELP_H
#define CLIENT_XS_HELP_H

#include "client/xs/commands.h"

#include <stddef.h>
#include <stdio.h>

struct command {
    const char *words;                  /* as typed, separated by spaces */
    command_run *run;
    const char *help;                   /* "ARGUMENTS: what it does", or either; NULL: another name of one that has it */
};

/* For people at a terminal. */
void help_print(FILE *out, const struct command *commands, size_t count);
/* xs.1, in the man macros (groff_man(7)). */
void help_man(FILE *out, const struct command *commands, size_t count);
/* A script for bash to source: commands, then the options that their help names. */
void help_completion(FILE *out, const struct command *commands, size_t count);

#endif
