/* xs-keys: the operator's part of the keys. The root key stays on a machine
 * without a network: `root` and `sign` run there and need no daemon; what they
 * write are minisign's formats, so `minisign -V` checks it anywhere. `rotate`
 * and `install` run in dom0, as root, and ask accountd. */
#include "accountd/control.h"
#include "accountd/keys.h"
#include "accountd/log/file.h"
#include "common/log.h"
#include "common/rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX   65536
#define ANSWER_MS  30000
#define OVERLAP    "1000"

static const char usage_text[] =
    "usage: xs-keys root KEYFILE                  make the root key; prints its public key (keep it as root.pub)\n"
    "       xs-keys sign KEYFILE KEYS.TXT         sign keys.txt: writes KEYS.TXT.minisig beside it\n"
    "       xs-keys check ROOT.PUB KEYS.TXT       whether KEYS.TXT.minisig is the root key's; prints what it says\n"
    "       xs-keys install ROOT.PUB KEYS.TXT     give the signature to accountd, which publishes it\n"
    "       xs-keys rotate log|invoice [LEAVES]   accountd takes a new key; for so many leaves more (1000) the old\n"
    "                                             log key signs beside it. Then: sign the new keys.txt\n"
    "accountd is asked at $XS_ACCOUNTD, or at " ACCOUNTD_SOCKET ".\n";

static char *read_text(const char *path)
{
    size_t len;
    char *text = file_get(path, TEXT_MAX, &len);

    if (!text)
        fatal("%s: cannot read", path);
    return text;
}

static char *signature_path(const char *keys_path, char path[600])
{
    snprintf(path, 600, "%s.minisig", keys_path);
    return path;
}

static int make_root(char **args)
{
    struct note_key key;
    char *text;

    if (access(args[0], F_OK) == 0)
        fatalx("%s: is there already: a root key is made once", args[0]);
    if (keys_file_make(args[0], &key))
        return 1;
    text = note_minisign_key(&key);
    fputs(text ? text : "", stdout);
    free(text);
    return 0;
}

static char *check_text(const char *path)
{
    char *text = read_text(path), origin[128];
    struct keys keys;

    if (!keys_parse(text, &keys, origin, sizeof(origin)))
        fatalx("%s: not a keys.txt", path);
    return text;
}

static int sign(char **args)
{
    char *text = check_text(args[1]), path[600], *signature;
    struct note_key key;
    int rc;

    if (keys_file_read(args[0], &key))
        return 1;
    signature = note_minisig(text, strlen(text), "keys.txt, signed by the root key", &key);
    rc = signature ? file_put(signature_path(args[1], path), signature, strlen(signature), 0644) : -1;
    if (rc == 0)
        printf("%s: signed: %s\n", args[1], path);
    free(text);
    free(signature);
    return rc ? 1 : 0;
}

/* Exits 1 unless the signature fits; its texts. */
static void read_signed(char **args, char **root_key, char **text, char **signature)
{
    char path[600];
    struct note_key root;

    *root_key = read_text(args[0]);
    if (!note_minisign_key_parse(*root_key, &root))
        fatalx("%s: not a public key as xs-keys root prints it", args[0]);
    *text = check_text(args[1]);
    *signature = read_text(signature_path(args[1], path));
    if (!note_minisig_verify(*signature, *text, strlen(*text), &root))
        fatalx("%s: not the root key's signature of %s", path, args[1]);
}

static int check(char **args)
{
    char *root_key, *text, *signature;

    read_signed(args, &root_key, &text, &signature);
    fputs(text, stdout);
    free(root_key);
    free(text);
    free(signature);
    return 0;
}

/* The ok object; exits 1 saying what accountd says. */
static json_t *ask(const char *verb, json_t *args)
{
    const char *path = getenv("XS_ACCOUNTD");
    struct rpc_client *client = rpc_client_new(path ? path : ACCOUNTD_SOCKET);
    json_t *error = NULL, *ok = client ? rpc_call_sync(client, verb, args, ANSWER_MS, &error) : NULL;

    if (!ok)
        fatalx("accountd: %s: %s", json_text(error, "code"), json_text(error, "detail"));
    rpc_client_free(client);
    return ok;
}

static int install(char **args)
{
    char *root_key, *text, *signature;

    read_signed(args, &root_key, &text, &signature);
    json_decref(ask("keys_sign", json_pack("{s:s, s:s}", "root_key", root_key, "signature", signature)));
    printf("%s.minisig: published\n", args[1]);
    free(root_key);
    free(text);
    free(signature);
    return 0;
}

/* The id of the newest key of this purpose, out of keys.txt. */
static void current_id(const char *text, enum keys_purpose purpose, char id[17])
{
    const char *at = text, *last = NULL;

    if (purpose == KEYS_INVOICE) {
        while ((at = strstr(at, "minisign public key ")) != NULL)
            last = at += strlen("minisign public key ");
        snprintf(id, 17, "%.16s", last ? last : "");
        return;
    }
    for (int i = 0; at && i < 2; i++)
        at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
    at = at ? strchr(at, '+') : NULL;
    snprintf(id, 17, "%.8s", at ? at + 1 : "");
}

static int rotate(char **args)
{
    enum keys_purpose purpose;
    json_t *ok;
    int64_t overlap;
    char id[17];

    if (!keys_purpose_parse(args[0], &purpose))
        fatalx("%s: must be \"log\" or \"invoice\"", args[0]);
    if (!json_decimal_parse(args[1] ? args[1] : OVERLAP, &overlap))
        fatalx("%s: must be a number of leaves", args[1]);
    ok = ask("keys", json_object());
    current_id(json_text(ok, "text"), purpose, id);
    json_decref(ok);
    ok = ask("key_rotate",
             json_pack("{s:s, s:s, s:I}", "purpose", args[0], "current", id, "overlap", (json_int_t)overlap));
    fputs(json_text(ok, "keys"), stdout);
    json_decref(ok);
    return 0;
}

static const struct {
    const char *name;
    int least, most;                    /* arguments */
    int (*run)(char **args);
} commands[] = {
    { "root", 1, 1, make_root }, { "sign", 2, 2, sign },     { "check", 2, 2, check },
    { "install", 2, 2, install }, { "rotate", 1, 2, rotate },
};

int main(int argc, char **argv)
{
    log_init("xs-keys");
    if (sodium_init() < 0)
        fatalx("libsodium does not start");
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage_text, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, argv[1]) == 0 && argc - 2 >= commands[i].least && argc - 2 <= commands[i].most)
            return commands[i].run(argv + 2);
    fputs(usage_text, stderr);
    return 2;
}
