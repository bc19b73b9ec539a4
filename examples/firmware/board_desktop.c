/* board_desktop.c - the same program on the machine it is built on: what the boards' output is compared with */
#include <stdio.h>

#include "board.h"

void board_put(char c)
{
    putchar(c);
}

uint64_t board_instructions(void)
{
    return 0;
}

uint32_t board_stack_depth(void)
{
    return 0;
}

uint32_t board_stack_used(void)
{
    return 0;
}

int board_spoil_arithmetic(int spoilt)
{
    (void)spoilt;
    return 0;
}

int main(void)
{
    return program();
}
