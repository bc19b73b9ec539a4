/* message.c - writes the one line of an error, without control characters */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>

int complain(message *m, const char *format, ...)
{
    if (m->size == 0)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(m->text, m->size, format, arguments);
    va_end(arguments);
    for (char *c = m->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return -1;
}
