/* message.h - the one line that says what went wrong, handed up to whoever prints it */
#ifndef B2S6_CLI_MESSAGE_H
#define B2S6_CLI_MESSAGE_H

#include <stddef.h>

typedef struct message {
    char *text;  /* where the line goes; cut to fit, always zero-terminated */
    size_t size;
} message;

/*
 * Writes the line, as printf, and returns -1, so that a function can say `return complain(...)`. Names from a hostile file
 * may be among the arguments: control characters come out as '?', so that the line stays one line.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int complain(message *m, const char *format, ...);

#endif
