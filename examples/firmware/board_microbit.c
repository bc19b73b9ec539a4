/* board_microbit.c - the BBC micro:bit: a Cortex-M0 in a Nordic nRF51, 256 KB of flash and 16 KB of RAM */
#include "board.h"

#define UART ((volatile uint32_t *)0x40002000u)
enum { STARTTX = 0x008 / 4, TXDRDY = 0x11c / 4, ENABLE = 0x500 / 4, PSELTXD = 0x50c / 4, TXD = 0x51c / 4, BAUDRATE = 0x524 / 4 };

void board_start(void);
uint32_t board_ticks_since(uint32_t *last);

void board_start(void)
{
    UART[ENABLE] = 4;
    UART[PSELTXD] = 24;
    UART[BAUDRATE] = 0x01d7e000; /* 115200 */
    UART[STARTTX] = 1;
}

void board_put(char c)
{
    UART[TXDRDY] = 0;
    UART[TXD] = (unsigned char)c;
    while (!UART[TXDRDY])
        continue;
}

uint64_t board_instructions(void)
{
    static uint32_t last = 0xffffffu;
    static uint64_t ticks;

    ticks += board_ticks_since(&last);
    return ticks * 125 / 2; /* 16 MHz */
}
