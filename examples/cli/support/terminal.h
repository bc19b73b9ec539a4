/* terminal.h - what the reader of an output can be shown */
#ifndef B2S6_CLI_TERMINAL_H
#define B2S6_CLI_TERMINAL_H

#include <stddef.h>

/* Whether what is written to a descriptor can be taken back and drawn again: a terminal, and not one that only types on. */
int terminal_moves(int descriptor);

/* Whether colours are welcome there: such a terminal, and no NO_COLOR in the environment (no-color.org). */
int terminal_colours(int descriptor);

/* How many columns a terminal has now, 80 if it does not say; 0 for what is no terminal. */
size_t terminal_columns(int descriptor);

#endif
