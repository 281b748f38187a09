/* Invoices: accountd makes and keeps them; here they are asked for and handed out. */
#include "api/api.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *invoice_view(const json_t *invoice)
{
    json_t *view = present_copy(invoice);

    if (json_object_get(view, "invoice_id")) {
        json_object_set(view, "id", json_object_get(view, "invoice_id"));
        json_object_del(view, "invoice_id");
    }
    return view;
}

enum answer invoice_create(struct request *rq, struct reply *rp)
{
    struct idem idem;
    json_t *ok = NULL;
    enum answer answer = idem_open(rq, rp, "inv_", "nil_", NULL, NULL, &idem);

    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "invoice_create",
                          json_pack("{s:s, s:s}", "invoice_id", idem.subject_id, "account_id", rq->who.account_id),
                          &ok);
    if (answer == ANSWER_OK) {
        rp->json = invoice_view(json_object_get(ok, "invoice"));
        snprintf(rp->location, sizeof(rp->location), "/v1/invoices/%s", idem.subject_id);
        answer = ANSWER_CREATED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}

enum answer invoices_list(struct request *rq, struct reply *rp)
{
    return upstream_list(rq, rp, DAEMON_ACCOUNTD, "invoice_list", "invoices", invoice_view);
}

/* accountd looks it up by both ids: another customer's invoice is not found. */
static enum answer invoice_ask(struct request *rq, struct reply *rp, json_t **ok)
{
    enum answer answer;

    *ok = NULL;
    if (!id_valid("inv_", rq->param))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such invoice");
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "invoice_get",
                          json_pack("{s:s, s:s}", "account_id", rq->who.account_id, "invoice_id", rq->param), ok);
    if (answer == ANSWER_NOT_FOUND)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such invoice");
    return answer;
}

enum answer invoice_show(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = invoice_ask(rq, rp, &ok);

    if (answer == ANSWER_OK)
        rp->json = invoice_view(json_object_get(ok, "invoice"));
    json_decref(ok);
    return answer;
}

static enum answer bundle_open(struct request *rq, struct reply *rp, const char *path)
{
    struct stat st;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

    if (fd < 0) {
        log_warn("invoice %s: bundle %s cannot be opened, answered 502", rq->param, path ? path : "(no path)");
        return reply_fail(rp, ANSWER_UPSTREAM_FAILED, "the bundle cannot be read; try again, and if it stays so tell us");
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        log_warnx("invoice %s: bundle %s is not a file, answered 502", rq->param, path);
        close(fd);
        return reply_fail(rp, ANSWER_UPSTREAM_FAILED, "the bundle cannot be read; try again, and if it stays so tell us");
    }
    rp->file_fd = fd;
    rp->file_size = (size_t)st.st_size;
    rp->text_type = "application/x-tar";
    snprintf(rp->file_name, sizeof(rp->file_name), "%s.tar", rq->param);
    return ANSWER_OK;
}

enum answer invoice_bundle(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = invoice_ask(rq, rp, &ok);

    if (answer == ANSWER_OK)
        answer = bundle_open(rq, rp, json_string_value(json_object_get(ok, "bundle_path")));
    json_decref(ok);
    return answer;
}
