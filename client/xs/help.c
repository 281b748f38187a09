/* The table of commands, in three forms. */
#include "client/xs/help.h"

#include <ctype.h>
#include <string.h>

static const struct { const char *name, *text; } settings[] = {
    { "XS_URL", "the host, such as https://host.example:8443" },
    { "XS_KEY", "your key; xs keys new makes more" },
    { "XS_FINGERPRINT", "the SHA-256 of the host's certificate, where no authority vouches for it" },
    { "XS_PROJECT", "the id of the project that is asked within; left out, the whole account" },
};

static const struct { int status; const char *text; } statuses[] = {
    { 0, "done" },
    { 1, "refused or failed" },
    { 2, "wrong usage" },
    { 3, "no trusted connection" },
    { 4, "try again later" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void help_print(FILE *out, const struct command *commands, size_t count)
{
    fputs("usage: xs [--json] [--ca FILE] COMMAND ...\n\n", out);
    for (size_t i = 0; i < count; i++)
        if (commands[i].help)
            fprintf(out, "    %-20s %s\n", commands[i].words, commands[i].help);
    fputs("\nSettings: XS_URL, XS_KEY, XS_FINGERPRINT, XS_PROJECT, or ~/.config/xs/config with url, key, fingerprint, project.\n"
          "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no trusted connection, 4 try again later.\n"
          "xs help man prints the manual page, xs help completion what bash completes with.\n",
          out);
}

/* Text for roff: its own characters escaped, runs of blanks as one. */
static void put_roff(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)text[i])) {
            if (i + 1 < len && !isspace((unsigned char)text[i + 1]))
                fputc(' ', out);
        } else if (text[i] == '\\') {
            fputs("\\e", out);
        } else if (text[i] == '-') {
            fputs("\\-", out);
        } else if (text[i] == '\'') {
            fputs("\\(aq", out);
        } else if (text[i] == '"') {
            fputs("\\(dq", out);
        } else {
            fputc(text[i], out);
        }
    }
}

/* Where the arguments of a help text end: at ": ", or all of it if it begins like an argument, or nothing. */
static size_t arguments_len(const char *help)
{
    const char *colon = strstr(help, ": ");

    if (!strchr("[-", *help) && !(isupper((unsigned char)help[0]) && isupper((unsigned char)help[1])))
        return 0;
    return colon ? (size_t)(colon - help) : strlen(help);
}

static void put_command(FILE *out, const struct command *command)
{
    size_t len = arguments_len(command->help);
    const char *text = command->help + len + (len && command->help[len] ? 2 : 0);

    fputs(".TP\n.BI \"xs ", out);
    put_roff(out, command->words, strlen(command->words));
    fputs("\" \" ", out);
    put_roff(out, command->help, len);
    fputs("\"\n", out);
    put_roff(out, text, strlen(text));
    fputc('\n', out);
}

void help_man(FILE *out, const struct command *commands, size_t count)
{
    fputs(".TH XS 1 \"\" \"XenoServer\" \"User Commands\"\n.SH NAME\nxs \\- rent guests of a XenoServer, and see what they cost\n"
          ".SH SYNOPSIS\n.B xs\n.RB [ \\-\\-json ]\n.RB [ \\-\\-ca\n.IR FILE ]\n.I COMMAND\n\\&...\n"
          ".SH DESCRIPTION\nThe command line of a host's API: the same names, the same answers.\n.TP\n.B \\-\\-json\n"
          "Print the answer as the API gave it.\n.TP\n.BI \\-\\-ca \" FILE\"\nTrust the certificates of this file.\n"
          ".SH COMMANDS\nThose that begin with \"admin\" are for operators.\n", out);
    for (size_t i = 0; i < count; i++)
        if (commands[i].help)
            put_command(out, &commands[i]);
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < COUNT(settings); i++)
        fprintf(out, ".TP\n.B %s\n%s\n", settings[i].name, settings[i].text);
    fputs(".SH FILES\n.TP\n.I ~/.config/xs/config\nurl, key and fingerprint, a line each: \"url = https://...\".\n.SH EXIT STATUS\n", out);
    for (size_t i = 0; i < COUNT(statuses); i++)
        fprintf(out, ".TP\n.B %d\n%s\n", statuses[i].status, statuses[i].text);
    fputs(".SH SEE ALSO\n.BR xs\\-verify (1)\n", out);
}

/* The options that a help text names, each after a blank. */
static void put_options(FILE *out, const char *help)
{
    for (const char *at = strstr(help, "--"); at; at = strstr(at, "--")) {
        size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");

        if (len > 2)
            fprintf(out, " %.*s", (int)len, at);
        at += len;
    }
}

void help_completion(FILE *out, const struct command *commands, size_t count)
{
    fputs("# bash completion of xs: source it, or put it into /etc/bash_completion.d\n"
          "_xs_commands='", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s:", commands[i].words);
        put_options(out, commands[i].help ? commands[i].help : "");
        fputc('\n', out);
    }
    fputs("'\n"
          "_xs() {\n"
          "    local typed='' word=${COMP_WORDS[COMP_CWORD]} line words options found='' i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in -*) ;; *) typed+=\"${COMP_WORDS[i]} \" ;; esac\n"
          "    done\n"
          "    while IFS=: read -r words options; do\n"
          "        [ -n \"$words\" ] || continue\n"
          "        case \"$words \" in \"$typed\"*)\n"
          "            line=${words#\"$typed\"}\n"
          "            [ \"$line\" = \"$words\" ] && [ -n \"$typed\" ] || found+=\" ${line%% *}\" ;;\n"
          "        esac\n"
          "        case \"$typed\" in \"$words \"*) found+=\" $options --json\" ;; esac\n"
          "    done <<<\"$_xs_commands\"\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$found\" -- \"$word\" | sort -u)\n"
          "    [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null\n"
          "}\n"
          "complete -F _xs xs\n", out);
}
