/* What can be had, and what it would cost. */
#include "api/catalog.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define QUOTE_SECONDS_MAX (366 * 24 * 3600)
#define QUOTE_COUNT_MAX (INT64_C(1) << 52)

static enum answer list_show(struct request *rq, struct reply *rp, const char *list)
{
    json_t *ok;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, list, json_object(), &ok);

    if (answer != ANSWER_OK)
        return answer;
    rp->json = present_page(present_copy(json_object_get(ok, list)));
    json_decref(ok);
    return ANSWER_OK;
}

enum answer images_list(struct request *rq, struct reply *rp)
{
    return list_show(rq, rp, "images");
}

enum answer flavors_list(struct request *rq, struct reply *rp)
{
    return list_show(rq, rp, "flavors");
}

static json_t *entry_find(const json_t *entries, const char *id, char *known, size_t known_size)
{
    json_t *entry;
    size_t i, used = 0;

    known[0] = 0;
    json_array_foreach(entries, i, entry) {
        const char *text = json_string_value(json_object_get(entry, "id"));

        if (!text)
            continue;
        if (strcmp(text, id) == 0)
            return json_incref(entry);
        if (used < known_size)
            used += (size_t)snprintf(known + used, known_size - used, "%s%s", used ? ", " : "", text);
    }
    return NULL;
}

enum answer catalog_find(struct request *rq, struct reply *rp, struct fields *fields, const char *list,
                         const char *field, const char *id, json_t **entry)
{
    char known[256];
    json_t *ok;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, list, json_object(), &ok);

    *entry = NULL;
    if (answer != ANSWER_OK)
        return answer;
    *entry = entry_find(json_object_get(ok, list), id, known, sizeof(known));
    if (!*entry)
        fields_error(fields, field, "unknown", "there is no \"%.64s\": choose one of %s", id, known);
    json_decref(ok);
    return ANSWER_OK;
}

/* Either a flavour, or vcpus and memory by themselves. */
static enum answer quote_size(struct request *rq, struct reply *rp, struct fields *fields, int64_t *vcpus,
                              int64_t *memory_mib)
{
    const char *flavor;
    json_t *entry = NULL;
    enum answer answer = ANSWER_OK;

    if (!fields_has(fields, "flavor")) {
        fields_integer(fields, "vcpus", 1, 64, vcpus);
        fields_integer(fields, "memory_mib", 1, 1 << 20, memory_mib);
        return ANSWER_OK;
    }
    if (fields_text(fields, "flavor", 63, &flavor))
        answer = catalog_find(rq, rp, fields, "flavors", "flavor", flavor, &entry);
    if (entry) {
        *vcpus = json_integer_value(json_object_get(entry, "vcpus"));
        *memory_mib = json_integer_value(json_object_get(entry, "memory_mib"));
    }
    json_decref(entry);
    return answer;
}

/* What disks and networks are expected to do: fields under the meters' own names. */
static void quote_devices(struct fields *fields, json_t *args)
{
    static const char *const names[] = { "disk_ops", "disk_bytes", "net_packets", "net_bytes_out", "net_bytes_in" };
    int64_t count;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (fields_has(fields, names[i]) && fields_integer(fields, names[i], 0, QUOTE_COUNT_MAX, &count))
            json_object_set_new(args, names[i], json_decimal(count));
}

static enum answer quote_ask(struct request *rq, struct reply *rp, json_t *args, json_t **ok)
{
    int64_t vcpus = 0, memory_mib = 0, seconds = 3600, cpu_percent = 100;
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    answer = quote_size(rq, rp, &fields, &vcpus, &memory_mib);
    if (fields_has(&fields, "seconds"))
        fields_integer(&fields, "seconds", 1, QUOTE_SECONDS_MAX, &seconds);
    if (fields_has(&fields, "cpu_percent"))
        fields_integer(&fields, "cpu_percent", 0, 100, &cpu_percent);
    quote_devices(&fields, args);
    rp->errors = fields_done(&fields);
    if (answer != ANSWER_OK)
        return answer;
    if (rp->errors)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    json_object_set_new(args, "vcpus", json_integer(vcpus));
    json_object_set_new(args, "memory_mib", json_integer(memory_mib));
    json_object_set_new(args, "seconds", json_integer(seconds));
    json_object_set_new(args, "cpu_percent", json_integer(cpu_percent));
    return upstream_ask(rq, rp, DAEMON_ACCOUNTD, "quote", json_incref(args), ok);
}

enum answer quote_create(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq), *ok;
    enum answer answer = quote_ask(rq, rp, args, &ok);

    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    rp->json = present_copy(ok);
    json_object_set(rp->json, "vcpus", json_object_get(args, "vcpus"));
    json_object_set(rp->json, "memory_mib", json_object_get(args, "memory_mib"));
    json_decref(args);
    json_decref(ok);
    return ANSWER_OK;
}
