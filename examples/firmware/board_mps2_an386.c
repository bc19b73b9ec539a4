/* board_mps2_an386.c - ARM's MPS2 with the AN386 image: a Cortex-M4F */
#include "board.h"

#define UART0 ((volatile uint32_t *)0x40004000u) /* data, state, control, interrupts, divider */

void board_start(void);
uint32_t board_ticks_since(uint32_t *last);

void board_start(void)
{
    UART0[4] = 16;
    UART0[2] = 1;
}

void board_put(char c)
{
    while (UART0[1] & 1)
        continue;
    UART0[0] = (unsigned char)c;
}

uint64_t board_instructions(void)
{
    static uint32_t last = 0xffffffu;
    static uint64_t ticks;

    ticks += board_ticks_since(&last);
    return ticks * 40; /* 25 MHz */
}
