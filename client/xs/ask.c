/* libcurl with OpenSSL. A pinned fingerprint replaces every other check of the
 * certificate: it names exactly one, so neither its name nor its issuer can add anything. */
#include "client/xs/ask.h"
#include "client/xs/fail.h"
#include "common/id.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (16u << 20)
#define TRIES 4
#define PAUSE_S_MAX 10

struct host {
    const struct settings *settings;
    CURL *curl;
    char error[CURL_ERROR_SIZE];
    bool other_certificate;             /* the pin did not fit */
    char seen[65];                      /* what was there instead */
};

/* What a stream of events has brought (WHATWG HTML, section 9.2). */
struct stream {
    void (*each)(void *arg, const char *data);
    void *arg;
    char last_id[24];
    unsigned lines;                     /* of this connection */
};

struct answer {
    struct stream *stream;              /* successes go there, if it is one */
    char *text;
    size_t size;
    FILE *file;                         /* successes go there instead */
    long status;
    long retry_after_s;
    char etag[64];
};

/* Replaces OpenSSL's whole verification, SSL_CTX_set_cert_verify_callback(3). */
static int pin_verify(X509_STORE_CTX *ctx, void *arg)
{
    struct host *host = arg;
    X509 *cert = X509_STORE_CTX_get0_cert(ctx);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!cert || X509_digest(cert, EVP_sha256(), hash, &len) != 1 || len != 32)
        return 0;
    for (unsigned i = 0; i < len; i++)
        snprintf(host->seen + 2 * i, 3, "%02x", hash[i]);
    if (strcmp(host->seen, host->settings->fingerprint) != 0) {
        host->other_certificate = true;
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static CURLcode pin_set(CURL *curl, void *ssl_ctx, void *arg)
{
    (void)curl;
    SSL_CTX_set_cert_verify_callback(ssl_ctx, pin_verify, arg);
    return CURLE_OK;
}

static void line_take(struct stream *stream, const char *line)
{
    stream->lines++;
    if (strncmp(line, "id: ", 4) == 0)
        snprintf(stream->last_id, sizeof(stream->last_id), "%s", line + 4);
    if (strncmp(line, "data: ", 6) == 0)
        stream->each(stream->arg, line + 6);
}

/* The whole lines of what has come; the rest waits for its end. */
static void lines_take(struct answer *answer)
{
    char *line = answer->text, *end;

    while ((end = strchr(line, '\n'))) {
        *end = 0;
        line_take(answer->stream, line);
        line = end + 1;
    }
    answer->size = strlen(line);
    memmove(answer->text, line, answer->size + 1);
}

static size_t body_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t size = one * count;
    char *more;

    if (answer->file && answer->status < 400)
        return fwrite(bytes, 1, size, answer->file);
    if (answer->size + size > ANSWER_BYTES_MAX)
        return 0;
    more = realloc(answer->text, answer->size + size + 1);
    if (!more)
        return 0;
    memcpy(more + answer->size, bytes, size);
    answer->text = more;
    answer->size += size;
    more[answer->size] = 0;
    if (answer->stream && answer->status < 400)
        lines_take(answer);
    return size;
}

static size_t header_take(char *bytes, size_t one, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t size = one * count;

    if (size > 9 && strncmp(bytes, "HTTP/", 5) == 0)
        answer->status = strtol(memchr(bytes, ' ', size) ? (char *)memchr(bytes, ' ', size) : "0", NULL, 10);
    if (size > 12 && strncasecmp(bytes, "Retry-After:", 12) == 0)
        answer->retry_after_s = strtol(bytes + 12, NULL, 10);
    if (size > 5 && size < sizeof(answer->etag) && strncasecmp(bytes, "ETag:", 5) == 0)
        sscanf(bytes, "%*s %63s", answer->etag);
    return size;
}

struct host *host_open(const struct settings *settings)
{
    struct host *host = calloc(1, sizeof(*host));

