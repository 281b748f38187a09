#include "tests/api/rig.h"
#include "api/people/totp.h"
#include "common/db.h"
#include "common/id.h"
#include "common/json.h"
#include "common/rpc.h"
#include "tests/api/contract.h"
#include "tests/api/standin.h"
#include "tests/api/tap.h"

#include <curl/curl.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *rig_api = "tests/api/xs-api";

static atomic_uint answers_seen, answers_wrong;
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static pthread_key_t curl_key;

static void curl_key_make(void)
{
    if (pthread_key_create(&curl_key, curl_easy_cleanup) != 0)
        tap_bail("pthread_key_create");
}

/* A connection for each thread, closed when the thread ends. */
static CURL *curl_of_thread(void)
{
    CURL *curl;

    pthread_once(&curl_once, curl_key_make);
    curl = pthread_getspecific(curl_key);
    if (!curl) {
        curl = curl_easy_init();
        if (!curl || pthread_setspecific(curl_key, curl) != 0)
            tap_bail("libcurl");
    }
    curl_easy_reset(curl);
    return curl;
}

/* files */

static void path_in(const struct rig *rig, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", rig->dir, name);
}

static void config_write(const struct rig *rig, const json_t *config)
{
    char path[256];

    path_in(rig, "api.conf", path, sizeof(path));
    if (json_dump_file(config, path, JSON_INDENT(2)) != 0)
        tap_bail("%s", path);
}

static void config_make(struct rig *rig)
{
    static const char *const files[] = { "certificate", "tls.crt", "private_key", "tls.key", "pid_file", "api.pid",
                                         "database", "db/api.db", "accountd", "accountd.sock", "provisioner",
                                         "provisioner.sock", "console", "console.sock", "operator_key_hash_file", "operator.hash", "log_files",
                                         "accountd/public", NULL };
    json_t *config = json_pack("{s:s, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i}}", "listen", "127.0.0.1:0", "user", "root",
                               "limits", "reads_per_s", 100000, "writes_per_s", 100000, "waits_per_s", 100000,
                               "anonymous_per_s", 10000, "instances_per_account", 1000, "connections_per_address", 256,
                               "logins_per_minute", 10000);
    char path[256];

    for (int i = 0; files[i]; i += 2) {
        path_in(rig, files[i + 1], path, sizeof(path));
        json_object_set_new(config, files[i], json_string(path));
    }
    config_write(rig, config);
    json_decref(config);
}

void rig_config_set(struct rig *rig, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');
    json_t *config, *object;
    char path[256];

    path_in(rig, "api.conf", path, sizeof(path));
    config = json_load_file(path, 0, NULL);
    object = dot ? json_object_get(config, "limits") : config;
    key = dot ? dot + 1 : key;
    if (value)
        json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(object, key);
    config_write(rig, config);
    json_decref(config);
}

static void text_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("%s", path);
}

static void operator_make(struct rig *rig)
{
    const char *const new_key[] = { rig_api, "--new-key", NULL };
    const char *const hash_key[] = { rig_api, "--hash-key", NULL };
    char path[256], hash[256];

    if (rig_run(new_key, "", rig->operator_key, sizeof(rig->operator_key)) != 0)
        tap_bail("--new-key failed: %s", rig->operator_key);
    rig->operator_key[strcspn(rig->operator_key, "\n")] = 0;
    if (rig_run(hash_key, rig->operator_key, hash, sizeof(hash)) != 0)
        tap_bail("--hash-key failed: %s", hash);
    path_in(rig, "operator.hash", path, sizeof(path));
    text_write(path, hash);
}

/* processes */

