/*
 * Statuses with their place and text: how the loader says what is wrong and where. Used while a model is
 * opened; steps return bare statuses, whose words are in b2s6_status_text. In builds without messages the
 * same calls stay, and the compiler drops their words with the arguments, so that no caller needs a
 * switch.
 */
#ifndef B2S6_STATUS_H
#define B2S6_STATUS_H

#include "common.h"

/* A message that is handed on before it is used; empty in builds without messages. */
#if B2S6_HAS_MESSAGES
#  define B2S6_WORDS(text) text
#else
#  define B2S6_WORDS(text) ""
#endif

#if B2S6_HAS_MESSAGES

/*
 * Fills *error (unless NULL) with the status, the offset in the file and a one-line message. Returns status, so that a check
 * reads `return b2s6_fail(...)`.
 */
B2S6_INTERNAL b2s6_status b2s6_fail(b2s6_error *error, b2s6_status status, size_t offset, const char *text);

/*
 * The same; in text, the first %u is replaced by a in decimal, the second by b, the third by c; %s by
 * name. Numbers are 64 bits for all, so that sizes of a hostile file are printed as they are. Text comes
 * from the library, never from a file.
 */
B2S6_INTERNAL b2s6_status b2s6_fail_at(b2s6_error *error, b2s6_status status, size_t offset, const char *text,
                                       const char *name, uint64_t a, uint64_t b, uint64_t c);

#else

/* The same calls without their words, which the compiler then drops. */
B2S6_INTERNAL void b2s6_fail_silently(b2s6_error *error, b2s6_status status, size_t offset);

static inline b2s6_status b2s6_fail(b2s6_error *error, b2s6_status status, size_t offset, const char *text)
{
    (void)text;
    b2s6_fail_silently(error, status, offset);
    return status;
}

static inline b2s6_status b2s6_fail_at(b2s6_error *error, b2s6_status status, size_t offset, const char *text,
                                       const char *name, uint64_t a, uint64_t b, uint64_t c)
{
    (void)text;
    (void)name;
    (void)a;
    (void)b;
    (void)c;
    b2s6_fail_silently(error, status, offset);
    return status;
}

#endif

/* Status OK and no message: what *error is while nothing has gone wrong. NULL is allowed. */
B2S6_INTERNAL void b2s6_clear_error(b2s6_error *error);

#endif