    if (!host || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(host->curl = curl_easy_init()))
        fail(EXIT_CONNECTION, "libcurl does not start");
    host->settings = settings;
    curl_easy_setopt(host->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(host->curl, CURLOPT_ERRORBUFFER, host->error);
    curl_easy_setopt(host->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(host->curl, CURLOPT_TIMEOUT, 90L);
    curl_easy_setopt(host->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(host->curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(host->curl, CURLOPT_HEADERFUNCTION, header_take);
    curl_easy_setopt(host->curl, CURLOPT_USERAGENT, "xs/1");
    if (settings->ca) {
        curl_easy_setopt(host->curl, CURLOPT_CAINFO, settings->ca);
        return host;
    }
    curl_easy_setopt(host->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(host->curl, CURLOPT_SSL_CTX_FUNCTION, pin_set);
    curl_easy_setopt(host->curl, CURLOPT_SSL_CTX_DATA, host);
    return host;
}

void host_close(struct host *host)
{
    curl_easy_cleanup(host->curl);
    curl_global_cleanup();
    free(host);
}

const struct settings *host_settings(const struct host *host)
{
    return host->settings;
}

static struct curl_slist *header_add(struct curl_slist *list, const char *name, const char *value)
{
    char line[512];
    struct curl_slist *longer;

    snprintf(line, sizeof(line), "%s: %s", name, value);
    longer = curl_slist_append(list, line);
    if (!longer)
        fail(EXIT_CONNECTION, "out of memory");
    return longer;
}

struct question {
    const char *method;
    const char *path;
    const char *body;                   /* NULL none */
    const char *type;                   /* of the body; NULL: JSON */
    const char *accept;                 /* NULL: JSON */
    const char *idempotency_key;        /* NULL none */
    const char *last_event_id;          /* NULL or empty: none */
    const char *if_match;               /* NULL none */
};

/* One try. CURLE_OK and *answer, whatever the status. */
static CURLcode try_once(struct host *host, const struct question *question, struct answer *answer)
{
    struct curl_slist *headers = NULL;
    char bearer[256], url[1024];
    CURLcode rc;

    snprintf(bearer, sizeof(bearer), "Bearer %s", host->settings->key);
    snprintf(url, sizeof(url), "%s%s", host->settings->url, question->path);
    headers = header_add(headers, "Authorization", bearer);
    headers = header_add(headers, "Expect", "");
    if (host->settings->project)
        headers = header_add(headers, "X-Project", host->settings->project);
    if (question->body)
        headers = header_add(headers, "Content-Type", question->type ? question->type : "application/json");
    if (question->accept)
        headers = header_add(headers, "Accept", question->accept);
    if (question->idempotency_key)
        headers = header_add(headers, "Idempotency-Key", question->idempotency_key);
    if (question->last_event_id && *question->last_event_id)
        headers = header_add(headers, "Last-Event-ID", question->last_event_id);
    if (question->if_match)
        headers = header_add(headers, "If-Match", question->if_match);
    curl_easy_setopt(host->curl, CURLOPT_URL, url);
    curl_easy_setopt(host->curl, CURLOPT_CUSTOMREQUEST, question->method);
    curl_easy_setopt(host->curl, CURLOPT_HTTPHEADER, headers);
    if (question->body) {
        curl_easy_setopt(host->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(question->body));
        curl_easy_setopt(host->curl, CURLOPT_POSTFIELDS, question->body);
    } else if (strcmp(question->method, "POST") == 0) {
        curl_easy_setopt(host->curl, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(host->curl, CURLOPT_POSTFIELDS, "");
    } else {
        curl_easy_setopt(host->curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(host->curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(host->curl, CURLOPT_HEADERDATA, answer);
    host->error[0] = 0;
    rc = curl_easy_perform(host->curl);
    curl_slist_free_all(headers);
    return rc;
}

static void answer_reset(struct answer *answer)
{
    free(answer->text);
    answer->text = NULL;
    answer->size = 0;
    answer->status = answer->retry_after_s = 0;
    if (answer->file && (fflush(answer->file) != 0 || ftruncate(fileno(answer->file), 0) != 0))
        fail(EXIT_REFUSED, "cannot write: %s", strerror(errno));
    if (answer->file)
        rewind(answer->file);
}

static bool problem_retryable(const struct answer *answer)
{
    json_t *problem = answer->text ? json_loads(answer->text, 0, NULL) : NULL;
    bool retryable = json_is_true(json_object_get(problem, "retryable"));

    json_decref(problem);
    return retryable;
}

/* What a connection can fail of for a moment. A certificate is not of that kind. */
static bool passing(CURLcode rc)
{
    return rc == CURLE_COULDNT_CONNECT || rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR ||
           rc == CURLE_SEND_ERROR || rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_PARTIAL_FILE;
}

static void pause_before_retry(const struct answer *answer, int try)
{
    long seconds = answer->retry_after_s > 0 ? answer->retry_after_s : 1L << (try - 1);
    struct timespec pause = { .tv_sec = seconds < PAUSE_S_MAX ? seconds : PAUSE_S_MAX };

    nanosleep(&pause, NULL);
}

/* Up to TRIES times, always with the same key: whatever an earlier try did, it is done once. */
static CURLcode try_often(struct host *host, const struct question *question, struct answer *answer)
{
    CURLcode rc = CURLE_OK;

    for (int try = 1; try <= TRIES; try++) {
        answer_reset(answer);
        rc = try_once(host, question, answer);
        if (rc == CURLE_OK && (answer->status < 400 || !problem_retryable(answer)))
            break;
        if (rc != CURLE_OK && !passing(rc))
            break;
        if (try < TRIES)
            pause_before_retry(answer, try);
    }
    return rc;
}

static _Noreturn void connection_fail(struct host *host, CURLcode rc)
{
    if (host->other_certificate)
        fail(EXIT_CONNECTION,
             "%s shows another certificate than the one you trust; nothing was sent\n"
             "    expected %s\n    seen     %s\n"
             "    If the host was set up anew, set XS_FINGERPRINT to what ./run prints now. If not, someone is between.",
             host->settings->url, host->settings->fingerprint, host->seen);
    fail(EXIT_CONNECTION, "%s: %s\n    Is the host running, and is the address right?", host->settings->url,
         host->error[0] ? host->error : curl_easy_strerror(rc));
}

const char *problem_advice(const char *code)
{
    static const struct {
        const char *code;
        const char *advice;
    } table[] = {
        { "unauthenticated", "set XS_KEY to your key; ./run prints the operator's" },
        { "key_expired", "make another key, or ask the operator for one" },
        { "key_revoked", "use another key" },
        { "wrong_role", "xs admin needs an operator's key, everything else a customer's" },
        { "scope_missing", "make a key with this scope: xs keys new" },
        { "insufficient_funds", "add to the wallet, ask the operator for credit, or delete what runs; xs wallet shows how" },
        { "forbidden", "another operator has to do this: xs admin operator list" },
        { "not_found", "the list commands (xs list, xs volume list, ...) show what there is" },
        { "quota_exceeded", "delete what you no longer need, or ask the operator for more" },
        { "invalid_fields", "correct the fields above and try again" },
        { "capacity_unavailable", "try a smaller flavor, or later; xs flavors lists them" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].code, code) == 0)
            return table[i].advice;
    return NULL;
}

static void context_print(const json_t *context)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)context, name, value) {
        char *text = json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);

        fprintf(stderr, "    %s: %s\n", name, text ? text : "");
        free(text);
    }
}

_Noreturn void problem_fail(long status, const char *text)
{
    json_t *problem = text ? json_loads(text, 0, NULL) : NULL;
    const char *code = json_text(problem, "code");
    bool retryable = json_is_true(json_object_get(problem, "retryable"));
    json_t *error;
    size_t i;

    if (!*code)
        fail(EXIT_CONNECTION, "the host answered %ld with something that is not from XenoServer: check XS_URL", status);
    fprintf(stderr, "xs: %s (%ld %s)\n", json_text(problem, "title"), status, code);
    if (strcmp(json_text(problem, "detail"), "see errors") != 0 && *json_text(problem, "detail"))
        fprintf(stderr, "    %s\n", json_text(problem, "detail"));
    json_array_foreach(json_object_get(problem, "errors"), i, error)
        fprintf(stderr, "    %s: %s\n", json_text(error, "field"), json_text(error, "detail"));
    context_print(json_object_get(problem, "context"));
    if (problem_advice(code))
        fprintf(stderr, "    what to do: %s\n", problem_advice(code));
    else if (retryable)
        fputs("    what to do: try again in a while\n", stderr);
    fprintf(stderr, "    request %s\n", json_text(problem, "request_id"));
    json_decref(problem);
    exit(retryable ? EXIT_LATER : EXIT_REFUSED);
}

_Noreturn void ask_follow(struct host *host, const char *path, void (*each)(void *arg, const char *data), void *arg)
{
    struct stream stream = { .each = each, .arg = arg };
    struct question question = { .method = "GET", .path = path, .accept = "text/event-stream",
                                 .last_event_id = stream.last_id };
    struct answer answer = { .stream = &stream };
    int tries = 0;

    /* It lasts as long as it lasts; that the other side is gone, TCP finds out. */
    curl_easy_setopt(host->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(host->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    for (;;) {
        CURLcode rc;

        answer_reset(&answer);
        stream.lines = 0;
        rc = try_once(host, &question, &answer);
        tries = stream.lines ? 1 : tries + 1;
        if (rc != CURLE_OK && (!passing(rc) || tries == TRIES))
            connection_fail(host, rc);
        if (answer.status >= 400 && (!problem_retryable(&answer) || tries == TRIES))
            problem_fail(answer.status, answer.text);
        pause_before_retry(&answer, tries);
    }
}

/* Steals what came: its JSON (NULL for 204). */
static json_t *answer_json(struct answer *answer)
{
    json_t *json = NULL;

    if (answer->status >= 400 || answer->status < 200)
        problem_fail(answer->status, answer->text);
    if (answer->status != 204 && !(json = answer->text ? json_loads(answer->text, 0, NULL) : NULL))
        fail(EXIT_CONNECTION, "the host's answer is not JSON: check XS_URL");
    free(answer->text);
    answer->text = NULL;
    return json;
}

static json_t *ask(struct host *host, const struct question *question)
{
    struct answer answer = { .text = NULL };
    CURLcode rc = try_often(host, question, &answer);

    if (rc != CURLE_OK)
        connection_fail(host, rc);
    return answer_json(&answer);
}

json_t *ask_get(struct host *host, const char *path)
{
    return ask(host, &(struct question){ .method = "GET", .path = path });
}

json_t *ask_delete(struct host *host, const char *path)
{
    return ask(host, &(struct question){ .method = "DELETE", .path = path });
}

static json_t *ask_body(struct host *host, const char *method, const char *path, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_t *json;

    if (!text)
        fail(EXIT_USAGE, "the arguments are not UTF-8 text");
    json = ask(host, &(struct question){ .method = method, .path = path, .body = text });
    json_decref(body);
    free(text);
    return json;
}

json_t *ask_change(struct host *host, const char *path, void (*change)(json_t *thing, void *arg), void *arg)
{
    for (int try = 1;; try++) {
        struct answer seen = { .text = NULL }, answer = { .text = NULL };
        CURLcode rc = try_often(host, &(struct question){ .method = "GET", .path = path }, &seen);
        json_t *thing;
        char *text;

        if (rc != CURLE_OK)
            connection_fail(host, rc);
        thing = answer_json(&seen);
        change(thing, arg);
        text = json_dumps(thing, JSON_COMPACT);
        json_decref(thing);
        rc = try_often(host, &(struct question){ .method = "PUT", .path = path, .body = text, .if_match = seen.etag }, &answer);
        free(text);
        if (rc != CURLE_OK)
            connection_fail(host, rc);
        if (answer.status != 412 || try == TRIES)
            return answer_json(&answer);
        free(answer.text);
    }
}

json_t *ask_put(struct host *host, const char *path, json_t *body)
{
    return ask_body(host, "PUT", path, body);
}

json_t *ask_patch(struct host *host, const char *path, json_t *body)
{
    return ask_body(host, "PATCH", path, body);
}

json_t *ask_post_xml(struct host *host, const char *path, const char *text)
{
    char key[ID_BYTES];

    return ask(host, &(struct question){ .method = "POST", .path = path, .body = text, .type = "application/xml",
                                         .idempotency_key = id_make("idk_", key) });
}

void ask_rows(struct host *host, const char *path, const char *form)
{
    struct question question = { .method = "GET", .path = path, .accept = form };
    struct answer answer = { .text = NULL };
    CURLcode rc = try_often(host, &question, &answer);

    if (rc != CURLE_OK)
        connection_fail(host, rc);
    if (answer.status >= 400)
        problem_fail(answer.status, answer.text);
    if (answer.size)
        fwrite(answer.text, 1, answer.size, stdout);
    free(answer.text);
}

json_t *ask_post(struct host *host, const char *path, json_t *body)
{
    char key[ID_BYTES];
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_t *json;

    if (body && !text)
        fail(EXIT_USAGE, "the arguments are not UTF-8 text");
    json = ask(host, &(struct question){ .method = "POST", .path = path, .body = text,
                                         .idempotency_key = id_make("idk_", key) });
    json_decref(body);
    free(text);
    return json;
}

void ask_file(struct host *host, const char *path, const char *file_path)
{
    struct question question = { .method = "GET", .path = path };
    struct answer answer = { .text = NULL };
    char part[4096];
    CURLcode rc;

    if (snprintf(part, sizeof(part), "%s.part", file_path) >= (int)sizeof(part))
        fail(EXIT_USAGE, "the file's name is too long");
    answer.file = fopen(part, "we");
    if (!answer.file)
        fail(EXIT_USAGE, "%s: %s", part, strerror(errno));
    rc = try_often(host, &question, &answer);
    if (rc != CURLE_OK || answer.status >= 400) {
        unlink(part);
        if (rc != CURLE_OK)
            connection_fail(host, rc);
        problem_fail(answer.status, answer.text);
    }
    if (fflush(answer.file) != 0 || fsync(fileno(answer.file)) != 0 || fclose(answer.file) != 0 ||
        rename(part, file_path) != 0) {
        int error = errno;

        unlink(part);
        fail(EXIT_REFUSED, "%s: %s", file_path, strerror(error));
    }
    free(answer.text);
}

struct wire {
    CURL *curl;
    curl_socket_t fd;
};

struct wire *wire_open(struct host *host)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    if (wire && (wire->curl = curl_easy_duphandle(host->curl))) {
        curl_easy_setopt(wire->curl, CURLOPT_URL, host->settings->url);
        curl_easy_setopt(wire->curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(wire->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(wire->curl, CURLOPT_HTTPHEADER, NULL);
        curl_easy_setopt(wire->curl, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(wire->curl, CURLOPT_TCP_KEEPALIVE, 1L);
        rc = curl_easy_perform(wire->curl);
    }
    if (rc == CURLE_OK)
        rc = curl_easy_getinfo(wire->curl, CURLINFO_ACTIVESOCKET, &wire->fd);
    if (rc != CURLE_OK)
        connection_fail(host, rc);
    return wire;
}

void wire_close(struct wire *wire)
{
    curl_easy_cleanup(wire->curl);
    free(wire);
}

int wire_fd(const struct wire *wire)
{
    return wire->fd;
}

static ssize_t wire_result(CURLcode rc, size_t size)
{
    errno = rc == CURLE_AGAIN ? EAGAIN : EIO;
    return rc == CURLE_OK ? (ssize_t)size : -1;
}

ssize_t wire_recv(struct wire *wire, void *bytes, size_t size)
{
    size_t done = 0;
    CURLcode rc = curl_easy_recv(wire->curl, bytes, size, &done);

    return wire_result(rc, done);
}

ssize_t wire_send(struct wire *wire, const void *bytes, size_t size)
{
    size_t done = 0;
    CURLcode rc = curl_easy_send(wire->curl, bytes, size, &done);

    return wire_result(rc, done);
}
