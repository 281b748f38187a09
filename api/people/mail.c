#include "api/people/mail.h"
#include "common/id.h"
#include "common/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct letter {
    const char *subject;
    const char *before; /* the link */
    const char *after;
};

static const struct letter reset = {
    "Your new password",
    "Somebody, probably you, asked for a new password for this address. This link sets one. It works once, for\r\n"
    "an hour:",
    "If it was not you, there is nothing to do: the old password still holds."};
static const struct letter invitation = {
    "You are invited",
    "Somebody invites you to work on servers with them. This link says who and to what, and lets you join. It works\r\n"
    "once, for a week:",
    "If you know nothing of it, there is nothing to do."};

static const struct letter verification = {
    "Is this your address?",
    "Somebody, probably you, signed up with this address. This link says that it is yours. It works once, for a week:",
    "If it was not you, there is nothing to do."};

static void date_print(int64_t now_ms, char out[static 48])
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm;

    /* RFC 5322 section 3.3; the daemons run in the C locale. */
    strftime(out, 48, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
}

/* The host of "https://host:port/...". */
static void host_print(const char *url, char *out, size_t size)
{
    const char *at = strstr(url, "://");

    at = at ? at + 3 : url;
    snprintf(out, size, "%.*s", (int)strcspn(at, ":/"), at);
}

static void message_print(FILE *file, const struct config *config, const struct letter *letter, const char *to,
                          const char *path, const char *id, int64_t now_ms)
{
    char date[48], host[256];

    date_print(now_ms, date);
    host_print(config->public_url, host, sizeof(host));
    fprintf(file,
            "From: XenoServer <noreply@%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\n"
            "Message-ID: <%s@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Auto-Submitted: auto-generated\r\n\r\n",
            host, to, letter->subject, date, id, host);
    fprintf(file, "%s\r\n\r\n%s%s\r\n\r\n%s\r\n", letter->before, config->public_url, path, letter->after);
}

/* Made so that nobody may read it, which ends when it is whole: a rename would say the same, but is not among the
 * system calls that the api keeps. */
static int file_write(const struct config *config, const struct letter *letter, const char *to, const char *path,
                      const char *id, int64_t now_ms, const char *name, bool sent)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    int rc;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    message_print(file, config, letter, to, path, id, now_ms);
    rc = fflush(file) != 0 || ferror(file) || fsync(fd) != 0 || (sent ? fchmod(fd, 0640) : unlink(name)) != 0 ? -1 : 0;
    return fclose(file) != 0 ? -1 : rc;
}

static int mail_write(const struct config *config, const struct letter *letter, const char *to, const char *path,
                      int64_t now_ms, bool sent)
{
    char id[ID_BYTES], name[4096];

    id_make("mail_", id);
    if (snprintf(name, sizeof(name), "%s/%s.eml", config->mail_folder, id) >= (int)sizeof(name))
        return -1;
    if (file_write(config, letter, to, path, id, now_ms, name, sent) == 0)
        return 0;
    log_warn("mail_folder %s: a mail is not written", config->mail_folder);
    unlink(name);
    return -1;
}

int mail_reset_write(const struct config *config, const char *to, const char *path, int64_t now_ms, bool sent)
{
    return mail_write(config, &reset, to, path, now_ms, sent);
}

int mail_invitation_write(const struct config *config, const char *to, const char *path, int64_t now_ms)
{
    return mail_write(config, &invitation, to, path, now_ms, true);
}

int mail_verification_write(const struct config *config, const char *to, const char *path, int64_t now_ms)
{
    return mail_write(config, &verification, to, path, now_ms, true);
}
