/* board.h - what the program wants of the board it runs on */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* The program; the board's start-up code calls it and exits with what it returns. */
int program(void);

void board_put(char c);

/* Instructions executed so far, where the emulator counts one a nanosecond (-icount shift=0); 0 where nobody counts. To be
 * asked at least every half second. */
uint64_t board_instructions(void);

/* Ends the emulator with this exit status. */
void board_exit(int status);

/* Bytes of stack: in use here, and the most that were in use at some time; 0 where nobody knows. */
uint32_t board_stack_depth(void);
uint32_t board_stack_used(void);

/* Makes the processor's float arithmetic other than it must be, or right again; 0 where that cannot be done. */
int board_spoil_arithmetic(int spoilt);

#endif
