/* print.c - see print.h */
#include "print.h"

#include "board.h"

void print_text(const char *text)
{
    while (*text)
        board_put(*text++);
}

void print_number(uint32_t x)
{
    char digits[10];
    int n = 0;

    do {
        digits[n++] = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    while (n)
        board_put(digits[--n]);
}

void print_hex(uint64_t x)
{
    int shift;

    for (shift = 60; shift >= 0; shift -= 4)
        board_put("0123456789abcdef"[x >> shift & 15]);
}
