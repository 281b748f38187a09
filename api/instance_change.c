/* PATCH of an instance: its name and labels, which are ours alone. If-Match (RFC 9110, section 13.1.1) keeps two who
 * change it from undoing each other: the ETag names the revision of what can be changed here, not the state, which moves
 * by itself. */
#include "api/api.h"
#include "api/instances.h"
#include "api/labels.h"
#include "api/resources.h"

#include <stdio.h>
#include <string.h>

static enum answer precondition_check(const struct request *rq, struct reply *rp, const struct instance_row *row)
{
    char tag[TAG_BYTES];

    revision_tag(row->revision, tag);
    if (!rq->if_match || strcmp(rq->if_match, "*") == 0 || strcmp(rq->if_match, tag) == 0)
        return ANSWER_OK;
    return reply_fail(rp, ANSWER_PRECONDITION, "it is %s now: look at it again, and send that as If-Match", tag);
}

static enum answer change_read(struct request *rq, struct reply *rp, struct instance_row *row)
{
    const char *name = row->name;
    struct fields fields;

    fields_start(&fields, rq->json);
    if (fields_has(&fields, "name") && fields_name(&fields, "name", &name))
        snprintf(row->name, sizeof(row->name), "%s", name);
    if (fields_has(&fields, "labels"))
        labels_read(&fields, row->labels);
    return fields_end(&fields, rp);
}

enum answer instance_change(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = precondition_check(rq, rp, &row);
    if (answer == ANSWER_OK)
        answer = change_read(rq, rp, &row);
    if (answer != ANSWER_OK)
        return answer;
    switch (store_instance_change(rq->api->store, &row)) {
    case 1:
        return instance_show(rq, rp);
    case 0:
        return reply_fail(rp, ANSWER_PRECONDITION, "somebody else changed it in this moment: look at it again");
    default:
        return reply_fail(rp, ANSWER_STORAGE, "the instance is as it was; try again");
    }
}
