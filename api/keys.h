/* Scopes as customers see them. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include <jansson.h>

json_t *scopes_json(unsigned scopes);       /* new reference: array of names */

#endif
