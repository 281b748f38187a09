/* PATCH of an instance: its name and labels, which are ours alone. Its ETag names the revision of what can be changed
 * here, not the state, which moves by itself. */
#include "api/api.h"
#include "api/instances.h"
#include "api/labels.h"
#include "api/resources.h"

#include <stdio.h>
#include <string.h>

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
