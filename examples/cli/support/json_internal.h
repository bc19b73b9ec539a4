/* json_internal.h - what checking a JSON text (json.c) and reading its values (json_values.c) share */
#ifndef B2S6_CLI_JSON_INTERNAL_H
#define B2S6_CLI_JSON_INTERNAL_H

static inline int json_is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The character of an escape \uXXXX or \uXXXX\uXXXX whose first X is at *c, moved past it; -1 if it is none. */
long json_unicode_escape(const unsigned char **c, const unsigned char *end);

#endif
