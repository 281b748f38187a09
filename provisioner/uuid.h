/* The UUIDs of our domains: version 8 (RFC 9562, section 5.8), beginning with
 * "xsi1", so that a domain can be told to be one of ours without the database. */
#ifndef PROVISIONER_UUID_H
#define PROVISIONER_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_BYTES 37

void uuid_make(uint8_t uuid[16]);
bool uuid_ours(const uint8_t uuid[16]);
void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT_BYTES]);
bool uuid_parse(const char *text, uint8_t uuid[16]);       /* false: not written as uuid_text does */
void hex_text(const uint8_t *bytes, size_t count, char *text);     /* 2 * count + 1 */

#endif
