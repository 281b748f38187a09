/* The real accountd, xs-cosign and two xs-witness as processes: cosignatures
 * come, a witness that is killed or down is asked again, a log that was rolled
 * back is seen. */
#include "accountd/note.h"
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct world w;

struct program {
    pid_t pid;
    FILE *says;                         /* stdout and stderr */
    char line[600];
};

static char *path_of(const char *name)
{
    static char path[4][160];
    static unsigned next;
    char *at = path[next++ % 4];

    snprintf(at, sizeof(path[0]), "%s/%s", w.dir, name);
    return at;
}

static void start(struct program *p, const char *const argv[])
{
    int out[2];

    fflush(stdout);
    if (pipe(out) != 0 || (p->pid = fork()) < 0)
        exit(99);
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(out[0]);
        execv(argv[0], (char *const *)argv);
        _exit(99);
    }
    close(out[1]);
    p->says = fdopen(out[0], "r");
    setvbuf(p->says, NULL, _IONBF, 0);          /* poll must see what was not read */
}

/* Reads on until a line has this text; false at its end or the deadline. */
static bool says(struct program *p, const char *text)
{
    struct pollfd on = { .fd = fileno(p->says), .events = POLLIN };

    do {
        if (poll(&on, 1, WORLD_DEADLINE_S * 1000) <= 0 || !fgets(p->line, sizeof(p->line), p->says))
            return false;
    } while (!strstr(p->line, text));
    return true;
}

static void stop(struct program *p, int signal)
{
    kill(p->pid, signal);
    waitpid(p->pid, NULL, 0);
    fclose(p->says);
}

struct witness {
    struct program program;
    char dir[160], name[32], vkey[256], url[64], listen[64];
};

static void witness_make(struct witness *witness, const char *name)
{
    snprintf(witness->name, sizeof(witness->name), "%s", name);
    snprintf(witness->dir, sizeof(witness->dir), "%s", path_of(name));
    snprintf(witness->listen, sizeof(witness->listen), "127.0.0.1:0");
    start(&witness->program, (const char *[]){ "client/xs-witness", "--dir", witness->dir, "--name", name, NULL });
    if (!says(&witness->program, "+"))
        exit(99);
    snprintf(witness->vkey, sizeof(witness->vkey), "%.*s", (int)strcspn(witness->program.line, "\n"),
             witness->program.line);
    stop(&witness->program, SIGKILL);
}

/* The first time at any port, then at the same again. */
static void witness_start(struct witness *witness, const char *log_vkey)
{
    start(&witness->program, (const char *[]){"client/xs-witness", "--dir", witness->dir, "--name", witness->name,
                                              "--listen", witness->listen, "--log", log_vkey, NULL});
    if (!says(&witness->program, "http://"))
        exit(99);
    snprintf(witness->url, sizeof(witness->url), "%.*s", (int)strcspn(strstr(witness->program.line, "http://"), "\n"),
             strstr(witness->program.line, "http://"));
    snprintf(witness->listen, sizeof(witness->listen), "%s", witness->url + strlen("http://"));
}

static char *checkpoint(void)
{
    json_t *ok = world_ask(&w, "checkpoint", "{}");
    char *text = ok ? strdup(json_string_value(json_object_get(ok, "text"))) : strdup("");

    json_decref(ok);
    return text;
}

static bool cosigned_by(const char *text, const struct witness *witness)
{
    char line[64];

    snprintf(line, sizeof(line), "\n\xe2\x80\x94 %s ", witness->name);
    return strstr(text, line) != NULL;
}

/* Waits until the newest head has both (or `other` is NULL: this one's) cosignatures. */
static bool becomes_cosigned(const struct witness *one, const struct witness *other)
{
    time_t deadline = time(NULL) + WORLD_DEADLINE_S;
    bool has = false;

    while (!has && time(NULL) < deadline) {
        char *text = checkpoint();

        has = cosigned_by(text, one) && (!other || cosigned_by(text, other));
        free(text);
        if (!has)
            poll(NULL, 0, 50);
    }
    return has;
}

/* A leaf, and so a head: the invoice key is another one. */
static bool new_head(void)
{
    json_t *ok = world_ask(&w, "keys", "{}");
    const char *text = json_string_value(json_object_get(ok, "text")), *id = text ? strstr(text, "public key ") : NULL;
    char current[17];
    bool good;

    snprintf(current, sizeof(current), "%.16s", id ? id + strlen("public key ") : "");
    json_decref(ok);
    ok = world_ask(&w, "key_rotate", "{s:s, s:s, s:i}", "purpose", "invoice", "current", current, "overlap", 0);
    good = ok != NULL;
    json_decref(ok);
    return good;
}

static void write_witnesses(const struct witness *a, const struct witness *b)
{
    json_t *file = json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "witnesses", "vkey", a->vkey, "url", a->url, "vkey",
                             b->vkey, "url", b->url);

    if (json_dump_file(file, path_of("witnesses.json"), 0) != 0)
        exit(99);
    json_decref(file);
}

