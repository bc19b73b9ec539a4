/*
 * unicode.h - what tokenizers must know of characters: UTF-8, letters, numbers and white space, composition (NFC)
 *
 * The tables are those of Unicode 15.1 (unicode_tables.h). A byte that is part of no UTF-8 sequence counts as a character
 * of its own: neither letter, number nor space, and it composes with nothing.
 */
#ifndef B2S6_CLI_UNICODE_H
#define B2S6_CLI_UNICODE_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* What utf8_read gives for a byte that is not UTF-8. */
#define UTF8_INVALID 0xffffffffu

/*
 * The character at text[0], size > 0: returns its bytes, with the code point in *c. UTF-8 has no overlong forms, no surrogates
 * and nothing beyond U+10FFFF; of anything else each byte is a character, UTF8_INVALID.
 */
size_t utf8_read(const unsigned char *text, size_t size, uint32_t *c);

/* How many bytes a sequence that begins with this byte has; 0 if none does. */
size_t utf8_length(unsigned char first);

/* How many bytes at the end of a text are the beginning of a character that is not yet whole: 0 to 3. */
unsigned utf8_unfinished(const unsigned char *text, size_t size);

/* Writes a code point, at most 4 bytes; returns their number. */
size_t utf8_write(unsigned char *out, uint32_t c);

/* The values are those of the tables. */
enum { CLASS_OTHER = 0, CLASS_LETTER = 1, CLASS_NUMBER = 2, CLASS_SPACE = 3 };

/* General category L, N, the property White_Space, or none of them. */
int unicode_class(uint32_t c);

const char *unicode_version(void);

/* How many bytes of a text are sure to be the beginning of its NFC: all of it, if it is composed already. */
size_t nfc_prefix(const unsigned char *text, size_t size);

/* Appends the NFC of a text, in time linear in its size. 0, or -1 for want of memory. */
int nfc_append(buffer *out, const unsigned char *text, size_t size);

#endif