static void child_prepare(void)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int rig_run(const char *const *argv, const char *input, char *out, size_t out_size)
{
    int in[2], from[2], status;
    size_t used = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        tap_bail("cannot run %s", argv[0]);
    if (pid == 0) {
        child_prepare();
        dup2(in[0], 0);
        dup2(from[1], 1);
        dup2(from[1], 2);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(in[0]);
    close(from[1]);
    if (write(in[1], input, strlen(input)) < 0)
        tap_bail("cannot write to %s", argv[0]);
    close(in[1]);
    while (used + 1 < out_size && (n = read(from[0], out + used, out_size - used - 1)) > 0)
        used += (size_t)n;
    out[used] = 0;
    close(from[0]);
    if (waitpid(pid, &status, 0) != pid)
        tap_bail("lost %s", argv[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads the api's log until it is ready; notes port and fingerprint. */
static void api_ready_wait(struct rig *rig, FILE *log)
{
    char line[1024];

    while (fgets(line, sizeof(line), log)) {
        char *at = strstr(line, "listening on 127.0.0.1:");

        if (at)
            sscanf(at, "listening on 127.0.0.1:%u, certificate %64s", &rig->port, rig->fingerprint);
        if (strstr(line, "xs-api: ready"))
            return;
        printf("# %s", line);
    }
    tap_bail("the api did not start");
}

/* What it logs later goes on as comments of the test. */
static void log_follow(FILE *log)
{
    char line[1024];
    pid_t pid = fork();

    if (pid < 0)
        tap_bail("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (fgets(line, sizeof(line), log)) {
            fprintf(stderr, "# %s", line);
        }
        _exit(0);
    }
}

void rig_api_start(struct rig *rig)
{
    char path[256];
    int log[2];
    FILE *file;

    path_in(rig, "api.conf", path, sizeof(path));
    if (pipe2(log, O_CLOEXEC) != 0 || (rig->api = fork()) < 0)
        tap_bail("cannot start the api");
    if (rig->api == 0) {
        child_prepare();
        dup2(log[1], 2);
        execl(rig_api, rig_api, "--config", path, (char *)NULL);
        _exit(127);
    }
    close(log[1]);
    file = fdopen(log[0], "re");
    api_ready_wait(rig, file);
    log_follow(file);
    fclose(file);
    snprintf(rig->url, sizeof(rig->url), "https://127.0.0.1:%u", rig->port);
}

int rig_api_stop(struct rig *rig, int signal)
{
    int status;

    kill(rig->api, signal);
    if (waitpid(rig->api, &status, 0) != rig->api)
        tap_bail("lost the api");
    rig->api = 0;
    return status;
}

void rig_port_keep(struct rig *rig)
{
    char listen[64];

    snprintf(listen, sizeof(listen), "\"127.0.0.1:%u\"", rig->port);
    rig_config_set(rig, "listen", listen);
}

void rig_standin_start(struct rig *rig)
{
    rig->standin = standin_start(rig->dir);
}

void rig_standin_stop(struct rig *rig)
{
    kill(rig->standin, SIGKILL);
    waitpid(rig->standin, NULL, 0);
    rig->standin = 0;
}

void rig_start(struct rig *rig)
{
    char crt[256], key[256];

    memset(rig, 0, sizeof(*rig));
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        tap_bail("libraries");
    signal(SIGPIPE, SIG_IGN);
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/xs-api-test-XXXXXX");
    if (!mkdtemp(rig->dir))
        tap_bail("%s", rig->dir);
    rig->contract = contract_load(TOP_SRCDIR "/api/openapi.yaml");
    path_in(rig, "tls.crt", crt, sizeof(crt));
    path_in(rig, "tls.key", key, sizeof(key));
    rig_certificate(crt, key, -60, 86400);
    config_make(rig);
    operator_make(rig);
    rig_standin_start(rig);
    rig_api_start(rig);
}

void rig_end(struct rig *rig)
{
    char command[256];
    int status;

    if (rig->api) {
        status = rig_api_stop(rig, SIGTERM);
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the api ends in order when told to (status %x)", status);
    }
    if (rig->standin)
        rig_standin_stop(rig);
    ok(answers_wrong == 0 && answers_seen > 0, "each of %u answers holds to the contract", answers_seen);
    json_decref(rig->contract);
    curl_easy_cleanup(curl_of_thread());
    pthread_setspecific(curl_key, NULL);
    curl_global_cleanup();
    snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
    if (system(command) != 0)
        tap_bail("%s", command);
}

/* calls */

static size_t body_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct response *answer = arg;
    char *more = realloc(answer->text, answer->size + one * count + 1);

    if (!more)
        return 0;
    memcpy(more + answer->size, bytes, one * count);
    answer->text = more;
    answer->size += one * count;
    more[answer->size] = 0;
    return one * count;
}

static size_t header_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct response *answer = arg;
    size_t size = one * count;
    char *colon = memchr(bytes, ':', size);
    char name[128], value[1024];
    size_t len = 0;

    if (!colon || (size_t)(colon - bytes) >= sizeof(name))
        return size;
    for (char *c = bytes; c < colon; c++)
        name[len++] = (char)tolower((unsigned char)*c);
    name[len] = 0;
    for (colon++; *colon == ' '; colon++)
        ;
    snprintf(value, sizeof(value), "%.*s", (int)(bytes + size - colon), colon);
    value[strcspn(value, "\r\n")] = 0;
    json_object_set_new(answer->headers, name, json_string(value));
    return size;
}

static struct curl_slist *headers_make(const struct call *call)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    char line[1024];

    if (call->key) {
        snprintf(line, sizeof(line), "Authorization: Bearer %s", call->key);
        headers = curl_slist_append(headers, line);
    }
    if (call->idem) {
        snprintf(line, sizeof(line), "Idempotency-Key: %s", call->idem);
        headers = curl_slist_append(headers, line);
    }
    if (call->body) {
        snprintf(line, sizeof(line), "Content-Type: %s", call->type ? call->type : "application/json");
        headers = curl_slist_append(headers, line);
    }
    if (call->visitor) {
        snprintf(line, sizeof(line), "Cookie: %s", call->visitor->cookie);
        headers = curl_slist_append(headers, line);
        snprintf(line, sizeof(line), "X-CSRF-Token: %s", call->visitor->csrf);
        headers = curl_slist_append(headers, line);
    }
    if (call->header)
        headers = curl_slist_append(headers, call->header);
    return headers;
}