static void log_key(char vkey[256])
{
    json_t *ok = world_ask(&w, "keys", "{}");
    const char *text = json_string_value(json_object_get(ok, "text")), *line = text;

    for (int i = 0; line && i < 2; i++)
        line = strchr(line, '\n') + 1;
    snprintf(vkey, 256, "%.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
    json_decref(ok);
}

static void cosign_start(struct program *cosign)
{
    start(cosign, (const char *[]){ "accountd/xs-cosign", "--witnesses", path_of("witnesses.json"), "--public",
                                    path_of("state/public"), "--accountd", path_of("run/accountd.sock"), "--state-dir",
                                    path_of("cosign"), "--user", "root", NULL });
}

static bool shell(const char *fmt, ...)
{
    char command[600];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return system(command) == 0;
}

static void test_two_witnesses(struct witness *one, struct witness *two, const char *vkey)
{
    char *text;

    check(becomes_cosigned(one, two), "both witnesses cosign the head");
    check(shell("grep -q 'w.example-1' %s/state/public/checkpoint", w.dir), "the published checkpoint says so");
    check(new_head() && becomes_cosigned(one, two), "and the next one");
    stop(&one->program, SIGKILL);
    check(new_head() && becomes_cosigned(two, NULL), "one that is down does not keep the other");
    text = checkpoint();
    check(!cosigned_by(text, one), "its own is missing");
    free(text);
    witness_start(one, vkey);
    check(becomes_cosigned(one, two), "started again after kill -9, it cosigns what it missed");
    check(new_head() && becomes_cosigned(one, two), "and goes on");
}

static void test_refused(void)
{
    json_t *ok = world_ask(&w, "cosignature_add", "{s:i, s:s}", "size", 2, "line",
                           "\xe2\x80\x94 w.example-1 AAAAAAAAAAAAAAAA\n");

    check(!ok && (strcmp(world_code(&w), "forbidden") == 0 || strcmp(world_code(&w), "not_found") == 0),
          "accountd takes no line that no witness of ours made");
    json_decref(ok);
}

/* As an operator does it: rotate in dom0, sign elsewhere, install in dom0. */
static void test_root_key(const struct witness *one, const struct witness *two)
{
    char tool[300];
    json_t *ok;

    snprintf(tool, sizeof(tool), "XS_ACCOUNTD=%s/run/accountd.sock accountd/xs-keys", w.dir);
    check(shell("%s rotate log 2 >%s/keys.txt && grep -q '^log 0 ' %s/keys.txt", tool, w.dir, w.dir) &&
              becomes_cosigned(one, two),
          "xs-keys rotates the log key, and the witnesses go on with the old one's signature");
    check(shell("cd %s && $OLDPWD/accountd/xs-keys root root.key >root.pub && $OLDPWD/accountd/xs-keys sign root.key "
                "keys.txt"
                " >/dev/null",
                w.dir) &&
              shell("%s install %s/root.pub %s/keys.txt >/dev/null", tool, w.dir, w.dir),
          "the root key signs the new keys.txt, accountd takes it");
    ok = world_ask(&w, "keys", "{}");
    check(json_is_string(json_object_get(ok, "signature")), "and shows it");
    json_decref(ok);
    check(new_head() && becomes_cosigned(one, two), "a head later");
    ok = world_ask(&w, "keys", "{}");
    check(ok && !json_object_get(ok, "signature"), "keys.txt is another, and no longer signed");
    json_decref(ok);
}

static void test_rolled_back(struct program *cosign)
{
    int status;

    stop(cosign, SIGTERM);
    world_kill(&w, SIGKILL);
    check(shell("cd %s/state && rm usage.db* ledger.db* && cp ../old/* . && rm -r public", w.dir) &&
          world_start(&w, &status), "an old backup of both databases starts, as nobody told accountd");
    cosign_start(cosign);
    check(says(cosign, "MORE than"), "the witness has seen a longer log: xs-cosign says that it was rolled back");
    stop(cosign, SIGTERM);
    world_kill(&w, SIGKILL);
    check(
        shell(
            "cd %s && printf '{\"host\":\"test.host\",\"interval_s\":1,\"head_copy\":\"%s/cosign/checkpoint\"}' >conf",
            w.dir, w.dir) &&
            !world_start(&w, &status) && world_logged(&w, "old backup: refusing to sign"),
        "told of the cosigned head, accountd refuses to sign");
}

/* accountd has its key before there is a witness, and starts with their file. */
static void start_all(struct witness *one, struct witness *two, char vkey[256])
{
    int status;

    if (!world_start(&w, &status))
        exit(99);
    log_key(vkey);
    witness_make(one, "w.example-1");
    witness_make(two, "w.example-2");
    witness_start(one, vkey);
    witness_start(two, vkey);
    write_witnesses(one, two);
    world_kill(&w, SIGTERM);
    if (!shell("cd %s && mkdir old && cp state/usage.db* state/ledger.db* old", w.dir) || !world_start(&w, &status))
        exit(99);
}

int main(void)
{
    struct witness one = { .name = "" }, two = { .name = "" };
    struct program cosign;
    char vkey[256];

    world_begin(&w);
    start_all(&one, &two, vkey);
    cosign_start(&cosign);
    test_two_witnesses(&one, &two, vkey);
    test_refused();
    test_root_key(&one, &two);
    test_rolled_back(&cosign);
    stop(&one.program, SIGTERM);
    stop(&two.program, SIGTERM);
    world_end(&w);
    return tap_end();
}
