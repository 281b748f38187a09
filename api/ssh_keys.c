/* Public keys are kept whole: they are no secret, and a guest needs the line. */
#include "api/ssh_keys.h"
#include "api/api.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/ssh_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *ssh_key_view(const struct ssh_key_row *row)
{
    return json_pack("{s:s, s:s, s:s?, s:s, s:I, s:s, s:s, s:o}", "id", row->ssh_key_id, "name", row->name, "project_id",
                     row->project_id[0] ? row->project_id : NULL, "type",
                     row->key.type, "bits", (json_int_t)row->key.bits, "fingerprint", row->key.fingerprint,
                     "public_key", row->key.line, "created_at", time_json(row->created_ms));
}

/* Those of the project, and those that are for all of the account's. */
static bool seen(const struct request *rq, const struct ssh_key_row *row)
{
    return !row->project_id[0] || principal_sees(&rq->who, row->project_id);
}

struct adding {
    struct ssh_key_row row;
    struct reply *rp;
};

static int adding_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct adding *adding = arg;
    struct ssh_key_row *row = &adding->row, other;
    int64_t count;

    if (store_ssh_key_count(store, row->account_id, &count) != 1)
        return -1;
    if (count >= SSH_KEYS_MAX)
        return reply_fail_quota(adding->rp, "ssh_keys_max", "SSH keys", SSH_KEYS_MAX, count);
    switch (store_ssh_key_get(store, row->account_id, row->name, &other)) {
    case 0:
        snprintf(row->ssh_key_id, sizeof(row->ssh_key_id), "%s", idem->subject_id);
        return store_ssh_key_insert(store, row);
    case 1:
        return reply_fail(adding->rp, ANSWER_CONFLICT, "an SSH key is already called \"%s\": choose another name, or delete it",
                          row->name);
    default:
        return -1;
    }
}

static enum answer adding_read(struct request *rq, struct reply *rp, struct ssh_key_row *row)
{
    const char *name = "", *text = "";
    struct fields fields;
    char why[256];

    memset(row, 0, sizeof(*row));
    fields_start(&fields, rq->json);
    fields_name(&fields, "name", &name);
    if (fields_document(&fields, "public_key", SSH_KEY_LINE_BYTES - 1, &text) &&
        !ssh_key_parse(text, &row->key, why, sizeof(why)))
        fields_error(&fields, "public_key", "invalid_ssh_key", "%s", why);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    snprintf(row->name, sizeof(row->name), "%s", name);
    snprintf(row->account_id, sizeof(row->account_id), "%s", rq->who.account_id);
    snprintf(row->project_id, sizeof(row->project_id), "%s", rq->who.project_id);
    row->created_ms = rq->now_ms;
    return ANSWER_OK;
}

enum answer ssh_key_create(struct request *rq, struct reply *rp)
{
    struct adding adding = { .rp = rp };
    struct idem idem;
    enum answer answer = adding_read(rq, rp, &adding.row);

    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "ssh_", "nil_", adding_insert, &adding, &idem);
    if (answer != ANSWER_OK)
        return answer;
    /* A resumed claim inserted the row in its first life. */
    if (store_ssh_key_get(rq->api->store, rq->who.account_id, idem.subject_id, &adding.row) != 1)
        return idem_close(rq, rp, &idem, reply_fail(rp, ANSWER_STORAGE, "the key cannot be read back"));
    rp->json = ssh_key_view(&adding.row);
    return idem_close(rq, rp, &idem, ANSWER_CREATED);
}

enum answer ssh_keys_list(struct request *rq, struct reply *rp)
{
    struct ssh_key_row *rows;
    size_t count;
    json_t *list;

    if (store_ssh_keys(rq->api->store, rq->who.account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "SSH keys cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        if (seen(rq, &rows[i]))
            json_array_append_new(list, ssh_key_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

enum answer ssh_key_delete(struct request *rq, struct reply *rp)
{
    struct ssh_key_row row;
    int rc = id_valid("ssh_", rq->param) ? store_ssh_key_get(rq->api->store, rq->who.account_id, rq->param, &row) : 0;

    if (rc == 0 || (rc == 1 && !seen(rq, &row)))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such SSH key");
    if (rc == 1 && !row.project_id[0] && !(rq->who.account_scopes & SCOPE_SSH_KEYS_WRITE))
        return reply_fail(rp, ANSWER_FORBIDDEN, "this SSH key is the whole account's: ask who may change that");
    if (rc < 0 || store_ssh_key_delete(rq->api->store, rq->who.account_id, rq->param) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the SSH key is still there; try again");
    return ANSWER_NO_CONTENT;
}

enum answer ssh_keys_read(struct request *rq, struct reply *rp, struct fields *fields, const char *name,
                          json_t **lines)
{
    struct ssh_key_row row;
    const json_t *list;
    json_t *wanted;
    size_t i;

    *lines = NULL;
    if (!fields_has(fields, name) || !fields_texts(fields, name, SSH_KEYS_PER_INSTANCE, NAME_BYTES - 1, &list))
        return ANSWER_OK;
    *lines = json_array();
    json_array_foreach(list, i, wanted) {
        int rc = store_ssh_key_get(rq->api->store, rq->who.account_id, json_string_value(wanted), &row);

        switch (rc == 1 ? seen(rq, &row) : rc) {
        case 1:
            json_array_append_new(*lines, json_string(row.key.line));
            break;
        case 0:
            fields_error(fields, name, "unknown", "there is no SSH key \"%s\": POST /v1/ssh_keys adds one",
                         json_string_value(wanted));
            break;
        default:
            return reply_fail(rp, ANSWER_STORAGE, "SSH keys cannot be looked up");
        }
    }
    return ANSWER_OK;
}