/* "/v1/instances/ins_x/usage" to the contract's "/v1/instances/{id}/usage". */
static const char *pattern_of(const json_t *contract, const char *path)
{
    const char *pattern;
    char plain[256];
    json_t *unused;

    snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(path, "?"), path);
    if (json_object_get(json_object_get(contract, "paths"), plain))
        return json_object_iter_key(json_object_iter_at(json_object_get(contract, "paths"), plain));
    json_object_foreach(json_object_get(contract, "paths"), pattern, unused) {
        const char *p = pattern, *at = path;

        while (*p && *p == *at)
            p++, at++;
        if (*p == '{') {
            p = strchr(p, '}') + 1;
            at += strcspn(at, "/?");
        }
        while (*p && *p == *at)
            p++, at++;
        if (!*p && (!*at || *at == '?'))
            return pattern;
    }
    return NULL;
}

static void contract_check(struct rig *rig, const struct call *call, const struct response *answer)
{
    const char *pattern = pattern_of(rig->contract, call->path);
    const json_t *schema = pattern ? contract_answer(rig->contract, call->method, pattern, answer->status) : NULL;
    char why[256];

    if (!answer->json || !schema || strstr(answer_header(answer, "content-type"), "ndjson"))
        return;
    answers_seen++;
    if (contract_holds(rig->contract, schema, answer->json, why, sizeof(why)))
        return;
    answers_wrong++;
    printf("# %s %s: %d: %s: %.*s\n", call->method, call->path, answer->status, why, 600, answer->text);
}

struct response rig_call(struct rig *rig, const struct call *call)
{
    CURL *curl = curl_of_thread();
    struct response answer = { .headers = json_object() };
    struct curl_slist *headers = headers_make(call);
    long status = 0;
    char url[2048];

    snprintf(url, sizeof(url), "%s%s", rig->url, call->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (call->body || strcmp(call->method, "POST") == 0) {
        const char *body = call->body ? call->body : "";

        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(call->body_size ? call->body_size : strlen(body)));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_take);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.json = answer.text ? json_loads(answer.text, 0, NULL) : NULL;
    curl_slist_free_all(headers);
    contract_check(rig, call, &answer);
    return answer;
}

void answer_free(struct response *answer)
{
    json_decref(answer->json);
    json_decref(answer->headers);
    free(answer->text);
    memset(answer, 0, sizeof(*answer));
}

const char *answer_text_of(const struct response *answer, const char *field)
{
    return json_text(answer->json, field);
}

