/* terminal.c - asks the environment and the terminal what they can show, and how wide they are */
#define _POSIX_C_SOURCE 200809L

#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

size_t terminal_columns(int descriptor)
{
    size_t columns = 0;
    if (!isatty(descriptor))
        return 0;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
#endif
    return columns ? columns : 80;
}
