/* api/openapi.yaml as data, and answers held against it: types, required
 * fields, enumerations, references, fields that may not be there. */
#ifndef TESTS_API_CONTRACT_H
#define TESTS_API_CONTRACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The whole file; bails out if it is not YAML. */
json_t *contract_load(const char *path);

/* The schema that answers `status` to this operation, NULL if the contract has
 * none for a body. Problems share the default answer. */
const json_t *contract_answer(const json_t *contract, const char *method, const char *pattern, int status);

/* False and `why` says where `value` departs from `schema`. */
bool contract_holds(const json_t *contract, const json_t *schema, const json_t *value, char *why, size_t why_size);

#endif
