/* Typed random ids: "ins_" and 26 digits of Crockford's base 32 (lower case,
 * without i, l, o, u) that hold 128 random bits. Made by whoever asks for the
 * thing, so that asking again is recognised. */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stdbool.h>

#define ID_DIGITS     26
#define ID_RANDOM_BYTES 16
#define ID_PREFIX_MAX 5                                 /* "inst_" */
#define ID_BYTES      (ID_PREFIX_MAX + ID_DIGITS + 1)

/* `prefix` with its underscore, at most ID_PREFIX_MAX characters. Returns id. */
char *id_make(const char *prefix, char id[static ID_BYTES]);

/* Likewise, of these bits: for who has drawn many at once. */
char *id_from(const char *prefix, const unsigned char random[static ID_RANDOM_BYTES], char id[static ID_BYTES]);

/* The id that always follows from this text: for what is made beside something else, so that
 * doing it again makes the same. Not secret: who knows the text knows the id. */
char *id_derive(const char *prefix, const char *text, char id[static ID_BYTES]);

/* True if `text` is exactly this prefix and 26 digits, the first of them 0..7. */
bool id_valid(const char *prefix, const char *text);

#endif
