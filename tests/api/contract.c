#include "tests/api/contract.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

static json_t *node_json(yaml_document_t *doc, yaml_node_t *node);

static json_t *scalar_json(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    char *end;
    long long number = strtoll(text, &end, 10);

    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return json_string(text);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    if (strcmp(text, "null") == 0)
        return json_null();
    return *text && !*end ? json_integer(number) : json_string(text);
}

static json_t *sequence_json(yaml_document_t *doc, const yaml_node_t *node)
{
    json_t *list = json_array();

    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
        json_array_append_new(list, node_json(doc, yaml_document_get_node(doc, *item)));
    return list;
}

static json_t *mapping_json(yaml_document_t *doc, const yaml_node_t *node)
{
    json_t *object = json_object();

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key);
        const char *name = (const char *)key->data.scalar.value;

        if (json_object_get(object, name))
            tap_bail("the contract has %s twice in one mapping", name);
        json_object_set_new(object, name, node_json(doc, yaml_document_get_node(doc, pair->value)));
    }
    return object;
}

static json_t *node_json(yaml_document_t *doc, yaml_node_t *node)
{
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return scalar_json(node);
    case YAML_SEQUENCE_NODE:
        return sequence_json(doc, node);
    case YAML_MAPPING_NODE:
        return mapping_json(doc, node);
    default:
        return json_null();
    }
}

json_t *contract_load(const char *path)
{
    FILE *file = fopen(path, "re");
    yaml_parser_t parser;
    yaml_document_t doc;
    json_t *contract;

    if (!file)
        tap_bail("%s", path);
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &doc))
        tap_bail("%s: line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
    contract = node_json(&doc, yaml_document_get_root_node(&doc));
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    fclose(file);
    return contract;
}

/* "#/components/x/y" */
static const json_t *resolve(const json_t *contract, const json_t *value)
{
    const char *ref = json_string_value(json_object_get(value, "$ref"));
    char name[128];

    if (!ref)
        return value;
    for (ref += 2; *ref; ref += ref[strlen(name)] ? strlen(name) + 1 : strlen(name)) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(ref, "/"), ref);
        contract = json_object_get(contract, name);
    }
    if (!contract)
        tap_bail("the contract refers to %s, which it does not have", json_string_value(json_object_get(value, "$ref")));
    return contract;
}

const json_t *contract_answer(const json_t *contract, const char *method, const char *pattern, int status)
{
    const json_t *answers, *answer, *content;
    char lower[16] = "", code[8];

    for (size_t i = 0; method[i] && i < sizeof(lower) - 1; i++)
        lower[i] = (char)(method[i] | 0x20);
    snprintf(code, sizeof(code), "%d", status);
    answers = json_object_get(json_object_get(json_object_get(json_object_get(contract, "paths"), pattern), lower),
                              "responses");
    answer = json_object_get(answers, code);
    if (!answer && status >= 400)
        answer = json_object_get(answers, "default");
    answer = resolve(contract, answer);
    content = json_object_get(answer, "content");
    return json_object_get(json_object_iter_value(json_object_iter((json_t *)content)), "schema");
}

static bool type_fits(const char *type, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_NULL:
        return strcmp(type, "null") == 0;
    default:
        return strcmp(type, "boolean") == 0;
    }
}

static bool types_fit(const json_t *types, const json_t *value)
{
    json_t *type;
    size_t i;

    if (json_is_string(types))
        return type_fits(json_string_value(types), value);
    json_array_foreach(types, i, type)
        if (type_fits(json_string_value(type), value))
            return true;
    return !types;
}

static bool listed(const json_t *list, const json_t *value)
{
    json_t *element;
    size_t i;

    json_array_foreach(list, i, element)
        if (json_equal(element, value))
            return true;
    return !list;
}

static bool object_holds(const json_t *contract, const json_t *schema, const json_t *value, char *why, size_t why_size)
{
    const json_t *properties = json_object_get(schema, "properties");
    const char *name;
    json_t *element;
    size_t i;

    json_array_foreach(json_object_get(schema, "required"), i, element)
        if (!json_object_get(value, json_string_value(element))) {
            snprintf(why, why_size, "%s is missing", json_string_value(element));
            return false;
        }
    json_object_foreach((json_t *)value, name, element) {
        const json_t *property = json_object_get(properties, name);
        char inner[200];

        if (!property && json_is_false(json_object_get(schema, "additionalProperties"))) {
            snprintf(why, why_size, "%s may not be there", name);
            return false;
        }
        if (property && !contract_holds(contract, property, element, inner, sizeof(inner))) {
            snprintf(why, why_size, "%s: %s", name, inner);
            return false;
        }
    }
    return true;
}

bool contract_holds(const json_t *contract, const json_t *schema, const json_t *value, char *why, size_t why_size)
{
    const json_t *items;
    json_t *element;
    size_t i;

    schema = resolve(contract, schema);
    if (!types_fit(json_object_get(schema, "type"), value)) {
        snprintf(why, why_size, "has the wrong type");
        return false;
    }
    if (!listed(json_object_get(schema, "enum"), value)) {
        snprintf(why, why_size, "is not one of the values listed");
        return false;
    }
    if (json_is_object(value))
        return object_holds(contract, schema, value, why, why_size);
    items = json_object_get(schema, "items");
    if (items && json_is_array(value))
        json_array_foreach(value, i, element)
            if (!contract_holds(contract, items, element, why, why_size))
                return false;
    return true;
}
