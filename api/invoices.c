/* Invoices and credit notes: accountd makes and keeps them; here they are asked for and handed out. */
#include "api/api.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/tar.h"
#include "api/upstream.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum answer invoice_create(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = { .prefix = "inv_", .verb = "invoice_create", .id_arg = "invoice_id",
                                                .name = "invoice", .id_name = "invoice_id", .place = "/v1/invoices" };

    return relay_make(rq, rp, &making, relay_args(rq));
}

enum answer invoice_draft(struct request *rq, struct reply *rp)
{
    return relay_show(rq, rp, "invoice_draft", relay_args(rq), "invoice", "invoice_id");
}

/* A customer's own; to an operator everybody's, or one customer's. */
enum answer invoices_list(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq);
    enum answer answer = relay_customer(rq, rp, args);

    if (answer == ANSWER_OK)
        return relay_list(rq, rp, "invoice_list", args, "invoices", "invoice_id");
    json_decref(args);
    return answer;
}

/* A page of invoices without what is no credit note: it may be shorter than its limit, its cursor is right. */
enum answer credit_notes_list(struct request *rq, struct reply *rp)
{
    json_t *all, *notes, *each;
    size_t i;
    enum answer answer = invoices_list(rq, rp);

    if (answer != ANSWER_OK)
        return answer;
    notes = json_array();
    all = json_object_get(rp->json, "data");
    json_array_foreach(all, i, each)
        if (strcmp(json_text(each, "kind"), "credit_note") == 0)
            json_array_append(notes, each);
    json_object_set_new(rp->json, "data", notes);
    return ANSWER_OK;
}

/* accountd looks it up by both ids: another customer's invoice is not found. */
static enum answer invoice_ask(struct request *rq, struct reply *rp, json_t **ok)
{
    json_t *args = relay_args(rq);
    enum answer answer = relay_param(rq, rp, "inv_", "invoice_id", args);

    *ok = NULL;
    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "invoice_get", json_incref(args), ok);
    json_decref(args);
    return answer == ANSWER_NOT_FOUND ? reply_fail(rp, answer, "no such invoice") : answer;
}

enum answer invoice_show(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = invoice_ask(rq, rp, &ok);

    if (answer == ANSWER_OK)
        rp->json = relay_view(rq, json_object_get(ok, "invoice"), "invoice_id");
    json_decref(ok);
    return answer;
}

static enum answer bundle_open(struct request *rq, struct reply *rp, const char *path)
{
    if (reply_file(rp, path) != 0) {
        log_warn("invoice %s: bundle %s cannot be opened, answered 502", rq->param, path);
        return reply_fail(rp, ANSWER_UPSTREAM_FAILED, "the bundle cannot be read; try again, and if it stays so tell us");
    }
    rp->text_type = "application/x-tar";
    snprintf(rp->file_name, sizeof(rp->file_name), "%s.tar", rq->param);
    return ANSWER_OK;
}

enum answer invoice_bundle(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = invoice_ask(rq, rp, &ok);

    if (answer == ANSWER_OK)
        answer = bundle_open(rq, rp, json_text(ok, "bundle_path"));
    json_decref(ok);
    return answer;
}

static const struct {
    const char *form;                   /* the path's last word */
    const char *name;                   /* in the bundle */
    const char *type;
} files[] = {
    { "pdf", "invoice.pdf", "application/pdf" },
    { "xml", "invoice.xml", "application/xml" },
    { "json", "invoice.json", "application/json" },
    { "csv", "lines.csv", "text/csv; charset=utf-8" },
};

/* The part of the bundle that is the file: the very bytes that are signed. */
enum answer invoice_file(struct request *rq, struct reply *rp)
{
    const char *form = strrchr(rq->path, '/') + 1;
    enum answer answer = invoice_bundle(rq, rp);

    if (answer != ANSWER_OK)
        return answer;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(files[i].form, form) != 0)
            continue;
        rp->text_type = files[i].type;
        snprintf(rp->file_name, sizeof(rp->file_name), "%s.%s", rq->param, form);
        if (tar_find(rp->file_fd, files[i].name, &rp->file_offset, &rp->file_size))
            return ANSWER_OK;
    }
    close(rp->file_fd);
    rp->file_fd = -1;
    rp->file_name[0] = 0;
    rp->text_type = NULL;
    return reply_fail(rp, ANSWER_NOT_FOUND, "this invoice has no such file: it was made before there were any");
}