const char *answer_header(const struct response *answer, const char *name)
{
    return json_text(answer->headers, name);
}

struct response rig_get(struct rig *rig, const char *key, const char *path)
{
    return rig_call(rig, &(struct call){ .method = "GET", .path = path, .key = key });
}

struct response rig_post(struct rig *rig, const char *key, const char *path, const char *idem, const char *body)
{
    return rig_call(rig, &(struct call){ .method = "POST", .path = path, .key = key, .idem = idem, .body = body });
}

struct response rig_get_as(struct rig *rig, const struct visitor *visitor, const char *path)
{
    return rig_call(rig, &(struct call){.method = "GET", .path = path, .visitor = visitor});
}

struct response rig_post_as(struct rig *rig, const struct visitor *visitor, const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_call(
        rig, &(struct call){
                 .method = "POST", .path = path, .visitor = visitor, .body = body, .idem = id_make("tst_", idem)});
}

void said(struct response answer, int status, const char *words, const char *what)
{
    bool right =
        answer.status == status && (!*words || (answer.text && memmem(answer.text, answer.size, words, strlen(words))));

    ok(right, "%s: %d %s", what, status, words);
    if (!right)
        printf("# %d %.300s\n", answer.status, answer.text ? answer.text : "");
    answer_free(&answer);
}

/* people */

struct visitor rig_visitor(const struct response *answer)
{
    struct visitor visitor = { .cookie = "" };
    const char *cookie = answer_header(answer, "set-cookie");

    snprintf(visitor.cookie, sizeof(visitor.cookie), "%.*s", (int)strcspn(cookie, ";"), cookie);
    snprintf(visitor.csrf, sizeof(visitor.csrf), "%s", answer_text_of(answer, "csrf_token"));
    return visitor;
}

struct visitor rig_signup(struct rig *rig, const char *email, const char *password)
{
    char body[640], idem[ID_BYTES];
    struct response answer;
    struct visitor visitor;

    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"email\":\"%s\",\"password\":\"%s\"}", email, email, password);
    answer = rig_post(rig, NULL, "/v1/signup", id_make("tst_", idem), body);
    if (answer.status != 201)
        tap_bail("no signup: %d %s", answer.status, answer.text);
    visitor = rig_visitor(&answer);
    answer_free(&answer);
    return visitor;
}

const char *rig_totp(const char *secret, int off)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    static char code[TOTP_DIGITS + 1];
    uint8_t bytes[TOTP_SECRET_BYTES];
    unsigned bits = 0, held = 0, used = 0;

    for (; *secret && used < sizeof(bytes); secret++) {
        bits = bits << 5 | (unsigned)(strchr(digits, *secret) - digits);
        held += 5;
        if (held >= 8) {
            held -= 8;
            bytes[used++] = (uint8_t)(bits >> held);
        }
    }
    totp_code(bytes, sizeof(bytes), (int64_t)time(NULL) * 1000 / TOTP_STEP_MS + off, code);
    return code;
}

static struct response checked(struct response answer, int status, const char *what)
{
    if (answer.status != status)
        tap_bail("%s: %d %s", what, answer.status, answer.text ? answer.text : "");
    return answer;
}

static struct response operator_make_new(struct rig *rig, const char *name, const char *role)
{
    char body[256], idem[ID_BYTES];

    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
    return checked(rig_post(rig, rig->operator_key, "/v1/admin/operators", id_make("tst_", idem), body), 201, "an operator");
}

