/* terminal.c - see terminal.h */
#define _POSIX_C_SOURCE 200809L

#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int terminal_moves(int descriptor)
{
    const char *kind = getenv("TERM");
    return isatty(descriptor) && kind && strcmp(kind, "dumb") != 0;
}

int terminal_colours(int descriptor)
{
    const char *unwelcome = getenv("NO_COLOR");
    return terminal_moves(descriptor) && !(unwelcome && *unwelcome);
}