void rig_operator_key(struct rig *rig, const char *name, const char *role, char key[static 64], char id[static 40])
{
    struct response answer = operator_make_new(rig, name, role);
    char path[128], body[256], idem[ID_BYTES];

    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/keys", id);
    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    answer = checked(rig_post(rig, rig->operator_key, path, id_make("tst_", idem), body), 201, "an operator's key");
    snprintf(key, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
}

static void totp_turn_on(struct rig *rig, const struct visitor *visitor, const char *password)
{
    struct call call = { .method = "POST", .visitor = visitor, .path = "/v1/admin/user/totp" };
    struct response answer;
    char body[400];

    snprintf(body, sizeof(body), "{\"password\":\"%s\"}", password);
    call.body = body;
    answer = checked(rig_call(rig, &call), 200, "a second factor");
    snprintf(body, sizeof(body), "{\"code\":\"%s\"}", rig_totp(answer_text_of(&answer, "secret"), 0));
    answer_free(&answer);
    call.path = "/v1/admin/user/totp/confirm";
    answer = checked(rig_call(rig, &call), 200, "a second factor's code");
    answer_free(&answer);
}

struct visitor rig_operator(struct rig *rig, const char *name, const char *role, const char *password)
{
    struct response answer = operator_make_new(rig, name, role);
    struct visitor visitor;
    char body[640];

    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"%s\"}", answer_text_of(&answer, "token"), password);
    answer_free(&answer);
    answer = checked(rig_post(rig, NULL, "/v1/password_resets", NULL, body), 204, "an operator's password");
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    answer = checked(rig_post(rig, NULL, "/v1/admin/sessions", NULL, body), 201, "an operator's login");
    visitor = rig_visitor(&answer);
    answer_free(&answer);
    totp_turn_on(rig, &visitor, password);
    return visitor;
}

char *rig_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 1 << 20);

    if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0)
        tap_bail("%s", path);
    fclose(file);
    return text;
}

void rig_database(struct rig *rig, const char *sql)
{
    char path[256];
    sqlite3 *db;

    path_in(rig, "db/api.db", path, sizeof(path));
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 5000) != SQLITE_OK || db_run(db, sql, "") != 0)
        tap_bail("%s", sql);
    db_close(db);
}

long rig_rows(struct rig *rig, const char *database, const char *query)
{
    int64_t count;
    char path[256];
    sqlite3 *db;

    path_in(rig, database, path, sizeof(path));
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(db, 60000) != SQLITE_OK || db_int(db, &count, query, "") != 1)
        tap_bail("%s: %s", path, query);
    db_close(db);
    return (long)count;
}

/* orders */

json_t *rig_order(struct rig *rig, const char *daemon, json_t *args)
{
    struct rpc_client *client;
    json_t *ok_json, *error;
    char path[256];

    snprintf(path, sizeof(path), "%s/%s.sock", rig->dir, daemon);
    client = rpc_client_new(path);
    ok_json = rpc_call_sync(client, "test", args, 5000, &error);
    if (!ok_json)
        tap_bail("the stand-in for %s does not take orders", daemon);
    rpc_client_free(client);
    return ok_json;
}

int rig_count(struct rig *rig, const char *daemon, const char *verb)
{
    json_t *answer = rig_order(rig, daemon, json_object());
    int count = (int)json_integer_value(json_object_get(json_object_get(answer, "counts"), verb));

    json_decref(answer);
    return count;
}

static const char *fresh(char out[static ID_BYTES])
{
    return id_make("tst_", out);
}

void rig_customer(struct rig *rig, const char *name, char key[static 64], char id[static 40])
{
    char body[128], path[256], idem[ID_BYTES];
    struct response answer;

    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    answer = rig_post(rig, rig->operator_key, "/v1/admin/customers", fresh(idem), body);
    if (answer.status != 201)
        tap_bail("no customer: %d %s", answer.status, answer.text);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/keys", id);
    answer = rig_post(rig, rig->operator_key, path, fresh(idem), "{\"name\":\"all\"}");
    if (answer.status != 201)
        tap_bail("no key: %d %s", answer.status, answer.text);
    snprintf(key, 64, "%s", answer_text_of(&answer, "key"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", id);
    answer = rig_post(rig, rig->operator_key, path, fresh(idem), "{\"amount\":\"10.00\",\"reason\":\"test\"}");
    if (answer.status != 201)
        tap_bail("no credit: %d %s", answer.status, answer.text);
    answer_free(&answer);
}

void rig_instance(struct rig *rig, const char *key, const char *name, char id[static 40])
{
    char body[160], idem[ID_BYTES];
    struct response answer;

    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"image\":\"tiny\",\"flavor\":\"xs1\"}", name);
    answer = rig_post(rig, key, "/v1/instances", fresh(idem), body);
    if (answer.status != 202)
        tap_bail("no instance: %d %s", answer.status, answer.text);
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
}
